import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Command, ControlApi } from '../../control/api.ts';
import {
  API,
  type ErrorBody,
  type HistoryBody,
  ROLLOUT_VERBS,
  type RolloutBody,
  type RolloutsBody,
  type RolloutVerb,
} from '../contract.ts';
import {
  actorOf,
  type ByName,
  MAX_ACTOR_LENGTH,
  paramsOf,
  type Read,
  ROLLOUT_STATUS,
  refuse,
  takeEmptyJson,
  unknownKey,
  unknownService,
} from './common.ts';

const MAX_REASON_LENGTH = 500;

/** Reads of the rollouts, and a POST for everything a person may tell one. */
export function rolloutRoutes(app: FastifyInstance, control: ControlApi): void {
  app.get(`${API}/rollouts`, async (): Promise<RolloutsBody> => {
    return { revision: control.revision(), rollouts: control.rollouts() };
  });

  app.get<ByName>(`${API}/rollouts/:name`, async (request, reply): Promise<RolloutBody | ErrorBody> => {
    const { name } = request.params;
    return control.rollout(name) ?? noRollout(control, reply, name);
  });

  app.get<ByName>(
    `${API}/rollouts/:name/history`,
    async (request, reply): Promise<HistoryBody | ErrorBody> => {
      const limit = limitOf(paramsOf(request));
      if (!limit.ok) return refuse(reply, 400, 'bad_request', limit.message);
      const { name } = request.params;
      const history = control.history(name);
      return history === null
        ? noRollout(control, reply, name)
        : { service: name, history: history.slice(-limit.value) };
    },
  );

  app.register(async (scope) => {
    takeEmptyJson(scope);
    for (const verb of ROLLOUT_VERBS) commandRoute(scope, control, verb);
  });
}

function commandRoute(app: FastifyInstance, control: ControlApi, verb: RolloutVerb): void {
  app.post<ByName>(
    `${API}/rollouts/:name/${verb}`,
    async (request, reply): Promise<RolloutBody | ErrorBody> => {
      const body = bodyOf(verb, request);
      if (!body.ok) return refuse(reply, 400, 'bad_request', body.message);
      const asked = commandOf(verb, body.value);
      if (!asked.ok) return refuse(reply, 400, 'bad_request', asked.message);
      const { name } = request.params;
      const before = control.rollout(name);
      if (before === null) return noRollout(control, reply, name);
      const { command, actor, restart } = asked.value;
      if (restart && isUnderWay(before)) await control.rolloutCommand(name, { kind: 'undo' }, actor);
      const outcome = await control.rolloutCommand(name, command, actor);
      return outcome.ok
        ? outcome.view
        : refuse(reply, ROLLOUT_STATUS[outcome.code], outcome.code, outcome.message);
    },
  );
}

function isUnderWay({ status }: RolloutBody): boolean {
  return status === 'starting' || status === 'stepping';
}

/**
 * With `?hook=flagger` what Flagger tells of itself says who asks. It calls one hook for whatever
 * was deployed, so its start begins anew.
 */
function bodyOf(verb: RolloutVerb, request: FastifyRequest): Read<unknown> {
  const params = paramsOf(request);
  const body: unknown = request.body === undefined ? {} : request.body;
  const other = [...params.keys()].find((name) => name !== 'hook');
  if (other !== undefined) return wrong(`unknown parameter ${JSON.stringify(other)}; known: hook`);
  const [hook, second] = params.getAll('hook');
  if (hook === undefined) return { ok: true, value: body };
  if (hook !== 'flagger' || second !== undefined) return wrong('hook must be flagger');
  const { name, namespace } = (body ?? {}) as Record<string, unknown>;
  const own = typeof name === 'string' && typeof namespace === 'string' ? `${namespace}/${name}` : '';
  const actor = `flagger ${own}`.trim().slice(0, MAX_ACTOR_LENGTH);
  return { ok: true, value: verb === 'start' ? { actor, restart: true } : { actor } };
}

const KNOWN_KEYS: Record<RolloutVerb, readonly string[]> = {
  start: ['restart', 'actor'],
  promote: ['full', 'actor'],
  pause: ['actor'],
  resume: ['actor'],
  abort: ['reason', 'actor'],
  retry: ['actor'],
  undo: ['actor'],
};

interface Asked {
  readonly command: Command;
  readonly actor: string;
  /** Whether what is under way is undone first. */
  readonly restart: boolean;
}

function commandOf(verb: RolloutVerb, body: unknown): Read<Asked> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    return wrong('send a JSON object, or no body at all');
  }
  const unknown = unknownKey(body, KNOWN_KEYS[verb]);
  if (unknown !== null) return wrong(unknown);
  const { full = false, restart = false, reason = '', actor: told } = body as Record<string, unknown>;
  if (typeof full !== 'boolean') return wrong('full must be true or false');
  if (typeof restart !== 'boolean') return wrong('restart must be true or false');
  if (typeof reason !== 'string' || reason.length > MAX_REASON_LENGTH) {
    return wrong(`reason must be a text of ${MAX_REASON_LENGTH} characters at most`);
  }
  const actor = actorOf(told);
  if (!actor.ok) return actor;
  return { ok: true, value: { command: built(verb, full, reason), actor: actor.value, restart } };
}

function built(verb: RolloutVerb, full: boolean, reason: string): Command {
  switch (verb) {
    case 'promote':
      return { kind: verb, full };
    case 'abort':
      return { kind: verb, reason };
    default:
      return { kind: verb };
  }
}

/** How many entries, the newest; all of them if nothing is said. */
function limitOf(params: URLSearchParams): Read<number> {
  const other = [...params.keys()].find((name) => name !== 'limit');
  if (other !== undefined) return wrong(`unknown parameter ${JSON.stringify(other)}; known: limit`);
  const [text, second] = params.getAll('limit');
  if (text === undefined) return { ok: true, value: Number.MAX_SAFE_INTEGER };
  if (second !== undefined || !/^[1-9]\d{0,5}$/.test(text)) {
    return wrong('limit must be one whole number from 1 to 999999');
  }
  return { ok: true, value: Number(text) };
}

function wrong(message: string): { readonly ok: false; readonly message: string } {
  return { ok: false, message };
}

function noRollout(control: ControlApi, reply: FastifyReply, name: string): ErrorBody {
  if (control.service(name) === null) return unknownService(control, reply, name);
  const message = `${name} has no rollout; write services.${name}.rollout in the config to give it one`;
  return refuse(reply, 404, 'no_rollout', message);
}
