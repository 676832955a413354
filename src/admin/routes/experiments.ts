import type { FastifyInstance, FastifyReply } from 'fastify';
import type { ControlApi } from '../../control/api.ts';
import { API, type ErrorBody, type ExperimentBody, type ExperimentsBody } from '../contract.ts';
import { type ByName, refuse, unknownService } from './common.ts';

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

function noExperiment(control: ControlApi, reply: FastifyReply, name: string): ErrorBody {
  if (control.service(name) === null) return unknownService(control, reply, name);
  const message = `${name} has no experiment; write services.${name}.experiment in the config to give it one`;
  return refuse(reply, 404, 'no_experiment', message);
}
