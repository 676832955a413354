import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import { stringify } from 'yaml';
import { Bell, until, within } from './wait.ts';

/** The product as its users run it: a process of its own with a config file. */

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** COALMINE_TEST_DIST=1 runs what `npm run build` made instead of the sources. */
const PROGRAM =
  process.env.COALMINE_TEST_DIST === '1'
    ? ['dist/main.js']
    : ['--import', 'tsx', path.join(ROOT, 'src/main.ts')];

export interface Exit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface Product {
  readonly child: ChildProcess;
  readonly folder: string;
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly port: number;
  /** Log lines so far, parsed; what is no JSON is under `text`. */
  readonly log: readonly Record<string, unknown>[];
  /** Replaces the config file as editors do: written beside it and renamed over it. */
  configure(config: object | string): void;
  /** Writes a file into the config's folder; returns its path. */
  file(name: string, text: string): string;
  ready(): Promise<{ status: number; body: ReadyBody }>;
  metrics(): Promise<string>;
  exited: Promise<Exit>;
  /** SIGTERM, then the exit. */
  stop(): Promise<Exit>;
  logged(message: string): Promise<Record<string, unknown>>;
}

export interface ReadyBody {
  readonly status: string;
  readonly revision?: number;
  readonly reload?: { readonly ok: number; readonly failed: number; readonly failure: object | null };
}

export interface StartOptions {
  /** Before the program, such as `--import`. */
  readonly nodeArgs?: readonly string[];
  readonly env?: Record<string, string>;
  /** After `run --config FILE`, such as `--time-scale 60`. */
  readonly args?: readonly string[];
  /** Files that the config names, written before the start. */
  readonly files?: Record<string, string>;
  /** Of a product that ran before, to go on with what it left there; the caller removes it. */
  readonly folder?: string;
  /** What Node runs, instead of the sources; without what tap loads into every child, which takes a second. */
  readonly program?: readonly string[];
}

/** A config with everything that differs between tests left to `services`; free ports, a short drain. */
export function configOf(services: object, more: object = {}): object {
  return {
    listen: '127.0.0.1:0',
    admin: { listen: '127.0.0.1:0' },
    drain: { delay: '300ms', timeout: '20s' },
    services,
    ...more,
  };
}

export async function startProduct(
  t: Test,
  config: object | string,
  options: StartOptions = {},
): Promise<Product> {
  const folder = options.folder ?? mkdtempSync(path.join(tmpdir(), 'coalmine-e2e-'));
  const file = (name: string, text: string) => {
    const target = path.join(folder, name);
    // Renamed into place, so that no reader meets half a file.
    writeFileSync(`${target}.new`, text);
    renameSync(`${target}.new`, target);
    return target;
  };
  for (const [name, text] of Object.entries(options.files ?? {})) file(name, text);
  const configure = (next: object | string) =>
    file('coalmine.yaml', typeof next === 'string' ? next : stringify(next));
  const configFile = configure(config);
  const [node, ...own] =
    options.program === undefined ? [process.execPath] : ['env', '-u', 'NODE_OPTIONS', process.execPath];
  const child = spawn(
    node as string,
    [
      ...own,
      ...(options.nodeArgs ?? []),
      ...(options.program ?? PROGRAM),
      ...['run', '--config', configFile],
      ...(options.args ?? []),
    ],
    {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', ...options.env },
    },
  );
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    if (options.folder === undefined) rmSync(folder, { recursive: true, force: true });
  });
  const { log, bell } = readLog(child);
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Exit);
  void exited.then(() => bell.ring());
  const find = (message: string) => log.find(({ msg }) => String(msg).includes(message));
  const logged = async (message: string) => {
    const gone = () => child.exitCode !== null || child.signalCode !== null;
    await bell.until(
      () => find(message) !== undefined || gone(),
      () => `“${message}” in the log: ${tail(log)}`,
      30_000,
    );
    const line = find(message);
    if (line === undefined) throw new Error(`the process ended without saying “${message}”: ${tail(log)}`);
    return line;
  };
  const { gateway, admin } = (await logged('ready')) as { gateway: string; admin: string };
  return {
    child,
    folder,
    gatewayUrl: gateway,
    adminUrl: admin,
    port: Number(new URL(gateway).port),
    log,
    configure,
    file,
    ready: async () => {
      const answer = await fetch(`${admin}/readyz`);
      return { status: answer.status, body: (await answer.json()) as ReadyBody };
    },
    metrics: async () => (await fetch(`${admin}/metrics`)).text(),
    exited,
    stop: () => {
      child.kill('SIGTERM');
      return within(exited, `the exit after SIGTERM; ${tail(log)}`, 60_000);
    },
    logged,
  };
}

/** Waits until `/readyz` tells of this many good and bad reloads at least. */
export async function reloaded(product: Product, ok: number, failed: number): Promise<void> {
  await until(
    async () => {
      const { reload } = (await product.ready()).body;
      return reload !== undefined && reload.ok >= ok && reload.failed >= failed;
    },
    `${ok} good and ${failed} failed reloads; ${tail(product.log)}`,
  );
}

/** The value of one series of `/metrics`, by the text in front of it; 0 where it is absent. */
export function series(metrics: string, name: string, labels: Record<string, string> = {}): number {
  let sum = 0;
  for (const line of metrics.split('\n')) {
    if (!line.startsWith(`${name}{`) && !line.startsWith(`${name} `)) continue;
    if (Object.entries(labels).some(([key, value]) => !line.includes(`${key}="${value}"`))) continue;
    sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}

function readLog(child: ChildProcess): { log: Record<string, unknown>[]; bell: Bell } {
  const log: Record<string, unknown>[] = [];
  const bell = new Bell();
  for (const stream of [child.stdout, child.stderr]) {
    let rest = '';
    stream?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) log.push(parseLine(line));
      bell.ring();
    });
  }
  return { log, bell };
}

function parseLine(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return { text: line };
  }
}

function tail(log: readonly object[]): string {
  return JSON.stringify(log.slice(-8));
}
