import t from 'tap';
import { type ExperimentPlan, judgeExperiment, ratioInterval } from '../../../src/core/judge/experiment.ts';
import { betaLn } from '../../../src/core/judge/kernels/logs.ts';
import { binomial, randomFrom } from './stream.ts';

const HOUR_MS = 3_600_000;
const PLAN: ExperimentPlan = {
  kpi: 'click',
  alpha: 0.05,
  within: 0.05,
  control: 'v1',
  variants: [
    { name: 'v1', share: 0.5 },
    { name: 'v2', share: 0.5 },
  ],
};

function verdict(v1: number, v2: number, keys = 100_000) {
  return judgeExperiment(PLAN, { v1: { keys, firsts: v1 }, v2: { keys, firsts: v2 } }, HOUR_MS);
}

t.test('winner, equivalent or continue', async (t) => {
  t.match(verdict(5000, 5600), { state: 'winner', winner: 'v2', remainingMs: 0 });
  t.match(verdict(5600, 5000), { state: 'winner', winner: 'v1' });
  t.match(verdict(20_000, 20_050), { state: 'equivalent', winner: null });
  const open = verdict(1000, 1030, 20_000);
  t.match(open, { state: 'continue', winner: null });
  t.ok(open.remainingMs !== null && open.remainingMs > HOUR_MS, 'says for how long');
  t.match(open.text, /click with v2 1\.030 times as often as with v1 .*undecided, about/);
  t.match(verdict(0, 0), { state: 'continue', remainingMs: null, variants: [{ ratio: null }] });
});

t.test('the interval is the formula: at its ends the evidence is 1/alpha', async (t) => {
  const [kv, kc, w] = [300, 900, 0.2];
  const logE = (theta: number) =>
    betaLn(100 * w + kv, 100 * (1 - w) + kc) -
    betaLn(100 * w, 100 * (1 - w)) -
    kv * Math.log(theta) -
    kc * Math.log(1 - theta);
  const { low, high } = ratioInterval(kv, kc, w, 0.05);
  for (const rho of [low, high]) {
    const theta = (w * rho) / (w * rho + 1 - w);
    t.ok(Math.abs(logE(theta) - Math.log(20)) < 1e-6, `at ${rho}`);
  }
  t.ok(low < 4 / 3 && 4 / 3 < high, 'the ratio itself is inside');
});

t.test('a sample ratio mismatch is an error, whatever the clicks say', async (t) => {
  const skewed = judgeExperiment(
    PLAN,
    { v1: { keys: 52_000, firsts: 2000 }, v2: { keys: 48_000, firsts: 4000 } },
    HOUR_MS,
  );
  t.match(skewed, { state: 'ERROR', winner: null, text: /sample ratio mismatch/ });
});

t.test('several variants share alpha, and the best of those decided wins', async (t) => {
  const three: ExperimentPlan = {
    ...PLAN,
    variants: [
      { name: 'v1', share: 0.4 },
      { name: 'v2', share: 0.3 },
      { name: 'v3', share: 0.3 },
    ],
  };
  const counts = {
    v1: { keys: 40_000, firsts: 2000 },
    v2: { keys: 30_000, firsts: 1900 },
    v3: { keys: 30_000, firsts: 2400 },
  };
  t.match(judgeExperiment(three, counts, HOUR_MS), { state: 'winner', winner: 'v3' });
  const two = ratioInterval(1900, 2000, 3 / 7, 0.05);
  const shared = judgeExperiment(three, counts, HOUR_MS).variants[0]?.ratio;
  t.ok(shared !== null && shared !== undefined && shared.low < two.low && shared.high > two.high, 'wider');
  const doubt = { ...counts, v2: { keys: 30_000, firsts: 1530 } };
  t.match(judgeExperiment(three, doubt, HOUR_MS), { state: 'continue', winner: null });
});

t.test('looked at all the time, equals rarely get a winner', async (t) => {
  const runs = 200;
  let wrong = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomFrom(run);
    const [v1, v2] = [
      { keys: 0, firsts: 0 },
      { keys: 0, firsts: 0 },
    ];
    for (let look = 0; look < 60; look++) {
      const split = binomial(random, 2000, 0.5);
      v1.keys += split;
      v2.keys += 2000 - split;
      v1.firsts += binomial(random, split, 0.05);
      v2.firsts += binomial(random, 2000 - split, 0.05);
      if (judgeExperiment(PLAN, { v1, v2 }, (look + 1) * HOUR_MS).state !== 'winner') continue;
      wrong++;
      break;
    }
  }
  t.ok(wrong <= 18, `${wrong} of ${runs} at alpha 0.05`);
});
