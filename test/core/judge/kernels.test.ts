import { readFileSync } from 'node:fs';
import t from 'tap';
import { DOWN, logB, UP } from '../../../src/core/judge/kernels/binomial.ts';
import {
  addWealth,
  MEAN_BINS,
  type MeanTable,
  meanTable,
} from '../../../src/core/judge/kernels/bounded-mean.ts';
import { logAgainstRate, rateInterval } from '../../../src/core/judge/kernels/interval.ts';
import { betaLn, lnGamma, logMeanExp, logSumExp } from '../../../src/core/judge/kernels/logs.ts';
import { meanInterval } from '../../../src/core/judge/kernels/mean-interval.ts';
import { LESS, logR, MORE, ratioTilt, theta } from '../../../src/core/judge/kernels/ratio.ts';
import {
  addToRestarts,
  restartsE,
  restartsWithLate,
  startRestarts,
} from '../../../src/core/judge/kernels/restarts.ts';
import { logSampleRatio } from '../../../src/core/judge/kernels/sample-ratio.ts';
import { randomFrom } from './stream.ts';

/** Made by kernel_values.py: exact rational products instead of logarithms, another language. */
const VALUES = JSON.parse(readFileSync(new URL('./kernel_values.json', import.meta.url), 'utf8')) as {
  lnGamma: { x: number; value: number }[];
  b: { k: number; n: number; q0: number; side: 'UP' | 'DOWN'; value: number }[];
  r: {
    stages: { kc: number; ks: number; w: number }[];
    rho0: number;
    grid: 'MORE' | 'LESS';
    value: number;
  }[];
  restarts: { slices: { kc: number; ks: number; w: number }[]; rho0: number; value: number }[];
  bounded: {
    m: number;
    side: 'tooLow' | 'goodEnough';
    histogram: Record<string, number>;
    value: number;
  }[];
  sampleRatio: { counts: number[]; weights: number[]; value: number }[];
  interval: { k: number; n: number; alpha: number; low: number; high: number }[];
};

/** Log e-value of a histogram. */
function logMean(table: MeanTable, histogram: ArrayLike<number>): number {
  const wealth = new Float64Array(table.bets);
  addWealth(wealth, table, histogram);
  return logMeanExp(wealth);
}

function near(
  t: { ok(value: unknown, what: string): boolean },
  found: number,
  wanted: number,
  within: number,
  what: string,
): void {
  const miss = Math.abs(found - wanted);
  t.ok(miss <= within * Math.max(1, Math.abs(wanted)), `${what}: ${found}, wanted ${wanted}`);
}

function histogramOf(counts: Record<string, number>): Float64Array {
  const bins = new Float64Array(MEAN_BINS);
  for (const [bin, n] of Object.entries(counts)) bins[Number(bin)] = n;
  return bins;
}

t.test('the listed values', async (t) => {
  const listed = 6e-7;
  near(t, logR([{ kc: 5, ks: 20, w: 0.05 }], 1, MORE), 2.27924, listed, 'R(5,20)');
  near(t, logR([{ kc: 1, ks: 99, w: 0.01 }], 1, MORE), -1.306901, listed, 'R(1,99)');
  near(t, logB(5, 100, 0.01, UP), 2.887725, listed, 'B-UP(5,100)');
  near(t, logB(0, 500, 0.01, DOWN), 4.269526, listed, 'B-DOWN(0,500)');
  t.ok(logB(0, 357, 0.01, DOWN) < Math.log(20), '357 without a failure are too few');
  t.ok(logB(0, 358, 0.01, DOWN) >= Math.log(20), '358 are enough');
  // 0.5 is an edge: as the upper edge of its bin it is exactly the value of the list.
  near(t, logMean(meanTable(0.7, 'tooLow'), histogramOf({ 127: 20 })), 6.359108, listed, 'confidence');
  const { low, high } = rateInterval(5, 100, 0.05);
  near(t, low, 0.007149, listed, 'lower end');
  near(t, high, 0.155794, listed, 'upper end');
});

