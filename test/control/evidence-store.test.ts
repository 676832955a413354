import { createHash } from 'node:crypto';
import {
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { type Disk, nodeDisk } from '../../src/control/store/disk.ts';
import { evidenceCodec, MAX_EVIDENCE_BYTES } from '../../src/control/store/evidence-codec.ts';
import { sparse } from '../../src/control/store/evidence-shape.ts';
import { ASIDE, createRecordStore } from '../../src/control/store/file-store.ts';
import { armOf, type Slice } from '../../src/core/judge/evidence.ts';
import { evidenceText } from '../support/evidence-store.ts';
import { savedJudge, savedJudges, someSlice } from '../support/saved-judge.ts';

const NAME = 'iris-api';

async function stored(t: Test) {
  const dir = join(t.testdir({}), 'evidence');
  const store = createRecordStore(dir, evidenceCodec);
  await store.save(NAME, savedJudge(), 0);
  const file = join(dir, `${NAME}.json`);
  return { dir, store, file, text: readFileSync(file, 'utf8') };
}

t.test('the file is private and says what it is', async (t) => {
  const { file, text } = await stored(t);
  t.equal(statSync(file).mode & 0o777, 0o600);
  const [head = '', ...rest] = text.split('\n');
  t.match(JSON.parse(head), {
    format: 'coalmine-evidence',
    version: 2,
    service: NAME,
    revision: 1,
    checksum: /^[0-9a-f]{64}$/,
  });
  const { about, sides } = JSON.parse(rest.join(' '));
  t.match({ about, slices: sides[0].evidence.slices.length }, { about: savedJudge().about, slices: 1 });
  t.ok(text.endsWith('}'), 'without a line break at the end');
});

t.test('whatever happens to a byte of it, it is told', async (t) => {
  const { text } = await stored(t);
  const bytes = Buffer.from(text);
  fc.assert(
    fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
      const other = Buffer.from(bytes);
      other[at] = (other[at] as number) ^ flip;
      t.equal(evidenceCodec.decode(NAME, other).kind, 'damaged', `byte ${at}`);
      t.equal(evidenceCodec.decode(NAME, bytes.subarray(0, at)).kind, 'damaged', `${at} bytes of it`);
    }),
    { numRuns: 300 },
  );
});

t.test('any text is read without a throw', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      t.equal(evidenceCodec.decode(NAME, bytes).kind, 'damaged');
      t.equal(evidenceCodec.revisionOf(NAME, bytes).kind, 'damaged');
    }),
  );
});

t.test('what it says is why it cannot be used', async (t) => {
  const { store, file, text } = await stored(t);
  const [head = '', ...lines] = text.split('\n');
  const withHead = (changes: object) =>
    [JSON.stringify({ ...JSON.parse(head), ...changes }), ...lines].join('\n');
  const cases: readonly [string, string, RegExp][] = [
    ['empty', '', /is empty/],
    ['a rollout’s state', '{"format":"coalmine-rollout","version":2}', /its first line must be an object/],
    ['another format', withHead({ format: 'coalmine-rollout' }), /its format must be “coalmine-evidence”/],
    ['a newer one', withHead({ version: 3 }), /its version must be 1 or 2, not 3: another Coalmine wrote it/],
    ['of another service', withHead({ service: 'other' }), /its service must be "iris-api"/],
    ['another revision', withHead({ revision: 7 }), /its checksum is wrong/],
    ['no revision', withHead({ revision: 0 }), /its revision must be a whole number/],
    ['cut short', text.slice(0, -30), /cut short/],
    ['longer', `${text} `, /its checksum is wrong/],
    ['another version', withHead({ version: 1 }), /its checksum is wrong/],
    ['two lines swapped', [head, ...lines.toReversed()].join('\n'), /its checksum is wrong/],
    ['a line break more', `${text}\n`, /its checksum is wrong/],
    ['a line break less', text.replace(/\n([^\n]*)$/, ' $1'), /its checksum is wrong/],
  ];
  for (const [name, content, reason] of cases) {
    writeFileSync(file, content);
    t.match(await store.load(NAME), { kind: 'damaged', where: file, reason }, name);
  }
});

