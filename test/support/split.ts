import type {
  Condition,
  ListenerLimits,
  ListenerSettings,
  Mirror,
  PoolLimits,
  RetryPolicy,
  Rule,
  Service,
  Share,
  Split,
  Timeouts,
  Upstream,
  Version,
} from '../../src/core/model.ts';

/** Builders for the data path's settings: a test says only in what it differs. */

export interface UpstreamOptions extends Partial<Omit<Upstream, 'timeouts' | 'pool' | 'retry'>> {
  readonly timeouts?: Partial<Timeouts>;
  readonly pool?: Partial<PoolLimits>;
  readonly retry?: Partial<RetryPolicy>;
}

/** Short waits (a test that hangs should say so soon), one retry, no health checks, no ejection. */
export function upstream(endpoints: string | readonly string[], options: UpstreamOptions = {}): Upstream {
  return {
    health: null,
    ejection: null,
    tls: null,
    ...options,
    endpoints: typeof endpoints === 'string' ? [endpoints] : endpoints,
    timeouts: { connectMs: 2_000, firstByteMs: 10_000, idleMs: 10_000, totalMs: null, ...options.timeouts },
    pool: { connections: 64, pending: 64, keepAliveMs: 30_000, connectionTtlMs: 300_000, ...options.pool },
    retry: { retries: 1, budgetShare: 0.2, budgetMin: 3, ...options.retry },
  };
}

export function version(
  name: string,
  endpoints: string | readonly string[],
  options: UpstreamOptions = {},
): Version {
  return { name, definition: `${name} at ${endpoints}`, upstream: upstream(endpoints, options) };
}

export interface ServiceOptions extends Partial<Omit<Service, 'versions' | 'match'>> {
  readonly host?: string | null;
  readonly path?: string;
}

/** Everything on the first version until `shares` or `rules` say otherwise; sticky by `x-user-id`. */
export function service(versions: readonly Version[], options: ServiceOptions = {}): Service {
  const { host = null, path = '/', ...rest } = options;
  const name = rest.name ?? 'svc';
  return {
    name,
    stage: 0,
    match: { host, path },
    versions,
    stable: 0,
    shares: [],
    salt: name,
    sticky: {
      by: [{ kind: 'header', name: 'x-user-id' }],
      mode: 'hash',
      sessionTtlMs: 60_000,
      sessionMax: 1_000,
      issueCookie: null,
    },
    rules: [],
    precedence: 'coalmine',
    regionHeader: null,
    mirror: null,
    failover: 'none',
    maxBodyBytes: 512 << 20,
    exposeVersion: true,
    latencyEdgesMs: [1, 10, 100, 1_000, 10_000],
    judged: null,
    ...rest,
  };
}

export function split(services: readonly Service[], options: Partial<Omit<Split, 'services'>> = {}): Split {
  return { revision: 1, region: null, trustProxy: [], accessLogShare: 0, ...options, services };
}

/** One service at every path of every host, with one version. */
export function single(
  endpoints: string | readonly string[],
  options: ServiceOptions & { readonly upstream?: UpstreamOptions } = {},
): Split {
  const { upstream: upstreamOptions, ...rest } = options;
  return split([service([version('v1', endpoints, upstreamOptions)], rest)]);
}

/** Stable at `stableUrl`, and a canary at `canaryUrl` with a share of the users. */
export function canary(
  stableUrl: string,
  canaryUrl: string,
  weightBp: number,
  options: ServiceOptions & { readonly upstream?: UpstreamOptions } = {},
): Split {
  const { upstream: upstreamOptions, ...rest } = options;
  const shares: Share[] = [{ version: 1, weightBp }];
  const versions = [version('v1', stableUrl, upstreamOptions), version('v2', canaryUrl, upstreamOptions)];
  return split([service(versions, { shares, ...rest })]);
}

export function mirror(to: number, options: Partial<Mirror> = {}): Mirror {
  return {
    to,
    routes: [],
    percentBp: 10_000,
    by: 'random',
    methods: ['GET', 'HEAD', 'POST'],
    timeoutMs: 2_000,
    maxInFlight: 64,
    maxBodyBytes: 1 << 20,
    maxAnswerBytes: 1 << 20,
    maxBufferedBytes: 16 << 20,
    keepCredentials: false,
    ...options,
  };
}

export interface ListenerOptions extends Partial<Omit<ListenerSettings, 'limits'>> {
  readonly limits?: Partial<ListenerLimits>;
}

/** A free port on loopback. */
export function listener(options: ListenerOptions = {}): ListenerSettings {
  return {
    host: '127.0.0.1',
    port: 0,
    tls: null,
    drain: { delayMs: 0, timeoutMs: 10_000 },
    ...options,
    limits: {
      maxHeaderBytes: 16_384,
      maxHeaders: 200,
      headersTimeoutMs: 10_000,
      bodyIdleTimeoutMs: 30_000,
      minBodyBytesPerSecond: 240,
      answerIdleTimeoutMs: 60_000,
      keepAliveMs: 60_000,
      maxConnections: 10_000,
      ...options.limits,
    },
  };
}

/** A rule that forces a version. */
export function useRule(when: Condition, version: number, id = 'rules[0]'): Rule {
  const then: Rule['then'] = { kind: 'use', version };
  return { id, when, then };
}
