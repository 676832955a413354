import { once } from 'node:events';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { ASSIGN_REASONS, type Split } from '../../src/core/model.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { isTraceparent } from '../../src/gateway/ids.ts';
import { serve } from '../support/gateway.ts';
import { headerOf } from '../support/http1.ts';
import { answer, type Call, chunk, type Origin, refusedUrl, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { canary, mirror, single, useRule } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { startSocketOrigin } from '../support/websocket.ts';
import { MemorySink } from '../tracing/spans.ts';
import { clientOf } from './client.ts';

/** What is recorded of a request, and what the upstream is told. */

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = '00f067aa0ba902b7';
const SAMPLED = { traceparent: `00-${TRACE}-${PARENT}-01` };

async function scene(t: Test, split: Split) {
  const sink = new MemorySink();
  const gateway = await serve(t, split, { spans: sink });
  return { sink, gateway, client: clientOf(t, gateway.url) };
}

function parentsAt(origin: Origin): string[] {
  return origin.requests.map(({ message }) => headerOf(message, 'traceparent') ?? '');
}

t.test('a trace goes on: the request under its parent, the attempt under the request', async (t) => {
  const origin = await startOrigin(t);
  const { sink, client } = await scene(t, single(origin.url, { name: 'iris', path: '/predict', stage: 4 }));
  const before = Date.now();
  await client('/predict/one?key=secret', {
    headers: {
      ...SAMPLED,
      tracestate: 'a=1',
      'user-agent': 'tester',
      'x-user-id': 'u1',
      'x-request-id': 'r1',
    },
  });
  const [server] = sink.servers();
  const [attempt] = sink.clients();
  t.equal(sink.spans.length, 2);
  t.match(server, {
    traceId: TRACE,
    parentId: PARENT,
    flags: '01',
    traceState: 'a=1',
    method: 'GET',
    path: '/predict/one',
    secure: false,
    error: '',
    status: 200,
    authority: new URL(origin.url).hostname,
    route: '/predict',
    userAgent: 'tester',
    httpVersion: '1.1',
    requestId: 'r1',
    failoverTo: '',
    assigned: {
      service: 'iris',
      version: 'v1',
      stage: 4,
      bucket: bucketOfKey('iris', 'u1'),
      reason: 'hash',
      rule: '',
    },
  });
  t.match(attempt, {
    traceId: TRACE,
    parentId: server?.spanId,
    origin: origin.url,
    path: '/predict/one',
    status: 200,
    resend: 0,
    shadow: false,
    version: 'v1',
  });
  t.strictSame(parentsAt(origin), [`00-${TRACE}-${attempt?.spanId}-01`], 'once, and of the attempt');
  t.equal(headerOf(origin.requests[0]!.message, 'tracestate'), 'a=1', 'the vendor’s state goes on with it');
  t.notMatch(JSON.stringify(sink.spans), /secret/, 'no query anywhere');
  t.ok(
    server && attempt && server.startWallMs <= attempt.startWallMs && attempt.endWallMs <= server.endWallMs,
  );
  t.ok(server && server.startWallMs >= before - 5 && server.endWallMs <= Date.now() + 5, 'on the wall clock');
});

t.test('a trace begins here where none came, or none that is one', async (t) => {
  const origin = await startOrigin(t);
  const { sink, client } = await scene(t, single(origin.url));
  for (const headers of [{}, { traceparent: `00-${'0'.repeat(32)}-${PARENT}-01`, tracestate: 'a=1' }]) {
    await client('/', { headers: { ...headers } as Record<string, string> });
  }
  t.equal(sink.servers().length, 2);
  for (const [i, server] of sink.servers().entries()) {
    const attempt = sink.clients()[i];
    t.equal(server.parentId, '');
    t.equal(server.traceState, '');
    t.match(server.traceId, /^[0-9a-f]{32}$/);
    t.equal(parentsAt(origin)[i], `00-${server.traceId}-${attempt?.spanId}-01`);
    t.equal(headerOf(origin.requests[i]!.message, 'tracestate'), undefined, 'of no trace that goes on');
  }
  t.equal(new Set(sink.servers().map(({ traceId }) => traceId)).size, 2);
});

t.test('who sends a traceparent decides, the share for the others', async (t) => {
  const origin = await startOrigin(t);
  const { sink, client } = await scene(t, single(origin.url));
  const unsampled = `00-${TRACE}-${PARENT}-00`;
  await client('/', { headers: { traceparent: unsampled } });
  t.strictSame(sink.spans, [], 'not sampled, although every trace that begins here is');
  t.equal(parentsAt(origin)[0], unsampled, 'passed on as it came');

  sink.share = 0;
  await client('/', { headers: SAMPLED });
  t.equal(sink.servers().length, 1, 'sampled, although none that begins here is');
  await client('/');
  t.equal(sink.servers().length, 1);
  t.match(parentsAt(origin)[2], /-00$/, 'a new one that nobody records');
  t.ok(isTraceparent(parentsAt(origin)[2] ?? ''));

  sink.open = false;
  await client('/', { headers: SAMPLED });
  t.equal(sink.servers().length, 1, 'over the limit');
  t.equal(parentsAt(origin)[3], SAMPLED.traceparent, 'others go on recording theirs');
});

t.test('a share of the traces is recorded, within three standard deviations', async (t) => {
  const origin = await startOrigin(t);
  const { sink, client } = await scene(t, single(origin.url));
  sink.share = 0.2;
  const requests = 500;
  for (let i = 0; i < requests; i++) await client('/');
  const sigma = Math.sqrt(requests * 0.2 * 0.8);
  const off = Math.abs(sink.servers().length - requests * 0.2);
  t.ok(off <= 3 * sigma, `${sink.servers().length} of ${requests}`);
  const recorded = parentsAt(origin).filter((text) => text.endsWith('-01'));
  t.equal(recorded.length, sink.servers().length, 'and upstreams are told of just these');
});

t.test('off: what goes up is what came', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = clientOf(t, gateway.url);
  await client('/', { headers: { ...SAMPLED, tracestate: 'a=1' } });
  await client('/');
  t.equal(parentsAt(origin)[0], SAMPLED.traceparent);
  t.match(parentsAt(origin)[1], /-00$/);
});

