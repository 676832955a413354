import { once } from 'node:events';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, type Call, chunk, type Origin, polite, startOrigin } from '../support/origin.ts';
import { configOf, type Product, series, startProduct } from '../support/process.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { until } from '../support/wait.ts';
import { startSocketOrigin } from '../support/websocket.ts';

/** The real process: streams, clients that leave, shadows that hang, WebSockets, and two ports that do not mix. */

interface Scene {
  readonly origin: Origin;
  readonly shadow: Origin;
  readonly product: Product;
}

async function scene(t: Test): Promise<Scene> {
  const origin = await startOrigin(t);
  const shadow = await startOrigin(t, (call) => call.gone());
  const sockets = await Promise.all(
    ['v1', 'v2'].map((name) =>
      startSocketOrigin(t, (socket) => {
        socket.send(name);
        socket.on('message', (data, isBinary) => {
          if (data.toString() === 'leave') socket.close(4001, 'as asked');
          else socket.send(data, { binary: isBinary });
        });
      }),
    ),
  );
  const [s1, s2] = sockets.map(({ url }) => url);
  const product = await startProduct(
    t,
    configOf({
      plain: { match: { path: '/plain' }, versions: { v1: { url: origin.url } } },
      mirrored: {
        match: { path: '/mirrored' },
        versions: { v1: { url: origin.url }, v2: { url: shadow.url } },
        stable: 'v1',
        mirror: { to: 'v2', percent: 100, by: 'random', timeout: '1s', maxInFlight: 4 },
      },
      sockets: {
        match: { path: '/ws' },
        versions: { v1: { url: s1 }, v2: { url: s2 } },
        stable: 'v1',
        canary: 'v2',
        weight: 50,
        sticky: { by: ['header:x-user-id'] },
      },
    }),
  );
  return { origin, shadow, product };
}

t.test('the real process', async (t) => {
  const set = await scene(t);
  await t.test('event-stream tokens arrive one by one', (t) => tokens(t, set));
  await t.test('a client that leaves cancels its upstream request', (t) => leaving(t, set));
  await t.test('a shadow that hangs is never felt', (t) => hangingShadow(t, set));
  await t.test('WebSockets are split as requests are', (t) => socketSplit(t, set));
  await t.test('the two ports do not mix', (t) => twoPorts(t, set));
  await t.test('HEAD, 204 and 304 keep their connection', (t) => bodiless(t, set));
  t.strictSame(set.origin.violations(), []);
  t.strictSame(await set.product.stop(), { code: 0, signal: null });
});

