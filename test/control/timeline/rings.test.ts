import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Column } from '../../../src/control/timeline/column.ts';
import { Gain } from '../../../src/control/timeline/gain.ts';
import { Recent } from '../../../src/control/timeline/recent.ts';
import { StepClock } from '../../../src/control/timeline/step-clock.ts';
import { ThinningRows } from '../../../src/control/timeline/thinning.ts';
import type { RunningTotals } from '../../../src/tally/recorder.ts';

/** The rings by themselves: what they hold is what was put in, or nothing. */

/** Rising steps with values; some steps are left out, now and then more than a ring holds. */
const stream = fc
  .array(
    fc.record({
      gap: fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 5, max: 60 })),
      value: fc.integer({ min: 0, max: 1_000 }),
    }),
    {
      maxLength: 80,
    },
  )
  .map((items) => {
    let step = -1;
    return items.map(({ gap, value }) => {
      step += gap;
      return { step, value };
    });
  });

t.test('a column holds the last steps that were set, and nothing of any other', async () => {
  fc.assert(
    fc.property(
      stream,
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 1, max: 7 }),
      (items, capacity, chunk) => {
        const column = new Column(capacity, chunk);
        for (const { step, value } of items) column.set(step, value);
        const last = items.at(-1)?.step ?? -1;
        const told = new Map(items.map(({ step, value }) => [step, value]));
        for (let step = -1; step <= last + 3; step++) {
          const held = step > last - capacity && step <= last ? told.get(step) : undefined;
          if (!Object.is(column.at(step), held ?? Number.NaN)) return false;
        }
        return column.last === last;
      },
    ),
  );
});

t.test('NaN sets nothing', async (t) => {
  const column = new Column(10, 5);
  column.set(3, 1);
  column.set(4, Number.NaN);
  t.equal(column.last, 3);
  t.ok(Number.isNaN(column.at(4)));
});

t.test('rows thin out: never too many, evenly apart, each as it was at the end of its steps', async () => {
  fc.assert(
    fc.property(
      stream,
      fc.integer({ min: 2, max: 16 }),
      fc.integer({ min: 0, max: 9 }),
      (items, capacity, first) => {
        const rows = new ThinningRows(capacity, 1, first);
        for (const { step, value } of items) rows.set(first + step, [value]);
        const told = new Map(items.map(({ step, value }) => [first + step, value]));
        if (rows.length > capacity || Math.log2(rows.every) % 1 !== 0) return false;
        for (let index = 0; index < rows.length; index++) {
          if (rows.stepOf(index) !== first + (index + 1) * rows.every - 1) return false;
          if (!Object.is(rows.at(index, 0), told.get(rows.stepOf(index)) ?? Number.NaN)) return false;
        }
        return true;
      },
    ),
  );
});

t.test('rows do not thin out before they are full', async (t) => {
  const rows = new ThinningRows(4, 2, 0);
  for (let step = 0; step < 4; step++) rows.set(step, [step, -step]);
  t.equal(rows.every, 1);
  t.equal(rows.length, 4);
  rows.set(4, [4, -4]);
  t.equal(rows.every, 2);
  t.strictSame([rows.at(0, 0), rows.at(1, 0)], [1, 3], 'the later one of each two stays');
  t.equal(rows.length, 2, 'half a row is none');
  rows.set(5, [5, -5]);
  t.equal(rows.at(2, 1), -5);
});

/** A clock that was looked at at these times. */
function looks(times: readonly (readonly [nowMs: number, wallMs: number])[]) {
  const clock = new StepClock(1_000, 0, 1_000_000);
  return { clock, steps: times.map(([nowMs, wallMs]) => clock.look(nowMs, wallMs)) };
}

t.test('a step ends each second, however the looks lie', async (t) => {
  const { clock, steps } = looks([
    [999, 1_000_999],
    [1_040, 1_001_040],
    [1_100, 1_001_100],
    [2_030, 1_002_030],
    [3_000, 1_003_000],
  ]);
  t.strictSame(steps, [
    null,
    { number: 0, spanMs: 1_040, known: true },
    null,
    { number: 1, spanMs: 990, known: true },
    { number: 2, spanMs: 970, known: true },
  ]);
  t.strictSame(
    [0, 1, 2].map((step) => clock.endOf(step)),
    [1_001_000, 1_002_000, 1_003_000],
  );
});

