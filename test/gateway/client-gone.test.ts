import t, { type Test } from 'tap';
import { serve, type TestGateway } from '../support/gateway.ts';
import { type Call, chunk, type Origin, polite, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { canary, single } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { clientOf } from './client.ts';

/** The client leaves: the upstream is cancelled at once, and it is counted as 499, once. */

async function scene(t: Test) {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) =>
    call.message.target === '/held' ? held.push(call) : polite(call),
  );
  const gateway = await serve(t, single(origin.url));
  return { origin, gateway, held };
}

async function cancelled(t: Test, origin: Origin, gateway: TestGateway, counted: Record<string, number>) {
  const [request] = origin.requests;
  await origin.until(() => request?.connection.closedBy !== 'open', 'the upstream request to be cancelled');
  await gateway.quiet();
  t.strictSame(gateway.counted(), counted);
  const gone = Object.entries(counted).find(([name]) => name.endsWith('499'))?.[1] ?? 0;
  t.equal(gateway.scalar('clientGone'), gone);
  t.equal(gateway.scalar('timeouts'), 0);
  t.equal(gateway.scalar('retries'), 0, 'nobody is waiting for another try');
  t.strictSame(
    gateway.gateway.endpoints().map(({ pending }) => pending),
    [0],
  );
}

t.test('before the answer began', async (t) => {
  for (const leave of ['reset', 'end'] as const) {
    const { origin, gateway } = await scene(t);
    const client = await connectRaw({ port: gateway.port });
    client.send(head('GET /held HTTP/1.1'));
    await origin.arrived(1);
    if (leave === 'reset') client.reset();
    else client.socket.destroy();
    await cancelled(t, origin, gateway, { 'GET 499': 1 });
  }
});

t.test('in the middle of an answer', async (t) => {
  const { origin, gateway, held } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /held HTTP/1.1'));
  await origin.arrived(1);
  await held[0]?.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('token')}`);
  await client.until(() => client.answers[0]?.bodyBytes === 5, 'a token');
  client.reset();
  await cancelled(t, origin, gateway, { 'GET 499': 1 });
});

t.test('in the middle of its own upload', async (t) => {
  const { origin, gateway } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /x HTTP/1.1', 'Content-Length: 1000')).send('half');
  await origin.arrived(1);
  client.reset();
  await cancelled(t, origin, gateway, { 'POST 499': 1 });
  t.equal(origin.requests[0]?.message.complete, false, 'a cut body does not look whole');
});

t.test('while stable would have taken over for the canary', async (t) => {
  const stable = await startOrigin(t);
  const next = await startOrigin(t, () => {});
  const gateway = await serve(t, canary(stable.url, next.url, 10_000, { failover: 'stable' }));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET / HTTP/1.1'));
  await next.arrived(1);
  client.reset();
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 499': 1 });
  t.equal(stable.connections.length, 0);
  t.equal(gateway.scalar('failovers'), 0);
});

t.test('a client that leaves after its answer is no loss', async (t) => {
  const { gateway } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /x HTTP/1.1'));
  await client.whole();
  client.reset();
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 200': 1 });
  t.equal(gateway.scalar('clientGone'), 0);
});

t.test('with several pipelined requests under way: each is cancelled and counted', async (t) => {
  const { origin, gateway } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /held HTTP/1.1').repeat(3));
  await origin.arrived(3);
  client.reset();
  await until(() => origin.open().every(({ requests }) => requests.length === 0), 'all to be cancelled');
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 499': 3 });
  t.equal(await gateway.gateway.close(60_000), 0, 'nothing is left to be waited for');
});

t.test('with an answer waiting behind another: that one is given up too', async (t) => {
  const { origin, gateway, held } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /held HTTP/1.1') + head('GET /quick HTTP/1.1') + head('GET /held HTTP/1.1'));
  await origin.until(() => held.length === 2, 'the requests');
  await until(() => gateway.counted()['GET 200'] === 1, 'the quick answer to be had');
  client.reset();
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 200': 1, 'GET 499': 2 });
  t.equal(await gateway.gateway.close(60_000), 0);
});

t.test('an endpoint is not blamed for it', async (t) => {
  const { origin, gateway } = await scene(t);
  for (let i = 0; i < 10; i++) {
    const client = await connectRaw({ port: gateway.port });
    client.send(head('GET /held HTTP/1.1'));
    await origin.arrived(i + 1);
    client.reset();
  }
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 499': 10 });
  const reply = await clientOf(t, gateway.url)('/x');
  t.equal(reply.status, 200);
});

t.test('a client that closes only its sending side is taken to be gone, as nginx takes it', async (t) => {
  const { origin, gateway } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /held HTTP/1.1'));
  await origin.arrived(1);
  client.halfClose();
  await cancelled(t, origin, gateway, { 'GET 499': 1 });
  t.equal(await client.closed(), 'end');
});
