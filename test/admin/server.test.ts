import t from 'tap';
import { startTestAdmin } from './support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };

t.test('probes', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  t.equal((await ask('/healthz')).status, 200);
  const ready = await ask('/readyz');
  t.equal(ready.status, 200);
  t.match(ready.json(), {
    status: 'ready',
    revision: 12,
    reload: { failed: 2, failure: { at: '1970-01-01T00:00:00.000Z', message: 'the running config is kept' } },
    services: [{ name: 'iris-api', versions: [{ name: 'v1', healthy: 1, total: 1 }] }],
  });
  for (const phase of ['starting', 'draining'] as const) {
    control.phaseNow = phase;
    const answer = await ask('/readyz');
    t.equal(answer.status, 503, phase);
    t.equal(answer.json().status, phase);
    t.equal((await ask('/healthz')).status, 200, 'alive all the same');
  }
});

t.test('metrics in the format that the scraper prefers', async (t) => {
  const { ask } = await startTestAdmin(t);
  const plain = await ask('/metrics');
  t.equal(plain.text, 'up 1\n');
  t.match(plain.headers['content-type'], 'text/plain; version=0.0.4');
  const open = await ask('/metrics', { headers: { accept: 'application/openmetrics-text;version=1.0.0' } });
  t.equal(open.text, '# EOF\n');
  t.match(open.headers['content-type'], 'application/openmetrics-text');
});

t.test('services', async (t) => {
  const { ask } = await startTestAdmin(t);
  t.strictSame((await ask('/api/v1/services')).json(), { revision: 12, services: [{ name: 'iris-api' }] });
  const one = await ask('/api/v1/services/iris-api');
  t.strictSame(one.json(), { name: 'iris-api', revision: 12 });
  t.equal(one.headers.etag, '"12"');
  const none = await ask('/api/v1/services/nobody');
  t.equal(none.status, 404);
  t.match(none.json(), {
    error: 'unknown_service',
    message: 'there is no service nobody; there are: iris-api',
  });
});

t.test('explain passes on what is described, and refuses what it does not know', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const path = '/api/v1/services/iris-api/explain';
  const answer = await ask(`${path}?key=u42&header=x-canary:%20always&header=x-b:2&path=%2Fp`);
  t.strictSame(answer.json(), { version: 'v2', coming: [] });
  t.match(control.asked, [
    {
      key: 'u42',
      headers: new Map([
        ['x-canary', 'always'],
        ['x-b', '2'],
      ]),
      path: '/p',
      method: 'GET',
    },
  ]);
  const wrong = await ask(`${path}?kee=u42`);
  t.equal(wrong.status, 400);
  t.match(wrong.json(), { error: 'bad_request', message: /unknown parameter "kee"/ });
  t.equal((await ask('/api/v1/services/nobody/explain')).status, 404);
});

t.test('pairs that were answered differently', async (t) => {
  const { ask } = await startTestAdmin(t);
  const kept = await ask('/api/v1/services/iris-api/disagreements');
  t.equal(kept.status, 200);
  t.match(kept.json(), {
    service: 'iris-api',
    disagreements: [
      { at: '1970-01-01T00:00:00.000Z', clientVersion: 'v1', client: { a: 1 }, shadow: { a: 2 } },
    ],
  });
  t.equal((await ask('/api/v1/services/nobody/disagreements')).status, 404);
});

t.test('a weight is set', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const put = (body: string, headers: Record<string, string> = {}) =>
    ask('/api/v1/services/iris-api/weight', { method: 'PUT', headers: { ...JSON_TYPE, ...headers }, body });

  const done = await put('{"weight": 0.07, "version": "v2"}', { 'if-match': '"12"' });
  t.equal(done.status, 200);
  t.match(done.json(), { service: 'iris-api', revision: 13, note: /the config file is unchanged/ });
  t.equal(done.headers.etag, '"13"');
  t.strictSame(control.asked, [{ weightBp: 7, version: 'v2', ifRevision: 12, actor: 'admin API' }]);

  await put('{"weight": 100, "actor": "ann"}', { 'if-match': '*' });
  t.strictSame(control.asked[1], { weightBp: 10_000, version: null, ifRevision: null, actor: 'ann' });
});

t.test('a weight under a rollout lasts until its next step', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const { outcome } = control;
  if (!outcome.ok) throw new Error('the fake says yes unless told otherwise');
  control.outcome = { ok: true, done: { ...outcome.done, until: 'step' } };
  const options = { method: 'PUT', headers: JSON_TYPE, body: '{"weight": 5}' };
  const done = await ask('/api/v1/services/iris-api/weight', options);
  t.match(done.json(), { until: 'step', note: /until the next step of the rollout that sets a weight/ });
});

