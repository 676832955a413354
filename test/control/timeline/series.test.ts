import fc from 'fast-check';
import t from 'tap';
import { Gain } from '../../../src/control/timeline/gain.ts';
import { MAX_CLASSES, ServiceSeries } from '../../../src/control/timeline/series.ts';
import { quantileOf } from '../../../src/core/analysis/tally-read.ts';

const EDGES = Float64Array.from([1, 10, 100, 1_000]);

interface Told {
  readonly requests?: number;
  readonly errors?: number;
  /** By bucket. */
  readonly durations?: readonly number[];
  readonly spanMs?: number;
  readonly classes?: Readonly<Record<string, number>>;
  readonly confident?: readonly [count: number, mean: number];
  readonly edges?: Float64Array;
}

function gainOf(told: Told): Gain {
  const { requests = 0, errors = 0, spanMs = 1_000, edges = EDGES, confident = [0, 0] } = told;
  const gain = new Gain();
  const durations = Float64Array.from({ length: edges.length + 1 }, (_, i) => told.durations?.[i] ?? 0);
  gain.addTotals(null, { requests, errors, edgesMs: edges, durations });
  gain.spanMs = spanMs;
  gain.confident = confident[0];
  gain.confidenceSum = confident[0] * confident[1];
  gain.classes = told.classes === undefined ? null : new Map(Object.entries(told.classes));
  return gain;
}

t.test('a step', async (t) => {
  const series = new ServiceSeries(0);
  series.add(
    'v2',
    0,
    gainOf({
      requests: 10,
      errors: 1,
      durations: [0, 10],
      spanMs: 500,
      classes: { cat: 7, dog: 3 },
      confident: [10, 0.8],
    }),
    12.5,
  );
  series.addPairs(0, { agree: 4, disagree: 1 });
  t.strictSame(series.columns('1s', 0, 0, ['v2']), {
    versions: [
      {
        name: 'v2',
        weight: [12.5],
        ratePerS: [20],
        errorShare: [0.1],
        p50Ms: [5.5],
        p99Ms: [9.91],
        confidence: [0.8],
        classes: [
          { name: 'cat', counts: [7] },
          { name: 'dog', counts: [3] },
        ],
      },
    ],
    pairs: { agree: [4], disagree: [1] },
  });
  t.strictSame(series.point(0, ['v2']), {
    versions: [
      {
        name: 'v2',
        weight: 12.5,
        ratePerS: 20,
        errorShare: 0.1,
        p50Ms: 5.5,
        p99Ms: 9.91,
        confidence: 0.8,
        classes: { cat: 7, dog: 3 },
      },
    ],
    pairs: { agree: 4, disagree: 1 },
  });
});

t.test('without requests there is a rate, and nothing that could be told of them', async (t) => {
  const series = new ServiceSeries(0);
  series.add('v1', 0, gainOf({}), 100);
  t.match(series.columns('1s', 0, 0, ['v1']).versions[0], {
    weight: [100],
    ratePerS: [0],
    errorShare: [null],
    p50Ms: [null],
    p99Ms: [null],
    confidence: [null],
    classes: [],
  });
  t.strictSame(series.columns('1s', 0, 0, ['v1']).pairs, { agree: [null], disagree: [null] });
});

t.test('a version that was not there leaves a gap, and one that has left is told last', async (t) => {
  const series = new ServiceSeries(0);
  series.add('v1', 0, gainOf({ requests: 1 }), 100);
  series.add('old', 0, gainOf({ requests: 2 }), 0);
  series.add('v1', 1, gainOf({ requests: 3 }), 100);
  series.add('v1', 2, gainOf({ requests: 4 }), 50);
  series.add('v2', 2, gainOf({ requests: 5 }), 50);
  const { versions } = series.columns('1s', 0, 2, ['v1', 'v2', 'v3']);
  t.strictSame(
    versions.map(({ name, ratePerS }) => [name, ratePerS]),
    [
      ['v1', [1, 3, 4]],
      ['v2', [null, null, 5]],
      ['v3', [null, null, null]],
      ['old', [2, null, null]],
    ],
  );
  t.strictSame(
    series.columns('1s', 1, 2, ['v1']).versions.map(({ name }) => name),
    ['v1', 'v2'],
    'of what left before there is nothing to tell',
  );
});

t.test('classes: the first ones of the service for all its versions, the rest is other', async (t) => {
  const series = new ServiceSeries(0);
  const many = Object.fromEntries(Array.from({ length: MAX_CLASSES }, (_, i) => [`c${i}`, i + 1]));
  series.add('v1', 0, gainOf({ classes: many }), 100);
  series.add('v2', 0, gainOf({ classes: { c1: 2, late: 3, other: 4 } }), 0);
  series.add('v2', 1, gainOf({ classes: {} }), 0);
  const [v1, v2] = series.columns('1s', 0, 1, ['v1', 'v2']).versions;
  t.equal(v1?.classes.length, MAX_CLASSES);
  t.strictSame(v2?.classes, [
    { name: 'c1', counts: [2, 0] },
    { name: 'other', counts: [7, 0] },
  ]);
});

