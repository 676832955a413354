import { closest } from '../../core/closest.ts';
import { WHOLE_BP } from '../../core/model.ts';
import { applyDryRun } from '../compile/analysis.ts';
import type { Rolled } from '../compile/arguments.ts';
import { managedRoutes, methodsOf } from '../compile/routes.ts';
import { analysisUse, experimentUses } from '../compile/uses.ts';
import type { Path } from '../issue.ts';
import { percentBp } from '../quantity.ts';
import type { RawRollout, RawService, RawStep } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';
import { checkUse, type Templates } from './analysis.ts';
import { checkPause } from './pause.ts';
import { checkCohorts } from './rules.ts';
import { checkVersion } from './weights.ts';

export interface StepChecks {
  readonly service: RawService;
  readonly rolled: Rolled;
  /** Of the rollout. */
  readonly path: Path;
  readonly templates: Templates;
  readonly report: Report;
}

/** The steps one by one, and how they go together. A step that the schema refused is passed over. */
export function checkSteps(rollout: RawRollout, checks: StepChecks): void {
  const { path, report } = checks;
  if (!Array.isArray(rollout.steps)) return;
  const routes = routeNames(rollout, path, report);
  let weightBp = 0;
  for (const [i, step] of rollout.steps.entries()) {
    const at = [...path, 'steps', i];
    if (!report.isSound(at)) continue;
    // A scope begins at 0; earlier ones keep what they have.
    if (step.setScope !== undefined) weightBp = 0;
    if (step.setWeight !== undefined) weightBp = percentBp(step.setWeight) ?? 0;
    checkRoutes(step, routes, at, report);
    checkScope(step, at, checks);
    if (step.pause !== undefined) checkPause(step.pause, [...at, 'pause'], checks.service, report);
    checkMirror(step, at, checks);
    if (step.setCanaryScale !== undefined) {
      const fix = 'scale the version where it runs';
      report.warn([...at, 'setCanaryScale'], 'has no effect: the gateway starts no replicas', fix);
    }
    if (step.analysis !== undefined) {
      checkUse(analysisUse(step.analysis, [...at, 'analysis'], checks.rolled), checks.templates);
    }
    if (step.experiment !== undefined) {
      checkExperiment(step.experiment, weightBp, [...at, 'experiment'], checks);
    }
  }
}

/** Null: any name will do. */
function routeNames(rollout: RawRollout, path: Path, report: Report): readonly string[] | null {
  const at = [...path, 'managedRoutes'];
  if (rollout.managedRoutes === undefined || !report.isSound(at)) return null;
  const names = managedRoutes(rollout);
  for (const [i, name] of names.entries()) {
    if (names.indexOf(name) < i) report.error([...at, i], 'stands in the list twice', 'remove it');
  }
  return names;
}

function checkRoutes(step: RawStep, names: readonly string[] | null, at: Path, report: Report): void {
  const kind = step.setHeaderRoute === undefined ? 'setMirrorRoute' : 'setHeaderRoute';
  const name = step[kind]?.name;
  if (name !== undefined && names !== null && !names.includes(name)) {
    const meant = closest(name, names);
    const fix = meant === null ? 'add it to managedRoutes' : `did you mean ${meant}?`;
    report.error([...at, kind, 'name'], 'is not in managedRoutes', fix);
  }
  for (const [i, { method }] of (step.setMirrorRoute?.match ?? []).entries()) {
    if (method === undefined || methodsOf(method).length > 0) continue;
    const path = [...at, 'setMirrorRoute', 'match', i, 'method'];
    report.error(path, 'matches no method', 'write a method such as { exact: POST }, in capital letters');
  }
}

/** Steps turn the service's mirror up and down, wherever it points. */
function checkMirror(step: RawStep, at: Path, { service, rolled, report }: StepChecks): void {
  const kind = step.setMirror === undefined ? 'setMirrorRoute' : 'setMirror';
  if (step[kind] === undefined || service.mirror === undefined) return;
  if (!isMapping(service.mirror) || service.mirror.to === rolled.canary) return;
  report.warn([...at, kind], 'mirrors to a version that is not the canary', 'check mirror.to of the service');
}

function checkScope({ setScope }: RawStep, at: Path, { service, report, path }: StepChecks): void {
  if (setScope?.cohort === undefined || !report.isSound([...path.slice(0, -1), 'cohorts'])) return;
  checkCohorts(setScope.cohort, Object.keys(service.cohorts ?? {}), [...at, 'setScope', 'cohort'], report);
}

type RawExperiment = NonNullable<RawStep['experiment']>;

function checkExperiment(raw: RawExperiment, weightBp: number, at: Path, checks: StepChecks): void {
  const { report, rolled, templates } = checks;
  checkTrials(raw, weightBp, [...at, 'templates'], checks);
  const analyses = raw.analyses ?? [];
  checkNames(analyses, [...at, 'analyses'], 'analysis', report);
  if (raw.duration === undefined && !analyses.some((one) => one.requiredForCompletion === true)) {
    const fix = 'add duration, or requiredForCompletion: true to an analysis';
    report.error(at, 'never ends', fix, 'key');
  }
  const metrics = experimentUses(raw, at, rolled).map((use) => checkUse(use, templates));
  const known = metrics.filter((one) => one !== null);
  if (known.length === metrics.length) applyDryRun(known, raw.dryRun, at, report);
}

/** The versions that take part exist, and leave stable at least nothing. */
function checkTrials(raw: RawExperiment, weightBp: number, at: Path, { service, report }: StepChecks): void {
  const versions = isMapping(service.versions) ? Object.keys(service.versions) : [];
  checkNames(raw.templates, at, 'template', report);
  let sumBp = weightBp;
  for (const [i, { version, specRef, weight }] of raw.templates.entries()) {
    const own = [...at, i];
    if (version !== undefined && specRef !== undefined) {
      report.error([...own, 'specRef'], 'stands beside `version`', 'keep one of the two', 'key');
    } else if (version === undefined && specRef === undefined) {
      report.error(own, 'names no version', 'add version: with a version, or specRef: canary or stable');
    } else if (version !== undefined) checkVersion(version, versions, [...own, 'version'], report);
    const ownBp = percentBp(weight ?? 0) ?? 0;
    sumBp += ownBp;
    if (sumBp > WHOLE_BP && sumBp - ownBp <= WHOLE_BP) {
      const message = `brings the weights to ${sumBp / 100} percent, with the canary’s own`;
      report.error([...own, 'weight'], message, 'lower them to 100 or less together');
    }
  }
}

function checkNames(
  items: readonly { readonly name: string }[],
  at: Path,
  what: string,
  report: Report,
): void {
  const seen = new Set<string>();
  for (const [i, { name }] of items.entries()) {
    if (seen.has(name)) {
      report.error([...at, i, 'name'], `is the name of another ${what} of the step`, 'choose another name');
    }
    seen.add(name);
  }
}
