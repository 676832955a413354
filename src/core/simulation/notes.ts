import type { AnalysisPlan } from '../analysis/plan.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import { scopesOf } from './shares.ts';

/** What a play could not know, and says so. */
export class Problems {
  readonly #unsimulated = new Map<string, string>();
  readonly #foreign = new Map<string, Set<string>>();

  unsimulated(metric: string, reason: string): void {
    if (!this.#unsimulated.has(metric)) this.#unsimulated.set(metric, reason);
  }

  foreignLabel(metric: string, label: string): void {
    const labels = this.#foreign.get(metric) ?? new Set();
    this.#foreign.set(metric, labels.add(label));
  }

  list(): { metric: string; reason: string }[] {
    return [...this.#unsimulated].map(([metric, reason]) => ({ metric, reason }));
  }

  assumptions(): string[] {
    return [...this.#foreign].map(
      ([metric, labels]) =>
        `the query of ${metric} asks for ${[...labels].join(', ')}, which a play does not tell apart: taken to match`,
    );
  }
}

/** What follows from the plan alone. */
export function assumptionsOf(plan: RolloutPlan): string[] {
  const notes: string[] = [];
  const hooks = [...plan.requires, ...plan.webhooks];
  const named = (list: typeof hooks) => list.map(({ name }) => name).join(', ');
  const yes = hooks.filter(({ type }) => type !== 'rollback');
  const no = hooks.filter(({ type }) => type === 'rollback');
  if (yes.length > 0) notes.push(`webhooks are taken to say yes: ${named(yes)}`);
  if (no.length > 0) notes.push(`rollback webhooks are taken not to ask for it: ${named(no)}`);
  const scopes = scopesOf(plan);
  if (scopes.length > 0) {
    notes.push(
      `as many requests are taken to come from each scope (${scopes.join(', ')}) as from outside them`,
    );
  }
  if (plan.steps.some((step) => step.kind === 'setHeaderRoute' && step.when !== null)) {
    notes.push('requests that a header route sends to the canary are not counted');
  }
  if (analysesOf(plan).some(({ metrics }) => metrics.some(({ dryRun }) => dryRun))) {
    notes.push('dry-run metrics are measured and never acted on');
  }
  return notes;
}

/** Every analysis of a plan. */
export function analysesOf(plan: RolloutPlan): AnalysisPlan[] {
  const own = plan.background === null ? [] : [plan.background.analysis];
  const ofSteps = plan.steps.flatMap((step) => {
    if (step.kind === 'analysis') return [step.analysis];
    return step.kind === 'experiment' ? step.analyses.map(({ analysis }) => analysis) : [];
  });
  return [...own, ...ofSteps];
}

export function metricNamesOf(plan: RolloutPlan): string[] {
  const metrics = analysesOf(plan).flatMap((analysis) => analysis.metrics);
  return [...new Set(metrics.map(({ name }) => name))];
}
