import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { TallyRead } from '../../src/core/analysis/plan.ts';
import {
  countsBetween,
  quantileOf,
  readTally,
  type WindowCounts,
} from '../../src/core/analysis/tally-read.ts';
import { bucketOf, methodIndex, newTally, requestSlot, type Tally } from '../../src/core/tally.ts';
import { requireTool } from '../support/requireTool.ts';

const EDGES = [10, 20, 50, 100];

function tally(
  statuses: Readonly<Record<number, number>>,
  durations: readonly number[] = [],
  edges = EDGES,
): Tally {
  const made = newTally('svc', 0, 'v2', edges);
  for (const [status, count] of Object.entries(statuses)) {
    made.requests[requestSlot(made.slotKeys, methodIndex('GET'), Number(status))]! += count;
  }
  durations.forEach((count, bucket) => {
    made.duration[bucket] = count;
  });
  return made;
}

const counted = (before: Tally | null, after: Tally) => {
  const { requests, errors } = countsBetween(before, after);
  return { requests, errors };
};

t.test('what was counted in between', async (t) => {
  const after = tally({ 200: 90, 503: 10 });
  t.strictSame(counted(null, after), { requests: 100, errors: 10 }, 'from the beginning');
  t.strictSame(counted(tally({ 200: 40, 503: 9 }), after), { requests: 51, errors: 1 });
  t.strictSame(counted(after, after), { requests: 0, errors: 0 });
});

t.test('only a 5xx is an error; a 101 and a 499 are neither', async (t) => {
  const rows: readonly (readonly [number, number, number])[] = [
    [101, 0, 0],
    [200, 1, 0],
    [302, 1, 0],
    [404, 1, 0],
    [429, 1, 0],
    [499, 0, 0],
    [500, 1, 1],
    [503, 1, 1],
    [599, 1, 1],
  ];
  for (const [status, requests, errors] of rows) {
    t.strictSame(counted(null, tally({ [status]: 1 })), { requests, errors }, String(status));
  }
});

t.test('a pair is the same in whatever slot it sits', async (t) => {
  const before = tally({ 503: 2, 200: 5 });
  const after = tally({ 200: 9, 404: 1, 503: 4 });
  t.strictSame(counted(before, after), { requests: 7, errors: 2 });
});

t.test('counters that fell were restarted', async (t) => {
  t.strictSame(counted(tally({ 200: 500, 503: 50 }), tally({ 200: 7 })), { requests: 7, errors: 0 });
  const { durationsByBucket } = countsBetween(tally({}, [9, 9, 0, 0, 0]), tally({}, [3, 12, 0, 0, 0]));
  t.strictSame([...durationsByBucket], [3, 12, 0, 0, 0]);
});

t.test('histograms are told apart by bucket, and begin again with other edges', async (t) => {
  const after = tally({}, [4, 5, 6, 7, 8]);
  const read = countsBetween(tally({}, [1, 1, 1, 1, 1]), after);
  t.strictSame([...read.durationsByBucket], [3, 4, 5, 6, 7]);
  t.strictSame([...read.edgesMs], EDGES);
  const others = countsBetween(tally({}, [1, 1], [5]), after);
  t.strictSame([...others.durationsByBucket], [4, 5, 6, 7, 8]);
  const whole = countsBetween(null, after);
  t.not(whole.durationsByBucket, after.duration, 'a copy: the tally goes on counting');
});

const histogram = (counts: readonly number[], edges: readonly number[] = EDGES) => ({
  durationsByBucket: Float64Array.from(counts),
  edgesMs: Float64Array.from(edges),
});

