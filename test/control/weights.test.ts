import fc from 'fast-check';
import t from 'tap';
import { isSetByHand, keepSetWeights, sharesWith, withShares } from '../../src/control/weights.ts';
import { split } from '../support/split.ts';
import { config, iris } from './support.ts';

const two = iris(500, {
  shares: [
    { version: 1, weightBp: 500 },
    { version: 2, weightBp: 1000 },
  ],
});

function refusal(result: ReturnType<typeof sharesWith>) {
  return result.ok ? null : result.problem;
}

t.test('the weight of the only canary', async (t) => {
  t.strictSame(sharesWith(iris(500), null, 2000), {
    ok: true,
    shares: [{ version: 1, weightBp: 2000 }],
    version: 'v2',
  });
  t.strictSame(sharesWith(iris(500), 'v2', 0), {
    ok: true,
    shares: [{ version: 1, weightBp: 0 }],
    version: 'v2',
  });
});

t.test('the weight of one of several canaries leaves the others alone', async (t) => {
  t.strictSame(sharesWith(two, 'v3', 9500), {
    ok: true,
    shares: [
      { version: 1, weightBp: 500 },
      { version: 2, weightBp: 9500 },
    ],
    version: 'v3',
  });
});

t.test('what cannot be done is said', async (t) => {
  t.match(refusal(sharesWith(iris(0, { shares: [] }), null, 1)), {
    code: 'no_canary',
    message: /has no canary/,
  });
  t.match(refusal(sharesWith(two, null, 1)), { code: 'ambiguous_canary', message: /v2, v3/ });
  t.match(refusal(sharesWith(two, 'v1', 1)), { code: 'unknown_version', message: /v1 is not a canary/ });
  t.match(refusal(sharesWith(two, 'v9', 1)), { code: 'unknown_version' });
  t.match(refusal(sharesWith(two, 'v3', 9501)), { code: 'weights_over_100', message: /100.01 %/ });
});

t.test('the sum of the shares never exceeds the whole', async (t) => {
  const bounded = fc.property(fc.nat(10_000), fc.constantFrom('v2', 'v3'), (weightBp, version) => {
    const result = sharesWith(two, version, weightBp);
    return !result.ok || result.shares.reduce((sum, share) => sum + share.weightBp, 0) <= 10_000;
  });
  t.doesNotThrow(() => fc.assert(bounded));
});

t.test('weights set by hand outlive a reload that does not touch the service', async (t) => {
  const before = config({ services: [iris(500), iris(500, { name: 'other' })] }).split;
  const started = split(before.services);
  const running = { ...withShares(started, 'iris-api', [{ version: 1, weightBp: 4000 }]), revision: 2 };
  t.ok(isSetByHand(running.services[0]!, before));
  t.notOk(isSetByHand(running.services[1]!, before));

  const other = config({ services: [iris(500), iris(900, { name: 'other' })] }).split;
  const kept = keepSetWeights(running, before, other);
  t.equal(kept.services[0]?.shares[0]?.weightBp, 4000, 'kept: the file says of it what it said before');
  t.equal(kept.services[1]?.shares[0]?.weightBp, 900);

  const touched = config({ services: [iris(600), iris(500, { name: 'other' })] }).split;
  t.equal(keepSetWeights(running, before, touched).services[0]?.shares[0]?.weightBp, 600, "the file's again");

  const timeouts = config({ services: [iris(500, { maxBodyBytes: 5 })] }).split;
  t.equal(
    keepSetWeights(running, before, timeouts).services[0]?.shares[0]?.weightBp,
    500,
    'any change of it counts',
  );
});
