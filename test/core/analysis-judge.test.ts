import t from 'tap';
import { judge } from '../../src/core/analysis/judge.ts';
import type { MetricPlan } from '../../src/core/analysis/plan.ts';
import type { MeasurementPhase, Outcome } from '../../src/core/analysis/state.ts';
import { MESSAGE_CHARS, VALUE_CHARS, valueText } from '../../src/core/analysis/text.ts';
import { compilePattern, condition, metricPlan, WEB } from './analysis-support.ts';

const value = (value: unknown, samples: number | null = null): Outcome => ({ kind: 'value', value, samples });
const judged = (metric: MetricPlan, outcome: Outcome, noData: 'hold' | 'error' = 'hold') =>
  judge(metric, outcome, noData, compilePattern);

interface Row {
  readonly success?: string;
  readonly failure?: string;
  readonly result: unknown;
  readonly phase: MeasurementPhase;
  readonly message?: string | RegExp;
  readonly noData?: 'error';
}

const NEITHER = 'neither result[0] >= 0.99 nor result[0] < 0.9 is true';
const both = { success: 'result[0] >= 0.99', failure: 'result[0] < 0.9' };

const table: readonly Row[] = [
  // Success only.
  { success: 'result[0] >= 0.99', result: [0.995], phase: 'Successful', message: '' },
  { success: 'result[0] >= 0.99', result: [0.5], phase: 'Failed', message: 'result[0] >= 0.99 is false' },
  // Failure only.
  { failure: 'result[0] < 0.9', result: [0.95], phase: 'Successful', message: '' },
  { failure: 'result[0] < 0.9', result: [0.5], phase: 'Failed', message: 'result[0] < 0.9 is true' },
  // Both.
  { ...both, result: [1], phase: 'Successful', message: '' },
  { ...both, result: [0.5], phase: 'Failed', message: 'result[0] < 0.9 is true' },
  { ...both, result: [0.95], phase: 'Inconclusive', message: NEITHER },
  { success: 'result > 1', failure: 'result > 2', result: 3, phase: 'Failed', message: 'result > 2 is true' },
  // None.
  { result: [0], phase: 'Successful', message: '' },
  { result: 'anything', phase: 'Successful' },
  // Evaluation fails, or gives no truth value.
  { success: 'result[7] > 1', result: [1], phase: 'Error', message: /^successCondition: / },
  { failure: 'result[7] > 1', result: [1], phase: 'Error', message: /^failureCondition: / },
  { success: 'result[7] > 1', failure: 'result[0] > 0', result: [1], phase: 'Error' },
  { success: 'result[0] > 0', failure: 'result[7] > 1', result: [1], phase: 'Error' },
  { success: 'result > 1', result: 'text', phase: 'Error' },
  {
    success: 'result[0]',
    result: [1],
    phase: 'Error',
    message: 'successCondition: result[0] gives 1, which is neither true nor false',
  },
  // NaN, where it is not the whole answer.
  { success: 'result[0] >= 0.99', result: [Number.NaN, 1], phase: 'Failed' },
  // NaN, as Argo judges it.
  { ...both, result: [Number.NaN], phase: 'Inconclusive', noData: 'error' },
  { success: 'result[0] >= 0.99', result: [Number.NaN], phase: 'Failed', noData: 'error' },
  { failure: 'result[0] < 0.9', result: [Number.NaN], phase: 'Successful', noData: 'error' },
  { success: 'result >= 0.99', result: Number.NaN, phase: 'Failed', noData: 'error' },
  // Nothing there, as Argo judges it.
  { success: 'result[0] >= 0.99', result: [], phase: 'Error', noData: 'error' },
  { success: 'len(result) == 0 || result[0] > 1', result: [], phase: 'Successful', noData: 'error' },
  // Nothing there: no data, whatever the conditions make of it.
  { success: 'result[0] >= 0.99', result: [], phase: 'NoData', message: 'the answer is empty' },
  { success: 'len(result) == 0', result: [], phase: 'NoData' },
  { success: 'all(result, # > 1)', result: [], phase: 'NoData' },
  { result: [], phase: 'NoData' },
  { success: 'result > 1', result: null, phase: 'NoData', message: 'the answer is null' },
  { success: 'result[0] >= 0.99', result: [Number.NaN], phase: 'NoData', message: /NaN/ },
  { failure: 'result[0] > 0.05', result: [Number.NaN], phase: 'NoData' },
  { success: 'all(result, # > 1)', result: [Number.NaN, Number.NaN], phase: 'NoData' },
  { success: 'result >= 0.99', result: Number.NaN, phase: 'NoData' },
];

