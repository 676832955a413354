import fc from 'fast-check';
import t from 'tap';
import type { Judged } from '../../src/core/arms.ts';
import { comparedShares, shareBeside, sharesUnder, termsOf } from '../../src/core/comparison.ts';
import type { Service } from '../../src/core/model.ts';
import { service, version } from '../support/split.ts';

const judged: Judged = {
  rule: -1,
  canary: 1,
  slow: [],
  unsure: [],
  observe: null,
  predictionSecret: 'a secret',
};
const VERSIONS = ['v1', 'v2', 'v3', 'v4'].map((name) => version(name, `http://${name}.local`));

function dealt(weights: readonly number[], changes: Partial<Service> = {}): Service {
  const shares = weights.map((weightBp, i) => ({ version: i + 1, weightBp }));
  return { ...service(VERSIONS, { name: 'iris', shares, judged }), ...changes };
}

/** Shares of three canaries that leave something to stable. */
const weights = fc
  .tuple(fc.nat({ max: 3_333 }), fc.nat({ max: 3_333 }), fc.nat({ max: 3_334 }))
  .map((list) => list as readonly number[]);

t.test('terms give back the shares, in any process with the same versions', async () => {
  fc.assert(
    fc.property(weights, weights, (then, now) => {
      const past = dealt(then);
      const read = sharesUnder(termsOf(past) ?? '', dealt(now));
      const wanted = comparedShares(past);
      return [0, 1, 2, 3].every((index) => (read?.get(index) ?? 0) === (wanted?.get(index) ?? 0));
    }),
  );
});

t.test('equal terms, equal versions at equal shares', async (t) => {
  const terms = termsOf(dealt([500]));
  t.match(terms, /^[0-9a-f]{8}\.1\.dw$/);
  t.equal(termsOf(dealt([500, 0, 0])), terms, 'who has no users is not compared');
  t.equal(termsOf(dealt([500], { stage: 9, salt: 'x' })), terms, 'whom they are dealt to does not matter');
  t.not(termsOf(dealt([501])), terms);
  const renewed = VERSIONS.map((one) =>
    one.name === 'v2' ? { ...one, definition: 'its second revision' } : one,
  );
  t.not(termsOf(dealt([500], { versions: renewed })), terms);
  t.equal(sharesUnder(terms ?? '', dealt([500], { versions: renewed })), null);
  const another = VERSIONS.map((one) =>
    one.name === 'v3' ? { ...one, definition: 'its second revision' } : one,
  );
  t.equal(termsOf(dealt([500], { versions: another })), terms, 'nor does what nobody is sent to');
  t.equal(termsOf(dealt([500], { judged: null })), null);
});

t.test('what is no terms is none', async (t) => {
  const one = dealt([500]);
  const terms = termsOf(one) ?? '';
  for (const text of [
    '',
    'nonsense',
    terms.slice(0, -2),
    `${terms}.`,
    `${terms}.2.7pr`,
    `${terms} `,
    terms.toUpperCase(),
  ]) {
    t.equal(sharesUnder(text, one), null, JSON.stringify(text));
  }
  fc.assert(fc.property(fc.string(), (text) => text === terms || sharesUnder(text, one) === null));
});

t.test('a share beside stable is of what both get', async (t) => {
  const shares = comparedShares(dealt([500, 4_500])) ?? new Map();
  t.equal(shareBeside(shares, 1, 0), 0.05 / 0.55);
  t.equal(shareBeside(shares, 3, 0), 0);
  t.equal(shareBeside(comparedShares(dealt([0, 10_000])) ?? new Map(), 1, 0), null);
});
