import t from 'tap';
import { type Arm, armOf, emptyEvidence, type Slice } from '../../../src/core/judge/evidence.ts';
import { quantileEstimate } from '../../../src/core/judge/gates/latency.ts';
import type { GateSpec, GateVerdict, JudgeContext } from '../../../src/core/judge/gates.ts';
import { judge } from '../../../src/core/judge/judge.ts';
import { logB, UP } from '../../../src/core/judge/kernels/binomial.ts';
import { epochOf, logApart, logDrifted, logSteady } from '../../../src/core/judge/kernels/drift.ts';
import { logAgainstRate } from '../../../src/core/judge/kernels/interval.ts';
import { LESS, logR, MORE, NOT_LESS } from '../../../src/core/judge/kernels/ratio.ts';
import {
  AGREE,
  CLICKS,
  contextOf,
  evidenceOf,
  failing,
  P99,
  planOf,
  SHIFT,
  SUCCESS,
  SURE,
  sliceOf,
} from './stream.ts';

function gate(spec: GateSpec, canary: Arm, stable: Arm, changes: Partial<Slice> = {}): GateVerdict {
  return judge(planOf(spec), evidenceOf(sliceOf(canary, stable, changes)), contextOf()).gates[0]!;
}

/** The gate's evidence in one slice: half of a mixture whose other half is still to start. */
function afterOneSlice(logE: number): number {
  return Math.log(Math.exp(logE) / 2 + 0.5);
}

t.test('success rate: harm is R on first failures, PASS is B-DOWN on all', async (t) => {
  const canary = armOf({ ...failing(9, 300), firstErrors: 5 });
  const stable = armOf({ ...failing(40, 5700), firstErrors: 20 });
  const verdict = gate(SUCCESS, canary, stable);
  t.ok(
    Math.abs(verdict.harm.logE - afterOneSlice(logR([{ kc: 5, ks: 20, w: 0.05 }], 1, MORE))) < 1e-9,
    'the kernel',
  );
  t.equal(verdict.canary?.value, 0.03, 'the estimate is of all requests');
  t.equal(verdict.unit, 'failures');
  t.ok(gate(SUCCESS, failing(0, 600), failing(5, 11_400)).state === 'PASS');
  t.ok(gate({ ...SUCCESS, tolerate: 1.5 }, canary, stable).harm.logE < verdict.harm.logE, 'tolerance');
});

t.test('success rate: what is missing, and until when, at low traffic', async (t) => {
  const look = (changes: Partial<JudgeContext>) =>
    judge(
      planOf(SUCCESS),
      evidenceOf(sliceOf(failing(0, 0), failing(0, 30), { w: 0.01 })),
      contextOf(changes),
    );
  const verdict = look({ ratePerS: 1, nextW: 0.5 });
  const needed = verdict.gates[0]?.samples.need ?? 0;
  t.ok(needed > 530 && needed < 550, `${needed} for a promotion`);
  t.match(verdict.gates[0]?.text, /more first requests are needed, about 15\.1 h at this traffic/);
  t.match(verdict.gates[0]?.text, /a greater weight would help/);
  t.equal(look({ ratePerS: 0 }).gates[0]?.etaMs, null, 'without traffic nothing is foreseen');
});

t.test('latency: two tests of harm, averaged; PASS is exact on a bucket edge', async (t) => {
  const arm = (n: number, slow: number, frozen: number) =>
    armOf({
      ...failing(0, n),
      latency: [0, n - slow, 0, slow],
      firstSlow: { p99: slow, 'p99/frozen': frozen },
    });
  const verdict = gate(P99, arm(300, 2, 12), arm(5700, 30, 60));
  const tests = [logR([{ kc: 2, ks: 30, w: 0.05 }], 1, MORE), logR([{ kc: 12, ks: 60, w: 0.05 }], 1, MORE)];
  const mean = (Math.exp(afterOneSlice(tests[0]!)) + Math.exp(afterOneSlice(tests[1]!))) / 2;
  t.ok(Math.abs(verdict.harm.logE - Math.log(0.9 * mean + 0.1)) < 1e-9, 'no bursts, no evidence of theirs');
  t.equal(verdict.unit, 'ms');
  const on = gate(P99, armOf({ ...failing(0, 600), latency: [0, 300, 300] }), arm(11_400, 20, 20));
  t.equal(on.state, 'PASS', 'what is in the bucket up to 200 ms is not above');
  const between = gate(
    { ...P99, thresholdMs: 150 },
    armOf({ ...failing(0, 600), latency: [0, 300, 300] }),
    arm(11_400, 20, 20),
  );
  t.not(between.state, 'PASS', 'off an edge, what may be above is');
});

