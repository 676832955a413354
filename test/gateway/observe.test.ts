import { once } from 'node:events';
import zlib from 'node:zlib';
import t from 'tap';
import { bodyOf, headerOf } from '../support/http1.ts';
import { answer, type Call, chunk, type Script } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { until, within } from '../support/wait.ts';
import { as, classesOf, saying, says, scene, usersOf } from './observe-scene.ts';

/** Answers are read after their clients have them, and clients notice nothing of it. */

const [ann] = usersOf('v2', 1) as [string];
const [sue] = usersOf('v1', 1) as [string];
const JSON_HEAD = 'Content-Type: application/json';

t.test('what answers say is counted for their version', async (t) => {
  const { client, read, tally, counts } = await scene(t, {
    observe: {},
    judged: { unsure: [{ gate: 'confidence', below: 0.95 }] },
  });
  for (const user of [ann, ann, sue]) await client('/', as(user));
  await read(3);
  t.strictSame(classesOf(tally('v2')), { b: 2 });
  t.strictSame(classesOf(tally('v1')), { a: 1 });
  const bin = Math.floor(0.9 * 256);
  t.equal(tally('v2').allConfidence[bin], 2);
  t.equal(tally('v2').confidence[bin], 1, 'for the judge a user’s first answer counts');
  t.equal(tally('v2').classCounts[0], 1);
  t.strictSame([...tally('v2').firstUnsure], [1], 'of one user');
  t.strictSame(counts('v2'), { requests: 2, keys: 1, sampled: 2, observed: 2 });
});

/** A body with its content coding undone, as the client of a gateway that changes nothing finds it. */
const LARGE = JSON.stringify({ class: 'large', confidence: 0.5, pad: 'x'.repeat(700_000) });
const SMALL = JSON.stringify({ class: 'small', confidence: 0.5 });

/** How a model may send its answer, and the class that is read from it. */
const FORMS: readonly (readonly [name: string, script: Script, read: string])[] = [
  ['in one piece', saying(answer(200, SMALL, JSON_HEAD)), 'small'],
  ['large', saying(answer(200, LARGE, JSON_HEAD)), 'large'],
  [
    'byte by byte',
    async (call) => {
      await call.write(`HTTP/1.1 200 OK\r\nContent-Length: ${SMALL.length}\r\n\r\n`);
      await call.pieces(SMALL, 1);
    },
    'small',
  ],
  [
    'chunked, with a trailer',
    async (call) => {
      await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n');
      for (let i = 0; i < LARGE.length; i += 50_000) await call.write(chunk(LARGE.slice(i, i + 50_000)));
      await call.write('0\r\nX-End: yes\r\n\r\n');
    },
    'large',
  ],
  [
    'until the connection ends',
    async (call) => {
      await call.write(`HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n${SMALL}`);
      call.end();
    },
    'small',
  ],
  ...(['gzip', 'br', 'deflate', 'x-gzip', 'raw deflate', 'identity'] as const).map(
    (name) => [name, encoded(name, LARGE), 'large'] as const,
  ),
];

function encoded(name: string, text: string): Script {
  const pack: Record<string, (text: string) => Buffer> = {
    gzip: zlib.gzipSync,
    'x-gzip': zlib.gzipSync,
    br: zlib.brotliCompressSync,
    deflate: zlib.deflateSync,
    'raw deflate': zlib.deflateRawSync,
    identity: Buffer.from,
  };
  const body = (pack[name] as (text: string) => Buffer)(text);
  const coding = name.replace('raw ', '');
  const top = `HTTP/1.1 200 OK\r\nContent-Encoding: ${coding}\r\nContent-Length: ${body.length}\r\n\r\n`;
  return async (call) => {
    await call.write(Buffer.concat([Buffer.from(top), body]));
  };
}

for (const [name, script, wanted] of FORMS) {
  t.test(`${name}: the client gets the same bytes, and they are read`, async (t) => {
    const it = await scene(t, { canary: script, observe: {} });
    const get = async () => {
      const [got] = (await exchange(it.port, head('GET / HTTP/1.1', 'X-User-Id: '.concat(ann)))).answers;
      if (got === undefined || !got.complete) throw new Error('no whole answer');
      const headers = got.headers.filter(([held]) => !/^(?:date|x-request-id)$/i.test(held));
      return { body: bodyOf(got), headers, trailers: got.trailers, framing: got.framing };
    };
    const watched = await get();
    await it.read(1);
    t.strictSame(classesOf(it.tally('v2')), { [wanted]: 1 });
    it.swap(1, null);
    const plain = await get();
    t.ok(watched.body.equals(plain.body), 'the body');
    t.strictSame({ ...watched, body: 0 }, { ...plain, body: 0 }, 'the rest');
  });
}

