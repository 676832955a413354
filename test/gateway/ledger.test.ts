import t, { type Test } from 'tap';
import { SCALAR, type Tally } from '../../src/core/tally.ts';
import { serve } from '../support/gateway.ts';
import { answer, chunk, type Script, startOrigin } from '../support/origin.ts';
import { canary } from '../support/split.ts';
import { clientOf, countedFor, reasonsFor, tallyOf } from './client.ts';

/** What the gateway counted is what the clients saw, request by request. */

const BODY = 'x'.repeat(3_000);

/** The fate of a request is in its path. */
const fated: Script = async (call) => {
  await call.body();
  const fate = call.message.target.split('/')[1];
  if (fate === 'reset') return call.reset();
  if (fate === 'nonsense') return call.write('NONSENSE\r\n\r\n');
  if (fate === 'cut') {
    await call.write(`HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n${BODY}`);
    return call.end();
  }
  if (fate === 'stream') {
    await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    return call.pieces([chunk('a'), chunk('b'), '0\r\n\r\n'], 1);
  }
  const status = Number(fate);
  return call.write(answer(status, status === 204 || status === 304 ? '' : BODY));
};

const FATES = [
  '200',
  '200',
  '200',
  '201',
  '204',
  '404',
  '429',
  '500',
  '503',
  'reset',
  'nonsense',
  'cut',
  'stream',
];
const METHODS = ['GET', 'POST', 'PUT', 'PROPFIND'];

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}

t.test('every request is counted once, under its version, method and status', async (t) => {
  const stable = await startOrigin(t, fated);
  const next = await startOrigin(t, fated);
  const gateway = await serve(t, canary(stable.url, next.url, 3_000));
  const client = clientOf(t, gateway.url);
  const ledger: Record<string, Record<string, number>> = { v1: {}, v2: {} };
  const note = (version: string, line: string) => {
    const page = ledger[version] as Record<string, number>;
    page[line] = (page[line] ?? 0) + 1;
  };
  /** Where the version is not told, for the answer was cut, core knows it by the user. */
  const versions = new Map<string, string>();
  const ask = async (user: string, method: string, fate: string) => {
    const label = METHODS.indexOf(method) === 3 ? 'other' : method;
    const body = method === 'GET' ? {} : { body: 'some input' };
    try {
      const reply = await client(`/${fate}/x`, { method, headers: { 'x-user-id': user }, ...body });
      if (versions.has(user)) t.equal(reply.version, versions.get(user), 'sticky');
      versions.set(user, reply.version);
      note(reply.version, `${label} ${reply.status}`);
    } catch {
      note(versions.get(user) as string, `${label} 502`);
    }
  };
  const users = Array.from({ length: 12 }, (_, i) => `u${i}`);
  await Promise.all(
    users.map(async (user, u) => {
      await ask(user, 'GET', '200');
      for (let i = 0; i < 40; i++) {
        const fate = FATES[(i * 5 + u) % FATES.length] as string;
        const method = METHODS[(i + u) % METHODS.length] as string;
        await ask(user, method, fate);
      }
    }),
  );
  await gateway.quiet();
  const sorted = (page: Record<string, number>) => Object.entries(page).sort();
  for (const version of ['v1', 'v2']) {
    t.strictSame(sorted(countedFor(gateway, version)), sorted(ledger[version] ?? {}), version);
    const tally = tallyOf(gateway, version);
    const total = sum(tally.requests);
    t.ok(total > 0);
    t.strictSame(reasonsFor(gateway, version), { hash: total }, 'each was assigned once');
    agree(t, tally);
  }
  t.equal(gateway.scalar('clientGone'), 0, 'no client left by itself');
});

/** The parts of one tally agree with each other. */
function agree(t: Test, tally: Tally): void {
  const total = sum(tally.requests);
  t.equal(sum(tally.duration), total, 'each has its duration');
  t.equal(sum(tally.ttfb), total, 'each answer began');
  t.equal(sum(tally.assigned), total);
  const { inFlight, durationSumMs, ttfbSumMs } = SCALAR;
  t.equal(tally.scalars[inFlight], 0);
  const [durations, firsts] = [tally.scalars[durationSumMs] as number, tally.scalars[ttfbSumMs] as number];
  t.ok(
    firsts > 0 && firsts <= durations,
    `first bytes (${firsts} ms) come before last ones (${durations} ms)`,
  );
}
