import type { TSchema } from 'typebox';
import { MAX_FEEDBACK_ITEMS } from '../contract.ts';
import type { Component } from './build.ts';

/** How one request is described: what it takes, and every way in which it is answered. */
export interface Operation {
  readonly method: 'get' | 'put' | 'post';
  /** As the server has it: `/api/v1/services/:name`. */
  readonly path: string;
  /** Names the call in generated clients. */
  readonly id: string;
  readonly tag: 'services' | 'rollouts' | 'experiments' | 'live' | 'process';
  readonly summary: string;
  readonly params?: readonly Parameter[];
  readonly body?: Body;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Whom it answers; `full` where nothing is said: Host, token and, for changes, origin are checked. */
  readonly access?: 'everyone' | 'host';
}

export interface Parameter {
  readonly name: string;
  readonly in: 'query' | 'header';
  readonly description: string;
  readonly schema: TSchema | object;
  readonly required?: boolean;
}

export interface Body {
  readonly required: boolean;
  readonly description?: string;
  readonly schema: TSchema | object;
}

export interface Answer {
  readonly description: string;
  /** Left out: there is no body to describe. */
  readonly content?: Readonly<Record<string, object>>;
  readonly headers?: Readonly<Record<string, object>>;
  /** One of several routes: said once, under this name. */
  readonly shared?: string;
}

/** A JSON answer. */
export function json(description: string, body: Component<unknown>, headers?: Answer['headers']): Answer {
  const content = { 'application/json': { schema: body.ref } };
  return headers === undefined ? { description, content } : { description, content, headers };
}

/** An ErrorBody with one of these codes, each with its meaning. */
export function refused(codes: Readonly<Record<string, string>>, headers?: Answer['headers']): Answer {
  const schema = {
    type: 'object',
    required: ['error', 'message'],
    properties: { error: { type: 'string', enum: Object.keys(codes) }, message: { type: 'string' } },
  };
  const description = Object.entries(codes)
    .map(([code, meaning]) => `\`${code}\`: ${meaning}`)
    .join(' ');
  const content = { 'application/json': { schema } };
  return headers === undefined ? { description, content } : { description, content, headers };
}

const BAD = 'the URL, a parameter or the body makes no sense; the message says which.';
const UNKNOWN_SERVICE = 'there is no such service.';

function shared(name: string, answer: Answer): Answer {
  return { ...answer, shared: name };
}

/** Refusals that several routes share. */
export const NOT_FOUND = {
  404: shared('UnknownService', refused({ unknown_service: UNKNOWN_SERVICE })),
};
export const NO_ROLLOUT = {
  404: shared(
    'NoRollout',
    refused({ unknown_service: UNKNOWN_SERVICE, no_rollout: 'its config has no rollout.' }),
  ),
};
export const NO_EXPERIMENT = {
  404: shared(
    'NoExperiment',
    refused({ unknown_service: UNKNOWN_SERVICE, no_experiment: 'its config has no experiment.' }),
  ),
};
export const BAD_REQUEST = { 400: shared('BadRequest', refused({ bad_request: BAD })) };
/** What any JSON body may be refused for. */
export const BAD_BODY = {
  413: shared('TooLarge', refused({ too_large: 'the body is over 64 KiB (of feedback 2 MiB).' })),
  415: shared('JsonOnly', refused({ json_only: 'bodies are taken as `application/json` only.' })),
};
export const STORE_FAILED = {
  503: shared('StoreFailed', refused({ store_failed: 'the state could not be saved, so nothing was done.' })),
};

/** What the guard and the server themselves answer. */
export const BAD_URL = { 400: shared('BadUrl', refused({ bad_request: 'the URL is malformed.' })) };
export const UNAUTHORIZED = {
  401: shared(
    'Unauthorized',
    refused(
      { unauthorized: 'the token is missing or wrong.' },
      { 'www-authenticate': { schema: { type: 'string' }, description: '`Bearer realm="coalmine"`' } },
    ),
  ),
};
export const WRONG_HOST = {
  421: shared(
    'WrongHost',
    refused({ host_not_allowed: 'the Host header names none of ours (`admin.allowedHosts`).' }),
  ),
};
export const CROSS_ORIGIN = {
  403: shared(
    'CrossOrigin',
    refused({ cross_origin: 'changes are not taken from pages of another origin.' }),
  ),
};
export const INTERNAL = {
  500: shared('Internal', refused({ internal: 'an error of ours; the log says more.' })),
};

export const ETAG = {
  etag: { schema: { type: 'string' }, description: 'The revision, for `If-Match`.' },
};

export function feedbackBodySchema(item: Component<unknown>): object {
  return {
    anyOf: [item.ref, { type: 'array', items: item.ref, maxItems: MAX_FEEDBACK_ITEMS }],
  };
}
