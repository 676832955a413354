import t from 'tap';
import { ROLLOUT_VERBS } from '../../src/admin/contract.ts';
import type { Command, RolloutRefusal } from '../../src/control/api.ts';
import { historyView, rolloutView } from '../control/support.ts';
import { startTestAdmin } from './support.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const ROLLOUT = '/api/v1/rollouts/iris-api';

async function setup(t: Parameters<typeof startTestAdmin>[0]) {
  const admin = await startTestAdmin(t);
  const { fake } = admin.control;
  fake.views.set('iris-api', rolloutView());
  fake.past.set(
    'iris-api',
    [1, 2, 3].map((number) => historyView({ number })),
  );
  const post = (verb: string, body?: string, headers: Record<string, string> = JSON_TYPE) =>
    admin.ask(`${ROLLOUT}/${verb}`, {
      method: 'POST',
      ...(body === undefined ? {} : { headers, body }),
    });
  return { ...admin, fake, post };
}

t.test('rollouts, one of them, and its history', async (t) => {
  const { ask } = await setup(t);
  t.strictSame((await ask('/api/v1/rollouts')).json(), { revision: 12, rollouts: [rolloutView()] });
  const one = await ask(ROLLOUT);
  t.equal(one.status, 200);
  t.strictSame(one.json(), rolloutView());
  const past = (await ask(`${ROLLOUT}/history`)).json();
  t.match(past, { service: 'iris-api', history: [{ number: 1 }, { number: 2 }, { number: 3 }] });
  t.strictSame((past.history as unknown[])[0], historyView({ number: 1 }));
});

t.test('a limit keeps the newest', async (t) => {
  const { ask } = await setup(t);
  const numbers = async (query: string) =>
    ((await ask(`${ROLLOUT}/history${query}`)).json().history as { number: number }[]).map(
      (one) => one.number,
    );
  t.strictSame(await numbers('?limit=2'), [2, 3]);
  t.strictSame(await numbers('?limit=50'), [1, 2, 3]);
  for (const query of ['?limit=0', '?limit=-1', '?limit=x', '?limit=', '?limit=1&limit=2', '?limt=1']) {
    const answer = await ask(`${ROLLOUT}/history${query}`);
    t.equal(answer.status, 400, query);
    t.match(answer.json(), { error: 'bad_request', message: /limit/ }, query);
  }
});

t.test('each verb is its command, with who asked', async (t) => {
  const { post, fake } = await setup(t);
  const commands: Record<(typeof ROLLOUT_VERBS)[number], Command> = {
    start: { kind: 'start' },
    promote: { kind: 'promote', full: false },
    pause: { kind: 'pause' },
    resume: { kind: 'resume' },
    abort: { kind: 'abort', reason: '' },
    retry: { kind: 'retry' },
    undo: { kind: 'undo' },
  };
  for (const verb of ROLLOUT_VERBS) {
    const done = await post(verb);
    t.equal(done.status, 200, verb);
    t.strictSame(done.json(), rolloutView(), 'what is now the case');
    await post(verb, '{"actor": "ann"}');
    t.strictSame(
      fake.asked.splice(0),
      ['admin API', 'ann'].map((actor) => ({ name: 'iris-api', command: commands[verb], actor })),
    );
  }
});

t.test('what promote and abort take', async (t) => {
  const { post, fake } = await setup(t);
  await post('promote', '{"full": true}');
  await post('promote', '{"full": false}');
  await post('abort', '{"reason": "wrong answers", "actor": "cli:ann"}');
  t.strictSame(
    fake.asked.map(({ command }) => command),
    [
      { kind: 'promote', full: true },
      { kind: 'promote', full: false },
      { kind: 'abort', reason: 'wrong answers' },
    ],
  );
});

t.test('an empty body is fine, however it is announced', async (t) => {
  const { post, fake } = await setup(t);
  t.equal((await post('pause')).status, 200);
  t.equal((await post('pause', '')).status, 200);
  t.equal((await post('pause', '{}')).status, 200);
  t.equal(fake.asked.length, 3);
});

t.test('a body that makes no sense is refused before anything is asked', async (t) => {
  const { post, fake } = await setup(t);
  const long = 'x'.repeat(101);
  const table: readonly (readonly [string, string, RegExp])[] = [
    ['start', '{"full": true}', /unknown key "full"; known: restart, actor/],
    ['start', '{"restart": 1}', /restart must be true or false/],
    ['promote', '{"restart": true}', /unknown key "restart"/],
    ['promote', '{"reason": "x"}', /unknown key "reason"; known: full, actor/],
    ['promote', '{"full": "yes"}', /full must be true or false/],
    ['promote', '{"full": null}', /full must be true or false/],
    ['abort', '{"reason": 5}', /reason must be a text/],
    ['abort', `{"reason": "${'x'.repeat(501)}"}`, /500 characters/],
    ['pause', '{"actor": ""}', /actor must say who asks/],
    ['pause', '{"actor": " "}', /actor must say who asks/],
    ['pause', '{"actor": 5}', /actor must say who asks/],
    ['pause', `{"actor": "${long}"}`, /100 characters/],
    ['pause', '[]', /send a JSON object, or no body/],
    ['pause', 'null', /send a JSON object, or no body/],
    ['pause', '"x"', /send a JSON object, or no body/],
    ['pause', '{"actor"', /JSON/],
    ['pause', '{"__proto__": {}}', /JSON/],
  ];
  for (const [verb, body, message] of table) {
    const answer = await post(verb, body);
    t.equal(answer.status, 400, body);
    t.match(answer.json(), { error: 'bad_request', message }, body);
  }
  t.strictSame(fake.asked, []);
});

