import { compileCondition } from '../../src/core/analysis/conditions/compile.ts';
import type { AnalysisPlan, Condition, MetricPlan, Provider } from '../../src/core/analysis/plan.ts';
import { dueMetrics, markAsked, recordOutcome } from '../../src/core/analysis/run.ts';
import type { MetricState, Outcome, RunState } from '../../src/core/analysis/state.ts';

export const compilePattern = (source: string) => {
  const pattern = new RegExp(source, 'u');
  return (text: string) => pattern.test(text);
};

export function condition(source: string): Condition {
  const compiled = compileCondition(source, compilePattern);
  if (!compiled.ok) throw new Error(`${source}: ${compiled.message}`);
  return compiled.condition;
}

const PROMETHEUS: Provider = {
  kind: 'prometheus',
  address: 'http://prometheus:9090',
  query: 'up',
  headers: [],
  bearerTokenFile: null,
  timeoutMs: 30_000,
  range: null,
};

export const WEB: Provider = {
  kind: 'web',
  url: 'http://checks/ok',
  method: 'GET',
  headers: [],
  body: null,
  jsonPath: [],
  timeoutMs: 10_000,
};

/** A metric with Argo's defaults: measured once, 0 failures allowed. */
export function metricPlan(overrides: Partial<MetricPlan> = {}): MetricPlan {
  return {
    name: 'm',
    provider: PROMETHEUS,
    intervalMs: null,
    initialDelayMs: 0,
    count: null,
    successCondition: null,
    failureCondition: null,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    consecutiveSuccessLimit: 0,
    dryRun: false,
    retention: 10,
    minSamples: null,
    ...overrides,
  };
}

const ABOVE = condition('result >= 1');
const BELOW = condition('result < 0');

/** Both conditions, so that one number makes each phase; see `outcome`. */
export function letterPlan(overrides: Partial<MetricPlan> = {}): MetricPlan {
  return metricPlan({ successCondition: ABOVE, failureCondition: BELOW, ...overrides });
}

export function analysis(
  metrics: readonly MetricPlan[],
  noData: AnalysisPlan['noData'] = 'hold',
): AnalysisPlan {
  return { metrics, noData };
}

export type Letter = 'S' | 'F' | 'I' | 'E' | 'N';
export const LETTERS: readonly Letter[] = ['S', 'F', 'I', 'E', 'N'];

/** An outcome that a metric of `letterPlan` judges Successful, Failed, Inconclusive, Error or NoData. */
export function outcome(letter: Letter): Outcome {
  switch (letter) {
    case 'S':
      return { kind: 'value', value: 2, samples: null };
    case 'F':
      return { kind: 'value', value: -1, samples: null };
    case 'I':
      return { kind: 'value', value: 0, samples: null };
    case 'E':
      return { kind: 'error', reason: 'bad query' };
    case 'N':
      return { kind: 'noData', reason: 'no answer' };
  }
}

export const at = (nowMs: number) => ({ nowMs, wallMs: 1_700_000_000_000 + nowMs });

/** Asks for one metric and answers at once. */
export function answer(
  plan: AnalysisPlan,
  run: RunState,
  metric: string,
  letter: Letter,
  nowMs = 0,
): RunState {
  const asked = markAsked(run, [metric]);
  return recordOutcome(plan, asked, metric, outcome(letter), at(nowMs), compilePattern);
}

/** Asks for all that is due. */
export function askDue(plan: AnalysisPlan, run: RunState, nowMs: number): RunState {
  return markAsked(run, dueMetrics(plan, run, nowMs));
}

export function metricOf(run: RunState, name: string): MetricState {
  const metric = run.metrics.find((each) => each.name === name);
  if (metric === undefined) throw new Error(`no metric ${name}`);
  return metric;
}
