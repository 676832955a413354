import t, { type Test } from 'tap';
import type { Condition, Rule, TextMatch } from '../../src/core/model.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { serve } from '../support/gateway.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { canary, type ServiceOptions } from '../support/split.ts';
import { type Ask, clientOf, reasonsFor } from './client.ts';

const oneOf = (...values: string[]): TextMatch => ({ kind: 'oneOf', values });
const PRESENT: TextMatch = { kind: 'present' };
const header = (name: string, match: TextMatch): Condition => ({ kind: 'header', name, match });

/** Nobody is on the canary but for the rules. */
async function scene(
  t: Test,
  rules: readonly Rule[],
  options: ServiceOptions = {},
  region: string | null = null,
) {
  const stable = await startOrigin(t, (call) => call.write(answer(200, 'v1')));
  const next = await startOrigin(t, (call) => call.write(answer(200, 'v2')));
  const gateway = await serve(t, { ...canary(stable.url, next.url, 0, { rules, ...options }), region });
  const client = clientOf(t, gateway.url);
  return { gateway, client, of: async (path: string, ask: Ask = {}) => (await client(path, ask)).version };
}

const toCanary = (when: Condition): Rule => ({ id: 'rules[0]', when, then: { kind: 'use', version: 1 } });

type Case = readonly [path: string, ask: Ask];
const asking = (headers: Record<string, string>): Case => ['/', { headers }];

const KINDS: Record<string, { when: Condition; holds: readonly Case[]; fails: readonly Case[] }> = {
  'a header’s presence': {
    when: header('x-canary', PRESENT),
    holds: [asking({ 'X-Canary': 'always' }), asking({ 'x-canary': '' })],
    fails: [asking({}), asking({ 'x-canaries': '1' })],
  },
  'a header, one of': {
    when: header('x-user-group', oneOf('staff', 'qa')),
    holds: [asking({ 'x-user-group': 'staff' }), asking({ 'X-USER-GROUP': 'qa' })],
    fails: [asking({ 'x-user-group': 'Staff' }), asking({ 'x-user-group': 'staff, qa' }), asking({})],
  },
  'a header’s prefix': {
    when: header('user-agent', { kind: 'prefix', value: 'curl/' }),
    holds: [asking({ 'user-agent': 'curl/8.1' })],
    fails: [asking({ 'user-agent': 'x curl/8.1' }), asking({})],
  },
  'a header’s pattern': {
    when: header('x-tenant', { kind: 'pattern', source: '^(?:acme|globex)-[0-9]+$' }),
    holds: [asking({ 'x-tenant': 'acme-7' }), asking({ 'x-tenant': 'globex-42' })],
    fails: [asking({ 'x-tenant': 'acme-' }), asking({ 'x-tenant': 'xacme-7' })],
  },
  'an inherited name': {
    when: header('constructor', PRESENT),
    holds: [asking({ constructor: 'x' })],
    fails: [asking({})],
  },
  'a cookie': {
    when: { kind: 'cookie', name: 'beta', match: oneOf('1') },
    holds: [asking({ cookie: 'a=b; beta=1' }), asking({ cookie: 'beta="1"' })],
    fails: [asking({ cookie: 'beta=0' }), asking({ cookie: 'xbeta=1' }), asking({})],
  },
  'a query parameter': {
    when: { kind: 'query', name: 'model', match: oneOf('new one') },
    holds: [
      ['/?model=new%20one', {}],
      ['/x?a=b&model=new+one', {}],
    ],
    fails: [
      ['/?model=new', {}],
      ['/?Model=new%20one', {}],
      ['/', {}],
    ],
  },
  'a path': {
    when: { kind: 'path', match: { kind: 'prefix', value: '/v2/' } },
    holds: [
      ['/v2/predict', {}],
      ['/%76%32/predict', {}],
      ['/a/../v2/x', {}],
    ],
    fails: [
      ['/v1/predict', {}],
      ['/?/v2/', {}],
      ['/v2/../x', {}],
    ],
  },
  'a method': {
    when: { kind: 'method', oneOf: ['POST', 'PURGE'] },
    holds: [
      ['/', { method: 'POST', body: 'x' }],
      ['/', { method: 'PURGE' }],
    ],
    fails: [
      ['/', { method: 'GET' }],
      ['/', { method: 'PUT', body: 'x' }],
    ],
  },
  'all of several (a cohort)': {
    when: { kind: 'all', of: [header('a', PRESENT), header('b', oneOf('1'))] },
    holds: [asking({ a: 'x', b: '1' })],
    fails: [asking({ a: 'x' }), asking({ b: '1' })],
  },
  'any of several (a cohort)': {
    when: { kind: 'any', of: [header('a', PRESENT), header('b', oneOf('1'))] },
    holds: [asking({ a: 'x' }), asking({ b: '1' })],
    fails: [asking({ b: '2' }), asking({})],
  },
};

