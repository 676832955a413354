import type { Condition, Mirror, Rule, Service, Share, Split, TextMatch, Upstream } from '../core/model.ts';
import { keySourceText } from '../core/split/explain.ts';
import { weightBpOf } from '../core/split/shares.ts';

/**
 * What the surfaces show of a service. Every field is named here one by one:
 * what is not listed (keys, certificates, cookie secrets) cannot leave.
 */

/** Health of one endpoint, as the data path tells it. */
export interface EndpointHealth {
  readonly service: string;
  readonly version: string;
  readonly endpoint: string;
  readonly healthy: boolean;
  /** Monotonic ms of the data path; null: not ejected. */
  readonly ejectedUntilMs: number | null;
  readonly pending: number;
}

export type VersionRole = 'stable' | 'canary' | 'shadow' | 'idle';

export interface VersionSummary {
  readonly name: string;
  readonly role: VersionRole;
  /** Percent of the users whom no rule decides for. */
  readonly weight: number;
  readonly endpoints: { readonly healthy: number; readonly total: number };
}

export interface ServiceSummary {
  readonly name: string;
  readonly match: { readonly host: string | null; readonly path: string };
  readonly stage: number;
  readonly versions: readonly VersionSummary[];
  /** The shadow version, or null. */
  readonly mirror: string | null;
  readonly rules: number;
  /** A weight was set at run time and differs from the file's. */
  readonly weightSetByHand: boolean;
}

export interface VersionDetail extends Omit<VersionSummary, 'endpoints'> {
  readonly endpoints: readonly {
    readonly url: string;
    readonly healthy: boolean;
    readonly ejected: boolean;
    readonly pending: number;
  }[];
  readonly timeouts: Upstream['timeouts'];
  readonly pool: Upstream['pool'];
  readonly retry: Upstream['retry'];
  readonly health: Upstream['health'];
  readonly ejection: Upstream['ejection'];
  readonly tls: {
    readonly ownCa: boolean;
    readonly clientCertificate: boolean;
    readonly serverName: string | null;
    readonly verify: boolean;
  } | null;
}

/** Has either `use` or `weights`. */
export interface RuleView {
  readonly id: string;
  readonly when: Condition;
  readonly use: string | null;
  readonly weights: readonly { readonly version: string; readonly weight: number }[] | null;
}

export interface ServiceDetail extends Omit<ServiceSummary, 'versions' | 'mirror' | 'rules'> {
  readonly revision: number;
  readonly versions: readonly VersionDetail[];
  readonly sticky: {
    readonly by: readonly string[];
    readonly mode: 'hash' | 'session';
    readonly issueCookie: {
      readonly name: string;
      readonly maxAgeS: number;
      readonly domain: string | null;
    } | null;
  };
  readonly salt: string;
  readonly rules: readonly RuleView[];
  readonly regionHeader: string | null;
  readonly mirror:
    | (Omit<Mirror, 'to' | 'percentBp'> & { readonly to: string; readonly percent: number })
    | null;
  readonly failover: 'none' | 'stable';
  readonly maxBodyBytes: number;
}

export function summaryOf(
  service: Service,
  health: readonly EndpointHealth[],
  setByHand: boolean,
): ServiceSummary {
  return {
    name: service.name,
    match: { host: service.match.host, path: service.match.path },
    stage: service.stage,
    versions: service.versions.map((version, index) => {
      const total = version.upstream.endpoints.length;
      const bad = health.filter((one) => concerns(one, service.name, version.name) && !isUsable(one)).length;
      return { ...placeOf(service, index), endpoints: { healthy: total - bad, total } };
    }),
    mirror: service.mirror === null ? null : nameOf(service, service.mirror.to),
    rules: service.rules.length,
    weightSetByHand: setByHand,
  };
}

