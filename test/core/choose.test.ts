import fc from 'fast-check';
import t from 'tap';
import {
  ASSIGN_REASONS,
  type Condition,
  type Rule,
  type Service,
  type Sticky,
} from '../../src/core/model.ts';
import {
  type ChoiceInputs,
  type Chooser,
  choose,
  keyOf,
  makeChooser,
  reasonIndex,
} from '../../src/core/split/choose.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { versionOfBucket } from '../../src/core/split/shares.ts';
import { type ServiceOptions, service, version } from '../support/split.ts';
import { compileWithRegExp, factsOf } from './facts.ts';

const VERSIONS = ['v1', 'v2', 'v3'].map((name) => version(name, 'http://127.0.0.1:1'));
const STICKY = service(VERSIONS).sticky;

function chooserOf(options: ServiceOptions = {}): Chooser {
  return makeChooser(service(VERSIONS, { name: 'iris-api', ...options }), compileWithRegExp);
}

/** Inputs that fail the test when they are asked for something it did not offer. */
function inputs(offered: Partial<ChoiceInputs> = {}): ChoiceInputs {
  const refuse = (what: string) => (): never => {
    throw new Error(`${what} was asked for`);
  };
  return { issuedId: refuse('an id'), pinned: refuse('a pin'), random: refuse('chance'), ...offered };
}

const user = (id: string) => factsOf({ headers: { 'x-user-id': id } });
const canary = (weightBp: number) => [{ version: 1, weightBp }];
const always: Condition = { kind: 'all', of: [] };
const qa: Condition = { kind: 'header', name: 'x-group', match: { kind: 'oneOf', values: ['qa'] } };
const cookie: Sticky['issueCookie'] = { name: 'coalmine_id', maxAgeS: 60, secret: 's', domain: null };

t.test('a key decides by its bucket, alone', async (t) => {
  const chooser = chooserOf({ shares: canary(500) });
  let canaries = 0;
  for (let i = 0; i < 1_000; i++) {
    const key = `user-${i}`;
    const bucket = bucketOfKey('iris-api', key);
    const chosen = choose(chooser, user(key), inputs());
    if (chosen.version === 1) canaries++;
    t.match(chosen, { version: bucket < 500 ? 1 : 0, reason: 'hash', rule: -1, bucket, key });
  }
  t.ok(canaries > 0 && canaries < 1_000, 'both versions were chosen');
});

t.test('nobody flips: every call and every replica decides alike', async () => {
  const options = { shares: [...canary(1_000), { version: 2, weightBp: 2_000 }] };
  const chooser = chooserOf(options);
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.string(), (key, noise) => {
      const replica = makeChooser(structuredClone(chooser.service), compileWithRegExp);
      const facts = factsOf({
        headers: { 'x-user-id': key, 'x-noise': noise },
        path: `/${noise}`,
        ip: noise,
      });
      const first = choose(chooser, user(key), inputs());
      return (
        first.version === choose(chooser, user(key), inputs()).version &&
        first.version === choose(replica, facts, inputs()).version
      );
    }),
  );
});

t.test('raising the weight moves people only onto the canary, an abort moves everyone off', async (t) => {
  const before = [0, 1, 100, 500, 2_500, 5_000, 10_000].map((bp) => chooserOf({ shares: canary(bp) }));
  for (let i = 0; i < 2_000; i++) {
    const versions = before.map((chooser) => choose(chooser, user(`u${i}`), inputs()).version);
    const sorted = versions.toSorted();
    if (versions.join() !== sorted.join()) t.fail(`user u${i} left the canary: ${versions}`);
  }
  t.equal(choose(chooserOf({ shares: [] }), user('u1'), inputs()).version, 0);
});

t.test('the first key present decides, in the order of the config', async (t) => {
  const by: Sticky['by'] = [
    { kind: 'header', name: 'x-user-id' },
    { kind: 'cookie', name: 'uid' },
    { kind: 'query', name: 'user' },
    { kind: 'ip' },
  ];
  const everything = {
    headers: { 'x-user-id': 'h' },
    cookies: { uid: 'c' },
    query: { user: 'q' },
    ip: '192.0.2.7',
  };
  t.equal(keyOf(by, factsOf(everything)), 'h');
  t.equal(keyOf(by, factsOf({ ...everything, headers: {} })), 'c');
  t.equal(keyOf(by, factsOf({ ...everything, headers: { 'x-user-id': '' } })), 'c', 'empty counts as absent');
  t.equal(keyOf(by, factsOf({ ...everything, headers: {}, cookies: {} })), 'q');
  t.equal(keyOf(by, factsOf({ ...everything, headers: {}, cookies: {}, query: {} })), '192.0.2.7');
  t.equal(keyOf(by.toReversed(), factsOf(everything)), '192.0.2.7');
  t.equal(keyOf([], factsOf(everything)), '');
});

