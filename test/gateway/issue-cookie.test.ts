import t, { type Test } from 'tap';
import type { IssueCookie, Sticky } from '../../src/core/model.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { CookieIssuer, cookieValue } from '../../src/gateway/cookies.ts';
import { makeAuthority } from '../support/certs.ts';
import { serve } from '../support/gateway.ts';
import { valuesOf, type WireMessage } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { connectRaw } from '../support/raw.ts';
import { requireTool } from '../support/requireTool.ts';
import { canary, type ListenerOptions, listener } from '../support/split.ts';
import { handshake } from '../support/websocket.ts';
import { clientOf, type Reply, reasonsFor } from './client.ts';

const ISSUE: IssueCookie = { name: 'cid', maxAgeS: 3_600, secret: 'sesame', domain: null };
const STICKY: Sticky = {
  by: [{ kind: 'header', name: 'x-user-id' }],
  mode: 'hash',
  sessionTtlMs: 0,
  sessionMax: 0,
  issueCookie: ISSUE,
};

async function scene(t: Test, listen: ListenerOptions = {}) {
  const stable = await startOrigin(t, (call) => call.write(answer(200, 'v1', 'Set-Cookie: own=1')));
  const next = await startOrigin(t, (call) => call.write(answer(200, 'v2', 'Set-Cookie: own=2')));
  const gateway = await serve(t, canary(stable.url, next.url, 5_000, { sticky: STICKY }), {
    settings: listener(listen),
  });
  return { gateway, stable, next, client: clientOf(t, gateway.url, { rejectUnauthorized: false }) };
}

/** The head of the answer to a WebSocket's handshake. */
async function upgraded(port: number, request: string): Promise<WireMessage> {
  const client = await connectRaw({ port });
  await client.send(request).heads();
  client.socket.destroy();
  return client.answers[0] as WireMessage;
}

/** The gateway's own Set-Cookie of an answer, or undefined. */
function issued(reply: Reply): string | undefined {
  return reply.headers['set-cookie']?.find((line) => line.startsWith('cid='));
}

/** `name=value`, to be sent back. */
function cookieOf(reply: Reply): string {
  return (issued(reply) ?? '').split(';')[0] as string;
}

function idIn(cookie: string): string {
  return new CookieIssuer(ISSUE).verify(cookieValue(cookie, 'cid') ?? '');
}

t.test('a user without a key gets an id, and stays where its bucket is', async (t) => {
  const { gateway, client } = await scene(t);
  const seen = new Set<string>();
  for (let i = 0; i < 30; i++) {
    const first = await client('/');
    t.match(issued(first), /^cid=[\w-]{22}\.[\w-]{43}; Path=\/; Max-Age=3600; HttpOnly; SameSite=Lax$/);
    const cookie = cookieOf(first);
    t.equal(first.body, bucketOfKey('svc', idIn(cookie)) < 5_000 ? 'v2' : 'v1', 'by the id’s bucket');
    seen.add(cookie);
    for (let again = 0; again < 2; again++) {
      const next = await client('/', { headers: { cookie: `x=y; ${cookie}` } });
      t.equal(next.body, first.body, 'the next request stays');
      t.equal(issued(next), undefined, 'and gets no second id');
    }
  }
  t.equal(seen.size, 30, 'everyone has an id of their own');
  const total = (['v1', 'v2'] as const).map((name) => reasonsFor(gateway, name).cookie ?? 0);
  t.equal(total[0]! + total[1]!, 90, 'counted as by cookie');
});

t.test('the upstream’s own cookies pass beside it', async (t) => {
  const { client } = await scene(t);
  const reply = await client('/');
  t.equal(reply.headers['set-cookie']?.length, 2);
  t.match(reply.headers['set-cookie']?.[0], /^own=[12]$/);
});

t.test('the id goes on to the upstream as the client sent it, and the new one does not', async (t) => {
  const { stable, next, client } = await scene(t);
  const cookie = cookieOf(await client('/'));
  await client('/', { headers: { cookie } });
  const cookies = [...stable.requests, ...next.requests].map(
    ({ message }) => message.headers.find(([name]) => name === 'cookie')?.[1],
  );
  t.strictSame(cookies.sort(), [cookie, undefined]);
});