t.test('commands take application/json only', async (t) => {
  const { post, fake } = await setup(t);
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    for (const body of ['', '{"full": true}']) {
      const answer = await post('promote', body, { 'content-type': type });
      t.equal(answer.status, 415, `${type} ${body}`);
      t.equal(answer.json().error, 'json_only');
    }
  }
  t.equal((await post('promote', `{"actor": "${'x'.repeat(70_000)}"}`)).status, 413);
  t.strictSame(fake.asked, []);
});

t.test('no such service, and no rollout', async (t) => {
  const { ask, fake } = await setup(t);
  fake.views.clear();
  fake.past.clear();
  const table = [
    ['iris-api', 'no_rollout', /write services\.iris-api\.rollout in the config/],
    ['nobody', 'unknown_service', /there is no service nobody; there are: iris-api/],
    ['constructor', 'unknown_service', /there is no service constructor/],
  ] as const;
  for (const [name, error, message] of table) {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/history'],
      ['POST', '/promote'],
    ] as const) {
      const answer = await ask(`/api/v1/rollouts/${name}${path}`, { method });
      t.equal(answer.status, 404, `${method} ${name}${path}`);
      t.match(answer.json(), { error, message });
    }
  }
  t.strictSame(fake.asked, []);
});

t.test('refusals have a status each', async (t) => {
  const { post, fake } = await setup(t);
  const table: readonly (readonly [RolloutRefusal['code'], number])[] = [
    ['unknown_service', 404],
    ['no_rollout', 404],
    ['refused', 409],
    ['blocked', 409],
    ['store_failed', 503],
  ];
  for (const [code, status] of table) {
    fake.answer = { ok: false, code, message: 'because' };
    const answer = await post('promote');
    t.equal(answer.status, status, code);
    t.strictSame(answer.json(), { error: code, message: 'because' });
  }
});

t.test('what is no verb is not there, and no verb is read', async (t) => {
  const { ask, post, fake } = await setup(t);
  t.equal((await post('setWeight')).status, 404);
  t.equal((await ask(`${ROLLOUT}/promote`)).status, 404);
  t.equal((await ask(ROLLOUT, { method: 'DELETE' })).status, 404);
  t.strictSame(fake.asked, []);
});

t.test('Flagger may call a verb, and what it says of itself is who asks', async (t) => {
  const { ask, fake } = await setup(t);
  const body = '{"name":"iris","namespace":"models","phase":"Progressing","metadata":{"full":"true"}}';
  const call = (verb: string, query = '?hook=flagger', sent = body) =>
    ask(`${ROLLOUT}/${verb}${query}`, { method: 'POST', headers: JSON_TYPE, body: sent });
  const actor = 'flagger models/iris';
  const asked = (...commands: Command[]) => commands.map((command) => ({ name: 'iris-api', command, actor }));
  fake.views.set('iris-api', rolloutView({ status: 'undone' }));
  t.equal((await call('start')).status, 200);
  t.strictSame(fake.asked.splice(0), asked({ kind: 'start' }));
  fake.views.set('iris-api', rolloutView());
  t.equal((await call('start')).status, 200);
  t.strictSame(
    fake.asked.splice(0),
    asked({ kind: 'undo' }, { kind: 'start' }),
    'what is new is judged anew',
  );
  await call('undo');
  await call('promote');
  t.strictSame(fake.asked.splice(0), asked({ kind: 'undo' }, { kind: 'promote', full: false }));
  await call('undo', '?hook=flagger', '[]');
  await call('undo', '?hook=flagger', `{"name":"${'x'.repeat(300)}","namespace":"n"}`);
  t.match(fake.asked.splice(0), [{ actor: 'flagger' }, { actor: /^flagger n\/x{90}$/ }]);
  for (const [query, message] of [
    ['?hook=argo', /hook must be flagger/],
    ['?hook=flagger&hook=flagger', /hook must be flagger/],
    ['?full=true', /unknown parameter "full"; known: hook/],
  ] as const) {
    const answer = await call('promote', query);
    t.equal(answer.status, 400, query);
    t.match(answer.json().message, message);
  }
  t.equal((await call('start', '')).status, 400, 'without it its keys are unknown');
  t.strictSame(fake.asked, []);
});

t.test('a start begins anew where it is asked to', async (t) => {
  const { post, fake } = await setup(t);
  const asked = async (status: 'starting' | 'stepping' | 'aborted' | 'completed', body: string) => {
    fake.views.set('iris-api', rolloutView({ status }));
    await post('start', body);
    return fake.asked.splice(0).map(({ command }) => command.kind);
  };
  t.strictSame(await asked('stepping', '{"restart": true}'), ['undo', 'start']);
  t.strictSame(await asked('starting', '{"restart": true}'), ['undo', 'start']);
  t.strictSame(await asked('stepping', '{"restart": false}'), ['start'], 'which the rollout refuses');
  t.strictSame(await asked('completed', '{"restart": true}'), ['start']);
  t.strictSame(await asked('aborted', '{"restart": true}'), ['start']);
});
