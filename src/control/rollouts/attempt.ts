import type { RolloutPlan } from '../../core/rollout/plan.ts';
import { settingsAt, settingsOf } from '../../core/rollout/settings.ts';
import type { RolloutState } from '../../core/rollout/state.ts';

/** The next larger weight of the steps to come, 0..1; null: the promotion is next. */
export function nextWeight(plan: RolloutPlan, state: RolloutState): number | null {
  if (state.progress.kind !== 'stepping') return null;
  const { index } = state.progress;
  const nowBp = settingsOf(plan, state).weightBp;
  for (let next = index + 1; next < plan.steps.length; next++) {
    const { weightBp } = settingsAt(plan, next);
    // Everyone is no step on the ramp but the promotion, which every gate must have passed.
    if (weightBp > nowBp) return weightBp >= 10_000 ? null : weightBp / 10_000;
  }
  return null;
}

/** What users said of an attempt that was aborted is not held against the next one. */
export function isRetry({ history, number }: RolloutState): boolean {
  return history.some((entry) => entry.number === number && entry.kind === 'retried');
}
