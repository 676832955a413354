import type { Ejection, HealthCheck, PoolLimits, Timeouts, Upstream, UpstreamTls } from '../../core/model.ts';
import { DEFAULTS } from '../defaults.ts';
import { readHost, readOrigin } from '../forms/addresses.ts';
import { taken } from '../forms/reading.ts';
import { msOf } from '../quantity.ts';
import type { RawUpstream, RawVersion } from '../schema.ts';
import { mergeUpstream } from '../upstream.ts';

const base = DEFAULTS.upstream;

/** `fileText` gives the contents of a file that the config names. */
export function compileUpstream(
  shared: RawUpstream,
  version: RawVersion,
  fileText: (file: string) => string,
): Upstream {
  const settings = mergeUpstream(shared, version);
  const urls = version.urls ?? (version.url === undefined ? [] : [version.url]);
  const endpoints = urls.map((url) => taken(readOrigin(url)));
  const secure = endpoints.some((endpoint) => endpoint.startsWith('https:'));
  const { retry } = settings;
  return {
    endpoints,
    timeouts: compileTimeouts(settings.timeouts),
    pool: compilePool(settings.pool),
    retry: {
      retries: (retry?.retries ?? base.retry.retries) === 0 ? 0 : 1,
      budgetShare: retry?.budgetShare ?? base.retry.budgetShare,
      budgetMin: retry?.budgetMin ?? base.retry.budgetMin,
    },
    health: compileHealth(settings.healthCheck),
    ejection: compileEjection(settings.ejection),
    tls: secure ? compileTls(settings.tls, fileText) : null,
  };
}

function compileTimeouts(raw: RawUpstream['timeouts']): Timeouts {
  const total = raw?.total ?? base.timeouts.total;
  return {
    connectMs: msOf(raw?.connect ?? base.timeouts.connect),
    firstByteMs: msOf(raw?.firstByte ?? base.timeouts.firstByte),
    idleMs: msOf(raw?.idle ?? base.timeouts.idle),
    totalMs: total === 'none' ? null : msOf(total),
  };
}

function compilePool(raw: RawUpstream['pool']): PoolLimits {
  return {
    connections: raw?.connections ?? base.pool.connections,
    pending: raw?.pending ?? base.pool.pending,
    keepAliveMs: msOf(raw?.keepAlive ?? base.pool.keepAlive),
    connectionTtlMs: msOf(raw?.ttl ?? base.pool.ttl),
  };
}

function compileHealth(raw: RawUpstream['healthCheck']): HealthCheck | null {
  if (raw === undefined || raw === 'off') return null;
  return {
    path: raw.path ?? base.healthCheck.path,
    intervalMs: msOf(raw.interval ?? base.healthCheck.interval),
    timeoutMs: msOf(raw.timeout ?? base.healthCheck.timeout),
    healthyThreshold: raw.healthyThreshold ?? base.healthCheck.healthyThreshold,
    unhealthyThreshold: raw.unhealthyThreshold ?? base.healthCheck.unhealthyThreshold,
  };
}

function compileEjection(raw: RawUpstream['ejection']): Ejection | null {
  if (raw === 'off') return null;
  return {
    consecutiveFailures: raw?.consecutiveFailures ?? base.ejection.consecutiveFailures,
    baseMs: msOf(raw?.base ?? base.ejection.base),
    maxMs: msOf(raw?.max ?? base.ejection.max),
  };
}

function compileTls(raw: RawUpstream['tls'], fileText: (file: string) => string): UpstreamTls | null {
  if (raw === undefined) return null;
  const text = (file: string | undefined) => (file === undefined ? null : fileText(file));
  return {
    ca: text(raw.ca),
    cert: text(raw.cert),
    key: text(raw.key),
    serverName: raw.serverName === undefined ? null : taken(readHost(raw.serverName)),
    verify: raw.verify ?? true,
  };
}
