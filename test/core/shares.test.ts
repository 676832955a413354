import fc from 'fast-check';
import t from 'tap';
import type { Share } from '../../src/core/model.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { versionOfBucket, weightBpOf } from '../../src/core/split/shares.ts';

const KEYS = 100_000;
const key = (i: number) => `user-${i}`;

/** How far a count may lie from n·p: three standard deviations of the binomial. */
function threeSigma(n: number, p: number): number {
  return 3 * Math.sqrt(n * p * (1 - p));
}

for (const weightBp of [1, 25, 100, 500, 1_234, 2_500, 5_000, 9_000, 9_999]) {
  t.test(`a weight of ${weightBp / 100} % gets its share of 100,000 users within 3 sigma`, async (t) => {
    const shares = [{ version: 1, weightBp }];
    for (const salt of ['iris-api', 'checkout', '']) {
      let canary = 0;
      for (let i = 0; i < KEYS; i++) canary += versionOfBucket(shares, 0, bucketOfKey(salt, key(i)));
      const p = weightBp / 10_000;
      const off = Math.abs(canary - KEYS * p);
      t.ok(off <= threeSigma(KEYS, p), `salt '${salt}': ${canary} users, ${off.toFixed(1)} off`);
    }
  });
}

t.test('the buckets of 100,000 users are spread evenly', async (t) => {
  const counts = new Array<number>(100).fill(0);
  for (let i = 0; i < KEYS; i++) counts[Math.floor(bucketOfKey('iris-api', key(i)) / 100)]!++;
  const expected = KEYS / 100;
  const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  // 99 degrees of freedom: mean 99, standard deviation sqrt(198); three of them above the mean is 141.2.
  t.ok(chi2 < 141.2, `chi-square ${chi2.toFixed(1)}`);
});

t.test('weights of 0 and 100 % are exact', async (t) => {
  for (let bucket = 0; bucket < 10_000; bucket++) {
    if (versionOfBucket([{ version: 1, weightBp: 0 }], 0, bucket) !== 0) t.fail(`0 % took bucket ${bucket}`);
    if (versionOfBucket([{ version: 1, weightBp: 10_000 }], 0, bucket) !== 1)
      t.fail(`100 % left bucket ${bucket}`);
    if (versionOfBucket([], 0, bucket) !== 0) t.fail(`no share at all took bucket ${bucket}`);
  }
  t.pass('every bucket');
});

t.test('several canaries take consecutive ranges from 0 up, stable the rest', async (t) => {
  const shares = [
    { version: 2, weightBp: 1_000 },
    { version: 1, weightBp: 2_525 },
    { version: 3, weightBp: 1 },
  ];
  const table: readonly (readonly [number, number])[] = [
    [0, 2],
    [999, 2],
    [1_000, 1],
    [3_524, 1],
    [3_525, 3],
    [3_526, 0],
    [9_999, 0],
  ];
  for (const [bucket, version] of table) {
    t.equal(versionOfBucket(shares, 0, bucket), version, `bucket ${bucket}`);
  }
});

t.test('nobody leaves the canary as its weight rises', async () => {
  const weight = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(fc.string(), fc.string(), weight, weight, (salt, user, a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      const bucket = bucketOfKey(salt, user);
      const before = versionOfBucket([{ version: 1, weightBp: low }], 0, bucket);
      const after = versionOfBucket([{ version: 1, weightBp: high }], 0, bucket);
      return before === 0 || after === 1;
    }),
  );
});

t.test('raising the last of several canaries takes from stable alone', async () => {
  const weight = fc.integer({ min: 0, max: 3_000 });
  fc.assert(
    fc.property(weight, weight, weight, weight, fc.nat(9_999), (first, second, a, b, bucket) => {
      const [low, high] = a < b ? [a, b] : [b, a];
      const shares = (last: number) => [
        { version: 1, weightBp: first },
        { version: 2, weightBp: second },
        { version: 3, weightBp: last },
      ];
      const before = versionOfBucket(shares(low), 0, bucket);
      const after = versionOfBucket(shares(high), 0, bucket);
      return before === after || (before === 0 && after === 3);
    }),
  );
});

t.test('two salts split the same users independently; equal salts alike', async (t) => {
  let both = 0;
  let first = 0;
  for (let i = 0; i < KEYS; i++) {
    const a = bucketOfKey('iris-api', key(i)) < 2_000;
    const b = bucketOfKey('checkout', key(i)) < 2_000;
    if (a) first++;
    if (a && b) both++;
  }
  t.ok(Math.abs(first - KEYS * 0.2) <= threeSigma(KEYS, 0.2), `${first} in the first`);
  t.ok(Math.abs(both - KEYS * 0.04) <= threeSigma(KEYS, 0.04), `${both} in both, 4,000 expected`);
  t.equal(bucketOfKey('shared', 'u42'), bucketOfKey('shared', 'u42'));
});

t.test('weightBpOf tells exactly the number of buckets a version gets', async () => {
  const share = fc.record({ version: fc.nat(3), weightBp: fc.integer({ min: 0, max: 2_500 }) });
  fc.assert(
    fc.property(fc.array(share, { maxLength: 4 }), fc.nat(3), (shares: Share[], stable) => {
      const counts = [0, 0, 0, 0];
      for (let bucket = 0; bucket < 10_000; bucket++) counts[versionOfBucket(shares, stable, bucket)]!++;
      return counts.every((count, version) => weightBpOf(shares, stable, version) === count);
    }),
    { numRuns: 40 },
  );
});
