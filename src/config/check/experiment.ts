import { WHOLE_BP } from '../../core/model.ts';
import type { Path } from '../issue.ts';
import { type Roles, rolesOf } from '../roles.ts';
import type { RawExperiment, RawService } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';
import { checkVersion, hasReadableRoles } from './weights.ts';

/** That an experiment compares versions that users get. */
export function checkExperiment(service: RawService, path: Path, report: Report): void {
  const { experiment, rollout } = service;
  const at = [...path, 'experiment'];
  if (experiment === undefined || !isMapping(experiment)) return;
  if (rollout !== undefined) {
    const fix = 'let one end before the other begins: remove one of the two';
    report.error(at, 'stands beside `rollout`, which changes the weights', fix, 'key');
    return;
  }
  if (!hasReadableRoles(service, path, report)) return;
  const roles = rolesOf(service);
  if (roles.canaries.length === 0) {
    report.error(
      at,
      'has nothing to compare with stable',
      'add canary: with a version, and its weight',
      'key',
    );
    return;
  }
  if (!report.isSound(at)) return;
  if (checkVariants(service, experiment, roles, at, report)) warnIdle(service, roles, at, path, report);
}

function checkVariants(
  service: RawService,
  { variants }: RawExperiment,
  { stable, canaries }: Roles,
  at: Path,
  report: Report,
): boolean {
  if (variants === undefined) return true;
  const versions = Object.keys(service.versions);
  const taking = [stable, ...canaries.map(({ version }) => version)];
  for (const [i, name] of variants.entries()) {
    const own = [...at, 'variants', i];
    if (checkVersion(name, versions, own, report) && !taking.includes(name)) {
      report.error(own, 'is neither stable nor a canary', 'name it in canary or canaries, with a weight');
    }
  }
  if (stable !== null && !variants.includes(stable)) {
    const fix = `add ${stable}, against which the others are measured`;
    report.error([...at, 'variants'], 'does not hold stable', fix);
  }
  return report.isSound(at);
}

/** What makes an experiment that never ends, or one that few mean. */
function warnIdle(service: RawService, roles: Roles, at: Path, path: Path, report: Report): void {
  const sumBp = roles.canaries.reduce((sum, { weightBp }) => sum + weightBp, 0);
  const idle = roles.canaries.filter(({ weightBp }) => weightBp === 0).map(({ version }) => version);
  if (sumBp === WHOLE_BP && roles.stable !== null) idle.unshift(roles.stable);
  const compared = idle.filter((name) => service.experiment?.variants?.includes(name) ?? true);
  if (compared.length > 0) {
    report.warn(at, `compares what nobody gets: ${compared.join(', ')}`, 'give each variant a weight');
  }
  if (!report.isSound([...path, 'sticky'])) return;
  if ((service.sticky?.by ?? []).length === 0 && service.sticky?.issueCookie === undefined) {
    report.warn(
      at,
      'deals every request anew, for users have no key',
      'add sticky: { by: [header:x-user-id] }',
    );
  }
}
