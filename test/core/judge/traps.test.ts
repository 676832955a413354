import t from 'tap';
import { armOf, type Slice } from '../../../src/core/judge/evidence.ts';
import { type JudgeMemo, judge, judgeWith } from '../../../src/core/judge/judge.ts';
import { logB, UP } from '../../../src/core/judge/kernels/binomial.ts';
import { crowdOf, crowdSlices } from './crowd.ts';
import {
  binomial,
  CLICKS,
  contextOf,
  evidenceOf,
  failing,
  multinomial,
  P99,
  planOf,
  randomFrom,
  SHIFT,
  SUCCESS,
  SURE,
  sliceOf,
} from './stream.ts';

/** One law for both arms, each traps test counts how often the judge is fooled; more than this is not chance. */
const ALPHA = 0.01;

function tooMany(runs: number): number {
  return Math.ceil(runs * ALPHA + 3 * Math.sqrt(runs * ALPHA));
}

/** Looks at a growing stream a few times a minute until the judge fails it; says when, or null. */
function firstFail(
  plan: ReturnType<typeof planOf>,
  minutes: number,
  looksPerMinute: number,
  rates: (minute: number) => { canary: number; stable: number },
  random: () => number,
): { minute: number; exposed: number } | null {
  const w = 0.05;
  const perLook = 6000 / looksPerMinute;
  const slices: Slice[] = [];
  let memo: JudgeMemo | null = null;
  let exposed = 0;
  for (let minute = 0; minute < minutes; minute++) {
    const { canary, stable } = rates(minute);
    const counts = [0, 0, 0, 0];
    for (let look = 0; look < looksPerMinute; look++) {
      const n = Math.round(perLook * w);
      counts[0]! += binomial(random, n, canary);
      counts[1]! += n;
      counts[2]! += binomial(random, perLook - n, stable);
      counts[3]! += perLook - n;
      exposed += n;
      slices[minute] = sliceOf(failing(counts[0]!, counts[1]!), failing(counts[2]!, counts[3]!), {
        index: minute,
        w,
      });
      const now = judgeWith(plan, evidenceOf(...slices), contextOf(), memo);
      memo = now.memo;
      if (now.verdict.state === 'FAIL') return { minute, exposed };
    }
  }
  return null;
}

t.test('trap 1: an outage that both versions share does not roll back', async (t) => {
  const runs = 150;
  let ours = 0;
  let absolute = 0;
  for (let run = 0; run < runs; run++) {
    const outage = (minute: number) => (minute >= 3 && minute < 6 ? 0.3 : 0.002);
    const both = (minute: number) => ({ canary: outage(minute), stable: outage(minute) });
    if (firstFail(planOf(SUCCESS), 10, 6, both, randomFrom(100 + run)) !== null) ours++;
    const failed = binomial(randomFrom(run), 900, 0.3);
    if (logB(failed, 1800, 0.01, UP) >= Math.log(1 / ALPHA)) absolute++;
  }
  t.ok(ours <= tooMany(runs), `${ours} of ${runs} rolled back`);
  t.equal(absolute, runs, 'where an absolute threshold always does');
});

t.test('trap 1: during it nothing is promoted, and the environment is named', async (t) => {
  const outage = evidenceOf(sliceOf(failing(90, 300), failing(1710, 5700)));
  const verdict = judge(planOf(SUCCESS), outage, contextOf({ nextW: 0.25 }));
  t.equal(verdict.state, 'CONTINUE');
  t.ok(verdict.gates[0]?.environment);
  t.match(verdict.gates[0]?.text, /the environment, not the version/);
  t.notOk(verdict.advance.ready);
});

t.test('after it the version passes without paying for it for hours', async (t) => {
  const slices = [sliceOf(failing(90, 300), failing(1710, 5700), { index: 0 })];
  for (let index = 1; index < 12; index++) {
    slices.push(sliceOf(failing(0, 300), failing(6, 5700), { index }));
  }
  t.equal(judge(planOf(SUCCESS), evidenceOf(...slices), contextOf()).state, 'PASS');
});

