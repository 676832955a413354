import zlib from 'node:zlib';
import t, { type Test } from 'tap';
import { answer, type Call, chunk, type Script } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { mirror } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { PAIRS, type SceneOptions, SPEC, saying, says, scene, usersOf } from './observe-scene.ts';

/** Mirrored requests: both answers are compared, and the client notices nothing. */

/** v1 serves everybody, v2 is its shadow; what v1 says is `a`. */
async function shadowed(t: Test, shadow: Script, options: SceneOptions = {}, spec = {}) {
  const it = await scene(t, {
    weightBp: 0,
    canary: shadow,
    observe: { pairs: PAIRS },
    mirror: mirror(1, spec),
    ...options,
  });
  /** Waits until so many pairs are compared. */
  const compared = (pairs: number) =>
    until(
      () => {
        const { agree = 0, disagree = 0, incomparable = 0 } = it.pairs();
        return agree + disagree + incomparable >= pairs;
      },
      `${pairs} pairs, there are ${JSON.stringify(it.pairs())}`,
    );
  /** Without how long both took, which is the machine's matter. */
  const said = () => {
    const { slower: _slower, faster: _faster, alike: _alike, ...rest } = it.pairs();
    return rest;
  };
  return { ...it, compared, said };
}

t.test('agreement and disagreement', async (t) => {
  const it = await shadowed(t, (call) => call.write(says(call.message.target === '/a' ? 'a' : 'b')));
  for (const path of ['/a', '/a', '/b']) await it.client(path);
  await it.compared(3);
  t.strictSame(it.said(), { agree: 2, disagree: 1 });
  const { slower = 0, faster = 0, alike = 0 } = it.pairs();
  t.equal(slower + faster + alike, 3, 'and each was slower, faster or alike');
  t.match(it.counts('v1'), { requests: 3, sampled: 3, observed: 3 }, 'the client’s answers count once');
  t.strictSame(it.counts('v2'), {}, 'the shadow’s answers are nobody’s requests');
  t.strictSame(it.disagreements(), [], 'nothing is kept unless asked for');
});

t.test('bodies, codings and chunks on either side', async (t) => {
  const packed = zlib.brotliCompressSync(JSON.stringify({ class: 'a' }));
  const it = await shadowed(
    t,
    async (call) => {
      await call.body();
      const top = `HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: ${packed.length}\r\n\r\n`;
      await call.write(Buffer.concat([Buffer.from(top), packed]));
    },
    {
      stable: async (call) => {
        await call.body();
        await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
        await call.pieces(['5\r\n{"cla\r\n', '8\r\nss":"a"}\r\n', '0\r\n\r\n'], 5);
      },
    },
  );
  for (let i = 0; i < 3; i++) {
    const reply = await it.client('/', { method: 'POST', body: 'x'.repeat(i * 40_000) });
    t.equal(reply.body, '{"class":"a"}');
  }
  await it.compared(3);
  t.strictSame(it.said(), { agree: 3 });
});

t.test('what cannot be compared, and what the shadow refused', async (t) => {
  const it = await shadowed(
    t,
    async (call) => {
      if (call.message.target === '/silent') return;
      if (call.message.target === '/reset') return call.reset();
      if (call.message.target === '/500') return call.write(answer(500));
      if (call.message.target === '/packed') return call.write(answer(200, '{}', 'Content-Encoding: gzip'));
      await call.write(answer(200, call.message.target === '/large' ? 'x'.repeat(5_000) : 'nonsense'));
    },
    { observe: { pairs: PAIRS, maxBytes: 1_000 } },
    { timeoutMs: 200 },
  );
  for (const path of ['/silent', '/reset', '/large', '/packed']) await it.client(path);
  await it.compared(4);
  t.strictSame(it.said(), { incomparable: 4 });
  await it.client('/500');
  await it.client('/nonsense');
  await it.compared(6);
  t.strictSame(
    it.said(),
    { incomparable: 4, disagree: 2, refused: 1 },
    'an answer against none is no agreement',
  );
  t.match(it.counts('v1'), { sampled: 6, observed: 6 });
});

