import t, { type Test } from 'tap';
import { Law, Random } from '../../bench/judge/random.ts';
import { betaConfidence, EDGES_MS, logNormalLatency, normalCdf } from '../../bench/judge/traffic.ts';

/** The bench stands on its draws: their laws are checked with seeds, so these tests cannot fail by chance. */

const DRAWS = 20_000;

function moments(draw: () => number): { mean: number; variance: number } {
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < DRAWS; i++) {
    const value = draw();
    sum += value;
    squares += value * value;
  }
  const mean = sum / DRAWS;
  return { mean, variance: squares / DRAWS - mean * mean };
}

/** Within five standard errors, of the mean and of the variance. */
function like(t: Test, seen: ReturnType<typeof moments>, mean: number, variance: number, what: string) {
  t.ok(Math.abs(seen.mean - mean) < 5 * Math.sqrt(variance / DRAWS) + 1e-9, `${what}: mean ${seen.mean}`);
  t.ok(
    Math.abs(seen.variance - variance) <= 5 * variance * Math.sqrt((2 + 1 / variance) / DRAWS) + 1e-9,
    `${what}: variance ${seen.variance} of ${variance}`,
  );
}

t.test('the same seed draws the same, another one does not', async (t) => {
  const draw = (seed: string) => {
    const random = new Random(seed);
    return Array.from({ length: 8 }, () => random.uniform());
  };
  t.strictSame(draw('a'), draw('a'));
  t.notSame(draw('a'), draw('b'));
  t.ok(draw('a').every((x) => x > 0 && x < 1));
});

t.test('Poisson', async (t) => {
  const random = new Random('poisson');
  for (const mean of [0.01, 0.5, 9.5, 10, 30, 250, 60_000]) {
    like(
      t,
      moments(() => random.poisson(mean)),
      mean,
      mean,
      `mean ${mean}`,
    );
  }
});

t.test('binomial', async (t) => {
  const random = new Random('binomial');
  for (const [n, p] of [
    [1, 0.5],
    [10, 0.001],
    [1000, 0.001],
    [1000, 0.05],
    [1000, 0.5],
    [1000, 0.97],
    [60_000, 0.25],
  ] as const) {
    like(
      t,
      moments(() => random.binomial(n, p)),
      n * p,
      n * p * (1 - p),
      `${n} × ${p}`,
    );
  }
  t.equal(random.binomial(0, 0.5), 0);
  t.equal(random.binomial(7, 0), 0);
  t.equal(random.binomial(7, 1), 7);
});

t.test('a law scatters by its probabilities, few at a time and many', async (t) => {
  const random = new Random('law');
  const law = new Law([1, 2, 0, 5]);
  for (const n of [5, 80_000]) {
    const counts = [0, 0, 0, 0];
    for (let drawn = 0; drawn < 80_000; drawn += n) law.scatter(random, n, counts);
    t.equal(
      counts.reduce((sum, one) => sum + one, 0),
      80_000,
    );
    t.equal(counts[2], 0);
    law.probabilities.forEach((p, i) => {
      const deviation = Math.sqrt(80_000 * p * (1 - p));
      t.ok(Math.abs((counts[i] as number) - 80_000 * p) <= 5 * deviation, `outcome ${i} of ${n} at a time`);
    });
  }
});

t.test('the shapes are those the page tells', async (t) => {
  t.ok(Math.abs(normalCdf(1.959964) - 0.975) < 1e-7);
  t.ok(Math.abs(normalCdf(-3) - 0.0013498980316) < 1e-8);
  const above = (medianMs: number, edge: (typeof EDGES_MS)[number]) =>
    logNormalLatency(medianMs, 0.45)
      .probabilities.slice(EDGES_MS.indexOf(edge) + 1)
      .reduce((sum, p) => sum + p, 0);
  t.ok(Math.abs(above(50, 142) - 0.01) < 0.0005, 'p99 of stable is 142 ms');
  t.ok(above(75, 200) > 0.0145 && above(75, 200) < 0.015, 'slowed, 1.5 % are above 200 ms');
  for (const mean of [0.85, 0.65]) {
    const { probabilities } = betaConfidence(mean, 10);
    const got = probabilities.reduce((sum, p, level) => sum + p * ((level * 8 + 4.5) / 256), 0);
    t.ok(Math.abs(got - mean) < 0.004, `mean confidence ${got}`);
  }
});
