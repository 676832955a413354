import { writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { tempDir } from '../app/support.ts';
import { fakeKpis, fakeLive, fakeRollouts, iris } from '../control/support.ts';
import { refusedUrl } from '../support/origin.ts';
import { mirror } from '../support/split.ts';
import { cli, startServer } from './support.ts';

t.test('list', async (t) => {
  const { url } = await startServer(t, [
    iris(525, { host: 'api.example.com', path: '/predict', mirror: mirror(2) }),
  ]);
  const { code, out } = await cli(['list', '--server', url]);
  t.equal(code, 0);
  const [head, row] = out.split('\n') as [string, string];
  t.strictSame(head.split(/ {2,}/), ['SERVICE', 'MATCH', 'VERSIONS', 'MIRROR', 'HEALTHY']);
  t.strictSame(row.split(/ {2,}/), [
    'iris-api',
    'api.example.com/predict',
    'v1 94.75 % (stable), v2 5.25 % (canary), v3 0 % (shadow)',
    'v3',
    '1/1 1/1 1/1',
  ]);
  t.equal(head.indexOf('MIRROR'), row.search(/v3 +1\/1/), 'the columns are aligned');
  const json = await cli(['list', '-o', 'json'], { COALMINE_ADMIN: url });
  t.match(JSON.parse(json.out), { revision: 1, services: [{ name: 'iris-api', mirror: 'v3' }] });
});

t.test('get', async (t) => {
  const { url } = await startServer(t, [iris(500)]);
  const { code, out } = await cli(['get', 'iris-api', '--server', url]);
  t.equal(code, 0);
  t.match(out, /^service +iris-api\n/);
  t.match(out, /^v2 +canary +5 % +http:\/\/127\.0\.0\.1:1 +healthy +0$/m);
  t.match(JSON.parse((await cli(['get', 'iris-api', '-o', 'json', '--server', url])).out), {
    name: 'iris-api',
  });

  const none = await cli(['get', 'nobody', '--server', url]);
  t.equal(none.code, 1);
  t.equal(none.out, '');
  t.equal(none.err, 'coalmine: there is no service nobody; there are: iris-api\n');
  t.equal((await cli(['get', '../services', '--server', url])).code, 1, 'a name is never a path');
});

t.test('set-weight', async (t) => {
  const { url, holder } = await startServer(t, [iris(500)]);
  const { code, out } = await cli(['set-weight', 'iris-api', '20.55', '--server', url]);
  t.equal(code, 0);
  t.match(out, /^iris-api: v2 5 % -> 20\.55 % \(stage 1\)\n.*the config file is unchanged\n$/);
  t.equal(holder.split().services[0]?.shares[0]?.weightBp, 2055);

  const json = await cli(['set-weight', 'iris-api', '7', '--version', 'v2', '-o', 'json', '--server', url]);
  t.match(JSON.parse(json.out), { weight: 7, previousWeight: 20.55, version: 'v2' });

  const wrong = await cli(['set-weight', 'iris-api', '7', '--version', 'v1', '--server', url]);
  t.equal(wrong.code, 2);
  t.match(wrong.err, /v1 is not a canary of iris-api; its canaries: v2/);
  t.equal((await cli(['set-weight', 'nobody', '7', '--server', url])).code, 1);
});

t.test('explain from a server', async (t) => {
  const { url } = await startServer(t, [iris(10_000)]);
  const { code, out } = await cli(['explain', 'iris-api', '-k', 'u42', '--server', url]);
  t.equal(code, 0);
  t.match(out, /^version +v2\n/m);
  t.match(out, /^key +u42 \(header:x-user-id\)\n/m);
  const wrong = await cli(['explain', 'iris-api', '--header', 'nocolon', '--server', url]);
  t.equal(wrong.code, 2);
  t.match(wrong.err, /header must be "name: value"/);
  t.equal((await cli(['explain', 'nobody', '--server', url])).code, 1);
});

t.test('explain tells what is ahead of a rollout under way', async (t) => {
  const live = fakeLive();
  const { url } = await startServer(t, [iris(500)], {}, fakeRollouts(), fakeKpis(), live);
  const plain = await cli(['explain', 'iris-api', '-k', 'u42', '--server', url]);
  t.notMatch(plain.out, 'STEP');
  live.ahead = [
    { step: 2, text: 'setWeight 25', weight: 25, version: 'v2', because: 'its bucket' },
    { step: 3, text: 'setScope eu', weight: 0, version: null, because: 'no key' },
    { step: 5, text: 'promotion', weight: 100, version: 'v2', because: 'everyone' },
  ];
  const { code, out } = await cli(['explain', 'iris-api', '-k', 'u42', '--server', url]);
  t.equal(code, 0);
  t.equal(
    out.slice(out.indexOf('\n\n')),
    `

ahead, as the rollout goes on
STEP  WHAT          VERSION         BECAUSE
3     setWeight 25  v2              its bucket
4     setScope eu   left to chance  no key
      promotion     v2              everyone
`,
  );
  const json = await cli(['explain', 'iris-api', '-k', 'u42', '-o', 'json', '--server', url]);
  t.strictSame(JSON.parse(json.out).coming, live.ahead);
});

t.test('the token comes from the environment or a file', async (t) => {
  const { url } = await startServer(t, [iris(500)], { token: 'a-token-of-length' });
  const refused = await cli(['list', '--server', url]);
  t.equal(refused.code, 1);
  t.match(refused.err, /set COALMINE_TOKEN, or name a file that holds it with --token-file/);
  t.equal((await cli(['list', '--server', url], { COALMINE_TOKEN: 'a-token-of-length' })).code, 0);
  const file = join(tempDir(t), 'token');
  writeFileSync(file, 'a-token-of-length\n');
  t.equal((await cli(['list', '--server', url, '--token-file', file])).code, 0);
  t.equal((await cli(['list', '--server', url], { COALMINE_TOKEN: 'another-token' })).code, 1);
});

t.test('a gateway that is not there', async (t) => {
  const { code, err } = await cli(['list', '--server', await refusedUrl()]);
  t.equal(code, 1);
  t.match(err, /cannot reach the gateway's admin port at http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
  t.match(err, /--server or COALMINE_ADMIN/);
});

t.test('a server that is no coalmine, and one that redirects', async (t) => {
  const seen: (string | undefined)[] = [];
  const other = http.createServer((request, response) => {
    seen.push(request.url);
    if (request.url?.startsWith('/away')) response.writeHead(302, { location: '/elsewhere' });
    response.end('<html>');
  });
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const url = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const { code, err } = await cli(['list', '--server', url]);
  t.equal(code, 1);
  t.match(err, /answered 200 and nothing that coalmine would/);
  t.equal((await cli(['list', '--server', `${url}/away/`])).code, 1);
  t.strictSame(seen, ['/api/v1/services', '/away/api/v1/services'], 'the redirect was not followed');
});