t.test('each attempt has a span of its own, told to its upstream', async (t) => {
  const broken = await startOrigin(t, (call) => call.reset());
  const good = await startOrigin(t);
  const { sink, client } = await scene(t, single([broken.url, good.url]));
  for (let i = 0; i < 2; i++) await client('/', { headers: SAMPLED });
  await until(() => sink.spans.length === 5, 'all spans');
  const retried = sink
    .servers()
    .filter(({ spanId }) => sink.clients().filter(({ parentId }) => parentId === spanId).length === 2);
  t.equal(retried.length, 1, 'one of the two began at the broken endpoint');
  const [first, second] = sink.clients().filter(({ parentId }) => parentId === retried[0]?.spanId);
  t.match(first, { origin: broken.url, resend: 0, status: 0, error: 'upstream_broke' });
  t.match(second, { origin: good.url, resend: 1, status: 200, error: '' });
  t.strictSame(parentsAt(broken), [`00-${TRACE}-${first?.spanId}-01`]);
  t.ok(parentsAt(good).includes(`00-${TRACE}-${second?.spanId}-01`));
  t.match(retried[0], { status: 200, error: '' });
});

t.test('stable answers for the canary', async (t) => {
  const stable = await startOrigin(t);
  const { sink, client } = await scene(
    t,
    canary(stable.url, await refusedUrl(), 10_000, { failover: 'stable' }),
  );
  await client('/', { headers: { 'x-user-id': 'u1' } });
  t.match(sink.servers()[0], { status: 200, failoverTo: 'v1', assigned: { version: 'v2' } });
  t.match(sink.clients(), [
    { version: 'v2', resend: 0, error: 'upstream_refused', status: 0 },
    { version: 'v1', resend: 1, error: '', status: 200, origin: stable.url },
  ]);
});

