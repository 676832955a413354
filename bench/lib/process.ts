import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const running = new Set<ChildProcess>();
const folders = new Set<string>();

/** Kills every process and removes every folder of this run; runs on any exit, Ctrl-C included. */
function cleanUp(): void {
  for (const child of running) killGroup(child);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
}

process.on('exit', cleanUp);
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
process.on('SIGHUP', () => process.exit(129));

/** Each child leads a process group, so that its own children go with it. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Already gone.
  }
}

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coalmine-bench-'));
  folders.add(folder);
  return folder;
}

export interface LaunchOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Processors to run on, as `taskset -c` takes them; null: any. */
  readonly cpus: string | null;
  readonly ipc?: boolean;
  readonly env?: Record<string, string>;
}

export interface Launched {
  readonly name: string;
  readonly child: ChildProcess;
  readonly pid: number;
  /** The end of what it wrote to stdout and stderr, for error messages. */
  tail(): string;
  /** Resolves when it has ended and its output is read. */
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Starts a process (taskset replaces itself by it, so the pid is its own). */
export function launch(options: LaunchOptions): Launched {
  const { name, command, args, cpus } = options;
  const line = cpus === null ? [command, ...args] : ['taskset', '-c', cpus, command, ...args];
  const child = spawn(line[0] as string, line.slice(1), {
    detached: true,
    env: { ...process.env, NODE_ENV: 'production', ...options.env },
    stdio: options.ipc === true ? ['ignore', 'pipe', 'pipe', 'ipc'] : ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let text = '';
  const keep = (bytes: Buffer) => {
    text = (text + bytes.toString()).slice(-4000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => {
      running.delete(child);
      resolve();
    });
  });
  return {
    name,
    child,
    pid: child.pid ?? -1,
    tail: () => text,
    ended,
    stop: async () => {
      killGroup(child);
      await ended;
    },
  };
}

/** Runs a process to its end and gives its stdout; throws with its output when it fails. */
export async function run(options: LaunchOptions): Promise<string> {
  const { child, tail, ended } = launch(options);
  let out = '';
  child.stdout?.on('data', (bytes: Buffer) => {
    out += bytes.toString();
  });
  await ended;
  const code = child.exitCode;
  if (code !== 0) throw new Error(`${options.name} ended with ${code ?? child.signalCode}: ${tail()}`);
  return out;
}

/** Ports given out in this run; the system may offer a free one twice. */
const given = new Set<number>();

/** A port nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  if (given.has(port)) return freePort();
  given.add(port);
  return port;
}

/** Waits until the process accepts connections on `port`; throws with its output when it never does. */
export async function waitForPort(launched: Launched, port: number, limitMs = 15_000): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (Date.now() < deadline) {
    if (launched.child.exitCode !== null) break;
    if (await accepts(port)) return;
    await sleep(50);
  }
  throw new Error(`${launched.name} does not listen on ${port}: ${launched.tail()}`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

export function isInstalled(command: string): boolean {
  return spawnSync(command, ['-v']).error === undefined;
}
