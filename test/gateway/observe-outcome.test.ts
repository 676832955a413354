import t from 'tap';
import { WebSocket } from 'ws';
import type { Condition } from '../../src/core/model.ts';
import { answer, type Call, polite, refusedUrl } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { canary, useRule, version } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { startSocketOrigin } from '../support/websocket.ts';
import { as, JUDGED, type Scene, scene, usersOf, WEIGHT_BP } from './observe-scene.ts';

/** What the judge is told of the requests themselves: how first attempts ended, by version and user. */

const [ann, bob] = usersOf('v2', 2) as [string, string];
const [sue] = usersOf('v1', 1) as [string];

/** Fails as the path says, else answers. */
async function willing(call: Call): Promise<void> {
  if (call.message.target === '/500') {
    await call.body();
    await call.write(answer(500));
  } else if (call.message.target === '/reset') call.reset();
  else if (call.message.target === '/cut') {
    await call.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    call.reset();
  } else if (call.message.target !== '/held') await polite(call);
}

t.test('a user’s first failure alone counts as one of a user’s', async (t) => {
  const { client, counts } = await scene(t, { canary: willing });
  for (const path of ['/', '/500', '/500', '/']) await client(path, as(ann));
  for (const path of ['/500', '/']) await client(path, as(bob));
  await client('/', as(sue));
  t.strictSame(counts('v2'), { requests: 6, errors: 3, firstErrors: 2, keys: 2 });
  t.strictSame(counts('v1'), { requests: 1, keys: 1 });
});

t.test('requests without a key are each a user of their own', async (t) => {
  const { client, counts } = await scene(t, { canary: willing, weightBp: 10_000 });
  for (let i = 0; i < 3; i++) await client('/500');
  t.strictSame(counts('v2'), { requests: 3, errors: 3, firstErrors: 3, keys: 3 });
});

t.test('4xx are answers; the gateway’s refusals of a client’s fault are no failures', async (t) => {
  const { client, counts } = await scene(t, {
    maxBodyBytes: 10,
    canary: async (call) => {
      await call.body();
      await call.write(answer(404));
    },
  });
  t.equal((await client('/', as(ann))).status, 404);
  t.equal((await client('/', { ...as(ann), method: 'POST', body: 'x'.repeat(20) })).status, 413);
  t.strictSame(counts('v2'), { requests: 2, keys: 1 });
});

t.test('an answer that was cut off is a failure', async (t) => {
  const { client, counts } = await scene(t, { canary: willing });
  await t.rejects(client('/cut', as(ann)));
  await until(() => counts('v2').requests === 1, 'the cut answer to be counted');
  t.strictSame(counts('v2'), { requests: 1, errors: 1, firstErrors: 1, keys: 1 });
});

t.test('a version that takes too long has failed', async (t) => {
  const { client, counts } = await scene(t, {
    canary: willing,
    upstream: { timeouts: { firstByteMs: 100 } },
    judged: { slow: [{ gate: 'p99', thresholdMs: 50 }] },
  });
  t.equal((await client('/held', as(ann))).status, 504);
  t.strictSame(counts('v2'), { requests: 1, errors: 1, firstErrors: 1, keys: 1 });
});

t.test('a retry that succeeds does not undo the first failure', async (t) => {
  let tries = 0;
  const { client, counts } = await scene(t, {
    canary: (call) => (++tries % 2 === 1 ? call.reset() : polite(call)),
  });
  t.equal((await client('/', as(ann))).status, 200);
  t.equal(tries, 2);
  t.strictSame(counts('v2'), { requests: 1, errors: 1, firstErrors: 1, keys: 1 });
});

t.test('a refused connection is a failure, though the other endpoint answers', async (t) => {
  const { stable, canary: other, at, swapTo, client, counts } = await scene(t);
  const base = at();
  const [service] = base.services;
  const versions = [version('v1', stable.url), version('v2', [await refusedUrl(), other.url])];
  swapTo({ ...base, services: [{ ...service!, versions }] });
  for (let i = 0; i < 4; i++) t.equal((await client('/', as(ann))).status, 200);
  t.strictSame(counts('v2'), { requests: 4, errors: 2, firstErrors: 1, keys: 1 });
});

t.test('where stable stands in, the failure is the canary’s', async (t) => {
  const { client, counts } = await scene(t, {
    canary: (call) => call.reset(),
    failover: 'stable',
    upstream: { retry: { retries: 0 } },
    observe: {},
  });
  const reply = await client('/', as(ann));
  t.equal(reply.status, 200);
  t.equal(reply.version, 'v1');
  t.strictSame(counts('v2'), { requests: 1, errors: 1, firstErrors: 1, keys: 1 });
  t.strictSame(counts('v1'), {}, 'nor does stable’s answer say anything of the canary');
});

t.test('a version at its limit has failed', async (t) => {
  const {
    client,
    counts,
    canary: other,
  } = await scene(t, {
    canary: willing,
    upstream: { pool: { connections: 1, pending: 0 } },
  });
  const held = client('/held', as(ann)).catch(() => null);
  await other.arrived(1);
  t.equal((await client('/', as(bob))).status, 503);
  t.strictSame(counts('v2'), { requests: 1, errors: 1, firstErrors: 1, keys: 1 });
  await other.close();
  await held;
});

