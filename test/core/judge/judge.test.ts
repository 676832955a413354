import t from 'tap';
import { toleratedRate } from '../../../src/core/judge/advance.ts';
import { combineStates, divide, PRECEDENCE } from '../../../src/core/judge/combine.ts';
import { armOf, emptyEvidence } from '../../../src/core/judge/evidence.ts';
import { judge } from '../../../src/core/judge/judge.ts';
import { count, duration, evidence, latency, percent } from '../../../src/core/judge/words.ts';
import {
  AGREE,
  ALL_GATES,
  CLICKS,
  collect,
  contextOf,
  evidenceOf,
  failing,
  happenings,
  P99,
  planOf,
  SHIFT,
  SUCCESS,
  SURE,
  sliceOf,
} from './stream.ts';

const names = { canary: 'v2', stable: 'v1' };
const bad = evidenceOf(sliceOf(failing(14, 212), failing(9, 4031)));

t.test('a rollback in plain words, with the numbers that caused it', async (t) => {
  const { state, text, M, neededM } = judge(planOf(SUCCESS), bad, contextOf({ names }));
  t.equal(state, 'FAIL');
  t.ok(M >= neededM);
  t.match(
    text,
    /^v2 failed 14 of 212 first requests \(6\.6 %\), v1 9 of 4,031 \(0\.22 %\); evidence [\d^,]+ against the 100 needed\.$/,
  );
});

t.test('the precedence is one table', async (t) => {
  t.strictSame(PRECEDENCE, ['FAIL', 'ERROR', 'CONTINUE', 'PASS']);
  t.equal(combineStates(['PASS', 'CONTINUE', 'ERROR', 'FAIL']), 'FAIL');
  t.equal(combineStates(['PASS', 'CONTINUE', 'ERROR']), 'ERROR');
  t.equal(combineStates(['PASS', 'CONTINUE']), 'CONTINUE');
  t.equal(combineStates(['PASS', 'PASS']), 'PASS');
  t.equal(combineStates([]), 'CONTINUE', 'no evidence is never a pass');
  t.equal(judge(planOf(), bad, contextOf()).state, 'CONTINUE', 'nor is no gate');
});

t.test('the parts of alpha add up to alpha', async (t) => {
  for (const gates of [[SUCCESS], [SHIFT], [SUCCESS, SHIFT], ALL_GATES, [SHIFT, { ...SHIFT, name: 'b' }]]) {
    const { neededM, weight, needed } = divide(gates, 0.01);
    const drifts = gates.filter(({ kind }) => kind === 'predictionShift');
    const weights = gates.reduce((sum, spec) => sum + weight(spec), 0);
    const spent =
      (weights > 0 ? 1 / neededM : 0) + drifts.reduce((sum, spec) => sum + Math.exp(-needed(spec)), 0);
    t.ok(Math.abs(spent - 0.01) < 1e-12, `${gates.length} gates spend ${spent}`);
    t.ok(weights === 0 || Math.abs(weights - 1) < 1e-12, 'weights sum to 1');
  }
});

t.test('a failed gate stays failed, whatever comes', async (t) => {
  const fine = evidenceOf(sliceOf(failing(0, 5000), failing(95, 95_000)));
  const verdict = judge(planOf(SUCCESS, P99), fine, contextOf({ latched: ['success'] }));
  t.equal(verdict.state, 'FAIL');
  t.match(verdict.text, /failed before/);
  t.notOk(verdict.advance.ready);
});

t.test('gates that show harm only together roll back, and one is named', async (t) => {
  const arm = (errors: number, slow: number, n: number) =>
    armOf({ ...failing(errors, n), firstSlow: { p99: slow, 'p99/frozen': slow }, latency: [n] });
  const verdict = judge(
    planOf(SUCCESS, P99),
    evidenceOf(sliceOf(arm(6, 6, 300), arm(12, 12, 5700))),
    contextOf(),
  );
  const alone = verdict.gates.map(({ harm }) => harm.logE >= harm.needed);
  t.ok(verdict.M >= verdict.neededM, `M ${verdict.M}`);
  t.strictSame(alone, [false, false]);
  t.equal(verdict.state, 'FAIL');
  t.equal(verdict.gates.filter(({ state }) => state === 'FAIL').length, 1);
  t.match(verdict.text, /with the other gates enough/);
});

t.test('nothing is promoted while there is evidence of harm', async (t) => {
  const slices = [
    sliceOf(failing(1, 4000), failing(60, 76_000), { index: 0 }),
    sliceOf(failing(5, 300), failing(6, 5700), { index: 1 }),
  ];
  const verdict = judge(planOf(SUCCESS), evidenceOf(...slices), contextOf());
  t.equal(verdict.gates[0]?.state, 'PASS');
  t.ok(verdict.M > 1 && verdict.M < verdict.neededM);
  t.equal(verdict.state, 'CONTINUE');
  t.match(verdict.text, /but evidence of harm is/);
  t.notOk(verdict.advance.ready);
});

