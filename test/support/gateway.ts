import type { Test } from 'tap';
import { compilePattern } from '../../src/config/pattern.ts';
import type { ListenerSettings, Split } from '../../src/core/model.ts';
import {
  METHODS,
  methodOfKey,
  REQUEST_SLOTS,
  SCALAR,
  statusOfKey,
  type Tally,
} from '../../src/core/tally.ts';
import { type Gateway, startGateway } from '../../src/gateway/server.ts';
import type { Log, SpanSink } from '../../src/ports.ts';
import { Recorder } from '../../src/tally/recorder.ts';
import type { WireMessage } from './http1.ts';
import { textOf } from './http1.ts';
import { exchange, head } from './raw.ts';
import { type ListenerOptions, listener } from './split.ts';
import { until } from './wait.ts';

/** The gateway in this process, on a free port, with its log and its tallies at hand. */

export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export interface TestGateway {
  readonly gateway: Gateway;
  readonly port: number;
  readonly url: string;
  readonly recorder: Recorder;
  readonly logged: LogEntry[];
  /** One request on a fresh connection. */
  get(path: string, ...headers: readonly string[]): Promise<WireMessage>;
  /** Answers counted, over all versions: `GET 200` → 3. */
  counted(): Record<string, number>;
  /** Requests begun and not ended, as the tallies have it. */
  inFlight(): number;
  scalar(name: keyof typeof SCALAR): number;
  /** Resolves when every request begun is counted as ended. */
  quiet(): Promise<void>;
}

export interface ServeOptions extends ListenerOptions {
  /** Uniform numbers for choices without a key; the default is Math.random. */
  readonly random?: () => number;
  readonly settings?: ListenerSettings;
  /** Where requests are traced; the default is nowhere. */
  readonly spans?: SpanSink;
}

export async function serve(t: Test, split: Split, options: ServeOptions = {}): Promise<TestGateway> {
  const { random = Math.random, settings, spans, ...listen } = options;
  const recorder = new Recorder();
  const logged: LogEntry[] = [];
  const gateway = await startGateway(settings ?? listener(listen), split, {
    recorder,
    clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
    random,
    log: memoryLog(logged),
    compilePattern,
    ...(spans === undefined ? null : { spans }),
  });
  t.teardown(() => gateway.close(0));
  const port = Number(new URL(gateway.url).port);
  const sum = (read: (tally: Tally) => number) =>
    recorder.tallies().reduce((total, tally) => total + read(tally), 0);
  const served: TestGateway = {
    gateway,
    port,
    url: gateway.url,
    recorder,
    logged,
    get: (path, ...headers) => get(port, path, ...headers),
    counted: () => countedBy(recorder.tallies()),
    inFlight: () => sum((tally) => tally.scalars[SCALAR.inFlight] as number),
    scalar: (name) => sum((tally) => tally.scalars[SCALAR[name]] as number),
    quiet: () => until(() => served.inFlight() === 0, 'every request to be counted as ended'),
  };
  return served;
}

/** One GET on a fresh connection; throws when no whole answer came. */
export async function get(port: number, path: string, ...headers: readonly string[]): Promise<WireMessage> {
  const client = await exchange(port, head(`GET ${path} HTTP/1.1`, 'Connection: close', ...headers));
  const [answer] = client.answers;
  if (answer === undefined || !answer.complete) throw new Error(`no whole answer: ${client.describe()}`);
  return answer;
}

/** A JSON answer's body as an object. */
export function jsonOf(message: WireMessage): Record<string, unknown> {
  return JSON.parse(textOf(message)) as Record<string, unknown>;
}

function countedBy(tallies: readonly Tally[]): Record<string, number> {
  const counted: Record<string, number> = {};
  for (const tally of tallies) {
    for (let slot = 0; slot < REQUEST_SLOTS; slot++) {
      const count = tally.requests[slot] as number;
      if (count === 0) continue;
      const key = tally.slotKeys[slot] as number;
      const name = `${methodOfKey(key) || METHODS[0]} ${statusOfKey(key)}`;
      counted[name] = (counted[name] ?? 0) + count;
    }
  }
  return counted;
}

function memoryLog(entries: LogEntry[]): Log {
  const keep = (level: LogEntry['level']) => (fields: object, message: string) => {
    entries.push({ level, fields, message });
  };
  return { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') };
}
