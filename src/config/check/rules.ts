import { closest } from '../../core/closest.ts';
import type { Path } from '../issue.ts';
import { type Roles, rolesOf, versionOfUse } from '../roles.ts';
import type { RawRule, RawService } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';
import { checkVersion } from './weights.ts';

/** Rules and cohorts: that what they name exists, and that each rule says one thing. */
export function checkRules(service: RawService, path: Path, report: Report): void {
  const versions = Object.keys(service.versions);
  const cohorts = isMapping(service.cohorts) ? Object.entries(service.cohorts ?? {}) : [];
  const cohortNames = cohorts.map(([name]) => name);
  const roles = rolesOf(service);
  for (const [name, cohort] of cohorts) {
    const at = [...path, 'cohorts', name];
    if (report.isSound(at)) checkHeaders(cohort.header, [...at, 'header'], report);
  }
  const rules = Array.isArray(service.rules) ? service.rules : [];
  for (const [i, rule] of rules.entries()) {
    const at = [...path, 'rules', i];
    if (!report.isSound(at)) continue;
    checkHeaders(rule.when.header, [...at, 'when', 'header'], report);
    checkCohorts(rule.when.cohort, cohortNames, [...at, 'when', 'cohort'], report);
    checkOutcome(rule, roles, versions, at, report);
  }
}

/** Two spellings of one header would be two conditions on it, which is never meant. */
function checkHeaders(headers: object | undefined, at: Path, report: Report): void {
  const seen = new Set<string>();
  for (const name of Object.keys(headers ?? {})) {
    const lower = name.toLowerCase();
    if (seen.has(lower))
      report.error([...at, name], 'names a header twice', 'keep one, with a list of values', 'key');
    seen.add(lower);
  }
}

export function checkCohorts(
  named: string | readonly string[] | undefined,
  cohorts: readonly string[],
  at: Path,
  report: Report,
): void {
  if (named === undefined) return;
  const list = typeof named === 'string' ? [named] : named;
  for (const [i, name] of list.entries()) {
    if (cohorts.includes(name)) continue;
    const meant = closest(name, cohorts);
    const known =
      cohorts.length === 0 ? 'define it under `cohorts`' : `the cohorts are ${cohorts.join(', ')}`;
    const fix = meant === null ? known : `did you mean ${meant}?`;
    report.error(typeof named === 'string' ? at : [...at, i], 'is not a cohort of this service', fix);
  }
}

function checkOutcome(
  rule: RawRule,
  roles: Roles,
  versions: readonly string[],
  at: Path,
  report: Report,
): void {
  const { use, weight, version } = rule;
  if (use !== undefined && weight !== undefined) {
    report.error([...at, 'weight'], 'stands beside `use`', 'keep one of the two', 'key');
  } else if (use !== undefined) {
    if (version !== undefined) {
      report.error([...at, 'version'], 'does nothing beside `use`', 'remove it', 'key');
    }
    checkUse(use, roles, versions, [...at, 'use'], report);
  } else if (weight === undefined) {
    report.error(at, 'does not say what to do', 'add use: canary, or weight: with a percentage', 'key');
  } else {
    checkRuleWeight(version, roles, versions, at, report);
  }
}

function checkUse(use: string, roles: Roles, versions: readonly string[], at: Path, report: Report): void {
  if (versionOfUse(use, roles, versions) !== null) return;
  if (use !== 'canary') {
    checkVersion(use, versions, at, report);
    return;
  }
  const several = roles.canaries.length > 1;
  const names = several ? roles.canaries.map((one) => one.version) : versions;
  const message = several ? 'is one of several canaries' : 'names a canary, and the service has none';
  report.error(at, message, `name the version: ${names.join(', ')}`);
}

function checkRuleWeight(
  version: string | undefined,
  roles: Roles,
  versions: readonly string[],
  at: Path,
  report: Report,
): void {
  if (version === undefined) {
    if (roles.canaries.length === 1) return;
    const message =
      roles.canaries.length === 0
        ? 'is for a canary, and the service has none'
        : 'is for one of several canaries';
    report.error([...at, 'weight'], message, 'add version: with the version that it is for', 'key');
  } else if (checkVersion(version, versions, [...at, 'version'], report) && version === roles.stable) {
    report.error([...at, 'version'], 'is the stable version', 'name the version that gets the weight');
  }
}
