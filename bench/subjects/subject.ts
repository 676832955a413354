import { request } from 'node:http';
import type { Bench } from '../lib/bench.ts';
import type { Target } from '../lib/load.ts';
import { freePort, type Launched, waitForPort } from '../lib/process.ts';
import { BODY, PATH, userId } from '../lib/request.ts';

/** Where a proxy sends its requests: ports on loopback. */
export interface Upstreams {
  readonly stable: number;
  readonly canary: number;
  readonly shadow: number;
}

/** A proxy under measurement. */
export interface Subject {
  readonly name: string;
  /** Null, or why it cannot run here. */
  missing(bench: Bench): string | null;
  start(bench: Bench, upstreams: Upstreams): Promise<RunningSubject>;
}

export interface RunningSubject extends Target {
  readonly name: string;
  /** What became of the answers that were to be read, by outcome; left out where none are. */
  observed?(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** Starts a proxy on a free port and makes sure that it proxies; ends it again when it does not. */
export async function startOn(
  name: string,
  begin: (port: number) => Launched,
  host = 'bench.local',
): Promise<RunningSubject> {
  const port = await freePort();
  const launched = begin(port);
  try {
    await waitForPort(launched, port);
    const { status, text } = await probe(port, host);
    if (status !== 200)
      throw new Error(`${name} answers ${status}: ${text.slice(0, 300)} ${launched.tail()}`);
  } catch (error) {
    await launched.stop();
    throw error;
  }
  return { name, port, pid: launched.pid, stop: launched.stop };
}

function probe(port: number, host: string): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'x-user-id': userId(0), 'content-type': 'application/json' };
    const req = request({ host: '127.0.0.1', port, path: PATH, method: 'POST', headers }, (res) => {
      let text = '';
      res.on('data', (bytes: Buffer) => {
        text += bytes.toString();
      });
      res.on('end', () => resolve({ status: res.statusCode ?? 0, text }));
    });
    req.on('error', reject);
    req.end(BODY);
  });
}

/** The origin's ports for small answers. */
export function smallUpstreams(bench: Bench): Upstreams {
  return bench.origin;
}

/** The origin's one port for large bodies, for every version. */
export function largeUpstreams(bench: Bench): Upstreams {
  const { large } = bench.origin;
  return { stable: large, canary: large, shadow: large };
}
