import type { Bench } from '../lib/bench.ts';
import { runClient, saturate } from '../lib/load.ts';
import { peakRssBytes, resetPeak, rssBytes } from '../lib/proc.ts';
import { spread } from '../lib/stats.ts';
import { mib, number, type Section, type Verdict } from '../lib/table.ts';
import { presentSubjects, startAll } from '../subjects/index.ts';
import { largeUpstreams, type RunningSubject } from '../subjects/subject.ts';

const LARGE_BYTES = 100 * 1024 * 1024;
const SMALL_BYTES = 1024 * 1024;
const GROWTH_AT_MOST_BYTES = 32 * 1024 * 1024;

interface Transfer {
  readonly name: string;
  readonly up: boolean;
  /** Whether the receiving end stops reading for a second. */
  readonly slow: boolean;
}

const TRANSFERS: readonly Transfer[] = [
  { name: 'up', up: true, slow: false },
  { name: 'up, slow upstream', up: true, slow: true },
  { name: 'down', up: false, slow: false },
  { name: 'down, slow client', up: false, slow: true },
];

interface Measured {
  readonly name: string;
  /** Growth of each repeat, one list a transfer, in the order of TRANSFERS. */
  readonly growthBytes: number[][];
  failed: number;
}

/** 100 MiB through each proxy: how much of it is ever held? */
export async function largeRow(bench: Bench): Promise<Section> {
  const subjects = await startAll(bench, presentSubjects(bench), largeUpstreams(bench));
  const all: Measured[] = subjects.map(({ name }) => ({
    name,
    growthBytes: TRANSFERS.map(() => []),
    failed: 0,
  }));
  try {
    for (const [i, one] of subjects.entries()) {
      bench.say(`large: ${one.name}`);
      await saturate(bench, one, 1, {
        path: `/bytes/${SMALL_BYTES}`,
        bodyBytes: SMALL_BYTES,
        users: 4,
        connections: 2,
      });
      for (let repeat = 0; repeat < Math.min(3, bench.options.rounds); repeat++) {
        for (const [j, transfer] of TRANSFERS.entries())
          await measure(bench, one, transfer, j, all[i] as Measured);
      }
    }
    return report(all);
  } finally {
    for (const one of subjects) await one.stop();
  }
}

async function measure(
  bench: Bench,
  one: RunningSubject,
  transfer: Transfer,
  index: number,
  into: Measured,
): Promise<void> {
  const { up, slow } = transfer;
  const downBytes = up ? 0 : LARGE_BYTES;
  resetPeak(one.pid);
  const before = rssBytes(one.pid);
  const { status, received } = await runClient<{ status: number; received: number }>(bench, 'transfer', {
    port: one.port,
    path: `/${up && slow ? 'slow' : 'bytes'}/${downBytes}`,
    upBytes: up ? LARGE_BYTES : 0,
    slow: !up && slow,
  });
  into.growthBytes[index]?.push(peakRssBytes(one.pid) - before);
  if (status !== 200 || received !== downBytes) into.failed++;
}

function report(all: readonly Measured[]): Section {
  const worst = (one: Measured) => one.growthBytes.map((growths) => spread(growths).max);
  const rows = all.map((one) => [one.name, ...worst(one).map((bytes) => mib(bytes, 1)), number(one.failed)]);
  return {
    title: 'A body of 100 MiB (growth of RSS in MiB, worst repeat)',
    table: { head: ['proxy', ...TRANSFERS.map((one) => one.name), 'failed'], rows },
    notes: ['slow: the receiving end stops reading for a second after the first MiB'],
    verdicts: all
      .filter((one) => one.name.startsWith('coalmine'))
      .map((one) => verdict(one, Math.max(...worst(one)))),
    data: all,
  };
}

function verdict(one: Measured, growthBytes: number): Verdict {
  return {
    what: `${one.name}: growth of memory by a 100 MiB body`,
    target: `< ${mib(GROWTH_AT_MOST_BYTES)} MiB`,
    measured: one.failed > 0 ? `${one.failed} transfers failed` : `${mib(growthBytes, 1)} MiB`,
    met: one.failed === 0 && growthBytes < GROWTH_AT_MOST_BYTES,
  };
}
