import t from 'tap';
import type { AnalysisPlan, MetricPlan } from '../../src/core/analysis/plan.ts';
import {
  dueMetrics,
  endRun,
  evidenceOf,
  forgetAsked,
  holdReason,
  isOver,
  markAsked,
  nextDueMs,
  recordOutcome,
  replanRun,
  startRun,
} from '../../src/core/analysis/run.ts';
import type { AnalysisPhase, RunState } from '../../src/core/analysis/state.ts';
import {
  analysis,
  answer,
  at,
  compilePattern,
  condition,
  type Letter,
  letterPlan,
  metricOf,
  metricPlan,
  outcome,
} from './analysis-support.ts';

const start = (plan: AnalysisPlan, nowMs = 0) => startRun(plan, 1, 'background', nowMs);
const once = (name: string, overrides: Partial<MetricPlan> = {}) => letterPlan({ name, ...overrides });
const often = (name: string, overrides: Partial<MetricPlan> = {}) =>
  letterPlan({ name, intervalMs: 60_000, ...overrides });
const record = (plan: AnalysisPlan, run: RunState, metric: string, letter: Letter, nowMs = 0) =>
  recordOutcome(plan, run, metric, outcome(letter), at(nowMs), compilePattern);

t.test('a run begins with nothing measured', async (t) => {
  const plan = analysis([once('a'), often('b', { initialDelayMs: 30_000 })]);
  const run = startRun(plan, 7, 'step 3', 1_000);
  t.match(run, { id: 7, label: 'step 3', startedAtMs: 1_000, phase: 'Pending', message: '' });
  t.strictSame(dueMetrics(plan, run, 1_000), ['a']);
  t.strictSame(dueMetrics(plan, run, 30_999), ['a']);
  t.strictSame(dueMetrics(plan, run, 31_000), ['a', 'b']);
  t.equal(nextDueMs(run), 1_000);
  t.equal(nextDueMs(markAsked(run, ['a'])), 31_000, 'one that was asked for is not due');
  t.equal(nextDueMs(markAsked(run, ['a', 'b'])), null);
});

t.test('a run without metrics has nothing to wait for', async (t) => {
  t.match(start(analysis([])), { phase: 'Successful', message: 'there is nothing to measure' });
});

t.test('a run goes on until its metrics are over, and is as bad as the worst', async (t) => {
  const plan = analysis([once('a'), often('b', { count: 2 })]);
  let run = answer(plan, start(plan), 'a', 'S');
  t.match(run, { phase: 'Running', metrics: [{ phase: 'Successful' }, { phase: 'Pending' }] });
  run = answer(plan, run, 'b', 'S', 10);
  t.strictSame(dueMetrics(plan, run, 60_009), []);
  t.strictSame(dueMetrics(plan, run, 60_010), ['b']);
  run = answer(plan, run, 'b', 'S', 60_010);
  t.match(run, { phase: 'Successful', message: '' });
  t.equal(nextDueMs(run), null);
});

t.test('one bad metric ends the run, its siblings are Successful', async (t) => {
  const rows: readonly (readonly [Letter, AnalysisPhase, string])[] = [
    ['F', 'Failed', 'bad Failed: failed (1) > failureLimit (0)'],
    ['I', 'Inconclusive', 'bad Inconclusive: inconclusive (1) > inconclusiveLimit (0)'],
    ['E', 'Error', 'bad Error: consecutive errors (1) > consecutiveErrorLimit (0)'],
  ];
  for (const [letter, phase, message] of rows) {
    const plan = analysis([
      often('measured', { failureLimit: 3 }),
      often('unstarted', { initialDelayMs: 30_000 }),
      once('done'),
      once('bad', { consecutiveErrorLimit: 0 }),
    ]);
    let run = answer(plan, start(plan), 'measured', 'F');
    run = answer(plan, run, 'done', 'S');
    run = answer(plan, run, 'bad', letter);
    t.match(run, { phase, message }, letter);
    for (const name of ['measured', 'unstarted', 'done']) {
      t.match(metricOf(run, name), { phase: 'Successful', nextAtMs: null, inFlight: false }, name);
    }
    t.equal(metricOf(run, 'measured').failed, 1, 'what was counted stays');
    t.equal(metricOf(run, 'unstarted').message, 'not measured: the run was ended by another metric');
  }
});

