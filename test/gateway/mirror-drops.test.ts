import t, { type Test } from 'tap';
import type { Mirror } from '../../src/core/model.ts';
import { SCALAR } from '../../src/core/tally.ts';
import { serve } from '../support/gateway.ts';
import { answer, type Call, chunk, polite, refusedUrl, type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { canary, mirror, service, split, type UpstreamOptions, version } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { clientOf, countedFor, mirroredTo, mirrorSettled, tallyOf } from './client.ts';

/** Whatever is wrong with the shadow: counted by reason, never felt by the client. */

async function scene(
  t: Test,
  spec: Partial<Mirror>,
  shadowScript: Script | null,
  options: { stable?: Script; upstream?: UpstreamOptions } = {},
) {
  const stable = await startOrigin(t, options.stable ?? polite);
  const shadow = await startOrigin(t, shadowScript ?? polite);
  const url = shadowScript === null ? await refusedUrl() : shadow.url;
  const at = (changed: Partial<Mirror> = {}) =>
    canary(stable.url, url, 0, {
      mirror: mirror(1, { ...spec, ...changed }),
      ...(options.upstream === undefined ? {} : { upstream: options.upstream }),
    });
  const gateway = await serve(t, at());
  /** What is held for the shadow at this moment, as the tally has it. */
  const underWay = () => tallyOf(gateway, 'v2').scalars[SCALAR.mirrorInFlight];
  return { stable, shadow, gateway, at, underWay, client: clientOf(t, gateway.url) };
}

t.test('a shadow that hangs is not waited for, also not on a reused connection', async (t) => {
  const held: Call[] = [];
  const { gateway, client, underWay, shadow } = await scene(
    t,
    { timeoutMs: 60_000, maxInFlight: 3 },
    (call) => held.push(call),
  );
  const one = clientOf(t, gateway.url, { maxSockets: 1 });
  for (let i = 0; i < 10; i++) {
    t.equal((await one('/', { method: 'POST', body: 'x'.repeat(i * 1_000) })).status, 200);
    t.equal((await client('/')).status, 200);
  }
  await shadow.arrived(3);
  t.equal(underWay(), 3);
  t.strictSame(mirroredTo(gateway, 'v2'), { dropped_full: 17 });
  t.strictSame(countedFor(gateway, 'v1'), { 'POST 200': 10, 'GET 200': 10 });
  for (const call of held) await call.write(answer(200, 'late'));
  await mirrorSettled(gateway, 'v2', { dropped_full: 17, ok: 3 });
  t.equal(underWay(), 0);
  held.length = 0;
  await client('/');
  await until(() => held.length === 1, 'the next copy: its places have come back');
});

t.test(
  'the bound is the mirror’s, over all endpoints of the shadow and from the first byte on',
  async (t) => {
    const stable = await startOrigin(t);
    const shadows = await Promise.all([startOrigin(t, () => {}), startOrigin(t, () => {})]);
    const versions = [
      version('v1', stable.url),
      version(
        'v2',
        shadows.map(({ url }) => url),
      ),
    ];
    const gateway = await serve(t, split([service(versions, { mirror: mirror(1, { maxInFlight: 3 }) })]));
    const uploading = await connectRaw({ port: gateway.port });
    uploading.send(head('POST / HTTP/1.1', 'Content-Length: 100')).send('half');
    await stable.arrived(1);
    const client = clientOf(t, gateway.url);
    for (let i = 0; i < 6; i++) t.equal((await client('/')).status, 200);
    t.strictSame(mirroredTo(gateway, 'v2'), { dropped_full: 4 }, 'a body that is being copied takes a place');
    await until(() => shadows.every(({ requests }) => requests.length === 1), 'two copies');
  },
);

t.test('an answer without end is given up, and counted as too large', async (t) => {
  const { gateway, client, underWay, shadow } = await scene(
    t,
    { timeoutMs: 60_000, maxAnswerBytes: 100_000 },
    async (call) => {
      await call.write('HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n');
      for (;;) await call.write('a'.repeat(65_536));
    },
  );
  for (let i = 0; i < 5; i++) t.equal((await client('/')).status, 200);
  await mirrorSettled(gateway, 'v2', { answer_too_large: 5 });
  t.equal(underWay(), 0);
  const answering = () => shadow.open().filter(({ requests }) => requests.length > 0);
  await shadow.until(() => answering().length === 0, 'the connections to be closed');
});

t.test('an answer as large as may be read is whole', async (t) => {
  const { gateway, client } = await scene(t, { maxAnswerBytes: 100_000 }, (call) =>
    call.write(answer(200, 'a'.repeat(call.message.target === '/more' ? 100_001 : 100_000))),
  );
  await client('/');
  await mirrorSettled(gateway, 'v2', { ok: 1 });
  await client('/more');
  await mirrorSettled(gateway, 'v2', { ok: 1, answer_too_large: 1 });
});

t.test('too slow: given up after its time, and cancelled', async (t) => {
  const { gateway, shadow, client, underWay } = await scene(t, { timeoutMs: 60 }, (call) =>
    call.message.target === '/head'
      ? undefined
      : call.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf'),
  );
  t.equal((await client('/head')).status, 200);
  t.equal((await client('/body')).status, 200);
  await mirrorSettled(gateway, 'v2', { timeout: 2 });
  // undici opens another connection for the place of the one it closed; that one carries nothing.
  const carrying = () => shadow.open().filter(({ requests }) => requests.length > 0);
  await shadow.until(() => carrying().length === 0, 'the copies to be cancelled');
  t.equal(underWay(), 0);
});

t.test('too slow to connect: a time-out as well', async (t) => {
  const silent = await startOrigin(t, () => {});
  const stable = await startOrigin(t);
  const url = silent.url.replace('http:', 'https:');
  const gateway = await serve(t, canary(stable.url, url, 0, { mirror: mirror(1, { timeoutMs: 60 }) }));
  t.equal((await clientOf(t, gateway.url)('/')).status, 200);
  await mirrorSettled(gateway, 'v2', { timeout: 1 });
});

t.test('an endless answer of the shadow is thrown away until its time is up', async (t) => {
  const { gateway, client } = await scene(t, { timeoutMs: 100, maxAnswerBytes: 1 << 30 }, async (call) => {
    await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (;;) await call.write(chunk('x'.repeat(10_000)));
  });
  t.equal((await client('/')).status, 200);
  await mirrorSettled(gateway, 'v2', { timeout: 1 });
});

t.test('broken in every way: an error, and nothing else', async (t) => {
  const ways: Record<string, Script | null> = {
    'a 500': (call) => call.write(answer(500, 'x')),
    'a reset': (call) => call.reset(),
    nonsense: (call) => call.write('NONSENSE\r\n\r\n'),
    'a cut answer': async (call) => {
      await call.write('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
      call.end();
    },
    'nobody there': null,
  };
  for (const [name, script] of Object.entries(ways)) {
    const { gateway, client, underWay } = await scene(t, {}, script);
    for (let i = 0; i < 3; i++) t.equal((await client('/', { method: 'POST', body: 'x' })).status, 200, name);
    await mirrorSettled(gateway, 'v2', { error: 3 });
    t.equal(underWay(), 0, name);
    t.strictSame(countedFor(gateway, 'v2'), {}, name);
    t.strictSame(countedFor(gateway, 'v1'), { 'POST 200': 3 }, name);
    t.equal(gateway.scalar('retries'), 0, 'a copy is sent once');
  }
});

t.test('4xx of the shadow is an answer', async (t) => {
  const { gateway, client } = await scene(t, {}, (call) => call.write(answer(404, 'x')));
  await client('/');
  await mirrorSettled(gateway, 'v2', { ok: 1 });
});

t.test('too large: dropped, whether the length was stated or not', async (t) => {
  const { gateway, shadow, stable, client } = await scene(t, { maxBodyBytes: 1_000 }, polite);
  t.equal((await client('/a', { method: 'POST', body: 'x'.repeat(1_001) })).status, 200);
  const raw = await connectRaw({ port: gateway.port });
  raw.send(head('POST /b HTTP/1.1', 'Transfer-Encoding: chunked'));
  for (let i = 0; i < 3; i++) {
    raw.send(chunk('x'.repeat(500)));
    await stable.until(() => stable.requests[1]?.message.bodyBytes === 500 * (i + 1), `part ${i}`);
  }
  t.strictSame(mirroredTo(gateway, 'v2'), { dropped_too_large: 2 }, 'as soon as it is known');
  raw.send('0\r\n\r\n');
  await raw.whole();
  t.equal(raw.answers[0]?.status, 200);
  t.equal((await client('/c', { method: 'POST', body: 'x'.repeat(1_000) })).status, 200);
  await mirrorSettled(gateway, 'v2', { dropped_too_large: 2, ok: 1 });
  t.equal(shadow.requests.length, 1);
});

t.test('too many bytes at one time: dropped, and the bytes come back', async (t) => {
  const { gateway, stable, shadow, client } = await scene(t, { maxBufferedBytes: 1_000 }, polite);
  const first = await connectRaw({ port: gateway.port });
  first.send(head('POST /first HTTP/1.1', 'Content-Length: 900')).send('x'.repeat(800));
  await stable.until(() => stable.requests[0]?.message.bodyBytes === 800, 'the first body');
  t.equal((await client('/second', { method: 'POST', body: 'x'.repeat(300) })).status, 200);
  t.strictSame(mirroredTo(gateway, 'v2'), { dropped_bytes: 1 });
  first.send('x'.repeat(100));
  await first.whole();
  await mirrorSettled(gateway, 'v2', { dropped_bytes: 1, ok: 1 });
  t.equal((await client('/third', { method: 'POST', body: 'x'.repeat(1_000) })).status, 200);
  await mirrorSettled(gateway, 'v2', { dropped_bytes: 1, ok: 2 });
  t.strictSame(
    shadow.requests.map(({ message }) => message.target),
    ['/first', '/third'],
  );
});

t.test('a client that goes away before its body is whole: dropped', async (t) => {
  const { gateway, stable, shadow, underWay } = await scene(
    t,
    { maxInFlight: 1, maxBufferedBytes: 1_000 },
    polite,
  );
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST / HTTP/1.1', 'Content-Length: 1000')).send('x'.repeat(800));
  await stable.until(() => stable.requests[0]?.message.bodyBytes === 800, 'most of it');
  client.reset();
  await mirrorSettled(gateway, 'v2', { dropped_aborted: 1 });
  t.equal(shadow.connections.length, 0);
  t.equal(underWay(), 0);
  const body = 'x'.repeat(1_000);
  t.equal((await clientOf(t, gateway.url)('/', { method: 'POST', body })).status, 200);
  await mirrorSettled(gateway, 'v2', { dropped_aborted: 1, ok: 1 });
  t.equal(shadow.requests.length, 1, 'its place and its bytes have come back');
});

t.test('an answer that comes before the body was read: dropped', async (t) => {
  const { gateway } = await scene(t, {}, polite, { stable: (call) => call.write(answer(403, 'no')) });
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST / HTTP/1.1', 'Content-Length: 1000000')).send('x');
  await client.whole();
  t.equal(client.answers[0]?.status, 403);
  await client.closed();
  await mirrorSettled(gateway, 'v2', { dropped_aborted: 1 });
});

t.test('a client that goes away after its body was read costs the shadow nothing', async (t) => {
  const { gateway, stable } = await scene(t, {}, polite, { stable: () => {} });
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST / HTTP/1.1', 'Content-Length: 4')).send('body');
  await stable.until(() => stable.whole().length === 1, 'the request');
  await mirrorSettled(gateway, 'v2', { ok: 1 });
  client.reset();
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'POST 499': 1 });
});

