import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { textOf } from '../support/http1.ts';
import { answer, type Origin, type Script, startOrigin } from '../support/origin.ts';
import { metric, prometheus, startSource, value, WALL_MS } from './sources-support.ts';

const json =
  (body: unknown, status = 200): Script =>
  async (call) => {
    await call.body();
    await call.write(answer(status, JSON.stringify(body), 'Content-Type: application/json'));
  };

const success = (resultType: string, result: unknown) =>
  json({ status: 'success', data: { resultType, result } });

/** By the text of the query. */
const byQuery =
  (answers: Readonly<Record<string, Script>>): Script =>
  async (call) => {
    const query = new URLSearchParams((await call.body()).toString()).get('query') ?? '';
    return answers[query]?.(call);
  };

async function answering(t: Test, script: Script) {
  const origin = await startOrigin(t, script);
  return { origin, ...startSource(t) };
}

function sent(origin: Origin, nth = 0) {
  const message = origin.requests[nth]?.message;
  if (message === undefined) throw new Error('nothing was sent');
  const headers = Object.fromEntries(message.headers.map(([name, text]) => [name.toLowerCase(), text]));
  const form = Object.fromEntries(new URLSearchParams(textOf(message)));
  return { line: `${message.method} ${message.target}`, headers, form };
}

t.test('asks once, by POST, with the query as a form', async (t) => {
  const { origin, ask } = await answering(t, success('vector', [{ metric: {}, value: [1, '0.99'] }]));
  const query = 'sum(rate(http_requests_total{app="a",status!~"5.."}[2m])) + 1 & x=%20';
  t.same(await ask(prometheus(`${origin.url}/`, { query, timeoutMs: 2_500 })), value([0.99]));
  t.equal(origin.requests.length, 1);
  t.match(sent(origin), {
    line: 'POST /api/v1/query',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    form: { query, timeout: '2500ms' },
  });
  t.notOk('time' in sent(origin).form, 'the time is left to Prometheus');
  t.same(origin.violations(), []);
});

t.test('a range is computed from the wall clock', async (t) => {
  const { origin, ask } = await answering(t, success('matrix', [{ metric: {}, values: [[1, '3']] }]));
  const range = { startBeforeMs: 300_000, endBeforeMs: 60_000, stepMs: 15_500 };
  t.same(await ask(prometheus(`${origin.url}/prom/`, { range })), value([3]));
  const { line, form } = sent(origin);
  t.equal(line, 'POST /prom/api/v1/query_range', "the address's own path is kept");
  t.match(form, { start: '1699999700.123', end: '1699999940.123', step: '15.500' });
  t.equal(Number(form.start) * 1_000, WALL_MS - 300_000);
});

t.test('results', async (t) => {
  const { origin, ask } = await answering(t, success('vector', []));
  const nan = { metric: {}, value: [1, 'NaN'] };
  const rows: [string, string, unknown, unknown][] = [
    ['a vector', 'vector', [{ value: [1, '1'] }, { value: [1, '2.5e-3'] }], [1, 0.0025]],
    ['a scalar', 'scalar', [1, '42'], 42],
    [
      'a matrix',
      'matrix',
      [
        {
          values: [
            [1, '1'],
            [2, '2'],
          ],
        },
        { values: [[1, '3']] },
      ],
      [1, 2, 3],
    ],
    ['NaN', 'vector', [nan], [Number.NaN]],
    ['infinity', 'vector', [{ value: [1, '+Inf'] }, { value: [1, '-Inf'] }], [Infinity, -Infinity]],
    ['a scalar NaN', 'scalar', [1, 'NaN'], Number.NaN],
  ];
  for (const [name, type, result, expected] of rows) {
    origin.script = success(type, result);
    t.strictSame(await ask(prometheus(origin.url)), value(expected), name);
  }
  origin.script = json({
    status: 'success',
    warnings: ['careful'],
    infos: ['so'],
    data: { resultType: 'scalar', result: [1, '7'] },
  });
  t.same(await ask(prometheus(origin.url)), value(7), 'warnings are no answer');
});