t.test('latency: the shown quantile lies in its bucket, its interval on edges', async (t) => {
  const edges = [50, 100, 200, 400];
  t.equal(quantileEstimate([], edges, 0.99), null);
  t.match(quantileEstimate([0, 1000, 0, 0, 0], edges, 0.5), { value: 75, low: 50, high: 100, n: 1000 });
  t.match(quantileEstimate([0, 0, 0, 0, 10], edges, 0.5), { value: 400, low: 400, high: 400 });
  const few = quantileEstimate([2, 1, 0, 0, 0], edges, 0.5);
  t.ok(few !== null && few.low === 0 && few.high === 400, 'three answers bound little');
});

t.test('confidence: passes on the mean, rolls back on unsure first answers', async (t) => {
  const arm = (n: number, bin: number, unsure: number) => {
    const confidence = Array(256).fill(0);
    confidence[bin] = n;
    return armOf({ ...failing(0, n), confidence, firstUnsure: { sure: unsure } });
  };
  const good = gate(SURE, arm(600, 220, 30), arm(11_400, 220, 570));
  t.equal(good.state, 'PASS');
  t.ok(good.canary !== null && Math.abs(good.canary.value - 220.5 / 256) < 1e-9);
  t.equal(gate(SURE, arm(600, 160, 300), arm(11_400, 220, 570)).state, 'FAIL');
  const both = gate(SURE, arm(600, 160, 300), arm(11_400, 160, 5700));
  t.equal(both.state, 'CONTINUE', 'both unsure: hold');
  t.ok(both.environment);
  const soon = gate(SURE, arm(20, 200, 1), arm(380, 200, 19));
  t.ok(soon.samples.need !== null && soon.samples.need > 20, 'says how many answers are missing');
});

t.test('agreement: disagreements against the threshold, both ways', async (t) => {
  const shadow = (agree: number, disagree: number) =>
    judge(
      planOf(AGREE),
      { ...evidenceOf(), shadow: { agree, disagree, refused: 2, incomparable: 3 } },
      contextOf(),
    ).gates[0]!;
  t.equal(shadow(500, 2).state, 'PASS');
  const bad = shadow(100, 40);
  t.equal(bad.state, 'FAIL');
  t.equal(bad.harm.logE, logB(40, 140, 1 - 0.95, UP));
  t.match(
    bad.text,
    /answered 40 of 140 mirrored requests \(28.6 %\) differently from stable, 2 of them with an error; 3 pairs could not be compared/,
  );
  t.equal(shadow(19, 1).state, 'CONTINUE');
  t.equal(shadow(0, 0).state, 'CONTINUE');
});

t.test('kpi: inferior, not inferior, equal or undecided', async (t) => {
  const arm = (n: number, clicks: number) =>
    armOf({ ...failing(0, n), kpis: { click: { events: clicks * 2, firsts: clicks } } });
  const half = { w: 0.5 };
  t.equal(gate(CLICKS, arm(40_000, 1600), arm(40_000, 2000), half).state, 'FAIL', 'fewer clicks');
  const equal = gate(CLICKS, arm(400_000, 20_000), arm(400_000, 20_000), half);
  t.equal(equal.state, 'PASS');
  t.match(equal.text, /equal within 5 %/);
  const better = gate(CLICKS, arm(40_000, 2600), arm(40_000, 2000), half);
  t.equal(better.state, 'PASS');
  t.notMatch(better.text, /equal within/);
  const undecided = gate(CLICKS, arm(4000, 200), arm(4000, 200), half);
  t.equal(undecided.state, 'CONTINUE');
  const need = undecided.samples.need ?? 0;
  t.ok(need > 3000 && need < 40_000, `${need} clicks on the canary are needed`);
  const within = gate(CLICKS, arm(400_000, 19_600), arm(400_000, 20_000), half);
  t.not(within.state, 'FAIL', 'two percent less is within five');
  const guard = gate(CLICKS, arm(5000, 150), arm(95_000, 4750), { w: 0.05 });
  t.equal(guard.state, 'FAIL', 'at small shares a guard against any loss');
});