t.test('without any key the choice is random per request, and says so', async (t) => {
  const chooser = chooserOf({ shares: canary(500) });
  const at = (random: number) => choose(chooser, factsOf(), inputs({ random: () => random }));
  t.match(at(0), { version: 1, reason: 'random', rule: -1, bucket: 0, key: '' });
  t.match(at(0.0499), { version: 1, bucket: 499 });
  t.match(at(0.05), { version: 0, bucket: 500 });
  t.match(at(1 - Number.EPSILON), { version: 0, bucket: 9_999 });
});

t.test('an issued id decides for those who have no key', async (t) => {
  const chooser = chooserOf({ shares: canary(5_000), sticky: { ...STICKY, issueCookie: cookie } });
  let asked = 0;
  const issued = inputs({
    issuedId: () => {
      asked++;
      return 'id-7';
    },
  });
  const bucket = bucketOfKey('iris-api', 'id-7');
  t.match(choose(chooser, factsOf(), issued), {
    version: bucket < 5_000 ? 1 : 0,
    reason: 'cookie',
    bucket,
    key: 'id-7',
  });
  t.equal(asked, 1, 'asked once');
  t.match(
    choose(chooser, user('u1'), inputs()),
    { reason: 'hash', key: 'u1' },
    'a key of their own goes first',
  );
  const none = inputs({ issuedId: () => '', random: () => 0.9 });
  t.match(choose(chooser, factsOf(), none), { version: 0, reason: 'random', bucket: 9_000, key: '' });
});

t.test('a session stays on its first version until it is unpinned', async (t) => {
  const sticky: Sticky = { ...STICKY, mode: 'session', issueCookie: cookie };
  const chooser = chooserOf({ shares: canary(0), sticky });
  const pins = new Map([
    ['u1', 1],
    ['id-7', 2],
  ]);
  const pinned = (key: string) => pins.get(key) ?? -1;
  t.match(choose(chooser, user('u1'), inputs({ pinned })), {
    version: 1,
    reason: 'session',
    rule: -1,
    bucket: -1,
    key: 'u1',
  });
  t.match(choose(chooser, factsOf(), inputs({ pinned, issuedId: () => 'id-7' })), {
    version: 2,
    reason: 'session',
    key: 'id-7',
  });
  const widened = chooserOf({ shares: canary(10_000), sticky });
  t.match(choose(widened, user('u3'), inputs({ pinned: () => 0 })), { version: 0, reason: 'session' });
  t.match(choose(chooser, user('u2'), inputs({ pinned })), {
    version: 0,
    reason: 'hash',
    bucket: bucketOfKey('iris-api', 'u2'),
  });
  pins.clear();
  t.match(choose(chooser, user('u1'), inputs({ pinned })), { version: 0, reason: 'hash' });
  const anonymous = inputs({ issuedId: () => '', random: () => 0.5 });
  t.match(choose(chooser, factsOf(), anonymous), { reason: 'random' }, 'no key, no pin');
});

const ruleOf = (id: string, when: Condition, then: Rule['then']): Rule => ({ id, when, then });
const use = (id: string, when: Condition, to: number) => ruleOf(id, when, { kind: 'use', version: to });
const weigh = (id: string, when: Condition, weightBp: number) =>
  ruleOf(id, when, { kind: 'split', shares: canary(weightBp) });
const inGroup = (id: string) => factsOf({ headers: { 'x-user-id': id, 'x-group': 'qa' } });

t.test('the first rule that holds decides, above stickiness and sessions', async (t) => {
  const rules = [use('rules[0]', qa, 2), use('rules[1]', always, 1), use('rules[2]', qa, 0)];
  const sticky: Sticky = { ...STICKY, mode: 'session', issueCookie: cookie };
  const chooser = chooserOf({ rules, sticky, shares: canary(0) });
  t.same(choose(chooser, inGroup('u1'), inputs()), {
    version: 2,
    reason: 'rule',
    rule: 0,
    bucket: -1,
    key: '',
  });
  t.same(choose(chooser, user('u1'), inputs()), { version: 1, reason: 'rule', rule: 1, bucket: -1, key: '' });
  t.match(choose(chooserOf({ rules: [use('rules[0]', qa, 2)] }), user('u1'), inputs()), {
    version: 0,
    reason: 'hash',
    rule: -1,
  });
});

t.test('a weight inside a group splits by the same bucket', async (t) => {
  const outside = chooserOf({ shares: canary(500) });
  const inside = chooserOf({ shares: canary(500), rules: [weigh('rules[0]', qa, 2_000)] });
  for (let i = 0; i < 1_000; i++) {
    const key = `user-${i}`;
    const bucket = bucketOfKey('iris-api', key);
    const chosen = choose(inside, inGroup(key), inputs());
    t.match(chosen, { version: bucket < 2_000 ? 1 : 0, reason: 'rule', rule: 0, bucket, key });
    t.equal(choose(inside, user(key), inputs()).version, choose(outside, user(key), inputs()).version);
    if (bucket < 500) t.equal(chosen.version, 1, 'who is on the canary anyway stays there in a wider group');
  }
});

