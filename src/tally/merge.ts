import { newTally, requestSlot, SCALAR, type Tally } from '../core/tally.ts';

/**
 * Adding tallies up.
 *
 * Counts and buckets are whole numbers, so any partition of a stream of requests
 * adds up to the same counts in any order (while a version has no more distinct
 * (method, status) pairs than slots; beyond that the status classes still add up).
 * Sums of milliseconds are equal but for the rounding of floating-point addition.
 */

/** The stage of a tally that adds up more than one stage. */
export const ALL_STAGES = -1;

/** The scalars that belong to a histogram, and so restart with it. */
const HISTOGRAM_SUMS: readonly number[] = [SCALAR.durationSumMs, SCALAR.ttfbSumMs, SCALAR.mirrorSumMs];

/** Adds `from` to `into`; throws when they are not of one service, version and set of edges. */
export function addTally(into: Tally, from: Tally): void {
  if (into.service !== from.service || into.version !== from.version) {
    throw new Error(`cannot add the tally of ${nameOf(from)} to that of ${nameOf(into)}`);
  }
  if (!sameEdges(into.edgesMs, from.edgesMs)) {
    throw new Error(
      `cannot add tallies of ${nameOf(into)} with different latency edges: ` +
        `[${into.edgesMs.join(', ')}] ms and [${from.edgesMs.join(', ')}] ms`,
    );
  }
  addCounters(into, from);
  addAll(into.duration, from.duration);
  addAll(into.ttfb, from.ttfb);
  addAll(into.mirrorDuration, from.mirrorDuration);
  for (const scalar of HISTOGRAM_SUMS) into.scalars[scalar]! += from.scalars[scalar] as number;
}

/** Adds everything but the histograms and their sums, so that the edges may differ. */
export function addCounters(into: Tally, from: Tally): void {
  addRequests(into, from);
  addAll(into.assigned, from.assigned);
  addAll(into.mirrored, from.mirrored);
  for (let scalar = 0; scalar < from.scalars.length; scalar++) {
    if (!HISTOGRAM_SUMS.includes(scalar)) into.scalars[scalar]! += from.scalars[scalar] as number;
  }
}

/** A new tally that is the sum of these; of one stage if they all are, else of `ALL_STAGES`. */
export function mergeTallies(tallies: readonly Tally[]): Tally {
  const first = tallies[0];
  if (first === undefined) throw new Error('there is no tally to add up');
  const oneStage = tallies.every((tally) => tally.stage === first.stage);
  const { service, stage, version, edgesMs } = first;
  const sum = newTally(service, oneStage ? stage : ALL_STAGES, version, [...edgesMs]);
  for (const tally of tallies) addTally(sum, tally);
  return sum;
}

export function sameEdges(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] !== b[i]) return false;
  }
  return true;
}

/** The same pair may sit in another slot of each tally, so slots are matched by their key. */
function addRequests(into: Tally, from: Tally): void {
  for (let i = 0; i < from.requests.length; i++) {
    const count = from.requests[i] as number;
    if (count === 0) continue;
    const key = from.slotKeys[i] as number;
    into.requests[requestSlot(into.slotKeys, Math.floor(key / 1000), key % 1000)]! += count;
  }
}

function addAll(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < from.length; i++) into[i]! += from[i] as number;
}

function nameOf(tally: Tally): string {
  return `${tally.service}/${tally.version}`;
}
