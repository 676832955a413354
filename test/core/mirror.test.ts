import fc from 'fast-check';
import t from 'tap';
import type { MirrorRoute } from '../../src/core/model.ts';
import { compileMirrorRoutes, inMirrorShare, mirrorPercentBp } from '../../src/core/split/mirror.ts';
import { versionOfBucket } from '../../src/core/split/shares.ts';
import { mirror } from '../support/split.ts';
import { compileWithRegExp, type FakeRequest, factsOf } from './facts.ts';

const BUCKETS = Array.from({ length: 10_000 }, (_, bucket) => bucket);

t.test('a percent mirrors exactly its share of the buckets', async (t) => {
  for (const percentBp of [0, 1, 525, 5_000, 9_999, 10_000]) {
    t.equal(
      BUCKETS.filter((bucket) => inMirrorShare(percentBp, bucket)).length,
      percentBp,
      `${percentBp} bp`,
    );
  }
});

t.test('raising the percent adds users and drops none', async () => {
  const percent = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(percent, percent, fc.nat(9_999), (a, b, bucket) => {
      const before = inMirrorShare(Math.min(a, b), bucket);
      return !before || inMirrorShare(Math.max(a, b), bucket);
    }),
  );
});

t.test('a shadow takes no user of the canary as long as others are left', async () => {
  const percent = fc.integer({ min: 0, max: 10_000 });
  fc.assert(
    fc.property(percent, percent, fc.nat(9_999), (weightBp, other, bucket) => {
      const percentBp = Math.min(other, 10_000 - weightBp);
      const onCanary = versionOfBucket([{ version: 1, weightBp }], 0, bucket) === 1;
      return !(onCanary && inMirrorShare(percentBp, bucket));
    }),
  );
});

t.test('the first route that holds gives the percent, else the mirror and its methods', async (t) => {
  const group: MirrorRoute['when'] = {
    kind: 'header',
    name: 'x-group',
    match: { kind: 'pattern', source: '^qa' },
  };
  const put: MirrorRoute['when'] = { kind: 'method', oneOf: ['PUT'] };
  const routes: MirrorRoute[] = [
    { name: 'none-of-staff', percentBp: 0, when: { ...group, match: { kind: 'oneOf', values: ['staff'] } } },
    { name: 'qa', percentBp: 10_000, when: group },
    { name: 'puts', percentBp: 2_500, when: put },
  ];
  const at = (given: readonly MirrorRoute[], request: FakeRequest) => {
    const spec = mirror(1, { percentBp: 700, methods: ['GET'], routes: given });
    return mirrorPercentBp(spec, compileMirrorRoutes(spec, compileWithRegExp), factsOf(request));
  };
  const inGroup = (name: string, method = 'GET') => ({ method, headers: { 'x-group': name } });
  t.equal(at(routes, inGroup('staff')), 0, 'a route may say none');
  t.equal(at(routes, inGroup('qa-1')), 10_000);
  t.equal(at(routes, inGroup('qa-1', 'DELETE')), 10_000, "the mirror's methods are not asked");
  t.equal(at(routes, { method: 'PUT' }), 2_500);
  t.equal(at(routes.toReversed(), inGroup('qa-1', 'PUT')), 2_500, 'in their order');
  t.equal(at(routes, { method: 'GET' }), 700, 'none holds');
  t.equal(at(routes, { method: 'DELETE' }), 0, 'none holds, and the method is not mirrored');
  t.equal(at([{ name: 'all', percentBp: 1, when: null }], { method: 'DELETE' }), 1, 'for every request');
  t.equal(at([], { method: 'GET' }), 700);
  t.equal(at([], { method: 'PUT' }), 0);
});
