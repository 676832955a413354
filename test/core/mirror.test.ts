import fc from 'fast-check';
import t from 'tap';
import { inMirrorShare } from '../../src/core/split/mirror.ts';
import { versionOfBucket } from '../../src/core/split/shares.ts';
import { mirror } from '../support/split.ts';

const BUCKETS = Array.from({ length: 10_000 }, (_, bucket) => bucket);

t.test('a percent mirrors exactly its share of the buckets', async (t) => {
  for (const percentBp of [0, 1, 525, 5_000, 9_999, 10_000]) {
    const shadow = mirror(1, { percentBp });
    t.equal(BUCKETS.filter((bucket) => inMirrorShare(shadow, bucket)).length, percentBp, `${percentBp} bp`);
  }
});

t.test('raising the percent adds users and drops none', async () => {
  const percent = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(percent, percent, fc.nat(9_999), (a, b, bucket) => {
      const before = inMirrorShare(mirror(1, { percentBp: Math.min(a, b) }), bucket);
      return !before || inMirrorShare(mirror(1, { percentBp: Math.max(a, b) }), bucket);
    }),
  );
});

t.test('a shadow takes no user of the canary as long as others are left', async () => {
  const percent = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(percent, percent, fc.nat(9_999), (weightBp, other, bucket) => {
      const percentBp = Math.min(other, 10_000 - weightBp);
      const onCanary = versionOfBucket([{ version: 1, weightBp }], 0, bucket) === 1;
      return !(onCanary && inMirrorShare(mirror(1, { percentBp }), bucket));
    }),
  );
});
