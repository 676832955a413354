import type { Bench } from '../lib/bench.ts';
import { saturate } from '../lib/load.ts';
import { rssBytes } from '../lib/proc.ts';
import { spread } from '../lib/stats.ts';
import { mib, number, type Section, type Verdict } from '../lib/table.ts';
import { coalmine, coalmineMirror } from '../subjects/coalmine.ts';
import { presentSubjects, startAll } from '../subjects/index.ts';
import { barePipe } from '../subjects/node-peer.ts';
import { type RunningSubject, smallUpstreams } from '../subjects/subject.ts';

const GROWTH_AT_MOST_BYTES = 10 * 1024 * 1024;
/** The target speaks of so many; a shorter run (--quick) gets no verdict. */
const TARGET_REQUESTS = 1_000_000;
const SAMPLE_MS = 200;
/** Many users, so that whatever is kept for each of them would show. */
const USERS = 100_000;

interface Sample {
  readonly requests: number;
  readonly rssBytes: number;
}

interface Measured {
  readonly name: string;
  readonly samples: Sample[];
  readonly failed: number;
}

/** Memory over a million requests: is it flat after the first hundred thousand? */
export async function soakRow(bench: Bench): Promise<Section> {
  const total = bench.options.quick ? 200_000 : TARGET_REQUESTS;
  const all: Measured[] = [];
  for (const subject of presentSubjects(bench, [coalmine, coalmineMirror, barePipe])) {
    bench.say(`soak: ${subject.name}`);
    for (const running of await startAll(bench, [subject], smallUpstreams(bench))) {
      try {
        all.push(await measure(bench, running, total));
      } finally {
        await running.stop();
      }
    }
  }
  return report(all, total);
}

async function measure(bench: Bench, one: RunningSubject, total: number): Promise<Measured> {
  const samples: Sample[] = [];
  let done = 0;
  let failed = 0;
  while (done < total) {
    const during: number[] = [];
    const timer = setInterval(() => during.push(rssBytes(one.pid)), SAMPLE_MS);
    const run = await saturate(bench, one, bench.options.seconds, { users: USERS });
    clearInterval(timer);
    // A sample's count of requests is interpolated over its run.
    for (const [i, rss] of during.entries()) {
      samples.push({ requests: done + (run.requests * (i + 1)) / during.length, rssBytes: rss });
    }
    done += run.requests;
    failed += run.errors;
  }
  return { name: one.name, samples, failed };
}

/** The middle of what was resident between two counts of requests. */
function rssBetween(one: Measured, from: number, to: number): number {
  const within = one.samples.filter(({ requests }) => requests >= from && requests <= to);
  return spread(within.map((sample) => sample.rssBytes)).median;
}

function report(all: readonly Measured[], total: number): Section {
  const tenth = total / 10;
  const figures = all.map((one) => ({
    one,
    early: rssBetween(one, tenth, 2 * tenth),
    late: rssBetween(one, total - tenth, total),
    peak: spread(one.samples.map((sample) => sample.rssBytes)).max,
  }));
  const rows = figures.map(({ one, early, late, peak }) => [
    one.name,
    mib(early, 1),
    mib(rssBetween(one, 4.5 * tenth, 5.5 * tenth), 1),
    mib(late, 1),
    mib(late - early, 1),
    mib(peak, 1),
    number(one.failed),
  ]);
  const head = [
    'proxy',
    `from ${number(tenth)}`,
    'half-way',
    `to ${number(total)}`,
    'growth',
    'peak',
    'failed',
  ];
  return {
    title: `Memory from ${number(tenth)} to ${number(total)} requests (RSS, MiB)`,
    table: { head, rows },
    notes: [`medians over a tenth of the requests each, sampled under load; ${number(USERS)} users`],
    verdicts:
      total < TARGET_REQUESTS
        ? []
        : figures
            .filter(({ one }) => one.name !== barePipe.name)
            .map(({ one, early, late }) => verdict(one.name, late - early)),
    data: all,
  };
}

function verdict(name: string, growthBytes: number): Verdict {
  return {
    what: `${name}: growth of memory over the soak`,
    target: `≤ ${mib(GROWTH_AT_MOST_BYTES)} MiB`,
    measured: `${mib(growthBytes, 1)} MiB`,
    met: growthBytes <= GROWTH_AT_MOST_BYTES,
  };
}
