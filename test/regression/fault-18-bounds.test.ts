import net from 'node:net';
import t from 'tap';
import { jsonOf, serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, type Call, refusedUrl, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { sleep } from '../support/wait.ts';

/** Plain stack: an unbounded queue of waiting requests, and time-outs of 300 s. */

t.test('a full pool sheds with 503 and Retry-After, and serves what it took', async (t) => {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) => held.push(call));
  const gateway = await serve(t, single(origin.url, { upstream: { pool: { connections: 2, pending: 3 } } }));
  const clients = await Promise.all(Array.from({ length: 12 }, () => connectRaw({ port: gateway.port })));
  for (const client of clients) client.send(head('POST /x HTTP/1.1', 'Content-Length: 0'));
  await origin.arrived(2);
  const shed = () => clients.filter(({ answers }) => answers[0]?.status === 503);
  while (shed().length < 7)
    await Promise.race(clients.filter((c) => c.answers.length === 0).map((c) => c.heads()));
  t.equal(shed().length, 7, '2 served and 3 waiting of 12');
  for (const { answers } of shed()) {
    t.match(headerOf(answers[0]!, 'retry-after'), /^[0-9]+$/);
    t.match(jsonOf(answers[0]!), { error: String, service: 'svc', version: 'v1', requestId: String });
  }
  for (let served = 0; served < 5; served++) {
    await origin.until(() => held.length > served, 'the next request');
    await held[served]?.write(answer(200, 'ok'));
  }
  await Promise.all(clients.map((client) => client.whole()));
  t.equal(clients.filter(({ answers }) => answers[0]?.status === 200).length, 5);
  t.equal(origin.connections.length, 2);
  for (const { socket } of clients) socket.destroy();
});

t.test('nobody listening: 502, without the address', async (t) => {
  const url = await refusedUrl();
  const gateway = await serve(t, single(url));
  const got = await gateway.get('/x');
  t.equal(got.status, 502);
  t.match(jsonOf(got), { service: 'svc', version: 'v1' });
  t.notMatch(textOf(got), /127\.0\.0\.1|ECONNREFUSED/);
});

t.test('a handshake that hangs: 504 after connectMs', async (t) => {
  const silent = net.createServer((socket) => socket.on('error', () => {}));
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as net.AddressInfo;
  const gateway = await serve(
    t,
    single(`https://127.0.0.1:${port}`, {
      upstream: { timeouts: { connectMs: 300 }, retry: { retries: 0 } },
    }),
  );
  t.teardown(() => silent.close());
  const got = await gateway.get('/x');
  t.equal(got.status, 504);
});

t.test('no first byte: 504 after firstByteMs, and the upstream request is cancelled', async (t) => {
  const origin = await startOrigin(t, (call) => call.gone());
  const gateway = await serve(t, single(origin.url, { upstream: { timeouts: { firstByteMs: 300 } } }));
  const client = await exchange(gateway.port, `${head('POST /x HTTP/1.1', 'Content-Length: 2')}hi`);
  t.equal(client.answers[0]?.status, 504);
  t.match(jsonOf(client.answers[0]!), { service: 'svc', version: 'v1' });
  await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
  await gateway.quiet();
  t.equal(gateway.scalar('timeouts'), 1);
});

t.test('silence inside an answer: the client is cut off, and sees it', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
    await call.gone();
  });
  const gateway = await serve(t, single(origin.url, { upstream: { timeouts: { idleMs: 300 } } }));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /x HTTP/1.1'));
  await client.closed();
  t.equal(client.answers[0]?.complete, false);
  await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
});

t.test('an answer that trickles on is ended by totalMs', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    for (;;) await call.pieces(['2\r\nhi\r\n'], 50);
  });
  const timeouts = { idleMs: 2_000, totalMs: 500 };
  const gateway = await serve(t, single(origin.url, { upstream: { timeouts } }));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /x HTTP/1.1'));
  await client.closed();
  t.equal(client.answers[0]?.complete, false);
  await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
});

t.test('an event stream that keeps talking outlives idleMs', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.write(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    for (let i = 0; i < 12; i++) await call.pieces(['6\r\ndata\n\n\r\n'], 100);
    await call.write('0\r\n\r\n');
  });
  const timeouts = { idleMs: 600, firstByteMs: 600 };
  const gateway = await serve(t, single(origin.url, { upstream: { timeouts } }));
  const client = await exchange(gateway.port, head('GET /x HTTP/1.1'));
  t.equal(client.answers[0]?.bodyBytes, 72);
});

t.test('an idle upstream connection is given up after keepAliveMs', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url, { upstream: { pool: { keepAliveMs: 1_200 } } }));
  await gateway.get('/x');
  t.equal(origin.open().length, 1, 'kept for the next request');
  await gateway.get('/x');
  t.equal(origin.connections.length, 1);
  await origin.until(() => origin.open().length === 0, 'the idle connection to be closed', 15_000);
});

t.test('a connection is replaced at its age, though it is never idle', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url, { upstream: { pool: { connectionTtlMs: 400 } } }));
  const client = await connectRaw({ port: gateway.port });
  let sent = 0;
  while (origin.connections.length < 3 && sent < 400) {
    client.send(`${head('POST /x HTTP/1.1', 'Content-Length: 2')}hi`);
    t.equal((await client.whole(++sent))[sent - 1]?.status, 200);
    await sleep(20);
  }
  t.ok(origin.connections.length >= 3, `${origin.connections.length} connections for ${sent} requests`);
  client.socket.destroy();
});

t.test('connections beyond the limit are turned away, the others served', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url), { limits: { maxConnections: 5 } });
  const kept = [];
  for (let i = 0; i < 5; i++) {
    const client = await connectRaw({ port: gateway.port });
    client.send(head('GET /x HTTP/1.1'));
    t.equal((await client.whole())[0]?.status, 200);
    kept.push(client);
  }
  const sixth = await connectRaw({ port: gateway.port }).catch(() => null);
  if (sixth !== null) {
    sixth.send(head('GET /x HTTP/1.1'));
    await sixth.closed();
    t.notOk(sixth.answers.some(({ status }) => status === 200));
  }
  for (const client of kept) {
    client.send(head('GET /y HTTP/1.1'));
    t.equal((await client.whole(2))[1]?.status, 200);
    client.socket.destroy();
  }
});