t.test('what the upstream says of itself, and what becomes of an answer that breaks', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    if (call.message.target === '/500') return call.write(answer(500));
    await call.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('begun')}`);
    call.reset();
  });
  const { sink, gateway, client } = await scene(t, single(origin.url));
  await client('/500');
  t.match(sink.spans, [
    { status: 500, error: '' },
    { status: 500, error: '' },
  ]);
  sink.spans.length = 0;
  await exchange(gateway.port, head('GET /broken HTTP/1.1'));
  await until(() => sink.spans.length === 2, 'both spans');
  t.match(sink.clients(), [{ status: 200, error: 'upstream_broke' }]);
  t.match(
    sink.servers(),
    [{ status: 200, error: 'upstream_broke' }],
    'the client saw a 200 and then its end',
  );
});

t.test('the client leaves', async (t) => {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) => held.push(call));
  const { sink, gateway } = await scene(t, single(origin.url));
  const raw = await connectRaw({ port: gateway.port });
  raw.send(head('GET /held HTTP/1.1'));
  await origin.arrived(1);
  raw.reset();
  await until(() => sink.spans.length === 2, 'both spans');
  t.match(sink.servers(), [{ status: 0, error: 'client_gone' }]);
  t.match(sink.clients(), [{ status: 0, error: 'cancelled' }]);
});

t.test('refused by the gateway itself', async (t) => {
  const origin = await startOrigin(t);
  const { sink, gateway, client } = await scene(t, single(origin.url, { path: '/predict', maxBodyBytes: 4 }));
  await client('/elsewhere');
  await client('/predict', { method: 'POST', body: 'too long' });
  await exchange(gateway.port, head('GET /a\\b HTTP/1.1'));
  await exchange(gateway.port, 'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  t.strictSame(
    sink
      .servers()
      .map(({ path, status, error, assigned }) => [path, status, error, assigned?.version ?? null]),
    [
      ['/elsewhere', 404, 'no_route', null],
      ['/predict', 413, 'body_too_large', 'v1'],
      ['', 400, 'bad_target', null],
      ['*', 204, '', null],
    ],
  );
  t.strictSame(sink.clients(), []);
});

t.test('a shadow’s copy is a span of its own under the same request', async (t) => {
  const stable = await startOrigin(t);
  const shadow = await startOrigin(t);
  const { sink, client } = await scene(t, canary(stable.url, shadow.url, 0, { mirror: mirror(1) }));
  await client('/', { method: 'POST', body: 'hello', headers: SAMPLED });
  await until(() => sink.spans.length === 3, 'all spans');
  const [server] = sink.servers();
  const [copy] = sink.clients().filter((span) => span.shadow);
  const [real] = sink.clients().filter((span) => !span.shadow);
  t.match(copy, {
    version: 'v2',
    origin: shadow.url,
    status: 200,
    error: '',
    parentId: server?.spanId,
    traceId: TRACE,
  });
  t.match(real, { version: 'v1', origin: stable.url, parentId: server?.spanId });
  t.strictSame(parentsAt(shadow), [`00-${TRACE}-${copy?.spanId}-01`]);
  t.strictSame(parentsAt(stable), [`00-${TRACE}-${real?.spanId}-01`]);

  shadow.script = () => {};
  const slow = await scene(t, canary(stable.url, shadow.url, 0, { mirror: mirror(1, { timeoutMs: 50 }) }));
  await slow.client('/');
  await until(() => slow.sink.spans.length === 3, 'the shadow to be given up');
  t.match(
    slow.sink.clients().filter((span) => span.shadow),
    [{ status: 0, error: 'upstream_timeout' }],
  );
});

t.test('why it was decided so', async (t) => {
  const origin = await startOrigin(t);
  const rule = useRule({ kind: 'header', name: 'x-canary', match: { kind: 'present' } }, 1, 'rules[0]');
  const { sink, client } = await scene(t, canary(origin.url, origin.url, 0, { rules: [rule] }));
  await client('/', { headers: { 'x-canary': '1' } });
  await client('/');
  const reasons = sink.servers().map(({ assigned }) => assigned);
  t.match(reasons[0], { version: 'v2', reason: 'rule', rule: 'rules[0]', bucket: -1 });
  t.match(reasons[1], { version: 'v1', reason: 'random', rule: '' });
  for (const facts of reasons) t.ok((ASSIGN_REASONS as readonly string[]).includes(facts?.reason ?? ''));
});

t.test('a WebSocket: its handshakes', async (t) => {
  const origin = await startSocketOrigin(t, () => {});
  const { sink, gateway } = await scene(t, single(origin.url));
  const socket = new WebSocket(gateway.url.replace('http', 'ws'), { headers: SAMPLED });
  t.teardown(() => socket.terminate());
  await once(socket, 'open');
  await until(() => sink.spans.length === 2, 'both spans');
  t.match(sink.servers(), [{ status: 101, error: '', traceId: TRACE, parentId: PARENT }]);
  t.match(sink.clients(), [{ status: 101, error: '', parentId: sink.servers()[0]?.spanId }]);
  socket.close();
  await once(socket, 'close');
  t.equal(sink.spans.length, 2, 'and nothing at its end');

  const nobody = await scene(t, single(await refusedUrl()));
  const refused = new WebSocket(nobody.gateway.url.replace('http', 'ws'));
  refused.on('error', () => {});
  await once(refused, 'close');
  await until(() => nobody.sink.spans.length === 2, 'both spans');
  t.match(nobody.sink.clients(), [{ status: 0, error: 'upstream_refused' }]);
  t.match(nobody.sink.servers(), [{ status: 502 }]);
});

t.test('from one moment on, and from one moment on no more', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = clientOf(t, gateway.url);
  const sink = new MemorySink();
  await client('/1');
  gateway.gateway.setSpans(sink);
  await client('/2');
  gateway.gateway.setSpans(null);
  await client('/3');
  t.strictSame(
    sink.servers().map(({ path }) => path),
    ['/2'],
  );
});

t.test('what a client may write at length is cut', async (t) => {
  const origin = await startOrigin(t);
  const { sink, client } = await scene(t, single(origin.url));
  await client(`/${'p'.repeat(5_000)}`, {
    headers: { ...SAMPLED, 'user-agent': 'a'.repeat(2_000), tracestate: `a=${'1'.repeat(2_000)}` },
  });
  const [server] = sink.servers();
  t.strictSame([server?.path.length, server?.userAgent.length, server?.traceState.length], [1_024, 256, 512]);
});