t.test('an empty result is an empty list', async (t) => {
  const { origin, ask } = await answering(t, success('vector', []));
  const empty = value([]);
  t.same(await ask(prometheus(origin.url)), empty);
  origin.script = success('matrix', []);
  t.same(await ask(prometheus(origin.url)), empty);
  origin.script = success('matrix', [{ metric: {}, values: [] }]);
  t.same(await ask(prometheus(origin.url)), empty);
});

t.test('what makes no sense is an error', async (t) => {
  const { origin, ask } = await answering(t, success('string', [1, 'text']));
  const rows: [string, Script, RegExp][] = [
    ['a string', success('string', [1, 'text']), /type string cannot be judged/],
    ['an unknown type', success('tensor', []), /type tensor cannot be judged/],
    ['a native histogram', success('vector', [{ metric: {}, histogram: [1, {}] }]), /native histogram/],
    ['native histograms', success('matrix', [{ metric: {}, histograms: [] }]), /native histogram/],
    ['a number that is none', success('vector', [{ value: [1, 'twelve'] }]), /no number/],
    ['an empty number', success('scalar', [1, '']), /no number/],
    ['a hexadecimal number', success('scalar', [1, '0x10']), /no number/],
    ['a bare number', success('scalar', [1, 5]), /no number/],
    ['no result', success('vector', null), /no list/],
    ['a list of nulls', success('vector', [null]), /no series/],
    ['a matrix without values', success('matrix', [{}]), /no number/],
    ['no data', json({ status: 'success' }), /no status and data/],
    ['null', json(null), /no JSON object|not a JSON object/],
    ['a list', json([]), /not a JSON object/],
    ['an error that calls itself 200', json({ status: 'error', errorType: 'x', error: 'y' }), /x: y/],
    ['a page', async (call) => call.write(answer(200, '<html>log in</html>')), /not a JSON object/],
    ['nothing', async (call) => call.write(answer(200)), /not a JSON object/],
    ['half of it', async (call) => call.write(answer(200, '{"status":"succ')), /not a JSON object/],
  ];
  for (const [name, script, reason] of rows) {
    origin.script = script;
    const outcome = await ask(prometheus(origin.url));
    t.match(outcome, { kind: 'error', reason }, name);
    t.match(outcome, { reason: `prometheus at ${origin.url}: ` }, `${name}, and who said it`);
  }
});

t.test(
  'a refusal of the question is an error with its message, a server in trouble is no data',
  async (t) => {
    const told = {
      status: 'error',
      errorType: 'bad_data',
      error: 'invalid parameter "query":\n 1:5: unclosed',
    };
    const { origin, ask } = await answering(t, json(told, 400));
    t.same(await ask(prometheus(origin.url)), {
      kind: 'error',
      reason: `prometheus at ${origin.url}: it answered 400, bad_data: invalid parameter "query": 1:5: unclosed`,
    });
    for (const status of [401, 403, 404, 422]) {
      origin.script = async (call) => call.write(answer(status, 'no'));
      t.match(await ask(prometheus(origin.url)), { kind: 'error', reason: `it answered ${status}` });
    }
    for (const status of [408, 429, 500, 502, 503, 504]) {
      origin.script = json({ status: 'error', errorType: 'timeout', error: 'query timed out' }, status);
      t.same(await ask(prometheus(origin.url)), {
        kind: 'noData',
        reason: `prometheus at ${origin.url} cannot be reached: it answered ${status}, timeout: query timed out`,
      });
    }
    origin.script = json({ status: 'error', errorType: 'bad_data', error: 'x'.repeat(5_000) }, 400);
    const { reason } = (await ask(prometheus(origin.url))) as { reason: string };
    t.ok(reason.length < 400, `${reason.length} characters of a long message`);
  },
);

