import net from 'node:net';
import t, { type Test } from 'tap';
import type { HealthCheck } from '../../src/core/model.ts';
import { serve } from '../support/gateway.ts';
import { headerOf } from '../support/http1.ts';
import { answer, type Origin, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { clientOf } from './client.ts';

const CHECK: HealthCheck = {
  path: '/healthz',
  intervalMs: 10,
  timeoutMs: 300,
  healthyThreshold: 2,
  unhealthyThreshold: 3,
};

/** An origin whose health check answers with `status.of(name)`; 0 for no answer at all. */
async function checked(t: Test, name: string, status: { now: number }): Promise<Origin> {
  return startOrigin(t, (call) => {
    if (call.message.target !== '/healthz') return call.write(answer(200, name));
    return status.now === 0 ? undefined : call.write(answer(status.now, ''));
  });
}

async function scene(t: Test, health = CHECK) {
  const status = { now: 200 };
  const watched = await checked(t, 'watched', status);
  const other = await checked(t, 'other', { now: 200 });
  const gateway = await serve(t, single([watched.url, other.url], { upstream: { health } }));
  const client = clientOf(t, gateway.url);
  const probes = () => watched.requests.filter(({ message }) => message.target === '/healthz');
  const healthy = () => gateway.gateway.endpoints().find(({ endpoint }) => endpoint === watched.url)?.healthy;
  const hits = async (count = 6) => {
    const bodies: string[] = [];
    for (let i = 0; i < count; i++) bodies.push((await client('/')).body);
    return bodies.filter((body) => body === 'watched').length;
  };
  return { status, watched, gateway, client, probes, healthy, hits };
}

t.test(
  'an endpoint that fails its checks gets no requests, and gets them again when it is back',
  async (t) => {
    const { status, gateway, healthy, hits, probes } = await scene(t);
    t.equal(healthy(), true, 'until something else is known');
    t.equal(await hits(), 3);
    for (const failing of [500, 404, 0]) {
      status.now = failing;
      await until(() => healthy() === false, `${failing} to be unhealthy`);
      t.equal(await hits(), 0, `${failing}`);
      status.now = failing === 404 ? 302 : 204;
      await until(() => healthy() === true, `to be healthy after ${failing}`);
      t.equal(await hits(), 3);
    }
    t.strictSame(gateway.counted(), { 'GET 200': 42 }, 'checks are nobody’s requests');
    const asked = probes()[0]!.message;
    t.equal(asked.startLine, 'GET /healthz HTTP/1.1');
    t.equal(headerOf(asked, 'user-agent'), 'coalmine-health');
    const said = gateway.logged.filter(({ message }) => /healthy/.test(message));
    t.strictSame(
      said.map(({ level }) => level),
      ['warn', 'info', 'warn', 'info', 'warn', 'info'],
    );
    t.match(said[0]?.fields, { service: 'svc', version: 'v1', endpoint: /^http:/ });
  },
);

t.test('it takes as many failures in a row as the threshold says', async (t) => {
  const { status, probes, healthy } = await scene(t, { ...CHECK, unhealthyThreshold: 3 });
  await until(() => probes().length >= 3, 'checks that pass');
  status.now = 500;
  const from = probes().length;
  await until(() => healthy() === false, 'the endpoint to be unhealthy');
  t.ok(probes().length - from >= 3, `${probes().length - from} checks failed`);
});

t.test('a single failure between successes changes nothing', async (t) => {
  const { watched, healthy, probes, gateway } = await scene(t);
  watched.script = (call) =>
    call.write(
      answer(call.message.target === '/healthz' && probes().length % 3 === 0 ? 500 : 200, 'watched'),
    );
  const from = probes().length;
  await until(() => probes().length > from + 15, 'many checks');
  t.equal(healthy(), true);
  t.strictSame(
    gateway.logged.filter(({ level }) => level === 'warn'),
    [],
  );
});

t.test('where all are unhealthy all are tried', async (t) => {
  const status = { now: 500 };
  const one = await checked(t, 'one', status);
  const two = await checked(t, 'two', status);
  const gateway = await serve(t, single([one.url, two.url], { upstream: { health: CHECK } }));
  await until(() => gateway.gateway.endpoints().every(({ healthy }) => !healthy), 'all to be unhealthy');
  const client = clientOf(t, gateway.url);
  const bodies = [];
  for (let i = 0; i < 4; i++) bodies.push((await client('/')).body);
  t.strictSame(bodies.sort(), ['one', 'one', 'two', 'two']);
});

t.test('what is known of an endpoint outlives a swap that leaves its upstream alone', async (t) => {
  const status = { now: 500 };
  const watched = await checked(t, 'watched', status);
  const other = await checked(t, 'other', { now: 200 });
  const at = (stage: number) => single([watched.url, other.url], { stage, upstream: { health: CHECK } });
  const gateway = await serve(t, at(0));
  await until(() => gateway.gateway.endpoints()[0]?.healthy === false, 'the endpoint to be unhealthy');
  gateway.gateway.swap(at(1));
  t.equal(gateway.gateway.endpoints()[0]?.healthy, false);
});

t.test('checks end with their Split: when it is replaced, refused, or the gateway closes', async (t) => {
  const { gateway, watched } = await scene(t);
  const next = await checked(t, 'next', { now: 200 });
  const refused = await checked(t, 'refused', { now: 200 });
  const over = (origin: Origin) => until(() => origin.open().length === 0, 'its connections to be closed');
  const upstream = { health: CHECK };
  t.throws(() => gateway.gateway.swap(single([refused.url, 'not a url'], { upstream })));
  const twin = single([refused.url], { upstream }).services[0]!;
  t.throws(() => gateway.gateway.swap({ ...single(next.url), services: [twin, { ...twin, name: 'twin' }] }));
  gateway.gateway.swap(single(next.url, { upstream }));
  await next.arrived(2);
  await over(watched);
  await over(refused);
  const probes = watched.requests.length + refused.requests.length;
  const seen = next.requests.length;
  await next.arrived(seen + 5);
  t.equal(watched.requests.length + refused.requests.length, probes);
  await gateway.gateway.close(0);
  await over(next);
});

t.test('an endpoint whose connections are all taken is still checked, and found when it hangs', async (t) => {
  const status = { now: 200 };
  const watched = await startOrigin(t, (call) => {
    if (call.message.target !== '/healthz') return undefined;
    return status.now === 0 ? undefined : call.write(answer(status.now, ''));
  });
  const gateway = await serve(
    t,
    single(watched.url, { upstream: { health: CHECK, pool: { connections: 2, pending: 8 } } }),
  );
  const probes = () => watched.requests.filter(({ message }) => message.target === '/healthz').length;
  const clients = await Promise.all(Array.from({ length: 4 }, () => connectRaw({ port: gateway.port })));
  for (const { socket } of clients) t.teardown(() => socket.destroy());
  for (const client of clients) client.send(head('GET /held HTTP/1.1'));
  await until(() => gateway.gateway.endpoints()[0]?.pending === 4, 'the pool to be full, and two to wait');
  const from = probes();
  await until(() => probes() >= from + 5, 'checks that go on');
  t.equal(gateway.gateway.endpoints()[0]?.healthy, true);
  status.now = 0;
  await until(() => gateway.gateway.endpoints()[0]?.healthy === false, 'it to be unhealthy');
  status.now = 200;
  await until(() => gateway.gateway.endpoints()[0]?.healthy === true, 'it to be healthy again');
});

t.test('an endpoint that takes no connection is found in the check’s own time', async (t) => {
  // TLS that never answers: connecting takes for ever, and `timeouts.connect` would wait 10 s for it.
  const silent = await startSilent(t);
  const health = { ...CHECK, timeoutMs: 100 };
  const gateway = await serve(
    t,
    single(silent.url, { upstream: { health, timeouts: { connectMs: 60_000 } } }),
  );
  await until(() => gateway.gateway.endpoints()[0]?.healthy === false, 'it to be unhealthy');
  await gateway.gateway.close(0);
  await until(() => silent.open() === 0, 'the check’s connection to be closed with the gateway');
});

async function startSilent(t: Test): Promise<{ url: string; open(): number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `https://127.0.0.1:${(server.address() as net.AddressInfo).port}`, open: () => sockets.size };
}
