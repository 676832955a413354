import type { FastifyInstance } from 'fastify';
import type { ControlApi } from '../../control/api.ts';
import { API, type ErrorBody, type ExperimentBody, type ExperimentsBody } from '../contract.ts';
import { type ByName, noExperiment } from './common.ts';

/** Reads of the experiments. They have no commands: weights end one, or its config. */
export function experimentRoutes(app: FastifyInstance, control: ControlApi): void {
  app.get(`${API}/experiments`, async (): Promise<ExperimentsBody> => {
    return { revision: control.revision(), experiments: control.experiments() };
  });

  app.get<ByName>(`${API}/experiments/:name`, async (request, reply): Promise<ExperimentBody | ErrorBody> => {
    const { name } = request.params;
    return control.experiment(name) ?? noExperiment(control, reply, name);
  });
}