/** Sends a request, waits for it at the origin and leaves. */
async function leave({ port, canary: other }: Scene): Promise<void> {
  const before = other.requests.length;
  const raw = await connectRaw({ port });
  raw.send(head('GET /held HTTP/1.1', `X-User-Id: ${ann}`));
  await other.arrived(before + 1);
  raw.reset();
  const at = other.requests[before]?.connection;
  await other.until(() => at?.closedBy !== 'open', 'the upstream request to be cancelled');
}

t.test('a client that went away is neither success nor failure', async (t) => {
  const it = await scene(t, { canary: willing });
  await leave(it);
  await it.client('/', as(ann));
  t.strictSame(it.counts('v2'), { requests: 1, keys: 1 });
});

t.test('one that went away while a failed attempt was made good has seen a failure', async (t) => {
  let tries = 0;
  const it = await scene(t, { canary: (call) => (++tries === 1 ? call.reset() : undefined) });
  const raw = await connectRaw({ port: it.port });
  raw.send(head('GET / HTTP/1.1', `X-User-Id: ${ann}`));
  await it.canary.arrived(2);
  raw.reset();
  await until(() => it.counts('v2').requests === 1, 'it to be counted');
  t.strictSame(it.counts('v2'), { requests: 1, errors: 1, firstErrors: 1, keys: 1 });
});

const qa: Condition = { kind: 'header', name: 'x-group', match: { kind: 'present' } };

t.test('requests of a rule are outside the group, unless the rule is the group', async (t) => {
  const split = (version: number, weightBp: number) => ({
    kind: 'split' as const,
    shares: [{ version, weightBp }],
  });
  const rules = [{ id: 'scope', when: qa, then: split(1, 10_000) }];
  const { client, counts, swap } = await scene(t, { weightBp: 0, rules, observe: {} });
  const grouped = { headers: { 'x-user-id': ann, 'x-group': 'qa' } };
  await client('/', grouped);
  await client('/', as(ann));
  t.strictSame(counts('v2'), {});
  t.equal(counts('v1').requests, 1);
  swap(1, { rule: 0 });
  await client('/', grouped);
  await client('/', as(ann));
  t.equal(counts('v2', 1).requests, 1);
  t.strictSame(counts('v1', 1), {});
});

t.test('a forced version is no part of the comparison', async (t) => {
  const { client, counts } = await scene(t, { rules: [useRule(qa, 1)] });
  const reply = await client('/', { headers: { 'x-user-id': sue, 'x-group': 'qa' } });
  t.equal(reply.version, 'v2');
  t.strictSame([counts('v1'), counts('v2')], [{}, {}]);
});

t.test('a request counts in the stage that it was assigned in, users anew in each', async (t) => {
  const held: Call[] = [];
  const it = await scene(t, {
    canary: (call) => (call.message.target === '/held' ? held.push(call) : willing(call)),
  });
  await it.client('/500', as(ann));
  const late = it.client('/held', as(ann));
  await it.canary.arrived(2);
  it.swap(1);
  await it.client('/500', as(ann));
  await held[0]!.write(answer(500));
  t.equal((await late).status, 500);
  t.strictSame(it.counts('v2', 0), { requests: 2, errors: 2, firstErrors: 1, keys: 1 });
  t.strictSame(it.counts('v2', 1), { requests: 1, errors: 1, firstErrors: 1, keys: 1 });
});

t.test('a swap that keeps the stage goes on counting', async (t) => {
  const it = await scene(t, { canary: willing });
  await it.client('/500', as(ann));
  it.swap(0, { predictionSecret: null });
  await it.client('/500', as(ann));
  t.strictSame(it.counts('v2'), { requests: 2, errors: 2, firstErrors: 1, keys: 1 });
  it.swap(1, null);
  await it.client('/500', as(ann));
  t.strictSame(it.book.arms(), [], 'nothing is judged any more');
});

t.test('first slow answers, by gate', async (t) => {
  const { client, tally } = await scene(t, {
    judged: {
      slow: [
        { gate: 'p99', thresholdMs: 0 },
        { gate: 'p50', thresholdMs: 60_000 },
      ],
    },
  });
  for (let i = 0; i < 2; i++) await client('/', as(ann));
  t.strictSame([...tally('v2').firstSlow], [1, 0]);
  t.equal(
    tally('v2').latency.reduce((a, b) => a + b, 0),
    2,
  );
});

t.test('a WebSocket is left out', async (t) => {
  const { url } = await startSocketOrigin(t, () => {});
  const it = await scene(t);
  it.swapTo(canary(url, url, WEIGHT_BP, { judged: JUDGED }));
  const socket = new WebSocket(it.url.replace('http', 'ws'), { headers: { 'x-user-id': ann } });
  await new Promise((resolve, reject) => {
    socket.on('open', resolve);
    socket.on('error', reject);
  });
  socket.terminate();
  it.swapTo(it.at());
  await it.client('/', as(ann));
  t.strictSame(it.counts('v2'), { requests: 1, keys: 1 });
});