t.test('a weight that makes no sense is refused before anything is asked', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const table: readonly (readonly [string, RegExp])[] = [
    ['{"weight": 101}', /from 0 to 100/],
    ['{"weight": -1}', /from 0 to 100/],
    ['{"weight": "5"}', /must be a number/],
    ['{"weight": null}', /must be a number/],
    ['{"weight": 5.001}', /two decimals/],
    ['{"weight": 1e-9}', /two decimals/],
    ['{"weight": 0.005}', /two decimals/],
    ['{"weight": 4.9999999999}', /two decimals/],
    ['{}', /must be a number/],
    ['[]', /send JSON such as/],
    ['5', /send JSON such as/],
    ['{"weight": 5, "wieght": 6}', /unknown key "wieght"/],
    ['{"weight": 5, "version": 2}', /version must be/],
    ['{"weight": 5, "actor": ""}', /actor must say who asks/],
    ['{"weight": 5', /JSON/],
    ['{"weight": 5, "__proto__": {}}', /JSON/],
  ];
  for (const [body, message] of table) {
    const answer = await ask('/api/v1/services/iris-api/weight', { method: 'PUT', headers: JSON_TYPE, body });
    t.equal(answer.status, 400, body);
    t.match(answer.json(), { error: 'bad_request', message }, body);
  }
  const headers = { ...JSON_TYPE, 'if-match': 'W/"12"' };
  const weak = await ask('/api/v1/services/iris-api/weight', {
    method: 'PUT',
    headers,
    body: '{"weight": 5}',
  });
  t.match(weak.json(), { message: /If-Match must be a revision/ });
  t.strictSame(control.asked, []);
});

t.test('refusals of the control path have a status each', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const table = [
    ['unknown_service', 404],
    ['revision_changed', 412],
    ['no_canary', 409],
    ['unknown_version', 400],
    ['ambiguous_canary', 400],
    ['weights_over_100', 400],
    ['rollout_rules', 409],
    ['no_rollout', 404],
    ['refused', 409],
    ['blocked', 409],
    ['store_failed', 503],
  ] as const;
  for (const [code, status] of table) {
    control.outcome = { ok: false, refusal: { code, message: 'because' } };
    const body = '{"weight": 5}';
    const answer = await ask('/api/v1/services/iris-api/weight', { method: 'PUT', headers: JSON_TYPE, body });
    t.equal(answer.status, status, code);
    t.strictSame(answer.json(), { error: code, message: 'because' });
  }
});

t.test('writes take application/json only', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    '',
  ]) {
    const headers: Record<string, string> = type === '' ? {} : { 'content-type': type };
    const answer = await ask('/api/v1/services/iris-api/weight', {
      method: 'PUT',
      headers,
      body: '{"weight": 5}',
    });
    t.equal(answer.status, 415, type);
    t.equal(answer.json().error, 'json_only', type);
  }
  const large = JSON.stringify({ weight: 5, version: 'v'.repeat(70_000) });
  const answer = await ask('/api/v1/services/iris-api/weight', {
    method: 'PUT',
    headers: JSON_TYPE,
    body: large,
  });
  t.equal(answer.status, 413);
  t.strictSame(control.asked, []);
});

t.test('the index, what is not there, and headers on every answer', async (t) => {
  const { ask } = await startTestAdmin(t);
  const index = await ask('/');
  t.match(index.headers['content-type'], 'text/plain');
  for (const path of ['/healthz', '/readyz', '/metrics', '/api/v1/services', '/api/v1/rollouts/NAME'])
    t.match(index.text, path);
  const missing = await ask('/nowhere?x=1');
  t.equal(missing.status, 404);
  t.match(missing.json(), { error: 'not_found', message: 'there is no GET /nowhere; see GET /' });
  t.equal((await ask('/api/v1/services', { method: 'DELETE' })).status, 404);
  const malformed = await ask('/%zz');
  t.equal(malformed.status, 400);
  t.equal(malformed.json().error, 'bad_request');
  for (const answer of [index, missing]) {
    t.equal(answer.headers['x-content-type-options'], 'nosniff');
    t.equal(answer.headers['cache-control'], 'no-store');
    t.match(answer.headers['content-security-policy'], "default-src 'none'");
    t.equal(answer.headers['access-control-allow-origin'], undefined);
  }
});

t.test('an unexpected error is logged and says nothing of itself', async (t) => {
  const { ask, control, log } = await startTestAdmin(t);
  control.fault = new Error('secret detail of the inside');
  const answer = await ask('/api/v1/services');
  t.equal(answer.status, 500);
  t.notMatch(answer.text, /secret detail/);
  t.match(log.lines, [{ level: 'error', fields: { err: control.fault, path: '/api/v1/services' } }]);
});
