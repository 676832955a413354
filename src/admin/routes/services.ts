import type { FastifyInstance } from 'fastify';
import type { ControlApi, WeightCommand, WeightRefusal } from '../../control/api.ts';
import {
  API,
  type DisagreementsBody,
  describeRequest,
  type ErrorBody,
  type ExplainBody,
  type ServiceBody,
  type ServicesBody,
  type WeightSetBody,
} from '../contract.ts';
import {
  actorOf,
  type ByName,
  paramsOf,
  ROLLOUT_STATUS,
  refuse,
  unknownKey,
  unknownService,
} from './common.ts';

/** Reads of the services, and the one write: a canary's weight. */
export function serviceRoutes(app: FastifyInstance, control: ControlApi): void {
  app.get(`${API}/services`, async (): Promise<ServicesBody> => {
    return { revision: control.revision(), services: control.services() };
  });

  app.get<ByName>(`${API}/services/:name`, async (request, reply): Promise<ServiceBody | ErrorBody> => {
    const { name } = request.params;
    const service = control.service(name);
    if (service === null) return unknownService(control, reply, name);
    reply.header('etag', `"${service.revision}"`);
    return service;
  });

  app.get<ByName>(
    `${API}/services/:name/explain`,
    async (request, reply): Promise<ExplainBody | ErrorBody> => {
      const described = describeRequest(paramsOf(request));
      if (!described.ok) return refuse(reply, 400, 'bad_request', described.message);
      const { name } = request.params;
      const explanation = control.explain(name, described.request);
      return explanation === null
        ? unknownService(control, reply, name)
        : { ...explanation, coming: control.coming(name, described.request) };
    },
  );

  app.get<ByName>(`${API}/services/:name/disagreements`, async (request, reply) => {
    const { name } = request.params;
    const kept = control.disagreements(name);
    if (kept === null) return unknownService(control, reply, name);
    const disagreements = kept.map(({ atMs, ...pair }) => ({ at: new Date(atMs).toISOString(), ...pair }));
    return { service: name, disagreements } satisfies DisagreementsBody;
  });

  app.put<ByName>(`${API}/services/:name/weight`, async (request, reply) => {
    const command = commandOf(request.body, request.headers['if-match']);
    if (typeof command === 'string') return refuse(reply, 400, 'bad_request', command);
    const outcome = await control.setWeight(request.params.name, command);
    if (!outcome.ok)
      return refuse(reply, STATUS[outcome.refusal.code], outcome.refusal.code, outcome.refusal.message);
    reply.header('etag', `"${outcome.done.revision}"`);
    return { ...outcome.done, note: NOTES[outcome.done.until] } satisfies WeightSetBody;
  });
}

const NOTES = {
  config:
    'in force until the config of this service changes or the process ends; the config file is unchanged',
  step: 'in force until the next step of the rollout that sets a weight; the config file is unchanged',
} as const;

const STATUS: Record<WeightRefusal['code'], number> = {
  revision_changed: 412,
  no_canary: 409,
  unknown_version: 400,
  ambiguous_canary: 400,
  weights_over_100: 400,
  rollout_rules: 409,
  ...ROLLOUT_STATUS,
};

/** The command a body asks for, or what is wrong with it. */
function commandOf(body: unknown, ifMatch: string | undefined): WeightCommand | string {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return 'send JSON such as {"weight": 5}, as application/json';
  }
  const unknown = unknownKey(body, ['weight', 'version', 'actor']);
  if (unknown !== null) return unknown;
  const { weight, version, actor: told } = body as Record<string, unknown>;
  if (typeof weight !== 'number' || !(weight >= 0 && weight <= 100))
    return 'weight must be a number from 0 to 100';
  const weightBp = Math.round(weight * 100);
  // As the file has it: what is left of rounding a number with two decimals, and nothing finer.
  if (weightBp / 100 !== weight) return 'weight may have two decimals at most';
  if (version !== undefined && typeof version !== 'string') return 'version must be the name of a canary';
  const ifRevision = revisionOf(ifMatch);
  if (ifRevision === undefined) return 'If-Match must be a revision such as "12", as the ETag says it';
  const actor = actorOf(told);
  if (!actor.ok) return actor.message;
  return { weightBp, version: version ?? null, ifRevision, actor: actor.value };
}

/** Null: any revision will do; undefined: not understood. */
function revisionOf(ifMatch: string | undefined): number | null | undefined {
  if (ifMatch === undefined || ifMatch === '*') return null;
  const digits = /^"(\d{1,15})"$/.exec(ifMatch)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
