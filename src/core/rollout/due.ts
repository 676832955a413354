import { nextDueMs as runDueMs } from '../analysis/run.ts';
import { isMeasuring, requiredRunsDone } from './analyses.ts';
import { gatePassed } from './gates.ts';
import type { RolloutPlan, Step } from './plan.ts';
import { deadlineMs, HOLD_TOLD_MS } from './settle.ts';
import type { RolloutState, Stepping } from './state.ts';

/**
 * When the next `tick` can change anything, on the rollout's clock; null: only an
 * answer, a command or a new config can. May lie in the past: then it is due now.
 */
export function nextDueMs(plan: RolloutPlan, state: RolloutState): number | null {
  const { progress, gate, hold } = state;
  if (progress.kind !== 'starting' && progress.kind !== 'stepping') return null;
  const times: number[] = [];
  if (gate !== null && !gate.inFlight && !gatePassed({ plan }, gate)) times.push(gate.nextAtMs);
  const deadline = deadlineMs(plan, state);
  if (deadline !== null) times.push(deadline);
  if (hold !== null && !hold.told) times.push(hold.sinceMs + HOLD_TOLD_MS);
  if (progress.kind === 'stepping') times.push(...steppingDue(plan, state, progress));
  return times.length === 0 ? null : Math.min(...times);
}

function steppingDue(plan: RolloutPlan, state: RolloutState, progress: Stepping): number[] {
  const times: number[] = [];
  if (state.rollbackPollAtMs !== null) times.push(state.rollbackPollAtMs);
  const runs = [...(state.background === null ? [] : [state.background]), ...progress.runs];
  for (const run of runs) {
    const due = runDueMs(run);
    if (due !== null) times.push(due);
  }
  const end = stepEndMs(plan, state);
  const held = state.userPaused || progress.stuck !== null || state.gate !== null || state.hold !== null;
  // An experiment may outlast its time; then the end of its analyses is what moves it.
  times.push(...evidenceDue(state, progress, plan.steps[progress.index]));
  if (end !== null && !held && !isMeasuring(runs) && requiredRunsDone(plan, progress)) times.push(end);
  return times;
}

/** The two moments at which time alone can end a pause until evidence; verdicts bring their own events. */
function evidenceDue({ clockMs }: RolloutState, { enteredAtMs }: Stepping, step: Step | undefined): number[] {
  if (step?.kind !== 'evidence') return [];
  const times = [enteredAtMs + step.atLeastMs];
  if (step.atMostMs !== null && step.onTimeout !== 'hold') times.push(enteredAtMs + step.atMostMs);
  return times.filter((time) => time > clockMs);
}

/** When the time of the current step is up; null where it has none. */
export function stepEndMs(plan: RolloutPlan, state: RolloutState): number | null {
  if (state.progress.kind !== 'stepping') return null;
  const step = plan.steps[state.progress.index];
  if (step?.kind !== 'pause' && step?.kind !== 'experiment') return null;
  return step.durationMs === null ? null : state.progress.enteredAtMs + step.durationMs;
}