t.test('the independent values', async (t) => {
  const exact = 1e-11;
  for (const { x, value } of VALUES.lnGamma) near(t, lnGamma(x), value, 1e-13, `lnGamma(${x})`);
  for (const { k, n, q0, side, value } of VALUES.b) {
    near(t, logB(k, n, q0, side === 'UP' ? UP : DOWN), value, exact, `B-${side}(${k}, ${n}; ${q0})`);
  }
  for (const { stages, rho0, grid, value } of VALUES.r) {
    near(t, logR(stages, rho0, grid === 'MORE' ? MORE : LESS), value, exact, `R(${JSON.stringify(stages)})`);
  }
  for (const { slices, rho0, value } of VALUES.restarts) {
    const state = startRestarts(MORE.length);
    for (const [i, { kc, ks, w }] of slices.entries()) {
      addToRestarts(state, i, ratioTilt(w, rho0, MORE), kc, ks);
    }
    near(t, Math.log(restartsE(state)), value, exact, `${slices.length} restarts`);
  }
  for (const { m, side, histogram, value } of VALUES.bounded) {
    near(t, logMean(meanTable(m, side), histogramOf(histogram)), value, exact, `mean ${side} ${m}`);
  }
  for (const { counts, weights, value } of VALUES.sampleRatio) {
    near(t, logSampleRatio(counts, weights), value, 1e-10, `sample ratio ${counts}`);
  }
  for (const { k, n, alpha, low, high } of VALUES.interval) {
    const found = rateInterval(k, n, alpha);
    near(t, found.low, low, 1e-9, `lower end of ${k}/${n}`);
    near(t, found.high, high, 1e-9, `upper end of ${k}/${n}`);
  }
});

t.test('lnGamma keeps Gamma(x+1) = x Gamma(x) over all sizes', async (t) => {
  for (let x = 0.01; x < 1e9; x *= 1.37) {
    near(t, lnGamma(x + 1) - lnGamma(x), Math.log(x), 2e-15 * Math.max(100, x * Math.log(x + 2)), `x = ${x}`);
  }
  near(t, betaLn(1, 1), 0, 1e-14, 'B(1,1)');
  near(t, betaLn(2, 3), Math.log(1 / 12), 1e-14, 'B(2,3)');
});

t.test('sums of exponentials neither overflow nor vanish', async (t) => {
  t.equal(logSumExp([]), Number.NEGATIVE_INFINITY);
  t.equal(logSumExp([5000]), 5000);
  near(t, logSumExp([-5000, -5000]), -5000 + Math.LN2, 1e-15, 'small');
  near(t, logMeanExp([1000, Number.NEGATIVE_INFINITY]), 1000 - Math.LN2, 1e-15, 'of one and nothing');
});

t.test('an interval holds its rate, at its ends exactly the stated doubt', async (t) => {
  t.strictSame(rateInterval(0, 0, 0.05), { low: 0, high: 1 });
  for (const [k, n] of [
    [1, 2],
    [1, 1e6],
    [999_999, 1e6],
    [17, 41],
    [1, 1],
    [123_456, 9e8],
  ] as const) {
    const { low, high } = rateInterval(k, n, 0.05);
    t.ok(low < k / n && k / n <= high, `${k}/${n} is inside ${low} to ${high}`);
    near(t, logAgainstRate(k, n, low), Math.log(20), 1e-5, 'at the lower end');
    if (high < 1) near(t, logAgainstRate(k, n, high), Math.log(20), 1e-5, 'at the upper end');
  }
});

t.test('evidence is bounded, and a slice without events only starts a restart', async (t) => {
  const state = startRestarts(MORE.length);
  const tilt = ratioTilt(0.01, 1, MORE);
  addToRestarts(state, 0, tilt, 5000, 0);
  t.ok(Number.isFinite(restartsE(state)), 'after any number of failures it is a number');
  addToRestarts(state, 1, tilt, 0, 1e6);
  t.ok(restartsE(state) < 1, 'and it can fall again');
  const idle = startRestarts(MORE.length);
  for (let i = 0; i < 50; i++) addToRestarts(idle, i, tilt, 0, 0);
  near(t, restartsE(idle), 1, 1e-12, 'without events it is 1');
  const gap = startRestarts(MORE.length);
  addToRestarts(gap, 9, tilt, 0, 0);
  t.ok(restartsE(gap) < 1, 'slices that are missing give their weight away');
});

t.test('evidence that has vanished stays a number, whatever comes', async (t) => {
  const state = startRestarts(MORE.length);
  const half = ratioTilt(0.5, 1, MORE);
  addToRestarts(state, 1, half, 0, 400);
  // A slice of a stage that goes on beside a later one: it begins no restart.
  addToRestarts(state, 0, ratioTilt(0.05, 1, MORE), 400, 0);
  t.ok(Number.isFinite(restartsE(state)), `${restartsE(state)}`);
  addToRestarts(state, 2, half, 400, 0);
  t.ok(restartsE(state) > 100, 'and it can rise again');
});

