import type { RunningTotals } from '../../tally/recorder.ts';
import { Gain } from './gain.ts';

/** Looks that are remembered. */
const LOOKS = 11;

/** A version's counters at the last looks. */
export class Recent {
  readonly #rows: { atMs: number; totals: RunningTotals }[] = [];

  /** `totals` is copied. */
  push(atMs: number, { requests, errors, edgesMs, durations }: RunningTotals): void {
    if (this.#rows.length >= LOOKS) this.#rows.shift();
    this.#rows.push({ atMs, totals: { requests, errors, edgesMs, durations: durations.slice() } });
  }

  get last(): RunningTotals | null {
    return this.#rows.at(-1)?.totals ?? null;
  }

  /** What was counted from the oldest look that is remembered to the last one; null: there are no two. */
  gain(): Gain | null {
    const [oldest] = this.#rows;
    const newest = this.#rows.at(-1);
    if (oldest === undefined || newest === undefined || oldest === newest) return null;
    const gain = new Gain();
    gain.addTotals(oldest.totals, newest.totals);
    gain.spanMs = newest.atMs - oldest.atMs;
    return gain;
  }
}