t.test('where the client got no answer there is nothing to compare', async (t) => {
  const it = await shadowed(t, saying(says('a')), {
    stable: async (call) => {
      const [, status] = call.message.target.split('/');
      await call.write(answer(Number(status), '{"class": "a"}'));
    },
  });
  for (const path of ['/500', '/404', '/200']) await it.client(path);
  await it.client('/200', { method: 'HEAD' }).catch(() => null);
  await it.compared(1);
  t.strictSame(it.said(), { agree: 1 });
});

t.test('an answer of the client’s that cannot be read', async (t) => {
  const bodies: Record<string, string> = { '/large': 'x'.repeat(5_000), '/nonsense': 'nonsense' };
  const it = await shadowed(t, saying(says('a')), {
    observe: { pairs: PAIRS, maxBytes: 1_000 },
    stable: (call) => call.write(answer(200, bodies[call.message.target])),
  });
  for (const path of Object.keys(bodies)) await it.client(path);
  await it.compared(2);
  t.strictSame(it.said(), { incomparable: 2 });
  t.match(it.counts('v1'), { sampled: 2, unreadable: 1, tooLarge: 1 });
});

t.test('the client does not wait for the shadow; its answer is read with or without it', async (t) => {
  const held: Call[] = [];
  const it = await shadowed(t, (call) => held.push(call), {}, { timeoutMs: 60_000, maxInFlight: 2 });
  for (let i = 0; i < 3; i++) t.equal((await it.client('/')).status, 200);
  await it.canary.arrived(2);
  await it.read(1);
  t.match(it.counts('v1'), { requests: 3, observed: 1 }, 'the one that was not mirrored');
  await held[0]?.write(says('a'));
  await it.compared(1);
  held[1]?.reset();
  await it.compared(2);
  await it.read(3);
  t.strictSame(it.said(), { agree: 1, incomparable: 1 });
});

t.test('a request whose copy is given up on the way is read alone', async (t) => {
  const polite = saying(says('a'));
  const it = await shadowed(t, polite, { stable: polite }, { maxBodyBytes: 1_000 });
  const client = await connectRaw({ port: it.port });
  client.send(head('POST / HTTP/1.1', 'Transfer-Encoding: chunked'));
  for (let i = 0; i < 2; i++) client.send(chunk('x'.repeat(800)));
  client.send('0\r\n\r\n');
  await client.whole();
  await it.read(1);
  t.match(it.counts('v1'), { sampled: 1, observed: 1 });
  t.strictSame([it.said(), it.canary.requests.length], [{}, 0]);
});

t.test('the shadow may answer first', async (t) => {
  const held: Call[] = [];
  const it = await shadowed(t, saying(says('a')), { stable: (call) => held.push(call) });
  const reply = it.client('/');
  await until(() => it.canary.requests.length === 1 && held.length === 1, 'both to be asked');
  await held[0]?.write(says('a'));
  t.equal((await reply).status, 200);
  await it.compared(1);
  t.strictSame(it.said(), { agree: 1 });
});

t.test('a client that leaves, before or after the shadow’s answer, leaves no pair', async (t) => {
  const held: Call[] = [];
  const shadows: Call[] = [];
  const it = await shadowed(
    t,
    (call) => (call.message.target === '/' ? call.write(says('a')) : shadows.push(call)),
    { stable: (call) => (call.message.target === '/' ? call.write(says('a')) : held.push(call)) },
  );
  for (const late of [true, false]) {
    const client = await connectRaw({ port: it.port });
    client.send(head('GET /held HTTP/1.1'));
    await until(() => held.length === 1 && shadows.length === 1, 'both to be asked');
    if (!late) await shadows[0]?.write(says('a'));
    client.reset();
    await held[0]?.gone();
    if (late) await shadows[0]?.write(says('a'));
    held.length = 0;
    shadows.length = 0;
  }
  await it.client('/');
  await it.compared(1);
  t.strictSame(it.said(), { agree: 1 });
});

