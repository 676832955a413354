import type { FastifyInstance } from 'fastify';
import type { ControlApi } from '../../control/api.ts';
import {
  API,
  type ErrorBody,
  type ExperimentTimelineBody,
  TIMELINE_STEPS,
  type TimelineBody,
  type TimelineStep,
} from '../contract.ts';
import { MAX_STREAMS, type Streams } from '../streams.ts';
import { type ByName, noExperiment, paramsOf, type Read, refuse, unknownService } from './common.ts';

/** What a page that is left open reads: columns over time, and a stream of what changes. */
export function liveRoutes(app: FastifyInstance, control: ControlApi, streams: Streams): void {
  app.get<ByName>(
    `${API}/services/:name/timeline`,
    async (request, reply): Promise<TimelineBody | ErrorBody> => {
      const step = stepOf(paramsOf(request));
      if (!step.ok) return refuse(reply, 400, 'bad_request', step.message);
      const { name } = request.params;
      return control.timeline(name, step.value) ?? unknownService(control, reply, name);
    },
  );

  app.get<ByName>(
    `${API}/experiments/:name/timeline`,
    async (request, reply): Promise<ExperimentTimelineBody | ErrorBody> => {
      const fault = onlyParam(paramsOf(request), null);
      if (!fault.ok) return refuse(reply, 400, 'bad_request', fault.message);
      const { name } = request.params;
      const view = control.experimentTimeline(name);
      if (view !== null) return view;
      const known = control.experiment(name);
      return known === null
        ? noExperiment(control, reply, name)
        : { service: name, kpi: known.kpi, stepMs: 1_000, atMs: [], variants: [] };
    },
  );

  app.get(`${API}/events`, async (request, reply): Promise<ErrorBody | undefined> => {
    const service = onlyParam(paramsOf(request), 'service');
    if (!service.ok) return refuse(reply, 400, 'bad_request', service.message);
    const name = service.value;
    if (name !== null && control.service(name) === null) return unknownService(control, reply, name);
    if (!streams.hasRoom) {
      const message = `${MAX_STREAMS} streams are open, which is as many as there may be; close one, or try later`;
      reply.header('retry-after', '5');
      return refuse(reply, 503, 'too_many_streams', message);
    }
    const headers = Object.fromEntries(
      Object.entries(reply.getHeaders()).map(([key, value]) => [key, String(value)]),
    );
    reply.hijack();
    streams.open(reply.raw, headers, (sink) => control.watch(name, sink));
    return undefined;
  });
}

function stepOf(params: URLSearchParams): Read<TimelineStep> {
  const told = onlyParam(params, 'step');
  if (!told.ok) return told;
  const step = TIMELINE_STEPS.find((one) => one === (told.value ?? TIMELINE_STEPS[0]));
  return step === undefined
    ? { ok: false, message: `step must be one of ${TIMELINE_STEPS.join(', ')}` }
    : { ok: true, value: step };
}

/** The value of the one parameter that there may be, and once at most; null: it is not given. */
function onlyParam(params: URLSearchParams, known: string | null): Read<string | null> {
  const other = [...params.keys()].find((name) => name !== known);
  if (other !== undefined) {
    const there = known === null ? 'there are none' : `known: ${known}`;
    return { ok: false, message: `unknown parameter ${JSON.stringify(other)}; ${there}` };
  }
  const [value, second] = known === null ? [] : params.getAll(known);
  if (second !== undefined) return { ok: false, message: `${known} may be given once only` };
  return { ok: true, value: value ?? null };
}