t.test('but a version that is really worse is found, early and also when it turns bad late', async (t) => {
  const exposed = (from: number, rate: number) => {
    const found: number[] = [];
    for (let run = 0; run < 40; run++) {
      const at = firstFail(
        planOf(SUCCESS),
        from + 20,
        60,
        (minute) => ({ canary: minute >= from ? rate : 0.001, stable: 0.001 }),
        randomFrom(900 + run),
      );
      t.ok(at !== null, 'found');
      found.push((at?.exposed ?? 1e9) - from * 300);
    }
    return found.sort((a, b) => a - b)[20]!;
  };
  const small = exposed(0, 0.01);
  const great = exposed(0, 0.05);
  const late = exposed(10, 0.05);
  t.ok(small <= 600, `errors to 1 %: median ${small} exposed`);
  t.ok(great <= 80, `errors to 5 %: median ${great} exposed`);
  t.ok(late <= 250, `errors to 5 % after ten minutes: median ${late} exposed`);
});

t.test('trap 2: sticky users with heavy tails do not roll back', async (t) => {
  const runs = 120;
  const stages = [
    { w: 0.05, slices: 5, requestsPerSlice: 1200 },
    { w: 0.25, slices: 5, requestsPerSlice: 1200 },
  ];
  const fooled = (gate: typeof SUCCESS | typeof SHIFT, firsts: 'stage' | 'request') => {
    let fails = 0;
    for (let run = 0; run < runs; run++) {
      const random = randomFrom(1000 + run);
      const slices = crowdSlices(crowdOf(random, 1200), random, stages, firsts);
      let memo: JudgeMemo | null = null;
      for (let look = 1; look <= slices.length; look++) {
        const now = judgeWith(planOf(gate), evidenceOf(...slices.slice(0, look)), contextOf(), memo);
        memo = now.memo;
        if (now.verdict.state !== 'FAIL') continue;
        fails++;
        break;
      }
    }
    return fails;
  };
  const failures = fooled(SUCCESS, 'stage');
  const answers = fooled(SHIFT, 'stage');
  t.ok(failures <= tooMany(runs), `first failures: ${failures} of ${runs}`);
  t.ok(answers <= tooMany(runs), `first answers: ${answers} of ${runs}`);
  const naive = fooled(SUCCESS, 'request');
  t.ok(naive > 2 * tooMany(runs), `every failure counted, it would be ${naive}: the trap is one`);
});

t.test('trap 3: a time-out is a failure; retries and clients that left are in no count', async (t) => {
  // 300 first attempts, 6 of them time-outs; a client that left or a retry that succeeded changes nothing.
  const timedOut = armOf({ ...failing(6, 300), latency: [0, 294, 0, 0, 0, 6] });
  const stable = armOf({ ...failing(6, 5700), latency: [0, 5694, 0, 0, 0, 6] });
  const verdict = judge(planOf(SUCCESS), evidenceOf(sliceOf(timedOut, stable)), contextOf());
  t.equal(verdict.gates[0]?.canary?.value, 0.02, 'time-outs count, over first attempts only');
  t.equal(verdict.state, 'FAIL');
  const retried = judge(planOf(SUCCESS), evidenceOf(sliceOf(failing(0, 300), stable)), contextOf());
  t.equal(retried.state, 'CONTINUE', 'without them it is as good as any');
});

t.test('trap 4: small samples of one model are no drift', async (t) => {
  const runs = 200;
  const shares = Array(10).fill(0.1);
  let naive = 0;
  let failed = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomFrom(run);
    const canary = Array(10).fill(0);
    const stable = Array(10).fill(0);
    let memo: JudgeMemo | null = null;
    let bad = false;
    for (let look = 0; look < 40; look++) {
      for (const [i, n] of multinomial(random, 10, shares).entries()) canary[i] += n;
      for (const [i, n] of multinomial(random, 190, shares).entries()) stable[i] += n;
      const n = 10 * (look + 1);
      const arm = (scores: number[], times: number) =>
        armOf({ requests: n * times, keys: n * times, scores: [...scores] });
      const now = judgeWith(
        planOf(SHIFT),
        evidenceOf(sliceOf(arm(canary, 1), arm(stable, 19))),
        contextOf(),
        memo,
      );
      memo = now.memo;
      if (now.verdict.state === 'FAIL') bad = true;
      if (n === 100 && (now.verdict.gates[0]?.canary?.value ?? 0) > 0.1) naive++;
    }
    if (bad) failed++;
  }
  t.ok(failed <= tooMany(runs), `${failed} of ${runs} rolled back in forty looks`);
  t.ok(naive > 0.6 * runs, `a bare "more than 10 %" at 100 answers fails ${naive} of them`);
});

