import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { commandName } from '../../src/demo/demo.ts';
import type { RawDemoOptions } from '../../src/demo/options.ts';

const SCRIPT = fileURLToPath(new URL('./support/run-demo.ts', import.meta.url));

const STARTED = /models (\S+) (\S+) (\S+)\n/;

interface Demo {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly exit: Promise<unknown[]>;
  /** Addresses of the two models, once they are known. */
  models(): Promise<string[]>;
  stateFolder(): string;
}

/** In a process group of its own, so that a signal can reach all of it as Ctrl-C in a terminal does. */
function start(t: Test, raw: RawDemoOptions, ...more: string[]): Demo {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', SCRIPT, JSON.stringify({ port: '0', adminPort: '0', rate: '100', ...raw }), ...more],
    { detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const texts = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    texts.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    texts.err += text;
  });
  t.teardown(() => child.kill('SIGKILL'));
  const exit = once(child, 'close');
  return {
    child,
    out: () => texts.out,
    err: () => texts.err,
    exit,
    async models() {
      await until(() => STARTED.test(texts.err));
      return STARTED.exec(texts.err)!.slice(1, 3);
    },
    stateFolder: () => STARTED.exec(texts.err)![3]!,
  };
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20));
}

async function answers(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    (response) => response.ok,
    () => false,
  );
}

/** The cells of a version's row in the last table. */
function rowOf(text: string, version: string): string[] {
  const line = text
    .split('\n')
    .filter((candidate) => candidate.startsWith(`  ${version} `))
    .find((candidate) => / ms/.test(candidate));
  // Where a column is as wide as its value one space is all there is.
  return line?.trim().split(/\s{2,}|\s(?=[\d.]+ (?:ms|%))/) ?? [];
}

t.test('runs for its time, shows the tables, leaves nothing behind', async (t) => {
  const demo = start(t, { duration: '2s' });
  const models = await demo.models();
  t.equal(models.length, 2);
  t.ok(existsSync(demo.stateFolder()));
  t.same(await demo.exit, [0, null]);
  t.match(demo.out(), /gateway {4}http:\/\/127\.0\.0\.1:\d+\/predict/);
  t.match(
    demo.out(),
    /^ {4}node test\/demo\/support\/run-demo\.ts get iris-api -w --server http:\/\/127\.0\.0\.1:\d+$/m,
  );
  t.match(demo.out(), /curl -si http:\/\/127\.0\.0\.1:\d+\/predict -H 'x-user-id: ada' \\\n/);
  const v1 = rowOf(demo.out(), 'v1');
  const v2 = rowOf(demo.out(), 'v2');
  t.ok(Number(v1[1]) > 50 && Number(v2[1]) > 0, `v1 ${v1}, v2 ${v2}`);
  t.equal(v1[1], v1[3], 'all of them answered with 2xx');
  t.notOk(demo.out().includes('\x1b'), 'no control sequence in a pipe');
  t.equal(demo.err().replace(/^models .*\n/, ''), '', 'no complaints');
  for (const url of models) t.notOk(await answers(url), `${url} is gone`);
  t.notOk(existsSync(demo.stateFolder()), 'the state folder too');
});

t.test('the commands it prints do what they say', async (t) => {
  const demo = start(t, {});
  await demo.models();
  await until(() => demo.out().includes('Ctrl-C ends it.'));
  const faults = /PUT (\S+) -d '(\{"mode":"errors"\})'/.exec(demo.out())!;
  const response = await fetch(faults[1]!, { method: 'PUT', body: faults[2]! });
  t.same(await response.json(), { mode: 'errors', rate: 0.3 });
  const ask = /curl -si (\S+) -H 'x-user-id: ada' \\\s+-d '([^']+)'/.exec(demo.out())!;
  const asked = await fetch(ask[1]!, { method: 'POST', headers: { 'x-user-id': 'ada' }, body: ask[2]! });
  t.match(await asked.json(), { prediction: 'versicolor', modelVersion: 'v1' });
  demo.child.kill('SIGTERM');
  t.same(await demo.exit, [0, null]);
});

t.test('Ctrl-C, which reaches the models too, loses no request and leaves nothing behind', async (t) => {
  const demo = start(t, {});
  const models = await demo.models();
  await until(() => /v2: \d\d/.test(demo.out()));
  process.kill(-demo.child.pid!, 'SIGINT');
  t.same(await demo.exit, [0, null]);
  for (const version of ['v1', 'v2']) {
    const [, requests, , ok, , failed, lost] = rowOf(demo.out(), version);
    t.same([ok, failed, lost], [requests, '0', '0'], version);
  }
  for (const url of models) t.notOk(await answers(url), `${url} is gone`);
  t.notOk(existsSync(demo.stateFolder()), 'the state folder too');
});

t.test('killed without mercy, it still takes its models along', async (t) => {
  const demo = start(t, {});
  const models = await demo.models();
  // Nothing is left that could remove it.
  t.teardown(() => rm(demo.stateFolder(), { recursive: true }));
  for (const url of models) t.ok(await answers(url));
  demo.child.kill('SIGKILL');
  t.same(await demo.exit, [null, 'SIGKILL']);
  for (const url of models) await until(async () => !(await answers(url)));
});

t.test('a gateway that cannot start: the reason, exit code 1, no models left', async (t) => {
  const demo = start(t, { duration: '60s' }, 'fail');
  const models = await demo.models();
  t.same(await demo.exit, [1, null]);
  t.match(demo.err(), /coalmine demo: the port is taken\n/);
  for (const url of models) t.notOk(await answers(url), `${url} is gone`);
  t.notOk(existsSync(demo.stateFolder()), 'the state folder too');
});

t.test('commands are printed as they can be called from here', (t) => {
  t.equal(commandName(join(process.cwd(), 'dist/main.js')), 'node dist/main.js');
  t.equal(commandName('/elsewhere/dist/main.js'), 'node /elsewhere/dist/main.js');
  t.equal(commandName('/usr/local/bin/coalmine'), 'coalmine', 'a link that npm made');
  t.equal(commandName(undefined), 'coalmine');
  t.end();
});

t.test('wrong usage: exit code 2, and nothing is started', async (t) => {
  const demo = start(t, { rate: 'much', fault: 'evil' });
  t.same(await demo.exit, [2, null]);
  t.match(demo.err(), /--fault must be one of .*\n.*--rate must be a number/);
  t.equal(demo.out(), '');
});
