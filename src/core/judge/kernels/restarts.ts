import type { Tilt } from './tilt.ts';

/**
 * The restart mixture: `E_t = sum_{j<=J} E_(tau_j, t] / (j (j+1)) + 1/(J+1)`, for a version that turns bad
 * late. Exchanging the sums over restarts and over the grid makes it one number a grid point:
 * `X := (X + 1/(j (j+1))) * e^(log-likelihood ratio of the slice)`, so a slice costs the same however many
 * restarts there were.
 */
export interface Restarts {
  readonly x: number[];
  /** Restarts so far, those of slices that are missing included. */
  count: number;
}

/** Evidence is kept below this: a bounded e-process is still one, and JSON knows no infinity. */
const MAX_E = 1e300;
const MAX_LOG = 690;

export function startRestarts(points: number): Restarts {
  return { x: Array.from({ length: points }, () => 0), count: 0 };
}

/** Both have as many points. */
export function assignRestarts(to: Restarts, from: Restarts): void {
  for (let j = 0; j < to.x.length; j++) to.x[j] = from.x[j]!;
  to.count = from.count;
}

/**
 * One more slice, the `index`-th of the rollout (from 0). A slice that is missing, because nothing happened or
 * because old ones were joined, gives its weight away: that only ever lowers the evidence.
 */
export function addToRestarts(state: Restarts, index: number, tilt: Tilt, k: number, rest: number): void {
  const restart = Math.max(index + 1, state.count);
  const weight = restart > state.count ? 1 / (restart * (restart + 1)) : 0;
  state.count = restart;
  const { x } = state;
  const { first, second } = tilt;
  const idle = k === 0 && rest === 0;
  for (let j = 0; j < x.length; j++) {
    const begun = x[j]! + weight;
    // What has vanished stays so: times more than a number can say it would be no number, for good.
    const still = idle || begun === 0;
    x[j] = still ? begun : Math.min(MAX_E, begun * Math.exp(k * first[j]! + rest * second[j]!));
  }
}

/** The e-value now. */
export function restartsE({ x, count }: Restarts): number {
  let sum = 0;
  for (let j = 0; j < x.length; j++) sum += x[j]! / x.length;
  return sum + 1 / (count + 1);
}

/**
 * As `restartsE`, with events that belong to no slice: every restart has bet on them from the beginning, also
 * those to come, which wait for their slices with what the bets have made of their weight.
 *
 * @param late log-likelihood ratio of those events by grid point
 */
export function restartsWithLate({ x, count }: Restarts, late: ArrayLike<number>): number {
  const waiting = 1 / (count + 1);
  let sum = 0;
  for (let j = 0; j < x.length; j++) {
    sum += Math.min(MAX_E, (x[j]! + waiting) * Math.exp(Math.min(MAX_LOG, late[j]!))) / x.length;
  }
  return sum;
}

/** As `restartsE`, if the next `n` things were of the first kind with probability `p`. */
export function restartsForecast(state: Restarts, tilt: Tilt, p: number, n: number): number {
  const { x, count } = state;
  let sum = 0;
  for (let j = 0; j < x.length; j++) {
    if (x[j] === 0) continue;
    sum += (x[j]! / x.length) * Math.exp(n * (p * tilt.first[j]! + (1 - p) * tilt.second[j]!));
  }
  return sum + 1 / (count + 1);
}
