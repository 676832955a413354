import { once } from 'node:events';
import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, chunk, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { sleep } from '../support/wait.ts';

const BLOCK = Buffer.alloc(64 * 1024, 'a');
const BLOCKS = 1_536;
/** What the kernel's four socket buffers may hold between the two ends, and a little of ours. */
const HELD_MOST_BYTES = 40 << 20;

/** The value once it has stopped changing. Stopping early would only make it smaller. */
async function settled(read: () => number): Promise<number> {
  for (let before = -1, now = read(); ; before = now, now = read()) {
    if (now === before) return now;
    await sleep(250);
  }
}

/** Writes all blocks as the other side takes them; `count` is told what was handed to the kernel. */
async function pour(socket: NodeJS.WritableStream, count: (blocks: number) => void): Promise<void> {
  for (let i = 0; i < BLOCKS; i++) {
    if (!socket.write(BLOCK)) await once(socket as NodeJS.EventEmitter & NodeJS.WritableStream, 'drain');
    count(i + 1);
  }
}

t.test('a slow reader holds the upstream back', async (t) => {
  let written = 0;
  const origin = await startOrigin(t, async (call) => {
    await call.write(`HTTP/1.1 200 OK\r\nContent-Length: ${BLOCKS * BLOCK.length}\r\n\r\n`);
    await pour(call.connection.socket, (blocks) => {
      written = blocks * BLOCK.length;
    });
  });
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port, discardBody: true });
  client.send(head('GET / HTTP/1.1'));
  await client.heads();
  client.socket.pause();
  const held = await settled(() => written);
  t.ok(held > 0);
  t.ok(held < HELD_MOST_BYTES, `${held >> 20} MiB were taken from the upstream`);
  client.socket.resume();
  await client.whole();
  t.equal(client.answers[0]?.bodyBytes, BLOCKS * BLOCK.length, 'and then it all comes');
  t.equal(gateway.counted()['GET 200'], 1);
});

t.test('a slow upstream holds the client back', async (t) => {
  const origin = await startOrigin(
    t,
    async (call) => {
      call.connection.socket.pause();
      call.connection.socket.once('resume', async () => {
        await call.body();
        await call.write(answer(200, 'done'));
      });
    },
    { discardBody: true },
  );
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST / HTTP/1.1', `Content-Length: ${BLOCKS * BLOCK.length}`));
  let written = 0;
  const poured = pour(client.socket, (blocks) => {
    written = blocks * BLOCK.length;
  });
  await origin.arrived(1);
  const held = await settled(() => written);
  t.ok(held < HELD_MOST_BYTES, `${held >> 20} MiB were taken from the client`);
  origin.connections[0]?.socket.resume();
  await poured;
  await client.whole();
  t.equal(textOf(client.answers[0]!), 'done');
  t.equal(origin.requests[0]?.message.bodyBytes, BLOCKS * BLOCK.length);
});

t.test('tokens of an event stream arrive one by one, each before the next is made', async (t) => {
  let next: (token: string | null) => void = () => {};
  const origin = await startOrigin(t, async (call) => {
    await call.write(
      'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
    );
    for (;;) {
      const token = await new Promise<string | null>((resolve) => {
        next = resolve;
      });
      if (token === null) return call.write('0\r\n\r\n');
      await call.write(chunk(`data: ${token}\n\n`));
    }
  });
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /stream HTTP/1.1', 'Accept: text/event-stream'));
  const [stream] = await client.heads();
  t.equal(headerOf(stream!, 'content-type'), 'text/event-stream', 'the head does not wait for a token');
  let wanted = '';
  for (const token of ['The', ' quick', ' brown', ' fox', '']) {
    wanted += `data: ${token}\n\n`;
    next(token);
    await client.until(() => textOf(stream!) === wanted, `the token '${token}'`);
  }
  next(null);
  await client.whole();
  t.equal(textOf(stream!), wanted);
});

t.test('pieces of an upload arrive one by one', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST / HTTP/1.1', 'Transfer-Encoding: chunked'));
  let sent = '';
  for (const piece of ['a', 'bc', 'def']) {
    client.send(chunk(piece));
    sent += piece;
    await origin.until(
      () => origin.requests[0] !== undefined && textOf(origin.requests[0].message) === sent,
      `the piece ${piece}`,
    );
  }
  client.send('0\r\n\r\n');
  await client.whole();
  t.equal(client.answers[0]?.status, 200);
});

t.test('both ways at once: an answer may begin while the request is still being sent', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await call.write(chunk('begun '));
    const body = await call.body();
    await call.write(chunk(`read ${body.length}`));
    await call.write('0\r\n\r\n');
  });
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST / HTTP/1.1', 'Transfer-Encoding: chunked'));
  client.send(chunk('one'));
  await client.until(() => client.answers[0]?.bodyBytes === 6, 'the beginning of the answer');
  client.send(chunk('two'));
  client.send('0\r\n\r\n');
  await client.whole();
  t.equal(textOf(client.answers[0]!), 'begun read 6');
});

t.test('bodies of every size come through unchanged, both ways', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    const body = await call.body();
    const headed = `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`;
    await call.write(Buffer.concat([Buffer.from(headed), body]));
  });
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  const sizes = [0, 1, 2, 1_000, 16_383, 16_384, 16_385, 65_535, 65_536, 65_537, 1_000_000];
  for (const [i, size] of sizes.entries()) {
    // Every byte value, so that none is taken for text.
    const body = Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 31 + size) % 256));
    client.send(head('POST / HTTP/1.1', `Content-Length: ${size}`)).send(body);
    await client.whole(i + 1);
    const got = Buffer.concat(client.answers[i]?.chunks ?? []);
    t.ok(got.equals(body), `${size} bytes`);
  }
  t.strictSame(gateway.counted(), { 'POST 200': sizes.length });
});

t.test('early hints go on to the client before the answer', async (t) => {
  let release: () => void = () => {};
  const origin = await startOrigin(t, async (call) => {
    await call.write(
      'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\n\r\n',
    );
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    await call.write(answer(200, 'page'));
  });
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET / HTTP/1.1'));
  await client.until(() => client.interim.length === 1, 'the hints');
  t.equal(client.interim[0]?.status, 103);
  t.equal(headerOf(client.interim[0]!, 'link'), '</a.css>; rel=preload, </b.js>; rel=preload');
  t.equal(client.answers.length, 0);
  release();
  await client.whole();
  t.equal(textOf(client.answers[0]!), 'page');
});
