import { once } from 'node:events';
import t, { type Test } from 'tap';
import { WebSocket } from 'ws';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { serve } from '../support/gateway.ts';
import { refusedUrl, startOrigin } from '../support/origin.ts';
import { canary, single } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { startSocketOrigin } from '../support/websocket.ts';
import { clientOf, countedFor, reasonsFor } from './client.ts';

interface Opened {
  readonly socket: WebSocket;
  readonly headers: Record<string, string | string[] | undefined>;
}

/** Resolves when the tunnel is open; rejects with the status of a refusal. */
function open(
  t: Test,
  url: string,
  headers: Record<string, string> = {},
  protocols: string[] = [],
): Promise<Opened> {
  const socket = new WebSocket(url.replace('http', 'ws'), protocols, { headers });
  t.teardown(() => socket.terminate());
  let upgraded: Opened['headers'] = {};
  socket.on('upgrade', (answer) => {
    upgraded = answer.headers;
  });
  return new Promise((resolve, reject) => {
    socket.on('open', () => resolve({ socket, headers: upgraded }));
    socket.on('error', reject);
  });
}

/** The next message as text. */
async function said(socket: WebSocket): Promise<string> {
  const [data] = (await once(socket, 'message')) as [Buffer];
  return data.toString();
}

async function scene(t: Test, weightBp: number) {
  const named = (name: string) =>
    startSocketOrigin(t, (socket) =>
      socket.on('message', (data, binary) => socket.send(binary ? data : `${name} ${data}`)),
    );
  const [stable, next] = await Promise.all([named('v1'), named('v2')]);
  const gateway = await serve(t, canary(stable.url, next.url, weightBp));
  return { stable, next, gateway };
}

t.test('messages pass both ways; the tunnel counts as one 101', async (t) => {
  const { stable, gateway } = await scene(t, 0);
  const { socket, headers } = await open(t, `${gateway.url}/a/../chat?room=1`, {
    'x-request-id': 'r-ws',
    'x-forwarded-for': '6.6.6.6',
    'x-custom': 'kept',
  });
  t.equal(headers['x-coalmine-version'], 'v1');
  t.equal(headers['x-request-id'], 'r-ws');
  const heard = said(socket);
  socket.send('hello');
  t.equal(await heard, 'v1 hello');
  const echoed = once(socket, 'message') as Promise<[Buffer, boolean]>;
  socket.send(Buffer.from([0, 255, 1]));
  const [data, binary] = await echoed;
  t.strictSame([[...data], binary], [[0, 255, 1], true]);

  const [seen] = stable.opened;
  t.equal(seen?.target, '/chat?room=1', 'normalised');
  t.match(seen?.headers, { 'x-custom': 'kept', 'x-request-id': 'r-ws', 'x-forwarded-for': '127.0.0.1' });
  t.match(seen?.headers.via, /^1\.1 coalmine-/);
  t.match(seen?.headers.traceparent, /^00-/);

  socket.close(4_001, 'done');
  const [code] = (await once(seen!.socket, 'close')) as [number];
  t.equal(code, 4_001, 'the close code passes');
  await gateway.quiet();
  t.strictSame(countedFor(gateway, 'v1'), { 'GET 101': 1 });
});

t.test('the same assignment as for plain requests', async (t) => {
  const { gateway } = await scene(t, 5_000);
  const counts = { v1: 0, v2: 0 };
  for (let i = 0; i < 12; i++) {
    const user = `u${i}`;
    const want = bucketOfKey('svc', user) < 5_000 ? 'v2' : 'v1';
    counts[want]++;
    const { socket, headers } = await open(t, gateway.url, { 'x-user-id': user });
    t.equal(headers['x-coalmine-version'], want);
    const heard = said(socket);
    socket.send('hi');
    t.equal(await heard, `${want} hi`);
    socket.close();
  }
  await gateway.quiet();
  for (const name of ['v1', 'v2'] as const) {
    t.strictSame(countedFor(gateway, name), { 'GET 101': counts[name] });
    t.strictSame(reasonsFor(gateway, name), { hash: counts[name] });
  }
});

t.test('an open tunnel outlives a swap', async (t) => {
  const { next, gateway } = await scene(t, 0);
  const { socket } = await open(t, gateway.url);
  gateway.gateway.swap(single(next.url, { stage: 1 }));
  const heard = said(socket);
  socket.send('still there');
  t.equal(await heard, 'v1 still there');
  const other = await open(t, gateway.url);
  const answered = said(other.socket);
  other.socket.send('new');
  t.equal(await answered, 'v2 new');
});

t.test('an upstream that cannot be reached: the client is told, and it counts as 502', async (t) => {
  const gateway = await serve(t, single(await refusedUrl()));
  const socket = new WebSocket(gateway.url.replace('http', 'ws'));
  socket.on('error', () => {});
  await once(socket, 'close');
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 502': 1 });
  await until(() => gateway.gateway.endpoints()[0]?.pending === 0, 'its place to be given back');
});

t.test('an upstream that does not upgrade: 502 as well', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const socket = new WebSocket(gateway.url.replace('http', 'ws'));
  socket.on('error', () => {});
  await once(socket, 'close');
  await gateway.quiet();
  t.strictSame(gateway.counted(), { 'GET 502': 1 });
  t.equal((await clientOf(t, gateway.url)('/')).status, 200, 'plain requests are served as ever');
});

t.test('no service, no tunnel', async (t) => {
  const origin = await startSocketOrigin(t, () => {});
  const gateway = await serve(t, single(origin.url, { path: '/ws' }));
  await t.rejects(open(t, `${gateway.url}/other`), { message: /404/ });
  t.equal(origin.opened.length, 0);
});

t.test('either side that vanishes takes the other with it', async (t) => {
  const { stable, gateway } = await scene(t, 0);
  // The client's handshake is over before the upstream's.
  const tunnel = async (nth: number) => {
    const opened = await open(t, gateway.url);
    await until(() => stable.opened.length === nth, 'the upstream to open as well');
    return opened;
  };
  const first = await tunnel(1);
  const gone = once(stable.opened[0]!.socket, 'close');
  first.socket.terminate();
  await gone;
  const second = await tunnel(2);
  const closed = once(second.socket, 'close');
  stable.opened[1]!.socket.terminate();
  await closed;
  await gateway.quiet();
  t.equal(await gateway.gateway.close(60_000), 0, 'nothing is left under way');
});
