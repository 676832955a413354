import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { exchange } from '../support/raw.ts';
import { service, single, split, version } from '../support/split.ts';

/** Plain stack: Host was never validated, and of two Hosts the first one won in silence. */

const bad: Record<string, string[]> = {
  'none at all': [],
  'two that differ': ['Host: a.example', 'Host: b.example'],
  'two alike': ['Host: a.example', 'Host: a.example'],
  'a list': ['Host: a.example, b.example'],
  empty: ['Host:'],
  userinfo: ['Host: user:secret@a.example'],
  'a path': ['Host: a.example/path'],
  'a query': ['Host: a.example?x'],
  'a fragment': ['Host: a.example#x'],
  markup: ['Host: <script>alert(1)</script>'],
  'a space': ['Host: a example'],
  'a tab': ['Host: a\texample'],
  'a backslash': ['Host: a.example\\b'],
  quotes: ['Host: "a.example"'],
  'an open bracket': ['Host: [::1'],
  'a bare IPv6 address': ['Host: ::1'],
  'a port that is no number': ['Host: a.example:http'],
  'a port below zero': ['Host: a.example:-1'],
  'two ports': ['Host: a.example:80:80'],
  'a high byte': ['Host: a\xe9.example'],
  'a scheme': ['Host: http://a.example'],
  'one with a space before the colon': ['Host : a.example'],
  'one folded': ['Host:', ' a.example'],
};

t.test('invalid Hosts are refused before anything is dialled', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  for (const [name, lines] of Object.entries(bad)) {
    const client = await exchange(gateway.port, `${['GET /x HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`);
    t.equal(client.answers[0]?.status, 400, name);
  }
  t.equal(origin.connections.length, 0);
});

t.test('valid Hosts are served and passed on', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  for (const host of [
    'a.example',
    'A.Example',
    'a.example:8080',
    'localhost',
    '127.0.0.1:80',
    '[::1]',
    '[::1]:8080',
    'xn--bcher-kva.example',
    'under_score.example',
    'a.example.',
  ]) {
    const client = await exchange(gateway.port, `GET /x HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    t.equal(client.answers[0]?.status, 200, host);
  }
  t.strictSame(origin.violations(), []);
  t.ok(origin.requests.every(({ message }) => headerOf(message, 'host') !== undefined));
});

t.test('HTTP/1.0 may come without a Host, but not with a bad one', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const without = await exchange(gateway.port, 'GET /x HTTP/1.0\r\n\r\n');
  t.equal(without.answers[0]?.status, 200);
  const bad = await exchange(gateway.port, 'GET /x HTTP/1.0\r\nHost: a, b\r\n\r\n');
  t.equal(bad.answers[0]?.status, 400);
  t.equal(origin.requests.length, 1);
  t.strictSame(origin.violations(), []);
});

t.test('the Host decides the service without regard to case, port or a root dot', async (t) => {
  const a = await startOrigin(t);
  const b = await startOrigin(t);
  const gateway = await serve(
    t,
    split([
      service([version('v1', a.url)], { name: 'a', host: 'a.example' }),
      service([version('v1', b.url)], { name: 'b', host: '*.b.example' }),
    ]),
  );
  const routes: [host: string, status: number, hits: () => number][] = [
    ['a.example', 200, () => a.requests.length],
    ['A.EXAMPLE:81', 200, () => a.requests.length],
    ['x.b.example', 200, () => b.requests.length],
    ['X.y.B.example:1', 200, () => b.requests.length],
  ];
  for (const [host, status, hits] of routes) {
    const before = hits();
    const got = await gateway.get('/x', `Host: ${host}`);
    t.equal(got.status, status, `${host}: ${textOf(got)}`);
    t.equal(hits(), before + 1, host);
  }
  for (const host of ['c.example', 'b.example', 'a.example.evil', 'evila.example']) {
    t.equal((await gateway.get('/x', `Host: ${host}`)).status, 404, host);
  }
});
