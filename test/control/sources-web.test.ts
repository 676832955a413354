import t, { type Test } from 'tap';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, type Script, startOrigin } from '../support/origin.ts';
import { startSource, value, web } from './sources-support.ts';

const text =
  (body: string, status = 200): Script =>
  async (call) => {
    await call.body();
    await call.write(Buffer.from(answer(status, body)));
  };

async function answering(t: Test, script: Script) {
  const origin = await startOrigin(t, script);
  return { origin, ...startSource(t) };
}

t.test('a value is taken out of the JSON', async (t) => {
  const body = {
    data: { ok: true, list: [1, { deep: 'x' }], nothing: null, 'a.b': 2, '7': 'seven' },
    n: 0.5,
  };
  const { origin, ask } = await answering(t, text(JSON.stringify(body)));
  const rows: [(string | number)[], unknown][] = [
    [[], body],
    [['n'], 0.5],
    [['data', 'ok'], true],
    [['data', 'list', 1, 'deep'], 'x'],
    [['data', 'list', -1, 'deep'], 'x'],
    [['data', 'nothing'], null],
    [['data', 'a.b'], 2],
    [['data', 7], 'seven'],
  ];
  for (const [jsonPath, expected] of rows) {
    t.strictSame(
      await ask(web(`${origin.url}/measure?token=secret`, { jsonPath })),
      value(expected),
      jsonPath.join('.'),
    );
  }
  for (const [jsonPath, reason] of [
    [['data', 'gone'], '$.data has no "gone"'],
    [['data', 'list', 2], '$.data.list has no 2'],
    [['data', 'list', 'length'], '$.data.list has no "length"'],
    [['n', 'x'], '$.n has no "x"'],
    [['data', 'nothing', 'x'], '$.data.nothing has no "x"'],
    [['data', 'constructor'], '$.data has no "constructor"'],
    [['__proto__'], '$ has no "__proto__"'],
  ] as [(string | number)[], string][]) {
    t.same(await ask(web(`${origin.url}/measure?token=secret`, { jsonPath })), {
      kind: 'error',
      reason: `web at ${origin.url}/measure: jsonPath: ${reason}`,
    });
  }
});

t.test('what is no JSON is text', async (t) => {
  const { origin, ask } = await answering(t, text('all good'));
  t.same(await ask(web(origin.url, { jsonPath: ['a'] })), value('all good'));
  origin.script = text('');
  t.same(await ask(web(origin.url)), value(''));
  origin.script = text('null');
  t.same(await ask(web(origin.url)), value(null));
  origin.script = text('"grün"');
  t.same(await ask(web(origin.url)), value('grün'));
  origin.script = async (call) =>
    call.write(
      Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na'), Buffer.of(0xff)]),
    );
  t.same(await ask(web(origin.url)), value('a\ufffd'), 'bytes that are no UTF-8 are no reason to fail');
});

t.test('sends what the plan says', async (t) => {
  const { origin, ask } = await answering(t, text('1'));
  const headers = [{ name: 'X-Api-Key', value: 'k' }];
  const last = () => {
    const message = origin.requests.at(-1)?.message;
    if (message === undefined) throw new Error('nothing was sent');
    const named = (name: string) => headerOf(message, name);
    return {
      line: `${message.method} ${message.target}`,
      key: named('x-api-key'),
      type: named('content-type'),
      authorization: named('authorization'),
      body: textOf(message),
    };
  };
  await ask(web(`${origin.url}/a/b?c=d%20e`, { headers }));
  t.match(last(), { line: 'GET /a/b?c=d%20e', key: 'k', type: undefined, body: '' });
  await ask(web(origin.url, { method: 'POST', body: '{"a":1}', headers }));
  t.match(last(), { line: 'POST /', type: 'application/json', body: '{"a":1}' });
  await ask(
    web(origin.url, { method: 'PUT', body: 'a=1', headers: [{ name: 'Content-Type', value: 'text/x' }] }),
  );
  t.match(last(), { line: 'PUT /', type: 'text/x', body: 'a=1' });
  await ask(web(origin.url, { method: 'PUT', body: 'plain' }));
  t.match(last(), { line: 'PUT /', type: undefined, body: 'plain' });
  await ask(web(origin.url.replace('//', '//user:p%40ss@')));
  t.match(last(), { authorization: `Basic ${Buffer.from('user:p@ss').toString('base64')}` });
  t.same(origin.violations(), []);
});

t.test('a 4xx is an error, a server in trouble is no data', async (t) => {
  const { origin, ask } = await answering(t, text(''));
  for (const status of [400, 401, 404, 410]) {
    origin.script = text('secret', status);
    t.same(await ask(web(origin.url)), {
      kind: 'error',
      reason: `web at ${origin.url}: it answered ${status}`,
    });
  }
  for (const status of [408, 429, 500, 503]) {
    origin.script = text('x'.repeat(1 << 20), status);
    t.same(await ask(web(origin.url)), {
      kind: 'noData',
      reason: `web at ${origin.url} cannot be reached: it answered ${status}`,
    });
  }
  origin.script = text('{}', 201);
  t.same(await ask(web(origin.url)), value({}), 'every 2xx is an answer');
});
