import type { ServiceJudge } from '../../core/judge/service.ts';
import type { IssueCookie, Mirror, Rule, Service, Share, Sticky } from '../../core/model.ts';
import { DEFAULTS, LATENCY_EDGES_MS } from '../defaults.ts';
import { readHost, readMatchHost } from '../forms/addresses.ts';
import { readKeySource } from '../forms/names.ts';
import { readPathPrefix } from '../forms/paths.ts';
import { taken } from '../forms/reading.ts';
import { bpOf, bytesOf, msOf } from '../quantity.ts';
import { type Roles, rolesOf, versionOfUse } from '../roles.ts';
import type { RawRule, RawService } from '../schema.ts';
import { compileCohorts, compileWhen } from './condition.ts';
import { versionDefinition } from './definition.ts';
import { thresholdsMs } from './gates.ts';
import { compileUpstream } from './upstream.ts';

/** What compiling needs besides the file itself. */
export interface CompileInputs {
  /** Contents of a file that the config names; it has been read. */
  fileText(file: string): string;
  /** Signs issued ids where the file gives no secret. */
  readonly cookieSecret: string;
  /** Signs prediction ids where the file gives none; another one, so that neither can stand for the other. */
  readonly kpiSecret: string;
  /** A file's name in the config as one that can be opened from here. */
  resolveFile(file: string): string;
  /** Where rollouts keep their state when the file does not say so. */
  readonly stateDir: string;
}

/** Versions and cohorts by name. A Map, so that a name such as `constructor` finds only what was defined. */
type Indexes = ReadonlyMap<string, number>;

/** A checked service as the data path wants it; the stage is 0, and `carryStages` sets it. */
export function compileService(
  name: string,
  raw: RawService,
  judge: ServiceJudge | null,
  inputs: CompileInputs,
): Service {
  const entries = Object.entries(raw.versions);
  const indexes: Indexes = new Map(entries.map(([version], index) => [version, index]));
  const roles = rolesOf(raw);
  return {
    name,
    stage: 0,
    match: {
      host: raw.match?.host === undefined ? null : taken(readMatchHost(raw.match.host)),
      path: taken(readPathPrefix(raw.match?.path ?? DEFAULTS.matchPath)),
    },
    versions: entries.map(([version, own]) => ({
      name: version,
      definition: versionDefinition(raw, version),
      upstream: compileUpstream(raw.upstream ?? {}, own, inputs.fileText),
    })),
    stable: indexOf(indexes, roles.stable),
    shares: roles.canaries.map(({ version, weightBp }) => ({ version: indexOf(indexes, version), weightBp })),
    salt: raw.salt ?? name,
    sticky: compileSticky(raw.sticky ?? {}, inputs.cookieSecret),
    rules: compileRules(raw, roles, indexes),
    precedence: raw.precedence ?? DEFAULTS.precedence,
    regionHeader: raw.regionHeader?.toLowerCase() ?? null,
    mirror: mirrorOf(raw, indexes),
    failover: raw.failover ?? DEFAULTS.failover,
    maxBodyBytes: compileMaxBody(raw.maxBody ?? DEFAULTS.maxBody),
    exposeVersion: raw.exposeVersion ?? DEFAULTS.exposeVersion,
    latencyEdgesMs: compileEdges((raw.latencyEdges ?? []).map(msOf), thresholdsMs(raw.gates)),
    judged: judge === null ? null : { rule: -1, ...judge.judged },
  };
}

function compileRules(raw: RawService, roles: Roles, indexes: Indexes): Rule[] {
  const cohorts = compileCohorts(raw.cohorts);
  const versions = [...indexes.keys()];
  return (raw.rules ?? []).map((rule, i) => {
    const then = compileOutcome(rule, roles, versions, indexes);
    return { id: `rules[${i}]`, when: compileWhen(rule.when, cohorts), then };
  });
}

function compileOutcome(
  { use, weight, version }: RawRule,
  roles: Roles,
  versions: readonly string[],
  indexes: Indexes,
): Rule['then'] {
  if (use !== undefined) {
    return { kind: 'use', version: indexOf(indexes, versionOfUse(use, roles, versions)) };
  }
  const target = version ?? roles.canaries[0]?.version ?? null;
  const share: Share = { version: indexOf(indexes, target), weightBp: bpOf(weight ?? 0) };
  return { kind: 'split', shares: [share] };
}

function compileSticky(raw: NonNullable<RawService['sticky']>, cookieSecret: string): Sticky {
  const { issueCookie } = raw;
  return {
    by: (raw.by ?? []).map((source) => taken(readKeySource(source))),
    mode: raw.mode ?? DEFAULTS.sticky.mode,
    sessionTtlMs: msOf(raw.session?.ttl ?? DEFAULTS.sticky.sessionTtl),
    sessionMax: raw.session?.max ?? DEFAULTS.sticky.sessionMax,
    issueCookie: issueCookie === undefined ? null : compileIssueCookie(issueCookie, cookieSecret),
  };
}

function compileIssueCookie(
  raw: NonNullable<NonNullable<RawService['sticky']>['issueCookie']>,
  cookieSecret: string,
): IssueCookie {
  return {
    name: raw.name ?? DEFAULTS.issueCookie.name,
    maxAgeS: Math.floor(msOf(raw.maxAge ?? DEFAULTS.issueCookie.maxAge) / 1_000),
    secret: raw.secret ?? cookieSecret,
    domain: raw.domain === undefined ? null : taken(readHost(raw.domain)),
  };
}

/** Steps that mirror need something to turn up: a mirror to the canary of which nobody is copied yet. */
function mirrorOf(raw: RawService, indexes: Indexes): Mirror | null {
  if (raw.mirror !== undefined) return compileMirror(raw.mirror, indexes);
  const steps = raw.rollout?.steps ?? [];
  const mirrors = steps.some((step) => step.setMirror !== undefined || step.setMirrorRoute !== undefined);
  if (!mirrors || raw.canary === undefined) return null;
  return compileMirror({ to: raw.canary, percent: 0 }, indexes);
}

function compileMirror(raw: NonNullable<RawService['mirror']>, indexes: Indexes): Mirror {
  const base = DEFAULTS.mirror;
  return {
    to: indexOf(indexes, raw.to),
    routes: [],
    percentBp: bpOf(raw.percent ?? base.percent),
    by: raw.by ?? base.by,
    methods: raw.methods ?? [...base.methods],
    timeoutMs: msOf(raw.timeout ?? base.timeout),
    maxInFlight: raw.maxInFlight ?? base.maxInFlight,
    maxBodyBytes: bytesOf(raw.maxBody ?? base.maxBody),
    maxAnswerBytes: bytesOf(raw.maxAnswer ?? base.maxAnswer),
    maxBufferedBytes: bytesOf(raw.maxBuffered ?? base.maxBuffered),
    keepCredentials: raw.keepCredentials ?? base.keepCredentials,
  };
}

/** Without a limit: the largest integer, which compares like one and survives JSON, as Infinity does not. */
function compileMaxBody(raw: string): number {
  return raw === 'unlimited' ? Number.MAX_SAFE_INTEGER : bytesOf(raw);
}

function compileEdges(...own: readonly (readonly number[])[]): number[] {
  return [...new Set([...LATENCY_EDGES_MS, ...own.flat()])].sort((a, b) => a - b);
}

function indexOf(indexes: Indexes, version: string | null): number {
  const index = version === null ? undefined : indexes.get(version);
  if (index === undefined) throw new Error(`compiled before it was checked: version ${version}`);
  return index;
}