t.test('slower and faster by more than a tenth, by the heads of both', async (t) => {
  const shadows: Call[] = [];
  const clients: Call[] = [];
  const it = await shadowed(t, (call) => shadows.push(call), { stable: (call) => clients.push(call) });
  for (const [first, second] of [
    [clients, shadows],
    [clients, shadows],
    [shadows, clients],
  ] as const) {
    const reply = it.client('/');
    await until(() => clients.length === 1 && shadows.length === 1, 'both to be asked');
    const askedMs = performance.now();
    await first[0]?.write(says('a'));
    // The second takes at least half as long again as the first, however slow the machine is.
    const tookMs = performance.now() - askedMs + 100;
    await new Promise((resolve) => setTimeout(resolve, tookMs));
    await second[0]?.write(says('a'));
    await reply;
    clients.length = 0;
    shadows.length = 0;
  }
  await it.compared(3);
  t.strictSame(it.pairs(), { agree: 3, slower: 2, faster: 1 });
});

t.test('streams are compared by what they came to', async (t) => {
  const stream = (reason: string) => {
    const event = { choices: [{ index: 0, delta: {}, finish_reason: reason }] };
    const body = `data: ${JSON.stringify(event)}\n\ndata: [DONE]\n\n`;
    return answer(200, body, 'Content-Type: text/event-stream');
  };
  const it = await shadowed(t, (call) => call.write(stream(call.message.target.slice(1))), {
    stable: saying(stream('stop')),
    observe: { format: 'openai', class: null, confidence: null, pairs: PAIRS },
  });
  for (const path of ['/stop', '/length']) await it.client(path);
  await it.compared(2);
  t.strictSame(it.said(), { agree: 1, disagree: 1 });
});

t.test('disagreeing pairs are kept where that is asked for: the newest, redacted', async (t) => {
  const body = (name: string, call: Call) =>
    answer(200, JSON.stringify({ class: name, user: 'secret name', path: call.message.target }));
  const it = await shadowed(t, (call) => call.write(body('b', call)), {
    stable: (call) => call.write(body('a', call)),
    observe: { pairs: { ...PAIRS, keep: 2, redact: [['user']] } },
  });
  for (const path of ['/1', '/2', '/3']) {
    await it.client(path, { headers: { 'x-request-id': `request${path.slice(1)}` } });
    await it.compared(Number(path.slice(1)));
  }
  const kept = it.disagreements() as { requestId: string; client: object; shadow: object }[];
  t.match(kept, [
    { requestId: 'request2', clientVersion: 'v1', shadowVersion: 'v2' },
    { requestId: 'request3', client: { class: 'a', path: '/3' }, shadow: { class: 'b', path: '/3' } },
  ]);
  t.equal(kept.length, 2);
  t.notMatch(JSON.stringify(kept), 'secret');
  it.swap(1);
  t.equal(it.disagreements().length, 2, 'a swap keeps them');
  it.swap(2, { observe: { ...SPEC, pairs: PAIRS } });
  t.strictSame(it.disagreements(), [], 'one that keeps none forgets them');
});

t.test('only stable’s answers are compared, and only with the version under judgement', async (t) => {
  const [ann] = usersOf('v2', 1) as [string];
  const it = await shadowed(t, saying(says('a')), { weightBp: 5_000, judged: { canary: 1 } });
  await it.client('/', { headers: { 'x-user-id': ann } });
  it.swap(1, { canary: 0 });
  const [sue] = usersOf('v1', 1) as [string];
  await it.client('/', { headers: { 'x-user-id': sue } });
  it.swap(0);
  await it.client('/', { headers: { 'x-user-id': sue } });
  await it.compared(1);
  t.strictSame(it.said(), { agree: 1 });
});

t.test('shed pairs are no pairs, and the budget is that of the samples', async (t) => {
  const it = await shadowed(t, saying(says('a')), { observe: { pairs: PAIRS, maxPerSecond: 0.001 } });
  for (let i = 0; i < 5; i++) await it.client('/');
  await it.read(5);
  t.strictSame(it.said(), { agree: 1 });
  t.match(it.counts('v1'), { sampled: 5, observed: 1, shed: 4 });
});