t.test('sent and dropped together are all that were eligible, under every fault at once', async (t) => {
  const { gateway, client, underWay, at } = await scene(
    t,
    { timeoutMs: 80, maxInFlight: 6, maxBodyBytes: 2_000, maxBufferedBytes: 6_000 },
    (call) => {
      const fate = call.nth % 5;
      if (fate === 0) return call.reset();
      if (fate === 1) return undefined;
      return call.write(answer(fate === 2 ? 500 : 200, 'x'));
    },
  );
  let eligible = 0;
  const worker = async (id: number) => {
    for (let i = 0; i < 25; i++) {
      const size = ((i * 7 + id) % 12) * 250;
      const method = (['GET', 'POST', 'PUT'] as const)[(i + id) % 3] as string;
      if (method !== 'PUT') eligible++;
      const body = method === 'GET' ? undefined : 'x'.repeat(size);
      const reply = await client('/', body === undefined ? { method } : { method, body });
      if (reply.status !== 200) throw new Error(`a client felt it: ${reply.status}`);
      if (id === 0 && i % 10 === 9) gateway.gateway.swap(at({ timeoutMs: 80 + i }));
    }
  };
  await Promise.all(Array.from({ length: 12 }, (_, id) => worker(id)));
  await until(() => underWay() === 0, 'the last copy');
  const outcomes = mirroredTo(gateway, 'v2');
  t.equal(
    Object.values(outcomes).reduce((sum, count) => sum + count, 0),
    eligible,
    JSON.stringify(outcomes),
  );
  for (const reason of ['ok', 'error', 'dropped_too_large']) t.ok((outcomes[reason] ?? 0) > 0, reason);
  t.equal(
    Object.values(countedFor(gateway, 'v1')).reduce((a, b) => a + b, 0),
    300,
  );
});
