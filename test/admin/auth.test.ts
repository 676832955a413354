import t from 'tap';
import { type AccessSettings, createGuard, isLoopback, type Visitor } from '../../src/admin/auth.ts';

const loopback: AccessSettings = { host: '127.0.0.1', port: 9090, token: null, allowedHosts: [] };
const guarded: AccessSettings = {
  host: '0.0.0.0',
  port: 9090,
  token: 's3cret',
  allowedHosts: ['Admin.Example.com'],
};

function visitor(options: Partial<Visitor> = {}): Visitor {
  return {
    method: 'GET',
    hosts: ['127.0.0.1:9090'],
    localAddress: '127.0.0.1',
    authorization: undefined,
    origin: undefined,
    secFetchSite: undefined,
    ...options,
  };
}

t.test('which addresses are loopback', async (t) => {
  for (const host of ['127.0.0.1', '127.8.9.1', '::1', 'localhost']) t.ok(isLoopback(host), host);
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.com', '', '::2'])
    t.notOk(isLoopback(host), host);
});

t.test('off loopback there must be a token', async (t) => {
  t.throws(() => createGuard({ ...loopback, host: '0.0.0.0' }), { message: /set admin\.token/ });
  t.throws(() => createGuard({ ...loopback, host: 'example.com' }), { message: /set admin\.token/ });
  t.doesNotThrow(() => createGuard(loopback));
});

t.test('Host must name us', async (t) => {
  const guard = createGuard(loopback);
  const table: readonly (readonly [readonly string[], boolean])[] = [
    [['127.0.0.1:9090'], true],
    [['127.0.0.1'], true],
    [['localhost:9090'], true],
    [['LOCALHOST'], true],
    [['[::1]:9090'], true],
    [['rebound.example.com'], false],
    [['rebound.example.com:9090'], false],
    [['localhost.example.com'], false],
    [['127.0.0.1.nip.io'], false],
    [['10.0.0.7'], false],
    [['localhost@evil.com'], false],
    [['localhost, evil.com'], false],
    [['localhost', 'localhost'], false],
    [['localhost:9090:1'], false],
    [[''], false],
    [[], false],
  ];
  for (const [hosts, allowed] of table) {
    const refusal = guard.full(visitor({ hosts }));
    t.equal(refusal?.error ?? null, allowed ? null : 'host_not_allowed', JSON.stringify(hosts));
  }
});

t.test('Host may be the address connected to, and the names of allowedHosts', async (t) => {
  const guard = createGuard(guarded);
  const authorization = 'Bearer s3cret';
  const at = (host: string, localAddress: string) =>
    guard.full(visitor({ hosts: [host], localAddress, authorization }));
  t.equal(at('10.1.2.3:9090', '10.1.2.3'), null);
  t.equal(at('10.1.2.3:9090', '::ffff:10.1.2.3'), null);
  t.equal(at('[fd00::5]:9090', 'fd00::5'), null);
  t.equal(at('admin.example.com', '10.1.2.3'), null);
  t.equal(at('10.1.2.4:9090', '10.1.2.3')?.status, 421);
  t.equal(at('other.example.com', '10.1.2.3')?.status, 421);
});

t.test('the token', async (t) => {
  const guard = createGuard(guarded);
  const status = (authorization: string | undefined) => guard.full(visitor({ authorization }))?.status ?? 200;
  t.equal(status('Bearer s3cret'), 200);
  t.equal(status('bearer s3cret'), 200);
  for (const wrong of [
    undefined,
    '',
    's3cret',
    'Bearer',
    'Bearer ',
    'Bearer s3cre',
    'Bearer s3crett',
    'Bearer S3cret',
    'Bearer s3cret x',
    'Basic czNjcmV0',
    `Bearer ${'x'.repeat(10_000)}`,
  ]) {
    t.equal(status(wrong), 401, String(wrong).slice(0, 30));
  }
});

t.test('a token set on loopback counts as well', async (t) => {
  const guard = createGuard({ ...loopback, token: 's3cret' });
  t.equal(guard.full(visitor())?.status, 401);
  t.equal(guard.full(visitor({ authorization: 'Bearer s3cret' })), null);
});

t.test('writes come from no page of another origin', async (t) => {
  const guard = createGuard(loopback);
  const status = (method: string, origin?: string, secFetchSite?: string) =>
    guard.full(visitor({ method, origin, secFetchSite }))?.status ?? 200;
  t.equal(status('PUT'), 200, 'programs send neither header');
  t.equal(status('PUT', 'http://127.0.0.1:9090'), 200);
  t.equal(status('PUT', 'http://127.0.0.1:9090', 'same-origin'), 200);
  t.equal(status('PUT', undefined, 'none'), 200);
  t.equal(status('PUT', 'http://evil.example.com'), 403);
  t.equal(status('PUT', 'http://127.0.0.1:8080'), 403, 'another port is another origin');
  t.equal(status('PUT', 'null'), 403);
  t.equal(status('PUT', undefined, 'cross-site'), 403);
  t.equal(status('POST', undefined, 'same-site'), 403);
  t.equal(status('DELETE', 'http://evil.example.com'), 403);
  t.equal(
    status('GET', 'http://evil.example.com', 'cross-site'),
    200,
    'reads: the browser keeps the answer back',
  );
});
