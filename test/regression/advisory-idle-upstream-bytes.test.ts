import t from 'tap';
import { serve } from '../support/gateway.ts';
import { textOf } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/**
 * GHSA-35p6-xmwp-9g52, CVE-2026-48931: bytes that an upstream sent while its
 * connection was idle were taken for the answer to the next request. An idle
 * socket that speaks is destroyed.
 */

const POISON = answer(200, 'poison');

const cases: Record<string, string> = {
  'a whole answer': POISON,
  'half an answer': POISON.slice(0, 20),
  'a 100': 'HTTP/1.1 100 Continue\r\n\r\n',
  'a 408': answer(408, 'too slow', 'Connection: close'),
  'one byte': 'H',
  noise: '\u0000\u0001\u0002',
};

for (const [name, bytes] of Object.entries(cases)) {
  t.test(`${name} on an idle connection`, async (t) => {
    const origin = await startOrigin(t);
    const gateway = await serve(t, single(origin.url));
    const client = await connectRaw({ port: gateway.port });
    for (let i = 1; i <= 3; i++) {
      client.send(head(`GET /${i} HTTP/1.1`));
      const got = (await client.whole(i))[i - 1]!;
      t.equal(got.status, 200);
      t.equal(textOf(got), `served /${i}`);
      const [open] = origin.open();
      open?.socket.write(Buffer.from(bytes, 'latin1'));
      await origin.until(() => origin.open().length === 0, 'the gateway to give the connection up');
    }
    client.socket.destroy();
  });

  t.test(`${name} right behind an answer`, async (t) => {
    const origin = await startOrigin(t, async (call) => {
      await call.body();
      await call.write(answer(200, `served ${call.message.target}`) + bytes);
    });
    const gateway = await serve(t, single(origin.url));
    const client = await connectRaw({ port: gateway.port });
    for (let i = 1; i <= 6; i++) {
      client.send(head(`GET /${i} HTTP/1.1`));
      const got = (await client.whole(i))[i - 1]!;
      t.equal(textOf(got), `served /${i}`);
    }
    client.socket.destroy();
  });
}

t.test('an upstream that answers before it was asked harms that one request only', async (t) => {
  const origin = await startOrigin(t);
  // Its own answer to the same request then comes as bytes on an idle connection.
  origin.greet = ({ socket }) => void socket.write(POISON);
  const gateway = await serve(t, single(origin.url));
  for (let i = 0; i < 4; i++) {
    const client = await connectRaw({ port: gateway.port });
    client.send(head(`GET /${i} HTTP/1.1`, 'Connection: close'));
    await client.closed();
    t.equal(client.violation, null);
    for (const got of client.answers) {
      t.ok([200, 502].includes(got.status), `status ${got.status}`);
      if (textOf(got).startsWith('served'))
        t.equal(textOf(got), `served /${i}`, 'never the answer to another');
    }
    origin.greet = i === 1 ? null : origin.greet;
  }
});
