import fc from 'fast-check';
import t, { type Test } from 'tap';
import { compilePattern } from '../../src/config/pattern.ts';
import type { KeySource, Service, Share, Sticky } from '../../src/core/model.ts';
import { choose, makeChooser } from '../../src/core/split/choose.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import type { RequestFacts } from '../../src/core/split/rules.ts';
import { type ServeOptions, serve } from '../support/gateway.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { service, split, version } from '../support/split.ts';
import { type Ask, clientOf, countedFor, reasonsFor } from './client.ts';

const SHARES: readonly Share[] = [
  { version: 1, weightBp: 2_500 },
  { version: 2, weightBp: 1_000 },
];
const NAMES = ['v1', 'v2', 'v3'];

function stickyBy(...by: readonly KeySource[]): Sticky {
  return { by, mode: 'hash', sessionTtlMs: 0, sessionMax: 0, issueCookie: null };
}

/** Three versions that answer with their own names, at these shares. */
async function scene(t: Test, sticky: Sticky, options: ServeOptions & { trustProxy?: string[] } = {}) {
  const { trustProxy = [], ...rest } = options;
  const versions = await Promise.all(
    NAMES.map(async (name) =>
      version(name, (await startOrigin(t, (call) => call.write(answer(200, name)))).url),
    ),
  );
  const only = service(versions, { shares: SHARES, sticky });
  const gateway = await serve(t, split([only], { trustProxy }), rest);
  return { gateway, only, client: clientOf(t, gateway.url) };
}

/** The version that core alone says a key has. */
function expected(only: Service, facts: Partial<RequestFacts>): string {
  const nothing = () => undefined;
  const asked: RequestFacts = {
    ...{ method: 'GET', path: '/', header: nothing, cookie: nothing, query: nothing },
    ...{ ip: () => '', region: () => '' },
    ...facts,
  };
  const chosen = choose(makeChooser(only, compilePattern), asked, {
    issuedId: () => '',
    pinned: () => -1,
    random: () => Number.NaN,
  });
  return NAMES[chosen.version] as string;
}

const users = Array.from({ length: 150 }, (_, i) => `user ${i}/é`);

const WAYS: readonly { source: KeySource; ask(user: string): { path: string; ask: Ask } }[] = [
  {
    source: { kind: 'header', name: 'x-user-id' },
    ask: (user) => ({ path: '/', ask: { headers: { 'X-User-Id': encodeURIComponent(user) } } }),
  },
  {
    source: { kind: 'cookie', name: 'uid' },
    ask: (user) => ({ path: '/', ask: { headers: { cookie: `a=b; uid=${encodeURIComponent(user)}` } } }),
  },
  {
    source: { kind: 'query', name: 'user' },
    ask: (user) => ({ path: `/?a=b&user=${encodeURIComponent(user)}`, ask: {} }),
  },
];

for (const { source, ask } of WAYS) {
  t.test(`by ${source.kind}: real requests get the version that core chooses, again and again`, async (t) => {
    const { gateway, only, client } = await scene(t, stickyBy(source));
    // A query parameter is decoded, the others are taken as they come.
    const keyOf = (user: string) => (source.kind === 'query' ? user : encodeURIComponent(user));
    const wrong: string[] = [];
    for (let round = 0; round < 2; round++) {
      await Promise.all(
        users.map(async (user) => {
          const { path, ask: how } = ask(user);
          const reply = await client(path, how);
          const want = expected(only, { [source.kind]: () => keyOf(user) });
          if (reply.body !== want || reply.version !== want)
            wrong.push(`${user}: ${reply.body}, not ${want}`);
        }),
      );
    }
    t.strictSame(wrong, []);
    const wanted = new Map(NAMES.map((name) => [name, 0]));
    for (const user of users) {
      const name = expected(only, { [source.kind]: () => keyOf(user) });
      wanted.set(name, (wanted.get(name) ?? 0) + 2);
    }
    for (const [name, count] of wanted) {
      t.ok(count > 0, 'the users are enough to reach every version');
      t.strictSame(countedFor(gateway, name), { 'GET 200': count });
      t.strictSame(reasonsFor(gateway, name), { hash: count });
    }
  });
}

