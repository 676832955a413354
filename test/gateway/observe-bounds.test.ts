import zlib from 'node:zlib';
import t from 'tap';
import { Allowance } from '../../src/gateway/observe/allowance.ts';
import { answerHead, Capture, Memory } from '../../src/gateway/observe/capture.ts';
import type { Decoded } from '../../src/gateway/observe/decode.ts';
import { KeptPairs } from '../../src/gateway/observe/kept.ts';
import { type Readable, ReadQueue } from '../../src/gateway/observe/queue.ts';
import { answer, type Call } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { until } from '../support/wait.ts';
import { as, scene, usersOf } from './observe-scene.ts';

/** Everything that observation holds or uses is bounded, and what does not fit is counted as shed. */

const [ann] = usersOf('v2', 1) as [string];
const [sue] = usersOf('v1', 1) as [string];

t.test('an allowance: a second’s worth at first, then what a second earns', async (t) => {
  const allowance = new Allowance();
  t.equal(allowance.left(10, 5_000), 10);
  allowance.spend(10);
  t.equal(allowance.left(10, 5_000), 0);
  t.equal(allowance.left(10, 5_250), 2.5);
  t.equal(allowance.left(10, 60_000), 10, 'no more than a second’s worth is saved up');
  allowance.spend(25);
  t.equal(allowance.left(10, 61_000), -5, 'what was spent too much is paid back first');
  t.equal(allowance.left(10, 60_000), -5, 'a clock that goes back earns nothing');
  t.equal(new Allowance().left(0.5, 1_000, 1), 1, 'less than one a second is one now and then');
});

t.test('beyond so many a second, and without CPU, answers are shed; requests never', async (t) => {
  for (const observe of [{ maxPerSecond: 0.001 }, { cpuShare: 1e-9 }]) {
    const it = await scene(t, { observe });
    for (let i = 0; i < 10; i++) {
      t.equal((await it.client('/', as(ann))).status, 200);
      t.equal((await it.client('/', as(sue))).status, 200);
    }
    await it.read(20);
    const { v1, v2 } = { v1: it.counts('v1'), v2: it.counts('v2') };
    t.equal((v1.observed ?? 0) + (v2.observed ?? 0), 1, 'the first one found something left');
    t.equal((v1.shed ?? 0) + (v2.shed ?? 0), 19);
    t.equal((v1.requests ?? 0) + (v2.requests ?? 0), 20);
  }
});

t.test('budgets are the service’s and not the Split’s', async (t) => {
  const it = await scene(t, { observe: { maxPerSecond: 0.001 } });
  await it.client('/', as(ann));
  await it.read(1);
  it.swap(1);
  await it.client('/', as(ann));
  await until(() => it.counts('v2', 1).shed === 1, 'the next one to be shed');
  t.pass();
});

t.test('sampled answers are read, unreadable, too large or shed', async (t) => {
  const bodies = ['{"class": "a"}', 'nonsense', `{"class": "${'x'.repeat(3_000)}"}`];
  const it = await scene(t, {
    observe: { maxPerSecond: 40, maxBytes: 2_000 },
    canary: (call) => call.write(answer(200, bodies[call.nth % bodies.length])),
  });
  await Promise.all(Array.from({ length: 90 }, () => it.client('/', as(ann))));
  await it.read(90);
  const { sampled, observed = 0, unreadable = 0, tooLarge = 0, shed = 0 } = it.counts('v2');
  t.equal(sampled, 90);
  t.equal(observed + unreadable + tooLarge + shed, 90);
  for (const count of [observed, unreadable, tooLarge, shed]) t.ok(count > 0);
});

t.test('answers that were broken off give back what was held of them', async (t) => {
  const held: Call[] = [];
  const half = Buffer.alloc(1_000_000, 'x');
  const whole = answer(200, JSON.stringify({ class: 'b', pad: 'x'.repeat(900_000) }));
  const it = await scene(t, {
    observe: {},
    canary: async (call) => {
      if (call.message.target === '/whole') return call.write(whole);
      held.push(call);
      await call.write('HTTP/1.1 200 OK\r\nContent-Length: 1000001\r\n\r\n');
      await call.write(half);
    },
  });
  // More than all captures may hold together.
  for (let i = 0; i < 40; i++) {
    const client = await connectRaw({ port: it.port, discardBody: true });
    client.send(head('GET / HTTP/1.1', `X-User-Id: ${ann}`));
    await client.until(() => (client.answers[0]?.bodyBytes ?? 0) === half.length, 'the half');
    if (i % 2 === 1) client.reset();
    else held[i]?.reset();
    await client.closed();
    await held[i]?.gone();
  }
  await it.client('/whole', as(ann));
  await it.read(1);
  t.match(it.counts('v2'), { sampled: 1, observed: 1 });
});

