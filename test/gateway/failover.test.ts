import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { bodyOf } from '../support/http1.ts';
import { answer, type Call, chunk, refusedUrl, type Script, startOrigin } from '../support/origin.ts';
import { canary, type ServiceOptions, type UpstreamOptions } from '../support/split.ts';
import { clientOf, countedFor, jsonIn, tallyOf } from './client.ts';

type Options = ServiceOptions & { upstream?: UpstreamOptions };

/** Everybody is on the canary, whose endpoint does as `script` says. */
async function scene(t: Test, script: Script | null, options: Options = {}) {
  const stable = await startOrigin(t, async (call) => {
    await call.body();
    await call.write(answer(200, 'stable'));
  });
  const next = await startOrigin(t, script ?? (() => {}));
  const url = script === null ? await refusedUrl() : next.url;
  const gateway = await serve(t, canary(stable.url, url, 10_000, { failover: 'stable', ...options }));
  return { stable, next, gateway, client: clientOf(t, gateway.url) };
}

t.test('stable answers for a canary that cannot be reached; it stays the canary’s failure', async (t) => {
  const { stable, gateway, client } = await scene(t, null);
  const reply = await client('/', { method: 'POST', body: 'the body', headers: { 'x-user-id': 'u1' } });
  t.equal(reply.status, 200);
  t.equal(reply.body, 'stable');
  t.equal(reply.version, 'v1', 'who answered');
  t.equal(reply.headers['x-coalmine-failover'], 'v2', 'for whom');
  t.equal(bodyOf(stable.requests[0]!.message).toString(), 'the body');
  t.strictSame(countedFor(gateway, 'v2'), { 'POST 502': 1 });
  t.strictSame(countedFor(gateway, 'v1'), {}, 'stable gets no credit for it');
  t.equal(gateway.scalar('failovers'), 1);
  t.equal(tallyOf(gateway, 'v2').scalars[8], 1, 'counted with the canary');
  t.equal(gateway.inFlight(), 0);
});

t.test('what failed is what is counted: a time-out as 504', async (t) => {
  const { next, gateway, client } = await scene(t, () => {}, {
    upstream: { timeouts: { firstByteMs: 100 } },
  });
  const reply = await client('/');
  t.equal(reply.body, 'stable');
  t.strictSame(countedFor(gateway, 'v2'), { 'GET 504': 1 });
  t.equal(gateway.scalar('timeouts'), 1);
  t.equal(gateway.scalar('failovers'), 1);
  t.equal(next.requests.length, 1);
});

t.test('what failed is what is counted: a full pool as 503', async (t) => {
  const held: Call[] = [];
  const { next, gateway, client } = await scene(t, (call) => held.push(call), {
    upstream: { pool: { connections: 1, pending: 0 } },
  });
  const first = client('/');
  await next.arrived(1);
  t.equal((await client('/')).body, 'stable');
  t.strictSame(countedFor(gateway, 'v2'), { 'GET 503': 1 });
  await held[0]?.write(answer(200, 'canary'));
  t.equal((await first).body, 'canary');
});

t.test('a broken connection: only what may be repeated goes to stable', async (t) => {
  const { stable, next, gateway, client } = await scene(t, (call) => call.reset());
  t.equal((await client('/get')).body, 'stable');
  const post = await client('/post', { method: 'POST', body: 'x' });
  t.equal(post.status, 502);
  t.match(jsonIn(post), { error: 'upstream_broke', service: 'svc', version: 'v2' });
  t.equal(post.version, 'v2');
  t.equal(post.headers['x-coalmine-failover'], undefined);
  t.strictSame(
    stable.requests.map(({ message }) => message.target),
    ['/get'],
  );
  t.equal(next.requests.filter(({ message }) => message.target === '/post').length, 1);
  t.strictSame(countedFor(gateway, 'v2'), { 'GET 502': 1, 'POST 502': 1 });
  t.equal(gateway.scalar('failovers'), 1);
});

t.test('an answer is an answer: a 500 of the canary is passed on', async (t) => {
  const { stable, gateway, client } = await scene(t, (call) => call.write(answer(500, 'broken model')));
  const reply = await client('/');
  t.equal(reply.status, 500);
  t.equal(reply.body, 'broken model');
  t.equal(stable.requests.length, 0);
  t.equal(gateway.scalar('failovers'), 0);
});

t.test('once the answer has begun nobody takes over', async (t) => {
  const { stable, gateway, client } = await scene(t, async (call) => {
    await call.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('half')}`);
    call.end();
  });
  await t.rejects(client('/'));
  await gateway.quiet();
  t.equal(stable.requests.length, 0);
  t.strictSame(countedFor(gateway, 'v2'), { 'GET 502': 1 });
});

t.test('where stable fails too the canary’s failure is told and counted, once', async (t) => {
  const dead = await refusedUrl();
  const gateway = await serve(t, canary(dead, dead, 10_000, { failover: 'stable' }));
  const reply = await clientOf(t, gateway.url)('/');
  t.equal(reply.status, 502);
  t.match(jsonIn(reply), { error: 'upstream_refused', version: 'v2' });
  t.strictSame(gateway.counted(), { 'GET 502': 1 });
  t.strictSame(countedFor(gateway, 'v2'), { 'GET 502': 1 });
  t.equal(gateway.scalar('failovers'), 1);
});

t.test('stable’s own failures are its own', async (t) => {
  const dead = await refusedUrl();
  const canaryOrigin = await startOrigin(t);
  const gateway = await serve(t, canary(dead, canaryOrigin.url, 0, { failover: 'stable' }));
  t.equal((await clientOf(t, gateway.url)('/')).status, 502);
  t.equal(canaryOrigin.connections.length, 0);
  t.strictSame(countedFor(gateway, 'v1'), { 'GET 502': 1 });
  t.equal(gateway.scalar('failovers'), 0);
});

t.test('without `failover` a canary’s failure stays visible', async (t) => {
  const { stable, gateway, client } = await scene(t, null, { failover: 'none' });
  t.equal((await client('/')).status, 502);
  t.equal(stable.connections.length, 0);
  t.equal(gateway.scalar('failovers'), 0);
});

t.test('where versions are not shown a failover is not either', async (t) => {
  const { client } = await scene(t, null, { exposeVersion: false });
  const reply = await client('/');
  t.equal(reply.body, 'stable');
  t.equal(reply.headers['x-coalmine-failover'], undefined);
  t.equal(reply.headers['x-coalmine-version'], undefined);
});

t.test('stable answers also for a request that is older than the Split in force', async (t) => {
  const held: Call[] = [];
  const { stable, next, gateway, client } = await scene(t, (call) => held.push(call), {
    upstream: { retry: { retries: 0 } },
  });
  const pending = client('/old');
  await next.arrived(1);
  const [newStable, other] = await Promise.all([startOrigin(t), startOrigin(t)]);
  gateway.gateway.swap(canary(newStable.url, newStable.url, 0, { stage: 1 }));
  // A group that came and went after it shows that the old stable had its time to be closed.
  await client('/kept', { headers: { 'x-user-id': 'u' } });
  gateway.gateway.swap(canary(other.url, other.url, 0, { stage: 2 }));
  await newStable.until(() => newStable.open().length === 0, 'a group of later to be closed');
  held[0]?.reset();
  const reply = await pending;
  t.equal(reply.body, 'stable');
  t.equal(reply.headers['x-coalmine-failover'], 'v2');
  await stable.until(() => stable.open().length === 0, 'the old stable to be closed then');
});
