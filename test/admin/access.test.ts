import t from 'tap';
import { ROLLOUT_VERBS } from '../../src/admin/contract.ts';
import { startAdmin } from '../../src/admin/server.ts';
import { Streams } from '../../src/admin/streams.ts';
import { memoryLog, rolloutView } from '../control/support.ts';
import { ask as askAt, fakeControl, startTestAdmin } from './support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const BEARER = { authorization: 'Bearer s3cret' };

/** Every route that is not a probe. */
const GUARDED = [
  ['GET', '/metrics'],
  ['GET', '/api/v1/services'],
  ['GET', '/api/v1/services/iris-api'],
  ['GET', '/api/v1/services/iris-api/explain'],
  ['GET', '/api/v1/services/iris-api/timeline'],
  ['GET', '/api/v1/experiments/iris-api/timeline'],
  ['GET', '/api/v1/events?service=nobody'],
  ['PUT', '/api/v1/services/iris-api/weight'],
  ['GET', '/api/v1/rollouts'],
  ['GET', '/api/v1/rollouts/iris-api'],
  ['GET', '/api/v1/rollouts/iris-api/history'],
  ...ROLLOUT_VERBS.map((verb) => ['POST', `/api/v1/rollouts/iris-api/${verb}`] as const),
  ['GET', '/nowhere'],
  ['POST', '/healthz'],
  ['HEAD', '/metrics'],
  ['GET', '/healthz/'],
  ['GET', '//healthz'],
] as const;

t.test('off loopback everything but the probes wants the token', async (t) => {
  const { ask, control } = await startTestAdmin(t, { host: '0.0.0.0', token: 's3cret' });
  control.fake.views.set('iris-api', rolloutView());
  for (const [method, path] of GUARDED) {
    const body = method === 'PUT' ? '{"weight": 5}' : undefined;
    const options = {
      method,
      headers: method === 'PUT' ? JSON_TYPE : {},
      ...(body === undefined ? {} : { body }),
    };
    const refused = await ask(path, options);
    t.equal(refused.status, 401, `${method} ${path} without a token`);
    t.match(refused.headers['www-authenticate'], 'Bearer');
    const admitted = await ask(path, { ...options, headers: { ...options.headers, ...BEARER } });
    t.not(admitted.status, 401, `${method} ${path} with it`);
  }
  t.equal(control.asked.length, 2, 'one explain and one weight got through: those with the token');
  t.equal(control.fake.asked.length, ROLLOUT_VERBS.length, 'and each command to the rollout once');
});

t.test('a probe says one word to strangers and all to those with the token', async (t) => {
  const { ask } = await startTestAdmin(t, { host: '0.0.0.0', token: 's3cret' });
  const stranger = { host: 'some.name.example' };
  t.equal((await ask('/healthz', { headers: stranger })).status, 200);
  t.strictSame((await ask('/readyz', { headers: stranger })).json(), { status: 'ready' });
  t.strictSame((await ask('/readyz')).json(), { status: 'ready' });
  t.match((await ask('/readyz', { headers: BEARER })).json(), { status: 'ready', revision: 12 });
  t.strictSame((await ask('/readyz', { headers: { ...BEARER, ...stranger } })).json(), { status: 'ready' });
});

t.test('a rebound name gets nothing on loopback', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const headers = { host: 'rebound.example.com' };
  control.fake.views.set('iris-api', rolloutView());
  for (const [method, path] of GUARDED) {
    const answer = await ask(path, { method, headers: { ...headers, ...JSON_TYPE } });
    t.equal(answer.status, 421, `${method} ${path}`);
  }
  t.strictSame((await ask('/readyz', { headers })).json(), { status: 'ready' });
  t.strictSame(control.asked, []);
  t.strictSame(control.fake.asked, []);
});

t.test('a page of another origin changes nothing', async (t) => {
  const { ask, admin, control } = await startTestAdmin(t);
  const put = (headers: Record<string, string>) =>
    ask('/api/v1/services/iris-api/weight', {
      method: 'PUT',
      headers: { ...JSON_TYPE, ...headers },
      body: '{"weight": 5}',
    });
  t.equal((await put({ origin: 'http://evil.example.com' })).status, 403);
  t.equal((await put({ 'sec-fetch-site': 'cross-site' })).status, 403);
  t.strictSame(control.asked, []);
  t.equal((await put({ origin: admin.url, 'sec-fetch-site': 'same-origin' })).status, 200);
});

t.test('a page of another origin moves no rollout, with a body or without', async (t) => {
  const { ask, admin, control } = await startTestAdmin(t);
  control.fake.views.set('iris-api', rolloutView());
  const post = (headers: Record<string, string>, body?: string) =>
    ask('/api/v1/rollouts/iris-api/promote', {
      method: 'POST',
      headers,
      ...(body === undefined ? {} : { body }),
    });
  for (const stranger of [
    { origin: 'http://evil.example.com' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ] as Record<string, string>[]) {
    t.equal((await post(stranger)).status, 403, JSON.stringify(stranger));
    t.equal((await post({ ...stranger, ...JSON_TYPE }, '{"full": true}')).status, 403);
  }
  t.strictSame(control.fake.asked, []);
  t.equal((await post({ origin: admin.url, 'sec-fetch-site': 'same-origin' })).status, 200);
  t.equal(control.fake.asked.length, 1);
});

t.test('off loopback without a token it does not start', async (t) => {
  const deps = {
    control: fakeControl(),
    metrics: { contentType: () => 'text/plain', render: async () => '' },
    page: new Map(),
    streams: new Streams(memoryLog()),
    log: memoryLog(),
  };
  const settings = { host: '0.0.0.0', port: 0, token: null, allowedHosts: [] };
  await t.rejects(startAdmin(settings, deps), { message: /admin\.token/ });
});

t.test('closing ends idle keep-alive connections and resolves', async (t) => {
  const { admin } = await startTestAdmin(t);
  await askAt(admin.url, '/healthz', { headers: { connection: 'keep-alive' } });
  await admin.close();
  await t.rejects(askAt(admin.url, '/healthz'), { code: 'ECONNREFUSED' });
});