t.test('a sound checksum over evidence that makes no sense', async (t) => {
  const slice = someSlice();
  const cases: readonly [string, readonly Slice[], RegExp][] = [
    ['twice the same slice', [slice, slice], /slices\[1\] must be after the one before it/],
    ['backwards', [{ ...slice, stage: 2 }, slice], /after the one before it/],
    ['a share beyond all', [{ ...slice, w: 1.5 }], /slices\[0\]\[2\] must be from 0 to 1/],
    ['half a user', [{ ...slice, canary: armOf({ keys: 0.5 }) }], /\[4\]\.n\[3\] must be a whole number/],
    [
      'less than nothing',
      [{ ...slice, canary: armOf({ classes: { a: -1 } }) }],
      /classes\.a must be a whole/,
    ],
    ['endless', [{ ...slice, canary: armOf({ latency: Array(5_000).fill(1) }) }], /at most 4096/],
  ];
  for (const [name, slices, reason] of cases) {
    const text = evidenceText(NAME, savedJudge({}, slices), 1);
    t.match(evidenceCodec.decode(NAME, Buffer.from(text)), { kind: 'damaged', reason }, name);
  }
});

t.test('what would be too large is not written', async (t) => {
  const { store, text, file } = await stored(t);
  const large = savedJudge({ counted: [{ text: 'A'.repeat(MAX_EVIDENCE_BYTES) }] });
  await t.rejects(store.save(NAME, large, 1), { message: /the evidence of iris-api.*too large/ });
  t.equal(readFileSync(file, 'utf8'), text);
});

t.test('damaged evidence moves aside, and a new one takes its place', async (t) => {
  const { dir, store, file } = await stored(t);
  truncateSync(file, 100);
  const cut = readFileSync(file);
  await t.rejects(
    store.save(NAME, savedJudge(), 0),
    /not to be overwritten: it does not hold evidence: its first line must be an object/,
  );
  await store.setAside(NAME, 'damaged');
  t.equal(await store.save(NAME, savedJudge(), 0), 1);
  t.ok(readFileSync(`${file}${ASIDE.damaged}`).equals(cut));
  t.match(await store.load(NAME), { kind: 'found', revision: 1 });
  t.strictSame(readdirSync(dir).sort(), ['iris-api.json', 'iris-api.json.damaged']);
});

t.test('evidence that was not read moves aside whole, beside what was damaged', async (t) => {
  const { dir, store, file, text } = await stored(t);
  writeFileSync(`${file}${ASIDE.damaged}`, 'from before');
  await store.setAside(NAME, 'unread');
  t.equal(readFileSync(`${file}${ASIDE.unread}`, 'utf8'), text);
  t.strictSame(readdirSync(dir).sort(), ['iris-api.json.damaged', 'iris-api.json.unread']);
  t.equal(await store.save(NAME, savedJudge(), 0), 1);
});

t.test('damaged evidence that somebody has moved away is no failure', async (t) => {
  const { store, file } = await stored(t);
  unlinkSync(file);
  await store.setAside(NAME, 'damaged');
  t.equal(await store.save(NAME, savedJudge(), 0), 1);
});

t.test('what is removed is gone, and nothing is no failure', async (t) => {
  const { store, file } = await stored(t);
  await store.remove(NAME);
  t.notOk(existsSync(file));
  t.strictSame(await store.load(NAME), { kind: 'none' });
  await store.remove(NAME);
  t.equal(await store.save(NAME, savedJudge(), 0), 1);
});

