import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { loadConfig } from '../../src/config/load.ts';
import { watchFiles } from '../../src/config/watch.ts';
import { sleep, until } from '../support/wait.ts';

/** No looks without an event, within the life of a test. */
const EVENTS_ONLY = { pollMs: 3_600_000 };

/** Watches files, and keeps what the first of them held at each call. */
function watched(t: Test, files: readonly string[] | (() => readonly string[]), options = EVENTS_ONLY) {
  const list = typeof files === 'function' ? files : () => files;
  const seen: string[] = [];
  const watcher = watchFiles(
    list,
    () => {
      try {
        seen.push(readFileSync(list()[0] as string, 'utf8'));
      } catch {
        seen.push('(missing)');
      }
    },
    options,
  );
  t.teardown(() => watcher.close());
  const comes = (text: string) => until(() => seen.at(-1) === text, `${text} after ${JSON.stringify(seen)}`);
  return { watcher, seen, comes };
}

t.test('a write in place', async (t) => {
  const file = path.join(t.testdir({ 'a.yaml': 'one' }), 'a.yaml');
  const { seen, comes } = watched(t, [file]);
  writeFileSync(file, 'two');
  await comes('two');
  writeFileSync(file, 'three');
  await comes('three');
  t.strictSame(seen, ['two', 'three'], 'each change is told once');
});

t.test('a write that leaves size and date of modification as they were', async (t) => {
  const file = path.join(t.testdir({ 'a.yaml': 'one' }), 'a.yaml');
  utimesSync(file, 1_000_000, 1_000_000);
  const { comes } = watched(t, [file]);
  writeFileSync(file, 'two');
  utimesSync(file, 1_000_000, 1_000_000);
  await comes('two');
});

t.test('a replacement by rename, as editors do it', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'one' });
  const file = path.join(folder, 'a.yaml');
  const { comes } = watched(t, [file]);
  for (const text of ['two', 'three', 'four']) {
    writeFileSync(path.join(folder, '.a.yaml.swp'), text);
    renameSync(path.join(folder, '.a.yaml.swp'), file);
    await comes(text);
  }
});

t.test('a replacement by an older file', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'one', 'backup.yaml': 'two' });
  utimesSync(path.join(folder, 'backup.yaml'), 1_000_000, 1_000_000);
  const { comes } = watched(t, [path.join(folder, 'a.yaml')]);
  renameSync(path.join(folder, 'backup.yaml'), path.join(folder, 'a.yaml'));
  await comes('two');
});

t.test('moved away and written anew, as other editors do it', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'one' });
  const file = path.join(folder, 'a.yaml');
  const { seen, comes } = watched(t, [file]);
  renameSync(file, `${file}~`);
  writeFileSync(file, 'two');
  await comes('two');
  t.strictSame(seen, ['two'], 'the gap between is not told');
});

t.test('removed, and back', async (t) => {
  const file = path.join(t.testdir({ 'a.yaml': 'one' }), 'a.yaml');
  const { comes } = watched(t, [file]);
  unlinkSync(file);
  await comes('(missing)');
  writeFileSync(file, 'two');
  await comes('two');
});

/** A volume as Kubernetes' kubelet lays it out (its AtomicWriter). */
function kubernetesVolume(
  folder: string,
  files: Record<string, string>,
): (files: Record<string, string>) => void {
  let serial = 0;
  const write = (contents: Record<string, string>) => {
    serial += 1;
    const stamped = `..2026_11_23_10_00_00.${serial}`;
    const before = `..2026_11_23_10_00_00.${serial - 1}`;
    mkdirSync(path.join(folder, stamped));
    for (const [name, text] of Object.entries(contents))
      writeFileSync(path.join(folder, stamped, name), text);
    symlinkSync(stamped, path.join(folder, '..data_tmp'));
    renameSync(path.join(folder, '..data_tmp'), path.join(folder, '..data'));
    rmSync(path.join(folder, before), { recursive: true, force: true });
  };
  write(files);
  for (const name of Object.keys(files)) symlinkSync(path.join('..data', name), path.join(folder, name));
  return write;
}

t.test('a ConfigMap', async (t) => {
  const folder = t.testdir({});
  const update = kubernetesVolume(folder, { 'coalmine.yaml': 'one' });
  const { seen, comes } = watched(t, [path.join(folder, 'coalmine.yaml')]);
  for (const text of ['two', 'three', 'four']) {
    update({ 'coalmine.yaml': text });
    await comes(text);
  }
  t.strictSame(seen, ['two', 'three', 'four']);
});

t.test('a Secret beside a ConfigMap', async (t) => {
  const folder = t.testdir({ config: {}, secret: {} });
  kubernetesVolume(path.join(folder, 'config'), { 'coalmine.yaml': 'one' });
  const update = kubernetesVolume(path.join(folder, 'secret'), { 'tls.crt': 'old', 'tls.key': 'old' });
  const names = ['secret/tls.crt', 'secret/tls.key', 'config/coalmine.yaml'].map((name) =>
    path.join(folder, name),
  );
  const { seen, comes } = watched(t, names);
  update({ 'tls.crt': 'new', 'tls.key': 'new' });
  await comes('new');
  t.strictSame(seen, ['new'], 'certificate and key come as one change');
});

