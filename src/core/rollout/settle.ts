import {
  askMeasurements,
  heedEnded,
  isMeasuring,
  missingData,
  requiredRunsDone,
  startBackground,
  startStepRuns,
} from './analyses.ts';
import { describeStep, durationText } from './describe.ts';
import type { Draft } from './draft.ts';
import { askGate, gateHooks, gatePassed, pollRollback } from './gates.ts';
import { abort, complete, gateAt } from './lifecycle.ts';
import type { RolloutPlan, Step } from './plan.ts';
import { isAnyoneExposed, settingsAt, settingsOf } from './settings.ts';
import type { RolloutState, Stepping } from './state.ts';
import { verdictHold } from './verdicts.ts';

/** How long data must be missing before the history says so. */
export const HOLD_TOLD_MS = 10_000;

type EvidenceStep = Extract<Step, { kind: 'evidence' }>;

/**
 * Lets the rollout go as far as it may by now, then asks for what it needs to go
 * on. Called after every event; without news it changes nothing.
 */
export function settle(d: Draft): void {
  // Before the moves: nobody more is exposed while the measurement that may forbid it is due or under way.
  askMeasurements(d);
  noteHold(d);
  // Every step but a timed one ends at once, so this ends after as many moves as there are steps and gates.
  while (move(d));
  startBackground(d);
  pollRollback(d);
  askGate(d);
  askMeasurements(d);
  noteHold(d);
  checkDeadline(d);
}

/** One move; whether there was one. */
function move(d: Draft): boolean {
  const { progress, gate } = d.state;
  if (progress.kind === 'starting') {
    if (gate === null || !gatePassed(d, gate)) return false;
    d.patch({ gate: null, progress: beforeFirst(d) });
    return true;
  }
  if (progress.kind !== 'stepping') return false;
  if (heedEnded(d)) return true;
  if (d.state.userPaused || progress.stuck !== null) return false;
  if (gate !== null) return gatePassed(d, gate) && goOn(d, progress.index);
  return isDone(d, progress) && leave(d, progress.index);
}

/** Leaves a step: on to the next one, or to the hooks that stand before it. */
export function leave(d: Draft, index: number): boolean {
  const point = gateBefore(d, index + 1);
  if (point === null) return goOn(d, index);
  d.patch({ gate: gateAt(point, d.nowMs) });
  d.progressed();
  return true;
}

function beforeFirst(d: Draft): Stepping {
  return { kind: 'stepping', index: -1, enteredAtMs: d.nowMs, runs: [], stuck: null };
}

/** The next step, or the end of them. */
export function goOn(d: Draft, index: number): boolean {
  d.patch({ gate: null });
  const next = index + 1;
  if (next < d.plan.steps.length) enter(d, next);
  else complete(d, 'Promoted', 'all steps are done');
  return true;
}

function enter(d: Draft, index: number): void {
  const step = d.plan.steps[index];
  if (step === undefined) return;
  const progress: Stepping = { kind: 'stepping', index, enteredAtMs: d.nowMs, runs: [], stuck: null };
  d.patch({ progress });
  if (step.kind === 'setWeight' || step.kind === 'setScope') {
    // What bore the share before says nothing yet of this one.
    d.patch({ weightOverrideBp: null, verdict: null });
  }
  d.patch({ progress: { ...progress, runs: startStepRuns(d, index) } });
  d.progressed();
  if (step.kind === 'pause') {
    const until =
      step.durationMs === null ? 'until someone promotes' : `for ${durationText(step.durationMs)}`;
    d.note('paused', `step ${index + 1} of ${d.plan.steps.length}: paused ${until}`);
  } else d.note('step', `step ${index + 1} of ${d.plan.steps.length}: ${describeStep(step)}`);
}

