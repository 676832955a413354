import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { encode } from '../../src/control/store/codec.ts';
import { type Disk, nodeDisk } from '../../src/control/store/disk.ts';
import { createFileStore } from '../../src/control/store/file-store.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { StoreConflict } from '../../src/ports.ts';
import { metricState, rolloutState, runState } from '../support/rollout-state.ts';

const NAME = 'iris-api';

/** A store with one saved state, and where it keeps it. */
async function stored(t: Test) {
  const dir = join(t.testdir({}), 'a', 'state');
  const store = createFileStore(dir);
  await store.save(NAME, rolloutState(), 0);
  const file = join(dir, `${NAME}.json`);
  return { dir, store, file, bytes: readFileSync(file) };
}

/** A file with a right checksum, whatever its state; made apart from the product's own encoder. */
function forgedFile(state: unknown): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, member]) => [key, sorted(member)]),
    );
  };
  const body = { format: 'coalmine-rollout', version: 2, service: NAME, revision: 1, state };
  const checksum = createHash('sha256')
    .update(JSON.stringify(sorted(body)))
    .digest('hex');
  return JSON.stringify({ ...body, checksum });
}

t.test('folder and file are private, and the file says what it is', async (t) => {
  const { dir, file } = await stored(t);
  t.equal(statSync(dir).mode & 0o777, 0o700);
  t.equal(statSync(file).mode & 0o777, 0o600);
  t.strictSame(readdirSync(dir), ['iris-api.json'], 'nothing else is left there');
  const { checksum, ...rest } = JSON.parse(readFileSync(file, 'utf8'));
  t.match(checksum, /^[0-9a-f]{64}$/);
  t.strictSame(rest, {
    format: 'coalmine-rollout',
    version: 2,
    service: NAME,
    revision: 1,
    state: rolloutState(),
  });
});

t.test('loading makes no folder', async (t) => {
  const dir = join(t.testdir({}), 'state');
  t.strictSame(await createFileStore(dir).load(NAME), { kind: 'none' });
  t.notOk(existsSync(dir));
});

t.test('a file that was only written anew by a tool is read', async (t) => {
  const { store, file, bytes } = await stored(t);
  const { state, ...rest } = JSON.parse(bytes.toString());
  writeFileSync(file, `${JSON.stringify({ state, ...rest }, null, 2)}\n`);
  t.strictSame(await store.load(NAME), { kind: 'found', state: rolloutState(), revision: 1 });
});

t.test('cut at any place a file is damaged, and stays as it is', async (t) => {
  const { dir, store, file, bytes } = await stored(t);
  const whole = bytes.length;
  for (let length = 0; length < whole; length++) {
    const part = bytes.subarray(0, length);
    writeFileSync(file, part);
    const found = await store.load(NAME);
    if (found.kind !== 'damaged') t.fail(`${length} of ${whole} bytes give ${found.kind}`);
    if (length % 97 !== 0) continue;
    t.match(found, { where: file, reason: /(is empty|cut short); move it away to begin anew$/ });
    await t.rejects(store.save(NAME, rolloutState(), 1), /could not be saved .* not to be overwritten/);
    t.ok(part.equals(readFileSync(file)), 'untouched');
  }
  t.strictSame(readdirSync(dir), ['iris-api.json']);
});

t.test('any one byte changed is noticed', async (t) => {
  const { store, file, bytes } = await stored(t);
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ flip;
      writeFileSync(file, changed);
      return (await store.load(NAME)).kind === 'damaged';
    }),
    { numRuns: 500 },
  );
});

