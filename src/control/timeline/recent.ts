import type { RunningTotals } from '../../tally/recorder.ts';
import { Gain } from './gain.ts';

/** Looks that are remembered. */
const LOOKS = 11;

/** What stands in a row before the durations: when the look was, requests, errors. */
const AT_MS = 0;
const REQUESTS = 1;
const ERRORS = 2;
const HEAD = 3;

/**
 * A version's counters at the last looks, in one ring that is overwritten: a thousand services
 * are looked at every second, and what lives for ten of them is dear to collect.
 */
export class Recent {
  #edgesMs: Float64Array = NO_EDGES;
  #width = HEAD;
  #rows: Float64Array = NO_EDGES;
  /** Looks so far. */
  #looks = 0;

  /** `totals` is copied. */
  push(atMs: number, { requests, errors, edgesMs, durations }: RunningTotals): void {
    if (edgesMs !== this.#edgesMs) this.#changeEdges(edgesMs);
    const row = (this.#looks % LOOKS) * this.#width;
    const rows = this.#rows;
    rows[row + AT_MS] = atMs;
    rows[row + REQUESTS] = requests;
    rows[row + ERRORS] = errors;
    for (let i = 0; i < durations.length; i++) rows[row + HEAD + i] = durations[i] as number;
    this.#looks++;
  }

  /** When the last look was; -1: there was none. */
  get lastMs(): number {
    return this.#looks === 0 ? -1 : this.#at(this.#looks - 1, AT_MS);
  }

  /** Holds until the ring has come round. */
  get last(): RunningTotals | null {
    return this.#looks === 0 ? null : this.#totals(this.#looks - 1);
  }

  /** What was counted from the oldest look that is remembered to the last one; null: there are no two. */
  gain(): Gain | null {
    if (this.#looks < 2) return null;
    const newest = this.#looks - 1;
    const oldest = Math.max(0, this.#looks - LOOKS);
    const gain = new Gain();
    gain.addTotals(this.#totals(oldest), this.#totals(newest));
    gain.spanMs = this.#at(newest, AT_MS) - this.#at(oldest, AT_MS);
    return gain;
  }

  #at(look: number, column: number): number {
    return this.#rows[(look % LOOKS) * this.#width + column] as number;
  }

  #totals(look: number): RunningTotals {
    const row = (look % LOOKS) * this.#width;
    return {
      requests: this.#at(look, REQUESTS),
      errors: this.#at(look, ERRORS),
      edgesMs: this.#edgesMs,
      durations: this.#rows.subarray(row + HEAD, row + this.#width),
    };
  }

  /** A histogram between other bounds has begun at zero, so that is what earlier looks saw of it. */
  #changeEdges(edgesMs: Float64Array): void {
    const before = this.#rows;
    const widthBefore = this.#width;
    this.#edgesMs = edgesMs;
    this.#width = HEAD + edgesMs.length + 1;
    this.#rows = new Float64Array(LOOKS * this.#width);
    for (let row = 0; row < Math.min(this.#looks, LOOKS); row++) {
      const head = before.subarray(row * widthBefore, row * widthBefore + HEAD);
      this.#rows.set(head, row * this.#width);
    }
  }
}

const NO_EDGES = new Float64Array(0);
