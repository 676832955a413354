import t from 'tap';
import { serve } from '../support/gateway.ts';
import { textOf } from '../support/http1.ts';
import { SMUGGLED } from '../support/invariants.ts';
import { answer, polite, type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { sleep } from '../support/wait.ts';

/** Plain stack: an upstream's early 413 was held back until the client had sent its whole body. */

const upstreams: Record<string, Script> = {
  'keeps its connection open': (call) => call.write(answer(413, 'too much')),
  'closes its connection': async (call) => {
    await call.write(answer(413, 'too much', 'Connection: close'));
    call.end();
  },
};

for (const [manner, refuse] of Object.entries(upstreams)) {
  for (const framing of ['Content-Length: 1000000', 'Transfer-Encoding: chunked']) {
    t.test(`an upstream that ${manner}: its refusal comes at once (${framing})`, async (t) => {
      const origin = await startOrigin(t, (call) => (call.message.method === 'POST' ? refuse : polite)(call));
      const gateway = await serve(t, single(origin.url));
      const client = await connectRaw({ port: gateway.port });
      client.send(head('POST /x HTTP/1.1', framing));
      const first = 'a'.repeat(1_000);
      client.send(framing.startsWith('T') ? `3e8\r\n${first}\r\n` : first);
      const [got] = await client.whole();
      t.equal(got?.status, 413, 'before the body was sent');
      t.equal(textOf(got!), 'too much');
      // The rest of the body is a body still, whatever it looks like.
      const rest = head(`GET ${SMUGGLED} HTTP/1.1`);
      client.send(rest).send(rest);
      client.halfClose();
      await client.closed();
      t.notOk(origin.requests.some(({ message }) => message.target === SMUGGLED));
      t.equal((await gateway.get('/probe')).status, 200);
      await gateway.quiet();
    });
  }
}

const SIZE_BYTES = 30 << 20;
const PIECE = Buffer.alloc(64 << 10, 'a');

const floods: Record<string, Script> = {
  'reads no more': (call) => {
    call.connection.socket.pause();
    return call.write(answer(413, 'too much'));
  },
  'reads on': (call) => call.write(answer(413, 'too much')),
  'ends its side': async (call) => {
    await call.write(answer(413, 'too much', 'Connection: close'));
    call.end();
  },
};

for (const [manner, refuse] of Object.entries(floods)) {
  t.test(`in the middle of a large upload, to an upstream that ${manner}`, async (t) => {
    const origin = await startOrigin(t, (call) => (call.message.method === 'POST' ? refuse : polite)(call), {
      discardBody: true,
    });
    const gateway = await serve(t, single(origin.url));
    const client = await connectRaw({ port: gateway.port });
    client.send(head('POST /x HTTP/1.1', `Content-Length: ${SIZE_BYTES}`));
    let sent = 0;
    const heard = () => client.answers.length > 0 || client.closedBy !== 'open';
    while (sent < SIZE_BYTES && !heard()) {
      const taken = new Promise<void>((resolve) => client.socket.write(PIECE, () => resolve()));
      // A pipe that is full is no reason to go on waiting for it, if there is an answer to be had.
      await Promise.race([taken, client.until(heard, 'the answer')]);
      sent += PIECE.length;
      // So that the body arrives in many pieces, as over a network.
      await sleep(1);
    }
    const [got] = await client.whole();
    t.equal(got?.status, 413, client.describe());
    t.equal(got?.complete, true);
    t.ok(sent < SIZE_BYTES, `heard after ${sent >> 10} KiB`);
    client.socket.destroy();
    t.equal((await gateway.get('/probe')).status, 200);
  });
}

t.test('a client that sends on after the refusal is heard to the end or told to close', async (t) => {
  const origin = await startOrigin(t, (call) =>
    call.message.method === 'POST' ? call.write(answer(413, 'too much')) : polite(call),
  );
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  const body = Buffer.alloc(4 << 20, 'a');
  client.send(head('POST /x HTTP/1.1', `Content-Length: ${body.length}`)).send(body);
  client.send(head('GET /next HTTP/1.1', 'Connection: close'));
  await client.closed();
  t.equal(client.answers[0]?.status, 413);
  t.equal(client.answers[0]?.complete, true);
  if (client.answers.length > 1) t.equal(textOf(client.answers[1]!), 'served /next');
  t.equal(client.violation, null);
});