t.test('by ip: the right hop behind a trusted proxy, IPv6 by its /64', async (t) => {
  const { only, client } = await scene(t, stickyBy({ kind: 'ip' }), {
    trustProxy: ['127.0.0.1/32', '10.0.0.0/8'],
  });
  for (let i = 0; i < 40; i++) {
    const address = `198.51.100.${i}`;
    const want = expected(only, { ip: () => address });
    for (const forwarded of [
      address,
      `1.2.3.4, ${address}`,
      `6.6.6.6,${address}, 10.0.0.${i}`,
      `${address}:4711`,
    ]) {
      t.equal((await client('/', { headers: { 'x-forwarded-for': forwarded } })).body, want, forwarded);
    }
    const home = `2001:db8:0:${(i + 1).toString(16)}`;
    const wanted = expected(only, { ip: () => `${home}::/64` });
    for (const host of ['::1', ':ffff:0:1:2', '::']) {
      const forwarded = home + host;
      t.equal((await client('/', { headers: { 'x-forwarded-for': forwarded } })).body, wanted, forwarded);
    }
  }
});

t.test('by ip: a stranger’s X-Forwarded-For does not choose its version', async (t) => {
  const { only, client } = await scene(t, stickyBy({ kind: 'ip' }));
  const want = expected(only, { ip: () => '127.0.0.1' });
  for (let i = 0; i < 30; i++) {
    t.equal((await client('/', { headers: { 'x-forwarded-for': `198.51.100.${i}` } })).body, want);
  }
});

t.test('the first source present is the key', async (t) => {
  const { only, client } = await scene(
    t,
    stickyBy(
      { kind: 'header', name: 'x-user-id' },
      { kind: 'cookie', name: 'uid' },
      { kind: 'query', name: 'u' },
    ),
  );
  for (let i = 0; i < 20; i++) {
    const [header, cookie, query] = [`h${i}`, `c${i}`, `q${i}`];
    const by = (key: string) => expected(only, { header: () => key });
    const ask = async (headers: Record<string, string>) => (await client(`/?u=${query}`, { headers })).body;
    t.equal(await ask({ 'x-user-id': header, cookie: `uid=${cookie}` }), by(header));
    t.equal(await ask({ cookie: `uid=${cookie}` }), by(cookie));
    t.equal(await ask({ 'x-user-id': '', cookie: 'uid=' }), by(query), 'empty counts as absent');
  }
});

t.test('without a key: random for each request, by the buckets, and counted so', async (t) => {
  const draws = [0, 0.2499, 0.25, 0.3499, 0.35, 0.9999];
  let turn = 0;
  const { gateway, client } = await scene(t, stickyBy({ kind: 'header', name: 'x-user-id' }), {
    random: () => draws[turn++ % draws.length] as number,
  });
  const got: string[] = [];
  for (let i = 0; i < draws.length * 2; i++) got.push((await client('/')).body);
  const round = ['v2', 'v2', 'v3', 'v3', 'v1', 'v1'];
  t.strictSame(got, [...round, ...round]);
  t.strictSame(reasonsFor(gateway, 'v2'), { random: 4 });
});

t.test('a growing weight takes users and gives none back, over real swaps', async (t) => {
  const { gateway, only, client } = await scene(t, stickyBy({ kind: 'header', name: 'x-user-id' }));
  const canaries = async () => {
    const replies = await Promise.all(
      users.map((_, i) => client('/', { headers: { 'x-user-id': `u${i}` } })),
    );
    return new Set(replies.flatMap(({ body }, i) => (body === 'v2' ? [i] : [])));
  };
  let before = new Set<number>();
  for (const weightBp of [0, 500, 2_500, 6_000, 10_000]) {
    gateway.gateway.swap(split([{ ...only, shares: [{ version: 1, weightBp }] }]));
    const now = await canaries();
    t.strictSame(
      [...now].sort(),
      users
        .map((_, i) => i)
        .filter((i) => bucketOfKey('svc', `u${i}`) < weightBp)
        .sort(),
      `${weightBp / 100} %`,
    );
    t.ok([...before].every((user) => now.has(user)));
    before = now;
  }
  t.equal(before.size, users.length);
});

t.test('any printable key is taken over the wire as core takes it', async (t) => {
  const { only, client } = await scene(t, stickyBy({ kind: 'header', name: 'x-user-id' }));
  // Visible ASCII and latin1 beyond it, as a header value may hold them.
  const key = fc.stringMatching(/^[\x21-\x7e\xa1-\xff]{1,24}$/);
  await fc.assert(
    fc.asyncProperty(key, async (user) => {
      const reply = await client('/', { headers: { 'x-user-id': user } });
      return reply.body === expected(only, { header: () => user });
    }),
    { numRuns: 100 },
  );
});
