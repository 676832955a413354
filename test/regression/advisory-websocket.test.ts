import { once } from 'node:events';
import t from 'tap';
import { WebSocket } from 'ws';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { refusedUrl, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { closeCode, frame, handshake, startSocketOrigin } from '../support/websocket.ts';

/** ws CVE-2024-37890, CVE-2026-48779 and the rest of what a WebSocket may bring. */

t.test('a handshake with too many headers gets no tunnel and does no harm', async (t) => {
  const origin = await startSocketOrigin(t, () => {});
  const gateway = await serve(t, single(origin.url), { limits: { maxHeaders: 100 } });
  const client = await connectRaw({ port: gateway.port });
  client.send(handshake('/ws', ...Array.from({ length: 2_500 }, (_, i) => `x${i}: ${i}`)));
  await client.closed();
  t.ok([400, 431].includes(client.answers[0]?.status ?? 431), client.describe());
  t.equal(origin.opened.length, 0);
});

t.test('tiny fragments without end are bounded', async (t) => {
  const origin = await startSocketOrigin(t, (socket) => socket.on('message', () => {}));
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(handshake('/ws'));
  t.equal((await client.heads())[0]?.status, 101);
  const byte = Buffer.from('a');
  client.send(frame(1, byte, { fin: false, masked: true }));
  const more = Buffer.concat(
    Array.from({ length: 1_000 }, () => frame(0, byte, { fin: false, masked: true })),
  );
  const over = () => client.closedBy !== 'open' || closeCode(client) !== null;
  for (let i = 0; i < 2_000 && !over(); i++) {
    await new Promise<void>((resolve) => client.socket.write(more, () => resolve()));
  }
  await client.until(over, 'the end of two million fragments of one message');
  t.ok([null, 1008, 1009].includes(closeCode(client)), `code ${closeCode(client)}`);
  client.socket.destroy();
});

t.test('a message that claims to be enormous is refused by its claim', async (t) => {
  const origin = await startSocketOrigin(t, () => {});
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(handshake('/ws'));
  await client.heads();
  // 99 MiB: within ws's own default, far beyond what a gateway should hold for one client.
  client.send(Buffer.from([0x82, 0xff, 0, 0, 0, 0, 6, 0x30, 0, 0, 0, 0, 0, 0]));
  await client.until(() => client.closedBy !== 'open' || closeCode(client) !== null, 'the refusal');
  t.ok([null, 1009].includes(closeCode(client)), `code ${closeCode(client)}`);
  client.socket.destroy();
});

t.test('no tunnel without a sound handshake', async (t) => {
  const sockets = await startSocketOrigin(t, () => {});
  const gateway = await serve(t, single(sockets.url));
  const cases: [name: string, request: string, statuses: number[]][] = [
    ['version 8', handshake('/ws', 'Sec-WebSocket-Version: 8'), [400, 426]],
    ['no version', handshake('/ws').replace(/Sec-WebSocket-Version.*\r\n/, ''), [400, 426]],
    ['no key', handshake('/ws').replace(/Sec-WebSocket-Key.*\r\n/, ''), [400]],
    ['a key that is none', handshake('/ws', 'Sec-WebSocket-Key: short'), [400]],
    // A WebSocket is opened by GET: this is a POST, and 426 is what ws answers to one.
    ['POST', handshake('/ws').replace('GET', 'POST'), [400, 405, 426]],
    ['no Host', handshake('/ws').replace(/Host.*\r\n/, ''), [400]],
    ['two Hosts', handshake('/ws', 'Host: a', 'Host: b'), [400]],
    ['a bad Host', handshake('/ws', 'Host: a/b'), [400]],
  ];
  for (const [name, request, statuses] of cases) {
    const client = await exchange(gateway.port, request);
    t.ok(statuses.includes(client.answers[0]?.status ?? 0), `${name}: ${client.describe()}`);
  }
  t.equal(sockets.opened.length, 0);
});

t.test('Upgrade to anything else is ignored: no tunnel, a plain answer', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  for (const [protocol, extra] of [
    ['h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'],
    ['TLS/1.0', 'X-A: b'],
    ['websocket2', 'X-A: b'],
  ] as const) {
    const client = await connectRaw({ port: gateway.port });
    client.send(
      head('GET /x HTTP/1.1', 'Connection: Upgrade, HTTP2-Settings', `Upgrade: ${protocol}`, extra),
    );
    const [got] = await client.whole();
    t.equal(got?.status, 200, protocol);
    client.send(head('GET /y HTTP/1.1', 'Connection: close'));
    await client.whole(2);
    if (headerOf(got!, 'connection') !== 'close') t.equal(client.answers[1]?.status, 200, 'HTTP/1.1 goes on');
    const posted = await exchange(
      gateway.port,
      `${head('POST /x HTTP/1.1', 'Connection: Upgrade', `Upgrade: ${protocol}`, 'Content-Length: 5')}hello`,
    );
    t.equal(posted.answers[0]?.status, 200);
    t.equal(textOf(origin.requests.at(-1)!.message), 'hello', 'the body is a body');
    for (const { message } of origin.requests) t.equal(headerOf(message, 'upgrade'), undefined);
  }
});

t.test('no service: 404; the upstream refuses: closed with 1011', async (t) => {
  const sockets = await startSocketOrigin(t, () => {});
  const elsewhere = await serve(t, single(sockets.url, { path: '/api' }));
  const lost = await connectRaw({ port: elsewhere.port });
  lost.send(handshake('/ws'));
  t.equal((await lost.heads())[0]?.status, 404);
  lost.socket.destroy();

  const plain = await startOrigin(t);
  for (const url of [await refusedUrl(), plain.url]) {
    const gateway = await serve(t, single(url));
    const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`);
    client.on('error', () => {});
    const [code] = (await once(client, 'close')) as [number];
    t.equal(code, 1011);
    await gateway.quiet();
    t.strictSame(gateway.counted(), { 'GET 502': 1 });
  }
});

t.test('a client that vanishes takes its upstream connection with it, and the other way round', async (t) => {
  const origin = await startSocketOrigin(t, (socket) => socket.send('hello'));
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(handshake('/ws'));
  await client.until(() => (client.answers[0]?.bodyBytes ?? 0) > 0, 'the greeting');
  const gone = once(origin.opened[0]!.socket, 'close');
  client.reset();
  await gone;
  const second = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`);
  await once(second, 'message');
  origin.opened[1]!.socket.terminate();
  const [code] = (await once(second, 'close')) as [number];
  t.not(code, 1000, 'not as if it had ended well');
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 101': 2 });
});
