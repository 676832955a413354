import { isFinal, judgedCount } from './metric.ts';
import type { AnalysisPlan } from './plan.ts';
import type { Measurement, MetricState, RunState } from './state.ts';
import { brief, counted, cut, MESSAGE_CHARS } from './text.ts';

/** A run in sentences, for a hold and for the history. */

/** Metrics that are named in a reason to hold. */
const TOLD_HOLDS = 3;
/** Metrics, and measurements of each, that the evidence shows. */
const TOLD_METRICS = 20;
const TOLD_VALUES = 5;

/**
 * Why the run cannot vouch for the version at this moment: a metric that is acted
 * on has no data, could not be measured, or is due and never was. Null: it can, or
 * it is over. Without `nowMs` a first measurement counts as due once it was asked
 * for, or if it was due from the run's beginning.
 */
export function holdReason(
  plan: AnalysisPlan,
  run: RunState,
  nowMs: number = run.startedAtMs,
): string | null {
  if (isFinal(run.phase)) return null;
  const dry = new Set(plan.metrics.filter(({ dryRun }) => dryRun).map(({ name }) => name));
  const reasons = run.metrics
    .filter(({ name }) => !dry.has(name))
    .flatMap((metric) => holdOf(metric, nowMs) ?? []);
  if (reasons.length === 0) return null;
  const more = reasons.length - TOLD_HOLDS;
  const told = reasons.slice(0, TOLD_HOLDS).join('; ');
  return more > 0 ? `${told}; and ${more} more` : told;
}

function holdOf(metric: MetricState, nowMs: number): string | null {
  const { name, phase, message, inFlight, nextAtMs } = metric;
  if (phase === 'Successful') return null;
  // The run goes on only for siblings on their way: its verdict is already bad.
  if (isFinal(phase)) return `${name} is ${phase}: ${message}`;
  const last = metric.measurements.at(-1);
  if (last === undefined) {
    const due = inFlight || (nextAtMs !== null && nextAtMs <= nowMs);
    return due ? `${name} has not been measured yet` : null;
  }
  if (last.phase === 'NoData') return `${name} has no data: ${last.message}`;
  if (last.phase === 'Error') return `${name} could not be measured: ${last.message}`;
  return null;
}

/** Short lines: what each metric came to, its counts, and its last values with what was found of them; the bad ones first. */
export function evidenceOf(run: RunState): readonly string[] {
  const isBad = ({ phase }: MetricState) => isFinal(phase) && phase !== 'Successful';
  const sorted = [...run.metrics.filter(isBad), ...run.metrics.filter((metric) => !isBad(metric))];
  const lines = sorted.slice(0, TOLD_METRICS).map(metricLine);
  const more = run.metrics.length - TOLD_METRICS;
  return more > 0 ? [...lines, `and ${counted(more, 'more metric')}`] : lines;
}

function metricLine(metric: MetricState): string {
  const { name, phase, message } = metric;
  const last = metric.measurements.at(-1);
  const verdict = isFinal(phase) && message !== '' ? `${phase}, ${message}` : phase;
  const parts = [verdict, countsText(metric)];
  const values = metric.measurements.filter(({ value }) => value !== '').slice(-TOLD_VALUES);
  if (values.length > 0) parts.push(`values ${values.map(({ value }) => cut(brief(value), 40)).join(' ')}`);
  if (last !== undefined) parts.push(lastText(last));
  return cut(`${name}: ${parts.join('; ')}`, MESSAGE_CHARS * 2);
}

function lastText({ phase, message }: Measurement): string {
  return message === '' ? `last ${phase}` : `last ${phase}: ${message}`;
}

function countsText(metric: MetricState): string {
  const { successful, failed, inconclusive, error, noData } = metric;
  const judged = judgedCount(metric);
  if (judged + error + noData === 0) return 'never measured';
  const parts = [`${successful} of ${judged} successful`];
  if (failed > 0) parts.push(`${failed} failed`);
  if (inconclusive > 0) parts.push(`${inconclusive} inconclusive`);
  if (error > 0) parts.push(counted(error, 'error'));
  if (noData > 0) parts.push(`${noData} without data`);
  return parts.join(', ');
}
