import { assertNever } from '../model.ts';
import { describeStep, durationText } from './describe.ts';
import type { RolloutPlan } from './plan.ts';
import type { Phase, RolloutState, Stepping } from './state.ts';

export interface PhaseTold {
  readonly phase: Phase;
  /** Why, in a sentence. */
  readonly message: string;
}

/** The phase as Argo Rollouts names it, and why it is that one. */
export function phaseOf(plan: RolloutPlan, state: RolloutState): PhaseTold {
  const { progress, gate } = state;
  switch (progress.kind) {
    case 'idle':
      return { phase: 'Healthy', message: `no rollout has begun; ${plan.stable} serves everyone` };
    case 'starting':
      if (state.deadlineTold) return late(plan, state);
      if (state.userPaused) return { phase: 'Paused', message: 'paused by hand before it began' };
      return gate === null || gate.refusal === ''
        ? { phase: 'Progressing', message: 'its hooks are being asked' }
        : { phase: 'Paused', message: gate.refusal };
    case 'stepping':
      return steppingPhase(plan, state, progress);
    case 'completed':
      return { phase: 'Healthy', message: `${plan.canary} serves everyone (${progress.status})` };
    case 'aborted':
      return { phase: 'Degraded', message: progress.cause };
    case 'undone':
      return { phase: 'Healthy', message: `taken back; ${plan.stable} serves everyone` };
    default:
      return assertNever(progress);
  }
}

function steppingPhase(plan: RolloutPlan, state: RolloutState, { index, stuck }: Stepping): PhaseTold {
  const step = plan.steps[index];
  if (stuck !== null) return { phase: 'Paused', message: stuck };
  if (state.userPaused) return { phase: 'Paused', message: 'paused by hand' };
  if (state.deadlineTold) return late(plan, state);
  if (state.gate !== null && state.gate.refusal !== '')
    return { phase: 'Paused', message: state.gate.refusal };
  if (state.hold !== null) return { phase: 'Progressing', message: `held: ${state.hold.reason}` };
  if (step?.kind === 'pause') {
    const how = step.durationMs === null ? 'until someone promotes' : `for ${durationText(step.durationMs)}`;
    return { phase: 'Paused', message: `step ${index + 1} of ${plan.steps.length}: paused ${how}` };
  }
  if (step?.kind === 'evidence') {
    const why = state.verdict === null ? '' : `: ${state.verdict.why}`;
    const message = `step ${index + 1} of ${plan.steps.length}: ${describeStep(step)}${why}`;
    return { phase: 'Paused', message };
  }
  const text = step === undefined ? 'about to take its first step' : describeStep(step);
  return { phase: 'Progressing', message: `step ${index + 1} of ${plan.steps.length}: ${text}` };
}

function late(plan: RolloutPlan, { hold, gate }: RolloutState): PhaseTold {
  const why = hold?.reason ?? gate?.refusal ?? '';
  const message = `no progress for ${durationText(plan.progressDeadlineMs)}`;
  return { phase: 'Degraded', message: why === '' ? message : `${message}: ${why}` };
}