t.test('answers on their way may still make a bad run worse, and do not keep a failed one', async (t) => {
  const plan = analysis([once('a'), once('b', { consecutiveErrorLimit: 0 }), often('c')]);
  const asked = () => markAsked(start(plan), ['a', 'b']);
  const rows: readonly (readonly [Letter, Letter, AnalysisPhase])[] = [
    ['I', 'F', 'Failed'],
    ['I', 'E', 'Error'],
    ['I', 'I', 'Inconclusive'],
    ['I', 'S', 'Inconclusive'],
    ['I', 'N', 'Inconclusive'],
  ];
  for (const [first, second, phase] of rows) {
    const waiting = record(plan, asked(), 'a', first);
    t.equal(waiting.phase, 'Running', 'b is on its way');
    t.equal(metricOf(waiting, 'c').phase, 'Successful', 'c was not');
    t.strictSame(dueMetrics(plan, waiting, 1e9), [], 'nothing else is asked for');
    t.match(holdReason(plan, waiting), /^a is Inconclusive: /, 'nothing advances on it');
    t.equal(record(plan, waiting, 'b', second).phase, phase, `${first} then ${second}`);
    t.equal(
      record(plan, record(plan, asked(), 'b', second), 'a', first).phase,
      phase,
      `${second} then ${first}`,
    );
    const restarted = forgetAsked(waiting);
    t.strictSame(dueMetrics(plan, restarted, 0), ['b'], 'after a restart it is asked again');
  }
  const failed = record(plan, asked(), 'a', 'F');
  t.equal(failed.phase, 'Failed', 'nothing is worse');
  t.equal(record(plan, failed, 'b', 'E'), failed, 'the late answer is not taken');
});

t.test('a dry run is measured and never acted on', async (t) => {
  const dry = (overrides: Partial<MetricPlan> = {}) => once('dry', { dryRun: true, ...overrides });
  for (const letter of ['F', 'I', 'E'] as const) {
    const plan = analysis([dry({ consecutiveErrorLimit: 0 }), once('a')]);
    const shown = answer(plan, start(plan), 'dry', letter);
    t.equal(shown.phase, 'Running', `${letter} does not end the run`);
    t.not(metricOf(shown, 'dry').phase, 'Successful', 'and is shown');
    t.match(answer(plan, shown, 'a', 'S'), { phase: 'Successful', message: '' }, 'nor does it colour it');
    t.equal(answer(plan, shown, 'a', 'F').phase, 'Failed');
    const alone = analysis([dry({ consecutiveErrorLimit: 0 })]);
    t.match(answer(alone, start(alone), 'dry', letter), { phase: 'Successful', message: '' });
  }
  const plan = analysis([dry(), once('a')]);
  const first = answer(plan, start(plan), 'a', 'S');
  t.equal(first.phase, 'Running', 'the run waits until the dry run is over, as in Argo');
  t.equal(answer(plan, first, 'dry', 'F').phase, 'Successful');
  const bad = record(plan, markAsked(start(plan), ['dry', 'a']), 'a', 'I');
  t.equal(bad.phase, 'Inconclusive', 'but a bad run does not wait for one on its way');
});

t.test('a dry run without data keeps a run no longer than errors would', async (t) => {
  const plan = analysis([once('dry', { dryRun: true, consecutiveErrorLimit: 2 }), once('a')]);
  let run = answer(plan, start(plan), 'a', 'S');
  for (const letter of ['N', 'N'] as const) run = answer(plan, run, 'dry', letter);
  t.equal(run.phase, 'Running');
  run = answer(plan, run, 'dry', 'N');
  t.equal(run.phase, 'Successful');
  t.match(metricOf(run, 'dry'), { phase: 'Inconclusive', message: 'no data: no answer' }, 'it did not pass');

  run = start(plan);
  for (let i = 0; i < 20; i++) run = answer(plan, run, 'dry', 'N');
  t.equal(metricOf(run, 'dry').phase, 'Running', 'while the run goes on it is asked for');
  t.match(answer(plan, run, 'a', 'S'), { phase: 'Successful' });
});

