import { once } from 'node:events';
import t from 'tap';
import { createHookCaller } from '../../src/control/hooks.ts';
import type { Webhook } from '../../src/core/rollout/plan.ts';
import { within } from '../support/wait.ts';
import { closedPort, receiver } from './receiver.ts';

function hook(url: string, over: Partial<Webhook> = {}): Webhook {
  return {
    name: 'gate',
    type: 'confirm-rollout',
    url,
    timeoutMs: 5_000,
    retries: 0,
    intervalMs: 10_000,
    headers: [],
    metadata: {},
    failureLimit: 0,
    ...over,
  };
}

/** A caller that never waits, and the waits it would have made. */
function caller(random = () => 0) {
  const sleeps: number[] = [];
  const call = createHookCaller({
    random,
    sleep: async (ms) => {
      sleeps.push(ms);
    },
  });
  return { call, sleeps };
}

const never = new AbortController().signal;

t.test('a hook is a POST with JSON, and 2xx is a yes', async (t) => {
  const server = await receiver(t, (response, index) => {
    response.writeHead([200, 202, 204][index] ?? 500).end(index === 0 ? 'go on' : undefined);
  });
  const { call } = caller();
  const headers = [
    { name: 'X-Team', value: 'iris' },
    { name: 'Content-Type', value: 'application/vnd.iris+json' },
  ];
  t.strictSame(
    await call(hook(`${server.url}/gate?a=1`), { name: 'iris-api', phase: 'Progressing' }, never),
    {
      ok: true,
      detail: '200: go on',
    },
  );
  t.strictSame(await call(hook(server.url, { headers }), {}, never), { ok: true, detail: '202' });
  t.match(await call(hook(server.url), {}, never), { ok: true });
  const [first, second] = server.got;
  t.match(first, { method: 'POST', path: '/gate?a=1', headers: { 'content-type': 'application/json' } });
  t.strictSame(JSON.parse(first?.body ?? ''), { name: 'iris-api', phase: 'Progressing' });
  t.match(second?.headers, { 'x-team': 'iris', 'content-type': 'application/vnd.iris+json' });
});

t.test('anything else is a no, with the beginning of what was said', async (t) => {
  const answers: [number, string, string][] = [
    [403, 'not  before\n\r\u0000 nine', '403: not before nine'],
    [404, '', '404'],
    [412, `${'é'.repeat(300)}`, `412: ${'é'.repeat(200)}`],
    [503, 'busy', '503: busy'],
  ];
  const server = await receiver(t, (response, index) => {
    const [status, text] = answers[index] ?? [500, ''];
    response.writeHead(status).end(text);
  });
  const { call, sleeps } = caller();
  for (const [, , detail] of answers) {
    t.strictSame(await call(hook(server.url), {}, never), { ok: false, detail });
  }
  t.equal(server.got.length, answers.length, 'one attempt each');
  t.strictSame(sleeps, []);
});

