import type { Path } from '../issue.ts';
import { kpiGatesOf } from '../schema/gates.ts';
import type { RawConfig, RawService } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';
import { checkExperiment } from './experiment.ts';
import { checkGates } from './gates.ts';
import { checkPredictions, checkShadow } from './observe.ts';

/** What the schema cannot say about gates, experiments and what they read. Comes after the checks of the services. */
export function checkJudges(raw: RawConfig, report: Report): void {
  let unsigned: Path | null = null;
  for (const [name, service] of Object.entries(raw.services)) {
    if (!isMapping(service)) continue;
    const path = ['services', name];
    checkPredictions(service, path, report);
    checkShadow(service, path, report);
    checkGates(service, path, report);
    checkExperiment(service, path, report);
    unsigned ??= kpiUse(service, path);
  }
  if (unsigned === null || !report.isSound(['kpi']) || raw.kpi?.secret !== undefined) return;
  report.warn(
    unsigned,
    'has its prediction ids signed with a secret made at start: feedback is taken by this process only, until it ends',
    'add kpi: { secret: … } at the top level, from an environment variable',
  );
}

/** The first place of a service that counts a KPI. */
function kpiUse({ gates, experiment }: RawService, path: Path): Path | null {
  if (gates !== undefined && isMapping(gates)) {
    const [first] = kpiGatesOf(gates);
    if (first !== undefined) return [...path, 'gates', first[0]];
  }
  return experiment === undefined ? null : [...path, 'experiment'];
}
