import t from 'tap';
import { makeAuthority } from '../support/certs.ts';
import { serve } from '../support/gateway.ts';
import { textOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { sleep } from '../support/wait.ts';

/** Plain stack: a slow body was never closed, slow headers only after 89 s. */

t.test('a request head that never ends is closed, however steadily it drips', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url), { limits: { headersTimeoutMs: 400 } });
  const client = await connectRaw({ port: gateway.port });
  client.send('GET / HTTP/1.1\r\nHost: a\r\n');
  const drip = setInterval(() => client.send('a'), 50);
  t.teardown(() => clearInterval(drip));
  await client.closed(15_000);
  t.notOk(
    client.answers.some(({ status }) => status < 400),
    'no answer but a refusal',
  );
  t.equal(origin.requests.length, 0);
});

t.test('a connection that says nothing at all is closed', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url), { limits: { headersTimeoutMs: 400, keepAliveMs: 400 } });
  const client = await connectRaw({ port: gateway.port });
  await client.closed(15_000);
  t.equal(origin.connections.length, 0);
});

t.test('a connection that never finishes its TLS handshake is closed', async (t) => {
  const origin = await startOrigin(t);
  const tls = makeAuthority(t).issue('localhost', 'DNS:localhost');
  const gateway = await serve(t, single(origin.url), { tls, limits: { headersTimeoutMs: 400 } });
  for (const begin of ['', '\x16\x03\x01\x02\x00']) {
    const client = await connectRaw({ port: gateway.port });
    client.send(begin);
    await client.closed(15_000);
    t.equal(client.receivedBytes, 0, 'nothing in plain text');
  }
});

for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
  t.test(
    `a body that stops arriving is closed, and its upstream request cancelled (${framing})`,
    async (t) => {
      const origin = await startOrigin(t);
      const gateway = await serve(t, single(origin.url), { limits: { bodyIdleTimeoutMs: 400 } });
      const client = await connectRaw({ port: gateway.port });
      client
        .send(head('POST /x HTTP/1.1', framing))
        .send(framing.startsWith('T') ? '5\r\nhello\r\n' : 'hello');
      await client.closed(15_000);
      for (const { status } of client.answers) t.equal(status, 408);
      await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
      t.equal(origin.whole().length, 0);
      await gateway.quiet();
    },
  );
}

t.test('a slow body that keeps moving is not cut', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url), {
    limits: { bodyIdleTimeoutMs: 1_000, headersTimeoutMs: 1_000, minBodyBytesPerSecond: 5 },
  });
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Content-Length: 25'));
  // Longer in all than either limit, never silent for as long as one.
  await client.sendPieces('a'.repeat(25).split(''), 100);
  t.equal((await client.whole())[0]?.status, 200);
  t.equal(textOf(origin.requests[0]!.message).length, 25);
  client.socket.destroy();
});

t.test('a slow answer is the upstream’s matter: the body limit does not touch it', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.body();
    await sleep(1_500);
    await call.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });
  const gateway = await serve(t, single(origin.url), {
    limits: { bodyIdleTimeoutMs: 400, headersTimeoutMs: 400, keepAliveMs: 400 },
  });
  const client = await connectRaw({ port: gateway.port });
  client.send(`${head('POST /x HTTP/1.1', 'Content-Length: 2')}hi`);
  t.equal((await client.whole())[0]?.status, 200);
  client.socket.destroy();
});
