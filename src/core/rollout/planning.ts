import { replanRuns } from './analyses.ts';
import type { Draft } from './draft.ts';
import { begin, complete } from './lifecycle.ts';

/**
 * Compares the plan with what the state is a rollout of. A new definition of the
 * canary begins a rollout; changed steps begin the one under way again; anything
 * else leaves it alone.
 */
export function replan(d: Draft): void {
  const { plan, state } = d;
  const { progress, canaryDefinition, stepsDefinition } = state;
  const underWay = progress.kind === 'starting' || progress.kind === 'stepping';
  const known = {
    stable: plan.stable,
    canary: plan.canary,
    canaryDefinition: plan.canaryDefinition,
    stepsDefinition: plan.stepsDefinition,
  };
  if (plan.canaryDefinition !== canaryDefinition) {
    if (underWay) d.note('superseded', `the definition of ${plan.canary} changed under way`);
    d.patch(known);
    return newDefinition(d, canaryDefinition === '');
  }
  if (Object.entries(known).some(([key, value]) => state[key as keyof typeof known] !== value))
    d.patch(known);
  if (!underWay) return;
  if (plan.stepsDefinition !== stepsDefinition) {
    return begin(d, 'restarted', 'the steps changed under way; begun again from the first one');
  }
  replanRuns(d);
}

function newDefinition(d: Draft, first: boolean): void {
  const { plan } = d;
  if (plan.canaryDefinition === plan.stableDefinition) {
    d.note('skipped', `${plan.canary} is what ${plan.stable} is, so the steps are skipped`);
    return complete(d, 'RolledBack', 'the canary is the stable version');
  }
  const recent = d.state.completed.slice(0, plan.rollbackWindow);
  if (recent.includes(plan.canaryDefinition)) {
    d.note(
      'skipped',
      `${plan.canary} was completed before and is within rollbackWindow, so the steps are skipped`,
    );
    return complete(d, 'RolledBack', 'back to a version that had been completed');
  }
  if (plan.start === 'auto') {
    return begin(
      d,
      'started',
      `${plan.canary} is ${first ? 'under a rollout' : 'new'}, against ${plan.stable}`,
    );
  }
  d.leaveSteps({ kind: 'idle' });
}
