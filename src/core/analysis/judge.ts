import { assertNever } from '../model.ts';
import type { CompilePattern } from './conditions/compile.ts';
import { evaluate } from './conditions/evaluate.ts';
import type { AnalysisPlan, Condition, MetricPlan, MinSamples } from './plan.ts';
import type { MeasurementPhase, Outcome } from './state.ts';
import { counted, cut, MESSAGE_CHARS, valueText } from './text.ts';

export interface Judgement {
  readonly phase: MeasurementPhase;
  /** The value as text; '' where there was none. */
  readonly value: string;
  /** Why, where the phase alone does not say it. */
  readonly message: string;
}

/**
 * What one measurement says of the version, as Argo Rollouts judges it
 * (utils/evaluate). Under `hold` an empty answer and too few samples are no data,
 * whatever the conditions make of them; under `error` the conditions decide about
 * an empty answer, as in Argo, and everything else without data is an Error.
 */
export function judge(
  metric: MetricPlan,
  outcome: Outcome,
  noData: AnalysisPlan['noData'],
  compile: CompilePattern,
): Judgement {
  switch (outcome.kind) {
    case 'error':
      return judgement('Error', '', outcome.reason);
    case 'noData':
      return withoutData(noData, '', outcome.reason);
    case 'value': {
      const value = valueText(outcome.value);
      const few = tooFew(metric.minSamples, outcome.samples);
      if (few !== null) return withoutData(noData, value, few);
      const empty = noData === 'hold' ? emptiness(metric, outcome.value) : null;
      if (empty !== null) return withoutData(noData, value, empty);
      const { phase, message } = judgeValue(metric, outcome.value, compile);
      return judgement(phase, value, message);
    }
    default:
      return assertNever(outcome);
  }
}

function judgement(phase: MeasurementPhase, value: string, message: string): Judgement {
  return { phase, value, message: cut(message, MESSAGE_CHARS) };
}

function withoutData(noData: AnalysisPlan['noData'], value: string, reason: string): Judgement {
  return judgement(noData === 'hold' ? 'NoData' : 'Error', value, reason);
}

function tooFew(min: MinSamples | null, samples: number | null): string | null {
  if (min === null) return null;
  if (samples === null || Number.isNaN(samples)) return 'samples could not be counted';
  return samples < min.count ? `${Math.floor(samples)} of ${counted(min.count, 'sample')}` : null;
}

/** Why a value says nothing of the version; null: it says something. */
function emptiness({ provider }: MetricPlan, value: unknown): string | null {
  if (value === null || value === undefined) return 'the answer is null';
  if (Array.isArray(value) && value.length === 0) return 'the answer is empty';
  // A rate over no requests is 0/0, which PromQL gives as NaN.
  const numbers = Array.isArray(value) ? value : [value];
  if (provider.kind === 'prometheus' && numbers.every(Number.isNaN)) {
    return 'the answer is NaN, as a share of no requests is';
  }
  return null;
}

type Verdict = Pick<Judgement, 'phase' | 'message'>;

function judgeValue(metric: MetricPlan, value: unknown, compile: CompilePattern): Verdict {
  const { provider, successCondition, failureCondition } = metric;
  if (successCondition === null && failureCondition === null) {
    // A hook has no value to hold against a condition: its answer is the verdict.
    return provider.kind === 'webhook' && value !== true
      ? { phase: 'Failed', message: `hook '${provider.hook}' said no` }
      : { phase: 'Successful', message: '' };
  }
  const success = ask('successCondition', successCondition, value, compile);
  const failure = ask('failureCondition', failureCondition, value, compile);
  if (typeof success === 'string') return { phase: 'Error', message: success };
  if (typeof failure === 'string') return { phase: 'Error', message: failure };
  return verdictOf(success, failure, metric);
}

/** Whether it holds; null: there is none; a text: why that cannot be said. */
function ask(
  name: string,
  condition: Condition | null,
  value: unknown,
  compile: CompilePattern,
): boolean | null | string {
  if (condition === null) return null;
  const answer = evaluate(condition.expr, value, compile);
  if (!answer.ok) return `${name}: ${answer.message}`;
  if (typeof answer.value === 'boolean') return answer.value;
  return `${name}: ${condition.source} gives ${valueText(answer.value)}, which is neither true nor false`;
}

/** The table of one measurement: null is a condition that was not given. */
function verdictOf(success: boolean | null, failure: boolean | null, metric: MetricPlan): Verdict {
  const successSource = metric.successCondition?.source ?? '';
  const failureSource = metric.failureCondition?.source ?? '';
  if (failure === true) return { phase: 'Failed', message: `${failureSource} is true` };
  if (success === true || success === null) return { phase: 'Successful', message: '' };
  if (failure === null) return { phase: 'Failed', message: `${successSource} is false` };
  return { phase: 'Inconclusive', message: `neither ${successSource} nor ${failureSource} is true` };
}
