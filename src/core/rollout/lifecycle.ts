import { endRun } from '../analysis/run.ts';
import type { Draft } from './draft.ts';
import type { RolloutPlan } from './plan.ts';
import type { Gate, HistoryKind, Progress, RolloutState } from './state.ts';

/** How rollouts begin and end. */

export function initialState(plan: RolloutPlan): RolloutState {
  return {
    service: plan.service,
    stable: plan.stable,
    canary: plan.canary,
    canaryDefinition: '',
    stepsDefinition: '',
    number: 0,
    clockMs: 0,
    progress: { kind: 'idle' },
    userPaused: false,
    weightOverrideBp: null,
    background: null,
    verdict: null,
    hold: null,
    gate: null,
    rollbackPollAtMs: null,
    progressedAtMs: 0,
    deadlineTold: false,
    nextRunId: 1,
    beganWallMs: 0,
    completed: [],
    history: [],
  };
}

/**
 * A rollout from its first step. Also one that begins again has a number of its
 * own: what was counted before it began is no evidence for it.
 */
export function begin(d: Draft, kind: HistoryKind, cause: string): void {
  d.patch({ number: d.state.number + 1, beganWallMs: d.at.wallMs });
  d.leaveSteps({ kind: 'starting' });
  d.patch({ gate: gateAt('start', d.nowMs) });
  d.note(kind, cause);
}

/** A gate whose first hook is to be asked now. */
export function gateAt(point: Gate['point'], nowMs: number): Gate {
  return { point, index: 0, inFlight: false, nextAtMs: nowMs, refusal: '', refusals: 0 };
}

export function complete(
  d: Draft,
  status: Extract<Progress, { kind: 'completed' }>['status'],
  cause: string,
): void {
  const evidence = d
    .runs()
    .map((run) => endRun(run, 'the rollout was completed'))
    .map(runLine);
  d.leaveSteps({ kind: 'completed', status });
  d.rememberCompleted(d.plan.canaryDefinition);
  d.note('completed', cause, evidence);
  for (const hook of d.hooks('post-rollout')) d.call(hook.name);
}

/** Nobody is on the canary any more, and that is how it shall be. */
export function accept(d: Draft): void {
  d.leaveSteps({ kind: 'undone' });
  d.note('accepted', 'the abort was accepted');
}

/** Everyone back to stable, by a person's wish. */
export function undo(d: Draft, cause: string): void {
  d.leaveSteps({ kind: 'undone' });
  d.note('undone', cause);
  for (const hook of d.hooks('post-rollout')) d.call(hook.name);
}

/** Everyone back to stable. */
export function abort(d: Draft, cause: string, evidence: readonly string[]): void {
  d.leaveSteps({ kind: 'aborted', cause });
  d.note('aborted', cause, evidence);
  for (const hook of d.hooks('post-rollout')) d.call(hook.name);
}

function runLine({ label, phase, message }: { label: string; phase: string; message: string }): string {
  return message === '' ? `${label}: ${phase}` : `${label}: ${phase}, ${message}`;
}
