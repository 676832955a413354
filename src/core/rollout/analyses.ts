import type { AnalysisPlan, MetricPlan } from '../analysis/plan.ts';
import {
  dueMetrics,
  evidenceOf,
  forgetAsked,
  holdReason,
  isOver,
  markAsked,
  recordOutcome,
  replanRun,
  startRun,
} from '../analysis/run.ts';
import type { Outcome, RunState } from '../analysis/state.ts';
import type { Draft } from './draft.ts';
import { abort } from './lifecycle.ts';
import type { RolloutPlan, Step } from './plan.ts';
import type { Stepping } from './state.ts';

/** The analysis runs of a rollout: the background's, and those of an inline analysis or an experiment. */

interface PlannedRun {
  readonly label: string;
  readonly analysis: AnalysisPlan;
  /** Whether the step waits for its end. */
  readonly required: boolean;
}

function runsOfStep(step: Step | undefined, index: number): readonly PlannedRun[] {
  if (step?.kind === 'analysis') {
    return [{ label: `step ${index + 1}`, analysis: step.analysis, required: true }];
  }
  if (step?.kind !== 'experiment') return [];
  // Without a duration the analyses are all there is to wait for.
  const untimed = step.durationMs === null;
  return step.analyses.map(({ name, analysis, requiredForCompletion }) => ({
    label: `step ${index + 1}, ${name}`,
    analysis,
    required: requiredForCompletion || untimed,
  }));
}

/** Fresh runs of the step that is being entered. */
export function startStepRuns(d: Draft, index: number): RunState[] {
  return runsOfStep(d.plan.steps[index], index).map(({ label, analysis }) =>
    startRun(analysis, d.nextRunId(), label, d.nowMs),
  );
}

/** Runs from `startingStep` on; begun anew where a person let the rollout go on after it had ended badly. */
export function startBackground(d: Draft): void {
  const { background, progress } = d.state;
  const planned = d.plan.background;
  if (planned === null || background !== null || progress.kind !== 'stepping') return;
  if (progress.index < planned.startingStep) return;
  d.patch({ background: startRun(planned.analysis, d.nextRunId(), 'background', d.nowMs) });
}

type Place = Pick<Draft, 'plan' | 'state'>;

/** The plan of a run, or null where the config no longer has it. */
export function analysisPlanOf({ plan, state }: Place, run: RunState): AnalysisPlan | null {
  if (state.background?.id === run.id) return plan.background?.analysis ?? null;
  const { progress } = state;
  if (progress.kind !== 'stepping') return null;
  const planned = runsOfStep(plan.steps[progress.index], progress.index);
  return planned.find(({ label }) => label === run.label)?.analysis ?? null;
}

/** What a `measure` effect is about; null when the run or the metric is gone. */
export function measurementOf(
  place: Place,
  runId: number,
  name: string,
): { readonly metric: MetricPlan; readonly run: RunState } | null {
  const { background, progress } = place.state;
  const runs = progress.kind === 'stepping' ? progress.runs : [];
  const run = [...(background === null ? [] : [background]), ...runs].find(({ id }) => id === runId);
  if (run === undefined) return null;
  const metric = analysisPlanOf(place, run)?.metrics.find((one) => one.name === name);
  return metric === undefined ? null : { metric, run };
}

export function askMeasurements(d: Draft): void {
  for (const run of d.runs()) {
    const plan = analysisPlanOf(d, run);
    if (plan === null || isOver(run)) continue;
    const due = dueMetrics(plan, run, d.nowMs);
    if (due.length === 0) continue;
    d.setRun(markAsked(run, due));
    for (const metric of due) d.effects.push({ kind: 'measure', runId: run.id, metric });
  }
}

export function recordMeasurement(d: Draft, runId: number, metric: string, outcome: Outcome): void {
  const run = d.runs().find(({ id }) => id === runId);
  const plan = run === undefined ? null : analysisPlanOf(d, run);
  if (run === undefined || plan === null) return;
  const next = recordOutcome(plan, run, metric, outcome, d.at, d.compile);
  if (next === run) return;
  d.setRun(next);
  if (isOver(next)) d.note('analysis', endText(next), evidenceOf(next));
}

/** After a restart: nobody will answer what was asked before it. */
export function forgetMeasurements(d: Draft): void {
  for (const run of d.runs()) d.setRun(forgetAsked(run));
}

/** Runs go on under a plan that was read anew, with what they have measured. */
export function replanRuns(d: Draft): void {
  for (const run of d.runs()) {
    const plan = analysisPlanOf(d, run);
    if (plan !== null) d.setRun(replanRun(plan, run, d.nowMs));
    else if (d.state.background?.id === run.id) d.patch({ background: null });
  }
}

/**
 * Carries out what ended runs mean: Failed and Error abort or stop the rollout
 * for a person, Inconclusive the same by its own setting. Whether anything did.
 */
export function heedEnded(d: Draft): boolean {
  const { progress } = d.state;
  if (progress.kind !== 'stepping' || progress.stuck !== null) return false;
  const bad = d.runs().filter((run) => isOver(run) && run.phase !== 'Successful');
  const worst = bad.find((run) => run.phase !== 'Inconclusive') ?? bad[0];
  if (worst === undefined) return false;
  const cause = endText(worst);
  const action = worst.phase === 'Inconclusive' ? d.plan.onInconclusive : d.plan.onFailure;
  if (action === 'abort') abort(d, cause, evidenceOf(worst));
  else {
    d.patch({ progress: { ...progress, stuck: cause } });
    d.note('stuck', `${cause}; promote goes on, abort takes it back`, evidenceOf(worst));
  }
  return true;
}

/** Whether the runs that the current step waits for are all over, and well. */
export function requiredRunsDone(plan: RolloutPlan, { index, runs }: Stepping): boolean {
  const planned = runsOfStep(plan.steps[index], index).filter(({ required }) => required);
  return planned.every(({ label }) => {
    const run = runs.find((one) => one.label === label);
    return run !== undefined && run.phase === 'Successful';
  });
}

/** Whether an answer is being waited for. Every provider has a time-out, so this does not last. */
export function isMeasuring(runs: readonly RunState[]): boolean {
  return runs.some((run) => !isOver(run) && run.metrics.some(({ inFlight }) => inFlight));
}

/**
 * Why the rollout must not go on for want of data; null: it may.
 *
 * @param background whether the background analysis matters, too: while nobody is
 *   on the canary its silence is no wonder
 */
export function missingData(d: Draft, background: boolean): string | null {
  for (const run of d.runs()) {
    if (!background && run.id === d.state.background?.id) continue;
    const plan = analysisPlanOf(d, run);
    // Where missing data counts as an error there is nothing to wait for.
    if (plan === null || plan.noData === 'error' || isOver(run)) continue;
    const reason = holdReason(plan, run, d.nowMs);
    if (reason !== null) return reason;
  }
  return null;
}

function endText({ label, phase, message }: RunState): string {
  return `${label} analysis: ${message === '' ? phase : message}`;
}
