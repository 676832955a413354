import type { RolloutPlan } from '../rollout/plan.ts';
import { settingsOf } from '../rollout/settings.ts';
import type { RolloutState } from '../rollout/state.ts';

/** Shares of all requests, 0..1. */
export interface Shares {
  readonly canary: number;
  readonly stable: number;
}

/** Labels of the scopes that the steps name, `everyone` not among them. */
export function scopesOf(plan: RolloutPlan): string[] {
  return [
    ...new Set(
      plan.steps.flatMap((step) => (step.kind === 'setScope' && step.when !== null ? [step.label] : [])),
    ),
  ];
}

/**
 * How the requests fall to the versions. How many of them come from a scope is not
 * in the config: all scopes, and those in none of them, count as equal parts.
 */
export function sharesOf(plan: RolloutPlan, state: RolloutState): Shares {
  const { everyoneBp, scopes, experiment } = settingsOf(plan, state);
  const parts = scopesOf(plan).length + 1;
  const scopedBp = scopes.reduce((sum, { weightBp }) => sum + weightBp / parts, 0);
  let canaryBp = scopedBp + (everyoneBp * (parts - scopes.length)) / parts;
  let otherBp = 0;
  for (const { version, weightBp } of experiment) {
    if (version === plan.canary) canaryBp += weightBp;
    else if (version !== plan.stable) otherBp += weightBp;
  }
  const canary = Math.min(1, canaryBp / 10_000);
  return { canary, stable: Math.max(0, 1 - canary - otherBp / 10_000) };
}
