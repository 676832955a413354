import type { MetricPlan } from '../../core/analysis/plan.ts';
import type { Rolled } from '../compile/arguments.ts';
import { compileWebhook, REQUIRES_PREFIX } from '../compile/hooks.ts';
import { rolledOf } from '../compile/rollout.ts';
import { analysisUse, type RawBackground } from '../compile/uses.ts';
import type { Path } from '../issue.ts';
import type { RawConfig, RawRollout, RawService } from '../schema.ts';
import { isMapping, type Report } from '../validate/report.ts';
import { checkTemplates, checkUnused, checkUse, type Templates } from './analysis.ts';
import { checkSteps } from './rollout-steps.ts';

/** What the schema cannot say about rollouts and what they measure. Comes after the checks of the services. */
export function checkRollouts(raw: RawConfig, report: Report): void {
  const templates = checkTemplates(raw, report);
  for (const [name, service] of Object.entries(raw.services)) {
    if (!isMapping(service) || !isMapping(service.rollout)) continue;
    if (hasReadableRoles(service))
      checkRollout(name, service, service.rollout as RawRollout, templates, report);
  }
  checkUnused(templates);
}

/** Whether the versions' names, on which all else rests, can be read; that they exist is checked elsewhere. */
function hasReadableRoles({ versions, stable, canary, canaries }: RawService): boolean {
  const isName = (value: unknown) => value === undefined || typeof value === 'string';
  return (
    isMapping(versions) &&
    isName(stable) &&
    isName(canary) &&
    (canaries === undefined || Array.isArray(canaries))
  );
}

function checkRollout(
  name: string,
  service: RawService,
  rollout: RawRollout,
  templates: Templates,
  report: Report,
): void {
  const path = ['services', name, 'rollout'];
  const rolled = rolledOf(name, service);
  if (rolled === null) {
    tellNoCanary(service, path, report);
    return;
  }
  if (service.weight !== undefined) {
    const fix = 'remove it; the steps set the weight';
    report.warn(['services', name, 'weight'], 'has no effect beside a rollout', fix);
  }
  checkSettings(rollout, path, report);
  checkSteps(rollout, { service, rolled, path, templates, report });
  const metrics = checkBackground(rollout, rolled, path, templates, report);
  checkWebhooks(rollout, metrics, [...path, 'webhooks'], report);
}

/** A stable version that is missing has been told. */
function tellNoCanary(service: RawService, path: Path, report: Report): void {
  if (service.canaries !== undefined) {
    const fix = 'name one version with canary, instead of canaries';
    report.error(path, 'needs one canary, and the service has a list of them', fix, 'key');
  } else if (service.canary === undefined) {
    // As it stands between two rollouts: the last canary has become stable, the next one is not there yet.
    report.warn(path, 'waits for a canary', 'add canary: with a version to begin one');
  }
}

function checkSettings(rollout: RawRollout, path: Path, report: Report): void {
  if (rollout.progressDeadline !== undefined && rollout.progressDeadlineSeconds !== undefined) {
    const at = [...path, 'progressDeadlineSeconds'];
    report.error(at, 'stands beside `progressDeadline`', 'keep one of the two', 'key');
  }
  if (rollout.compat === 'argo' && rollout.onNoData === 'hold') {
    report.error([...path, 'onNoData'], 'contradicts compat: argo', 'remove one of the two');
  }
}

/** Its metrics; null where it is missing or wrong. */
function checkBackground(
  { analysis, steps }: RawRollout,
  rolled: Rolled,
  path: Path,
  templates: Templates,
  report: Report,
): readonly MetricPlan[] | null {
  const at = [...path, 'analysis'];
  if (!isMapping(analysis) || !report.isSound(at)) return null;
  const { startingStep } = analysis as RawBackground;
  if (startingStep !== undefined && Array.isArray(steps) && startingStep >= steps.length) {
    const last = steps.length - 1;
    report.error([...at, 'startingStep'], 'is after the last step', `write a step from 0 to ${last}`);
  }
  return checkUse(analysisUse(analysis as RawBackground, at, rolled), templates);
}

function checkWebhooks(
  { webhooks }: RawRollout,
  background: readonly MetricPlan[] | null,
  path: Path,
  report: Report,
): void {
  const seen = new Set<string>();
  const metrics = new Set((background ?? []).map(({ name }) => name));
  for (const [i, raw] of (Array.isArray(webhooks) ? webhooks : []).entries()) {
    if (!report.isSound([...path, i])) continue;
    const { name, type } = compileWebhook(raw);
    const at = [...path, i, 'name'];
    if (seen.has(name)) report.error(at, 'is the name of another webhook', 'choose another name');
    else if (name.startsWith(REQUIRES_PREFIX)) {
      report.error(at, `begins with ${REQUIRES_PREFIX}`, 'choose another name; this one is taken');
    } else if (type === 'rollout' && metrics.has(name)) {
      report.error(at, 'is the name of a metric of the analysis', 'choose another name');
    }
    seen.add(name);
    if (raw.failureLimit !== undefined && type !== 'rollout' && type !== 'pre-rollout') {
      report.error(
        [...path, i, 'failureLimit'],
        'is for the types rollout and pre-rollout',
        'remove it',
        'key',
      );
    }
  }
}
