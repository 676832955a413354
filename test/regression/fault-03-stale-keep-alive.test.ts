import t from 'tap';
import { jsonOf, serve } from '../support/gateway.ts';
import { textOf } from '../support/http1.ts';
import { answer, type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** Plain stack: where the upstream reset a reused connection, every second GET became a 500. */

/** Serves one request a connection; the second on the same one meets a RST. */
const oneEach: Script = async (call) => {
  await call.body();
  if (call.connection.requests.length > 1) return call.reset();
  return call.write(answer(200, `served ${call.message.target}`));
};

t.test('an idempotent request is sent again on a fresh connection', async (t) => {
  const origin = await startOrigin(t, oneEach);
  const gateway = await serve(t, single(origin.url));
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT']) {
    for (let i = 0; i < 4; i++) {
      const client = await exchange(
        { port: gateway.port, methods: [method] },
        head(`${method} /${i} HTTP/1.1`),
      );
      t.equal(client.answers[0]?.status, 200, `${method} ${i}`);
    }
  }
});

t.test('a POST that may have been carried out is not sent twice', async (t) => {
  const origin = await startOrigin(t, oneEach);
  const gateway = await serve(t, single(origin.url));
  const statuses: (number | undefined)[] = [];
  for (let i = 0; i < 6; i++) {
    const client = await exchange(gateway.port, `${head(`POST /p${i} HTTP/1.1`, 'Content-Length: 2')}ab`);
    const [got] = client.answers;
    statuses.push(got?.status);
    if (got?.status === 502) t.match(jsonOf(got), { service: 'svc', version: 'v1' });
    t.equal(origin.requests.filter(({ message }) => message.target === `/p${i}`).length, 1, `POST ${i} once`);
  }
  t.ok(
    statuses.every((status) => status === 200 || status === 502),
    String(statuses),
  );
  t.ok(statuses.includes(502), 'the reset really was met');
});

t.test('an upstream that always resets gets two attempts, and the client a 502', async (t) => {
  const origin = await startOrigin(t, (call) => call.reset());
  const gateway = await serve(t, single(origin.url));
  const client = await exchange(gateway.port, head('GET /x HTTP/1.1'));
  t.equal(client.answers[0]?.status, 502);
  t.equal(origin.requests.length, 2);
  t.equal(gateway.scalar('retries'), 1);
});

t.test('retries: 0 turns the second attempt off', async (t) => {
  const origin = await startOrigin(t, (call) => call.reset());
  const gateway = await serve(t, single(origin.url, { upstream: { retry: { retries: 0 } } }));
  const client = await exchange(gateway.port, head('GET /x HTTP/1.1'));
  t.equal(client.answers[0]?.status, 502);
  t.equal(origin.requests.length, 1);
});

t.test('nothing is sent again once an answer has begun', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
    call.reset();
  });
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /x HTTP/1.1'));
  await client.closed();
  t.notOk(client.answers.some(({ complete }) => complete));
  t.equal(origin.requests.length <= 2, true);
  // A RST may overtake the head that was sent before it: then nothing had begun for the gateway.
  if (client.answers.length > 0) t.equal(origin.requests.length, 1);
});

t.test('a request is never sent again without its body', async (t) => {
  const origin = await startOrigin(t, oneEach);
  const gateway = await serve(t, single(origin.url));
  for (let i = 0; i < 4; i++) {
    const client = await exchange(gateway.port, `${head(`PUT /${i} HTTP/1.1`, 'Content-Length: 4')}body`);
    t.ok([200, 502].includes(client.answers[0]?.status ?? 0));
  }
  for (const { message } of origin.whole()) t.equal(textOf(message), 'body', message.target);
});

t.test('a connection that the upstream closed in good order is not used again', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  for (let i = 0; i < 5; i++) {
    const client = await exchange(gateway.port, `${head(`POST /${i} HTTP/1.1`, 'Content-Length: 2')}ab`);
    t.equal(client.answers[0]?.status, 200, `POST ${i}`);
    for (const { socket } of origin.open()) socket.end();
    await origin.until(() => origin.open().length === 0, 'the gateway to close its side');
  }
  t.equal(origin.requests.length, 5);
});