t.test('what is no state of this service is damaged, and says why', async (t) => {
  const { file, store, bytes } = await stored(t);
  const sound = JSON.parse(bytes.toString());
  const other = encode('other', rolloutState('other'), 1);
  const cases: [string, string | Buffer, RegExp][] = [
    ['a foreign file', '{"hello":"world"}', /format is not “coalmine-rollout”/],
    ['a list', '[]', /the file must be an object/],
    ['a number', '7', /the file must be an object/],
    ['no text', Buffer.from([0xff, 0xfe, 0x00]), /is not JSON/],
    ['a newer version', JSON.stringify({ ...sound, version: 3 }), /newer Coalmine \(version 3; .* reads 2\)/],
    ['an odd version', JSON.stringify({ ...sound, version: '1' }), /version that is not known/],
    ['another revision', JSON.stringify({ ...sound, revision: 7 }), /checksum is wrong/],
    ['no checksum', JSON.stringify({ ...sound, checksum: undefined }), /checksum is wrong/],
    ['an added key', JSON.stringify({ ...sound, note: '' }), /checksum is wrong/],
    ['another service', other, /belongs to another service, "other"/],
    ['nesting without end', `${'['.repeat(200_000)}${']'.repeat(200_000)}`, /must be an object|sense of/],
    [
      'nesting without end inside',
      `{"format":"coalmine-rollout","version":2,"state":${'['.repeat(200_000)}${']'.repeat(200_000)}}`,
      /cannot be made sense of|not JSON/,
    ],
  ];
  for (const [name, text, reason] of cases) {
    writeFileSync(file, text);
    t.match(await store.load(NAME), { kind: 'damaged', where: file, reason }, name);
    await t.rejects(store.save(NAME, rolloutState(), 1), reason, `${name} is not overwritten`);
    t.ok(Buffer.from(text).equals(readFileSync(file)), `${name} stays`);
  }
  writeFileSync(file, bytes);
  t.match(await store.load(NAME), { kind: 'found' }, 'and the sound one is sound again');
});

t.test('a state that could not be read back is not written', async (t) => {
  const { file, store, bytes } = await stored(t);
  const wrong: [string, unknown, RegExp][] = [
    ['NaN', rolloutState(NAME, { clockMs: Number.NaN }), /state\.clockMs must be a finite number/],
    [
      'infinity',
      rolloutState(NAME, { background: runState({ startedAtMs: Infinity }) }),
      /state\.background\.startedAtMs/,
    ],
    ['another service', rolloutState('other'), /state\.service must be iris-api/],
    ['a share beyond everyone', rolloutState(NAME, { weightOverrideBp: 10_001 }), /weightOverrideBp/],
    [
      'an unknown progress',
      { ...rolloutState(), progress: { kind: 'flying' } },
      /progress\.kind must be one of/,
    ],
    ['a foreign field', { ...rolloutState(), color: 'red' }, /state\.color must be left out/],
    ['a missing field', { ...rolloutState(), canary: undefined }, /state\.canary must be a text/],
    [
      'a field of another kind',
      { ...rolloutState(), progress: { kind: 'idle', cause: '' } },
      /state\.progress\.cause must be left out/,
    ],
    [
      'a part of a count',
      rolloutState(NAME, { background: runState({ metrics: [metricState({ failed: 0.5 })] }) }),
      /state\.background\.metrics\[0\]\.failed must be a whole number/,
    ],
  ];
  for (const [name, state, reason] of wrong) {
    await t.rejects(store.save(NAME, state as RolloutState, 1), reason, name);
  }
  t.ok(bytes.equals(readFileSync(file)));
});

t.test('a state of the wrong shape is damaged even with a right checksum', async (t) => {
  const { file, store } = await stored(t);
  const text = forgedFile({ ...rolloutState(), userPaused: 'yes' });
  writeFileSync(file, text);
  t.match(await store.load(NAME), {
    kind: 'damaged',
    reason: /does not hold a rollout's state: state\.userPaused must be true or false/,
  });
  writeFileSync(file, forgedFile(rolloutState()));
  t.match(await store.load(NAME), { kind: 'found' }, 'the forger knows the checksum');
});

t.test('moved away, a damaged file makes room for a new beginning', async (t) => {
  const { file, store } = await stored(t);
  writeFileSync(file, '');
  t.match(await store.load(NAME), { kind: 'damaged' });
  renameSync(file, `${file}.bad`);
  t.strictSame(await store.load(NAME), { kind: 'none' });
  t.equal(await store.save(NAME, rolloutState(), 0), 1);
});

t.test('what is no plain file is damaged', async (t) => {
  const { dir, store, file } = await stored(t);
  mkdirSync(join(dir, 'folder.json'));
  symlinkSync(file, join(dir, 'link.json'));
  symlinkSync(join(dir, 'gone'), join(dir, 'dangling.json'));
  const cases: [string, RegExp][] = [
    ['folder', /is a folder; move it away/],
    ['link', /symbolic link; move it away/],
    ['dangling', /symbolic link/],
  ];
  for (const [name, reason] of cases) {
    t.match(await store.load(name), { kind: 'damaged', where: join(dir, `${name}.json`), reason });
    await t.rejects(store.save(name, rolloutState(name), 0), /not to be overwritten/);
  }
});