t.test('no data is waited for, however long', async (t) => {
  const plan = analysis([often('a', { count: 1 })]);
  let run = start(plan);
  for (let i = 0; i < 200; i++) {
    t.strictSame(dueMetrics(plan, run, i * 10_000), ['a']);
    run = answer(plan, run, 'a', 'N', i * 10_000);
  }
  t.match(run, { phase: 'Running', metrics: [{ phase: 'Running', noData: 200, error: 0 }] });
  t.equal(answer(plan, run, 'a', 'S').phase, 'Successful');

  const argo = analysis([often('a', { count: 1 })], 'error');
  run = start(argo);
  for (let i = 0; i < 4; i++) run = answer(argo, run, 'a', 'N', i * 10_000);
  t.equal(run.phase, 'Running');
  run = answer(argo, run, 'a', 'N', 40_000);
  t.match(run, { phase: 'Error', metrics: [{ error: 5, noData: 0 }] }, 'Argo gives up after 40 s');
});

t.test('an outcome that nobody waits for changes nothing', async (t) => {
  const plan = analysis([once('a'), once('b')]);
  const run = start(plan);
  t.equal(record(plan, run, 'a', 'S'), run, 'not asked for');
  const asked = markAsked(run, ['a']);
  t.equal(record(plan, asked, 'gone', 'S'), asked, 'unknown');
  t.equal(record(plan, forgetAsked(asked), 'a', 'S').metrics[0]?.successful, 0, 'asked for before a restart');
  const done = record(plan, asked, 'a', 'S');
  t.equal(record(plan, done, 'a', 'F'), done, 'a second answer');
  const over = answer(plan, done, 'b', 'S');
  t.ok(isOver(over));
  t.equal(record(plan, over, 'b', 'F'), over, 'a run that is over');
  const other = analysis([once('b')]);
  t.equal(record(other, asked, 'a', 'S'), asked, 'a metric that the plan has no more');
});

t.test('what changes nothing gives the same object', async (t) => {
  const plan = analysis([once('a'), often('b')]);
  const run = start(plan);
  t.equal(markAsked(run, []), run);
  t.equal(markAsked(run, ['gone']), run);
  t.equal(forgetAsked(run), run);
  t.equal(replanRun(plan, run, 5), run);
  const asked = markAsked(run, ['a']);
  t.equal(markAsked(asked, ['a']), asked);
  t.strictSame(forgetAsked(asked), run);
  const done = record(plan, asked, 'a', 'S');
  t.equal(markAsked(done, ['a']), done, 'a metric that is over is not asked for');
  const over = endRun(done, 'the steps are done');
  for (const after of [
    markAsked(over, ['b']),
    forgetAsked(over),
    endRun(over, 'again'),
    replanRun(analysis([]), over, 5),
  ]) {
    t.equal(after, over);
  }
});

t.test('a run that the rollout ends is never held against the version', async (t) => {
  const plan = analysis([often('a', { failureLimit: 3 }), often('b')]);
  const run = answer(plan, answer(plan, start(plan), 'a', 'S'), 'a', 'F');
  const ended = endRun(markAsked(run, ['b']), 'the steps are done');
  t.match(ended, { phase: 'Successful', message: 'the steps are done' });
  t.match(metricOf(ended, 'a'), { phase: 'Successful', failed: 1, nextAtMs: null });
  t.match(metricOf(ended, 'b'), { message: 'not measured: the steps are done', inFlight: false });
  t.equal(record(plan, ended, 'b', 'F'), ended, 'what was on its way comes too late');

  const nothing = endRun(start(plan), 'the steps are done');
  t.equal(nothing.phase, 'Successful');
  t.match(nothing.message, /the steps are done; nothing was measured successfully/, 'and says so');
});