async function tokens(t: Test, { origin, product }: Scene): Promise<void> {
  const calls: Call[] = [];
  origin.script = (call) => calls.push(call);
  const client = await connectRaw({ port: product.port });
  client.send(head('GET /plain/stream HTTP/1.1', 'Accept: text/event-stream'));
  await origin.until(() => calls.length === 1, 'the request');
  const [call] = calls as [Call];
  await call.write(
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  await client.until(() => client.answers.length === 1, 'the head before any token');
  for (let i = 1; i <= 20; i++) {
    await call.write(chunk(`data: ${i}\n\n`));
    // The next token is sent only after this one has arrived: whatever is held back stops the test.
    await client.until(() => textOf(client.answers[0]!).endsWith(`data: ${i}\n\n`), `token ${i}`);
  }
  await call.write('0\r\n\r\n');
  t.equal((await client.whole())[0]?.complete, true);
  client.socket.destroy();
}

async function leaving(t: Test, { origin, product }: Scene): Promise<void> {
  const calls: Call[] = [];
  origin.script = (call) => calls.push(call);
  const client = await connectRaw({ port: product.port });
  client.send(head('GET /plain/slow HTTP/1.1'));
  await origin.until(() => calls.length === 1, 'the request');
  client.reset();
  await calls[0]?.gone();
  await until(
    async () => series(await product.metrics(), 'http_requests_total', { app: 'plain', status: '499' }) === 1,
    'the 499 to be counted',
  );
  t.equal(series(await product.metrics(), 'http_requests_in_flight', { app: 'plain' }), 0);
}

async function hangingShadow(t: Test, { origin, shadow, product }: Scene): Promise<void> {
  origin.script = polite;
  const client = await connectRaw({ port: product.port });
  const requests = 60;
  for (let i = 1; i <= requests; i++) {
    client.send(`${head('POST /mirrored/x HTTP/1.1', 'Content-Length: 2', 'Authorization: Bearer x')}hi`);
    t.equal((await client.whole(i))[i - 1]?.status, 200);
  }
  // All were answered while the shadow has answered none, nor ever will.
  t.ok(shadow.requests.length >= 1, `${shadow.requests.length} copies`);
  for (const { message } of shadow.requests) {
    t.equal(headerOf(message, 'x-coalmine-shadow'), '1');
    t.equal(headerOf(message, 'authorization'), undefined);
  }
  t.ok(origin.requests.every(({ message }) => headerOf(message, 'x-coalmine-shadow') === undefined));
  await until(
    async () =>
      series(await product.metrics(), 'coalmine_mirror_requests_total', { app: 'mirrored' }) === requests,
    'sent and dropped copies to add up to the eligible ones',
  );
  const metrics = await product.metrics();
  const outcome = (name: string) =>
    series(metrics, 'coalmine_mirror_requests_total', { app: 'mirrored', outcome: name });
  t.ok(outcome('dropped_full') > 0, 'the bound was met');
  t.equal(outcome('timeout') + outcome('dropped_full'), requests);
  t.equal(
    series(metrics, 'http_requests_total', { app: 'mirrored' }),
    requests,
    'copies are not counted as requests',
  );
  client.socket.destroy();
}

async function socketSplit(t: Test, { product }: Scene): Promise<void> {
  const seen = new Set<string>();
  for (let user = 0; user < 20; user++) {
    const plain = await exchange(product.port, head('GET /ws/x HTTP/1.1', `x-user-id: u${user}`));
    const assigned = headerOf(plain.answers[0]!, 'x-coalmine-version');
    const socket = new WebSocket(`ws://127.0.0.1:${product.port}/ws/x`, {
      headers: { 'x-user-id': `u${user}` },
    });
    const [greeting] = (await once(socket, 'message')) as [Buffer];
    t.equal(greeting.toString(), assigned, `u${user}`);
    seen.add(greeting.toString());
    for (const payload of ['text', Buffer.from([0, 255, 1]), 'a'.repeat(200_000)]) {
      socket.send(payload);
      const [echoed, isBinary] = (await once(socket, 'message')) as [Buffer, boolean];
      t.same(isBinary ? echoed : echoed.toString(), payload);
    }
    socket.send('leave');
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    t.equal(code, 4001);
    t.equal(reason.toString(), 'as asked');
  }
  t.same(seen, new Set(['v1', 'v2']));
}

async function twoPorts(t: Test, { origin, product }: Scene): Promise<void> {
  const adminPort = Number(new URL(product.adminUrl).port);
  origin.forget();
  for (const target of [
    '/metrics',
    '/readyz',
    '/healthz',
    '/api/v1/services',
    '//api/v1/services',
    '/%',
    '/api/v1/services/%zz',
  ]) {
    const onGateway = await exchange(product.port, head(`GET ${target} HTTP/1.1`));
    t.ok([400, 404].includes(onGateway.answers[0]?.status ?? 0), `the gateway does not serve ${target}`);
    t.notMatch(textOf(onGateway.answers[0]!), /revision|http_requests/);
  }
  for (const target of ['/plain/x', '/plain', 'http://test.example/plain/x']) {
    const onAdmin = await exchange(adminPort, head(`GET ${target} HTTP/1.1`, `Host: 127.0.0.1:${adminPort}`));
    t.ok((onAdmin.answers[0]?.status ?? 0) >= 400, `admin does not proxy ${target}`);
  }
  const rebound = await exchange(adminPort, head('GET /api/v1/services HTTP/1.1', 'Host: evil.example'));
  t.equal(rebound.answers[0]?.status, 421, 'a name that was rebound to loopback is refused');
  const forged = await exchange(
    adminPort,
    `${head('PUT /api/v1/services/sockets/weight HTTP/1.1', `Host: 127.0.0.1:${adminPort}`, 'Content-Type: text/plain', 'Content-Length: 13')}{"weight": 99}`,
  );
  t.equal(forged.answers[0]?.status, 415, 'only JSON is taken');
  t.equal(origin.requests.length, 0);
}

async function bodiless(t: Test, { origin, product }: Scene): Promise<void> {
  origin.script = async (call) => {
    await call.body();
    const status = Number(call.message.target.split('/').at(-1));
    if (call.message.method === 'HEAD') return call.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    return call.write(answer(status, status === 200 ? 'hello' : ''));
  };
  const client = await connectRaw({ port: product.port, methods: ['HEAD', 'GET', 'GET', 'GET'] });
  const wanted: [method: string, status: number, body: string][] = [
    ['HEAD', 200, ''],
    ['GET', 204, ''],
    ['GET', 304, ''],
    ['GET', 200, 'hello'],
  ];
  for (const [i, [method, status, body]] of wanted.entries()) {
    client.send(head(`${method} /plain/${status} HTTP/1.1`));
    const got = (await client.whole(i + 1))[i]!;
    t.equal(got.status, status);
    t.equal(textOf(got), body);
    if (method === 'HEAD') t.equal(headerOf(got, 'content-length'), '5');
  }
  client.socket.destroy();
}