t.test('a stream reaches its client event by event', async (t) => {
  const calls: Call[] = [];
  const it = await scene(t, {
    canary: (call) => calls.push(call),
    observe: { format: 'openai', class: null },
  });
  const client = await connectRaw({ port: it.port });
  client.send(head('GET / HTTP/1.1', `X-User-Id: ${ann}`));
  await it.canary.arrived(1);
  const call = calls[0] as Call;
  await call.write(
    'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n',
  );
  await client.heads();
  for (let i = 1; i <= 3; i++) {
    const event = {
      choices: [{ index: 0, delta: { content: 'x' }, finish_reason: i === 3 ? 'stop' : null }],
    };
    await call.write(chunk(`data: ${JSON.stringify(event)}\n\n`));
    // The next event is not sent before this one has come.
    await client.until(() => (client.answers[0]?.chunks.length ?? 0) >= i, `event ${i}`);
  }
  t.equal(it.counts('v2').sampled, undefined, 'nothing is read before the end');
  await call.write(`${chunk('data: [DONE]\n\n')}0\r\n\r\n`);
  await client.whole();
  await it.read(1);
  t.equal(it.counts('v2').observed, 1);
  t.strictSame(classesOf(it.tally('v2')), { stop: 1 });
});

t.test('how long an answer took can be read as its score', async (t) => {
  const body = { choices: [{ finish_reason: 'stop' }], usage: { completion_tokens: 5 } };
  const it = await scene(t, {
    canary: saying(answer(200, JSON.stringify(body))),
    observe: {
      format: 'openai',
      class: null,
      confidence: null,
      score: ['durationMs'],
      scoreRange: [0, 60_000],
    },
  });
  await it.client('/', as(ann));
  await it.read(1);
  t.equal(
    it.tally('v2').scores.reduce((a, b) => a + b, 0),
    1,
  );
  t.equal(it.tally('v2').scores[255], 0);
});

t.test('the next request of a connection is served while an answer is still being read', async (t) => {
  const it = await scene(t, { canary: encoded('br', LARGE), observe: {} });
  const client = await connectRaw({ port: it.port, discardBody: true });
  for (let i = 1; i <= 5; i++) {
    client.send(head('GET / HTTP/1.1', `X-User-Id: ${ann}`));
    await client.whole(i);
  }
  await it.read(5);
  t.equal(it.counts('v2').observed, 5);
});

t.test('a slow reader holds the upstream back as ever; the copy stops at its limit', async (t) => {
  const block = Buffer.alloc(64 * 1024, 'a');
  const blocks = 1_024;
  let written = 0;
  const it = await scene(t, {
    observe: { maxBytes: 100_000 },
    canary: async ({ connection: { socket } }) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (let i = 0; i < blocks; i++) {
        if (!socket.write(Buffer.concat([Buffer.from('10000\r\n'), block, Buffer.from('\r\n')]))) {
          await once(socket, 'drain');
        }
        written += block.length;
      }
      socket.write('0\r\n\r\n');
    },
  });
  const client = await connectRaw({ port: it.port, discardBody: true });
  client.send(head('GET / HTTP/1.1', `X-User-Id: ${ann}`));
  await client.heads();
  client.socket.pause();
  for (let before = -1; before !== written; ) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  t.ok(written < 40 << 20, `${written >> 20} MiB were taken from the upstream`);
  t.equal(it.counts('v2').sampled, undefined);
  client.socket.resume();
  await client.whole(1, 30_000);
  t.equal(client.answers[0]?.bodyBytes, blocks * block.length);
  await it.read(1);
  t.match(it.counts('v2'), { sampled: 1, tooLarge: 1 });
});

t.test('answers that were broken off are nobody’s evidence', async (t) => {
  const half = `HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"class": "a"}`;
  const held: Call[] = [];
  const it = await scene(t, {
    observe: {},
    canary: async (call) => {
      if (call.message.target === '/whole') return call.write(says('b'));
      await call.write(half);
      if (call.message.target === '/cut') call.reset();
      else held.push(call);
    },
  });
  await t.rejects(it.client('/cut', as(ann)));
  const client = await connectRaw({ port: it.port });
  client.send(head('GET /held HTTP/1.1', `X-User-Id: ${ann}`));
  await client.heads();
  client.reset();
  await within(held[0]?.gone() ?? Promise.reject(new Error('no call')), 'the upstream to be told');
  await it.client('/whole', as(ann));
  await it.read(1);
  t.match(it.counts('v2'), { sampled: 1, observed: 1 });
  t.strictSame(classesOf(it.tally('v2')), { b: 1 });
});

