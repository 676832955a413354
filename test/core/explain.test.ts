import fc from 'fast-check';
import t from 'tap';
import type { Service, Share } from '../../src/core/model.ts';
import { choose, makeChooser } from '../../src/core/split/choose.ts';
import { type DescribedRequest, explain, rangesOf } from '../../src/core/split/explain.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { rule } from '../support/rule.ts';
import { service as makeService, type ServiceOptions, split, version } from '../support/split.ts';

const compile = (source: string) => {
  const pattern = new RegExp(source);
  return (text: string) => pattern.test(text);
};

function request(options: Partial<DescribedRequest> = {}): DescribedRequest {
  const none = new Map<string, string>();
  return {
    key: null,
    headers: none,
    cookies: none,
    query: none,
    method: 'GET',
    path: null,
    ip: null,
    region: null,
    ...options,
  };
}

const versions = ['v1', 'v2', 'v3'].map((name) => version(name, 'http://127.0.0.1:1'));

const canaryHeader = rule(
  0,
  { kind: 'header', name: 'x-canary', match: { kind: 'oneOf', values: ['always'] } },
  { kind: 'use', version: 1 },
);
const inEurope = rule(
  1,
  { kind: 'region', oneOf: ['eu-west'] },
  { kind: 'split', shares: [{ version: 1, weightBp: 10_000 }] },
);

function service(options: ServiceOptions = {}): Service {
  const shares: Share[] = [{ version: 1, weightBp: 500 }];
  return makeService(versions, { name: 'iris-api', shares, rules: [canaryHeader, inEurope], ...options });
}

function ask(one: Service, options: Partial<DescribedRequest>, region: string | null = null) {
  return explain(split([one], { region, revision: 7 }), one, request(options), compile);
}

t.test('a key is told with its source, bucket and range', async (t) => {
  const bucket = bucketOfKey('iris-api', 'u42');
  const answer = ask(service(), { key: 'u42' });
  t.strictSame(answer.key, { source: 'header:x-user-id', value: 'u42' });
  t.equal(answer.bucket, bucket);
  t.equal(answer.version, bucket < 500 ? 'v2' : 'v1');
  t.equal(answer.reason, 'hash');
  t.equal(answer.rule, null);
  t.equal(answer.revision, 7);
  t.strictSame(answer.ranges, [
    { version: 'v2', from: 0, to: 500, weight: 5 },
    { version: 'v1', from: 500, to: 10_000, weight: 95 },
  ]);
  t.match(answer.because, `has bucket ${bucket} in`);
  t.strictSame(answer.notes, []);
});

t.test('a rule that forces a version is named', async (t) => {
  const answer = ask(service(), { key: 'u42', headers: new Map([['x-canary', 'always']]) });
  t.equal(answer.version, 'v2');
  t.strictSame(answer.rule, { index: 0, id: 'rules[0]' });
  t.equal(answer.bucket, null);
  t.strictSame(answer.ranges, []);
  t.equal(answer.because, 'rules[0] holds; it sends every such request to v2');
});

t.test('a rule with weights of its own shows those', async (t) => {
  const answer = ask(service(), { key: 'u42', region: 'EU-West' });
  t.equal(answer.version, 'v2');
  t.equal(answer.rule?.id, 'rules[1]');
  t.strictSame(answer.ranges, [{ version: 'v2', from: 0, to: 10_000, weight: 100 }]);
  t.match(answer.because, /^rules\[1\] holds; key "u42" .*the weights of that rule/);
});

t.test('the region comes from the header where one is named, else from the gateway', async (t) => {
  t.equal(ask(service(), {}, 'eu-west').rule?.id, 'rules[1]', "the gateway's own");
  const named = service({ regionHeader: 'x-region' });
  t.equal(ask(named, { headers: new Map([['x-region', 'eu-west']]) }, 'us-east').rule?.id, 'rules[1]');
  t.equal(ask(named, {}, 'eu-west').rule?.id, 'rules[1]', 'without the header it is the own one');
  t.equal(ask(named, { headers: new Map([['x-region', 'us-east']]) }, 'eu-west').rule, null);
});

t.test('without a key it is left to chance, in shares that are told', async (t) => {
  const answer = ask(service(), {});
  t.equal(answer.version, null);
  t.equal(answer.reason, 'random');
  t.equal(answer.bucket, null);
  t.match(answer.because, 'drawn anew, by the weights of the service: 5 % v2, 95 % v1');
});

