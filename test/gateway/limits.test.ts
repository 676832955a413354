import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { chunk, polite, startOrigin } from '../support/origin.ts';
import { connectRaw, head, type RawClient } from '../support/raw.ts';
import { service, single, split, version } from '../support/split.ts';
import { clientOf } from './client.ts';

/** The size of a request's body. Other limits have their tests beside the faults they answer. */

const LIMIT = 1_000;

async function scene(t: Test) {
  const origin = await startOrigin(t, polite);
  const gateway = await serve(t, single(origin.url, { maxBodyBytes: LIMIT }));
  const client = await connectRaw({ port: gateway.port });
  return { origin, gateway, client };
}

function isTooLarge(t: Test, client: RawClient): void {
  const [message] = client.answers;
  t.equal(message?.status, 413, client.describe());
  t.match(JSON.parse(textOf(message!)), { error: 'body_too_large', service: 'svc', version: 'v1' });
}

t.test('a body of exactly the limit passes, stated or chunked', async (t) => {
  const { origin, gateway, client } = await scene(t);
  const body = 'x'.repeat(LIMIT);
  client.send(head('POST / HTTP/1.1', `Content-Length: ${LIMIT}`)).send(body);
  await client.whole(1);
  client.send(head('POST / HTTP/1.1', 'Transfer-Encoding: chunked')).send(`${chunk(body)}0\r\n\r\n`);
  await client.whole(2);
  t.strictSame(
    origin.whole().map(({ message }) => message.bodyBytes),
    [LIMIT, LIMIT],
  );
  t.strictSame(gateway.counted(), { 'POST 200': 2 });
});

t.test('one that states more is refused by its head alone', async (t) => {
  const { origin, gateway, client } = await scene(t);
  client.send(head('POST / HTTP/1.1', `Content-Length: ${LIMIT + 1}`));
  // Nothing of the body is ever sent.
  await client.whole();
  isTooLarge(t, client);
  t.equal(origin.connections.length, 0);
  t.strictSame(gateway.counted(), { 'POST 413': 1 });
});

t.test('413 comes before the body is asked for', async (t) => {
  const { origin, gateway, client } = await scene(t);
  client.send(head('POST / HTTP/1.1', `Content-Length: ${LIMIT + 1}`, 'Expect: 100-continue'));
  await client.whole();
  isTooLarge(t, client);
  t.equal(client.interim.length, 0, 'no 100');
  t.equal(headerOf(client.answers[0]!, 'connection'), 'close', 'what follows could be the body or a request');
  t.equal(await client.closed(), 'end');
  t.equal(origin.connections.length, 0);
  t.strictSame(gateway.counted(), { 'POST 413': 1 });
});

t.test('a chunked body is cut when it passes the limit, and the upstream’s request with it', async (t) => {
  const { origin, gateway, client } = await scene(t);
  client.send(head('POST / HTTP/1.1', 'Transfer-Encoding: chunked'));
  client.send(chunk('x'.repeat(LIMIT)));
  await origin.until(() => origin.requests[0]?.message.bodyBytes === LIMIT, 'as much as is allowed');
  t.equal(client.answers.length, 0);
  client.send(chunk('x'));
  await client.whole();
  isTooLarge(t, client);
  await origin.until(
    () => origin.requests[0]?.connection.closedBy !== 'open',
    'the upstream to be cancelled',
  );
  t.equal(origin.requests[0]?.message.complete, false, 'it never looks whole');
  t.strictSame(gateway.counted(), { 'POST 413': 1 });
  client.send('0\r\n\r\n');
  await client.closed();
});

t.test('an endless chunked body ends', async (t) => {
  const { gateway, client } = await scene(t);
  client.send(head('POST / HTTP/1.1', 'Transfer-Encoding: chunked'));
  const piece = chunk('x'.repeat(10_000));
  while (client.closedBy === 'open' && !client.socket.destroyed) {
    client.send(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  // A reset may overtake the answer here: this client never stopped to read.
  t.ok(client.answers[0] === undefined || client.answers[0].status === 413, client.describe());
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'POST 413': 1 });
});

t.test('each service has its own limit, and a swap changes it', async (t) => {
  const origin = await startOrigin(t, polite);
  const at = (small: number) =>
    split([
      service([version('v1', origin.url)], { name: 'small', path: '/small', maxBodyBytes: small }),
      service([version('v1', origin.url)], { name: 'large', path: '/large', maxBodyBytes: 10_000 }),
    ]);
  const gateway = await serve(t, at(10));
  const client = clientOf(t, gateway.url);
  const status = async (path: string, bytes: number) =>
    (await client(path, { method: 'POST', body: 'x'.repeat(bytes) })).status;
  t.equal(await status('/small', 11), 413);
  t.equal(await status('/large', 10_000), 200);
  t.equal(await status('/large', 10_001), 413);
  gateway.gateway.swap(at(11));
  t.equal(await status('/small', 11), 200);
});