t.test('a state folder that is a file', async (t) => {
  const dir = join(t.testdir({ state: 'text' }), 'state');
  const store = createFileStore(dir);
  t.match(await store.load(NAME), { kind: 'unreadable', reason: /cannot be read \(ENOTDIR\)/ });
  await t.rejects(store.save(NAME, rolloutState(), 0), /the state folder is not a folder/);
  t.equal(readFileSync(dir, 'utf8'), 'text');
});

/** Root may read everything, so that it has to be someone else for a while. */
async function withoutRights(paths: readonly string[], work: () => Promise<void>): Promise<void> {
  const root = process.geteuid?.() === 0;
  const modes = paths.map((path) => statSync(path).mode);
  for (const path of paths) chmodSync(path, 0o500);
  if (root) process.seteuid?.(65_534);
  try {
    await work();
  } finally {
    if (root) process.seteuid?.(0);
    for (const [index, path] of paths.entries()) chmodSync(path, modes[index] ?? 0o700);
  }
}

t.test('what may not be read or written says so', async (t) => {
  const { dir, store, file, bytes } = await stored(t);
  chmodSync(file, 0o000);
  await withoutRights([dir], async () => {
    t.match(await store.load(NAME), { kind: 'unreadable', where: file, reason: /cannot be read \(EACCES\)/ });
    await t.rejects(store.save(NAME, rolloutState(), 1), /the folder may not be written to \(EACCES\)/);
  });
  chmodSync(file, 0o600);
  t.ok(bytes.equals(readFileSync(file)));
  t.equal(await store.save(NAME, rolloutState(), 1), 2, 'and works once it may');
});

/** A disk that fails where `fails` names the call. */
function failingDisk(fails: { call: keyof Disk | null }, code: string, calls: string[] = []): Disk {
  const guard =
    <A extends unknown[], R>(name: keyof Disk, real: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      calls.push(name);
      if (fails.call === name) throw Object.assign(new Error(`${code}: no`), { code });
      return real(...args);
    };
  return {
    makeFolder: guard('makeFolder', nodeDisk.makeFolder),
    create: guard('create', nodeDisk.create),
    rename: guard('rename', nodeDisk.rename),
    syncFolder: guard('syncFolder', nodeDisk.syncFolder),
    remove: guard('remove', nodeDisk.remove),
    list: guard('list', nodeDisk.list),
    read: guard('read', nodeDisk.read),
  };
}

t.test('a disk that fails to give a file says nothing against the file', async (t) => {
  const { dir, file } = await stored(t);
  for (const code of ['EMFILE', 'ENFILE', 'EIO', 'ENOMEM', 'ESTALE']) {
    const store = createFileStore(dir, failingDisk({ call: 'read' }, code));
    t.match(await store.load(NAME), { kind: 'unreadable', where: file, reason: `cannot be read (${code})` });
    await t.rejects(store.save(NAME, rolloutState(), 1), /is not to be overwritten: it cannot be read/);
  }
});

t.test('of many services that are asked for together a few have a file open', async (t) => {
  const { dir } = await stored(t);
  let reading = 0;
  let most = 0;
  const disk: Disk = {
    ...nodeDisk,
    async read(path, bytes) {
      most = Math.max(most, ++reading);
      try {
        return await nodeDisk.read(path, bytes);
      } finally {
        reading--;
      }
    },
  };
  const store = createFileStore(dir, disk);
  const names = [NAME, ...Array.from({ length: 200 }, (_, n) => `other-${n}`)];
  const loaded = await Promise.all(names.map((name) => store.load(name)));
  t.strictSame(
    loaded.map(({ kind }) => kind),
    names.map((name) => (name === NAME ? 'found' : 'none')),
  );
  t.ok(most <= 16, `${most} at once`);
});

t.test('a save syncs the file, compares, renames and syncs the folder, in this order', async (t) => {
  const calls: string[] = [];
  const store = createFileStore(join(t.testdir({}), 's'), failingDisk({ call: null }, '', calls));
  await store.save(NAME, rolloutState(), 0);
  t.strictSame(calls, ['makeFolder', 'create', 'read', 'rename', 'syncFolder']);
});

