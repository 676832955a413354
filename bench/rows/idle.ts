import { setTimeout as sleep } from 'node:timers/promises';
import { type Bench, reply } from '../lib/bench.ts';
import { warmUp } from '../lib/load.ts';
import { openFilesLimit, rssBytes } from '../lib/proc.ts';
import { launch } from '../lib/process.ts';
import { mib, number, type Section } from '../lib/table.ts';
import { presentSubjects } from '../subjects/index.ts';
import { type RunningSubject, smallUpstreams } from '../subjects/subject.ts';

const WANTED = 10_000;
/** For garbage and late allocations to settle. */
const SETTLE_MS = 2000;

interface Measured {
  readonly name: string;
  readonly open: number;
  readonly failed: number;
  readonly beforeBytes: number;
  readonly afterBytes: number;
}

/** What an idle connection costs: memory before and after many clients sent one request each and stayed. */
export async function idleRow(bench: Bench): Promise<Section> {
  const connections = Math.min(WANTED, openFilesLimit() - 500);
  const all: Measured[] = [];
  for (const subject of presentSubjects(bench)) {
    bench.say(`idle: ${subject.name}`);
    let running: RunningSubject | null = null;
    try {
      running = await subject.start(bench, smallUpstreams(bench));
      all.push(await measure(bench, running, connections));
    } catch (error) {
      bench.say(`  left out: ${subject.name} (${(error as Error).message})`);
    } finally {
      await running?.stop();
    }
  }
  return report(all, connections);
}

async function measure(bench: Bench, subject: RunningSubject, connections: number): Promise<Measured> {
  await warmUp(bench, subject);
  await sleep(SETTLE_MS);
  const beforeBytes = rssBytes(subject.pid);
  const client = launch({
    name: 'idle',
    command: process.execPath,
    args: [`${bench.programs}/clients/idle.js`, JSON.stringify({ port: subject.port, connections })],
    cpus: bench.pinning.load,
    ipc: true,
  });
  try {
    await reply(client);
    await sleep(SETTLE_MS);
    const afterBytes = rssBytes(subject.pid);
    client.child.send('count');
    const { open, failed } = await reply<{ open: number; failed: number }>(client);
    return { name: subject.name, open, failed, beforeBytes, afterBytes };
  } finally {
    if (client.child.connected) client.child.send('end');
    await client.ended;
  }
}

function report(all: readonly Measured[], connections: number): Section {
  const rows = all.map((one) => [
    one.name,
    number(one.open),
    number((one.afterBytes - one.beforeBytes) / 1024 / one.open, 1),
    mib(one.beforeBytes),
    mib(one.afterBytes),
    number(one.failed),
  ]);
  const head = ['proxy', 'open', 'KiB a connection', 'RSS before MiB', 'RSS after MiB', 'failed'];
  const short = connections < WANTED ? [`the open files limit allows ${number(connections)} only`] : [];
  return {
    title: `${number(connections)} idle connections`,
    table: { head, rows },
    notes: ['each connection had one request answered, then stayed idle', ...short],
    verdicts: [],
    data: all,
  };
}