t.test('5xx are tried again as often as the hook says, later each time', async (t) => {
  const server = await receiver(t, (response) => response.writeHead(500).end('oh'));
  const { call, sleeps } = caller();
  t.strictSame(await call(hook(server.url, { retries: 8 }), {}, never), { ok: false, detail: '500: oh' });
  t.equal(server.got.length, 9);
  t.strictSame(sleeps, [250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  const jittered = caller(() => 0.5);
  await jittered.call(hook(server.url, { retries: 2 }), {}, never);
  t.strictSame(jittered.sleeps, [187.5, 375], 'chance takes up to a half away');
});

t.test('an attempt that succeeds ends the trying; a no is not asked again', async (t) => {
  const statuses = [503, 429, 200, 500, 409];
  const server = await receiver(t, (response, index) => response.writeHead(statuses[index] ?? 418).end());
  const { call } = caller();
  t.match(await call(hook(server.url, { retries: 5 }), {}, never), { ok: true });
  t.equal(server.got.length, 3);
  t.strictSame(await call(hook(server.url, { retries: 5 }), {}, never), { ok: false, detail: '409' });
  t.equal(server.got.length, 5);
});

t.test('a redirect is not followed', async (t) => {
  const target = await receiver(t);
  const server = await receiver(t, (response) => response.writeHead(307, { location: target.url }).end());
  const { call } = caller();
  const answer = await call(hook(server.url, { retries: 3 }), {}, never);
  t.strictSame(answer, { ok: false, detail: '307: redirects are not followed' });
  t.equal(server.got.length, 1);
  t.equal(target.got.length, 0);
});

t.test('nobody there, or a connection cut, is tried again', async (t) => {
  const { call, sleeps } = caller();
  const nobody = await call(hook(`http://127.0.0.1:${await closedPort()}`, { retries: 2 }), {}, never);
  t.strictSame(nobody, { ok: false, detail: 'could not be reached (ECONNREFUSED)' });
  t.equal(sleeps.length, 2);
  const server = await receiver(t, (response, index) => {
    if (index === 0) response.destroy();
    else response.end('yes');
  });
  t.strictSame(await call(hook(server.url, { retries: 1 }), {}, never), { ok: true, detail: '200: yes' });
});

t.test('each attempt has its time', async (t) => {
  const server = await receiver(t, (response, index) => {
    if (index === 1) response.end('at last');
  });
  const { call } = caller();
  const one = await call(hook(server.url, { timeoutMs: 60 }), {}, never);
  t.strictSame(one, { ok: false, detail: 'no answer within 60 ms' });
  const two = await call(hook(server.url, { timeoutMs: 5_000, retries: 1 }), {}, never);
  t.strictSame(two, { ok: true, detail: '200: at last' });
});

t.test('an answer whose body never ends, or is huge, still answers', async (t) => {
  const server = await receiver(t, (response, index) => {
    response.writeHead(index === 0 ? 200 : 400);
    if (index === 0) response.write('slow');
    else response.end(Buffer.alloc(20_000_000, 'x'));
  });
  const { call } = caller();
  t.strictSame(await call(hook(server.url, { timeoutMs: 100 }), {}, never), {
    ok: true,
    detail: '200: slow',
  });
  t.strictSame(await call(hook(server.url), {}, never), { ok: false, detail: `400: ${'x'.repeat(200)}` });
});

t.test('given up, it ends at once: before, during and between attempts', async (t) => {
  const cancelled = { ok: false, detail: 'given up before an answer came' };
  const server = await receiver(t, () => undefined);
  const { call } = caller();
  t.strictSame(await call(hook(server.url), {}, AbortSignal.abort()), cancelled);
  t.equal(server.got.length, 0);
  const during = new AbortController();
  const asked = call(hook(server.url, { retries: 9 }), {}, during.signal);
  await server.count(1);
  during.abort();
  t.strictSame(await within(asked, 'the end'), cancelled);
  t.equal(server.got.length, 1);

  const between = new AbortController();
  const failing = await receiver(t, (response) => response.writeHead(500).end());
  const real = createHookCaller({
    random: () => 0,
    sleep: async (_, signal) => {
      const aborted = once(signal, 'abort');
      between.abort();
      await aborted;
      throw new Error('aborted');
    },
  });
  t.strictSame(
    await within(real(hook(failing.url, { retries: 9 }), {}, between.signal), 'the end'),
    cancelled,
  );
  t.equal(failing.got.length, 1);
});

t.test('waiting between attempts in real time', async (t) => {
  const server = await receiver(t, (response, index) => response.writeHead(index === 0 ? 500 : 200).end());
  const ref = setInterval(() => undefined, 1_000);
  t.teardown(() => clearInterval(ref));
  const call = createHookCaller({ random: () => 0.99 });
  t.match(await call(hook(server.url, { retries: 1 }), {}, never), { ok: true });
});

t.test('credentials are sent, and do not come back in the detail', async (t) => {
  const server = await receiver(t, (response, _, { headers, path }) => {
    response.writeHead(400).end(`${headers.authorization} ${headers['x-key']} ${path} hunter2!`);
  });
  const { call } = caller();
  const url = `${server.url.replace('//', '//bob:hunter2%21@')}/x?token=s3cret-token`;
  const basic = `Basic ${Buffer.from('bob:hunter2!').toString('base64')}`;
  const answer = await call(hook(url, { headers: [{ name: 'X-Key', value: 'k-12345' }] }), {}, never);
  t.match(server.got[0]?.headers, { authorization: basic, 'x-key': 'k-12345' });
  t.strictSame(answer, { ok: false, detail: '400: *** *** /x?token=*** ***' });
  const bearer = [{ name: 'Authorization', value: 'Bearer abcdefgh' }];
  await call(hook(url, { headers: bearer }), {}, never);
  t.equal(server.got[1]?.headers.authorization, 'Bearer abcdefgh', 'a header stands above the URL');
  const dead = url.replace(`:${server.port}`, `:${await closedPort()}`);
  t.strictSame(await call(hook(dead), {}, never), {
    ok: false,
    detail: 'could not be reached (ECONNREFUSED)',
  });
});

t.test('what cannot be sent is a no, told once, without its content', async (t) => {
  const server = await receiver(t);
  const { call, sleeps } = caller();
  const ring: { self?: object } = {};
  ring.self = ring;
  const bad = [{ name: 'authorization', value: 'secret\nline' }];
  const cases: [Webhook, object][] = [
    [hook('nonsense://%%', { retries: 3 }), {}],
    [hook('not a url with secret', { retries: 3 }), {}],
    [hook(server.url, { headers: bad, retries: 3 }), {}],
    [hook(server.url, { retries: 3 }), ring],
  ];
  for (const [target, body] of cases) {
    const { ok, detail } = await call(target, body, never);
    t.equal(ok, false);
    t.match(detail, /^could not be sent \(/);
    t.notMatch(detail, /secret/);
  }
  t.strictSame(sleeps, []);
  t.equal(server.got.length, 0);
});