function isDone(d: Draft, progress: Stepping): boolean {
  const step = d.plan.steps[progress.index];
  const since = d.nowMs - progress.enteredAtMs;
  const held = () => standsStill(d) !== null;
  switch (step?.kind) {
    case 'pause':
      return step.durationMs !== null && since >= step.durationMs && !isMeasuring(d.runs()) && !held();
    case 'evidence':
      return !isMeasuring(d.runs()) && evidenceDone(d, step, since);
    case 'analysis':
      return requiredRunsDone(d.plan, progress) && !held();
    case 'experiment': {
      const timeUp = step.durationMs === null || since >= step.durationMs;
      return timeUp && requiredRunsDone(d.plan, progress) && !held();
    }
    default:
      return !held();
  }
}

/**
 * Why nobody more may be exposed for now: data is missing, or the gates mind.
 * Before anyone is exposed only the step's own analyses matter.
 */
function standsStill(d: Draft): string | null {
  const exposed = isAnyoneExposed(settingsOf(d.plan, d.state));
  return missingData(d, exposed) ?? (exposed ? verdictHold(d.state) : null);
}

/** `pause: { until: evidence }`. The time that it may take at most ends it as its config says. */
function evidenceDone(d: Draft, step: EvidenceStep, since: number): boolean {
  if (since < step.atLeastMs) return false;
  if (d.state.verdict?.ready === true && standsStill(d) === null) return true;
  if (step.atMostMs === null || since < step.atMostMs) return false;
  if (step.onTimeout === 'abort') {
    const why = d.state.verdict?.why ?? 'the gates have not been judged';
    abort(d, `no sufficient evidence within ${durationText(step.atMostMs)}: ${why}`, []);
  }
  return step.onTimeout === 'promote' && standsStill(d) === null;
}

/** The gate to pass before a step is entered, where hooks stand there. */
function gateBefore(d: Draft, index: number): 'traffic' | 'promotion' | null {
  if (index >= d.plan.steps.length) return gateHooks(d, 'promotion').length > 0 ? 'promotion' : null;
  const now = d.state.weightOverrideBp ?? settingsAt(d.plan, index - 1).weightBp;
  const increases = settingsAt(d.plan, index).weightBp > now;
  return increases && gateHooks(d, 'traffic').length > 0 ? 'traffic' : null;
}

/** A hold that lasts is told, and so is its end. */
function noteHold(d: Draft): void {
  const { progress, hold } = d.state;
  const reason = progress.kind === 'stepping' && progress.stuck === null ? standsStill(d) : null;
  if (reason === null) {
    if (hold === null) return;
    d.patch({ hold: null });
    d.progressed();
    if (hold.told) d.note('released', 'it may go on');
    return;
  }
  const sinceMs = hold?.sinceMs ?? d.nowMs;
  const told = hold?.told === true || d.nowMs - sinceMs >= HOLD_TOLD_MS;
  if (reason === hold?.reason && told === hold.told) return;
  d.patch({ hold: { reason, sinceMs, told } });
  if (told && hold?.told !== true) d.note('held', `held: ${reason}`);
}

function checkDeadline(d: Draft): void {
  const dueMs = deadlineMs(d.plan, d.state);
  if (dueMs === null || d.nowMs < dueMs) return;
  const cause = `no progress for ${durationText(d.plan.progressDeadlineMs)}`;
  if (d.plan.progressDeadlineAbort) return abort(d, cause, []);
  d.patch({ deadlineTold: true });
  d.note('deadline', cause);
}

/**
 * When too long has passed without progress; null: never, or it has been told. As
 * in Argo Rollouts, steps that may take any time have none. What is left are
 * hooks that say no and data that does not come.
 */
export function deadlineMs(plan: RolloutPlan, state: RolloutState): number | null {
  const { progress, userPaused, hold, gate, deadlineTold, progressedAtMs } = state;
  if (deadlineTold || userPaused || (hold === null && gate === null)) return null;
  if (progress.kind !== 'starting' && progress.kind !== 'stepping') return null;
  if (progress.kind === 'stepping' && progress.stuck !== null) return null;
  return Math.max(progressedAtMs, hold?.sinceMs ?? 0) + plan.progressDeadlineMs;
}
