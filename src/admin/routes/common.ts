import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ControlApi, RolloutRefusal } from '../../control/api.ts';
import type { ErrorBody } from '../contract.ts';

/** What the routes under `/api/v1` have in common. */

/** Whom a route answers: everyone (probes), whoever asks under our name, or those who pass every check. */
export type Access = 'everyone' | 'host' | 'full';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** `full` where nothing is said. */
    access?: Access;
  }
}

export interface ByName {
  readonly Params: { readonly name: string };
}

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly message: string };

/** For those who do not say who they are. */
const DEFAULT_ACTOR = 'admin API';
const MAX_ACTOR_LENGTH = 100;

export const ROLLOUT_STATUS: Record<RolloutRefusal['code'], number> = {
  unknown_service: 404,
  no_rollout: 404,
  refused: 409,
  blocked: 409,
  store_failed: 503,
};

/** Who asks, as told; recorded, and not checked against anything. */
export function actorOf(told: unknown): Read<string> {
  if (told === undefined) return { ok: true, value: DEFAULT_ACTOR };
  if (typeof told !== 'string' || told.trim() === '' || told.length > MAX_ACTOR_LENGTH) {
    return {
      ok: false,
      message: `actor must say who asks, in 1 to ${MAX_ACTOR_LENGTH} characters`,
    };
  }
  return { ok: true, value: told };
}

export function paramsOf(request: FastifyRequest): URLSearchParams {
  return (request.query as { params: URLSearchParams }).params;
}

/** What is wrong with the keys of a body; null: nothing. */
export function unknownKey(body: object, known: readonly string[]): string | null {
  const other = Object.keys(body).find((key) => !known.includes(key));
  return other === undefined ? null : `unknown key ${JSON.stringify(other)}; known: ${known.join(', ')}`;
}

export function unknownService(control: ControlApi, reply: FastifyReply, name: string): ErrorBody {
  const names = control.services().map((service) => service.name);
  return refuse(reply, 404, 'unknown_service', `there is no service ${name}; there are: ${names.join(', ')}`);
}

export function noExperiment(control: ControlApi, reply: FastifyReply, name: string): ErrorBody {
  if (control.service(name) === null) return unknownService(control, reply, name);
  const message = `${name} has no experiment; write services.${name}.experiment in the config to give it one`;
  return refuse(reply, 404, 'no_experiment', message);
}

export function refuse(reply: FastifyReply, status: number, error: string, message: string): ErrorBody {
  reply.code(status);
  return { error, message };
}