const PLAIN = answerHead(['Content-Type', 'application/json']);

function captured(memory: Memory, body: Buffer, head = PLAIN): Capture {
  const capture = new Capture(memory, 1 << 20, head, () => 0);
  capture.add(body);
  capture.end();
  return capture;
}

t.test('captures are bounded alone and together, and give back what they held', async (t) => {
  const memory = new Memory(100);
  const one = new Capture(memory, 60, PLAIN, () => 0);
  one.add(Buffer.alloc(30));
  one.add(Buffer.alloc(30));
  t.equal(memory.bytes, 60);
  one.add(Buffer.alloc(1));
  t.equal(one.state, 'too_large');
  t.equal(memory.bytes, 0, 'at once');
  const others = [50, 50, 1].map((bytes) => {
    const capture = new Capture(memory, 60, PLAIN, () => 0);
    capture.add(Buffer.alloc(bytes));
    return capture;
  });
  t.strictSame(
    others.map(({ state }) => state),
    ['open', 'open', 'shed'],
  );
  t.ok(memory.full);
  for (const capture of [one, ...others, ...others]) capture.release();
  t.equal(memory.bytes, 0, 'once each');
  others[0]?.add(Buffer.alloc(5));
  t.equal(memory.bytes, 0, 'and nothing is taken after that');
  t.equal(new Capture(memory, 60, { ...PLAIN, length: 61 }, () => 0).state, 'too_large');
});

t.test('a capture is a copy', async (t) => {
  const chunk = Buffer.from('before');
  const capture = captured(new Memory(100), chunk);
  chunk.write('after!');
  t.equal(capture.body().toString(), 'before');
});

t.test('what matters of a head, as texts or bytes, whatever its case', async (t) => {
  const flat = [
    'CONTENT-TYPE',
    'Application/JSON',
    'content-length',
    '12',
    'X-Content-Type',
    'no',
    'Content-Encoding',
    ' GZip ',
  ];
  const wanted = { type: 'application/json', encoding: 'gzip', length: 12 };
  t.strictSame(answerHead(flat), wanted);
  t.strictSame(answerHead(flat.map((text) => Buffer.from(text))), wanted);
  t.strictSame(answerHead([]), { type: '', encoding: '', length: -1 });
});

class Item implements Readable {
  readonly captures: readonly Capture[];
  readonly maxBytes = 1 << 20;
  readonly log: string[];
  budgetMs: number;
  readonly onRead: (decoded: readonly Decoded[]) => void;

  constructor(
    captures: readonly Capture[],
    log: string[],
    budgetMs: number,
    onRead = (_: readonly Decoded[]) => {},
  ) {
    this.captures = captures;
    this.log = log;
    this.budgetMs = budgetMs;
    this.onRead = onRead;
  }

  mayRead(): boolean {
    return this.budgetMs > 0;
  }

  charge(ms: number): void {
    this.budgetMs -= ms;
  }

  read(decoded: readonly Decoded[]): void {
    for (const capture of this.captures) capture.release();
    this.onRead(decoded);
    this.log.push('read');
  }

  shed(): void {
    for (const capture of this.captures) capture.release();
    this.log.push('shed');
  }

  fail(): void {
    this.log.push('fail');
  }
}

