import type { AnalysisPlan, MetricPlan } from '../../core/analysis/plan.ts';
import type { Step } from '../../core/rollout/plan.ts';
import { DEFAULTS } from '../defaults.ts';
import type { Path } from '../issue.ts';
import { argoMsOf, bpOf } from '../quantity.ts';
import type { RawStep } from '../schema.ts';
import { type AnalysisUse, applyDryRun, type Resolver, resolveMetrics } from './analysis.ts';
import type { Rolled } from './arguments.ts';
import { type Cohorts, compileWhen } from './condition.ts';
import { headerRouteCondition, mirrorRouteCondition } from './routes.ts';
import { analysisUse, experimentUses } from './uses.ts';

/** What the steps of one rollout have in common. */
export interface StepInputs {
  readonly rolled: Rolled;
  readonly cohorts: Cohorts;
  readonly resolver: Resolver;
  readonly noData: AnalysisPlan['noData'];
}

/** A checked step; exactly one of its keys is there. */
export function compileStep(raw: RawStep, path: Path, inputs: StepInputs): Step {
  if (raw.setWeight !== undefined) return { kind: 'setWeight', weightBp: bpOf(raw.setWeight) };
  if (raw.pause !== undefined) return compilePause(raw.pause);
  if (raw.analysis !== undefined) {
    const use = analysisUse(raw.analysis, [...path, 'analysis'], inputs.rolled);
    return { kind: 'analysis', analysis: { metrics: metricsOf(use, inputs), noData: inputs.noData } };
  }
  if (raw.experiment !== undefined) {
    return compileExperiment(raw.experiment, [...path, 'experiment'], inputs);
  }
  return compileRouting(raw, inputs);
}

function compilePause({ duration, until, atLeast, atMost, onTimeout }: NonNullable<RawStep['pause']>): Step {
  if (until === undefined) return { kind: 'pause', durationMs: durationOf(duration) };
  const base = DEFAULTS.evidencePause;
  return {
    kind: 'evidence',
    atLeastMs: argoMsOf(atLeast ?? base.atLeast),
    atMostMs: durationOf(atMost),
    onTimeout: onTimeout ?? base.onTimeout,
  };
}

function compileRouting(raw: RawStep, { cohorts }: StepInputs): Step {
  const { setHeaderRoute, setMirrorRoute, setMirror, setScope } = raw;
  if (setHeaderRoute !== undefined) {
    return { kind: 'setHeaderRoute', name: setHeaderRoute.name, when: headerRouteCondition(setHeaderRoute) };
  }
  if (setMirrorRoute !== undefined) {
    return {
      kind: 'setMirrorRoute',
      name: setMirrorRoute.name,
      percentBp: bpOf(setMirrorRoute.percentage ?? 100),
      when: mirrorRouteCondition(setMirrorRoute),
    };
  }
  if (setMirror !== undefined) return { kind: 'setMirror', percentBp: bpOf(setMirror) };
  if (setScope !== undefined) {
    const everyone = setScope.region === undefined && setScope.cohort === undefined;
    const when = everyone ? null : compileWhen(setScope, cohorts);
    return { kind: 'setScope', when, label: scopeLabel(setScope) };
  }
  return { kind: 'setCanaryScale' };
}

function compileExperiment(raw: NonNullable<RawStep['experiment']>, path: Path, inputs: StepInputs): Step {
  const { rolled, resolver, noData } = inputs;
  const plain = experimentUses(raw, path, rolled).map((use) => metricsOf(use, inputs));
  const ruled = applyDryRun(plain, raw.dryRun, path, resolver.problems);
  return {
    kind: 'experiment',
    durationMs: durationOf(raw.duration),
    templates: raw.templates.map(({ name, version, specRef, weight }) => ({
      name,
      version: version ?? (specRef === 'stable' ? rolled.stable : rolled.canary),
      weightBp: bpOf(weight ?? 0),
    })),
    analyses: (raw.analyses ?? []).map(({ name, requiredForCompletion }, i) => ({
      name,
      analysis: { metrics: ruled[i] ?? [], noData },
      requiredForCompletion: requiredForCompletion ?? false,
    })),
  };
}

export function metricsOf(use: AnalysisUse, { resolver }: StepInputs): MetricPlan[] {
  const metrics = resolveMetrics(use, resolver);
  if (metrics === null) throw new Error(`compiled before it was checked: ${use.path.join('.')}`);
  return metrics;
}

function durationOf(raw: string | number | undefined): number | null {
  return raw === undefined ? null : argoMsOf(raw);
}

function scopeLabel({ region, cohort }: NonNullable<RawStep['setScope']>): string {
  const list = (raw: string | string[]) => (typeof raw === 'string' ? raw : raw.join(', '));
  if (region !== undefined) return `region ${list(region).toLowerCase()}`;
  return cohort === undefined ? 'everyone' : `cohort ${list(cohort)}`;
}
