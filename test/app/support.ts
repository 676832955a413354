import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { Bell, until } from '../support/wait.ts';

/** Real processes of `coalmine`, as a user would start them. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'src/main.ts');

export function tempDir(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'coalmine-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

export function writeConfig(t: Test, text: string): string {
  const file = join(tempDir(t), 'coalmine.yaml');
  writeFileSync(file, text);
  return file;
}

export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly out: () => string;
  readonly err: () => string;
  readonly ended: Promise<Finished>;
  /** Resolves once `holds` of what was written so far; asked at every output and at the end. */
  until(holds: () => boolean, what: string): Promise<void>;
}

/** Starts `coalmine ARGS`; killed when the test is over. */
export function spawnMain(t: Test, args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN, ...args], {
    cwd: ROOT,
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const bell = new Bell();
  const text = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text.out += part;
    bell.ring();
  });
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    text.err += part;
    bell.ring();
  });
  const ended = new Promise<Finished>((resolve) => {
    child.on('close', (code) => {
      resolve({ code, ...text });
      bell.ring();
    });
  });
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  });
  return {
    child,
    out: () => text.out,
    err: () => text.err,
    ended,
    until: (holds, what) => bell.until(holds, () => `${what}; stderr: ${text.err}`, 30_000),
  };
}

/** Runs `coalmine ARGS` to its end. */
export function runMain(
  t: Test,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Finished> {
  return spawnMain(t, args, env).ended;
}

export interface RunningGateway extends Running {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  /** The JSON lines logged so far. */
  logLines(): Record<string, unknown>[];
}

/** `coalmine run` on a config file, once it says that it is ready. */
export async function startRun(
  t: Test,
  file: string,
  env: Record<string, string> = {},
): Promise<RunningGateway> {
  const running = spawnMain(t, ['run', '--config', file], env);
  const logLines = () => parseLines(running.err());
  const ready = () => logLines().find(({ msg }) => msg === 'ready');
  const over = () => running.child.exitCode !== null || running.child.signalCode !== null;
  await running.until(() => ready() !== undefined || over(), 'the line that says ready');
  const line = ready();
  if (line === undefined) throw new Error(`it ended before it was ready: ${running.err()}`);
  return { ...running, gatewayUrl: String(line.gateway), adminUrl: String(line.admin), logLines };
}

function parseLines(text: string): Record<string, unknown>[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

export interface ReadyDetail {
  readonly status: string;
  readonly revision: number;
  readonly reload: {
    readonly ok: number;
    readonly failed: number;
    readonly failure: {
      readonly message: string;
      readonly issues: readonly { readonly path: string }[];
    } | null;
    readonly restartNeeded: readonly string[];
  };
}

export async function readyDetail(adminUrl: string): Promise<ReadyDetail> {
  const response = await fetch(`${adminUrl}/readyz`);
  return (await response.json()) as ReadyDetail;
}

/** Asks `/readyz` until its detail is as wanted. */
export async function untilReadyz(
  adminUrl: string,
  holds: (detail: ReadyDetail) => boolean,
  what: string,
): Promise<ReadyDetail> {
  let detail = await readyDetail(adminUrl);
  await until(async () => {
    detail = await readyDetail(adminUrl);
    return holds(detail);
  }, what);
  return detail;
}

/** A config of one service on free ports: stable v1, canary v2. */
export function yaml(v1: string, v2: string, options: { weight?: number; more?: string } = {}): string {
  return `listen: 127.0.0.1:0
admin:
  listen: 127.0.0.1:0
drain:
  delay: 0s
  timeout: 5s
services:
  iris-api:
    versions:
      v1: { url: ${v1} }
      v2: { url: ${v2} }
    stable: v1
    canary: v2
    weight: ${options.weight ?? 5}
    sticky:
      by: [header:x-user-id]
${options.more ?? ''}`;
}