t.test('prediction shift: looks by the schedule, valid in between', async (t) => {
  t.equal(epochOf(49, 0.1), null, 'no look before 50 answers');
  t.match(epochOf(50, 0.02), { share: 1 / 2, v: 0.02 });
  const between = epochOf(60, 1 / 60);
  t.ok(between !== null && Math.abs(between.v - 1 / 50) < 1e-12, 'in between, v is that of the look');
  t.equal(epochOf(62.5, 1)?.share, 1 / 6);
  // The document's inequalities, at the edge: the evidence is ln(1/alpha) where they are equalities.
  const [k, atMost, alpha] = [10, 0.1, 0.01];
  const epoch = { share: 1 / 12, v: 0.001 };
  const edge =
    atMost + 0.5 * Math.sqrt((k - 1) * epoch.v) + Math.sqrt((epoch.v * Math.log(2 / (alpha / 12))) / 2);
  t.ok(Math.abs(logDrifted(edge, atMost, k, epoch) - Math.log(1 / alpha)) < 1e-9, 'roll back');
  const room = atMost - Math.sqrt((epoch.v * Math.log(1 / (alpha / 12))) / 2);
  t.ok(Math.abs(logSteady(room, atMost, epoch) - Math.log(1 / alpha)) < 1e-9, 'pass');
  const level = logApart(10, 200, 900, 3000, 0.1);
  t.ok(level > 0);
  t.equal(logApart(10, 200, 900, 3000, 0.25), 0, 'not so far apart');
  t.equal(logApart(10, 200, 900, 3000, 0.1), logApart(900, 3000, 10, 200, 0.1), 'symmetric');
  t.ok(
    logAgainstRate(10, 200, 0.12) >= level || logAgainstRate(900, 3000, 0.22) >= level,
    'no pair of rates within the gap is better',
  );
});

t.test('prediction shift: one class in five flipped fails, the same model passes', async (t) => {
  const arm = (...counts: number[]) => {
    const n = counts.reduce((a, b) => a + b);
    return armOf({ ...failing(0, n), classes: Object.fromEntries(counts.map((c, i) => [`k${i}`, c])) });
  };
  const stable = arm(4000, 4000, 4000, 4000, 4000);
  const flipped = gate(SHIFT, arm(400, 0, 200, 200, 200), stable);
  t.equal(flipped.state, 'FAIL');
  t.match(
    flipped.text,
    /differ from stable's by 20 % over 1,000 predictions against 20,000; most in class k/,
  );
  t.equal(gate(SHIFT, arm(82, 78, 85, 75, 80), stable).state, 'CONTINUE', 'four hundred are not enough');
  t.equal(gate(SHIFT, arm(2020, 1980, 2050, 1950, 2000), stable).state, 'PASS');
  const young = gate(SHIFT, arm(8, 8, 8, 8, 8), stable);
  t.equal(young.canary, null);
  t.ok((young.samples.need ?? 0) > 400, 'says how many are missing');
});

t.test('without a second arm, absolute thresholds are all there is', async (t) => {
  const alone = { w: 1 };
  t.equal(gate(SUCCESS, failing(60, 1000), failing(0, 0), alone).state, 'FAIL');
  t.equal(gate(SUCCESS, failing(10, 1000), failing(0, 0), alone).state, 'CONTINUE');
  t.equal(gate(SUCCESS, failing(0, 1000), failing(0, 0), alone).state, 'PASS');
});

t.test('kpi: events of no slice count at the shares under which they came about', async (t) => {
  const clicks = (firsts: number) => ({ click: { events: firsts, firsts } });
  const late = [
    { w: 0.05, canary: clicks(20), stable: clicks(700) },
    { w: 0.25, canary: clicks(150), stable: clicks(600) },
  ];
  const verdictOf = (slices: readonly Slice[], beside: typeof late) =>
    judge(planOf(CLICKS), { ...evidenceOf(...slices), late: beside }, contextOf()).gates[0]!;
  const { harm, pass, canary, stable } = verdictOf([], late);
  const counts = (index: number) => {
    const { w } = late[index]!;
    return { w, kc: late[index]!.canary.click.firsts, ks: late[index]!.stable.click.firsts };
  };
  t.ok(
    Math.abs(pass.logE - logR([counts(0), counts(1)], 0.95, NOT_LESS)) < 1e-9,
    'as if there had been slices',
  );
  // At the small share against "as many as on stable", above it against 95 % of them.
  const ratios = LESS.map((m) => logR([counts(0)], 1, [m]) + logR([counts(1)], 0.95, [m]));
  const mean = ratios.reduce((sum, ratio) => sum + Math.exp(ratio) / LESS.length, 0);
  t.ok(Math.abs(harm.logE - Math.log(mean)) < 1e-9);
  t.strictSame([canary?.n, stable?.n], [170, 1300]);

  const arm = (n: number, firsts: number) => armOf({ ...failing(0, n), kpis: clicks(firsts) });
  const slice = sliceOf(arm(5_000, 250), arm(5_000, 250), { w: 0.5 });
  t.strictSame(
    verdictOf([slice], []),
    verdictOf([slice], [{ w: 0.5, canary: {}, stable: {} } as never]),
    'none',
  );
  t.ok(
    verdictOf([slice], late).harm.logE > verdictOf([slice], []).harm.logE,
    'worse then, so worse together',
  );
  t.equal(
    judge(planOf(SUCCESS), { ...emptyEvidence(), late }, contextOf()).M,
    1,
    'and no other gate heeds them',
  );
});