t.test('of a time in which nobody looked nothing is known', async (t) => {
  const { clock, steps } = looks([
    [1_000, 1_001_000],
    [5_200, 1_005_200],
    [6_000, 1_006_000],
  ]);
  t.match(steps[1], { number: 4, known: false });
  t.match(steps[2], { number: 5, known: true, spanMs: 800 });
  t.equal(clock.endOf(4), 1_005_000);
});

t.test('a machine that slept leaves a gap as long as its sleep', async (t) => {
  const { clock, steps } = looks([
    [1_000, 1_001_000],
    [2_000, 4_602_000],
    [3_000, 4_603_000],
  ]);
  t.match(steps[1], { number: 3_601, known: false });
  t.match(steps[2], { number: 3_602, known: true });
  t.equal(clock.endOf(0), 1_001_000, 'what was before stays where it was');
});

t.test('a clock that is set back makes no time run backwards', async (t) => {
  const { clock, steps } = looks([
    [1_000, 1_001_000],
    [2_000, 502_000],
  ]);
  t.match(steps[1], { number: 1, known: true });
  t.strictSame([clock.endOf(0), clock.endOf(1)], [501_000, 502_000]);
});

t.test('a monotonic clock that stands still ends no step', async (t) => {
  const { steps } = looks([
    [0, 9_000_000],
    [-5_000, 1_000_000],
    [1_000, 1_001_000],
  ]);
  t.strictSame(steps.slice(0, 2), [null, null]);
  t.match(steps[2], { number: 0, known: true });
});

/** What a version's counters may do from look to look: rise, or begin again between other bounds. */
const counted = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 1, max: 5_000 }),
    requests: fc.integer({ min: 0, max: 50 }),
    errors: fc.integer({ min: 0, max: 50 }),
    durations: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 4, maxLength: 4 }),
    newEdges: fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 99 }), { minLength: 1, maxLength: 3 }), {
      freq: 6,
    }),
  }),
  { maxLength: 40 },
);

t.test('recent counters: from the oldest of eleven looks to the last one', async () => {
  fc.assert(
    fc.property(counted, (items) => {
      const recent = new Recent();
      const kept: { atMs: number; totals: RunningTotals }[] = [];
      let atMs = 0;
      let totals = { requests: 0, errors: 0, edgesMs: Float64Array.of(5, 9), durations: new Float64Array(3) };
      for (const item of items) {
        atMs += item.afterMs;
        const edgesMs = item.newEdges === null ? totals.edgesMs : Float64Array.from(item.newEdges).sort();
        const before = item.newEdges === null ? totals.durations : new Float64Array(edgesMs.length + 1);
        totals = {
          requests: totals.requests + item.requests,
          errors: totals.errors + item.errors,
          edgesMs,
          durations: before.map((count, i) => count + (item.durations[i] as number)),
        };
        recent.push(atMs, totals);
        kept.push({ atMs, totals });
        assert.deepEqual(recent.last, totals);
        assert.equal(recent.lastMs, atMs);
        assert.deepEqual(recent.gain(), gainOver(kept.slice(-11)));
      }
    }),
  );
});

function gainOver(kept: readonly { atMs: number; totals: RunningTotals }[]): Gain | null {
  const oldest = kept[0];
  const newest = kept.at(-1);
  if (oldest === undefined || newest === undefined || kept.length < 2) return null;
  const gain = new Gain();
  gain.addTotals(oldest.totals, newest.totals);
  gain.spanMs = newest.atMs - oldest.atMs;
  return gain;
}

t.test('recent counters: what is pushed is copied, and nothing is known of one look', async (t) => {
  const recent = new Recent();
  t.equal(recent.last, null);
  t.equal(recent.lastMs, -1);
  const durations = Float64Array.of(1, 2);
  recent.push(1_000, { requests: 3, errors: 0, edgesMs: Float64Array.of(5), durations });
  durations.fill(0);
  t.strictSame([...(recent.last?.durations ?? [])], [1, 2]);
  t.equal(recent.gain(), null);
});