t.test('trap 4: a drift in time is none between versions, whatever the stages', async (t) => {
  // The mixture of the day changes while the share grows: pooled, the arms would differ by 0.2.
  const arm = (a: number, b: number) => armOf({ requests: a + b, keys: a + b, classes: { a, b } });
  const slices = [
    sliceOf(arm(90, 10), arm(1710, 190), { stage: 1, index: 0, w: 0.05 }),
    sliceOf(arm(500, 500), arm(500, 500), { stage: 2, index: 1, w: 0.5 }),
  ];
  const verdict = judge(planOf(SHIFT), evidenceOf(...slices), contextOf());
  t.ok((verdict.gates[0]?.canary?.value ?? 1) < 1e-9);
});

t.test('trap 5: silence is neither failure nor success', async (t) => {
  const good = sliceOf(failing(0, 3000), failing(57, 57_000));
  const plan = planOf(SUCCESS);
  t.equal(judge(plan, evidenceOf(good), contextOf()).state, 'PASS');
  const silent = (canary: number, stable: number, spanMs = 30_000) =>
    evidenceOf(good, sliceOf(failing(0, canary), failing(0, stable), { index: 1, spanMs }));
  const canary = judge(plan, silent(0, 2850), contextOf({ nextW: 0.25 }));
  t.equal(canary.state, 'ERROR');
  t.match(canary.text, /canary has no more requests: 150 were due since its last/);
  t.notOk(canary.advance.ready);
  t.match(judge(plan, silent(150, 0), contextOf()).problems, [/stable has no more requests/]);
  t.match(judge(plan, silent(0, 0, 60_000), contextOf({ ratePerS: 0 })).problems, [/no requests for 60 s/]);
  t.strictSame(judge(plan, silent(0, 19), contextOf({ ratePerS: 0.6 })).problems, [], 'few are expected');
  const fading = (passed: number) => evidenceOf({ ...good, passed: { canary: passed, stable: 0 } });
  t.match(judge(plan, fading(200), contextOf()).problems, [/canary .* 11 were due/], 'inside a slice');
  t.strictSame(judge(plan, fading(100), contextOf()).problems, []);
  const gap = judge(plan, { ...evidenceOf(good), problems: ['worker 3 reported nothing'] }, contextOf());
  t.equal(gap.state, 'ERROR');
  t.match(gap.text, /worker 3 reported nothing/);
});

t.test('trap 5: a gate that reads nothing of what is answered says so', async (t) => {
  const blind = evidenceOf(sliceOf(failing(0, 1000), failing(0, 19_000)));
  for (const gate of [SURE, SHIFT, P99]) {
    const verdict = judge(planOf(gate), blind, contextOf());
    t.equal(verdict.state, 'ERROR', gate.kind);
    t.match(verdict.text, /could be read/);
  }
  t.equal(judge(planOf(CLICKS), blind, contextOf()).state, 'CONTINUE', 'clicks may take their time');
  const young = evidenceOf(sliceOf(failing(0, 10), failing(0, 190)));
  t.equal(judge(planOf(SURE), young, contextOf()).state, 'CONTINUE');
});

t.test('trap 6: a sample ratio mismatch holds', async (t) => {
  const skewed = judge(
    planOf(SUCCESS),
    evidenceOf(sliceOf(failing(0, 1200), failing(0, 18_800))),
    contextOf(),
  );
  t.equal(skewed.state, 'ERROR');
  t.match(skewed.text, /sample ratio mismatch: the canary got 6 % of 20,000 users, not 5 %/);
  const failingToo = judge(
    planOf(SUCCESS),
    evidenceOf(sliceOf(failing(300, 1200), failing(10, 18_800))),
    contextOf(),
  );
  t.equal(failingToo.state, 'FAIL', 'and does not hide harm');
});

t.test('trap 6: the same users in stage after stage are not fresh evidence', async (t) => {
  const runs = 3000;
  let found = 0;
  for (let run = 0; run < runs; run++) {
    const canary = binomial(randomFrom(run), 2000, 0.1);
    const slices = [0, 1, 2, 3, 4, 5].map((stage) =>
      sliceOf(failing(0, canary), failing(0, 2000 - canary), { stage, index: stage, w: 0.1 }),
    );
    if (judge(planOf(SUCCESS), evidenceOf(...slices), contextOf()).state === 'ERROR') found++;
  }
  // .001 is its share; multiplying the stages' evidence would say so of 1 %.
  t.ok(found <= 9, `${found} of ${runs}`);
});