t.test('a day of six gates at 300 requests a second stays well under a megabyte', async (t) => {
  // As the collector cuts them: a minute each, later a sixtieth of the time so far.
  const slices: Slice[] = [];
  for (let minutes = 0; minutes < 24 * 60; ) {
    const lasts = Math.max(1, minutes / 60);
    const counts = (share: number, length: number, empty = 0) =>
      Array.from({ length }, (_, i) =>
        i < empty ? 0 : Math.round((18_000 * lasts * share) / (length - empty) + (i % 7)),
      );
    const arm = (share: number) =>
      armOf({
        requests: Math.round(18_000 * lasts * share),
        errors: 12,
        firstErrors: 9,
        keys: Math.round(9_000 * lasts * share),
        latency: counts(share, 20),
        firstSlow: { latency: 31, 'latency/frozen': 28 },
        classes: Object.fromEntries(counts(share, 10).map((count, i) => [`class-${i}`, count])),
        scores: counts(share, 10),
        confidence: counts(share, 256, 128),
        firstUnsure: { confidence: 77 },
        kpis: { click: { events: 412, firsts: 398 } },
      });
    const spanMs = lasts * 60_000 + 0.123456789;
    slices.push({ stage: 0, index: slices.length, w: 0.05, spanMs, canary: arm(0.05), stable: arm(0.95) });
    minutes += lasts;
  }
  const chars = evidenceText(NAME, savedJudge({}, slices), 1).length;
  t.comment(`${slices.length} slices, ${Math.round(chars / 1_024)} KB`);
  t.ok(chars < 600_000);
});

t.test('zeros cost nothing', async (t) => {
  t.strictSame(sparse([]), []);
  t.strictSame(sparse([0, 0, 0]), [-3]);
  t.strictSame(sparse([1, 0, 2, 0, 0]), [1, -1, 2, -2]);
});

t.test('evidence of an earlier Coalmine, in one line, is gone on with', async (t) => {
  const { store, file, text } = await stored(t);
  const [, ...lines] = text.split('\n');
  for (const counted of ['AAAAAAAB', '']) {
    const body = JSON.stringify({ ...JSON.parse(lines.join('')), counted });
    const head = { format: 'coalmine-evidence', version: 1, service: NAME, revision: 7 };
    const checksum = createHash('sha256')
      .update(`${JSON.stringify(head)}\n`)
      .update(body)
      .digest('hex');
    writeFileSync(file, `${JSON.stringify({ ...head, checksum })}\n${body}`);
    const state = savedJudge({ counted: counted === '' ? [] : [{ text: counted }] });
    t.strictSame(await store.load(NAME), { kind: 'found', revision: 7, state });
    writeFileSync(file, `${JSON.stringify({ ...head, checksum })}\n${body.replace('20', '21')}`);
    t.match(await store.load(NAME), { kind: 'damaged', reason: /its checksum is wrong/ });
  }
  writeFileSync(file, text);
  t.equal(await store.save(NAME, savedJudge(), 1), 2);
});

t.test('of a long evidence a save writes down what has changed, and reads the first line', async (t) => {
  let looks = 0;
  const watched = (index: number): Slice => ({
    ...someSlice({ index }),
    get w() {
      looks++;
      return 0.05;
    },
  });
  const slices = Array.from({ length: 200 }, (_, index) => watched(index));
  const reads: number[] = [];
  const disk: Disk = {
    ...nodeDisk,
    async read(path, most) {
      const bytes = await nodeDisk.read(path, most);
      reads.push(bytes?.length ?? 0);
      return bytes;
    },
  };
  const store = createRecordStore(join(t.testdir({}), 'evidence'), evidenceCodec, disk);
  await store.save(NAME, savedJudge({}, slices), 0);
  t.equal(looks, 200);
  await store.save(NAME, savedJudge({}, [...slices.slice(0, -1), watched(199)]), 1);
  await store.save(NAME, savedJudge({}, [...slices, watched(200)]), 2);
  t.equal(looks, 200 + 1 + 2, 'the last one, and the one that was the last before');
  t.ok(Math.max(...reads) <= 65_536);
  t.match(await store.load(NAME), { kind: 'found', revision: 3 });
});

t.test('the second time a slice is written it has not changed', async (t) => {
  fc.assert(
    fc.property(savedJudges, (saved) => {
      const text = evidenceText(NAME, saved, 1);
      t.equal(evidenceText(NAME, saved, 1), text);
      t.equal(evidenceText(NAME, structuredClone(saved), 1), text);
    }),
    { numRuns: 50 },
  );
});