t.test('only answers that say something are read: 2xx with a body', async (t) => {
  const it = await scene(t, {
    observe: {},
    canary: async (call) => {
      await call.body();
      const status = Number(call.message.target.slice(1));
      await call.write(call.message.method === 'HEAD' ? answer(200) : answer(status, SMALL));
    },
  });
  for (const status of [404, 500, 302, 204]) await it.client(`/${status}`, as(ann));
  await it.client('/200', { ...as(ann), method: 'HEAD' });
  await it.client('/201', as(ann));
  await it.read(1);
  t.match(it.counts('v2'), { requests: 6, sampled: 1, observed: 1 });
});

const UNREADABLE: readonly (readonly [string, Script])[] = [
  ['no JSON', saying(answer(200, '<html>', 'Content-Type: text/html'))],
  ['empty', saying(answer(200, ''))],
  ['nothing of what is looked for', saying(answer(200, '{"other": 1}'))],
  ['a coding that nobody knows', saying(answer(200, SMALL, 'Content-Encoding: pack200'))],
  ['not what its coding says', saying(answer(200, SMALL, 'Content-Encoding: gzip'))],
  ['two codings', saying(answer(200, SMALL, 'Content-Encoding: gzip, br'))],
  ['deep', saying(answer(200, '['.repeat(200_000)))],
];
for (const [name, script] of UNREADABLE) {
  t.test(`unreadable: ${name}`, async (t) => {
    const it = await scene(t, { canary: script, observe: {} });
    t.equal((await it.client('/', as(ann))).status, 200);
    await it.read(1);
    t.match(it.counts('v2'), { sampled: 1, unreadable: 1 });
    t.equal(it.counts('v2').observed, undefined);
  });
}

t.test('too large: as told, as sent, and as unpacked', async (t) => {
  const bomb = encoded('gzip', JSON.stringify({ class: 'x'.repeat(5_000_000) }));
  const scripts: Record<string, Script> = {
    '/told': saying(answer(200, LARGE)),
    '/sent': async (call) => {
      await call.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(LARGE)}0\r\n\r\n`);
    },
    '/unpacked': bomb,
  };
  const it = await scene(t, {
    canary: (call) => scripts[call.message.target]?.(call),
    observe: { maxBytes: 100_000 },
  });
  for (const path of Object.keys(scripts)) t.equal((await it.client(path, as(ann))).status, 200);
  await it.read(3);
  t.match(it.counts('v2'), { sampled: 3, tooLarge: 3 });
});

t.test('a share of the answers, by the request’s id', async (t) => {
  const it = await scene(t, { observe: { share: 0.5 } });
  const ask = async () => {
    for (let i = 0; i < 60; i++) {
      await it.client('/', { headers: { 'x-user-id': ann, 'x-request-id': `request-${i}` } });
    }
  };
  await ask();
  it.swap(1);
  await ask();
  const sampled = (stage: number) => it.counts('v2', stage).sampled ?? 0;
  await until(() => sampled(1) > 0 && sampled(0) === sampled(1), 'the same ones to be read in both stages');
  t.ok(sampled(0) > 15 && sampled(0) < 45, `${sampled(0)} of 60`);
  it.swap(2, { observe: null });
  await it.client('/', as(ann));
  t.equal(it.counts('v2', 2).sampled, undefined);
});

t.test('another Split’s answers are read for the stage that they were asked in', async (t) => {
  const held: Call[] = [];
  const it = await scene(t, { canary: (call) => held.push(call), observe: {} });
  const late = it.client('/', as(ann));
  await it.canary.arrived(1);
  it.swap(1);
  await held[0]?.write(says('late'));
  await late;
  await it.read(1);
  t.strictSame(classesOf(it.tally('v2', 0)), { late: 1 });
  t.strictSame(it.counts('v2', 1), {});
});

t.test('each answer names its prediction, where a secret is set', async (t) => {
  const it = await scene(t, {
    judged: { predictionSecret: 'secret'.repeat(8) },
    canary: (call) =>
      call.write(call.message.target === '/404' ? answer(404) : says('b', 1, 'X-Prediction-Id: forged')),
  });
  const id = (reply: { headers: NodeJS.Dict<string | string[]> }) => reply.headers['x-prediction-id'];
  const one = id(await it.client('/', as(ann)));
  const two = id(await it.client('/', as(sue)));
  t.type(one, 'string');
  t.not(one, two);
  t.notMatch(one, 'forged');
  t.equal(id(await it.client('/404', as(ann))), undefined, 'an error is no prediction');
  it.swap(1, { predictionSecret: null });
  t.equal(id(await it.client('/', as(sue))), undefined);
  const raw = await exchange(it.port, head('GET / HTTP/1.1', `X-User-Id: ${ann}`));
  t.equal(headerOf(raw.answers[0]!, 'x-prediction-id'), 'forged', 'the model’s own is left alone then');
});
