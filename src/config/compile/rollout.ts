import type { AnalysisPlan } from '../../core/analysis/plan.ts';
import type { RolloutPlan, Step, Webhook } from '../../core/rollout/plan.ts';
import { DEFAULTS } from '../defaults.ts';
import { argoMsOf } from '../quantity.ts';
import { rolesOf } from '../roles.ts';
import type { RawConfig, RawRollout, RawService, RawStep } from '../schema.ts';
import { RESOLVE_BUDGET, type Resolver } from './analysis.ts';
import type { Rolled } from './arguments.ts';
import { compileCohorts } from './condition.ts';
import { definitionOf, versionDefinition } from './definition.ts';
import { compileNotification, compileRequire, compileWebhook, webhookMetric } from './hooks.ts';
import { NO_PROBLEMS } from './problems.ts';
import type { ResolveFile } from './provider.ts';
import { managedRoutes } from './routes.ts';
import { compileStep, metricsOf, type StepInputs } from './steps.ts';
import { analysisUse } from './uses.ts';

const base = DEFAULTS.rollout;

/** The plans of all services that have a rollout and a canary, in the order of the file. */
export function compileRollouts(raw: RawConfig, resolveFile: ResolveFile): RolloutPlan[] {
  const resolver: Resolver = {
    templates: new Map(Object.entries(raw.analysisTemplates ?? {})),
    unusable: new Set(),
    problems: NO_PROBLEMS,
    budget: { left: RESOLVE_BUDGET },
    resolveFile,
  };
  return Object.entries(raw.services).flatMap(([name, service]) =>
    service.rollout === undefined || service.canary === undefined
      ? []
      : [compileRollout(name, service, service.rollout, resolver)],
  );
}

function compileRollout(
  service: string,
  raw: RawService,
  rollout: RawRollout,
  resolver: Resolver,
): RolloutPlan {
  const rolled = rolledOf(service, raw);
  if (rolled === null) throw new Error(`compiled before it was checked: services.${service}.rollout`);
  const cohorts = compileCohorts(raw.cohorts);
  const inputs: StepInputs = { rolled, cohorts, resolver, noData: noDataOf(rollout) };
  const path = ['services', service, 'rollout'];
  const steps = rollout.steps.map((step, i) => compileStep(step, [...path, 'steps', i], inputs));
  const webhooks = (rollout.webhooks ?? []).map(compileWebhook);
  return {
    ...rolled,
    canaryDefinition: versionDefinition(raw, rolled.canary),
    // Under the canary's name, so that a canary put back to what stable is has an equal one.
    stableDefinition: versionDefinition(raw, rolled.stable, rolled.canary),
    steps,
    stepsDefinition: stepsDefinition(rollout.steps, steps),
    background: compileBackground(rollout, webhooks, inputs),
    start: rollout.start ?? base.start,
    onFailure: rollout.onFailure ?? base.onFailure,
    onInconclusive: rollout.onInconclusive ?? base.onInconclusive,
    progressDeadlineMs: argoMsOf(
      rollout.progressDeadline ?? rollout.progressDeadlineSeconds ?? base.progressDeadline,
    ),
    progressDeadlineAbort: rollout.progressDeadlineAbort ?? base.progressDeadlineAbort,
    rollbackWindow: rollout.rollbackWindow?.revisions ?? base.rollbackWindow,
    managedRoutes: managedRoutes(rollout),
    requires: (rollout.requires ?? []).map(compileRequire),
    webhooks,
    notifications: (rollout.notifications ?? []).map(compileNotification),
  };
}

/** Null where the service does not have one stable version and one canary. */
export function rolledOf(service: string, raw: RawService): Rolled | null {
  const { stable } = rolesOf(raw);
  if (stable === null || raw.canary === undefined || raw.canaries !== undefined) return null;
  return { service, stable, canary: raw.canary };
}

function noDataOf({ onNoData, compat }: RawRollout): AnalysisPlan['noData'] {
  return (onNoData ?? (compat === 'argo' ? 'abort' : base.onNoData)) === 'abort' ? 'error' : 'hold';
}

function compileBackground(
  { analysis }: RawRollout,
  webhooks: readonly Webhook[],
  inputs: StepInputs,
): RolloutPlan['background'] {
  const path = ['services', inputs.rolled.service, 'rollout', 'analysis'];
  const own = analysis === undefined ? [] : metricsOf(analysisUse(analysis, path, inputs.rolled), inputs);
  const hooks = webhooks.filter(({ type }) => type === 'rollout').map(webhookMetric);
  const metrics = [...own, ...hooks];
  if (metrics.length === 0) return null;
  return {
    analysis: { metrics, noData: inputs.noData },
    startingStep: analysis?.startingStep ?? base.startingStep,
  };
}

/**
 * As in Argo, a changed template is no changed step: what an analysis measures
 * may be mended under way, which templates it names may not.
 */
function stepsDefinition(raw: readonly RawStep[], steps: readonly Step[]): string {
  return definitionOf(
    steps.map((step, i) => {
      if (step.kind === 'analysis') return { ...step, analysis: raw[i]?.analysis };
      if (step.kind === 'experiment') return { ...step, analyses: raw[i]?.experiment?.analyses };
      return step;
    }),
  );
}