t.test('a quantile lies inside its bucket in proportion', async (t) => {
  const rows: readonly (readonly [number[], number, number | null])[] = [
    [[0, 0, 0, 0, 0], 0.5, null],
    [[10, 0, 0, 0, 0], 0.5, 5],
    [[10, 0, 0, 0, 0], 1, 10],
    [[10, 10, 0, 0, 0], 0.5, 10],
    [[10, 10, 0, 0, 0], 0.75, 15],
    [[0, 0, 4, 0, 0], 0.5, 35],
    [[0, 0, 4, 0, 0], 0, 20],
    [[98, 0, 0, 0, 2], 0.99, 100],
    [[0, 0, 0, 0, 3], 0.5, 100],
    [[50, 0, 0, 50, 0], 0.5, 10],
    [[50, 0, 0, 50, 0], 0.51, 51],
  ];
  for (const [counts, q, expected] of rows) {
    t.equal(quantileOf(histogram(counts), q), expected, `${counts} at ${q}`);
  }
  t.equal(quantileOf(histogram([5], []), 0.5), null, 'without an edge nothing is known');
});

const buckets = fc.array(fc.nat(1_000), { minLength: EDGES.length + 1, maxLength: EDGES.length + 1 });

t.test('a quantile rises with q and stays in the bucket of the value at its rank', async () => {
  fc.assert(
    fc.property(buckets, fc.array(fc.double({ min: 0.001, max: 1, noNaN: true })), (counts, quantiles) => {
      const all = histogram(counts);
      const total = counts.reduce((sum, count) => sum + count, 0);
      const found = quantiles.sort((a, b) => a - b).map((q) => quantileOf(all, q));
      if (total === 0) return found.every((each) => each === null);
      const rises = found.every((each, i) => i === 0 || (each ?? 0) >= (found[i - 1] ?? 0) - 1e-9);
      const inside = found.every((each, i) => {
        const rank = (quantiles[i] as number) * total;
        let below = 0;
        const bucket = counts.findIndex((count) => {
          below += count;
          return below >= rank;
        });
        const held = bucketOf(all.edgesMs, (each ?? 0) - 1e-9);
        return held === Math.min(bucket, EDGES.length - 1) || counts[bucket] === 0;
      });
      return rises && inside;
    }),
  );
});

