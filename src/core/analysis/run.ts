import type { CompilePattern } from './conditions/compile.ts';
import { judge } from './judge.ts';
import { addMeasurement, endMetric, type FinalPhase, isFinal, newMetric, worstOf } from './metric.ts';
import type { AnalysisPlan, MetricPlan } from './plan.ts';
import type { Measurement, MetricState, Outcome, RunState } from './state.ts';
import { cut, MESSAGE_CHARS } from './text.ts';

export { evidenceOf, holdReason } from './explain.ts';
export { dueMetrics, nextDueMs } from './schedule.ts';

/**
 * A run: the metrics of an analysis, measured side by side until each is over or
 * one of them is bad. Every function gives the very object it was handed where
 * nothing changed; a run that is over never changes.
 */

export function startRun(plan: AnalysisPlan, id: number, label: string, nowMs: number): RunState {
  const metrics = plan.metrics.map((metric) => newMetric(metric, nowMs));
  return settle(plan, { id, label, startedAtMs: nowMs, phase: 'Pending', message: '', metrics });
}

export function isOver(run: RunState): boolean {
  return isFinal(run.phase);
}

/** The metrics were asked for; their outcomes are waited for. */
export function markAsked(run: RunState, metrics: readonly string[]): RunState {
  return setInFlight(run, (metric) => metrics.includes(metric.name) && !isFinal(metric.phase), true);
}

/** What was asked before a restart will not be answered: it is due again. */
export function forgetAsked(run: RunState): RunState {
  return setInFlight(run, () => true, false);
}

function setInFlight(run: RunState, of: (metric: MetricState) => boolean, inFlight: boolean): RunState {
  const touched = (metric: MetricState) => metric.inFlight !== inFlight && of(metric);
  if (isOver(run) || !run.metrics.some(touched)) return run;
  return { ...run, metrics: run.metrics.map((each) => (touched(each) ? { ...each, inFlight } : each)) };
}

/**
 * Takes in what a provider brought. An outcome that nobody waits for any more
 * (late, asked for before a restart, of an unknown metric) changes nothing.
 */
export function recordOutcome(
  plan: AnalysisPlan,
  run: RunState,
  metric: string,
  outcome: Outcome,
  at: { readonly nowMs: number; readonly wallMs: number },
  compile: CompilePattern,
): RunState {
  const asked = planOf(plan, metric);
  const before = run.metrics.find(({ name }) => name === metric);
  if (isOver(run) || asked === null || !before?.inFlight) return run;
  const judged = judge(asked, outcome, plan.noData, compile);
  const measurement: Measurement = { ...judged, atMs: at.nowMs, wallMs: at.wallMs };
  const after = addMeasurement(asked, before, measurement);
  const metrics = run.metrics.map((each) => (each === before ? after : each));
  return settle(plan, { ...run, phase: 'Running', metrics });
}

/** The plan was read anew while the run is under way: metrics of the same name go on, others begin or go. */
export function replanRun(plan: AnalysisPlan, run: RunState, nowMs: number): RunState {
  const same =
    plan.metrics.length === run.metrics.length &&
    plan.metrics.every(({ name }, i) => run.metrics[i]?.name === name);
  if (isOver(run) || same) return run;
  const held = new Map(run.metrics.map((metric) => [metric.name, metric]));
  const metrics = plan.metrics.map((metric) => held.get(metric.name) ?? newMetric(metric, nowMs));
  return settle(plan, { ...run, metrics });
}

/**
 * The rollout needs the run no longer. As in Argo that is no verdict against the
 * version, so whatever was not over is Successful; the message tells a run that
 * found nothing wrong from one that never measured.
 */
export function endRun(run: RunState, message: string): RunState {
  if (isOver(run)) return run;
  const metrics = run.metrics.map((metric) => endUnjudged(metric, message));
  const measured = run.metrics.some(({ successful }) => successful > 0);
  const told = measured ? message : `${message}; nothing was measured successfully before that`;
  return { ...run, phase: 'Successful', message: cut(told, MESSAGE_CHARS), metrics };
}

function endUnjudged(metric: MetricState, message: string): MetricState {
  if (isFinal(metric.phase)) return metric;
  const told = metric.measurements.length === 0 ? `not measured: ${message}` : message;
  return endMetric(metric, 'Successful', cut(told, MESSAGE_CHARS));
}

/** Ends what need not go on, and the run once nothing does. */
function settle(plan: AnalysisPlan, run: RunState): RunState {
  const bad = verdicts(plan, run.metrics).filter(({ phase }) => phase !== 'Successful');
  const metrics =
    bad.length > 0
      ? endSiblings(plan, run.metrics, worstOf(bad.map(({ phase }) => phase)))
      : giveUpDryRuns(plan, run.metrics);
  if (!metrics.every(({ phase }) => isFinal(phase))) return { ...run, metrics };
  const phase = worstOf(verdicts(plan, metrics).map((verdict) => verdict.phase));
  return { ...run, phase, message: reasonOf(plan, metrics, phase), metrics };
}

interface Verdict {
  readonly name: string;
  readonly phase: FinalPhase;
  readonly message: string;
}

/** Of the metrics that are over and are acted on. */
function verdicts(plan: AnalysisPlan, metrics: readonly MetricState[]): Verdict[] {
  return metrics.flatMap(({ name, phase, message }) => {
    const counts = planOf(plan, name)?.dryRun === false;
    return counts && isFinal(phase) ? [{ name, phase, message }] : [];
  });
}

/**
 * One bad metric ends the run. Siblings whose measurement is on its way are waited
 * for while they could still make it worse, so that the order in which answers of
 * the same moment come in does not decide between a pause and an abort.
 */
function endSiblings(plan: AnalysisPlan, metrics: readonly MetricState[], worst: FinalPhase): MetricState[] {
  return metrics.map((metric) => {
    const awaited = worst !== 'Failed' && metric.inFlight && planOf(plan, metric.name)?.dryRun === false;
    return awaited ? metric : endUnjudged(metric, 'the run was ended by another metric');
  });
}

/**
 * A dry run is never acted on, so it holds nobody up for want of data longer than
 * errors would: when all else is over it ends without a pass. A metric that the
 * plan has no more ends too.
 */
function giveUpDryRuns(plan: AnalysisPlan, metrics: readonly MetricState[]): readonly MetricState[] {
  const acting = ({ name, phase }: MetricState) => planOf(plan, name)?.dryRun === false && !isFinal(phase);
  if (metrics.some(acting)) return metrics;
  return metrics.map((metric) => {
    const asked = planOf(plan, metric.name);
    if (asked === null) return endUnjudged(metric, 'the plan has it no more');
    const starved = metric.consecutiveNoData > asked.consecutiveErrorLimit;
    if (isFinal(metric.phase) || !starved) return metric;
    return endMetric(metric, 'Inconclusive', cut(`no data: ${metric.message}`, MESSAGE_CHARS));
  });
}

function reasonOf(plan: AnalysisPlan, metrics: readonly MetricState[], phase: FinalPhase): string {
  if (metrics.length === 0) return 'there is nothing to measure';
  if (phase === 'Successful') return '';
  const reasons = verdicts(plan, metrics)
    .filter((verdict) => verdict.phase === phase)
    .map(({ name, message }) => `${name} ${phase}: ${message}`);
  return cut(reasons.join('; '), MESSAGE_CHARS);
}

function planOf(plan: AnalysisPlan, name: string): MetricPlan | null {
  return plan.metrics.find((metric) => metric.name === name) ?? null;
}