t.test('without a second arm, or at a null of 0 or 1, kernels stay numbers', async (t) => {
  t.equal(logR([{ kc: 7, ks: 0, w: 1 }], 1, MORE), 0);
  t.equal(theta(1, 0.25), 0.25);
  t.ok(Number.isFinite(logB(3, 10, 0, UP)));
  t.ok(logB(3, 10, 0, UP) > Math.log(1000), 'failures where none may be are evidence');
  t.ok(Number.isFinite(logB(3, 10, 1, DOWN)));
});

t.test('the mean of an e-value under its null is 1, above its null more', async (t) => {
  const meanAt = (p: number, logE: (k: number) => number): number => {
    let sum = 0;
    for (let k = 0; k <= 30; k++) {
      const choose = -Math.log(31) - betaLn(k + 1, 31 - k);
      sum += Math.exp(choose + k * Math.log(p) + (30 - k) * Math.log(1 - p) + logE(k));
    }
    return sum;
  };
  const r = (k: number) => logR([{ kc: k, ks: 30 - k, w: 0.1 }], 1, MORE);
  near(t, meanAt(0.1, r), 1, 1e-10, 'R');
  t.ok(meanAt(0.05, r) < 1 && meanAt(0.2, r) > 10, 'R tells the sides apart');
  const up = (k: number) => logB(k, 30, 0.02, UP);
  near(t, meanAt(0.02, up), 1, 1e-10, 'B-UP');
  t.ok(meanAt(0.01, up) < 1 && meanAt(0.3, up) > 10, 'B-UP tells the sides apart');
  const down = (k: number) => logB(k, 30, 0.2, DOWN);
  near(t, meanAt(0.2, down), 1, 1e-10, 'B-DOWN');
  t.ok(meanAt(0.4, down) < 1 && meanAt(0.01, down) > 10, 'B-DOWN tells the sides apart');
});

t.test('the shown interval of a mean covers it at all times', async (t) => {
  const random = randomFrom(5);
  let missed = 0;
  for (let run = 0; run < 200; run++) {
    let sum = 0;
    let squares = 0;
    let out = false;
    for (let n = 1; n <= 600; n++) {
      const x = random() < 0.3 ? 0.2 : 0.6 + 0.4 * random();
      sum += x;
      squares += x * x;
      const mean = sum / n;
      const { low, high } = meanInterval(n, mean, Math.max(1e-5, squares / n - mean * mean), 0.05);
      // It is asymptotic: judged once there is something to estimate the variance from.
      if (n >= 40 && (low > 0.62 || high < 0.62)) out = true;
    }
    if (out) missed++;
  }
  t.ok(missed <= 14, `${missed} of 200`);
  t.strictSame(meanInterval(0, 0, 0, 0.05), { low: 0, high: 1 });
});

t.test(
  'events of no slice: each restart, begun or to come, has bet on them from the beginning',
  async (t) => {
    const random = randomFrom(11);
    const tilt = ratioTilt(0.05, 1, MORE);
    const beside = ratioTilt(0.25, 1, MORE);
    const count = (below: number) => Math.floor(random() * below);
    for (let round = 0; round < 50; round++) {
      const slices = Array.from({ length: count(6) }, () => ({ kc: count(3), ks: count(20) }));
      const late = { kc: count(8), ks: count(12) };
      const state = startRestarts(MORE.length);
      for (const [i, { kc, ks }] of slices.entries()) addToRestarts(state, i, tilt, kc, ks);
      const ratios = MORE.map((_, j) => late.kc * beside.first[j]! + late.ks * beside.second[j]!);
      // As the definition has it, restart by restart, each over the grid.
      let wanted = 0;
      for (let j = 1; j <= 500; j++) {
        const since = slices.slice(j - 1);
        const mean = MORE.reduce((sum, _, m) => {
          const own = since.reduce((log, { kc, ks }) => log + kc * tilt.first[m]! + ks * tilt.second[m]!, 0);
          return sum + Math.exp(own + ratios[m]!) / MORE.length;
        }, 0);
        wanted += mean / (j * (j + 1));
      }
      wanted += MORE.reduce((sum, _, m) => sum + Math.exp(ratios[m]!) / MORE.length, 0) / 501;
      near(t, restartsWithLate(state, ratios), wanted, 1e-9, `round ${round}`);
      near(
        t,
        restartsWithLate(
          state,
          MORE.map(() => 0),
        ),
        restartsE(state),
        1e-12,
        'none',
      );
    }
  },
);
