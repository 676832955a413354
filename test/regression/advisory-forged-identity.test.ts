import t from 'tap';
import { jsonOf, serve } from '../support/gateway.ts';
import { headerOf, valuesOf } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { canary, single } from '../support/split.ts';

/** Names and ids that only the gateway may give: none is accepted from outside. */

const issueCookie = { name: 'coalmine_id', maxAgeS: 3_600, secret: 'a secret of the tests', domain: null };
const sticky = { by: [], mode: 'hash' as const, sessionTtlMs: 60_000, sessionMax: 100, issueCookie };

t.test('a forged id is replaced by a new one, a true one is kept', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, canary(origin.url, origin.url, 5_000, { sticky }));
  const first = await gateway.get('/x');
  const [cookie = ''] = (headerOf(first, 'set-cookie') ?? '').split(';');
  t.match(cookie, /^coalmine_id=[\w-]{22}\.[\w-]+$/);
  t.match(headerOf(first, 'set-cookie'), /HttpOnly/);
  t.match(headerOf(first, 'set-cookie'), /SameSite/);
  const again = await gateway.get('/x', `Cookie: ${cookie}`);
  t.equal(headerOf(again, 'set-cookie'), undefined, 'a true id needs no new one');
  t.equal(headerOf(again, 'x-coalmine-version'), headerOf(first, 'x-coalmine-version'));

  const [id = '', signature = ''] = cookie.slice('coalmine_id='.length).split('.');
  const flipped = signature.startsWith('A') ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  const forgeries = [
    id,
    `${id}.`,
    `.${signature}`,
    `${id}.${flipped}`,
    `${id}.${signature.slice(0, -1)}`,
    `${id}.${signature}A`,
    `${'A'.repeat(22)}.${signature}`,
    `${id}x.${signature}`,
    `${id}.${id}.${signature}`,
    '.',
    '',
    'x'.repeat(5_000),
  ];
  for (const forged of forgeries) {
    const got = await gateway.get('/x', `Cookie: coalmine_id=${forged}`);
    const given = headerOf(got, 'set-cookie') ?? '';
    t.match(given, /^coalmine_id=/, `${forged.slice(0, 60)} is not accepted`);
    t.notMatch(given, `coalmine_id=${id}.`, 'nor turned into a true one');
  }
});

t.test('a client cannot pass for a shadow, nor an upstream for another version', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.body();
    await call.write(
      answer(200, 'ok', 'x-coalmine-version: stolen', 'X-Coalmine-Failover: stolen', 'x-request-id: stolen'),
    );
  });
  const gateway = await serve(t, single(origin.url));
  const client = await exchange(
    gateway.port,
    head('GET /x HTTP/1.1', 'x-coalmine-shadow: 1', 'x-request-id: mine'),
  );
  const { message } = origin.requests[0]!;
  t.equal(headerOf(message, 'x-coalmine-shadow'), undefined);
  const got = client.answers[0]!;
  t.strictSame(valuesOf(got, 'x-coalmine-version'), ['v1']);
  t.strictSame(valuesOf(got, 'x-coalmine-failover'), []);
  t.strictSame(valuesOf(got, 'x-request-id'), ['mine']);
});

t.test('a request that has passed this gateway before is refused as a loop', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  t.equal((await gateway.get('/x', 'Via: 1.1 somebody-else')).status, 200);
  const own = headerOf(origin.requests[0]!.message, 'via') ?? '';
  t.match(own, /^1\.1 somebody-else, 1\.1 \S+$/, 'each hop adds its name');
  const looped = await gateway.get('/x', `Via: ${own}`);
  t.equal(looped.status, 508);
  t.match(jsonOf(looped), { error: String, requestId: String });
  t.equal(origin.requests.length, 1);
});