t.test('where POST is refused it asks by GET', async (t) => {
  for (const status of [405, 501]) {
    const { origin, ask } = await answering(t, (call) =>
      call.message.method === 'POST'
        ? call.write(answer(status, 'read only'))
        : success('scalar', [1, '5'])(call),
    );
    t.same(await ask(prometheus(origin.url, { query: 'a + b & c' })), value(5));
    const target = new URL(sent(origin, 1).line.split(' ')[1] as string, origin.url);
    t.equal(target.pathname, '/api/v1/query');
    t.equal(target.searchParams.get('query'), 'a + b & c');
  }
});

t.test('headers and the token of a file go along, read anew each time', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'coalmine-token-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const { origin, ask } = await answering(t, success('scalar', [1, '1']));
  const file = join(folder, 'token');
  const link = join(folder, 'link');
  await symlink(file, link);
  const provider = prometheus(origin.url, {
    headers: [{ name: 'X-Scope-OrgID', value: 'team-a' }],
    bearerTokenFile: link,
  });
  for (const [nth, token] of ['first-token', 'second.token=='].entries()) {
    await writeFile(file, `${token}\n`);
    t.same(await ask(provider), value(1));
    t.match(sent(origin, nth).headers, { 'x-scope-orgid': 'team-a', authorization: `Bearer ${token}` });
  }

  for (const [name, text] of [
    ['an empty one', ' \n'],
    ['two lines', 'se cret\nsecret'],
    ['a huge one', 'secret'.repeat(20_000)],
  ] as const) {
    await writeFile(file, text);
    const outcome = await ask(provider);
    t.match(outcome, { kind: 'error', reason: /^bearerTokenFile: / }, name);
    t.notMatch(JSON.stringify(outcome), /secret/, `${name} is not shown`);
  }
  await rm(file);
  t.match(await ask(provider), { kind: 'error', reason: `bearerTokenFile: cannot read ${link}: ENOENT` });
  t.match(await ask({ ...provider, bearerTokenFile: folder }), {
    kind: 'error',
    reason: /not a regular file/,
  });
  t.equal(origin.requests.length, 2, 'without a token nothing is asked');
});

t.test('minSamples asks a second query', async (t) => {
  const { origin, measure } = await answering(t, success('scalar', [1, '0.5']));
  const plan = metric(
    prometheus(origin.url, {
      query: 'ratio',
      range: { startBeforeMs: 9_000, endBeforeMs: 0, stepMs: 1_000 },
    }),
    {
      minSamples: { count: 100, query: 'samples' },
    },
  );
  const ratio = success('matrix', [{ values: [[1, '0.5']] }]);
  const rows: [string, Script, unknown][] = [
    ['a vector', success('vector', [{ value: [1, '41'] }, { value: [1, '9'] }]), value([0.5], 41)],
    ['a scalar', success('scalar', [1, '99.98']), value([0.5], 100)],
    ['nothing', success('vector', []), value([0.5], 0)],
    ['NaN', success('vector', [{ value: [1, 'NaN'] }]), value([0.5], 0)],
    [
      'a refusal',
      json({ status: 'error', errorType: 'bad_data', error: 'no' }, 400),
      { kind: 'error', reason: /^minSamples\.query: .*bad_data: no/ },
    ],
    ['trouble', json({}, 503), { kind: 'noData', reason: /^minSamples\.query: .*503/ }],
  ];
  for (const [name, samples, expected] of rows) {
    origin.forget();
    origin.script = byQuery({ ratio, samples });
    t.match(await measure(plan), expected as object, name);
    t.same(
      origin.requests.map(({ message }) => message.target).toSorted(),
      ['/api/v1/query', '/api/v1/query_range'],
      `${name}: the samples are of now`,
    );
  }
  origin.script = byQuery({ ratio: success('vector', []), samples: success('scalar', [1, '5']) });
  t.same(await measure(plan), { kind: 'value', value: [], samples: 5 });
});
