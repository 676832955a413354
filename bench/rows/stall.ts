import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from '../lib/bench.ts';
import { calmNote } from '../lib/calm.ts';
import { type OpenLoad, openLoop, warmUp } from '../lib/load.ts';
import { peakRssBytes, resetPeak } from '../lib/proc.ts';
import { ratios, spread } from '../lib/stats.ts';
import { mib, number, type Section, type Verdict } from '../lib/table.ts';
import { coalmineFullMirror } from '../subjects/coalmine.ts';
import { presentSubjects, startAll } from '../subjects/index.ts';
import { nginxMirror } from '../subjects/nginx.ts';
import { type RunningSubject, smallUpstreams } from '../subjects/subject.ts';

const STALL_MS = 5000;
const P99_AT_MOST = 1.2;
const GROWTH_AT_MOST_BYTES = 50 * 1024 * 1024;
/** Every request is mirrored, so this doubles the upstream's work; well below what any of the two can do. */
const DEFAULT_RATE = 2000;

interface Window extends OpenLoad {
  readonly peakBytes: number;
}

interface Measured {
  readonly name: string;
  readonly calm: Window[];
  readonly stalled: Window[];
}

/** The shadow gets a copy of every request and stops answering for five seconds: do the clients feel it? */
export async function stallRow(bench: Bench): Promise<Section> {
  const rate = bench.options.rate ?? DEFAULT_RATE;
  const subjects = await startAll(
    bench,
    presentSubjects(bench, [coalmineFullMirror, nginxMirror]),
    smallUpstreams(bench),
  );
  const all: Measured[] = subjects.map(({ name }) => ({ name, calm: [], stalled: [] }));
  try {
    for (const one of subjects) {
      await warmUp(bench, one);
      await openLoop(bench, one, { rate, seconds: bench.options.seconds });
    }
    for (let round = 0; round < bench.options.rounds; round++) {
      bench.say(`stall: round ${round + 1} of ${bench.options.rounds}`);
      for (const [i, one] of subjects.entries()) {
        all[i]?.calm.push(await measure(bench, one, rate, false));
        all[i]?.stalled.push(await measure(bench, one, rate, true));
        // What the shadow still holds is answered before the next measurement.
        await sleep(1000);
      }
    }
    return report(all, rate);
  } finally {
    for (const one of subjects) await one.stop();
  }
}

async function measure(bench: Bench, one: RunningSubject, rate: number, stalled: boolean): Promise<Window> {
  resetPeak(one.pid);
  if (stalled) await bench.origin.stallShadow(STALL_MS);
  const result = await openLoop(bench, one, { rate, seconds: STALL_MS / 1000 });
  return { ...result, peakBytes: peakRssBytes(one.pid) };
}

function p99s(windows: readonly Window[]): number[] {
  return windows.map((one) => one.p99Ms);
}

function report(all: readonly Measured[], rate: number): Section {
  const cells = (windows: readonly Window[]) => [
    number(spread(windows.map((one) => one.p50Ms)).median, 2),
    number(spread(p99s(windows)).median, 2),
    mib(spread(windows.map((one) => one.peakBytes)).median, 1),
  ];
  const rows = all.map((one) => [
    one.name,
    ...cells(one.calm),
    ...cells(one.stalled),
    number(ratios(p99s(one.stalled), p99s(one.calm)).median, 2),
    number([...one.calm, ...one.stalled].reduce((sum, run) => sum + run.errors, 0)),
  ]);
  const head = [
    'proxy',
    'calm p50 ms',
    'calm p99 ms',
    'calm peak RSS MiB',
    'stalled p50 ms',
    'stalled p99 ms',
    'stalled peak RSS MiB',
    'p99 ×',
    'failed',
  ];
  const own = all.find((one) => one.name === coalmineFullMirror.name);
  return {
    title: 'The shadow stalls for 5 s (every request mirrored)',
    table: { head, rows },
    notes: [
      `open loop at ${number(rate)} requests/s; the change of memory is taken between the two peaks of a round, worst round`,
      calmNote(all.flatMap((one) => [...one.calm, ...one.stalled])),
    ],
    verdicts: own === undefined ? [] : verdicts(own),
    data: { rate, subjects: all },
  };
}

function verdicts(own: Measured): Verdict[] {
  const ratio = ratios(p99s(own.stalled), p99s(own.calm)).median;
  const growth = spread(own.stalled.map((one, i) => one.peakBytes - (own.calm[i]?.peakBytes ?? 0))).max;
  return [
    {
      what: "a stalled shadow: the client's p99 against before",
      target: `< ${P99_AT_MOST} ×`,
      measured: `${number(ratio, 2)} ×`,
      met: ratio < P99_AT_MOST,
    },
    {
      what: 'a stalled shadow: growth of memory',
      target: `< ${mib(GROWTH_AT_MOST_BYTES)} MiB`,
      measured: `${mib(growth, 1)} MiB`,
      met: growth < GROWTH_AT_MOST_BYTES,
    },
  ];
}
