import type { Bench } from '../lib/bench.ts';
import { coalmine, coalmineMirror, coalmineObserve } from './coalmine.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { barePipe, barePipeWithFlags, httpProxy } from './node-peer.ts';
import type { RunningSubject, Subject, Upstreams } from './subject.ts';

export const SUBJECTS: readonly Subject[] = [
  coalmine,
  coalmineMirror,
  coalmineObserve,
  barePipe,
  barePipeWithFlags,
  httpProxy,
  nginx,
  haproxy,
];

/** Those of `subjects` that were asked for and can run here; says which cannot. */
export function presentSubjects(bench: Bench, subjects: readonly Subject[] = SUBJECTS): Subject[] {
  const { subjects: wanted } = bench.options;
  return subjects.filter((subject) => {
    if (wanted !== null && !wanted.includes(subject.name)) return false;
    const reason = subject.missing(bench);
    if (reason !== null) bench.say(`  left out: ${subject.name} (${reason})`);
    return reason === null;
  });
}

/** Starts all; one that will not start is left out with the reason. */
export async function startAll(
  bench: Bench,
  subjects: readonly Subject[],
  upstreams: Upstreams,
): Promise<RunningSubject[]> {
  const running: RunningSubject[] = [];
  for (const subject of subjects) {
    try {
      running.push(await subject.start(bench, upstreams));
    } catch (error) {
      bench.say(`  left out: ${subject.name} (${(error as Error).message})`);
    }
  }
  return running;
}
