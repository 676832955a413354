import t, { type Test } from 'tap';
import type { Condition, Mirror } from '../../src/core/model.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { type ServeOptions, serve } from '../support/gateway.ts';
import { bodyOf, headerOf, valuesOf } from '../support/http1.ts';
import { chunk, polite, type Script, startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { canary, mirror, type ServiceOptions } from '../support/split.ts';
import { clientOf, countedFor, mirroredTo, mirrorSettled } from './client.ts';

/** v1 serves everybody, v2 is its shadow. */
async function scene(
  t: Test,
  spec: Partial<Mirror> = {},
  options: ServiceOptions & { weightBp?: number } & ServeOptions & { shadowScript?: Script } = {},
) {
  const { weightBp = 0, random, shadowScript = polite, ...service } = options;
  const stable = await startOrigin(t);
  const shadow = await startOrigin(t, shadowScript);
  const at = (changed: Partial<Mirror> = {}) =>
    canary(stable.url, shadow.url, weightBp, { mirror: mirror(1, { ...spec, ...changed }), ...service });
  const gateway = await serve(t, at(), random === undefined ? {} : { random });
  return { stable, shadow, gateway, at, client: clientOf(t, gateway.url) };
}

t.test('the shadow gets what the client sent: method, path, headers, body', async (t) => {
  const { stable, shadow, gateway } = await scene(t);
  const credentials = [
    'Authorization: Bearer x',
    'Cookie: a=1',
    'X-Api-Key: k',
    'Proxy-Authorization: Basic x',
  ];
  const lines = ['Content-Type: application/json', 'X-Many: 1', 'X-Many: 2', 'X-User-Id: u1', ...credentials];
  const requests = [
    head('GET /a?b=%20c HTTP/1.1', ...lines),
    head('HEAD /h HTTP/1.1', ...lines),
    `${head('POST /%61/../p HTTP/1.1', 'Content-Length: 5', ...lines)}hello`,
    `${head('POST /chunked HTTP/1.1', 'Transfer-Encoding: chunked', ...lines)}${chunk('hel')}${chunk('lo')}0\r\n\r\n`,
    head('POST /empty HTTP/1.1', 'Content-Length: 0', ...lines),
    `${head('POST /nothing HTTP/1.1', 'Transfer-Encoding: chunked', ...lines)}0\r\n\r\n`,
  ];
  for (const [i, request] of requests.entries()) {
    await exchange({ port: gateway.port, methods: [request.startsWith('HEAD') ? 'HEAD' : 'GET'] }, request);
    await shadow.until(() => shadow.whole().length === i + 1, `the copy of ${request.split('\r\n')[0]}`);
    const original = stable.requests[i]!.message;
    const copy = shadow.requests[i]!.message;
    const what = `${original.method} ${original.target}`;
    t.equal(`${copy.method} ${copy.target}`, what);
    t.ok(bodyOf(copy).equals(bodyOf(original)), `${what}: the body`);
    const dropped = /^(?:authorization|cookie|x-api-key|content-length|transfer-encoding|connection)$/;
    const rest = (headers: typeof copy.headers) => headers.filter(([name]) => !dropped.test(name));
    t.strictSame(
      rest(copy.headers),
      [...rest(original.headers), ['x-coalmine-shadow', '1']],
      `${what}: the headers`,
    );
    t.strictSame(valuesOf(copy, 'x-many'), ['1', '2']);
    for (const name of ['authorization', 'cookie', 'x-api-key', 'proxy-authorization']) {
      t.strictSame(valuesOf(copy, name), [], name);
    }
    t.equal(headerOf(original, 'x-coalmine-shadow'), undefined);
  }
  t.strictSame(shadow.violations(), []);
  await mirrorSettled(gateway, 'v2', { ok: requests.length });
  t.strictSame(countedFor(gateway, 'v2'), {}, 'none of it counts as a request of v2');
});

t.test('credentials go along where that is asked for', async (t) => {
  const { shadow, client } = await scene(t, { keepCredentials: true });
  await client('/', { headers: { authorization: 'Bearer x', cookie: 'a=1' } });
  await shadow.arrived(1);
  t.equal(headerOf(shadow.requests[0]!.message, 'authorization'), 'Bearer x');
  t.equal(headerOf(shadow.requests[0]!.message, 'cookie'), 'a=1');
});

t.test('by sticky: always the same users, those of the top buckets', async (t) => {
  const { gateway, shadow, client } = await scene(t, { by: 'sticky', percentBp: 3_000 });
  const users = Array.from({ length: 60 }, (_, i) => `u${i}`);
  const wanted = users.filter((user) => bucketOfKey('svc', user) >= 7_000);
  for (let round = 0; round < 2; round++) {
    for (const user of users) await client(`/${user}`, { headers: { 'x-user-id': user } });
  }
  await mirrorSettled(gateway, 'v2', { ok: wanted.length * 2 });
  t.strictSame(
    shadow.requests.map(({ message }) => message.target).sort(),
    [...wanted, ...wanted].map((user) => `/${user}`).sort(),
  );
});

t.test('by sticky: a forced version does not take a user out of its bucket', async (t) => {
  const { gateway, client } = await scene(
    t,
    { by: 'sticky', percentBp: 5_000 },
    {
      rules: [
        { id: 'r', when: { kind: 'path', match: { kind: 'present' } }, then: { kind: 'use', version: 0 } },
      ],
    },
  );
  let wanted = 0;
  for (let i = 0; i < 30; i++) {
    if (bucketOfKey('svc', `u${i}`) >= 5_000) wanted++;
    await client('/', { headers: { 'x-user-id': `u${i}` } });
  }
  await mirrorSettled(gateway, 'v2', { ok: wanted });
});

t.test('at random: each request on its own', async (t) => {
  const draws = [0, 0.5, 0.7499, 0.75, 0.9999];
  let turn = 0;
  const { gateway, shadow, client } = await scene(
    t,
    { by: 'random', percentBp: 2_500 },
    { random: () => draws[turn++ % draws.length] as number },
  );
  for (let i = 0; i < 10; i++) await client(`/${i}`, { headers: { 'x-user-id': 'one user' } });
  await mirrorSettled(gateway, 'v2', { ok: 4 });
  t.strictSame(
    shadow.requests.map(({ message }) => message.target),
    ['/3', '/4', '/8', '/9'],
  );
});

t.test('0 % is nobody, 100 % everybody, however they are chosen', async (t) => {
  for (const by of ['sticky', 'random'] as const) {
    const { gateway, at, client } = await scene(t, { by, percentBp: 0 });
    for (let i = 0; i < 20; i++) await client('/', { headers: { 'x-user-id': `u${i}` } });
    t.strictSame(mirroredTo(gateway, 'v2'), {}, by);
    gateway.gateway.swap(at({ percentBp: 10_000 }));
    for (let i = 0; i < 20; i++) await client('/', { headers: { 'x-user-id': `u${i}` } });
    await mirrorSettled(gateway, 'v2', { ok: 20 });
  }
});

t.test('only the methods that are named', async (t) => {
  const { gateway, shadow, client } = await scene(t, { methods: ['GET', 'PURGE'] });
  for (const method of ['POST', 'PUT', 'GET', 'DELETE', 'PURGE', 'HEAD']) await client('/', { method });
  await mirrorSettled(gateway, 'v2', { ok: 2 });
  t.strictSame(
    shadow.requests.map(({ message }) => message.method),
    ['GET', 'PURGE'],
  );
});

t.test('a request that is the shadow version’s own is not mirrored to it', async (t) => {
  const { gateway, shadow, client } = await scene(t, {}, { weightBp: 5_000 });
  let own = 0;
  for (let i = 0; i < 30; i++) {
    if (bucketOfKey('svc', `u${i}`) < 5_000) own++;
    await client('/', { headers: { 'x-user-id': `u${i}` } });
  }
  await mirrorSettled(gateway, 'v2', { ok: 30 - own });
  t.strictSame(countedFor(gateway, 'v2'), { 'GET 200': own });
  const copies = shadow.requests.filter(({ message }) => headerOf(message, 'x-coalmine-shadow') === '1');
  t.equal(copies.length, 30 - own);
  t.equal(shadow.requests.length, 30);
});

t.test('requests that were refused before they had a version are not mirrored', async (t) => {
  const { gateway, shadow, client } = await scene(t, {}, { maxBodyBytes: 10 });
  t.equal((await client('/', { method: 'POST', body: 'x'.repeat(11) })).status, 413);
  t.equal((await client('/../x')).status, 400);
  t.equal((await client('/ok')).status, 200);
  await mirrorSettled(gateway, 'v2', { ok: 1 });
  t.equal(shadow.requests.length, 1);
});

t.test('the shadow’s time is noted', async (t) => {
  const { gateway, client } = await scene(t);
  for (let i = 0; i < 5; i++) await client('/');
  await mirrorSettled(gateway, 'v2', { ok: 5 });
  const tally = gateway.recorder.tallies().find(({ version }) => version === 'v2');
  t.equal(
    tally?.mirrorDuration.reduce((a, b) => a + b, 0),
    5,
  );
  t.ok((tally?.scalars[3] ?? 0) > 0);
});

t.test('a mirror can be turned on and off by a swap', async (t) => {
  const { gateway, stable, shadow, at, client } = await scene(t);
  await client('/on');
  gateway.gateway.swap(canary(stable.url, shadow.url, 0));
  await client('/off');
  gateway.gateway.swap(at());
  await client('/last');
  await mirrorSettled(gateway, 'v2', { ok: 2 });
  t.strictSame(
    shadow.requests.map(({ message }) => message.target),
    ['/on', '/last'],
  );
});

t.test('routes give some requests a percent of their own', async (t) => {
  const qa: Condition = { kind: 'header', name: 'x-group', match: { kind: 'pattern', source: '^qa$' } };
  const none: Condition = { kind: 'path', match: { kind: 'prefix', value: '/private' } };
  const { gateway, shadow, client } = await scene(t, {
    percentBp: 0,
    methods: ['GET'],
    routes: [
      { name: 'private', percentBp: 0, when: none },
      { name: 'qa', percentBp: 10_000, when: qa },
    ],
  });
  const grouped = { headers: { 'x-group': 'qa' } };
  await client('/plain');
  await client('/private', grouped);
  await client('/a', grouped);
  await client('/b', { ...grouped, method: 'DELETE' });
  await mirrorSettled(gateway, 'v2', { ok: 2 });
  t.strictSame(shadow.requests.map(({ message }) => `${message.method} ${message.target}`).sort(), [
    'DELETE /b',
    'GET /a',
  ]);
});
