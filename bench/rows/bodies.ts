import type { Bench } from '../lib/bench.ts';
import { calmNote } from '../lib/calm.ts';
import { type Saturation, saturate } from '../lib/load.ts';
import { peakRssBytes } from '../lib/proc.ts';
import { ratios, spread } from '../lib/stats.ts';
import { mib, number, type Section, withSpread } from '../lib/table.ts';
import { presentSubjects, startAll } from '../subjects/index.ts';
import { largeUpstreams } from '../subjects/subject.ts';

const MIB = 1024 * 1024;
const LOAD = { path: `/bytes/${MIB}`, bodyBytes: MIB, users: 16, connections: 8 };

interface Measured {
  readonly name: string;
  readonly runs: Saturation[];
  peakRssBytes: number;
}

/** 1 MiB up and 1 MiB down with each request. */
export async function bodiesRow(bench: Bench): Promise<Section> {
  const subjects = await startAll(bench, presentSubjects(bench), largeUpstreams(bench));
  const all: Measured[] = subjects.map(({ name }) => ({ name, runs: [], peakRssBytes: 0 }));
  try {
    for (const one of subjects) await saturate(bench, one, 1, LOAD);
    for (let round = 0; round < bench.options.rounds; round++) {
      bench.say(`bodies: round ${round + 1} of ${bench.options.rounds}`);
      for (const [i, one] of subjects.entries()) {
        all[i]?.runs.push(await saturate(bench, one, bench.options.seconds, LOAD));
      }
    }
    for (const [i, one] of subjects.entries()) (all[i] as Measured).peakRssBytes = peakRssBytes(one.pid);
    return report(all);
  } finally {
    for (const one of subjects) await one.stop();
  }
}

function costs(one: Measured): number[] {
  return one.runs.map((run) => run.cpuUsPerRequest);
}

function report(all: readonly Measured[]): Section {
  const bare = all.find((one) => one.name === 'bare-pipe');
  const rows = all.map((one) => {
    const perSecond = spread(one.runs.map((run) => run.perSecond)).median;
    return [
      one.name,
      withSpread(spread(costs(one))),
      bare === undefined ? '–' : number(ratios(costs(one), costs(bare)).median, 2),
      number(perSecond),
      number(perSecond * 2),
      number(spread(one.runs.map((run) => run.p99Ms)).median, 1),
      mib(one.peakRssBytes),
      number(one.runs.reduce((sum, run) => sum + run.errors, 0)),
    ];
  });
  const head = [
    'proxy',
    'CPU µs/request (min–max)',
    '× bare-pipe',
    'requests/s',
    'MiB/s',
    'p99 ms',
    'peak RSS MiB',
    'failed',
  ];
  return {
    title: '1 MiB up and 1 MiB down',
    table: { head, rows },
    notes: [
      `${LOAD.connections} connections; the origin stands on node:http here and may be the limit of requests/s`,
      calmNote(all.flatMap((one) => one.runs)),
    ],
    verdicts: [],
    data: all,
  };
}
