import type { Test } from 'tap';
import type { AccessSettings } from '../../src/admin/auth.ts';
import { startAdmin } from '../../src/admin/server.ts';
import { Streams } from '../../src/admin/streams.ts';
import type { Io, Terminal } from '../../src/cli/io.ts';
import { runCli } from '../../src/cli/main.ts';
import { compilePattern } from '../../src/config/pattern.ts';
import { createControlApi } from '../../src/control/api.ts';
import { createHolder, type Holder } from '../../src/control/holder.ts';
import type { Service } from '../../src/core/model.ts';
import {
  config,
  type FakeKpis,
  type FakeLive,
  type FakeRollouts,
  fakeKpis,
  fakeLive,
  fakeRollouts,
  memoryLog,
} from '../control/support.ts';
import { split } from '../support/split.ts';
import { Bell } from '../support/wait.ts';

/** The command line in this process, and an admin port with the real control path behind it. */

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  /** What the long commands were started with. */
  readonly started: readonly object[];
}

export async function cli(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return startCli(args, { env }).ended;
}

export interface RunningCli {
  /** So far. */
  readonly text: { out: string; err: string };
  readonly bell: Bell;
  readonly ended: Promise<Outcome>;
  /** As Ctrl-C does. */
  interrupt(): void;
}

export interface CliOptions {
  readonly env?: Record<string, string>;
  /** What `out` goes to; a pipe if not given. */
  readonly terminal?: { columns: number; rows: number };
}

/** A command line that may run on; it asks the gateway every few milliseconds where it watches. */
export function startCli(args: readonly string[], { env = {}, terminal }: CliOptions = {}): RunningCli {
  const text = { out: '', err: '' };
  const bell = new Bell();
  const interrupts = new Set<() => void>();
  const started: object[] = [];
  const start = async (options: object) => {
    started.push(options);
    return 0;
  };
  const shown: Terminal = {
    inPlace: terminal !== undefined,
    columns: () => terminal?.columns ?? 80,
    rows: () => terminal?.rows ?? 24,
    onInterrupt(listener) {
      interrupts.add(listener);
      return () => interrupts.delete(listener);
    },
  };
  const write = (stream: 'out' | 'err') => (part: string) => {
    text[stream] += part;
    bell.ring();
  };
  const io: Io = {
    out: write('out'),
    err: write('err'),
    env,
    version: '1.2.3',
    terminal: shown,
    watchEveryMs: 5,
  };
  const ended = runCli(args, io, { run: start, demo: start }).then((code) => ({ code, ...text, started }));
  const interrupt = () => {
    for (const listener of interrupts) listener();
  };
  return { text, bell, ended, interrupt };
}

export interface TestServer {
  readonly url: string;
  readonly holder: Holder;
  readonly rollouts: FakeRollouts;
  close(): Promise<void>;
}

export async function startServer(
  t: Test,
  services: readonly Service[],
  access: Partial<AccessSettings> = {},
  rollouts: FakeRollouts = fakeRollouts(),
  kpis: FakeKpis = fakeKpis(),
  live: FakeLive = fakeLive(),
): Promise<TestServer> {
  const log = memoryLog();
  const holder = createHolder(split(services), config({ services }));
  const control = createControlApi({
    holder,
    phase: () => 'ready',
    reloadState: () => ({ ok: 0, failed: 0, failure: null, restartNeeded: [] }),
    endpoints: () => [],
    disagreements: () => [],
    compilePattern,
    rollouts,
    kpis,
    live,
    log,
  });
  const metrics = { contentType: () => 'text/plain', render: async () => '' };
  const settings = { host: '127.0.0.1', port: 0, token: null, allowedHosts: [], ...access };
  const admin = await startAdmin(settings, {
    control,
    metrics,
    page: new Map(),
    streams: new Streams(log),
    log,
  });
  t.teardown(() => admin.close());
  return { url: admin.url, holder, rollouts, close: () => admin.close() };
}
