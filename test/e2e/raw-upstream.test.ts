import t, { type Test } from 'tap';
import { serve, type TestGateway } from '../support/gateway.ts';
import { headerOf, textOf, type WireMessage } from '../support/http1.ts';
import { type Call, chunk, type Origin, polite, startOrigin } from '../support/origin.ts';
import { connectRaw, head, type RawClient } from '../support/raw.ts';
import { single } from '../support/split.ts';
import {
  type Case,
  chunkedOk,
  type End,
  type Outcome,
  ok,
  RAW_UPSTREAM_CASES,
} from './cases/raw-upstream.ts';

/** Hostile upstreams on bare sockets: what they answer may cost their own request, and nobody else's. */

t.test('hostile answers', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(
    t,
    single(origin.url, { upstream: { timeouts: { firstByteMs: 3_000, idleMs: 3_000 } } }),
  );
  for (const one of RAW_UPSTREAM_CASES) await t.test(one.name, (t) => play(t, gateway, origin, one));
});

async function play(t: Test, gateway: TestGateway, origin: Origin, one: Case): Promise<void> {
  origin.script = (call) => (call.message.target === '/case' ? misbehave(call, one) : polite(call));
  const { method = 'GET' } = one;
  const client = await connectRaw({ port: gateway.port, methods: [method] });
  client.send(head(`${method} /case HTTP/1.1`));
  await client.whole();
  const outcome = outcomeOf(client);
  t.ok(one.allowed.includes(outcome), `${outcome}; ${client.describe()}`);
  t.equal(client.violation, null, 'what the client gets is sound');
  const [got] = client.answers;
  if (outcome === 'whole') checkAnswer(t, one, got!);
  t.notOk(
    client.answers.some((each) => each.status === 500),
    'no 500',
  );
  if (one.dropped === true)
    await origin.until(() => origin.open().length === 0, 'the connection to be dropped');
  await checkNext(t, client);
  client.socket.destroy();
  t.equal(textOf(await gateway.get('/probe')), 'served /probe', 'a clean probe on a fresh connection');
  await gateway.quiet();
}

async function misbehave(call: Call, one: Case): Promise<void> {
  await call.pieces(typeof one.bytes === 'string' ? [one.bytes] : one.bytes, 1);
  finish(call, one.end ?? 'open');
}

function finish(call: Call, end: End): void {
  if (end === 'end') call.end();
  if (end === 'reset') call.reset();
}

function outcomeOf(client: RawClient): Outcome {
  const [got] = client.answers;
  if (got === undefined || !got.complete) return 'cut';
  // The table's upstreams never answer 502 themselves.
  return got.status === 502 ? 'refused' : 'whole';
}

function checkAnswer(t: Test, one: Case, got: WireMessage): void {
  if (one.body !== undefined) t.equal(textOf(got), one.body);
  if (one.status !== undefined) t.equal(got.status, one.status);
  t.equal(headerOf(got, 'x-coalmine-version'), 'v1');
}

/** The next request on the client's own connection, where that is still open. */
async function checkNext(t: Test, client: RawClient): Promise<void> {
  if (client.closedBy !== 'open') return;
  client.send(head('GET /next HTTP/1.1'));
  await client.whole(2);
  const [, next] = client.answers;
  if (next === undefined) return;
  t.equal(next.status, 200);
  t.equal(textOf(next), 'served /next', 'the next request gets its own answer');
}

const answers: Record<string, string> = {
  length: ok('Content-Length: 30\r\nX: y', 'a body of thirty bytes exactly'),
  chunks: chunkedOk(`${chunk('one ')}${chunk('two ')}5;x=y\r\nthree\r\n0\r\nX-Sum: 3\r\n\r\n`),
};

for (const [name, text] of Object.entries(answers)) {
  for (const end of ['end', 'reset'] as const) {
    t.test(`cut at every offset, by ${end}: never a cut answer that looks whole (${name})`, async (t) => {
      const origin = await startOrigin(t, async (call) => {
        const offset = Number(call.message.target.slice(1));
        if (offset > 0) await call.write(text.slice(0, offset));
        finish(call, end);
      });
      const gateway = await serve(t, single(origin.url));
      const seen: Record<Outcome, number> = { whole: 0, refused: 0, cut: 0 };
      const cut = async (offset: number) => {
        const client = await connectRaw({ port: gateway.port });
        client.send(head(`GET /${offset} HTTP/1.1`));
        await client.whole();
        const outcome = outcomeOf(client);
        if (outcome === 'cut') await client.closed();
        client.socket.destroy();
        seen[outcome]++;
        if (outcome === 'whole') t.fail(`cut at ${offset} of ${text.length}: ${client.describe()}`);
      };
      const offsets = [...text.slice(1)].keys();
      await Promise.all(
        Array.from({ length: 8 }, async () => {
          for (const offset of offsets) await cut(offset);
        }),
      );
      t.equal(seen.refused + seen.cut, text.length - 1);
      t.ok(seen.refused > 0 && (end === 'reset' || seen.cut > 0), JSON.stringify(seen));
      await gateway.quiet();
      t.strictSame(
        gateway.counted(),
        { 'GET 502': text.length - 1 },
        'each is counted as the upstream’s failure',
      );
    });
  }
}
