import t from 'tap';
import { join, OpenLoad, type Order } from '../support/ledger/openloop.ts';
import { type LedgerUpstream, startUpstream } from '../support/ledger/upstream.ts';
import { configOf, type Product, reloaded, startProduct } from '../support/process.ts';

/** 200 reloads under load, broken configs between them: nothing fails, nothing goes astray. */

const RELOADS = 200;
const PER_SECOND = 200;

type Fleet = Record<'a1' | 'a2' | 'b1' | 'b2', LedgerUpstream>;

const rules = [
  { when: { header: { 'x-canary': 'always' } }, use: 'canary' },
  { when: { header: { 'x-canary': 'never' } }, use: 'stable' },
];

/** Config number `n`: weights, a service that comes and goes, time-outs that make new pools. */
function good(fleet: Fleet, n: number): object {
  const one = (host: string, v1: LedgerUpstream, v2: LedgerUpstream) => ({
    match: { host },
    versions: { v1: { url: v1.url }, v2: { url: v2.url } },
    stable: 'v1',
    canary: 'v2',
    weight: (n * 7) % 101,
    sticky: { by: ['header:x-user-id'] },
    rules,
    upstream: { timeouts: { firstByte: n % 3 === 0 ? '20s' : '21s' } },
  });
  return configOf({
    a: one('a.example', fleet.a1, fleet.a2),
    b: one('b.example', fleet.b1, fleet.b2),
    ...(n % 2 === 0 ? { c: { match: { host: 'c.example' }, versions: { v1: { url: fleet.a1.url } } } } : {}),
  });
}

function broken(fleet: Fleet, n: number): string | object {
  const sound = good(fleet, n) as { services: { a: object } };
  const kinds = [
    'services: {a: [',
    '',
    'services: {}\n',
    { ...sound, unheardOf: 1 },
    { ...sound, services: { ...sound.services, a: { ...sound.services.a, weight: 200 } } },
    { ...sound, services: { ...sound.services, a: { ...sound.services.a, canary: 'v9' } } },
    { ...sound, services: { ...sound.services, d: sound.services.a } },
  ];
  return kinds[n % kinds.length] as string | object;
}

function order(n: number): Order {
  const service = n % 2 === 0 ? 'a' : 'b';
  const headers: Record<string, string> = { host: `${service}.example`, 'x-user-id': `u${n % 50}` };
  if (n % 5 === 1) return { headers: { ...headers, 'x-canary': 'always' }, tag: `${service}2` };
  if (n % 5 === 2) return { headers: { ...headers, 'x-canary': 'never' }, tag: `${service}1` };
  return { headers, method: n % 5 === 3 ? 'POST' : 'GET', tag: service };
}

async function reloadAll(product: Product, fleet: Fleet): Promise<{ ok: number; failed: number }> {
  let ok = 0;
  let failed = 0;
  for (let n = 1; n <= RELOADS; n++) {
    const bad = n % 4 === 0;
    product.configure(bad ? broken(fleet, n) : good(fleet, n));
    // Now and then the file alone must do; else we need not wait for it to be noticed.
    if (n % 25 !== 0) product.child.kill('SIGHUP');
    if (bad) failed++;
    else ok++;
    await reloaded(product, ok, failed);
  }
  return { ok, failed };
}

t.test('200 reloads under load', async (t) => {
  const names = ['a1', 'a2', 'b1', 'b2'] as const;
  const started = await Promise.all(names.map((name) => startUpstream(t, name)));
  const fleet = Object.fromEntries(names.map((name, i) => [name, started[i]])) as Fleet;
  const product = await startProduct(t, good(fleet, 0));
  const load = new OpenLoad({ port: product.port, perSecond: PER_SECOND, order });
  await reloadAll(product, fleet);
  const entries = await load.stop();
  const joined = join(
    entries,
    started.flatMap((upstream) => upstream.sightings()),
  );
  t.ok(joined.sent >= PER_SECOND, `${joined.sent} requests were sent meanwhile`);
  t.strictSame(joined.failed, [], 'none failed');
  t.strictSame(joined.crossed, [], 'none got another’s answer');
  t.strictSame(joined.invented, []);
  t.strictSame(joined.doubled, [], 'none was carried out twice');
  t.strictSame(joined.unknown, []);
  t.strictSame(
    entries.filter(({ server, tag }) => !server.startsWith(tag)),
    [],
    'none was misrouted',
  );
  t.strictSame(new Set(entries.map(({ server }) => server)), new Set(names), 'all four served');
  const { status, body } = await product.ready();
  t.equal(status, 200);
  t.not(body.reload?.failure, null, 'the last config was a broken one, and that is said');
  t.strictSame(await product.stop(), { code: 0, signal: null });
});