export function detailOf(
  split: Split,
  service: Service,
  health: readonly EndpointHealth[],
  setByHand: boolean,
): ServiceDetail {
  const { name, match, stage } = summaryOf(service, health, setByHand);
  const { sticky } = service;
  const cookie = sticky.issueCookie;
  return {
    name,
    match,
    stage,
    revision: split.revision,
    weightSetByHand: setByHand,
    versions: service.versions.map((version, index) => ({
      ...placeOf(service, index),
      ...upstreamView(
        version.upstream,
        health.filter((one) => concerns(one, service.name, version.name)),
      ),
    })),
    sticky: {
      by: sticky.by.map(keySourceText),
      mode: sticky.mode,
      issueCookie:
        cookie === null ? null : { name: cookie.name, maxAgeS: cookie.maxAgeS, domain: cookie.domain },
    },
    salt: service.salt,
    rules: service.rules.map((rule) => ruleView(service, rule)),
    regionHeader: service.regionHeader,
    mirror: mirrorView(service),
    failover: service.failover,
    maxBodyBytes: service.maxBodyBytes,
  };
}

/** Whether an endpoint gets requests at the moment. */
export function isUsable(endpoint: EndpointHealth): boolean {
  return endpoint.healthy && endpoint.ejectedUntilMs === null;
}

function upstreamView(
  upstream: Upstream,
  health: readonly EndpointHealth[],
): Omit<VersionDetail, 'name' | 'role' | 'weight'> {
  const { timeouts, pool, retry, health: check, ejection, tls } = upstream;
  return {
    endpoints: upstream.endpoints.map((url) => {
      const told = health.find((one) => one.endpoint === url);
      return {
        url,
        healthy: told?.healthy ?? true,
        ejected: (told?.ejectedUntilMs ?? null) !== null,
        pending: told?.pending ?? 0,
      };
    }),
    timeouts,
    pool,
    retry,
    health: check,
    ejection,
    tls:
      tls === null
        ? null
        : {
            ownCa: tls.ca !== null,
            clientCertificate: tls.cert !== null,
            serverName: tls.serverName,
            verify: tls.verify,
          },
  };
}

function ruleView(service: Service, { id, when, then: effect }: Rule): RuleView {
  const forced = effect.kind === 'use';
  return {
    id,
    when: hideSecrets(when),
    use: forced ? nameOf(service, effect.version) : null,
    weights: forced ? null : weightsOf(service, effect.shares),
  };
}

function mirrorView(service: Service): ServiceDetail['mirror'] {
  if (service.mirror === null) return null;
  const { to, percentBp, ...rest } = service.mirror;
  return { to: nameOf(service, to), percent: percentBp / 100, ...rest };
}

function placeOf(service: Service, index: number): { name: string; role: VersionRole; weight: number } {
  const weight = weightBpOf(service.shares, service.stable, index) / 100;
  return { name: nameOf(service, index), role: roleOf(service, index), weight };
}

function roleOf(service: Service, index: number): VersionRole {
  if (index === service.stable) return 'stable';
  if (service.shares.some((share) => share.version === index)) return 'canary';
  return service.mirror?.to === index ? 'shadow' : 'idle';
}

function weightsOf(service: Service, shares: readonly Share[]): { version: string; weight: number }[] {
  return shares.map(({ version, weightBp }) => ({
    version: nameOf(service, version),
    weight: weightBp / 100,
  }));
}

const CREDENTIAL_HEADERS = new Set(['authorization', 'proxy-authorization', 'cookie', 'x-api-key']);
const HIDDEN: TextMatch = { kind: 'oneOf', values: ['(hidden)'] };

/** A rule that matches credentials by their value would give them away. */
function hideSecrets(when: Condition): Condition {
  switch (when.kind) {
    case 'all':
    case 'any':
      return { kind: when.kind, of: when.of.map(hideSecrets) };
    case 'header':
      return CREDENTIAL_HEADERS.has(when.name) && when.match.kind !== 'present'
        ? { ...when, match: HIDDEN }
        : when;
    default:
      return when;
  }
}

function concerns(endpoint: EndpointHealth, service: string, version: string): boolean {
  return endpoint.service === service && endpoint.version === version;
}

function nameOf(service: Service, index: number): string {
  return service.versions[index]?.name ?? '';
}
