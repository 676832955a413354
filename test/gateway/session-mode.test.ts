import t, { type Test } from 'tap';
import type { Rule, Sticky } from '../../src/core/model.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { serve } from '../support/gateway.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { canary, type ServiceOptions, split, useRule } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { clientOf, reasonsFor } from './client.ts';

const SESSION: Sticky = {
  by: [{ kind: 'header', name: 'x-user-id' }],
  mode: 'session',
  sessionTtlMs: 3_600_000,
  sessionMax: 1_000,
  issueCookie: null,
};

/** A user of a low and one of a high bucket. */
const LOW = nameWith((bucket) => bucket < 1_000);
const HIGH = nameWith((bucket) => bucket > 9_000);

function nameWith(holds: (bucket: number) => boolean): string {
  for (let i = 0; ; i++) if (holds(bucketOfKey('svc', `u${i}`))) return `u${i}`;
}

async function scene(t: Test, sticky = SESSION) {
  const stable = await startOrigin(t, (call) => call.write(answer(200, 'v1')));
  const next = await startOrigin(t, (call) => call.write(answer(200, 'v2')));
  const at = (weightBp: number, options: ServiceOptions = {}) =>
    canary(stable.url, next.url, weightBp, { sticky, ...options });
  const gateway = await serve(t, at(5_000));
  const client = clientOf(t, gateway.url);
  return {
    at,
    gateway,
    swap: (weightBp: number, options: ServiceOptions = {}) => gateway.gateway.swap(at(weightBp, options)),
    of: async (user: string) => (await client('/', { headers: { 'x-user-id': user } })).body,
  };
}

t.test('the first version is kept when the weight takes its bucket away', async (t) => {
  const { gateway, swap, of } = await scene(t);
  t.equal(await of(LOW), 'v2');
  t.equal(await of(HIGH), 'v1');
  t.strictSame(reasonsFor(gateway, 'v2'), { hash: 1 });
  swap(1, { stage: 1 });
  t.equal(await of(LOW), 'v2', 'its bucket is stable’s by now');
  swap(10_000, { stage: 2 });
  t.equal(await of(HIGH), 'v1', 'its bucket is the canary’s by now');
  t.equal(await of(LOW), 'v2');
  t.strictSame(reasonsFor(gateway, 'v2'), { session: 1 }, 'counted as by session, under the stage in force');
});

t.test('an abort unpins at once; the weight’s return does not pin again', async (t) => {
  const { swap, of } = await scene(t);
  t.equal(await of(LOW), 'v2');
  t.equal(await of(HIGH), 'v1');
  swap(0);
  t.equal(await of(LOW), 'v1');
  // The user is stable's now, pinned there, and stays when the canary comes back.
  swap(10_000);
  t.equal(await of(LOW), 'v1');
  t.equal(await of(HIGH), 'v1');
});

t.test('who was not seen during the abort is split anew after it', async (t) => {
  const { swap, of } = await scene(t);
  t.equal(await of(LOW), 'v2');
  swap(0);
  swap(500);
  t.equal(await of(LOW), bucketOfKey('svc', LOW) < 500 ? 'v2' : 'v1');
});

t.test('a pin runs out', async (t) => {
  const { swap, of } = await scene(t, { ...SESSION, sessionTtlMs: 80 });
  t.equal(await of(LOW), 'v2');
  swap(1);
  await until(async () => (await of(LOW)) === 'v1', 'the pin to run out');
});

t.test('an abort that comes while pinning is off counts all the same', async (t) => {
  const { swap, of } = await scene(t);
  t.equal(await of(LOW), 'v2');
  const off = { sticky: { ...SESSION, mode: 'hash' as const } };
  swap(0, off);
  t.equal(await of(LOW), 'v1');
  swap(1);
  t.equal(await of(LOW), 'v1', 'not pinned where it was before');
});

t.test('a Split that is refused costs nobody a pin', async (t) => {
  const { at, gateway, swap, of } = await scene(t);
  t.equal(await of(LOW), 'v2');
  const [other] = at(5_000, { sticky: { ...SESSION, sessionTtlMs: 1_000 } }).services;
  // Two services for the same requests.
  t.throws(() => gateway.gateway.swap(split([other!, { ...other!, name: 'twin' }])));
  swap(1);
  t.equal(await of(LOW), 'v2');
});

t.test('a rule is above a pin and makes none', async (t) => {
  const { swap, of } = await scene(t);
  const user = (name: string) =>
    ({ kind: 'header', name: 'x-user-id', match: { kind: 'oneOf', values: [name] } }) as const;
  t.equal(await of(LOW), 'v2');
  swap(5_000, {
    rules: [
      { id: 'rules[0]', when: user(LOW), then: { kind: 'use', version: 0 } },
      {
        id: 'rules[1]',
        when: user(HIGH),
        then: { kind: 'split', shares: [{ version: 1, weightBp: 10_000 }] },
      },
    ],
  });
  t.equal(await of(LOW), 'v1');
  t.equal(await of(HIGH), 'v2');
  swap(5_000);
  t.equal(await of(LOW), 'v2', 'the pin of before');
  t.equal(await of(HIGH), 'v1', 'the rule left no pin');
});

t.test('precedence nginx: who is pinned stays whatever the rules say, and rules pin', async (t) => {
  const force: Rule = useRule({ kind: 'path', match: { kind: 'present' } }, 1);
  const { swap, of } = await scene(t);
  t.equal(await of(HIGH), 'v1');
  const rules: ServiceOptions = { rules: [force] };
  swap(5_000, rules);
  t.equal(await of(HIGH), 'v2', "our own precedence: the rule's");
  swap(5_000, { ...rules, precedence: 'nginx' });
  t.equal(await of(HIGH), 'v1', 'still pinned to its first version');
  const other = nameWith((bucket) => bucket > 9_000 && bucket !== bucketOfKey('svc', HIGH));
  t.equal(await of(other), 'v2', 'a new user: the rule decides');
  swap(5_000, { precedence: 'nginx' });
  t.equal(await of(other), 'v2', 'and is pinned by it, as NGINX pins whoever was routed by a header');
});
