import t, { type Test } from 'tap';
import type { Timeouts } from '../../src/core/model.ts';
import { serve, type TestGateway } from '../support/gateway.ts';
import { bodyOf, textOf } from '../support/http1.ts';
import { answer, chunk, type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, head, type RawClient } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { until } from '../support/wait.ts';

/** undici looks at its timers about once a second: the tests wait for that together. */
t.jobs = 6;
const TOGETHER = { buffered: true };

async function scene(t: Test, script: Script, timeouts: Partial<Timeouts>) {
  const origin = await startOrigin(t, script);
  const gateway = await serve(t, single(origin.url, { upstream: { timeouts } }));
  return { origin, gateway };
}

/** The one answer to one request, on a connection of its own. */
async function asked(gateway: TestGateway, request: string): Promise<RawClient> {
  const client = await connectRaw({ port: gateway.port });
  client.send(request);
  await client.whole();
  return client;
}

function pending(gateway: TestGateway): number {
  return gateway.gateway.endpoints().reduce((sum, endpoint) => sum + endpoint.pending, 0);
}

function isTimeout(t: Test, client: RawClient): void {
  const [message] = client.answers;
  t.equal(message?.status, 504, client.describe());
  t.match(JSON.parse(textOf(message!)), { error: 'upstream_timeout', service: 'svc', version: 'v1' });
}

t.test('connect: an upstream that lets nobody in is given up', TOGETHER, async (t) => {
  // Accepts on TCP and never answers the TLS handshake, which is a part of connecting.
  const origin = await startOrigin(t, () => {});
  const gateway = await serve(
    t,
    single(origin.url.replace('http:', 'https:'), { upstream: { timeouts: { connectMs: 100 } } }),
  );
  isTimeout(t, await asked(gateway, head('GET / HTTP/1.1')));
  isTimeout(t, await asked(gateway, `${head('POST / HTTP/1.1', 'Content-Length: 1')}x`));
  t.strictSame(gateway.counted(), { 'GET 504': 1, 'POST 504': 1 });
  t.equal(gateway.scalar('timeouts'), 2);
  t.equal(origin.connections.length, 2, 'and not tried again at the same endpoint');
  t.equal(pending(gateway), 0);
});

t.test('connect: another endpoint is tried, for nothing was sent', TOGETHER, async (t) => {
  const silent = await startOrigin(t, () => {});
  const plain = await startOrigin(t);
  const endpoints = [silent.url.replace('http:', 'https:'), plain.url];
  const gateway = await serve(t, single(endpoints, { upstream: { timeouts: { connectMs: 100 } } }));
  for (let i = 0; i < 2; i++) {
    const client = await asked(gateway, `${head('POST / HTTP/1.1', 'Content-Length: 3')}abc`);
    t.equal(client.answers[0]?.status, 200);
  }
  t.strictSame(
    plain.requests.map(({ message }) => bodyOf(message).toString()),
    ['abc', 'abc'],
  );
  t.equal(gateway.scalar('retries'), 1);
});

t.test('first byte: an upstream that does not begin to answer is cancelled', TOGETHER, async (t) => {
  const { origin, gateway } = await scene(t, () => {}, { firstByteMs: 100 });
  isTimeout(t, await asked(gateway, head('GET / HTTP/1.1')));
  isTimeout(t, await asked(gateway, `${head('POST / HTTP/1.1', 'Content-Length: 1')}x`));
  t.strictSame(gateway.counted(), { 'GET 504': 1, 'POST 504': 1 });
  t.equal(gateway.scalar('timeouts'), 2);
  t.equal(gateway.scalar('retries'), 0, 'the same work is not asked for a second time');
  t.equal(origin.requests.length, 2);
  await origin.until(() => origin.open().length === 0, 'the upstream’s connections to be closed');
  t.equal(pending(gateway), 0);
});

t.test('first byte: another endpoint is not given the same work', TOGETHER, async (t) => {
  const [one, two] = await Promise.all([startOrigin(t, () => {}), startOrigin(t, () => {})]);
  const gateway = await serve(
    t,
    single([one.url, two.url], { upstream: { timeouts: { firstByteMs: 100 } } }),
  );
  isTimeout(t, await asked(gateway, head('GET / HTTP/1.1')));
  t.equal(one.requests.length + two.requests.length, 1);
  t.equal(gateway.scalar('retries'), 0);
});

t.test('first byte: an interim answer is no answer yet', TOGETHER, async (t) => {
  const { gateway } = await scene(
    t,
    (call) => call.write('HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n'),
    { firstByteMs: 100 },
  );
  const client = await asked(gateway, head('GET / HTTP/1.1'));
  t.equal(client.interim[0]?.status, 103);
  isTimeout(t, client);
});

