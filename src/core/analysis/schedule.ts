import { isFinal } from './metric.ts';
import type { AnalysisPlan } from './plan.ts';
import type { MetricState, RunState } from './state.ts';

/** What to measure now, and when to look again. Times are on the rollout's own clock. */

/** Names of the metrics to ask for now. */
export function dueMetrics(plan: AnalysisPlan, run: RunState, nowMs: number): readonly string[] {
  const planned = new Set(plan.metrics.map(({ name }) => name));
  return waiting(run)
    .filter(({ name, nextAtMs }) => planned.has(name) && nextAtMs !== null && nextAtMs <= nowMs)
    .map(({ name }) => name);
}

/** Null: nothing is due until an answer comes in, or ever. */
export function nextDueMs(run: RunState): number | null {
  const times = waiting(run).flatMap(({ nextAtMs }) => (nextAtMs === null ? [] : [nextAtMs]));
  return times.length === 0 ? null : Math.min(...times);
}

function waiting(run: RunState): readonly MetricState[] {
  if (isFinal(run.phase)) return [];
  return run.metrics.filter(({ phase, inFlight }) => !inFlight && !isFinal(phase));
}
