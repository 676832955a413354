import t, { type Test } from 'tap';
import { serve, type TestGateway } from '../support/gateway.ts';
import { bodyOf } from '../support/http1.ts';
import {
  answer,
  type Call,
  type Origin,
  polite,
  refusedUrl,
  type Script,
  startOrigin,
} from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single, type UpstreamOptions } from '../support/split.ts';
import { clientOf } from './client.ts';

const reset: Script = (call) => call.reset();

/** A gateway before these endpoints of one version. */
function before(t: Test, endpoints: readonly string[], upstream: UpstreamOptions = {}): Promise<TestGateway> {
  return serve(t, single(endpoints, { upstream }));
}

/** Two endpoints: the first reads a request and then breaks its connection, the second answers. */
async function scene(t: Test, upstream: UpstreamOptions = {}) {
  const broken = await startOrigin(t, reset);
  const good = await startOrigin(t, polite);
  const gateway = await before(t, [broken.url, good.url], upstream);
  return { broken, good, gateway, client: clientOf(t, gateway.url) };
}

function targets(origin: Origin): string[] {
  return origin.requests.map(({ message }) => message.target);
}

t.test('a refused connection: any request goes to the other endpoint, body and all', async (t) => {
  const good = await startOrigin(t, polite);
  const gateway = await before(t, [await refusedUrl(), good.url]);
  const client = clientOf(t, gateway.url);
  const wanted: string[] = [];
  for (let i = 0; i < 12; i++) {
    const method = ['GET', 'POST', 'PATCH', 'PURGE'][i % 4] as string;
    const body = method === 'GET' ? '' : `body ${i}`;
    t.equal((await client(`/${i}`, { method, body })).status, 200, method);
    wanted.push(`${method} /${i} ${body}`);
  }
  t.strictSame(
    good.requests.map(({ message }) => `${message.method} ${message.target} ${bodyOf(message)}`),
    wanted,
    'each once',
  );
  t.equal(gateway.scalar('retries'), 6, 'as every second one was tried at the refusing one first');
  const counted = { 'GET 200': 3, 'POST 200': 3, 'PATCH 200': 3, 'other 200': 3 };
  t.strictSame(gateway.counted(), counted, 'the failed tries are nobody’s answers');
});

t.test('all endpoints refuse: 502 after two tries', async (t) => {
  const gateway = await before(t, [await refusedUrl(), await refusedUrl(), await refusedUrl()]);
  const reply = await clientOf(t, gateway.url)('/');
  t.equal(reply.status, 502);
  t.match(reply.body, /"upstream_refused"/);
  t.equal(gateway.scalar('retries'), 1);
  t.strictSame(gateway.counted(), { 'GET 502': 1 });
});

t.test('what was sent and broke: only methods that may be repeated are, and only once', async (t) => {
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE', 'PUT']) {
    const { broken, good, client } = await scene(t);
    const replies = [await client('/a', { method }), await client('/b', { method })];
    t.strictSame(
      replies.map(({ status }) => status),
      [200, 200],
      method,
    );
    t.equal(broken.requests.length, 1, method);
    t.strictSame(targets(good).sort(), ['/a', '/b'], method);
  }
});

t.test('a short body that came whole may be sent again, where the method may be repeated', async (t) => {
  for (const method of ['PUT', 'DELETE']) {
    const { broken, good, client } = await scene(t);
    const replies = [await client('/a', { method, body: 'x' }), await client('/b', { method, body: 'x' })];
    t.strictSame(
      replies.map(({ status }) => status),
      [200, 200],
      method,
    );
    t.equal(broken.requests.length, 1, method);
    t.strictSame(targets(good).sort(), ['/a', '/b'], method);
    for (const { message } of good.requests) t.equal(String(bodyOf(message)), 'x');
  }
});

t.test('a streamed body is gone, so nothing is sent again', async (t) => {
  const { broken, good, client } = await scene(t);
  const body = 'x'.repeat(100_000);
  const replies = [await client('/a', { method: 'PUT', body }), await client('/b', { method: 'PUT', body })];
  t.strictSame(replies.map(({ status }) => status).sort(), [200, 502]);
  t.equal(broken.requests.length + good.requests.length, 2);
});

