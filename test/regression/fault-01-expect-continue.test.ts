import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { bodyOf, textOf, valuesOf } from '../support/http1.ts';
import { answer, type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { service, single, split, version } from '../support/split.ts';

/**
 * Plain stack: every request with `Expect: 100-continue` got a 500, and so did
 * a lone `Keep-Alive:` or `Upgrade:` header. curl sends Expect with large bodies.
 */

async function scene(t: Test, script?: Script) {
  const origin = await startOrigin(t, script);
  const gateway = await serve(t, single(origin.url, { maxBodyBytes: 1_000 }));
  return { origin, gateway };
}

t.test('the body is asked for by a 100 and reaches the upstream', async (t) => {
  const { origin, gateway } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Content-Length: 5', 'Expect: 100-continue'));
  await client.until(() => client.interim.length > 0, 'the 100');
  t.equal(client.interim[0]?.status, 100);
  t.equal(client.answers.length, 0);
  client.send('hello');
  const [got] = await client.whole();
  t.equal(got?.status, 200);
  t.equal(client.interim.length, 1, 'one 100, not two');
  t.equal(bodyOf(origin.requests[0]!.message).toString(), 'hello');
  client.send(head('GET /again HTTP/1.1', 'Connection: close'));
  await client.whole(2);
  t.equal(client.answers[1]?.status, 200, 'the connection serves the next request');
  t.strictSame(origin.violations(), []);
});

t.test('a chunked body is asked for as well', async (t) => {
  const { origin, gateway } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Transfer-Encoding: chunked', 'expect: 100-Continue'));
  await client.until(() => client.interim.length > 0, 'the 100');
  client.send('5\r\nhello\r\n0\r\n\r\n');
  t.equal((await client.whole())[0]?.status, 200);
  t.equal(textOf(origin.requests[0]!.message), 'hello');
  client.socket.destroy();
});

t.test('a body that comes without waiting for the 100 is taken', async (t) => {
  const { origin, gateway } = await scene(t);
  const client = await exchange(
    gateway.port,
    `${head('POST /x HTTP/1.1', 'Content-Length: 5', 'Expect: 100-continue')}hello`,
  );
  t.equal(client.answers[0]?.status, 200);
  t.equal(textOf(origin.requests[0]!.message), 'hello');
});

t.test('no 100 for a body that nobody wants', async (t) => {
  const { origin, gateway } = await scene(t);
  const large = await exchange(
    gateway.port,
    head('POST /x HTTP/1.1', 'Content-Length: 1001', 'Expect: 100-continue'),
  );
  t.equal(large.answers[0]?.status, 413);
  t.equal(large.interim.length, 0);
  const elsewhere = await serve(t, split([service([version('v1', origin.url)], { path: '/api' })]));
  const lost = await exchange(
    elsewhere.port,
    head('POST /x HTTP/1.1', 'Content-Length: 5', 'Expect: 100-continue'),
  );
  t.equal(lost.answers[0]?.status, 404);
  t.equal(lost.interim.length, 0);
  t.equal(origin.requests.length, 0);
});

t.test('the unsent body of a refused request is not read as the next request', async (t) => {
  const { origin, gateway } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Content-Length: 1001', 'Expect: 100-continue'));
  await client.whole();
  const smuggled = head('GET /smuggled HTTP/1.1');
  client.send(
    smuggled + 'x'.repeat(1_001 - smuggled.length) + head('GET /next HTTP/1.1', 'Connection: close'),
  );
  await client.closed();
  t.notOk(origin.requests.some(({ message }) => message.target === '/smuggled'));
});

t.test('an upstream that refuses is heard before the body is whole', async (t) => {
  const { gateway } = await scene(t, (call) => call.write(answer(401, 'no', 'WWW-Authenticate: Basic')));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Content-Length: 5', 'Expect: 100-continue'));
  await client.until(() => client.interim.length + client.answers.length > 0, 'a 100 or the refusal');
  if (client.answers.length === 0) client.send('he');
  const [got] = await client.whole();
  t.equal(got?.status, 401);
  client.socket.destroy();
});

t.test('an expectation that nobody knows gets 417', async (t) => {
  const { origin, gateway } = await scene(t);
  const client = await exchange(gateway.port, head('GET /x HTTP/1.1', 'Expect: a-miracle'));
  t.equal(client.answers[0]?.status, 417);
  t.equal(origin.requests.length, 0);
});

t.test('HTTP/1.0 clients know no 100, so they are sent none', async (t) => {
  const { gateway } = await scene(t);
  const client = await exchange(
    gateway.port,
    `${head('POST /x HTTP/1.0', 'Content-Length: 5', 'Expect: 100-continue')}hello`,
  );
  t.equal(client.answers[0]?.status, 200);
  t.equal(client.interim.length, 0);
});

t.test('lone connection headers are harmless', async (t) => {
  const { origin, gateway } = await scene(t);
  for (const line of [
    'Keep-Alive: timeout=5',
    'Upgrade: foo/2',
    'Upgrade: h2c',
    'Proxy-Connection: keep-alive',
  ]) {
    const client = await exchange(gateway.port, head('GET /x HTTP/1.1', line));
    t.equal(client.answers[0]?.status, 200, line);
    const name = line.slice(0, line.indexOf(':'));
    t.strictSame(valuesOf(origin.requests.at(-1)!.message, name), [], `${name} stays on its own connection`);
  }
});
