import t from 'tap';
import { serve } from '../support/gateway.ts';
import { textOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** Plain stack: chunk extensions were limited for each chunk (16 KiB), not for a request (CVE-2024-22019). */

t.test('a few extensions are dropped, the body is kept', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = await exchange(
    gateway.port,
    `${head('POST /x HTTP/1.1', 'Transfer-Encoding: chunked')}3;a=b\r\nabc\r\n2;c="d"\r\nde\r\n0;e\r\n\r\n`,
  );
  t.equal(client.answers[0]?.status, 200);
  t.equal(textOf(origin.requests[0]!.message), 'abcde');
});

t.test('one extension too long is refused', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Transfer-Encoding: chunked'));
  client.send(`1;${'a'.repeat(64 << 10)}\r\nx\r\n0\r\n\r\n`);
  await client.closed();
  t.ok(
    client.answers.every(({ status }) => status >= 400 && status < 500),
    client.describe(),
  );
  t.equal(origin.whole().length, 0);
});

t.test('many extensions, each of them small enough, are refused together', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Transfer-Encoding: chunked'));
  // 8 MiB on the wire for 1,000 bytes of body.
  for (let i = 0; i < 1_000 && client.closedBy === 'open'; i++)
    client.send(`1;${'a'.repeat(8 << 10)}\r\nx\r\n`);
  client.send('0\r\n\r\n');
  await client.closed();
  t.ok(
    client.answers.every(({ status }) => status >= 400 && status < 500),
    client.describe(),
  );
  t.equal(origin.whole().length, 0, 'the upstream never saw the body’s end');
  t.equal((await gateway.get('/probe')).status, 200);
});

t.test('many small chunks without extensions are a body like any other', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = await exchange(
    gateway.port,
    `${head('POST /x HTTP/1.1', 'Transfer-Encoding: chunked')}${'1\r\nx\r\n'.repeat(20_000)}0\r\n\r\n`,
  );
  t.equal(client.answers[0]?.status, 200);
  t.equal(origin.requests[0]?.message.bodyBytes, 20_000);
});
