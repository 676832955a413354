import { DEFAULTS } from './defaults.ts';
import { msOf } from './quantity.ts';
import type { RawUpstream } from './schema.ts';

/** A version's upstream settings over its service's: key by key, the nearer one wins. */
export function mergeUpstream(base: RawUpstream, own: RawUpstream): RawUpstream {
  const merged: { -readonly [K in keyof RawUpstream]: RawUpstream[K] } = {};
  for (const key of ['tls', 'timeouts', 'pool', 'retry'] as const) {
    if (base[key] !== undefined || own[key] !== undefined) merged[key] = { ...base[key], ...own[key] };
  }
  const healthCheck = mergeSwitched(base.healthCheck, own.healthCheck);
  if (healthCheck !== undefined) merged.healthCheck = healthCheck;
  const ejection = mergeSwitched(base.ejection, own.ejection);
  if (ejection !== undefined) merged.ejection = ejection;
  return merged;
}

function mergeSwitched<T extends object>(base: T | 'off' | undefined, own: T | 'off' | undefined) {
  if (own === undefined) return base;
  if (own === 'off' || base === undefined || base === 'off') return own;
  return { ...base, ...own };
}

/** What is inconsistent among settings that are each valid, with the key to point at. */
export function upstreamConflicts(settings: RawUpstream): { key: string; message: string; fix: string }[] {
  const found: { key: string; message: string; fix: string }[] = [];
  const { healthCheck, ejection, tls } = settings;
  if (healthCheck !== undefined && healthCheck !== 'off') {
    const interval = healthCheck.interval ?? DEFAULTS.upstream.healthCheck.interval;
    const timeout = healthCheck.timeout ?? DEFAULTS.upstream.healthCheck.timeout;
    if (msOf(timeout) > msOf(interval)) {
      const message = `has a timeout (${timeout}) above its interval (${interval})`;
      found.push({ key: 'healthCheck', message, fix: 'raise the interval or lower the timeout' });
    }
  }
  if (ejection !== undefined && ejection !== 'off') {
    const base = ejection.base ?? DEFAULTS.upstream.ejection.base;
    const max = ejection.max ?? DEFAULTS.upstream.ejection.max;
    if (msOf(base) > msOf(max)) {
      const message = `has a base (${base}) above its max (${max})`;
      found.push({ key: 'ejection', message, fix: 'lower the base or raise the max' });
    }
  }
  if ((tls?.cert === undefined) !== (tls?.key === undefined)) {
    const missing = tls?.cert === undefined ? 'cert' : 'key';
    const message = `has a client ${missing === 'cert' ? 'key' : 'certificate'} without its ${missing}`;
    found.push({ key: 'tls', message, fix: `add ${missing}: with the PEM file` });
  }
  return found;
}
