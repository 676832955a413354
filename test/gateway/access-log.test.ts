import t from 'tap';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { type LogEntry, serve, type TestGateway } from '../support/gateway.ts';
import { answer, refusedUrl, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { canary, single } from '../support/split.ts';
import { clientOf } from './client.ts';

type Fields = Record<string, unknown>;

function lines(gateway: TestGateway): Fields[] {
  return gateway.logged
    .filter(({ message }: LogEntry) => message === 'access')
    .map(({ fields }) => fields as Fields);
}

t.test('off by default', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  await clientOf(t, gateway.url)('/');
  t.strictSame(lines(gateway), []);
});

t.test('one line a request: what was asked, who answered, why, and how long it took', async (t) => {
  const origin = await startOrigin(t);
  const next = await startOrigin(t);
  const gateway = await serve(t, { ...canary(origin.url, next.url, 10_000), accessLogShare: 1 });
  const client = clientOf(t, gateway.url);
  await client('/p%61th?secret=1', { headers: { 'x-user-id': 'u1', 'x-request-id': 'r-1' } });
  const [line] = lines(gateway) as [Fields];
  const { durationMs, upstreamMs, ...rest } = line;
  t.strictSame(rest, {
    requestId: 'r-1',
    method: 'GET',
    path: '/path',
    status: 200,
    service: 'svc',
    version: 'v2',
    reason: 'hash',
    bucket: bucketOfKey('svc', 'u1'),
    attempts: 1,
    failure: null,
    client: '127.0.0.1',
  });
  t.type(durationMs, 'number');
  t.ok(
    (upstreamMs as number) > 0 && (upstreamMs as number) <= (durationMs as number),
    `${upstreamMs} ${durationMs}`,
  );
  t.notMatch(JSON.stringify(gateway.logged), /secret/, 'a query may hold secrets');
  t.equal(gateway.logged[0]?.level, 'info');
});

t.test('what failed is told with its reason; addresses stay out of the line', async (t) => {
  const origin = await startOrigin(t, (call) =>
    call.message.target === '/hang' ? undefined : call.write(answer(200)),
  );
  const dead = await refusedUrl();
  const gateway = await serve(t, {
    ...canary(origin.url, dead, 10_000, { failover: 'stable' }),
    accessLogShare: 1,
  });
  const client = clientOf(t, gateway.url);
  await client('/');
  await client('/..');
  gateway.gateway.swap({ ...single(origin.url, { path: '/only' }), accessLogShare: 1 });
  await client('/');
  gateway.gateway.swap({ ...single(origin.url), accessLogShare: 1 });
  const gone = await connectRaw({ port: gateway.port });
  gone.send(head('GET /hang HTTP/1.1'));
  await origin.until(() => origin.requests.some(({ message }) => message.target === '/hang'), 'the request');
  gone.reset();
  await gateway.quiet();
  const told = lines(gateway).map(({ status, version, failure, attempts, upstreamMs }) => ({
    status,
    version,
    failure,
    attempts,
    answered: upstreamMs !== null,
  }));
  t.strictSame(told, [
    { status: 200, version: 'v2', failure: 'upstream_refused', attempts: 2, answered: true },
    { status: 400, version: null, failure: null, attempts: 0, answered: false },
    { status: 404, version: null, failure: null, attempts: 0, answered: false },
    { status: 499, version: 'v1', failure: null, attempts: 1, answered: false },
  ]);
  t.notOk(JSON.stringify(lines(gateway)).includes(new URL(dead).port));
});

t.test('a share of the requests', async (t) => {
  const draws = [0.1, 0.3, 0.299, 0.9];
  let turn = 0;
  const origin = await startOrigin(t);
  const gateway = await serve(
    t,
    { ...single(origin.url), accessLogShare: 0.3 },
    { random: () => draws[turn++ % draws.length] as number },
  );
  const client = clientOf(t, gateway.url);
  for (let i = 0; i < 8; i++) await client(`/${i}`, { headers: { 'x-user-id': 'u' } });
  t.strictSame(
    lines(gateway).map(({ path }) => path),
    ['/0', '/2', '/4', '/6'],
  );
});
