import { increaseOf, quantileOf } from '../../core/analysis/tally-read.ts';
import type { RunningTotals } from '../../tally/recorder.ts';

/** What was counted of one version in a stretch of time. Gains of one version add up. */
export class Gain {
  spanMs = 0;
  requests = 0;
  errors = 0;
  /** Answers that told how sure they are, and the sum of it. */
  confident = 0;
  confidenceSum = 0;
  /** By class name; null: nothing is read of this version. */
  classes: Map<string, number> | null = null;
  edgesMs: Float64Array = NO_COUNTS;
  durations: Float64Array = NO_COUNTS;

  /** Counters from one look to the next; null before: they have begun since. */
  addTotals(before: RunningTotals | null, after: RunningTotals): void {
    this.requests += increaseOf(before?.requests ?? 0, after.requests);
    this.errors += increaseOf(before?.errors ?? 0, after.errors);
    this.#sameEdges(after.edgesMs);
    const { durations } = after;
    const base = before !== null && follows(before, after) ? before.durations : null;
    for (let i = 0; i < durations.length; i++) {
      this.durations[i]! += (durations[i] as number) - (base?.[i] ?? 0);
    }
  }

  add(other: Gain): void {
    this.spanMs += other.spanMs;
    this.requests += other.requests;
    this.errors += other.errors;
    this.confident += other.confident;
    this.confidenceSum += other.confidenceSum;
    this.#sameEdges(other.edgesMs);
    for (let i = 0; i < other.durations.length; i++) this.durations[i]! += other.durations[i] as number;
    if (other.classes === null) return;
    this.classes ??= new Map();
    for (const [name, count] of other.classes) this.classes.set(name, (this.classes.get(name) ?? 0) + count);
  }

  get ratePerS(): number {
    return this.spanMs > 0 ? (this.requests / this.spanMs) * 1_000 : Number.NaN;
  }

  get errorShare(): number {
    return this.requests > 0 ? this.errors / this.requests : Number.NaN;
  }

  get confidence(): number {
    return this.confident > 0 ? this.confidenceSum / this.confident : Number.NaN;
  }

  quantileMs(q: number): number {
    return quantileOf({ durationsByBucket: this.durations, edgesMs: this.edgesMs }, q) ?? Number.NaN;
  }

  /** Counts between other bounds cannot be added, so those before are given up. */
  #sameEdges(edgesMs: Float64Array): void {
    if (equal(this.edgesMs, edgesMs)) return;
    this.edgesMs = edgesMs;
    this.durations = new Float64Array(edgesMs.length + 1);
  }
}

const NO_COUNTS = new Float64Array(0);

/** A bucket that fell, or other bounds, mean that the histogram began again. */
function follows(before: RunningTotals, after: RunningTotals): boolean {
  return (
    equal(before.edgesMs, after.edgesMs) &&
    after.durations.every((count, i) => count >= (before.durations[i] as number))
  );
}

function equal(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