t.test('a POST is never seen twice', async (t) => {
  for (const [method, body] of [
    ['POST', ''],
    ['POST', 'x'],
    ['PATCH', 'x'],
    ['PURGE', ''],
  ] as const) {
    const { broken, good, gateway, client } = await scene(t);
    const replies = [await client('/a', { method, body }), await client('/b', { method, body })];
    t.strictSame(replies.map(({ status }) => status).sort(), [200, 502], `${method} '${body}'`);
    t.equal(broken.requests.length, 1);
    t.equal(good.requests.length, 1);
    t.strictSame([...targets(broken), ...targets(good)].sort(), ['/a', '/b']);
    t.equal(gateway.scalar('retries'), 0);
    t.match(replies.find(({ status }) => status === 502)?.body, /"upstream_broke"/);
  }
});

t.test('retries can be turned off', async (t) => {
  const { broken, good, client } = await scene(t, { retry: { retries: 0 } });
  const statuses = [(await client('/a')).status, (await client('/b')).status];
  t.strictSame(statuses.sort(), [200, 502]);
  t.equal(broken.requests.length + good.requests.length, 2);
});

t.test('an answer is an answer: a 503 is passed on, not tried again', async (t) => {
  const origin = await startOrigin(t, (call) => call.write(answer(503, 'busy', 'Retry-After: 7')));
  const gateway = await before(t, [origin.url, origin.url.replace('127.0.0.1', 'localhost')]);
  const reply = await clientOf(t, gateway.url)('/');
  t.equal(reply.status, 503);
  t.equal(reply.headers['retry-after'], '7');
  t.equal(reply.body, 'busy');
  t.equal(origin.requests.length, 1);
});

t.test('one GET to an endpoint that always breaks: two hits at the most', async (t) => {
  const origin = await startOrigin(t, reset);
  const gateway = await before(t, [origin.url]);
  t.equal((await clientOf(t, gateway.url)('/')).status, 502);
  t.equal(origin.requests.length, 2);
});

t.test('a kept-alive connection that has died is replaced, and nobody notices', async (t) => {
  const origin = await startOrigin(t, (call) =>
    call.connection.requests.length > 1 ? call.reset() : call.write(answer(200, call.message.target)),
  );
  const gateway = await before(t, [origin.url]);
  const client = clientOf(t, gateway.url);
  for (let i = 0; i < 6; i++) t.equal((await client(`/${i}`)).body, `/${i}`);
  t.ok(gateway.scalar('retries') >= 2, 'every second one met a dead connection');
  t.strictSame(gateway.counted(), { 'GET 200': 6 });
});

t.test('the budget bounds retries that are under way at the same time', async (t) => {
  const held: Call[] = [];
  const late: Call[] = [];
  const breaking = await startOrigin(t, (call) => held.push(call));
  const slow = await startOrigin(t, (call) => late.push(call));
  const gateway = await before(t, [breaking.url, slow.url], {
    retry: { retries: 1, budgetShare: 0, budgetMin: 2 },
  });
  const clients = await Promise.all(Array.from({ length: 10 }, () => connectRaw({ port: gateway.port })));
  for (const client of clients) client.send(head('GET / HTTP/1.1'));
  await breaking.arrived(5);
  await slow.arrived(5);
  for (const call of held) call.reset();
  await slow.arrived(7);
  const refused = () => clients.filter(({ answers }) => answers[0]?.status === 502).length;
  await Promise.all(
    clients.map((client) =>
      client.until(() => refused() === 3 || client.answers.length > 0, 'a 502').catch(() => {}),
    ),
  );
  t.equal(refused(), 3, 'the others of the five are refused');
  t.equal(gateway.scalar('retries'), 2);
  t.equal(slow.requests.length, 7);
  for (const call of late) await call.write(answer(200, 'late'));
  for (const client of clients) await client.whole();
  t.strictSame(gateway.counted(), { 'GET 200': 7, 'GET 502': 3 });
  // What was used of the budget has come back.
  held.length = 0;
  breaking.script = reset;
  slow.script = polite;
  const client = clientOf(t, gateway.url);
  for (let i = 0; i < 8; i++) t.equal((await client('/')).status, 200);
});
