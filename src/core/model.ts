import type { Judged } from './arms.ts';

/**
 * The Split: everything the data path decides from, as plain data.
 *
 * A Split holds no functions, sockets or class instances, so that it survives a
 * structured clone (worker processes and whole fleets exchange it) and a reader
 * can print it. Each request reads one Split once; a reload, a step or an abort
 * builds a new one and swaps one reference.
 *
 * Units stand last in names: `Bp` basis points (1/100 of a percent, 0..10000),
 * `Ms` milliseconds, `Bytes` bytes.
 */

/** Basis points of a whole: 10000 = everyone. Two decimals of a percent. */
export const WHOLE_BP = 10_000;

export interface Split {
  /** Rises by one with every swap of this process; shown, never compared across processes. */
  readonly revision: number;
  /** The gateway's own region (from its environment), or null when it has none. */
  readonly region: string | null;
  /** Address ranges (CIDR) whose X-Forwarded-* and Forwarded are believed; empty: nobody's. */
  readonly trustProxy: readonly string[];
  /** Share of requests that get an access log line, 0..1. */
  readonly accessLogShare: number;
  readonly services: readonly Service[];
}

export interface Service {
  readonly name: string;
  /** A stretch of time with one set of weights. Every request counts under the stage it was assigned in. */
  readonly stage: number;
  readonly match: Match;
  /** Versions are named by their index in this list everywhere below. */
  readonly versions: readonly Version[];
  readonly stable: number;
  /** Consecutive bucket ranges from 0 up, in this order; what is left over is stable's. */
  readonly shares: readonly Share[];
  /** Prefix of the hash input; equal salts give equal buckets, in any service. */
  readonly salt: string;
  readonly sticky: Sticky;
  /** In order; the first whose condition holds decides, above stickiness. */
  readonly rules: readonly Rule[];
  /** `nginx`: a pinned session (`mode: session`) goes above the rules, as NGINX Ingress has it; and what a rule decides is pinned too. */
  readonly precedence: 'coalmine' | 'nginx';
  /** Where a request's region is read from; null: the gateway's own region. */
  readonly regionHeader: string | null;
  readonly mirror: Mirror | null;
  /** Whether a canary request that got no answer may be answered by stable (counted as the canary's failure). */
  readonly failover: 'none' | 'stable';
  /** Largest request body, in bytes; a larger one gets 413. */
  readonly maxBodyBytes: number;
  /** Adds `x-coalmine-version` to answers. */
  readonly exposeVersion: boolean;
  /** Upper bounds of the latency buckets, in milliseconds, ascending; holds the gates' thresholds exactly. */
  readonly latencyEdgesMs: readonly number[];
  /** What is counted for the judge; null: nothing. */
  readonly judged: Judged | null;
}

export interface Match {
  /** Lower-case host without port; `*.example.com` for any name below; null for any host. */
  readonly host: string | null;
  /** Normalised path prefix on segment bounds, starting with `/`, without a trailing slash (but `/` itself). */
  readonly path: string;
}

export interface Share {
  readonly version: number;
  readonly weightBp: number;
}

export interface Version {
  readonly name: string;
  /** Identity of what it is: its name, its endpoints, its `revision`. Equal texts, equal versions, in every process. */
  readonly definition: string;
  readonly upstream: Upstream;
}

/** Endpoints that serve one version, and how to talk to them. */
export interface Upstream {
  /** Origins such as `http://iris-v1:80`; no path. */
  readonly endpoints: readonly string[];
  readonly timeouts: Timeouts;
  readonly pool: PoolLimits;
  readonly retry: RetryPolicy;
  readonly health: HealthCheck | null;
  readonly ejection: Ejection | null;
  readonly tls: UpstreamTls | null;
}

export interface Timeouts {
  readonly connectMs: number;
  /** From the request sent to the head of the answer. */
  readonly firstByteMs: number;
  /** Longest silence inside an answer's body. */
  readonly idleMs: number;
  /** From assignment to the last byte of the answer; null: no limit. */
  readonly totalMs: number | null;
}

export interface PoolLimits {
  /** Connections per endpoint. */
  readonly connections: number;
  /** Requests per endpoint that may wait for a connection; beyond it 503. */
  readonly pending: number;
  readonly keepAliveMs: number;
  /** Age at which a connection is replaced, so that DNS changes are seen. */
  readonly connectionTtlMs: number;
}

export interface RetryPolicy {
  /** 0 turns retries off, 1 allows one retry. */
  readonly retries: 0 | 1;
  /** Retries in flight at most, as a share of requests in flight (0..1); at least `budgetMin` are allowed, and what requests saved up. */
  readonly budgetShare: number;
  readonly budgetMin: number;
}

/** Active check: GET `path` every `intervalMs`; a 2xx or 3xx within `timeoutMs` is healthy. */
export interface HealthCheck {
  readonly path: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly healthyThreshold: number;
  readonly unhealthyThreshold: number;
}

/** Passive check: consecutive connect errors, resets, time-outs or 5xx eject an endpoint for `base * times`. */
export interface Ejection {
  readonly consecutiveFailures: number;
  readonly baseMs: number;
  readonly maxMs: number;
}

