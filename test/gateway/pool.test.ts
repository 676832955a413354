import t from 'tap';
import { serve } from '../support/gateway.ts';
import { answer, type Call, startOrigin } from '../support/origin.ts';
import { single } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { clientOf, jsonIn } from './client.ts';

t.test('connections and waiting requests are bounded; beyond that 503 at once', async (t) => {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) => held.push(call));
  const gateway = await serve(t, single(origin.url, { upstream: { pool: { connections: 2, pending: 3 } } }));
  const client = clientOf(t, gateway.url);
  const accepted = Array.from({ length: 5 }, (_, i) => client(`/${i}`));
  await origin.arrived(2);
  await until(() => gateway.gateway.endpoints()[0]?.pending === 5, 'three to wait');

  const refused = await client('/over', { headers: { 'x-request-id': 'r-over' } });
  t.equal(refused.status, 503);
  t.equal(refused.headers['retry-after'], '1');
  t.match(jsonIn(refused), { error: 'upstream_full', service: 'svc', version: 'v1', requestId: 'r-over' });
  t.equal(origin.connections.length, 2, 'no more than two connections');
  t.equal(origin.requests.length, 2, 'one request a connection at a time');

  for (let answered = 0; answered < 5; answered++) {
    await until(() => held.length > answered, 'the next request');
    await held[answered]?.write(answer(200, held[answered]?.message.target));
  }
  const replies = await Promise.all(accepted);
  t.strictSame(
    replies.map(({ body }) => body),
    ['/0', '/1', '/2', '/3', '/4'],
  );
  t.strictSame(
    origin.requests.map(({ message }) => message.target),
    ['/0', '/1', '/2', '/3', '/4'],
    'in the order in which they came',
  );
  t.strictSame(gateway.counted(), { 'GET 200': 5, 'GET 503': 1 });
  t.equal(gateway.gateway.endpoints()[0]?.pending, 0);
  t.equal(origin.connections.length, 2);
});

t.test('the refused client can go on with its connection, also after an unread body', async (t) => {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) =>
    call.message.target === '/held' ? held.push(call) : call.write(answer(200, 'free')),
  );
  const gateway = await serve(t, single(origin.url, { upstream: { pool: { connections: 1, pending: 0 } } }));
  const holder = clientOf(t, gateway.url);
  const client = clientOf(t, gateway.url, { maxSockets: 1 });
  const waiting = holder('/held');
  await origin.arrived(1);
  for (const size of [10, 60_000]) {
    const reply = await client('/x', { method: 'POST', body: 'x'.repeat(size) });
    t.equal(reply.status, 503, `${size} bytes`);
    t.not(reply.headers.connection, 'close');
  }
  const large = await client('/x', { method: 'POST', body: 'x'.repeat(1_000_000) });
  t.equal(large.status, 503, 'the answer is not lost to a reset');
  t.equal(large.headers.connection, 'close', 'reading it all would cost more than a new connection');
  await held[0]?.write(answer(200, 'held'));
  t.equal((await waiting).body, 'held');
  t.equal((await client('/y')).body, 'free');
});

t.test('keep-alive connections are used again, one after the other', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = clientOf(t, gateway.url);
  for (let i = 0; i < 30; i++) t.equal((await client(`/${i}`)).status, 200);
  t.equal(origin.connections.length, 1);
  t.equal(origin.requests.length, 30, 'one request, one hit');
});

t.test('a connection past its age is replaced', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url, { upstream: { pool: { connectionTtlMs: 50 } } }));
  const client = clientOf(t, gateway.url);
  await until(async () => {
    t.equal((await client('/')).status, 200);
    return origin.connections.length >= 3;
  }, 'connections to be replaced');
});

t.test('requests go to the endpoint with the fewest under way', async (t) => {
  const held: Call[] = [];
  const slow = await startOrigin(t, (call) => held.push(call));
  const quick = await startOrigin(t);
  const gateway = await serve(t, single([slow.url, quick.url]));
  const client = clientOf(t, gateway.url);
  const first = [client('/a'), client('/b')];
  await slow.arrived(1);
  for (let i = 0; i < 10; i++) await client('/c');
  t.equal(slow.requests.length, 1, 'busy: nothing more comes');
  t.strictSame(
    gateway.gateway.endpoints().map(({ endpoint, pending }) => [endpoint, pending]),
    [
      [slow.url, 1],
      [quick.url, 0],
    ],
  );
  await held[0]?.write(answer(200, 'x'));
  await Promise.all(first);
});
