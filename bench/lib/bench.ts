import { buildPrograms } from './build.ts';
import type { Options } from './options.ts';
import { findPinning, type Pinning } from './pin.ts';
import { isInstalled, type Launched, launch, tempFolder } from './process.ts';

/** What every row works with. */
export interface Bench {
  readonly options: Options;
  readonly pinning: Pinning;
  /** Folder of the compiled origin, peers and clients. */
  readonly programs: string;
  readonly folder: string;
  readonly origin: Origin;
  readonly tools: { readonly wrk: boolean; readonly nginx: boolean; readonly haproxy: boolean };
  /** One line about what goes on, to stderr. */
  say(text: string): void;
}

export interface Origin {
  readonly pid: number;
  /** Ports of the small answers. */
  readonly stable: number;
  readonly canary: number;
  readonly shadow: number;
  /** Port of the large bodies. */
  readonly large: number;
  /** Requests seen so far by stable, canary and shadow. */
  counts(): Promise<readonly number[]>;
  /** Makes the shadow hold its answers for so long. */
  stallShadow(ms: number): Promise<void>;
}

export async function prepare(options: Options): Promise<Bench> {
  const pinning = findPinning();
  const programs = buildPrograms();
  const tools = { wrk: isInstalled('wrk'), nginx: isInstalled('nginx'), haproxy: isInstalled('haproxy') };
  const origin = await startOrigin(programs, pinning);
  const say = (text: string) => void process.stderr.write(`${text}\n`);
  return { options, pinning, programs, folder: tempFolder(), origin, tools, say };
}

async function startOrigin(programs: string, pinning: Pinning): Promise<Origin> {
  const launched = launch({
    name: 'origin',
    command: process.execPath,
    args: [`${programs}/origin.js`],
    cpus: pinning.load,
    ipc: true,
  });
  const { ports, largePort } = await reply<{ ports: number[]; largePort: number }>(launched);
  const [stable = 0, canary = 0, shadow = 0] = ports;
  return {
    pid: launched.pid,
    stable,
    canary,
    shadow,
    large: largePort,
    counts: async () => {
      launched.child.send({ op: 'counts' });
      return (await reply<{ counts: number[] }>(launched)).counts;
    },
    stallShadow: async (ms) => {
      launched.child.send({ op: 'stall', port: 2, ms });
      await reply(launched);
    },
  };
}

/** The next IPC message of a child; throws with its output when it ends first. */
export function reply<T>(launched: Launched): Promise<T> {
  const { child, name } = launched;
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => {
      child.off('exit', onExit);
      resolve(message as T);
    };
    const onExit = () => {
      child.off('message', onMessage);
      reject(new Error(`${name} ended: ${launched.tail()}`));
    };
    child.once('message', onMessage);
    child.once('exit', onExit);
  });
}
