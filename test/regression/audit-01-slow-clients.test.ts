import type { Socket } from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { makeAuthority } from '../support/certs.ts';
import { serve } from '../support/gateway.ts';
import { type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { startSocketOrigin } from '../support/websocket.ts';

/** A client that stopped reading, or dripped its body, held an upstream connection for ever. */

const BIG = 64 << 20;

/** An answer that no socket's buffers can hold. */
const endless: Script = async (call) => {
  await call.body();
  await call.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BIG}\r\n\r\n`);
  const piece = Buffer.alloc(1 << 20, 97);
  for (let sent = 0; sent < BIG; sent += piece.length) await call.write(piece);
};

for (const tls of [false, true]) {
  t.test(
    `a client that stops reading is cut, and its upstream request cancelled (TLS: ${tls})`,
    async (t) => {
      const origin = await startOrigin(t, endless);
      const cert = tls ? makeAuthority(t).issue('localhost', 'DNS:localhost') : null;
      const gateway = await serve(t, single(origin.url), { tls: cert, limits: { answerIdleTimeoutMs: 300 } });
      const client = await connectRaw({
        port: gateway.port,
        discardBody: true,
        ...(tls ? { tls: { rejectUnauthorized: false } } : {}),
      });
      client.socket.pause();
      client.send(head('GET /big HTTP/1.1'));
      await origin.arrived(1);
      await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
      await gateway.quiet();
      t.strictSame(gateway.counted(), { 'GET 499': 1 });
      t.equal(gateway.scalar('clientGone'), 1);
      client.socket.destroy();
    },
  );
}

t.test('a client that reads slowly, but reads, gets its whole answer', async (t) => {
  const origin = await startOrigin(t, endless);
  const gateway = await serve(t, single(origin.url), { limits: { answerIdleTimeoutMs: 2_000 } });
  const client = await connectRaw({ port: gateway.port, discardBody: true });
  client.send(head('GET /big HTTP/1.1'));
  // Longer in all than the limit, at rest for less than it each time.
  const breathe = setInterval(() => {
    client.socket.pause();
    setTimeout(() => client.socket.resume(), 300);
  }, 350);
  t.teardown(() => clearInterval(breathe));
  await client.whole(1, 60_000);
  t.equal(client.answers[0]?.bodyBytes, BIG);
  client.socket.destroy();
});

t.test('a model that is silent for longer than the limit is not the client’s fault', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    await call.write('0\r\n\r\n');
  });
  const gateway = await serve(t, single(origin.url), { limits: { answerIdleTimeoutMs: 200 } });
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET / HTTP/1.1'));
  t.equal((await client.whole())[0]?.complete, true);
  client.socket.destroy();
});

t.test('a WebSocket whose client stops reading is cut as well', async (t) => {
  let upstreamClosed = false;
  const origin = await startSocketOrigin(t, (socket) => {
    const piece = Buffer.alloc(1 << 20);
    const pour = () => socket.readyState === socket.OPEN && socket.send(piece, pour);
    pour();
    socket.on('close', () => {
      upstreamClosed = true;
    });
  });
  const gateway = await serve(t, single(origin.url), { limits: { answerIdleTimeoutMs: 300 } });
  const socket = new WebSocket(gateway.url.replace('http', 'ws'));
  t.teardown(() => socket.terminate());
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('open', resolve));
  socket.pause();
  await until(() => upstreamClosed, 'the upstream’s socket to be closed');
});

for (const tls of [false, true]) {
  t.test(`a WebSocket whose client reads slowly gets its large message whole (TLS: ${tls})`, async (t) => {
    const message = Buffer.alloc(15 << 20, 97);
    const origin = await startSocketOrigin(t, (socket) => socket.send(message));
    const cert = tls ? makeAuthority(t).issue('localhost', 'DNS:localhost') : null;
    const gateway = await serve(t, single(origin.url), { tls: cert, limits: { answerIdleTimeoutMs: 1_200 } });
    const socket = new WebSocket(gateway.url.replace('http', 'ws'), { rejectUnauthorized: false });
    t.teardown(() => socket.terminate());
    const heard = new Promise<number>((resolve, reject) => {
      socket.once('message', (data: Buffer) => resolve(data.length));
      socket.once('close', () => reject(new Error('cut')));
    });
    await new Promise((resolve) => socket.once('open', resolve));
    // 2.5 MB a second: the kernel takes something well within the limit, all of it takes longer.
    const { _socket: raw } = socket as unknown as { readonly _socket: Socket };
    let readBytes = 0;
    raw.on('data', (bytes) => {
      readBytes += bytes.length;
      if (readBytes < 128 << 10) return;
      readBytes = 0;
      raw.pause();
      setTimeout(() => raw.resume(), 50);
    });
    t.equal(await heard, message.length);
  });
}

for (const framing of ['Content-Length: 100000', 'Transfer-Encoding: chunked']) {
  t.test(`a body that only drips is cut (${framing})`, async (t) => {
    const origin = await startOrigin(t);
    const gateway = await serve(t, single(origin.url), {
      limits: { bodyIdleTimeoutMs: 600, minBodyBytesPerSecond: 1_000 },
    });
    const client = await connectRaw({ port: gateway.port });
    client.send(head('POST /x HTTP/1.1', framing));
    const byte = framing.startsWith('T') ? '1\r\na\r\n' : 'a';
    // Never silent for as long as the limit.
    const drip = setInterval(() => client.send(byte), 100);
    t.teardown(() => clearInterval(drip));
    await client.closed(15_000);
    for (const { status } of client.answers) t.equal(status, 408);
    await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
    t.equal(origin.whole().length, 0);
    await gateway.quiet();
  });
}

t.test('a long upload at twice the least rate is not cut', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url), {
    limits: { bodyIdleTimeoutMs: 600, minBodyBytesPerSecond: 1_000 },
  });
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Content-Length: 6000'));
  await client.sendPieces(
    Array.from({ length: 30 }, () => 'a'.repeat(200)),
    100,
  );
  t.equal((await client.whole())[0]?.status, 200);
  client.socket.destroy();
});

t.test('an upstream that reads slowly is not the client’s fault', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    const { socket } = call.connection;
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    socket.resume();
    await call.body();
    await call.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const gateway = await serve(t, single(origin.url), {
    limits: { bodyIdleTimeoutMs: 300, minBodyBytesPerSecond: 100_000 },
  });
  const client = await connectRaw({ port: gateway.port });
  const body = 'a'.repeat(16 << 20);
  client.send(`${head('POST /x HTTP/1.1', `Content-Length: ${body.length}`)}${body}`);
  t.equal((await client.whole())[0]?.status, 200);
  client.socket.destroy();
});