t.test('one measurement is judged by the table of Argo Rollouts', async (t) => {
  for (const { success, failure, result, phase, message, noData } of table) {
    const metric = metricPlan({
      successCondition: success === undefined ? null : condition(success),
      failureCondition: failure === undefined ? null : condition(failure),
    });
    const row = `${success ?? '-'} | ${failure ?? '-'} | ${valueText(result)} | ${noData ?? 'hold'}`;
    const found = judged(metric, value(result), noData);
    t.equal(found.phase, phase, row);
    if (message !== undefined) t.match(found.message, message, `${row}: message`);
    if (typeof message === 'string') t.equal(found.message, message, `${row}: the whole message`);
    t.equal(found.value, valueText(result), `${row}: value`);
  }
});

t.test('without an answer there is no data, or an error where that is asked for', async (t) => {
  const none: Outcome = { kind: 'noData', reason: 'connection refused' };
  t.strictSame(judged(metricPlan(), none), { phase: 'NoData', value: '', message: 'connection refused' });
  t.strictSame(judged(metricPlan(), none, 'error'), {
    phase: 'Error',
    value: '',
    message: 'connection refused',
  });
  const bad: Outcome = { kind: 'error', reason: 'parse error' };
  for (const noData of ['hold', 'error'] as const) {
    t.strictSame(judged(metricPlan(), bad, noData), { phase: 'Error', value: '', message: 'parse error' });
  }
});

t.test('an answer of the web is empty when it is null or an empty list', async (t) => {
  const metric = metricPlan({ provider: WEB, successCondition: condition('true') });
  for (const empty of [null, undefined, []]) t.equal(judged(metric, value(empty)).phase, 'NoData');
  for (const full of [0, false, '', {}, [null], Number.NaN]) {
    t.equal(judged(metric, value(full)).phase, 'Successful', valueText(full));
  }
});

t.test('too few samples are no data', async (t) => {
  const metric = metricPlan({
    successCondition: condition('result > 0.9'),
    minSamples: { count: 100, query: null },
  });
  const rows: readonly (readonly [number | null, MeasurementPhase, string])[] = [
    [41, 'NoData', '41 of 100 samples'],
    [99.7, 'NoData', '99 of 100 samples'],
    [0, 'NoData', '0 of 100 samples'],
    [100, 'Successful', ''],
    [1_000, 'Successful', ''],
    [null, 'NoData', 'samples could not be counted'],
    [Number.NaN, 'NoData', 'samples could not be counted'],
  ];
  for (const [samples, phase, message] of rows) {
    t.strictSame(judged(metric, value(1, samples)), { phase, value: '1', message }, String(samples));
    const asError = judged(metric, value(1, samples), 'error');
    t.equal(asError.phase, phase === 'NoData' ? 'Error' : phase, `${samples} under error`);
  }
  t.equal(judged(metric, value(0.5, 41)).phase, 'NoData', 'not even a failure counts');
  t.equal(judged(metricPlan({ minSamples: null }), value(1, null)).phase, 'Successful', 'none are wanted');
});

t.test("a hook's answer is its verdict", async (t) => {
  const metric = metricPlan({ provider: { kind: 'webhook', hook: 'load-test' } });
  t.equal(judged(metric, value(true)).phase, 'Successful');
  t.strictSame(judged(metric, value(false)), {
    phase: 'Failed',
    value: 'false',
    message: "hook 'load-test' said no",
  });
});

t.test('matches asks the pattern compiler it was given', async (t) => {
  const metric = metricPlan({ provider: WEB, successCondition: condition('result matches "^o.$"') });
  t.equal(judged(metric, value('ok')).phase, 'Successful');
  t.equal(judged(metric, value('no')).phase, 'Failed');
});

t.test('texts are bounded', async (t) => {
  const long = { kind: 'error', reason: 'x'.repeat(10_000) } as const;
  t.equal(judged(metricPlan(), long).message.length, MESSAGE_CHARS);
  const huge = value(Array.from({ length: 100_000 }, (_, i) => i));
  t.equal(judged(metricPlan(), huge).value.length, VALUE_CHARS);
});

t.test('a value reads as JSON that tells NaN and infinities apart', async (t) => {
  const rows: readonly (readonly [unknown, string])[] = [
    [[0.99, Number.NaN], '[0.99,NaN]'],
    [[Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY], '[+Inf,-Inf]'],
    [{ a: [1, 'x"y'], b: null }, '{"a":[1,"x\\"y"],"b":null}'],
    [true, 'true'],
    ['', '""'],
    [[], '[]'],
    [{}, '{}'],
    [undefined, 'undefined'],
  ];
  for (const [given, text] of rows) t.equal(valueText(given), text);
  const deep = JSON.parse('['.repeat(5_000) + ']'.repeat(5_000));
  t.ok(valueText(deep).length <= VALUE_CHARS, 'nesting does not overflow');
  const emoji = valueText('😀'.repeat(VALUE_CHARS));
  t.equal(Buffer.from(emoji).toString(), emoji, 'no half of a surrogate pair is left');
});