t.test('a share grows as far as harm is excluded', async (t) => {
  t.strictSame(
    [0.01, 0.05, 0.25, 0.5, 1, 0.1, 0.02, null].map(toleratedRate),
    [1, 0.05, 0.02, 0.01, 0.01, 0.02, 0.05, 0.01],
  );
  const ready = (n: number, nextW: number) =>
    judge(planOf(SUCCESS), evidenceOf(sliceOf(failing(0, n), failing(0, 19 * n))), contextOf({ nextW }))
      .advance;
  t.notOk(ready(40, 0.05).ready, 'forty requests are fewer than the minimum');
  t.ok(ready(85, 0.05).ready);
  t.notOk(ready(85, 0.25).ready);
  t.match(ready(85, 0.25).why, /success needs \d+ more first requests, about \d+ s at this traffic/);
  t.ok(ready(205, 0.25).ready);
  t.notOk(ready(205, 0.5).ready);
  t.ok(ready(380, 0.5).ready);
  t.match(ready(380, 0.5).why, /failure rates of 1 % and more are excluded/);
  const lax = { ...SUCCESS, atLeast: 0.9 };
  const over = evidenceOf(sliceOf(failing(12, 300), failing(228, 5700)));
  t.ok(judge(planOf(lax), over, contextOf({ nextW: 0.5 })).advance.ready, 'never stricter than the gate');
});

t.test('evidence of harm holds the ramp before it rolls back', async (t) => {
  const some = evidenceOf(sliceOf(failing(5, 400), failing(16, 7600)));
  const verdict = judge(planOf(SUCCESS), some, contextOf({ nextW: 0.05 }));
  t.ok(verdict.M >= 5 && verdict.M < 100, `M ${verdict.M}`);
  t.ok(verdict.holdRamp);
  t.match(verdict.advance, { ready: false, why: /the ramp waits/ });
});

t.test('before anyone is exposed, only the mirror can hold back', async (t) => {
  const plan = planOf(SUCCESS, P99, AGREE);
  const context = contextOf({ nextW: 0.05 });
  t.ok(judge(planOf(SUCCESS), emptyEvidence(), context).advance.ready);
  t.notOk(judge(plan, emptyEvidence(), context).advance.ready);
  const mirrored = { ...emptyEvidence(), shadow: { agree: 300, disagree: 1, refused: 0, incomparable: 0 } };
  t.ok(judge(plan, mirrored, context).advance.ready);
  const differing = { ...emptyEvidence(), shadow: { agree: 100, disagree: 60, refused: 0, incomparable: 0 } };
  t.equal(judge(plan, differing, context).state, 'FAIL', 'caught with no user exposed');
});

t.test('a KPI that cannot be decided yet does not stop a ramp, only the promotion', async (t) => {
  const fine = evidenceOf(sliceOf(failing(0, 1000), failing(0, 19_000)));
  t.ok(judge(planOf(SUCCESS, CLICKS), fine, contextOf({ nextW: 0.5 })).advance.ready);
  t.notOk(judge(planOf(SUCCESS, CLICKS), fine, contextOf()).advance.ready);
});

t.test('a verdict is plain data without holes', async (t) => {
  for (const evidence of [
    emptyEvidence(),
    bad,
    collect(happenings(9, 800)),
    evidenceOf(sliceOf(failing(50_000, 50_000), failing(0, 9e5))),
    evidenceOf(sliceOf(failing(0, 0), failing(9e5, 9e5))),
  ]) {
    const verdict = judge(planOf(...ALL_GATES, SURE), evidence, contextOf({ nextW: 0.25, names }));
    t.strictSame(JSON.parse(JSON.stringify(verdict)), verdict);
    t.notMatch(verdict.text, /NaN|undefined|Infinity/);
    for (const { text } of verdict.gates) t.notMatch(text, /NaN|undefined|Infinity/);
  }
});

t.test('numbers as people read them', async (t) => {
  t.strictSame([0, 7, 999, 4031, 1_234_567].map(count), ['0', '7', '999', '4,031', '1,234,567']);
  t.strictSame([0, 0.066, 0.0022, 0.00042, 0.9999, 1].map(percent), [
    '0 %',
    '6.6 %',
    '0.22 %',
    '0.042 %',
    '99.99 %',
    '100 %',
  ]);
  t.strictSame(
    [311, 4.62, 0.5, 1e-9, 3.2e12].map((e) => evidence(Math.log(e))),
    ['311', '4.6', '0.5', 'below 0.01', '10^12'],
  );
  t.strictSame([400, 61_000, 700_000, 35_800_000, 3e8].map(duration), [
    '1 s',
    '61 s',
    '12 min',
    '9.9 h',
    '3 days',
  ]);
  t.strictSame([3.14, 187.4, 1900].map(latency), ['3.1 ms', '187 ms', '1.9 s']);
});
