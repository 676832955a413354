import t, { type Test } from 'tap';
import { defaultFault, FAULT_MODES, type Fault } from '../../src/demo/faults.ts';
import { FLOWERS, SPECIES } from '../../src/demo/iris-data.ts';
import { type ModelService, startModelService } from '../../src/demo/model-service.ts';
import { seededRandom } from '../../src/demo/random.ts';

async function service(t: Test, fault: Fault = { mode: 'good' }): Promise<ModelService> {
  const started = await startModelService({
    version: 'v2',
    profile: 'v2',
    host: '127.0.0.1',
    port: 0,
    fault,
    random: seededRandom(7),
  });
  t.teardown(() => started.close());
  return started;
}

function post(url: string, body: unknown): Promise<Response> {
  return fetch(`${url}/predict`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

function put(url: string, body: unknown): Promise<Response> {
  return fetch(`${url}/faults`, { method: 'PUT', body: JSON.stringify(body) });
}

t.test('answers one flower, as a row or by name, alike', async (t) => {
  const { url } = await service(t);
  const row = await post(url, { features: [5.1, 3.5, 1.4, 0.2] });
  t.equal(row.status, 200);
  t.equal(row.headers.get('content-type'), 'application/json');
  const answer = (await row.json()) as Record<string, unknown>;
  t.match(answer, { prediction: 'setosa', modelVersion: 'v2' });
  t.same(Object.keys(answer), ['prediction', 'confidence', 'probabilities', 'modelVersion']);
  const named = await post(url, {
    petal_width: 0.2,
    petal_length: 1.4,
    sepal_width: 3.5,
    sepal_length: 5.1,
    id: 9,
  });
  t.same(await named.json(), answer);
});

t.test('answers a batch in its order', async (t) => {
  const { url } = await service(t);
  const virginica = { sepal_length: 6.3, sepal_width: 3.3, petal_length: 6, petal_width: 2.5 };
  const response = await post(url, { instances: [[5.1, 3.5, 1.4, 0.2], virginica] });
  const { predictions, modelVersion } = (await response.json()) as {
    predictions: { prediction: string }[];
    modelVersion: string;
  };
  t.same(
    predictions.map((p) => p.prediction),
    ['setosa', 'virginica'],
  );
  t.equal(modelVersion, 'v2');
});

t.test('bad input gets 400 and is told what would be right', async (t) => {
  const { url } = await service(t);
  const cases: [unknown, RegExp][] = [
    ['not json', /not valid JSON/],
    ['', /not valid JSON/],
    ['null', /must be a JSON object/],
    [[5.1, 3.5, 1.4, 0.2], /must be a JSON object/],
    [{}, /sepal_length is missing/],
    [{ features: [1, 2, 3] }, /features must be a list of four numbers/],
    [{ features: [1, 2, 3, '4'] }, /features\[3\] must be a number/],
    [{ features: [1, 2, 3, -4] }, /features\[3\] must be a number/],
    ['{"features":[1,2,3,1e999]}', /features\[3\] must be a number/],
    [{ sepal_length: 5.1, sepal_width: 3.5, petal_length: 1.4 }, /petal_width is missing/],
    [{ instances: [] }, /instances must be a list of 1 to 1000/],
    [{ instances: new Array(1001).fill([1, 2, 3, 4]) }, /instances must be a list of 1 to 1000/],
    [{ instances: [[1, 2, 3, 4], { sepal_length: null }] }, /instances\[1\]\.sepal_length must be a number/],
    ['{"__proto__":{"sepal_length":1}}', /sepal_length is missing/],
  ];
  for (const [body, message] of cases) {
    const response = await post(url, body);
    t.equal(response.status, 400, JSON.stringify(body).slice(0, 60));
    t.match(await response.json(), { error: 'bad_input', message });
  }
  t.equal((await post(url, { features: [5.1, 3.5, 1.4, 0.2] })).status, 200, 'and it still works');
});

t.test('a body too large gets 413, other paths 404, other methods 405', async (t) => {
  const { url } = await service(t);
  t.equal((await post(url, 'x'.repeat(1024 * 1024 + 1))).status, 413);
  t.equal((await fetch(`${url}/nothing`)).status, 404);
  const wrong = await fetch(`${url}/predict?a=b`);
  t.equal(wrong.status, 405);
  t.equal(wrong.headers.get('allow'), 'POST');
  const health = await fetch(`${url}/healthz`);
  t.same(await health.json(), { status: 'ok', modelVersion: 'v2' });
});

t.test('faults are shown as they were set, defaults filled in', async (t) => {
  const { url } = await service(t);
  for (const mode of FAULT_MODES) {
    const set = await put(url, { mode });
    t.equal(set.status, 200);
    const fault = await set.json();
    t.same(fault, defaultFault(mode));
    t.same(await (await fetch(`${url}/faults`)).json(), fault);
    t.same(await (await put(url, fault)).json(), fault, 'what is shown can be set');
  }
});

t.test('a fault that makes no sense is refused and changes nothing', async (t) => {
  const { url } = await service(t, { mode: 'errors', rate: 1 });
  for (const body of [
    {},
    { mode: 'evil' },
    { mode: 'toString' },
    { mode: 'errors', rate: 1.5 },
    { mode: 'errors', rate: null },
    { mode: 'errors', latencyMs: 5 },
    { mode: 'slow', latencyMs: -1 },
    { mode: 'good', rate: 0.5 },
  ]) {
    const response = await put(url, body);
    t.equal(response.status, 400, JSON.stringify(body));
    t.match(await response.json(), { error: 'bad_input', message: String });
  }
  t.same(await (await fetch(`${url}/faults`)).json(), { mode: 'errors', rate: 1 });
});

t.test('errors: the given share of requests gets a 500, and none of the bad ones', async (t) => {
  const { url } = await service(t, { mode: 'errors', rate: 0.3 });
  const n = 400;
  let failed = 0;
  for (let i = 0; i < n; i++) {
    const response = await post(url, { features: FLOWERS[i % 150] });
    await response.arrayBuffer();
    if (response.status === 500) failed += 1;
    else t.equal(response.status, 200);
  }
  // Four standard deviations of a binomial share.
  t.ok(Math.abs(failed / n - 0.3) < 4 * Math.sqrt((0.3 * 0.7) / n), `${failed} of ${n}`);
  await put(url, { mode: 'errors', rate: 1 });
  t.equal((await post(url, { features: FLOWERS[0] })).status, 500);
  t.equal((await post(url, {})).status, 400);
  await put(url, { mode: 'good' });
  t.equal((await post(url, { features: FLOWERS[0] })).status, 200);
});

t.test('slow: answers come later, by at least what was asked for', async (t) => {
  const { url } = await service(t, { mode: 'slow', rate: 1, latencyMs: 120 });
  const began = performance.now();
  t.equal((await post(url, { features: FLOWERS[0] })).status, 200);
  // Node's timers may fire a millisecond early.
  t.ok(performance.now() - began >= 119);
});

t.test('slow: a client that goes away takes its timer with it', async (t) => {
  const { url } = await service(t, { mode: 'slow', rate: 1, latencyMs: 60_000 });
  const gone = new AbortController();
  const request = fetch(`${url}/predict`, {
    method: 'POST',
    body: JSON.stringify({ features: FLOWERS[0] }),
    signal: gone.signal,
  });
  setTimeout(() => gone.abort(), 20);
  await t.rejects(request, { name: 'AbortError' });
  t.equal((await fetch(`${url}/healthz`)).status, 200);
});

t.test('shifted and overconfident change the answers of the running service', async (t) => {
  const { url } = await service(t);
  const before = await allFlowers(url);
  await put(url, { mode: 'shifted', rate: 0.6 });
  const shifted = await allFlowers(url);
  t.ok(shifted.counts[2]! > before.counts[2]! + 15, `${before.counts} became ${shifted.counts}`);
  await put(url, { mode: 'overconfident' });
  const sure = await allFlowers(url);
  t.ok(sure.meanConfidence > before.meanConfidence + 0.02);
  t.ok(
    sure.counts.every((count, k) => Math.abs(count - before.counts[k]!) <= 6),
    `${sure.counts}`,
  );
  await put(url, { mode: 'good' });
  t.same(await allFlowers(url), before, 'and it can be mended');
});

async function allFlowers(url: string): Promise<{ counts: number[]; meanConfidence: number }> {
  const response = await post(url, { instances: FLOWERS });
  const { predictions } = (await response.json()) as {
    predictions: { prediction: string; confidence: number }[];
  };
  return {
    counts: SPECIES.map((name) => predictions.filter((p) => p.prediction === name).length),
    meanConfidence: predictions.reduce((sum, p) => sum + p.confidence, 0) / predictions.length,
  };
}