/** Its clock moves only where reading makes it. */
function queueOn(clock: { ms: number }): ReadQueue {
  return new ReadQueue(
    { nowMs: () => clock.ms, wallMs: () => 0 },
    { debug() {}, info() {}, warn() {}, error() {} },
  );
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

t.test('nothing is read in the turn in which it came, and a slice at a time after that', async (t) => {
  const clock = { ms: 0 };
  const queue = queueOn(clock);
  const log: string[] = [];
  const slow = () => {
    clock.ms += 0.6;
  };
  for (let i = 0; i < 6; i++)
    queue.submit(new Item([captured(queue.memory, Buffer.from('{}'))], log, 100, slow));
  t.equal(log.length, 0);
  const turns: number[] = [];
  while (queue.size > 0) {
    await nextTurn();
    turns.push(log.length);
  }
  t.strictSame(turns, [2, 4, 6]);
  t.equal(queue.memory.bytes, 0);
});

t.test('the queue takes so many and sheds the rest; it drains', async (t) => {
  const queue = queueOn({ ms: 0 });
  const log: string[] = [];
  for (let i = 0; i < 1_500; i++) queue.submit(new Item([captured(queue.memory, Buffer.from('{}'))], log, 1));
  t.equal(queue.size, 1_024);
  t.equal(log.length, 1_500 - 1_024, 'shed at once');
  await until(() => queue.size === 0, 'the queue to drain');
  t.equal(log.filter((what) => what === 'read').length, 1_024);
  t.equal(queue.memory.bytes, 0);
});

t.test('unpacking is off the event loop, counted as held, and charged', async (t) => {
  const queue = queueOn({ ms: 0 });
  const log: string[] = [];
  const text = Buffer.alloc(300_000, 'x');
  const gzip = { ...PLAIN, encoding: 'gzip' };
  let held = 0;
  const item = new Item(
    [captured(queue.memory, zlib.gzipSync(text), gzip), captured(queue.memory, Buffer.from('{}'))],
    log,
    100,
    ([packed, plain]) => {
      held = queue.memory.bytes;
      t.ok(packed?.kind === 'bytes' && packed.bytes.equals(text));
      t.ok(plain?.kind === 'bytes' && plain.bytes.equals(Buffer.from('{}')));
    },
  );
  queue.submit(item);
  await nextTurn();
  t.strictSame(log, []);
  await until(() => queue.size === 0, 'the queue to drain');
  t.strictSame(log, ['read']);
  t.equal(held, text.length);
  t.equal(queue.memory.bytes, 0);
  t.equal(item.budgetMs, 98, 'two milliseconds for 300 kB');
});

t.test('encoded answers wait in a bounded line as well, and without CPU are not unpacked', async (t) => {
  const queue = queueOn({ ms: 0 });
  const log: string[] = [];
  const packed = zlib.gzipSync('{}');
  const gzip = { ...PLAIN, encoding: 'gzip' };
  for (let i = 0; i < 1_100; i++) queue.submit(new Item([captured(queue.memory, packed, gzip)], log, i % 2));
  t.equal(log.length, 76);
  await until(() => queue.size === 0, 'the queue to drain');
  t.equal(log.filter((what) => what === 'read').length, 512);
  t.equal(log.filter((what) => what === 'shed').length, 588);
  t.equal(queue.memory.bytes, 0);
});

t.test('a reading that throws ends nothing but itself', async (t) => {
  const queue = queueOn({ ms: 0 });
  const log: string[] = [];
  const capture = () => [captured(queue.memory, Buffer.from('{}'))];
  queue.submit(
    new Item(capture(), log, 1, () => {
      throw new Error('a fault');
    }),
  );
  queue.submit(new Item(capture(), log, 1));
  await until(() => queue.size === 0, 'the queue to drain');
  t.strictSame(log, ['fail', 'read']);
});

t.test('kept pairs: the newest, so many and so much', async (t) => {
  const kept = new KeptPairs();
  const pair = (requestId: string) => ({
    atMs: 0,
    requestId,
    clientVersion: 'v1',
    shadowVersion: 'v2',
    client: 1,
    shadow: 2,
  });
  const ids = () => kept.list().map(({ requestId }) => requestId);
  for (const id of ['a', 'b', 'c']) kept.add(pair(id), 10, 2);
  t.strictSame(ids(), ['b', 'c']);
  kept.add(pair('large'), 4 * 1024 * 1024, 2);
  t.strictSame(ids(), ['large']);
  kept.add(pair('too large'), 5 * 1024 * 1024, 2);
  t.strictSame(ids(), []);
  kept.add(pair('d'), 10, 2);
  kept.bound(0);
  t.strictSame(ids(), []);
});
