import { once } from 'node:events';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, type Call, chunk, polite, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { closeCode, handshake, startSocketOrigin } from '../support/websocket.ts';

async function scene(t: Test) {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) =>
    call.message.target === '/held' ? held.push(call) : polite(call),
  );
  const gateway = await serve(t, single(origin.url));
  const connect = () => connectRaw({ port: gateway.port });
  return { origin, gateway, held, connect };
}

t.test('draining, it goes on serving, and asks each client to leave', async (t) => {
  const { gateway, connect } = await scene(t);
  gateway.gateway.beginDrain();
  for (const [request, status] of [
    [head('GET /x HTTP/1.1'), 200],
    [head('GET /../x HTTP/1.1'), 400],
    [head('OPTIONS * HTTP/1.1'), 204],
    [`${head('POST /x HTTP/1.1', 'Content-Length: 1')}x`, 200],
  ] as const) {
    const client = await connect();
    client.send(request);
    t.equal(await client.closed(), 'end');
    t.equal(client.answers[0]?.status, status);
    t.equal(client.answers[0]?.complete, true);
    t.match(headerOf(client.answers[0]!, 'connection'), /^close$/i);
  }
});

t.test('requests of every age finish within the grace: streaming, waiting, still uploading', async (t) => {
  const { origin, gateway, held, connect } = await scene(t);
  const [streaming, waiting, uploading] = await Promise.all([connect(), connect(), connect()]);
  streaming.send(head('GET /held HTTP/1.1'));
  await origin.arrived(1);
  await held[0]?.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('one ')}`);
  await streaming.until(() => streaming.answers[0]?.bodyBytes === 4, 'the first token');
  waiting.send(head('GET /held HTTP/1.1'));
  await origin.arrived(2);
  uploading.send(head('POST /upload HTTP/1.1', 'Content-Length: 6')).send('abc');
  await origin.arrived(3);

  const closing = gateway.gateway.close(60_000);
  await t.rejects(connect(), 'no new connections');
  await held[0]?.write(`${chunk('two')}0\r\n\r\n`);
  await held[1]?.write(answer(200, 'late'));
  uploading.send('def');
  t.equal(await closing, 0);
  await Promise.all([streaming, waiting, uploading].map((client) => client.closed()));
  t.strictSame(
    [streaming, waiting, uploading].map(({ answers }) => [answers[0]?.complete, textOf(answers[0]!)]),
    [
      [true, 'one two'],
      [true, 'late'],
      [true, 'served /upload'],
    ],
  );
  t.match(headerOf(waiting.answers[0]!, 'connection'), /^close$/i);
  t.strictSame(gateway.counted(), { 'GET 200': 2, 'POST 200': 1 });
  await origin.until(() => origin.open().length === 0, 'the upstream connections to be closed');
});

t.test('what outlasts the grace is cut and told by number', async (t) => {
  const { origin, gateway, connect } = await scene(t);
  const clients = await Promise.all([connect(), connect(), connect()]);
  const idle = await connect();
  for (const client of clients) client.send(head('GET /held HTTP/1.1'));
  await origin.arrived(3);
  t.equal(await gateway.gateway.close(40), 3);
  for (const client of clients) {
    t.not(await client.closed(), 'open');
    t.strictSame(client.answers, []);
  }
  await idle.closed();
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 499': 3 });
  await origin.until(() => origin.open().length === 0, 'the upstream to be cancelled');
});

t.test('idle connections do not hold the close up', async (t) => {
  const { gateway, connect } = await scene(t);
  const silent = await connect();
  const used = await connect();
  used.send(head('GET /x HTTP/1.1'));
  await used.whole();
  t.equal(await gateway.gateway.close(60_000), 0);
  await silent.closed();
  await used.closed();
});

t.test('a request on an idle connection that comes while closing is still answered', async (t) => {
  const { origin, gateway, held, connect } = await scene(t);
  const busy = await connect();
  const idle = await connect();
  idle.send(head('GET /x HTTP/1.1'));
  await idle.whole();
  busy.send(head('GET /held HTTP/1.1'));
  await origin.arrived(2);
  const closing = gateway.gateway.close(60_000);
  idle.send(head('GET /y HTTP/1.1'));
  await idle.closed();
  t.equal(textOf(idle.answers[1]!), 'served /y');
  await held[0]?.write(answer(200, 'late'));
  t.equal(await closing, 0);
});

t.test('WebSockets are told that the gateway goes away, and take their upstreams along', async (t) => {
  const codes: number[] = [];
  const origin = await startSocketOrigin(t, (socket) => socket.on('close', (code) => codes.push(code)));
  const gateway = await serve(t, single(origin.url));
  const socket = new WebSocket(gateway.url.replace('http', 'ws'));
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  await until(() => origin.opened.length === 1, 'the upstream to open as well');
  const closed = once(socket, 'close');
  t.equal(await gateway.gateway.close(2_000), 0, 'none had to be cut');
  t.equal((await closed)[0], 1001);
  await until(() => codes.length === 1, 'the upstream to be told');
  t.strictSame(codes, [1001]);
});

t.test('a WebSocket that does not answer the goodbye is cut', async (t) => {
  const origin = await startSocketOrigin(t, () => {});
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  await client.send(handshake('/')).heads();
  t.equal(await gateway.gateway.close(300), 1);
  await client.closed();
  t.equal(closeCode(client), 1001);
});
