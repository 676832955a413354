import t from 'tap';
import { behaviourAt, bucketShares, type Fault, meanMs } from '../../src/core/simulation/behaviour.ts';
import { binomial, poisson, seeded } from '../../src/core/simulation/draws.ts';
import { Traffic, type TrafficOptions, WARM_UP_MS } from '../../src/core/simulation/traffic.ts';
import { EDGES } from './simulation-support.ts';

/** Mean and variance of many draws. */
function moments(draw: () => number, draws = 20_000) {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < draws; i++) {
    const value = draw();
    sum += value;
    squares += value * value;
  }
  const mean = sum / draws;
  return { mean, variance: squares / draws - mean * mean };
}

t.test('equal seeds give equal sequences, uniform in [0, 1)', async (t) => {
  const [a, b, c] = [seeded(7), seeded(7), seeded(8)];
  const first = Array.from({ length: 100 }, a);
  t.strictSame(Array.from({ length: 100 }, b), first);
  t.not(c(), first[0]);
  t.ok(first.every((value) => value >= 0 && value < 1));
  const { mean, variance } = moments(seeded(1));
  t.ok(Math.abs(mean - 0.5) < 0.01);
  t.ok(Math.abs(variance - 1 / 12) < 0.005);
});

t.test('Poisson draws have the mean and the variance asked for', async (t) => {
  for (const wanted of [0.1, 2, 29, 31, 500]) {
    const { mean, variance } = moments(() => poisson(wanted, random));
    t.ok(Math.abs(mean - wanted) < 0.05 * wanted, `mean ${wanted}: ${mean}`);
    t.ok(Math.abs(variance - wanted) < 0.1 * wanted, `variance ${wanted}: ${variance}`);
  }
  t.equal(poisson(0, random), 0);
});

const random = seeded(3);

t.test('binomial draws have the mean and the variance asked for, and stay in their range', async (t) => {
  for (const [trials, share] of [
    [10, 0.5],
    [100, 0.01],
    [100, 0.99],
    [1_000, 0.3],
    [100_000, 0.05],
  ] as const) {
    const drawn = () => {
      const value = binomial(trials, share, random);
      if (value < 0 || value > trials || !Number.isInteger(value)) t.fail(`${value} of ${trials}`);
      return value;
    };
    const { mean, variance } = moments(drawn);
    const spread = trials * share * (1 - share);
    t.ok(Math.abs(mean - trials * share) < 0.05 * Math.sqrt(spread) + 0.01, `${trials} at ${share}: ${mean}`);
    t.ok(Math.abs(variance - spread) < 0.1 * spread, `${trials} at ${share}: variance ${variance}`);
  }
  t.equal(binomial(10, 0, random), 0);
  t.equal(binomial(10, 1, random), 10);
  t.equal(binomial(0, 0.5, random), 0);
});

t.test('the last fault of a kind that has begun counts, and lasts', async (t) => {
  const faults: Fault[] = [
    { kind: '5xx', share: 0.5, atMs: 2_000 },
    { kind: '5xx', share: 0.1, atMs: 1_000 },
    { kind: 'latency', addMs: 300, atMs: 1_500 },
  ];
  const usual = { errorShare: 0.01, addMs: 0 };
  t.strictSame(behaviourAt(faults, usual, 999), usual);
  t.strictSame(behaviourAt(faults, usual, 1_000), { errorShare: 0.1, addMs: 0 });
  t.strictSame(behaviourAt(faults, usual, 1_999), { errorShare: 0.1, addMs: 300 });
  t.strictSame(behaviourAt(faults, usual, 1e9), { errorShare: 0.5, addMs: 300 });
});

t.test('answers are log-normal around their median, and a delay moves them all', async (t) => {
  const shares = bucketShares(EDGES, 50, 0);
  t.equal(shares.length, EDGES.length + 1);
  t.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-9);
  const below = (upTo: number, of: Float64Array) =>
    EDGES.reduce((sum, edge, i) => (edge <= upTo ? sum + (of[i] as number) : sum), 0);
  t.ok(Math.abs(below(50, shares) - 0.5) < 1e-6, 'half of them take the median at most');
  const late = bucketShares(EDGES, 50, 150);
  t.equal(below(150, late), 0);
  t.ok(Math.abs(below(200, late) - 0.5) < 1e-6);
  t.equal(meanMs(50, 150) - meanMs(50, 0), 150);
});

function traffic(options: Partial<TrafficOptions> = {}): Traffic {
  return new Traffic({
    ratePerS: 100,
    medianMs: 20,
    errorShare: 0,
    faults: [],
    random: seeded(5),
    edgesMs: EDGES,
    tickMs: 1_000,
    ...options,
  });
}

t.test('before a play stable has served everybody for a while', async (t) => {
  const one = traffic();
  t.equal(one.nowMs, 0);
  const stable = one.window('stable', Number.POSITIVE_INFINITY, -WARM_UP_MS);
  t.ok(Math.abs(stable.requests - WARM_UP_MS / 10) < 1_000, String(stable.requests));
  t.equal(one.window('canary', 1e9, -1e9).requests, 0);
  t.equal(one.window('stable', 1e9, 0).requests, 0, 'the play itself has just begun');
});

t.test('requests fall to the versions by their shares; faults are the canary’s', async (t) => {
  const one = traffic({ faults: [{ kind: '5xx', share: 1, atMs: 60_500 }] });
  one.advance(120_000, 0.25, 0.5);
  const canary = one.window('canary', 120_000, 0);
  const stable = one.window('stable', 120_000, 0);
  t.ok(Math.abs(canary.requests - 3_000) < 250, String(canary.requests));
  t.ok(Math.abs(stable.requests - 6_000) < 350, String(stable.requests));
  t.equal(stable.errors, 0);
  t.ok(Math.abs(canary.errors - 1_487) < 180, `from the fault on all fail: ${canary.errors}`);
  for (const counts of [canary, stable]) {
    t.equal(
      counts.durationsByBucket.reduce((sum, count) => sum + count, 0),
      counts.requests,
      'every request is in one bucket',
    );
    t.equal(counts.spanMs, 120_000);
  }
  const late = one.window('canary', 59_000, 0);
  t.equal(late.errors, late.requests);
  t.ok(late.requests > 0);
});

t.test('a window ends now, and begins at its length or at the run, whichever is later', async (t) => {
  const one = traffic();
  one.advance(60_000, 1, 0);
  const all = one.window('canary', 60_000, 0).requests;
  const firstHalf = one.at('canary', 30_000).requests;
  t.equal(one.window('canary', 30_000, 0).requests, all - firstHalf);
  t.equal(one.window('canary', 60_000, 30_000).requests, all - firstHalf);
  t.equal(one.window('canary', 60_000, 30_000).spanMs, 30_000);
  one.advance(60_400, 1, 0);
  t.ok(one.window('canary', 1e9, 0).requests > all, 'what is inside the tick under way counts too');
});