t.test('15 s: percentiles of all that was measured, not a mean of percentiles', async (t) => {
  const series = new ServiceSeries(0);
  for (let step = 0; step < 15; step++) {
    // A single slow second among quick ones.
    const durations = step === 3 ? [0, 0, 0, 100] : [100, 0, 0, 0];
    series.add('v1', step, gainOf({ requests: 100, durations, errors: step === 3 ? 15 : 0 }), step);
  }
  const [v1] = series.columns('15s', 0, 0, ['v1']).versions;
  t.equal(v1?.p50Ms[0], 0.54, 'the median of 1,500');
  t.equal(v1?.p99Ms[0], 865);
  t.equal(v1?.errorShare[0], 0.01);
  t.equal(v1?.ratePerS[0], 100);
  t.equal(v1?.weight[0], 14, 'as it was at the end');
});

t.test('15 s: of a step that is known in part its known part is told', async (t) => {
  const series = new ServiceSeries(0);
  for (const step of [0, 1, 2, 20, 29]) series.add('v1', step, gainOf({ requests: 30 }), 100);
  for (const step of [0, 1, 31]) series.addPairs(step, { agree: 1, disagree: 0 });
  series.add('v1', 200, gainOf({ requests: 1 }), 100);
  series.addPairs(200, { agree: 1, disagree: 0 });
  const { versions, pairs } = series.columns('15s', 0, 3, ['v1']);
  t.strictSame(versions[0]?.ratePerS, [30, 30, null, null], 'not thinned by what nobody saw');
  t.strictSame(pairs.agree, [2, null, 1, null]);
});

t.test('other bounds restart the histogram and nothing else', async (t) => {
  const series = new ServiceSeries(0);
  const edges = Float64Array.from([50, 500]);
  series.add('v1', 0, gainOf({ requests: 10, durations: [10] }), 100);
  series.add('v1', 14, gainOf({ requests: 10, durations: [0, 10], edges }), 100);
  const [v1] = series.columns('15s', 0, 0, ['v1']).versions;
  t.equal(v1?.ratePerS[0], 10);
  t.equal(v1?.p50Ms[0], 275);
});

const step = fc.record({
  skipped: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 40 }) },
  ),
  durations: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 5, maxLength: 5 }),
  errors: fc.integer({ min: 0, max: 3 }),
  spanMs: fc.integer({ min: 200, max: 1_900 }),
  cat: fc.integer({ min: 0, max: 9 }),
});

t.test('15 s is what the seconds in it add up to, for any stream with any gaps', async () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 120 }), (stream) => {
      const series = new ServiceSeries(0);
      const wide = new Map<
        number,
        { requests: number; errors: number; spanMs: number; cat: number; durations: number[] }
      >();
      let at = -1;
      for (const { skipped, durations, errors: wanted, spanMs, cat } of stream) {
        at += 1 + skipped;
        const requests = durations.reduce((sum, count) => sum + count, 0);
        const errors = Math.min(wanted, requests);
        series.add('v1', at, gainOf({ requests, errors, durations, spanMs, classes: { cat } }), 7);
        const sum = wide.get(Math.floor(at / 15)) ?? {
          requests: 0,
          errors: 0,
          spanMs: 0,
          cat: 0,
          durations: [0, 0, 0, 0, 0],
        };
        wide.set(Math.floor(at / 15), {
          requests: sum.requests + requests,
          errors: sum.errors + errors,
          spanMs: sum.spanMs + spanMs,
          cat: sum.cat + cat,
          durations: sum.durations.map((count, i) => count + (durations[i] as number)),
        });
      }
      // Those that are over.
      const to = Math.floor((at + 1) / 15) - 1;
      const [v1] = series.columns('15s', 0, to, ['v1']).versions;
      for (let i = 0; i <= to; i++) {
        const sum = wide.get(i);
        const p99 =
          sum && quantileOf({ durationsByBucket: Float64Array.from(sum.durations), edgesMs: EDGES }, 0.99);
        const counts = sum === undefined || sum.requests === 0 ? null : sum;
        const right =
          near(v1?.ratePerS[i], sum === undefined ? null : (sum.requests / sum.spanMs) * 1_000, 0.01) &&
          near(v1?.errorShare[i], counts && counts.errors / counts.requests, 1e-5) &&
          near(v1?.p99Ms[i], counts && (p99 ?? null), 0.01) &&
          (v1?.classes[0]?.counts[i] ?? 0) === (sum?.cat ?? 0);
        if (!right) return false;
      }
      return true;
    }),
  );
});

function near(told: number | null | undefined, wanted: number | null, by: number): boolean {
  if (told === null || told === undefined || wanted === null)
    return told === wanted || (told === undefined && wanted === null);
  // A Float32 keeps seven digits.
  return Math.abs(told - wanted) <= by + Math.abs(wanted) * 1e-6;
}