t.test('the target of a link', async (t) => {
  const folder = t.testdir({ real: { 'a.yaml': 'one' } });
  const link = path.join(folder, 'a.yaml');
  symlinkSync('real/a.yaml', link);
  const { comes } = watched(t, [link]);
  writeFileSync(path.join(folder, 'real/a.yaml'), 'two');
  await comes('two');
});

t.test('a loaded config follows its ConfigMap', async (t) => {
  const folder = t.testdir({});
  const text = (weight: number) =>
    `services: { a: { versions: { v1: { url: http://a }, v2: { url: http://b } }, stable: v1, canary: v2, weight: ${weight} } }\n`;
  const update = kubernetesVolume(folder, { 'coalmine.yaml': text(5) });
  const file = path.join(folder, 'coalmine.yaml');
  const weights: unknown[] = [];
  const watcher = watchFiles(
    () => [file],
    () => {
      loadConfig(file, {}).then((result) => {
        weights.push(result.ok ? result.config.split.services[0]?.shares[0]?.weightBp : result.issues);
      }, t.fail);
    },
    EVENTS_ONLY,
  );
  t.teardown(() => watcher.close());
  update({ 'coalmine.yaml': text(7.5) });
  await until(() => weights.at(-1) === 750, 'the new weight');
  t.strictSame(weights, [750]);
});

t.test('other files of the folder are no change', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'one', 'b.yaml': 'x' });
  const { seen, comes } = watched(t, [path.join(folder, 'a.yaml')]);
  writeFileSync(path.join(folder, 'b.yaml'), 'y');
  writeFileSync(path.join(folder, 'c.yaml'), 'z');
  writeFileSync(path.join(folder, 'a.yaml'), 'two');
  await comes('two');
  t.strictSame(seen, ['two']);
});

t.test('many writes at once are told as few, and the last one is seen', async (t) => {
  const file = path.join(t.testdir({ 'a.yaml': 'one' }), 'a.yaml');
  const { seen, comes } = watched(t, [file]);
  for (let i = 0; i < 200; i++) writeFileSync(file, `write ${i}`);
  await comes('write 199');
  t.ok(seen.length < 20, `${seen.length} calls`);
});

t.test('a file that is written piece by piece is told whole in the end', async (t) => {
  const file = path.join(t.testdir({ 'a.yaml': 'one' }), 'a.yaml');
  const { seen, comes } = watched(t, [file]);
  const pieces = Array.from({ length: 20 }, (_, i) => `${i},`);
  writeFileSync(file, '');
  for (const piece of pieces) {
    appendFileSync(file, piece);
    await sleep(10);
  }
  await comes(pieces.join(''));
  t.ok(seen.length < pieces.length, `${seen.length} calls`);
});

t.test('the list of files may change', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'one', sub: { 'tls.crt': 'x' } });
  const [a, crt] = [path.join(folder, 'a.yaml'), path.join(folder, 'sub/tls.crt')];
  let files = [a];
  const { seen, comes } = watched(t, () => files);
  files = [a, crt];
  writeFileSync(a, 'two');
  await comes('two');
  t.strictSame(seen, ['two'], 'a file that is new in the list is no change by itself');
  writeFileSync(crt, 'y');
  await until(() => seen.length === 2, 'the new file’s change');
  files = [a];
  writeFileSync(a, 'three');
  await comes('three');
  writeFileSync(crt, 'z');
  writeFileSync(a, 'four');
  await comes('four');
  t.strictSame(seen, ['two', 'two', 'three', 'four'], 'what left the list is not told');
});

t.test('without events the regular looks find the change', async (t) => {
  const folder = t.testdir({});
  const file = path.join(folder, 'later', 'a.yaml');
  const { comes } = watched(t, [file], { pollMs: 20 });
  // A folder that is not there cannot be watched, so no event can tell of it.
  mkdirSync(path.dirname(file));
  writeFileSync(file, 'one');
  await comes('one');
  rmSync(path.dirname(file), { recursive: true });
  await comes('(missing)');
  mkdirSync(path.dirname(file));
  writeFileSync(file, 'two');
  await comes('two');
});

t.test('after a close nothing is told any more', async (t) => {
  const file = path.join(t.testdir({ 'a.yaml': 'one' }), 'a.yaml');
  const { watcher, seen } = watched(t, [file], { pollMs: 10 });
  const other = watched(t, [file]);
  writeFileSync(file, 'two');
  await watcher.close();
  const told = seen.length;
  await other.comes('two');
  writeFileSync(file, 'three');
  await other.comes('three');
  t.equal(seen.length, told);
  await watcher.close();
});

t.test('a change between the call and the first look is not missed', async (t) => {
  const file = path.join(t.testdir({ 'a.yaml': 'one' }), 'a.yaml');
  const { comes } = watched(t, [file], { pollMs: 10 });
  writeFileSync(file, 'two');
  await comes('two');
});

t.test('watching keeps no process alive', async (t) => {
  const folder = t.testdir({ 'a.yaml': 'one' });
  const script = `
    import { watchFiles } from './src/config/watch.ts';
    watchFiles(() => [${JSON.stringify(path.join(folder, 'a.yaml'))}], () => undefined);
    console.log('watching');
  `;
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--import=tsx', '--input-type=module', '-e', script],
    {
      cwd: path.resolve(import.meta.dirname, '../..'),
      encoding: 'utf8',
      timeout: 30_000,
    },
  );
  t.strictSame([status, stdout], [0, 'watching\n']);
});