/** Evaluates `histogram_quantile` over these cumulative counts with Prometheus itself. */
function checkWithPromtool(rows: readonly { counts: number[]; q: number; ms: number }[]): void {
  const series = rows.flatMap(({ counts }, row) => {
    let cumulative = 0;
    return counts.map((count, i) => {
      cumulative += count;
      const le = i < EDGES.length ? String(EDGES[i]) : '+Inf';
      return { series: `b{row="${row}",le="${le}"}`, values: String(cumulative) };
    });
  });
  const tests = rows.map(({ q, ms }, row) => ({
    expr: `abs(histogram_quantile(${q}, b{row="${row}"}) - ${ms}) < bool 1e-6`,
    eval_time: '0m',
    exp_samples: [{ labels: `{row="${row}"}`, value: 1 }],
  }));
  const dir = mkdtempSync(join(tmpdir(), 'coalmine-quantile-'));
  try {
    const file = join(dir, 'quantiles.json');
    writeFileSync(
      file,
      JSON.stringify({ tests: [{ interval: '1m', input_series: series, promql_expr_test: tests }] }),
    );
    execFileSync('promtool', ['test', 'rules', file], { stdio: 'pipe', timeout: 60_000 });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

t.test("quantiles are those of Prometheus' histogram_quantile", requireTool('promtool'), async (t) => {
  const samples = fc.sample(fc.tuple(buckets, fc.double({ min: 0.01, max: 1, noNaN: true })), {
    numRuns: 200,
    seed: 3,
  });
  const rows = samples.flatMap(([counts, q]) => {
    const ms = quantileOf(histogram(counts), q);
    return ms === null ? [] : [{ counts, q, ms }];
  });
  t.ok(rows.length > 100, 'enough of them');
  t.doesNotThrow(() => checkWithPromtool(rows));
  const off = rows.slice(0, 1).map((row) => ({ ...row, ms: row.ms + 1 }));
  t.throws(() => checkWithPromtool(off), 'the comparison can fail');
});

function counts(overrides: Partial<WindowCounts> = {}): WindowCounts {
  const latencies = histogram([50, 50, 0, 0, 0]);
  return { requests: 100, errors: 0, spanMs: 10_000, ...latencies, ...overrides };
}

function read(overrides: Partial<TallyRead> = {}): TallyRead {
  return {
    measure: 'successRate',
    quantile: 0.99,
    of: 'canary',
    relative: null,
    windowMs: 60_000,
    ...overrides,
  };
}

const worse = counts({ requests: 40, errors: 10, ...histogram([0, 0, 40, 0, 0]) });
const better = counts({ errors: 10 });
const idle = counts({ requests: 0, errors: 0, ...histogram([0, 0, 0, 0, 0]) });
const flawless = counts();

t.test('the measures', async (t) => {
  const rows: readonly (readonly [Partial<TallyRead>, number, number])[] = [
    [{ measure: 'successRate' }, 0.75, 40],
    [{ measure: 'errorRatio' }, 0.25, 40],
    [{ measure: 'requests' }, 40, 40],
    [{ measure: 'rate' }, 4, 40],
    [{ measure: 'latency', quantile: 0.5 }, 35, 40],
    [{ measure: 'successRate', of: 'stable' }, 0.9, 100],
    [{ measure: 'errorRatio', relative: 'ratio' }, 2.5, 40],
    [{ measure: 'errorRatio', relative: 'difference' }, 0.15, 40],
    [{ measure: 'latency', quantile: 0.5, relative: 'ratio' }, 3.5, 40],
    [{ measure: 'latency', quantile: 0.5, relative: 'difference' }, 25, 40],
    [{ measure: 'requests', relative: 'ratio' }, 0.4, 40],
  ];
  for (const [overrides, value, samples] of rows) {
    const found = readTally(read(overrides), worse, better);
    const row = JSON.stringify(overrides);
    t.match(found, { kind: 'value', samples }, row);
    if (found.kind === 'value')
      t.ok(Math.abs((found.value as number) - value) < 1e-12, `${row}: ${found.value}`);
  }
});

t.test('without requests there is no share and no latency, but a rate of 0', async (t) => {
  for (const measure of ['successRate', 'errorRatio', 'latency'] as const) {
    t.match(readTally(read({ measure }), idle, better), {
      kind: 'noData',
      reason: /canary version had no requests/,
    });
  }
  t.match(readTally(read({ measure: 'rate' }), idle, null), { kind: 'value', value: 0 });
  t.match(readTally(read({ measure: 'requests' }), idle, null), { kind: 'value', value: 0 });
  t.equal(readTally(read({ measure: 'rate' }), counts({ spanMs: 0 }), null).kind, 'noData');
});

t.test('a version that was not counted has no data', async (t) => {
  t.match(readTally(read(), null, better), { kind: 'noData', reason: /the canary version/ });
  t.match(readTally(read({ of: 'stable' }), worse, null), { kind: 'noData', reason: /the stable version/ });
  t.equal(readTally(read(), worse, null).kind, 'value', 'stable is not needed');
});

t.test('a comparison needs data of stable, and a ratio something to divide by', async (t) => {
  for (const relative of ['ratio', 'difference'] as const) {
    t.match(readTally(read({ relative }), worse, null), { kind: 'noData', reason: /stable/ });
    t.match(readTally(read({ relative }), worse, idle), {
      kind: 'noData',
      reason: /stable version had no requests/,
    });
    t.match(readTally(read({ relative }), null, better), { kind: 'noData', reason: /canary/ });
  }
  const errors = read({ measure: 'errorRatio', relative: 'ratio' });
  t.match(readTally(errors, worse, flawless), { kind: 'noData', reason: /errorRatio is 0/ });
  t.match(readTally({ ...errors, relative: 'difference' }, worse, flawless), { kind: 'value', value: 0.25 });
});