t.test('a forged or damaged cookie is replaced and chooses nothing', async (t) => {
  const { client } = await scene(t);
  const good = cookieOf(await client('/'));
  const other = new CookieIssuer({ ...ISSUE, secret: 'guess' });
  const forged = [
    'cid=u42',
    'cid=',
    `cid=${'A'.repeat(22)}.${'A'.repeat(43)}`,
    good.slice(0, -1),
    `${good}A`,
    other.setCookie(other.newId(), false).split(';')[0] as string,
  ];
  for (const cookie of forged) {
    const reply = await client('/', { headers: { cookie } });
    const id = idIn(cookieOf(reply));
    t.not(id, '', cookie);
    t.notOk(cookie.includes(id));
    t.equal(reply.body, bucketOfKey('svc', id) < 5_000 ? 'v2' : 'v1', 'by the new id');
  }
});

t.test('a user with a key of its own is given no cookie', async (t) => {
  const { gateway, client } = await scene(t);
  const reply = await client('/', { headers: { 'x-user-id': 'u1' } });
  t.equal(issued(reply), undefined);
  t.strictSame(reasonsFor(gateway, reply.version), { hash: 1 });
});

t.test('refusals hand an id out as well, so that the user is not split anew', async (t) => {
  const { gateway, stable, next, client } = await scene(t);
  stable.script = (call) => call.reset();
  next.script = (call) => call.reset();
  const reply = await client('/', { method: 'POST', body: 'x' });
  t.equal(reply.status, 502);
  t.not(idIn(cookieOf(reply)), '');
  t.equal(gateway.counted()['POST 502'], 1);
});

t.test('the domain goes into the cookie', async (t) => {
  const { gateway, stable, next, client } = await scene(t);
  const sticky = { ...STICKY, issueCookie: { ...ISSUE, domain: 'example.com' } };
  gateway.gateway.swap(canary(stable.url, next.url, 5_000, { sticky }));
  t.match(issued(await client('/')), /; Domain=example\.com$/);
});

t.test('under TLS the cookie is Secure', requireTool('openssl', ['version']), async (t) => {
  const pair = makeAuthority(t).issue('gateway.test', 'IP:127.0.0.1');
  const { client } = await scene(t, { tls: pair });
  const first = await client('/');
  t.match(issued(first), /; HttpOnly; SameSite=Lax; Secure$/);
  const next = await client('/', { headers: { cookie: cookieOf(first) } });
  t.equal(next.body, first.body);
  t.equal(issued(next), undefined);
});

t.test('a stale or forged cookie in front of the right one moves nobody', async (t) => {
  const { gateway, client } = await scene(t);
  const first = await client('/');
  const cookie = cookieOf(first);
  const forged = (count: number) =>
    Array.from({ length: count }, () => `cid=${'A'.repeat(22)}.forged; `).join('');
  const stale = `cid=${new CookieIssuer({ ...ISSUE, secret: 'earlier' }).setCookie('B'.repeat(22), false).slice(4, 70)}`;
  for (const before of [forged(1), forged(7), `${stale}; `, 'cid=; ', 'cid=""; xcid=1; ']) {
    const next = await client('/', { headers: { cookie: before + cookie } });
    t.equal(next.body, first.body, before);
    t.equal(issued(next), undefined, 'no second id');
  }
  const lost = await client('/', { headers: { cookie: forged(8) + cookie } });
  t.not(issued(lost), undefined, 'so many are tried, no more');
  t.equal(await gateway.gateway.close(1_000), 0);
});

t.test('an anonymous WebSocket is handed its id with the 101, and stays by it', async (t) => {
  const { gateway } = await scene(t);
  for (let i = 0; i < 8; i++) {
    const opened = await upgraded(gateway.port, handshake('/'));
    const [line] = valuesOf(opened, 'set-cookie');
    const [version] = valuesOf(opened, 'x-coalmine-version');
    const id = idIn((line ?? '').split(';')[0] as string);
    t.not(id, '', 'one of ours');
    t.equal(version, bucketOfKey('svc', id) < 5_000 ? 'v2' : 'v1', 'and it is what decided');
    const again = await upgraded(gateway.port, handshake('/', `Cookie: ${(line ?? '').split(';')[0]}`));
    t.strictSame(valuesOf(again, 'x-coalmine-version'), [version]);
    t.strictSame(valuesOf(again, 'set-cookie'), []);
  }
});

t.test('WebSockets that open at one time get what is theirs each', async (t) => {
  const { gateway } = await scene(t);
  const opened = await Promise.all(
    Array.from({ length: 20 }, (_, i) => upgraded(gateway.port, handshake('/', `x-request-id: r${i}`))),
  );
  const ids = opened.map((one) => valuesOf(one, 'x-request-id')[0]);
  t.strictSame(
    ids,
    Array.from({ length: 20 }, (_, i) => `r${i}`),
  );
  t.equal(new Set(opened.map((one) => valuesOf(one, 'set-cookie')[0])).size, 20);
});