t.test('a plan that was read anew keeps what is measured', async (t) => {
  const plan = analysis([once('a'), often('b')]);
  const run = answer(plan, start(plan), 'b', 'S');
  const grown = replanRun(analysis([often('b'), once('c', { initialDelayMs: 5 })]), run, 100);
  t.strictSame(
    grown.metrics.map(({ name, successful, nextAtMs }) => [name, successful, nextAtMs]),
    [
      ['b', 1, 60_000],
      ['c', 0, 105],
    ],
  );
  const done = answer(plan, run, 'a', 'S');
  t.equal(replanRun(analysis([once('a')]), done, 100).phase, 'Successful', 'nothing is left to wait for');
  const lost = answer(analysis([once('a')]), run, 'a', 'S');
  t.equal(lost.phase, 'Successful', 'nor for a metric that was not replanned');
});

t.test('a hold says which metric, and why', async (t) => {
  const plan = analysis([
    often('success-rate', { failureLimit: 3 }),
    often('late', { initialDelayMs: 30_000 }),
    often('dry', { dryRun: true }),
  ]);
  const run = start(plan);
  const first = 'success-rate has not been measured yet';
  t.equal(holdReason(plan, run), first);
  t.equal(holdReason(plan, markAsked(run, ['success-rate', 'dry'])), first);
  const rows: readonly (readonly [Letter, string | null])[] = [
    ['S', null],
    ['F', null],
    ['N', 'success-rate has no data: no answer'],
    ['E', 'success-rate could not be measured: bad query'],
  ];
  for (const [letter, reason] of rows) {
    t.equal(holdReason(plan, answer(plan, run, 'success-rate', letter)), reason, letter);
  }
  const good = answer(plan, run, 'success-rate', 'S');
  t.equal(holdReason(plan, answer(plan, good, 'dry', 'N')), null, 'a dry run holds nobody up');
  t.equal(holdReason(plan, answer(plan, good, 'success-rate', 'N')), 'success-rate has no data: no answer');
  t.equal(holdReason(plan, good, 29_999), null, 'the delay is not over');
  t.equal(holdReason(plan, good, 30_000), 'late has not been measured yet');
  t.equal(holdReason(plan, markAsked(good, ['late'])), 'late has not been measured yet');
  t.equal(holdReason(plan, endRun(run, 'done')), null, 'a run that is over');

  const done = analysis([once('a'), often('b')]);
  t.equal(holdReason(done, answer(done, answer(done, start(done), 'b', 'S'), 'a', 'S')), null);
  const many = analysis(['a', 'b', 'c', 'd', 'e'].map((name) => once(name)));
  t.match(holdReason(many, start(many)), /^a has .*; b has .*; c has .*; and 2 more$/);
});

t.test('the evidence tells values, conditions and counts', async (t) => {
  const rate = metricPlan({
    name: 'success-rate',
    intervalMs: 60_000,
    failureLimit: 1,
    successCondition: condition('result[0] >= 0.99'),
  });
  const plan = analysis([rate, often('latency')]);
  let run = start(plan);
  for (const value of [[0.995], [0.91], [0.92]]) {
    const measured = { kind: 'value', value, samples: null } as const;
    run = recordOutcome(
      plan,
      markAsked(run, ['success-rate']),
      'success-rate',
      measured,
      at(0),
      compilePattern,
    );
  }
  t.strictSame(evidenceOf(run), [
    'success-rate: Failed, failed (2) > failureLimit (1); 1 of 3 successful, 2 failed; ' +
      'values [0.995] [0.91] [0.92]; last Failed: result[0] >= 0.99 is false',
    'latency: Successful, not measured: the run was ended by another metric; never measured',
  ]);
  const many = analysis(Array.from({ length: 25 }, (_, i) => once(`m${i}`)));
  const lines = evidenceOf(start(many));
  t.equal(lines.length, 21);
  t.equal(lines.at(-1), 'and 5 more metrics');
  const odd = analysis([often('odd', { inconclusiveLimit: 9, failureLimit: 9 })]);
  let mixed = start(odd);
  for (const letter of 'SFIENN') mixed = answer(odd, mixed, 'odd', letter as Letter);
  t.strictSame(evidenceOf(mixed), [
    'odd: Running; 1 of 3 successful, 1 failed, 1 inconclusive, 1 error, 2 without data; ' +
      'values 2 -1 0; last NoData: no answer',
  ]);
});