t.test('file and folder are synced, and so are the folders above one that was made', async (t) => {
  const base = t.testdir({});
  const handle = await open(base, 'r');
  const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void> };
  await handle.close();
  const real = prototype.sync;
  const synced: string[] = [];
  prototype.sync = async function (this: FileHandle) {
    synced.push((await this.stat()).isDirectory() ? 'folder' : 'file');
    await real.call(this);
  };
  t.teardown(() => {
    prototype.sync = real;
  });
  const store = createFileStore(join(base, 'x', 'y'));
  await store.save(NAME, rolloutState(), 0);
  t.strictSame(synced, ['folder', 'folder', 'file', 'folder']);
  synced.length = 0;
  await store.save(NAME, rolloutState(), 1);
  t.strictSame(synced, ['file', 'folder']);
});

t.test('wherever a save fails, the old or the new state is there, and saving goes on', async (t) => {
  for (const call of ['makeFolder', 'create', 'read', 'rename', 'syncFolder'] as const) {
    const dir = join(t.testdir({}), call);
    const fails: { call: keyof Disk | null } = { call: null };
    const store = createFileStore(dir, failingDisk(fails, 'ENOSPC'));
    const revision = await store.save(NAME, rolloutState(), 0);
    fails.call = call;
    const saving = store.save(NAME, rolloutState(NAME, { number: 4 }), revision);
    await t.rejects(
      saving,
      call === 'read' ? /ENOSPC/ : /could not be saved .*: the disk is full \(ENOSPC\)/,
    );
    t.strictSame(readdirSync(dir), ['iris-api.json'], `${call}: no leftover`);
    fails.call = null;
    const found = await createFileStore(dir).load(NAME);
    t.match(found, { kind: 'found', state: { number: call === 'syncFolder' ? 4 : 3 } }, call);
    // The caller was told that it failed, so that it comes with the revision it knows.
    const next = await store.save(NAME, rolloutState(NAME, { number: 5 }), revision);
    t.ok(next > revision);
    t.match(await store.load(NAME), { kind: 'found', revision: next, state: { number: 5 } });
  }
});

t.test('another process on the same folder is noticed up to the last moment', async (t) => {
  const dir = join(t.testdir({}), 'state');
  const other = createFileStore(dir);
  const meddling: Disk = {
    ...nodeDisk,
    async create(path, text) {
      await nodeDisk.create(path, text);
      await other.save(NAME, rolloutState(NAME, { number: 8 }), 1);
    },
  };
  await other.save(NAME, rolloutState(), 0);
  await t.rejects(createFileStore(dir, meddling).save(NAME, rolloutState(), 1), StoreConflict);
  t.match(await other.load(NAME), { kind: 'found', revision: 2, state: { number: 8 } });
  t.strictSame(readdirSync(dir), ['iris-api.json']);
});

t.test('leftovers of a crashed write are removed and never read; other files are not touched', async (t) => {
  const { dir, store } = await stored(t);
  const newer = encode(NAME, rolloutState(NAME, { number: 9 }), 9);
  const keep = ['iris-api.json.bak', 'iris-api.json.0123456789ab.tmp.txt', 'other.json.0123456789ab.tmp'];
  for (const name of ['iris-api.json.0123456789ab.tmp', 'iris-api.json.ffffffffffff.tmp', ...keep]) {
    writeFileSync(join(dir, name), newer);
  }
  t.match(await store.load(NAME), { kind: 'found', revision: 1, state: { number: 3 } });
  t.strictSame(readdirSync(dir).sort(), ['iris-api.json', ...keep].sort());
});

t.test('file names stay inside the folder and apart', async (t) => {
  const dir = join(t.testdir({}), 'state');
  const store = createFileStore(dir);
  const names = ['../x', '.hidden', 'Ünter', '', 'a'.repeat(300), `${'a'.repeat(299)}b`, 'x\0y', 'iris.json'];
  for (const name of names) await store.save(name, rolloutState(name), 0);
  for (const name of names) t.match(await store.load(name), { kind: 'found', state: { service: name } });
  const files = readdirSync(dir);
  t.equal(files.length, names.length);
  for (const file of files) t.match(file, /^[A-Za-z0-9_%-][A-Za-z0-9._%-]*\.json$/);
  t.strictSame(readdirSync(join(dir, '..')), ['state']);
});