t.test('a weight inside a group asks no session; without a key it is random', async (t) => {
  const rules = [weigh('rules[0]', qa, 2_000)];
  const sticky: Sticky = { ...STICKY, mode: 'session' };
  const chooser = chooserOf({ rules, sticky });
  t.match(choose(chooser, inGroup('u1'), inputs()), { reason: 'rule', rule: 0, key: 'u1' });
  const anonymous = factsOf({ headers: { 'x-group': 'qa' } });
  t.match(choose(chooser, anonymous, inputs({ random: () => 0.1999 })), {
    version: 1,
    reason: 'rule',
    rule: 0,
    bucket: 1_999,
    key: '',
  });
  const issuing = chooserOf({ rules, sticky: { ...STICKY, issueCookie: cookie } });
  t.match(choose(issuing, anonymous, inputs({ issuedId: () => 'id-7' })), {
    reason: 'rule',
    rule: 0,
    bucket: bucketOfKey('iris-api', 'id-7'),
    key: 'id-7',
  });
});

t.test('what is left over is stable, wherever stable stands', async () => {
  const share = fc.record({ version: fc.nat(2), weightBp: fc.integer({ min: 0, max: 3_333 }) });
  fc.assert(
    fc.property(
      fc.array(share, { maxLength: 3 }),
      fc.nat(2),
      fc.string({ minLength: 1 }),
      (shares, stable, key) => {
        const base: Service = chooserOf({ shares, stable }).service;
        const chosen = choose(makeChooser(base, compileWithRegExp), user(key), inputs());
        return chosen.version === versionOfBucket(shares, stable, bucketOfKey(base.salt, key));
      },
    ),
  );
});

t.test('the index of a reason is its place in the list', async (t) => {
  for (const [index, reason] of ASSIGN_REASONS.entries()) t.equal(reasonIndex(reason), index, reason);
});

t.test('precedence nginx: a pinned session goes above the rules', async (t) => {
  const rules = [use('rules[0]', qa, 2), weigh('rules[1]', { ...qa, name: 'x-tier' }, 10_000)];
  const sticky: Sticky = { ...STICKY, mode: 'session', issueCookie: cookie };
  const nginx = chooserOf({ rules, sticky, shares: canary(0), precedence: 'nginx' });
  const pinned = (key: string) => (key === 'u1' || key === 'id-7' ? 1 : -1);
  const session = { version: 1, reason: 'session', rule: -1, bucket: -1 };
  t.same(choose(nginx, inGroup('u1'), inputs({ pinned })), { ...session, key: 'u1' });
  t.same(choose(nginx, user('u1'), inputs({ pinned })), { ...session, key: 'u1' });
  const anonymous = factsOf({ headers: { 'x-group': 'qa' } });
  let asked = 0;
  const issuedId = () => {
    asked++;
    return 'id-7';
  };
  t.same(choose(nginx, anonymous, inputs({ pinned, issuedId })), { ...session, key: 'id-7' });
  t.equal(asked, 1, 'one id is issued');

  t.same(
    choose(nginx, inGroup('u2'), inputs({ pinned })),
    { version: 2, reason: 'rule', rule: 0, bucket: -1, key: 'u2' },
    'a new user: the rule decides, and the key is told so that it can be pinned',
  );
  const tier = factsOf({ headers: { 'x-user-id': 'u2', 'x-tier': 'qa' } });
  const bucket = bucketOfKey('iris-api', 'u2');
  t.same(choose(nginx, tier, inputs({ pinned })), { version: 1, reason: 'rule', rule: 1, bucket, key: 'u2' });
  t.match(choose(nginx, user('u2'), inputs({ pinned })), { version: 0, reason: 'hash', rule: -1, bucket });
  const fresh = inputs({ pinned: () => -1, issuedId });
  t.match(choose(nginx, factsOf(), fresh), { reason: 'cookie', key: 'id-7' });
  const unknown = inputs({ issuedId: () => '', random: () => 0 });
  t.match(choose(nginx, anonymous, unknown), { version: 2, reason: 'rule', key: '' }, 'no key, no pin');
  t.match(choose(nginx, factsOf(), unknown), { version: 0, reason: 'random', key: '' });
});

t.test('precedence nginx without sessions is the usual one', async (t) => {
  const rules = [use('rules[0]', qa, 2)];
  const chooser = chooserOf({ rules, shares: canary(5_000), precedence: 'nginx' });
  t.match(choose(chooser, inGroup('u1'), inputs()), { version: 2, reason: 'rule', rule: 0 });
  t.match(choose(chooser, user('u1'), inputs()), { reason: 'hash' });
});
