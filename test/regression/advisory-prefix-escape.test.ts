import t, { type Test } from 'tap';
import { serve, type TestGateway } from '../support/gateway.ts';
import { type Origin, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { service, split, version } from '../support/split.ts';
import { handshake, type SocketOrigin, startSocketOrigin } from '../support/websocket.ts';

/**
 * CVE-2026-16117, 2026-15631, 2026-85124, 2025-66415, undici 2022-35949: encoded
 * letters, dot segments, `//host` and backslashes left the prefix that routed
 * them, or changed the origin. One normalised path decides, and is what is sent.
 */

const TARGETS = [
  '/api/../admin',
  '/api/x/../../admin',
  '/api/%2e%2e/admin',
  '/api/%2E%2e/admin',
  '/api/.%2e/admin',
  '/api/..%2fadmin',
  '/api/..%2Fadmin',
  '/api/%2e%2e%2fadmin',
  '/api/..%5cadmin',
  '/api/..\\admin',
  '/api\\..\\admin',
  '/api/..;/admin',
  '/api/..;x=y/admin',
  '/api/%252e%252e/admin',
  '/api/..%252fadmin',
  '/api/..%00/admin',
  '/api/%2e%2e%00/admin',
  '/%61pi/../admin',
  '/%61pi/%2e%2e/admin',
  '/api/./../admin',
  '/api//../admin',
  '/api/..//admin',
  '/api/..#/admin',
  '/api/../api/../admin',
  '//decoy.example/api/x',
  '//api/../admin',
  '/\\decoy.example/api',
  '\\\\decoy.example/api',
  '/@decoy.example/api',
  'http://decoy.example@test.example/api/x',
  '/api/http://decoy.example/',
  '/api?/../../admin',
  '/api/%',
  '/api/%zz/../admin',
  '/api/%u002e%u002e/admin',
  '/api/\xc0\xae\xc0\xae/admin',
  '/api/%c0%ae%c0%ae/admin',
  '/api/..\t/admin',
];

/** Where a server ends up that unescapes a path `times` over, as many do, and then removes dot segments. */
function resolved(target: string, times: number): string {
  let path = target.split('?')[0] as string;
  for (let i = 0; i < times; i++) {
    path = path.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    );
  }
  const out: string[] = [];
  for (const segment of path.replaceAll('\\', '/').split('/').slice(1)) {
    if (segment === '..') out.pop();
    else if (segment !== '.' && segment !== '') out.push(segment);
  }
  return `/${out.join('/')}`;
}

function inside(target: string): boolean {
  return [0, 1].every((times) => /^\/api(?:\/|$)/.test(resolved(target, times)));
}

interface Scene {
  gateway: TestGateway;
  api: Origin;
  sockets: SocketOrigin;
  decoy: Origin;
}

/** `/api` is open, `/ws` is for sockets, `/admin` and another host are what must not be reached. */
async function scene(t: Test): Promise<Scene> {
  const api = await startOrigin(t);
  const decoy = await startOrigin(t);
  const sockets = await startSocketOrigin(t, () => {});
  const gateway = await serve(
    t,
    split([
      service([version('v1', api.url)], { name: 'api', host: 'test.example', path: '/api' }),
      service([version('v1', sockets.url)], { name: 'sockets', host: 'sockets.example', path: '/api' }),
      service([version('v1', decoy.url)], { name: 'decoy', host: 'decoy.example' }),
    ]),
  );
  return { gateway, api, sockets, decoy };
}

t.test('a request that entered by a prefix stays in it', async (t) => {
  const { gateway, api, decoy } = await scene(t);
  for (const target of TARGETS) {
    api.forget();
    const client = await connectRaw({ port: gateway.port });
    client.send(head(`GET ${target} HTTP/1.1`, 'Connection: close'));
    await client.closed();
    const status = client.answers[0]?.status ?? 0;
    t.ok([200, 400, 404].includes(status), `${JSON.stringify(target)}: ${client.describe()}`);
    for (const { message } of api.requests) {
      t.ok(inside(message.target), `${JSON.stringify(target)} was sent as ${JSON.stringify(message.target)}`);
    }
    t.equal(api.requests.length, status === 200 ? 1 : 0);
  }
  t.equal(decoy.connections.length, 0, 'no other origin was dialled');
  t.strictSame(api.violations(), []);
});

t.test('so does a WebSocket', async (t) => {
  const { gateway, sockets, api, decoy } = await scene(t);
  for (const target of TARGETS) {
    const before = sockets.opened.length;
    const client = await connectRaw({ port: gateway.port });
    client.send(handshake(target, 'Host: sockets.example'));
    await client.heads();
    const status = client.answers[0]?.status ?? 0;
    t.ok([101, 400, 404].includes(status), `${JSON.stringify(target)}: ${client.describe()}`);
    client.socket.destroy();
    for (const opened of sockets.opened.slice(before)) {
      t.ok(inside(opened.target), `${JSON.stringify(target)} was opened as ${JSON.stringify(opened.target)}`);
    }
  }
  t.equal(decoy.connections.length + api.connections.length, 0, 'no other origin was dialled');
  const client = await connectRaw({ port: gateway.port });
  client.send(handshake('/api/%77s?x=1', 'Host: sockets.example'));
  t.equal((await client.heads())[0]?.status, 101, 'an escaped letter alone is no offence');
  client.socket.destroy();
});

t.test('an escaped letter routes as the letter, and is sent as the route was found', async (t) => {
  const { gateway, api } = await scene(t);
  for (const target of ['/%61pi/x', '/a%70i/x', '/api/x', '/api/./x', '/api/y/../x']) {
    api.forget();
    t.equal((await gateway.get(target)).status, 200, target);
    t.equal(api.requests[0]?.message.target, '/api/x', target);
  }
  t.equal((await gateway.get('/apix')).status, 404, 'a prefix ends at a segment');
  t.equal((await gateway.get('/API/x')).status, 404, 'paths have case');
});
