import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { service, split, version } from '../support/split.ts';
import { clientOf, countedFor, jsonIn } from './client.ts';

/** A gateway before services that each answer with their own name and the path they were asked for. */
async function scene(t: Test, matches: Record<string, { host?: string; path?: string }>) {
  const services = await Promise.all(
    Object.entries(matches).map(async ([name, match]) => {
      const origin = await startOrigin(t, (call) =>
        call.write(answer(200, `${name} ${call.message.target}`)),
      );
      return service([version('v1', origin.url)], { name, ...match });
    }),
  );
  const gateway = await serve(t, split(services));
  const client = clientOf(t, gateway.url);
  const ask = async (host: string, path: string) => {
    const reply = await client(path, { headers: { host } });
    return reply.status === 200 ? reply.body : `${reply.status}`;
  };
  return { gateway, client, ask };
}

t.test('the most specific host and prefix wins', async (t) => {
  const { ask } = await scene(t, {
    exact: { host: 'api.example.com' },
    predict: { host: 'api.example.com', path: '/predict' },
    deep: { host: 'api.example.com', path: '/predict/v2' },
    wild: { host: '*.example.com' },
    wilder: { host: '*.eu.example.com' },
    any: { path: '/public' },
  });
  for (const [host, path, found] of [
    ['api.example.com', '/', 'exact /'],
    ['api.example.com', '/predict', 'predict /predict'],
    ['api.example.com', '/predict/', 'predict /predict/'],
    ['api.example.com', '/predict/x?y=1', 'predict /predict/x?y=1'],
    ['api.example.com', '/predict/v2/x', 'deep /predict/v2/x'],
    ['api.example.com', '/predict/v22', 'predict /predict/v22'],
    ['api.example.com', '/prediction', 'exact /prediction'],
    ['API.Example.COM', '/predict', 'predict /predict'],
    ['api.example.com:8080', '/predict', 'predict /predict'],
    ['www.example.com', '/predict', 'wild /predict'],
    ['a.b.example.com', '/', 'wild /'],
    ['a.eu.example.com', '/', 'wilder /'],
    ['example.com', '/', '404'],
    ['evil-example.com', '/', '404'],
    ['other.test', '/public', 'any /public'],
    ['other.test', '/public/x', 'any /public/x'],
    ['other.test', '/publicity', '404'],
    ['other.test', '/', '404'],
    // A more specific host shadows the rest only where it has a prefix for the path.
    ['www.example.com', '/public', 'wild /public'],
  ] as const) {
    t.equal(await ask(host, path), found, `${host}${path}`);
  }
});

t.test('escapes and dot segments do not choose another service', async (t) => {
  const { ask } = await scene(t, { admin: { path: '/admin' }, rest: {} });
  t.equal(await ask('h', '/%61dmin'), 'admin /admin', 'what is matched is what is forwarded');
  t.equal(await ask('h', '/x/../admin'), 'admin /admin');
  t.equal(await ask('h', '/admin/../x'), 'rest /x');
  t.equal(await ask('h', '/admin%2Fx'), 'rest /admin%2Fx', 'an escaped slash ends no segment');
  t.equal(await ask('h', '/../admin'), '400');
});

t.test('the authority of an absolute-form target decides, not Host', async (t) => {
  const { gateway } = await scene(t, { one: { host: 'one.test' }, two: { host: 'two.test' } });
  const client = await exchange(gateway.port, head('GET http://two.test/x HTTP/1.1', 'Host: one.test'));
  t.match(client.bytes.toString('latin1'), /two \/x$/);
});

t.test('no match: 404 with a JSON body that says so, counted for nobody', async (t) => {
  const { gateway, client } = await scene(t, { one: { host: 'one.test', path: '/predict' } });
  const reply = await client('/nothing?secret=1', { headers: { host: 'one.test', 'x-request-id': 'r-404' } });
  t.equal(reply.status, 404);
  t.match(reply.headers['content-type'], /^application\/json/);
  t.strictSame(jsonIn(reply), {
    error: 'no_route',
    message: 'no service matches this host and path',
    service: null,
    version: null,
    requestId: 'r-404',
  });
  t.equal(reply.headers['x-request-id'], 'r-404');
  t.equal(reply.version, '');
  t.strictSame(countedFor(gateway, 'v1', 'one'), {});
  const again = await client('/predict', { headers: { host: 'one.test' } });
  t.equal(again.status, 200, 'the connection is good for more');
});

t.test('a thousand services: each is found', async (t) => {
  const origin = await startOrigin(t, (call) => call.write(answer(200, call.message.target)));
  const services = Array.from({ length: 1_000 }, (_, i) =>
    service([version('v1', origin.url)], { name: `s${i}`, host: `h${i % 100}.test`, path: `/s${i}` }),
  );
  const gateway = await serve(t, split(services));
  const client = clientOf(t, gateway.url);
  for (const i of [0, 1, 99, 100, 500, 999]) {
    const reply = await client(`/s${i}/x`, { headers: { host: `h${i % 100}.test` } });
    t.equal(reply.body, `/s${i}/x`);
    t.strictSame(countedFor(gateway, 'v1', `s${i}`), { 'GET 200': 1 });
  }
  t.equal((await client('/s1', { headers: { host: 'h2.test' } })).status, 404);
});
