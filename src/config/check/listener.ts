import { DEFAULTS } from '../defaults.ts';
import { isLoopback, readListen } from '../forms/addresses.ts';
import { readRegion } from '../forms/names.ts';
import { taken } from '../forms/reading.ts';
import type { Env } from '../parse/env.ts';
import type { RawConfig } from '../schema.ts';
import type { Report } from '../validate/report.ts';

/** What the listeners must agree on, beyond each key's own form. */
export function checkListeners(raw: RawConfig, report: Report): void {
  if (!report.isSound(['admin', 'listen'])) return;
  const admin = taken(readListen(raw.admin?.listen ?? DEFAULTS.adminListen));
  if (!isLoopback(admin.host) && raw.admin?.token === undefined && report.isSound(['admin', 'token'])) {
    report.error(
      ['admin', 'listen'],
      'is reachable from other machines without a token',
      'add admin.token with at least 16 characters, or listen on 127.0.0.1',
    );
  }
  if (!report.isSound(['listen'])) return;
  const { host, port } = taken(readListen(raw.listen ?? DEFAULTS.listen));
  if (port === 0 || port !== admin.port) return;
  if (host === admin.host || isWildcard(host) || isWildcard(admin.host)) {
    const path = raw.admin?.listen === undefined ? ['listen'] : ['admin', 'listen'];
    report.error(
      path,
      `has the port of the other listener (${port})`,
      'give the two listeners different ports',
    );
  }
}

function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

/** The file's region, or the environment's; null where neither names one. */
export function regionText(raw: RawConfig, env: Env): string | null {
  return raw.region ?? (env[REGION_VARIABLE] || null);
}

const REGION_VARIABLE = 'COALMINE_REGION';

export function checkRegion(raw: RawConfig, env: Env, report: Report): void {
  const text = raw.region === undefined ? regionText(raw, env) : null;
  const reading = text === null ? null : readRegion(text);
  if (reading === null || reading.ok) return;
  report.error(['region'], `${reading.message} (taken from ${REGION_VARIABLE})`, reading.fix);
}
