import t from 'tap';
import { createApi } from '../../src/dashboard/net/api.ts';

function api(answer: (url: string, init: RequestInit) => Response, token: string | null = null) {
  let denied = 0;
  const asked: { url: string; init: RequestInit }[] = [];
  const made = createApi({
    fetch: async (url, init) => {
      asked.push({ url: String(url), init: init ?? {} });
      return answer(String(url), init ?? {});
    },
    token: () => token,
    onDenied: () => {
      denied += 1;
    },
  });
  return { ...made, asked, denied: () => denied };
}

t.test('what is asked, and with what', async (t) => {
  const { get, post, asked } = api(() => Response.json({ a: 1 }), 'secret');
  t.strictSame(await get('services/x'), { ok: true, value: { a: 1 } });
  await post('rollouts/x/abort', { reason: 'r' });
  t.equal(asked[0]?.url, 'api/v1/services/x', 'relative to the page');
  t.match(asked[0]?.init.headers, { authorization: 'Bearer secret' });
  t.match(asked[1]?.init, {
    method: 'POST',
    body: '{"reason":"r"}',
    headers: { authorization: 'Bearer secret', 'content-type': 'application/json' },
  });
});

t.test('a failure is told in the words of the gateway, or in ours', async (t) => {
  const refused = api(() =>
    Response.json({ error: 'refused', message: 'it is paused already' }, { status: 409 }),
  );
  t.strictSame(await refused.post('x', {}), { ok: false, status: 409, message: 'it is paused already' });
  const proxy = api(() => new Response('<html>', { status: 502, statusText: 'Bad Gateway' }));
  t.match(await proxy.get('x'), { ok: false, message: 'the gateway answered 502 Bad Gateway' });
  const gone = api(() => {
    throw new TypeError('fetch failed');
  });
  t.match(await gone.get('x'), { ok: false, status: 0, message: 'the gateway cannot be reached' });
  const odd = api(() => new Response('<html>'));
  t.match(await odd.get('x'), { ok: false, message: /no JSON/ });
});

t.test('a wanted token is told to whoever can ask for one', async (t) => {
  const { get, denied } = api(() =>
    Response.json({ error: 'unauthorized', message: 'send the token' }, { status: 401 }),
  );
  t.match(await get('x'), { ok: false, status: 401, message: 'send the token' });
  t.equal(denied(), 1);
});
