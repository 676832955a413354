import t from 'tap';
import { experimentView } from '../control/support.ts';
import { startTestAdmin } from './support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const click = { id: 'an id', kpi: 'click', value: 1 };

t.test('one, or a list', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const post = (body: unknown) =>
    ask('/api/v1/feedback', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) });
  const one = await post(click);
  t.equal(one.status, 200);
  t.strictSame(one.json(), {
    accepted: 1,
    duplicate: 0,
    forged: 0,
    expired: 0,
    malformed: 0,
    unknown: 0,
  });
  const byKey = { service: 'iris-api', key: 'ann', kpi: 'click', value: 0 };
  t.match((await post([click, byKey, 7, null])).json(), { accepted: 4 });
  t.match((await post([])).json(), { accepted: 0 });
  t.strictSame(control.kpis.reported, [[click], [click, byKey, 7, null], []], 'as they came');
});

t.test('what is no body at all', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const post = (body: string, headers: Record<string, string> = JSON_TYPE) =>
    ask('/api/v1/feedback', { method: 'POST', headers, body });
  for (const body of ['', '{', '"text"', '7', 'null', 'true']) {
    const { status, json } = await post(body);
    t.equal(status, 400, body);
    t.match(json(), { error: 'bad_request' });
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
    t.equal((await post(JSON.stringify(click), { 'content-type': type })).status, 415, type);
  }
  t.strictSame(control.kpis.reported, []);
});

t.test('limits: 10,000 items, 2 MiB, and 64 KiB everywhere else', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const post = (path: string, body: string) => ask(path, { method: 'POST', headers: JSON_TYPE, body });
  const list = (length: number) => JSON.stringify(Array.from({ length }, () => 1));
  t.match((await post('/api/v1/feedback', list(10_000))).json(), { accepted: 10_000 });
  const many = await post('/api/v1/feedback', list(10_001));
  t.equal(many.status, 400);
  t.match(many.json().message, /10001 items are too many; send 10000/);
  const sized = (bytes: number) => JSON.stringify(['x'.repeat(bytes - 4)]);
  t.equal((await post('/api/v1/feedback', sized(2 << 20))).status, 200);
  const large = await post('/api/v1/feedback', sized((2 << 20) + 1));
  t.equal(large.status, 413);
  t.match(large.json(), { error: 'too_large' });
  t.equal((await post('/api/v1/rollouts/iris-api/pause', sized((64 << 10) + 1))).status, 413);
  t.equal(control.kpis.reported.length, 2);
});

t.test('who may report', async (t) => {
  const { ask, control } = await startTestAdmin(t, { token: 'a-token' });
  const post = (headers: Record<string, string>) =>
    ask('/api/v1/feedback', {
      method: 'POST',
      headers: { ...JSON_TYPE, ...headers },
      body: JSON.stringify(click),
    });
  const authorization = 'Bearer a-token';
  t.equal((await post({})).status, 401);
  t.equal((await post({ authorization: 'Bearer another' })).status, 401);
  t.match(await post({ authorization, origin: 'https://shop.example' }), { status: 403 }, 'no page');
  t.equal((await post({ authorization, 'sec-fetch-site': 'cross-site' })).status, 403);
  t.equal((await post({ host: 'rebound.example', authorization })).status, 421);
  const preflight = await ask('/api/v1/feedback', {
    method: 'OPTIONS',
    headers: {
      authorization,
      origin: 'https://shop.example',
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  });
  t.notOk('access-control-allow-origin' in preflight.headers, 'a browser is told no');
  t.strictSame(control.kpis.reported, []);
  t.equal((await post({ authorization })).status, 200);
});

t.test('experiments', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  t.strictSame((await ask('/api/v1/experiments')).json(), { revision: 12, experiments: [] });
  const none = await ask('/api/v1/experiments/iris-api');
  t.equal(none.status, 404);
  t.match(none.json(), { error: 'no_experiment', message: /services\.iris-api\.experiment/ });
  const nobody = await ask('/api/v1/experiments/nobody');
  t.equal(nobody.status, 404);
  t.match(nobody.json(), { error: 'unknown_service' });
  control.kpis.views.set('iris-api', experimentView());
  t.strictSame((await ask('/api/v1/experiments/iris-api')).json(), experimentView());
  t.strictSame((await ask('/api/v1/experiments')).json(), { revision: 12, experiments: [experimentView()] });
  t.match((await ask('/')).text, /POST \/api\/v1\/feedback/);
});