/** PEM texts, already read; `serverName` overrides SNI and the name that is verified. */
export interface UpstreamTls {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
  readonly verify: boolean;
}

/** What the listening side needs before the first request; a change of `host`, `port` or `limits` needs a restart. */
export interface ListenerSettings {
  readonly host: string;
  readonly port: number;
  /** PEM texts; null: plain HTTP. A change is taken over without a restart. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly limits: ListenerLimits;
  readonly drain: DrainSettings;
}

export interface ListenerLimits {
  /** Start line and headers of one request together; beyond it 431. */
  readonly maxHeaderBytes: number;
  /** Header lines of one request; beyond it 431. */
  readonly maxHeaders: number;
  /** From a connection's first byte of a request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** Longest silence inside a request's body. */
  readonly bodyIdleTimeoutMs: number;
  /** Least rate of a request's body, in the mean of about `bodyIdleTimeoutMs`; 0: none. */
  readonly minBodyBytesPerSecond: number;
  /** Longest time in which a client takes nothing of what it is sent. */
  readonly answerIdleTimeoutMs: number;
  /** How long an idle keep-alive connection of a client is kept. */
  readonly keepAliveMs: number;
  readonly maxConnections: number;
}

export interface DrainSettings {
  /** Between failing readiness and closing the listeners, so that load balancers notice. */
  readonly delayMs: number;
  /** How long requests in flight may take to finish after that. */
  readonly timeoutMs: number;
}

export type KeySource =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'ip' };

export interface Sticky {
  /** The first source present in a request gives its key. */
  readonly by: readonly KeySource[];
  /** `hash`: decided by the bucket alone. `session`: the first version is pinned for a time. */
  readonly mode: 'hash' | 'session';
  readonly sessionTtlMs: number;
  readonly sessionMax: number;
  readonly issueCookie: IssueCookie | null;
}

/** A signed id given to users who have no key. */
export interface IssueCookie {
  readonly name: string;
  readonly maxAgeS: number;
  readonly secret: string;
  readonly domain: string | null;
}

export type TextMatch =
  | { readonly kind: 'present' }
  | { readonly kind: 'oneOf'; readonly values: readonly string[] }
  | { readonly kind: 'prefix'; readonly value: string }
  /** RE2 syntax, searched anywhere in the text unless anchored. */
  | { readonly kind: 'pattern'; readonly source: string };

export type Condition =
  | { readonly kind: 'header'; readonly name: string; readonly match: TextMatch }
  | { readonly kind: 'cookie'; readonly name: string; readonly match: TextMatch }
  | { readonly kind: 'query'; readonly name: string; readonly match: TextMatch }
  | { readonly kind: 'path'; readonly match: TextMatch }
  | { readonly kind: 'method'; readonly oneOf: readonly string[] }
  | { readonly kind: 'region'; readonly oneOf: readonly string[] }
  | { readonly kind: 'all'; readonly of: readonly Condition[] }
  | { readonly kind: 'any'; readonly of: readonly Condition[] };

export interface Rule {
  /** Where it stands in the config, for people: `rules[2]`. */
  readonly id: string;
  readonly when: Condition;
  /** `use` forces a version; `split` replaces the service's shares inside the group. */
  readonly then:
    | { readonly kind: 'use'; readonly version: number }
    | { readonly kind: 'split'; readonly shares: readonly Share[] };
}

export interface Mirror {
  /** The shadow version. A request assigned to that very version is not mirrored. */
  readonly to: number;
  /** The first whose condition holds gives the percent; where none does `percentBp` and `methods` count. */
  readonly routes: readonly MirrorRoute[];
  readonly percentBp: number;
  /** `sticky`: the same users always (their bucket); `random`: each request on its own. */
  readonly by: 'sticky' | 'random';
  readonly methods: readonly string[];
  readonly timeoutMs: number;
  readonly maxInFlight: number;
  readonly maxBodyBytes: number;
  /** What is read of one answer; then it is given up. */
  readonly maxAnswerBytes: number;
  /** Bodies held for the shadow at one time, over all mirrored requests. */
  readonly maxBufferedBytes: number;
  readonly keepCredentials: boolean;
}

/** A share of its own for some requests, whatever their method. */
export interface MirrorRoute {
  readonly name: string;
  readonly percentBp: number;
  /** Null: every request. */
  readonly when: Condition | null;
}

/** Why a request got its version; a closed list, used as an index into the Tally. */
export const ASSIGN_REASONS = ['rule', 'hash', 'session', 'cookie', 'random'] as const;
export type AssignReason = (typeof ASSIGN_REASONS)[number];

/** What became of a request that was eligible for the mirror; sent + dropped = eligible. */
export const MIRROR_OUTCOMES = [
  'ok',
  'error',
  'timeout',
  'answer_too_large',
  'dropped_full',
  'dropped_bytes',
  'dropped_too_large',
  'dropped_aborted',
] as const;
export type MirrorOutcome = (typeof MIRROR_OUTCOMES)[number];

export function assertNever(value: never): never {
  throw new Error(`unexpected ${JSON.stringify(value)}`);
}
