import fc from 'fast-check';
import t from 'tap';
import { durationMs, percentBp, sizeBytes } from '../../src/config/quantity.ts';

t.test('durations', async (t) => {
  const cases: [string, number | null][] = [
    ['500ms', 500],
    ['0s', 0],
    ['2s', 2_000],
    ['1.5s', 1_500],
    ['1.1s', 1_100],
    ['0.5ms', 0.5],
    ['5m', 300_000],
    ['1h', 3_600_000],
    ['30d', 2_592_000_000],
    ['5', null],
    ['5 s', null],
    ['s', null],
    ['.5s', null],
    ['5.s', null],
    ['-5s', null],
    ['5S', null],
    ['5sec', null],
    ['1h30m', null],
    ['1e3s', null],
    ['5s\n', null],
    ['١s', null],
    ['', null],
  ];
  for (const [text, expected] of cases) t.equal(durationMs(text), expected, JSON.stringify(text));
});

t.test('sizes', async (t) => {
  const cases: [string, number | null][] = [
    ['0B', 0],
    ['512B', 512],
    ['64KiB', 65_536],
    ['64KB', 64_000],
    ['64kB', 64_000],
    ['1MiB', 1_048_576],
    ['1.5MiB', 1_572_864],
    ['10MB', 10_000_000],
    ['1GiB', 1_073_741_824],
    ['1GB', 1_000_000_000],
    ['1', null],
    ['1M', null],
    ['1mib', null],
    ['-1B', null],
    ['1TiB', null],
  ];
  for (const [text, expected] of cases) t.equal(sizeBytes(text), expected, JSON.stringify(text));
});

t.test('percentages', async (t) => {
  const cases: [number, number | null][] = [
    [0, 0],
    [-0, 0],
    [5, 500],
    [0.01, 1],
    [0.07, 7],
    [2.55, 255],
    [99.99, 9_999],
    [100, 10_000],
    [0.001, null],
    [5.005, null],
    [100.01, null],
    [-0.01, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
  ];
  for (const [percent, expected] of cases) t.equal(percentBp(percent), expected, String(percent));
});

t.test('every whole number of basis points can be written, and none between', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 10_000 }), (bp) => {
      t.equal(percentBp(Number((bp / 100).toFixed(2))), bp);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 99_999 }), (thousandths) => {
      const exact = thousandths % 10 === 0;
      t.equal(percentBp(thousandths / 1_000) !== null, exact, String(thousandths / 1_000));
    }),
    { numRuns: 300 },
  );
});
