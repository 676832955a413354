import { join } from 'node:path';
import type { OpenLoopResult } from '../clients/open-loop.ts';
import type { Bench } from './bench.ts';
import { ROOT } from './build.ts';
import { cpuUs, waitedUs } from './proc.ts';
import { run } from './process.ts';
import { PATH, USERS } from './request.ts';

/** What a closed loop at full speed brought. */
export interface SaturationResult {
  readonly requests: number;
  readonly durationUs: number;
  readonly errors: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What a measurement cost the proxy. */
export interface Cost {
  /** Processor time of the proxy for one request. */
  readonly cpuUsPerRequest: number;
  /** Share of one processor that the proxy used; well below 1 at full speed: something else was the limit. */
  readonly proxyBusy: number;
  /** Share of the time that the proxy was kept from its processor by somebody else. */
  readonly proxyWaited: number;
}

export interface Saturation extends SaturationResult, Cost {
  readonly perSecond: number;
}

export interface OpenLoad extends OpenLoopResult, Cost {}

/** What the load asks for; by default a prediction for one of `USERS` users. */
export interface Load {
  readonly path?: string;
  readonly users?: number;
  /** Size of the request's body; 0: the usual prediction. */
  readonly bodyBytes?: number;
  readonly connections?: number;
  /** Host header; `%d` becomes the number of a service below `services`. */
  readonly host?: string;
  readonly services?: number;
  readonly header?: string;
}

/** What is loaded: a proxy, or the origin itself. */
export interface Target {
  readonly port: number;
  readonly pid: number;
}

/** Full speed by wrk, whose own cost is a fraction of any client on Node. */
export function saturateByWrk(
  bench: Bench,
  target: Target,
  seconds: number,
  load: Load = {},
): Promise<Saturation> {
  const connections = load.connections ?? bench.options.connections;
  const script = [
    load.users ?? USERS,
    load.bodyBytes ?? 0,
    load.host ?? '',
    load.services ?? 1,
    load.header ?? '',
  ];
  return measureSaturation(target, async () => {
    const out = await run({
      name: 'wrk',
      command: 'wrk',
      args: [
        ...['-t', '1', '-c', String(connections), '-d', wrkDuration(seconds), '--timeout', '10s'],
        ...[
          '-s',
          join(ROOT, 'bench/lib/wrk.lua'),
          `http://127.0.0.1:${target.port}${load.path ?? PATH}`,
          '--',
        ],
        ...script.map(String),
      ],
      cpus: bench.pinning.load,
    });
    return JSON.parse(/^@(.*)$/m.exec(out)?.[1] ?? 'null') as SaturationResult;
  });
}

/** wrk takes whole seconds only. */
function wrkDuration(seconds: number): string {
  return `${Math.max(1, Math.round(seconds))}s`;
}

export function saturateByAutocannon(
  bench: Bench,
  target: Target,
  seconds: number,
  load: Load = {},
): Promise<Saturation> {
  return measureSaturation(target, () =>
    runClient<SaturationResult>(bench, 'autocannon', {
      connections: bench.options.connections,
      ...load,
      port: target.port,
      seconds: Math.max(1, Math.round(seconds)),
    }),
  );
}

/** Full speed by wrk where installed, else by autocannon. */
export function saturate(
  bench: Bench,
  target: Target,
  seconds: number,
  load: Load = {},
): Promise<Saturation> {
  const client = bench.tools.wrk ? saturateByWrk : saturateByAutocannon;
  return client(bench, target, seconds, load);
}

/** The longest warm-up, in seconds, where requests do not come through. */
const WARMUP_LIMIT_S = 30;

/** Loads a proxy until it has answered `--warmup` requests; gives its last requests a second. */
export async function warmUp(bench: Bench, target: Target, load: Load = {}): Promise<number> {
  let answered = 0;
  for (let second = 0; second < WARMUP_LIMIT_S; second++) {
    const { requests, perSecond } = await saturate(bench, target, 1, load);
    answered += requests;
    if (answered >= bench.options.warmupRequests) return perSecond;
  }
  throw new Error(`${WARMUP_LIMIT_S} s of warm-up brought ${answered} answers only`);
}

async function measureSaturation(target: Target, load: () => Promise<SaturationResult>): Promise<Saturation> {
  const { result, costOf } = await measureCost(target, load);
  const perSecond = (result.requests / result.durationUs) * 1e6;
  return { ...result, ...costOf(result.requests, result.durationUs), perSecond };
}

/** A fixed rate, latencies counted from when each request was due, not from when it could be sent. */
export async function openLoop(
  bench: Bench,
  target: Target,
  load: { rate: number; seconds: number; connections?: number },
): Promise<OpenLoad> {
  const { rate, seconds, connections = bench.options.connections } = load;
  const { result, costOf } = await measureCost(target, () =>
    runClient<OpenLoopResult>(bench, 'open-loop', { port: target.port, rate, seconds, connections }),
  );
  return { ...result, ...costOf(result.answered, seconds * 1e6) };
}

/** Reads the proxy's processor time around a load; `costOf` turns it into figures a request and a microsecond. */
async function measureCost<T>(target: Target, load: () => Promise<T>) {
  const waitedBefore = waitedUs(target.pid);
  const usedBefore = cpuUs(target.pid);
  const result = await load();
  const usedUs = cpuUs(target.pid) - usedBefore;
  const waited = waitedUs(target.pid) - waitedBefore;
  const costOf = (requests: number, durationUs: number): Cost => ({
    cpuUsPerRequest: usedUs / requests,
    proxyBusy: usedUs / durationUs,
    proxyWaited: waited / durationUs,
  });
  return { result, costOf };
}

/** Runs one of bench/clients beside the origin; its stdout is JSON. */
export async function runClient<T>(bench: Bench, name: string, settings: object): Promise<T> {
  const out = await run({
    name,
    command: process.execPath,
    args: [`${bench.programs}/clients/${name}.js`, JSON.stringify(settings)],
    cpus: bench.pinning.load,
  });
  return JSON.parse(out) as T;
}
