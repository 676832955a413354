import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FaultMode } from './faults.ts';
import type { ModelReady } from './model-main.ts';

/** A model service in a process of its own. */
export interface ModelProcess {
  readonly version: string;
  readonly url: string;
  readonly pid: number;
  /** Ends it; resolves when it is gone. */
  close(): Promise<void>;
}

export interface ModelProcessOptions {
  readonly version: string;
  readonly fault: FaultMode;
  /** It ended without being told to. */
  readonly onDeath: (how: string) => void;
  /** It complained: one line of its standard error. */
  readonly onComplaint: (line: string) => void;
}

const START_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 2_000;

/** Rejects when the process ends, or says nothing for too long, before it listens. */
export async function startModelProcess(options: ModelProcessOptions): Promise<ModelProcess> {
  const child = fork(entry(), ['--version', options.version, '--fault', options.fault], {
    execArgv: loaderOptions(process.execArgv),
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  passLines(child, options.onComplaint);
  const { url } = await ready(child, options.version);
  let closing = false;
  child.once('exit', (code, signal) => {
    if (!closing) options.onDeath(howItEnded(code, signal));
  });
  return {
    version: options.version,
    url,
    pid: child.pid!,
    close() {
      closing = true;
      return end(child);
    },
  };
}

/** The entry lies beside this file, as TypeScript in the repository and as JavaScript in dist. */
function entry(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return fileURLToPath(new URL(`./model-main.${extension}`, import.meta.url));
}

const LOADER_OPTIONS: ReadonlySet<string> = new Set(['--import', '--require', '-r', '--loader']);

/**
 * The loaders of this process, such as tsx's, and nothing else of its options: a debugger's port can be
 * had only once, and a script given with `-e` would run again in the child instead of the model.
 */
export function loaderOptions(execArgv: readonly string[]): string[] {
  return execArgv.flatMap((argument, i) => {
    if (LOADER_OPTIONS.has(argument)) return execArgv.slice(i, i + 2);
    const name = argument.slice(0, argument.indexOf('='));
    return LOADER_OPTIONS.has(name) ? [argument] : [];
  });
}

function ready(child: ChildProcess, version: string): Promise<ModelReady> {
  return new Promise((resolve, reject) => {
    const fail = (how: string) => {
      stopListening();
      child.kill('SIGKILL');
      reject(new Error(`model service ${version} did not start: ${how}`));
    };
    const onExit = (code: number | null, signal: string | null) => fail(howItEnded(code, signal));
    const onError = (error: Error) => fail(error.message);
    const timer = setTimeout(() => fail(`nothing heard for ${START_TIMEOUT_MS / 1000} s`), START_TIMEOUT_MS);
    const onMessage = (message: unknown) => {
      stopListening();
      resolve(message as ModelReady);
    };
    const stopListening = () => {
      clearTimeout(timer);
      child.off('exit', onExit).off('message', onMessage).off('error', onError);
    };
    child.once('exit', onExit).once('message', onMessage).once('error', onError);
  });
}

/** The model service ends when the channel to its parent closes; one that does not is killed. */
function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), CLOSE_TIMEOUT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    if (child.connected) child.disconnect();
  });
}

function passLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!.slice(-1000);
    for (const line of lines) if (line.trim() !== '') onLine(line);
  });
}

function howItEnded(code: number | null, signal: string | null): string {
  return signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`;
}
