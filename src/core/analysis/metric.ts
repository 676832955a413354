import type { MetricPlan } from './plan.ts';
import type { AnalysisPhase, Measurement, MeasurementPhase, MetricState } from './state.ts';

/**
 * One metric of a run: what its measurements add up to, and when the next is due.
 * The limits are those of Argo Rollouts (analysis/analysis.go).
 */

/** After an error or without data the question is asked again this soon, or after the interval if that is shorter. */
export const RETRY_MS = 10_000;

export interface Assessment {
  readonly phase: AnalysisPhase;
  /** Why it is over; '' while it is not. */
  readonly message: string;
}

/** From the best to the worst; a run is as bad as its worst metric. */
const SEVERITY = ['Successful', 'Inconclusive', 'Error', 'Failed'] as const;
export type FinalPhase = (typeof SEVERITY)[number];

export function isFinal(phase: AnalysisPhase): phase is FinalPhase {
  return phase !== 'Pending' && phase !== 'Running';
}

export function worstOf(phases: readonly FinalPhase[]): FinalPhase {
  const worst = Math.max(0, ...phases.map((phase) => SEVERITY.indexOf(phase)));
  return SEVERITY[worst] as FinalPhase;
}

export function newMetric(plan: MetricPlan, nowMs: number): MetricState {
  return {
    name: plan.name,
    phase: 'Pending',
    message: '',
    successful: 0,
    failed: 0,
    inconclusive: 0,
    error: 0,
    noData: 0,
    consecutiveError: 0,
    consecutiveSuccess: 0,
    consecutiveNoData: 0,
    measurements: [],
    nextAtMs: nowMs + plan.initialDelayMs,
    inFlight: false,
  };
}

/** Judged measurements after which the metric ends; null: it goes on until its run is ended. */
export function effectiveCount({ count, intervalMs }: MetricPlan): number | null {
  if (count !== null && count !== 0) return count;
  return intervalMs === null ? 1 : null;
}

export function judgedCount({ successful, failed, inconclusive }: MetricState): number {
  return successful + failed + inconclusive;
}

/** The metric with one more measurement, assessed. */
export function addMeasurement(plan: MetricPlan, metric: MetricState, measurement: Measurement): MetricState {
  const counts = { ...metric, ...raised(metric, measurement.phase) };
  const assessed = assess(plan, counts);
  const over = isFinal(assessed.phase);
  return {
    ...counts,
    phase: assessed.phase,
    message: over ? assessed.message : measurement.message,
    measurements: [...metric.measurements, measurement].slice(-Math.max(1, plan.retention)),
    nextAtMs: over ? null : measurement.atMs + delayAfter(plan, measurement.phase),
    inFlight: false,
  };
}

/** NoData says nothing, so it neither breaks nor lengthens a row of errors or successes. */
function raised(metric: MetricState, phase: MeasurementPhase): Partial<MetricState> {
  switch (phase) {
    case 'NoData':
      return { noData: metric.noData + 1, consecutiveNoData: metric.consecutiveNoData + 1 };
    case 'Error':
      return {
        error: metric.error + 1,
        consecutiveError: metric.consecutiveError + 1,
        consecutiveSuccess: 0,
        consecutiveNoData: 0,
      };
    case 'Successful':
      return {
        successful: metric.successful + 1,
        consecutiveSuccess: metric.consecutiveSuccess + 1,
        consecutiveError: 0,
        consecutiveNoData: 0,
      };
    case 'Failed':
      return { failed: metric.failed + 1, consecutiveSuccess: 0, consecutiveError: 0, consecutiveNoData: 0 };
    case 'Inconclusive':
      return {
        inconclusive: metric.inconclusive + 1,
        consecutiveSuccess: 0,
        consecutiveError: 0,
        consecutiveNoData: 0,
      };
  }
}

/** When next, counted from the end of the last measurement. */
function delayAfter({ intervalMs }: MetricPlan, phase: MeasurementPhase): number {
  const intervalOr = intervalMs ?? RETRY_MS;
  return phase === 'Error' || phase === 'NoData' ? Math.min(intervalOr, RETRY_MS) : intervalOr;
}

/** Where a metric with these counts stands. A limit that tripped goes before any success. */
export function assess(plan: MetricPlan, metric: MetricState): Assessment {
  return trippedLimit(plan, metric) ?? enoughMeasured(plan, metric) ?? { phase: 'Running', message: '' };
}

/** The order is the precedence where several trip at once. */
function trippedLimit(plan: MetricPlan, metric: MetricState): Assessment | null {
  if (metric.consecutiveError > plan.consecutiveErrorLimit) {
    return {
      phase: 'Error',
      message: exceeded('consecutive errors', metric.consecutiveError, 'consecutiveErrorLimit', plan),
    };
  }
  if (metric.inconclusive > plan.inconclusiveLimit) {
    return {
      phase: 'Inconclusive',
      message: exceeded('inconclusive', metric.inconclusive, 'inconclusiveLimit', plan),
    };
  }
  if (isFailureLimitOn(plan) && metric.failed > plan.failureLimit) {
    return { phase: 'Failed', message: exceeded('failed', metric.failed, 'failureLimit', plan) };
  }
  return null;
}

function exceeded(
  what: string,
  have: number,
  limit: 'consecutiveErrorLimit' | 'inconclusiveLimit' | 'failureLimit',
  plan: MetricPlan,
): string {
  return `${what} (${have}) > ${limit} (${plan[limit]})`;
}

function isFailureLimitOn(plan: MetricPlan): boolean {
  return plan.failureLimit >= 0;
}

function enoughMeasured(plan: MetricPlan, metric: MetricState): Assessment | null {
  const wanted = plan.consecutiveSuccessLimit;
  const row = metric.consecutiveSuccess;
  if (wanted > 0 && row >= wanted) {
    return { phase: 'Successful', message: `consecutive successes (${row}) reached` };
  }
  const count = effectiveCount(plan);
  if (count === null || judgedCount(metric) < count) return null;
  if (wanted <= 0) return { phase: 'Successful', message: '' };
  return {
    phase: isFailureLimitOn(plan) ? 'Inconclusive' : 'Failed',
    message: `consecutive successes (${row}) < consecutiveSuccessLimit (${wanted}) after ${count} measurements`,
  };
}

/** A metric that is over without a verdict of its own. */
export function endMetric(metric: MetricState, phase: FinalPhase, message: string): MetricState {
  return { ...metric, phase, message, nextAtMs: null, inFlight: false };
}