t.test('idle: an answer that falls silent is broken off', TOGETHER, async (t) => {
  const { origin, gateway } = await scene(
    t,
    (call) => call.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`),
    { idleMs: 100 },
  );
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET / HTTP/1.1'));
  await client.closed();
  t.equal(client.answers[0]?.status, 200);
  t.equal(textOf(client.answers[0]!), 'half');
  t.equal(client.answers[0]?.complete, false, 'it never looks whole');
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 504': 1 });
  t.equal(gateway.scalar('timeouts'), 1);
  t.equal(gateway.scalar('clientGone'), 0);
  await origin.until(() => origin.open().length === 0, 'the upstream’s connection to be closed');
});

t.test('idle: a slow reader is not the upstream’s silence', TOGETHER, async (t) => {
  const size = 48 << 20;
  const { gateway } = await scene(
    t,
    async (call) => {
      if (call.message.target === '/silent') {
        return call.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
      }
      await call.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
      return call.write(Buffer.alloc(size));
    },
    { idleMs: 100 },
  );
  const slow = await connectRaw({ port: gateway.port, discardBody: true });
  slow.send(head('GET /large HTTP/1.1'));
  await slow.heads();
  slow.socket.pause();
  // Two that begin after it and are cut for silence show that its time was up as well.
  for (let i = 0; i < 2; i++) {
    const silent = await connectRaw({ port: gateway.port });
    silent.send(head('GET /silent HTTP/1.1'));
    await silent.closed();
  }
  slow.socket.resume();
  await slow.whole();
  t.equal(slow.answers[0]?.bodyBytes, size);
  t.equal(slow.answers[0]?.complete, true);
});

t.test('total: an answer that goes on for too long is broken off', TOGETHER, async (t) => {
  const { origin, gateway } = await scene(
    t,
    async (call) => {
      await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (;;) await call.pieces([chunk('token ')], 10);
    },
    { totalMs: 150 },
  );
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET / HTTP/1.1'));
  await client.closed();
  t.ok((client.answers[0]?.bodyBytes ?? 0) > 0);
  t.equal(client.answers[0]?.complete, false);
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 504': 1 });
  t.equal(gateway.scalar('timeouts'), 1);
  await origin.until(() => origin.open().length === 0, 'the upstream to be cancelled');
});

t.test('total: before the answer began it is a 504, and nothing is tried again', TOGETHER, async (t) => {
  const { origin, gateway } = await scene(t, () => {}, { totalMs: 100 });
  isTimeout(t, await asked(gateway, head('GET / HTTP/1.1')));
  t.strictSame(gateway.counted(), { 'GET 504': 1 });
  t.equal(gateway.scalar('timeouts'), 1);
  t.equal(origin.requests.length, 1);
  await origin.until(() => origin.open().length === 0, 'the upstream to be cancelled');
  t.equal(pending(gateway), 0);
});

t.test('total: waiting for a connection counts too', TOGETHER, async (t) => {
  const silent = await startOrigin(t, () => {});
  const timeouts = { connectMs: 500, totalMs: 100 };
  const gateway = await serve(t, single(silent.url.replace('http:', 'https:'), { upstream: { timeouts } }));
  isTimeout(t, await asked(gateway, head('GET / HTTP/1.1')));
  t.equal(pending(gateway), 1, 'the client need not wait with the connection');
  await until(() => pending(gateway) === 0, 'the connection to be given up');
  t.strictSame(gateway.counted(), { 'GET 504': 1 }, 'counted once');
  t.equal(gateway.scalar('timeouts'), 1);
});

t.test('a request that was given up in the queue is never sent', TOGETHER, async (t) => {
  let release: () => void = () => {};
  const opened = new Promise<void>((resolve) => {
    release = resolve;
  });
  const origin = await startOrigin(t, async (call) => {
    if (call.message.target === '/held') await opened;
    await call.write(answer(200, call.message.target));
  });
  const gateway = await serve(t, single(origin.url, { upstream: { pool: { connections: 1 } } }));
  const clients = await Promise.all([1, 2].map(() => connectRaw({ port: gateway.port })));
  clients[0]?.send(head('GET /held HTTP/1.1'));
  await origin.arrived(1);
  clients[1]?.send(head('GET /gone HTTP/1.1'));
  await until(() => pending(gateway) === 2, 'the second to wait');
  clients[1]?.reset();
  await until(() => gateway.scalar('clientGone') === 1, 'the client to be missed');
  release();
  await clients[0]?.whole();
  await until(() => pending(gateway) === 0, 'the given up request to leave the queue');
  t.equal((await asked(gateway, head('GET /next HTTP/1.1'))).answers[0]?.status, 200);
  t.strictSame(
    origin.requests.map(({ message }) => message.target),
    ['/held', '/next'],
  );
});

t.test('total: an answer in time is left alone afterwards', TOGETHER, async (t) => {
  const { gateway } = await scene(t, (call) => call.write(answer(200, 'x')), { totalMs: 150 });
  const client = await connectRaw({ port: gateway.port });
  for (let i = 1; i <= 3; i++) {
    client.send(head('GET / HTTP/1.1'));
    await client.whole(i);
  }
  // Something else that takes the whole time, so that the timers of before would have fired.
  const { gateway: other } = await scene(t, () => {}, { totalMs: 200 });
  await asked(other, head('GET / HTTP/1.1'));
  client.send(head('GET / HTTP/1.1'));
  await client.whole(4);
  t.equal(client.answers[3]?.status, 200);
  t.strictSame(gateway.counted(), { 'GET 200': 4 });
  t.equal(gateway.scalar('timeouts'), 0);
});