for (const [name, { when, holds, fails }] of Object.entries(KINDS)) {
  t.test(`by ${name}`, async (t) => {
    const { gateway, of } = await scene(t, [toCanary(when)]);
    for (const [path, ask] of holds) t.equal(await of(path, ask), 'v2', JSON.stringify([path, ask]));
    for (const [path, ask] of fails) t.equal(await of(path, ask), 'v1', JSON.stringify([path, ask]));
    t.strictSame(reasonsFor(gateway, 'v2'), { rule: holds.length });
  });
}

t.test('by region: from a header, in any case, else the gateway’s own', async (t) => {
  const rules = [toCanary({ kind: 'region', oneOf: ['eu-west'] })];
  const asked = await scene(t, rules, { regionHeader: 'x-region' }, 'us-east');
  t.equal(await asked.of('/', { headers: { 'x-region': 'EU-West' } }), 'v2');
  t.equal(await asked.of('/', { headers: { 'x-region': 'us-east' } }), 'v1');
  t.equal(await asked.of('/'), 'v1', 'the gateway’s own');
  const own = await scene(t, rules, {}, 'EU-WEST');
  t.equal(await own.of('/'), 'v2');
  t.equal(await own.of('/', { headers: { 'x-region': 'us-east' } }), 'v2', 'no header was asked for');
  const none = await scene(t, rules);
  t.equal(await none.of('/'), 'v1');
});

t.test('in order: the first that holds decides', async (t) => {
  const { of } = await scene(t, [
    { id: 'rules[0]', when: header('x-off', PRESENT), then: { kind: 'use', version: 0 } },
    { id: 'rules[1]', when: header('x-on', PRESENT), then: { kind: 'use', version: 1 } },
  ]);
  t.equal(await of('/', { headers: { 'x-on': '1' } }), 'v2');
  t.equal(await of('/', { headers: { 'x-on': '1', 'x-off': '1' } }), 'v1');
});

t.test('a weight of its own inside a group, by the same buckets', async (t) => {
  const shares = [{ version: 1, weightBp: 3_000 }];
  const rule: Rule = { id: 'rules[0]', when: header('x-eu', PRESENT), then: { kind: 'split', shares } };
  const { gateway, of } = await scene(t, [rule], { shares: [{ version: 1, weightBp: 500 }] });
  let byRule = 0;
  for (let i = 0; i < 60; i++) {
    const user = `u${i}`;
    const bucket = bucketOfKey('svc', user);
    t.equal(await of('/', { headers: { 'x-user-id': user } }), bucket < 500 ? 'v2' : 'v1');
    t.equal(await of('/', { headers: { 'x-user-id': user, 'x-eu': '1' } }), bucket < 3_000 ? 'v2' : 'v1');
    if (bucket < 3_000) byRule++;
  }
  t.equal(reasonsFor(gateway, 'v2').rule, byRule);
});

t.test('the version is shown, unless it is turned off; never the upstream’s claim', async (t) => {
  const liar = await startOrigin(t, (call) =>
    call.write(answer(200, 'x', 'X-Coalmine-Version: v9', 'X-Coalmine-Failover: v9', 'X-Request-Id: u')),
  );
  const gateway = await serve(t, canary(liar.url, liar.url, 0));
  const client = clientOf(t, gateway.url);
  const shown = await client('/', { headers: { 'x-request-id': 'r-1' } });
  t.equal(shown.version, 'v1');
  t.equal(shown.headers['x-coalmine-failover'], undefined);
  t.equal(shown.headers['x-request-id'], 'r-1');
  gateway.gateway.swap(canary(liar.url, liar.url, 0, { exposeVersion: false }));
  const hidden = await client('/');
  t.equal(hidden.headers['x-coalmine-version'], undefined);
  t.match(hidden.headers['x-request-id'], /^[0-9a-f-]{36}$/);
});
