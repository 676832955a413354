import { closest } from '../../core/closest.ts';
import { WHOLE_BP } from '../../core/model.ts';
import type { Path } from '../issue.ts';
import { type Roles, rolesOf } from '../roles.ts';
import type { RawService } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';

/** Whether it is known which version plays which part, and each of them exists. */
export function hasReadableRoles({ versions }: RawService, path: Path, report: Report): boolean {
  const sound = ['stable', 'canary', 'canaries', 'weight'].every((key) => report.isSound([...path, key]));
  return sound && isMapping(versions);
}

/** Stable, canaries, mirror: that the versions exist, differ and share out no more than everybody. */
export function checkRoles(service: RawService, path: Path, report: Report): void {
  const versions = Object.keys(service.versions);
  const roles = rolesOf(service);
  checkStable(service, roles, versions, path, report);
  checkCanaries(service, roles, versions, path, report);
  checkReservedNames(roles, versions, path, report);
  if (service.mirror !== undefined && report.isSound([...path, 'mirror'])) {
    checkMirror(service.mirror.to, roles, versions, path, report);
  }
}

function checkStable(
  service: RawService,
  roles: Roles,
  versions: readonly string[],
  path: Path,
  report: Report,
): void {
  if (service.stable !== undefined) {
    checkVersion(service.stable, versions, [...path, 'stable'], report);
  } else if (roles.stable === null) {
    const fix = `add stable: with one of ${versions.join(', ')}`;
    report.error([...path, 'stable'], 'is missing, and there are several versions', fix, 'key');
  }
}

function checkCanaries(
  service: RawService,
  roles: Roles,
  versions: readonly string[],
  path: Path,
  report: Report,
): void {
  const { canary, canaries, weight } = service;
  if (canaries !== undefined && (canary !== undefined || weight !== undefined)) {
    const key = canary === undefined ? 'weight' : 'canary';
    report.error([...path, key], 'stands beside `canaries`', `move it into the list, or remove it`, 'key');
    return;
  }
  if (weight !== undefined && canary === undefined) {
    report.error(
      [...path, 'weight'],
      'is given without a canary',
      'add canary: with a version, or remove it',
      'key',
    );
    return;
  }
  const seen = new Set<string>();
  let sumBp = 0;
  for (const [i, { version, weightBp }] of roles.canaries.entries()) {
    const at = canaries === undefined ? [...path, 'canary'] : [...path, 'canaries', i, 'version'];
    if (!checkVersion(version, versions, at, report)) continue;
    if (version === roles.stable) report.error(at, 'is the stable version', 'name another version');
    else if (seen.has(version))
      report.error(at, 'stands in the list twice', 'keep one entry and add up the weights');
    seen.add(version);
    sumBp += weightBp;
    if (sumBp > WHOLE_BP && sumBp - weightBp <= WHOLE_BP) {
      const message = `brings the weights to ${sumBp / 100} percent`;
      report.error([...path, 'canaries', i, 'weight'], message, 'lower them to 100 or less together');
    }
  }
}

/** A version may be called `stable` or `canary` only where it is that, so that `use` has one meaning. */
function checkReservedNames(roles: Roles, versions: readonly string[], path: Path, report: Report): void {
  const holders = new Map<string, readonly (string | null)[]>([
    ['stable', [roles.stable]],
    ['canary', roles.canaries.length === 1 ? [roles.canaries[0]?.version ?? null] : []],
  ]);
  for (const [word, holder] of holders) {
    if (!versions.includes(word) || holder.includes(word)) continue;
    const message = `is called ${word} but is not the ${word} version`;
    report.error([...path, 'versions', word], message, 'give it another name', 'key');
  }
}

function checkMirror(
  to: string,
  roles: Roles,
  versions: readonly string[],
  path: Path,
  report: Report,
): void {
  const at = [...path, 'mirror', 'to'];
  if (!checkVersion(to, versions, at, report)) return;
  if (to === roles.stable) {
    report.error(at, 'is the stable version', 'name the version that should see copies of stable’s requests');
  }
}

/** Tells when a version does not exist; whether it does. */
export function checkVersion(name: string, versions: readonly string[], at: Path, report: Report): boolean {
  if (versions.includes(name)) return true;
  const meant = closest(name, versions);
  const fix = meant === null ? `the versions are ${versions.join(', ')}` : `did you mean ${meant}?`;
  report.error(at, 'is not a version of this service', fix);
  return false;
}
