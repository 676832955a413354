import fc from 'fast-check';
import t from 'tap';
import { binsOf, rebin } from '../../../src/control/judge/bins.ts';
import { BINS } from '../../../src/core/arms.ts';

const fine = (counts: Record<number, number>) =>
  Float64Array.from({ length: BINS }, (_, i) => counts[i] ?? 0);
const NONE = new Float64Array(BINS);
const even = Float64Array.from({ length: BINS }, () => 10);

t.test('few answers have no deciles', async (t) => {
  t.equal(binsOf(fine({ 3: 499 })), null);
  t.not(binsOf(fine({ 3: 500 })), null);
});

t.test('even scores have ten bins of the same size', async (t) => {
  const bins = binsOf(even) ?? [];
  t.equal(bins.length, 10);
  t.equal(bins.at(-1), BINS);
  for (const count of rebin(bins, even, NONE)) t.ok(count >= 250 && count <= 260, String(count));
});

t.test('where many answers are alike there are fewer bins, and what is above them has its own', async (t) => {
  t.strictSame(binsOf(fine({ 100: 1_000 })), [101, BINS]);
  t.strictSame(binsOf(fine({ 10: 500, 200: 500 })), [11, 201, BINS]);
  t.strictSame(binsOf(fine({ 255: 1_000 })), [BINS]);
});

t.test('every answer is in one bin, and no bin of stable but the last is empty', async () => {
  const counts = fc.array(fc.nat({ max: 40 }), { minLength: BINS, maxLength: BINS });
  fc.assert(
    fc.property(counts, counts, (stable, canary) => {
      const bins = binsOf(Float64Array.from(stable));
      if (bins === null) return stable.reduce((sum, count) => sum + count, 0) < 500;
      const own = rebin(bins, Float64Array.from(stable), NONE);
      const sum = (list: readonly number[]) => list.reduce((total, count) => total + count, 0);
      return (
        bins.length <= 10 &&
        own.slice(0, -1).every((count) => count > 0) &&
        sum(own) === sum(stable) &&
        sum(rebin(bins, Float64Array.from(canary), NONE)) === sum(canary)
      );
    }),
  );
});
