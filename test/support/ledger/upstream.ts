import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';

/** One line of an upstream's ledger: a request that it saw. */
export interface Sighting {
  readonly id: string;
  readonly method: string;
  readonly server: string;
}

export interface LedgerUpstream {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  /** SIGKILL, and the end of the process. */
  kill(): Promise<void>;
  /** Starts it again at the same port, with the same ledger. */
  restart(): Promise<void>;
  sightings(): Sighting[];
}

const MAIN = fileURLToPath(new URL('./upstream-main.ts', import.meta.url));
const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export async function startUpstream(t: Test, name: string, delayMs = 0): Promise<LedgerUpstream> {
  const folder = mkdtempSync(path.join(tmpdir(), 'coalmine-ledger-'));
  const ledger = path.join(folder, 'ledger');
  let child = launch(name, ledger, 0, delayMs);
  const kill = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  t.teardown(async () => {
    await kill();
    rmSync(folder, { recursive: true, force: true });
  });
  const port = await portOf(child);
  return {
    name,
    port,
    url: `http://127.0.0.1:${port}`,
    kill,
    restart: async () => {
      child = launch(name, ledger, port, delayMs);
      await portOf(child);
    },
    sightings: () => (existsSync(ledger) ? readFileSync(ledger, 'utf8') : '').split('\n').flatMap(readLine),
  };
}

function launch(name: string, ledger: string, port: number, delayMs: number): ChildProcess {
  const args = ['--import', 'tsx', MAIN, name, ledger, String(port), String(delayMs)];
  return spawn(process.execPath, args, {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
}

async function portOf(child: ChildProcess): Promise<number> {
  const [text] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return Number(text.toString());
}

function readLine(line: string): Sighting[] {
  const [id, method, server] = line.split(' ');
  return id === undefined || method === undefined || server === undefined ? [] : [{ id, method, server }];
}
