import { mkdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import t, { type Test } from 'tap';
import { ROLLOUT_VERBS } from '../../src/admin/contract.ts';
import { MAX_STREAMS } from '../../src/admin/streams.ts';
import { fileNameOf } from '../../src/control/store/file-name.ts';
import { tempDir } from '../app/support.ts';
import { rolloutView } from '../control/support.ts';
import { configOf, type Product, startProduct } from '../support/process.ts';
import { until } from '../support/wait.ts';
import { Description, urlOf } from './openapi.ts';
import { type Answer, type Ask, ask, startTestAdmin } from './support.ts';

/**
 * Every call of the admin API, asked of a real gateway in every way that it may be
 * answered; each answer must be as the description says, no more and no less.
 */

const TOKEN = 'the-token-of-these-tests';
const JSON_TYPE = { 'content-type': 'application/json' };
const description = new Description();

const versions = (one: string, two: string) => ({ v1: { url: one }, v2: { url: two } });

/** Services in every state that shows in an answer. */
function config(one: string, two: string, dead: string): object {
  const pair = {
    versions: versions(one, two),
    stable: 'v1',
    canary: 'v2',
    sticky: { by: ['header:x-user-id'] },
  };
  return configOf(
    {
      busy: {
        ...pair,
        match: { path: '/busy' },
        cohorts: { staff: { header: { 'x-group': ['staff', 'qa'] }, cookie: { beta: { present: true } } } },
        rules: [
          { when: { header: { authorization: 'Bearer secret' } }, use: 'canary' },
          {
            when: { path: { prefix: '/busy/x' }, query: { q: { pattern: '^a' } } },
            weight: 20,
          },
          { when: { method: ['PUT'], region: 'eu' }, use: 'stable' },
          { when: { cohort: 'staff' }, weight: 100 },
        ],
        predictions: { class: '/label', confidence: '/confidence' },
        mirror: { to: 'v2', percent: 100 },
        shadow: { compare: 'class', keep: 5 },
        upstream: { healthCheck: { path: '/healthz' } },
        gates: {
          successRate: { atLeast: 0.5 },
          latency: { p99: '10s' },
          predictionShift: { atMost: 0.9 },
          confidence: { mean: 0.1 },
          agreement: { atLeast: 0.5 },
          ctr: { kpi: 'click', within: '50%' },
        },
        rollout: {
          start: 'manual',
          steps: [
            { setWeight: 50 },
            { analysis: { templates: ['fast'] } },
            { pause: { duration: '10m' } },
            { setWeight: 80 },
            { pause: {} },
          ],
          analysis: { templates: ['slow'] },
        },
      },
      ab: {
        ...pair,
        match: { host: 'ab.example.com', path: '/' },
        weight: 50,
        sticky: { by: ['header:x-user-id', 'ip'], issueCookie: { name: 'id', secret: 'a secret of tests' } },
        gates: { successRate: { atLeast: 0.5 } },
        experiment: { kpi: 'click' },
      },
      plain: { match: { path: '/plain' }, versions: { v1: { url: `${one}` } } },
      several: {
        match: { path: '/several' },
        versions: { ...versions(one, two), v3: { url: dead, ejection: 'off' } },
        stable: 'v1',
        canaries: [
          { version: 'v2', weight: 10 },
          { version: 'v3', weight: 20 },
        ],
        sticky: { by: ['cookie:uid'], mode: 'session' },
      },
      broken: {
        ...pair,
        match: { path: '/broken' },
        rollout: { start: 'manual', steps: [{ setWeight: 50 }] },
      },
    },
    {
      admin: { listen: '127.0.0.1:0', token: TOKEN },
      drain: { delay: '2s' },
      state: { dir: './state' },
      kpi: { secret: 'a secret of the tests' },
      region: 'eu',
      analysisTemplates: {
        fast: { metrics: [metric('fast', 2)] },
        slow: { metrics: [metric('slow', 1_000)] },
      },
    },
  );
}

function metric(name: string, times: number): object {
  const measured = { measure: 'errorRatio', of: 'canary', window: '10s' };
  return {
    name,
    interval: '1s',
    count: times,
    successCondition: 'result <= 1',
    failureLimit: 1,
    provider: { coalmine: measured },
  };
}

/** Answers as a model does; each tenth one is another's. */
async function model(t: Test, other: string): Promise<string> {
  let n = 0;
  const server = http.createServer((req, res) => {
    req.resume();
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify({ label: ++n % 10 === 0 ? other : 'setosa', confidence: 0.9 }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

interface Scene {
  readonly product: Product;
  /** Checks the answer against the description, and its status. */
  call(
    t: Test,
    id: string,
    status: number,
    name?: string,
    options?: Ask & { query?: string },
  ): Promise<Answer>;
}

async function scene(t: Test): Promise<Scene> {
  const folder = tempDir(t);
  mkdirSync(path.join(folder, 'state'));
  writeFileSync(path.join(folder, 'state', fileNameOf('broken')), 'nonsense');
  const served = config(await model(t, 'versicolor'), await model(t, 'virginica'), 'http://127.0.0.1:1');
  const product = await startProduct(t, served, { folder });
  const call: Scene['call'] = async (t, id, status, name = 'busy', { query = '', ...options } = {}) => {
    const { method } = description.operation(id);
    const headers = { authorization: `Bearer ${TOKEN}`, ...options.headers };
    const url = urlOf(description.operation(id), name, query);
    const answer = await ask(product.adminUrl, url, { method, ...options, headers });
    t.equal(answer.status, status, `${id} ${url}: ${answer.text.slice(0, 200)}`);
    t.equal(description.fault(id, answer), null, `${id} ${url}`);
    return answer;
  };
  return { product, call };
}

const body = (value: unknown): Ask => ({ headers: JSON_TYPE, body: JSON.stringify(value) });

/** Users ask, and some click. */
async function users({ product, call }: Scene, t: Test): Promise<void> {
  const ids: string[] = [];
  for (let i = 0; i < 60; i++) {
    for (const [to, host] of [
      ['/busy/predict', 'x'],
      ['/', 'ab.example.com'],
    ] as const) {
      const headers = { ...JSON_TYPE, 'x-user-id': `user-${i}`, host };
      const answer = await ask(product.gatewayUrl, to, { method: 'POST', headers, body: '{}' });
      t.equal(answer.status, 200);
      const id = answer.headers['x-prediction-id'];
      if (typeof id === 'string') ids.push(id);
    }
  }
  const clicks = ids.filter((_, i) => i % 2 === 0).map((id) => ({ id, kpi: 'click', value: 1 }));
  // A new weight begins a new stage, to which answers of before do not count.
  await call(t, 'sendFeedback', 200, '', body(clicks));
}

t.test('the admin API answers as it is described', async (t) => {
  const all = await scene(t);
  const { product, call } = all;

  await t.test('before anything happened', async (t) => {
    for (const name of ['busy', 'ab', 'plain', 'several', 'broken']) await call(t, 'getService', 200, name);
    for (const id of ['listServices', 'listRollouts', 'listExperiments']) await call(t, id, 200);
    for (const id of ['getRollout', 'getVerdict', 'getHistory', 'getTimeline', 'getDisagreements'])
      await call(t, id, 200);
    await call(t, 'getVerdict', 200, 'plain');
    await call(t, 'getExperiment', 200, 'ab');
    await call(t, 'getExperimentTimeline', 200, 'ab');
    for (const id of ['isAlive', 'getMetrics', 'getDescription', 'getIndex']) await call(t, id, 200);
    await call(t, 'getMetrics', 200, '', { headers: { accept: 'application/openmetrics-text' } });
    t.match((await call(t, 'isReady', 200)).json(), { revision: Number, services: Array });
    const stranger = await ask(product.adminUrl, '/readyz');
    t.strictSame(stranger.json(), { status: 'ready' });
    t.equal(description.fault('isReady', stranger), null);
  });

  await t.test('a rollout under way, judged, mirrored and experimented with', async (t) => {
    await call(t, 'startRollout', 200, 'busy', body({ actor: 'tester' }));
    const stop = new AbortController();
    const traffic = (async () => {
      while (!stop.signal.aborted) await users(all, t);
    })();
    await until(
      async () => {
        const report = (await call(t, 'getVerdict', 200)).json() as {
          verdict: object | null;
          gates: { canary: object | null }[];
        };
        const rollout = (await call(t, 'getRollout', 200)).json() as {
          step: number;
          analyses: { metrics: { last: object | null }[] }[];
        };
        const measured = rollout.analyses.some(({ metrics }) => metrics.some(({ last }) => last !== null));
        return (
          report.verdict !== null &&
          report.gates.some(({ canary }) => canary !== null) &&
          measured &&
          rollout.step >= 2
        );
      },
      'verdicts, measurements and a pause',
      60_000,
    );
    const kept = async () =>
      ((await call(t, 'getDisagreements', 200)).json().disagreements as object[]).length > 0;
    await until(kept, 'a disagreement');
    const started = async () => {
      const { variants } = (await call(t, 'getExperiment', 200, 'ab')).json() as {
        variants: { conversion: object | null }[];
      };
      return variants.every(({ conversion }) => conversion !== null);
    };
    await until(started, 'the experiment to have counted', 30_000);
    stop.abort();
    await traffic;
    for (const id of ['listServices', 'listRollouts', 'listExperiments']) await call(t, id, 200);
    await call(t, 'getTimeline', 200);
    await call(t, 'getTimeline', 200, 'busy', { query: '?step=15s' });
    await until(
      async () =>
        ((await call(t, 'getExperimentTimeline', 200, 'ab')).json().variants as object[]).length > 0,
      'a column of the experiment',
      30_000,
    );
    for (const query of [
      '',
      '?key=u1',
      '?header=x-group:staff&cookie=beta=1',
      '?header=authorization:Bearer+secret',
      '?path=/busy/x%3Fq=a&method=put&region=us&ip=10.0.0.1',
    ])
      await call(t, 'explain', 200, 'busy', { query });
    for (const name of ['ab', 'plain', 'several', 'broken'])
      await call(t, 'explain', 200, name, { query: '?key=u1' });
    await call(t, 'getHistory', 200, 'busy', { query: '?limit=2' });
    await call(t, 'getService', 200);
  });

  await t.test('the gates asked for yes and no', async (t) => {
    const asked = [];
    for (const one of ['advance', 'promote', 'rollback']) {
      const url = urlOf(description.operation('askGate'), 'busy', `?ask=${one}`);
      const headers = { authorization: `Bearer ${TOKEN}`, ...JSON_TYPE };
      const answer = await ask(product.adminUrl, url, { method: 'POST', headers, body: '{"name":"x"}' });
      t.equal(description.fault('askGate', answer), null);
      asked.push(answer.status);
    }
    t.ok(
      asked.every((status) => status === 200 || status === 409),
      String(asked),
    );
    await call(t, 'askGate', 409, 'plain', { query: '?ask=promote' });
    await call(t, 'askGate', 400, 'busy', { query: '?ask=nonsense' });
    await call(t, 'askGate', 400, 'busy');
    await call(t, 'askGate', 404, 'nobody', { query: '?ask=promote' });
    await call(t, 'getVerdict', 400, 'busy', { query: '?other=1' });
  });

  await t.test('the stream: each event is as described', async (t) => {
    const events = await streamed(`${product.adminUrl}/api/v1/events?service=busy`, 6);
    const more = await streamed(`${product.adminUrl}/api/v1/events?service=ab`, 6);
    const names = new Set<string>();
    for (const { name, data } of [...events, ...more]) {
      names.add(name);
      const schema = `${name.charAt(0).toUpperCase()}${name.slice(1)}Event`;
      t.equal(description.schemaFault(schema, data), null, name);
    }
    for (const name of ['overview', 'rollout', 'point', 'experiment']) t.ok(names.has(name), name);
    await call(t, 'streamEvents', 400, '', { query: '?other=1' });
    await call(t, 'streamEvents', 404, '', { query: '?service=nobody' });
    await tooManyStreams(t, all);
  });

  await t.test('weights', async (t) => {
    const set = (status: number, name: string, value: unknown, headers: Record<string, string> = {}) =>
      call(t, 'setWeight', status, name, {
        headers: { ...JSON_TYPE, ...headers },
        body: JSON.stringify(value),
      });
    t.match((await set(200, 'ab', { weight: 40 })).json(), { until: 'config' });
    t.match((await set(200, 'busy', { weight: 51.25, actor: 'me' })).json(), { until: 'step' });
    await set(400, 'ab', { weight: 'x' });
    await set(400, 'several', { weight: 1 });
    await set(400, 'several', { weight: 1, version: 'v9' });
    await set(400, 'several', { weight: 95, version: 'v2' });
    await set(404, 'nobody', { weight: 1 });
    await set(409, 'plain', { weight: 1 });
    await set(409, 'broken', { weight: 1 });
    await set(412, 'ab', { weight: 1 }, { 'if-match': '"999999"' });
  });

  await t.test('commands to a rollout, in every order', async (t) => {
    const verb = (name: string, status: number, options: Ask & { query?: string } = {}) =>
      call(t, `${name}Rollout`, status, 'busy', options);
    await verb('start', 409);
    await verb('start', 200, body({ restart: true }));
    await verb('pause', 200);
    await verb('pause', 409);
    await verb('resume', 200, body({ actor: 'me' }));
    await verb('resume', 409);
    await verb('retry', 409);
    await verb('promote', 200);
    await verb('abort', 200, body({ reason: 'a test' }));
    await call(t, 'askGate', 200, 'busy', { query: '?ask=rollback' });
    await verb('abort', 409);
    await verb('promote', 409);
    await verb('retry', 200);
    await verb('promote', 200, body({ full: true }));
    await verb('undo', 200);
    await verb('undo', 409);
    await verb('start', 200, { ...body({ name: 'x', namespace: 'y' }), query: '?hook=flagger' });
    for (const one of ROLLOUT_VERBS) {
      await call(t, `${one}Rollout`, 409, 'broken');
      await verb(one, 400, body({ nonsense: 1 }));
      await call(t, `${one}Rollout`, 404, 'nobody');
      await call(t, `${one}Rollout`, 404, 'plain');
    }
    for (const name of ['nobody', 'plain']) {
      for (const id of ['getRollout', 'getHistory', 'getExperiment', 'getExperimentTimeline'])
        await call(t, id, 404, name);
    }
    await call(t, 'getHistory', 400, 'busy', { query: '?limit=0' });
    await call(t, 'getHistory', 200);
  });

  await t.test('what is not there, and what makes no sense', async (t) => {
    for (const id of ['getService', 'getDisagreements', 'explain', 'getTimeline', 'getVerdict'])
      await call(t, id, 404, 'nobody');
    await call(t, 'explain', 400, 'busy', { query: '?kye=1' });
    await call(t, 'getTimeline', 400, 'busy', { query: '?step=2s' });
    await call(t, 'getExperimentTimeline', 400, 'ab', { query: '?x=1' });
    await call(t, 'sendFeedback', 400, '', body(7));
    await call(t, 'sendFeedback', 200, '', body([{}, { id: 'x', kpi: 'click', value: 1 }]));
    for (const { id, path } of description.operations.filter(({ path }) => path.includes('{name}')))
      await call(t, id, 400, '%zz', path.endsWith('gate') ? { query: '?ask=promote' } : {});
  });

  await t.test('those who are not let in, and bodies that are not taken', async (t) => {
    for (const { id, hasBody, guarded, statuses, method } of description.operations) {
      if (guarded) await call(t, id, 401, 'busy', { headers: { authorization: 'Bearer wrong' } });
      if (statuses.includes(421))
        await call(t, id, 421, 'busy', { headers: { host: 'rebound.example.com' } });
      if (method !== 'GET')
        await call(t, id, 403, 'busy', { headers: { origin: 'http://elsewhere.example.com' } });
      if (!hasBody) continue;
      await call(t, id, 415, 'busy', { headers: { 'content-type': 'text/plain' }, body: 'x' });
      await call(t, id, 413, 'busy', { headers: JSON_TYPE, statedBytes: 3 << 20 });
    }
  });

  await t.test('a config that was refused, and the end', async (t) => {
    product.configure('services: { busy: { nonsense: 1 } }\n');
    await until(
      async () => (await call(t, 'isReady', 200)).text.includes('nonsense'),
      'the refused config to show',
    );
    const exit = product.stop();
    await until(async () => (await ask(product.adminUrl, '/readyz')).status === 503, 'the drain');
    await call(t, 'isReady', 503);
    await exit;
  });
});

t.test('what goes wrong in the gateway itself', async (t) => {
  const { control, ask } = await startTestAdmin(t);
  const check = async (id: string, status: number, options: Ask = {}) => {
    const operation = description.operation(id);
    const answer = await ask(urlOf(operation, 'iris-api'), { method: operation.method, ...options });
    t.equal(answer.status, status, id);
    t.equal(description.fault(id, answer), null);
  };
  control.fake.views.set('iris-api', rolloutView());
  control.fake.answer = { ok: false, code: 'store_failed', message: 'the disk is full' };
  for (const verb of ROLLOUT_VERBS) await check(`${verb}Rollout`, 503);
  control.outcome = { ok: false, refusal: { code: 'store_failed', message: 'the disk is full' } };
  await check('setWeight', 503, body({ weight: 5 }));
  control.fault = new Error('a defect');
  await check('listServices', 500);
});

t.test('each way in which a call may be answered was seen', async (t) => {
  const described = description.operations.flatMap(({ id, statuses }) =>
    // One defect stands for all: what answers it is the same for every route.
    statuses.filter((status) => status !== 500).map((status) => `${id} ${status}`),
  );
  t.strictSame(
    described.filter((one) => !description.seen.has(one)),
    [],
  );
});

interface StreamedEvent {
  readonly name: string;
  readonly data: unknown;
}

/** The first events of a stream. */
function streamed(url: string, wanted: number): Promise<StreamedEvent[]> {
  return new Promise((resolve, reject) => {
    const request = http.get(
      url,
      { headers: { authorization: `Bearer ${TOKEN}` }, agent: false },
      (answer) => {
        const events: StreamedEvent[] = [];
        let rest = '';
        const told = { status: answer.statusCode ?? 0, headers: answer.headers, text: '', json: () => ({}) };
        const fault = description.fault('streamEvents', told);
        if (fault !== null) return reject(new Error(fault));
        answer.setEncoding('utf8').on('data', (text: string) => {
          const parts = (rest + text).split('\n\n');
          rest = parts.pop() ?? '';
          for (const part of parts) {
            const name = /^event: (.*)$/m.exec(part)?.[1];
            const data = /^data: (.*)$/m.exec(part)?.[1];
            if (name !== undefined && data !== undefined) events.push({ name, data: JSON.parse(data) });
          }
          if (events.length < wanted) return;
          request.destroy();
          resolve(events);
        });
      },
    );
    request.on('error', reject);
  });
}

async function tooManyStreams(t: Test, { product, call }: Scene): Promise<void> {
  const open: http.ClientRequest[] = [];
  for (let i = 0; i < MAX_STREAMS; i++) {
    await new Promise<void>((resolve, reject) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const request = http.get(`${product.adminUrl}/api/v1/events`, { headers, agent: false }, (answer) => {
        answer.resume();
        resolve();
      });
      request.on('error', (error) => (open.includes(request) ? undefined : reject(error)));
      open.push(request);
    });
  }
  await call(t, 'streamEvents', 503);
  for (const request of open) request.destroy();
}