t.test('without a key an issued cookie is foretold', async (t) => {
  const issueCookie = { name: 'coalmine_id', maxAgeS: 60, secret: 's', domain: null };
  const sticky = { ...service().sticky, issueCookie };
  const answer = ask(service({ sticky }), {});
  t.equal(answer.version, null);
  t.match(answer.because, /an id is issued in the cookie coalmine_id/);

  const carried = ask(service({ sticky }), { cookies: new Map([['coalmine_id', 'abc.def']]) });
  t.match(carried.notes[0], /signed and is not read here/);

  const byId = ask(service({ sticky: { ...sticky, by: [] } }), { key: 'some-id' });
  t.equal(byId.key?.source, 'issued cookie coalmine_id');
  t.equal(byId.reason, 'cookie');
  t.equal(byId.bucket, bucketOfKey('iris-api', 'some-id'));
});

t.test('a key that nothing reads is said to be unused', async (t) => {
  const sticky = { ...service().sticky, by: [] };
  const answer = ask(service({ sticky }), { key: 'u42' });
  t.equal(answer.version, null);
  t.match(answer.notes[0], /the key is not used/);
});

t.test('the key goes where the service looks first', async (t) => {
  for (const [source, told] of [
    [{ kind: 'cookie', name: 'uid' }, 'cookie:uid'],
    [{ kind: 'query', name: 'user' }, 'query:user'],
    [{ kind: 'ip' }, 'ip'],
  ] as const) {
    const sticky = { ...service().sticky, by: [source] };
    t.strictSame(ask(service({ sticky }), { key: '10.0.0.9' }).key, { source: told, value: '10.0.0.9' });
  }
});

t.test('a path outside the service is said to be so', async (t) => {
  const one = service({ path: '/predict' });
  t.match(
    ask(one, { path: '/predictor' }).notes[0],
    /sends \/predictor to no version .* it serves \/predict$/,
  );
  t.strictSame(ask(one, { path: '/predict/x' }).notes, []);
  t.strictSame(ask(one, { path: null }).notes, []);
});

t.test('session mode says that it speaks of new users', async (t) => {
  const sticky = { ...service().sticky, mode: 'session' as const };
  t.match(ask(service({ sticky }), { key: 'u42' }).notes[0], /already pinned stays on that version; /);
  const forced = { key: 'u42', headers: new Map([['x-canary', 'always']]) };
  const nginx = ask(service({ sticky, precedence: 'nginx' }), forced);
  t.match(nginx.notes[0], /already pinned .* above every rule \(precedence: nginx\); this is a new user/);
  t.match(nginx, { version: 'v2', reason: 'rule', key: { source: 'header:x-user-id', value: 'u42' } });
  t.match(nginx.because, /^rules\[0\] holds; it sends every such request to v2$/);
});

t.test('ranges cover all buckets once, in order, whatever the shares', async (t) => {
  const covers = fc.property(fc.nat(5000), fc.nat(5000), (first, second) => {
    const ranges = rangesOf(service(), [
      { version: 1, weightBp: first },
      { version: 2, weightBp: second },
    ]);
    let next = 0;
    for (const { from, to } of ranges) {
      if (from !== next || to <= from) return false;
      next = to;
    }
    return next === 10_000;
  });
  t.doesNotThrow(() => fc.assert(covers));
});

t.test('what is explained is what is chosen', async (t) => {
  const one = service();
  const chooser = makeChooser(one, compile);
  const agrees = fc.property(
    fc.string({ minLength: 1 }),
    fc.boolean(),
    fc.boolean(),
    (key, forced, europe) => {
      const headers = new Map(forced ? [['x-canary', 'always']] : []);
      const answer = ask(one, { key, headers, region: europe ? 'eu-west' : 'us-east' });
      const chosen = choose(
        chooser,
        {
          method: 'GET',
          path: '/',
          header: (name) => (name === 'x-user-id' ? key : headers.get(name)),
          cookie: () => undefined,
          query: () => undefined,
          ip: () => '',
          region: () => (europe ? 'eu-west' : 'us-east'),
        },
        { issuedId: () => '', pinned: () => -1, random: () => 0.5 },
      );
      return answer.version === one.versions[chosen.version]?.name && answer.reason === chosen.reason;
    },
  );
  t.doesNotThrow(() => fc.assert(agrees));
});
