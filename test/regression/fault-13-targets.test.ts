import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { service, single, split, version } from '../support/split.ts';

/** Plain stack: an absolute-form target got 400, and so did legal paths such as `/..foo`. */

t.test('absolute form is accepted, and its authority stands above Host', async (t) => {
  const a = await startOrigin(t);
  const b = await startOrigin(t);
  const gateway = await serve(
    t,
    split([
      service([version('v1', a.url)], { name: 'a', host: 'a.example' }),
      service([version('v1', b.url)], { name: 'b', host: 'b.example' }),
    ]),
  );
  const cases: [target: string, host: string, hits: typeof a, seen: string][] = [
    ['http://a.example/x?y=1', 'b.example', a, '/x?y=1'],
    ['http://B.example:8080/x', 'a.example', b, '/x'],
    ['HTTP://a.example/x', 'b.example', a, '/x'],
    ['http://a.example', 'a.example', a, '/'],
    ['http://a.example?q', 'a.example', a, '/?q'],
    ['https://a.example/tls', 'a.example', a, '/tls'],
  ];
  for (const [target, host, hits, seen] of cases) {
    a.forget();
    b.forget();
    const client = await exchange(gateway.port, head(`GET ${target} HTTP/1.1`, `Host: ${host}`));
    t.equal(client.answers[0]?.status, 200, target);
    t.equal(hits.requests[0]?.message.target, seen, `${target} goes up in origin form`);
    t.equal(a.requests.length + b.requests.length, 1);
  }
  t.strictSame([...a.violations(), ...b.violations()], []);
});

t.test('absolute form with a bad authority is refused', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  for (const target of [
    'http:///x',
    'http://',
    'http://user:pw@a.example/',
    'http://a.example:port/',
    'http://a b/',
    'http://a.example\\@b.example/',
    'ftp://a.example/',
    'javascript:alert(1)',
    'a.example/x',
    'x',
  ]) {
    const client = await exchange(gateway.port, head(`GET ${target} HTTP/1.1`));
    t.equal(client.answers[0]?.status, 400, target);
  }
  t.equal(origin.connections.length, 0);
});

t.test('legal paths pass as they are', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  for (const target of [
    '/..foo',
    '/foo..',
    '/...',
    '/a..b/c',
    '/.well-known/x',
    '/.hidden',
    '/a/..b/c',
    '/a//b',
    '/a/',
    '/?',
    '/x?y=../../z',
    '/x?url=http://b.example/',
    '/a;b=c',
    '/a:b@c',
    '/a%20b',
    '/caf%C3%A9',
    "/!$&'()*+,;=",
  ]) {
    origin.forget();
    const client = await exchange(gateway.port, head(`GET ${target} HTTP/1.1`));
    t.equal(client.answers[0]?.status, 200, target);
    t.equal(origin.requests[0]?.message.target, target);
  }
});

t.test('asterisk and authority forms go nowhere', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const cases: [line: string, statuses: number[]][] = [
    ['OPTIONS * HTTP/1.1', [200, 204, 400, 404]],
    ['GET * HTTP/1.1', [400]],
    ['CONNECT a.example:443 HTTP/1.1', [400, 404, 405, 501]],
    ['CONNECT /x HTTP/1.1', [400, 404, 405, 501]],
    ['GET a.example:443 HTTP/1.1', [400]],
  ];
  for (const [line, statuses] of cases) {
    const client = await exchange(gateway.port, head(line));
    t.ok(statuses.includes(client.answers[0]?.status ?? 0), `${line}: ${client.describe()}`);
    t.notOk(
      client.answers.some((got) => got.status === 200 && headerOf(got, 'content-length') === undefined),
    );
  }
  t.equal(origin.connections.length, 0);
});
