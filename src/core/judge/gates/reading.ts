import type { LateKpis, ShadowPairs, Slice } from '../evidence.ts';
import type { Estimate, EstimateUnit, Weighing } from '../gates.ts';
import { rateInterval } from '../kernels/interval.ts';

/** Everything shown is shown with intervals that hold at all times at once with this much doubt. */
export const SHOWN_ALPHA = 0.05;
/** Harm beyond the failure rate that the next share tolerates must be this improbable. */
export const ADVANCE_BETA = 0.05;

/** What a gate sees of a look besides its own counts. */
export interface Look {
  readonly beta: number;
  /** Failure rate that the canary's next share tolerates. */
  readonly toleratedRate: number;
  readonly edgesMs: readonly number[];
  readonly shadow: ShadowPairs;
  readonly late: readonly LateKpis[];
  /** The newest slice's share of the canary; 0 before the first slice. */
  readonly w: number;
  /** No slice had a second arm to compare with. */
  readonly alone: boolean;
  readonly canaryName: string;
  readonly stableName: string;
}

/**
 * What a gate makes of its counts. A look is due every second, and somebody reads one now and then: what decides
 * nothing waits for a reader.
 */
export interface Reading {
  readonly unit: EstimateUnit;
  /** Log e-value of harm; of a test, ln(1/alpha) at which it would find some. */
  readonly logHarm: number;
  readonly pass: Weighing;
  /** Canary samples so far. */
  readonly have: number;
  /** Samples a canary request brings: 1, or less where only some answers are read or few users click. */
  readonly perRequest: number;
  /** Evidence that the failure rate is below what the next share tolerates. */
  readonly tolerated: Weighing | null;
  /** What a sample is called: `first requests`. */
  readonly noun: string;
  /** Samples missing until that is reached; null: not foreseeable. */
  missingToAdvance(): number | null;
  shown(): Shown;
}

/** What is there for people. */
export interface Shown {
  readonly canary: Estimate | null;
  readonly stable: Estimate | null;
  /** How many more samples until it passes if they go on like this; null: not foreseeable. */
  readonly missing: number | null;
  readonly environment: boolean;
  /** The numbers as a sentence without its end: `v2 failed 14 of 212 first requests (6.6 %), v1 …`. */
  readonly facts: string;
}

/** Of gates that ask for nothing before the last step. */
export function nothingMissing(): number {
  return 0;
}

/**
 * A gate's running sums over slices, in their order. Most slices are over and stay as they are; the newest changes
 * from look to look, so a fold can go back to where it was before that. Reading changes nothing.
 */
export interface GateFold {
  add(slice: Slice): void;
  /** What is summed up now is what `rewind` goes back to; before the first time: nothing. */
  keep(): void;
  rewind(): void;
  /** The reading is about the sums as they are now: it must be used up before they change. */
  read(look: Look): Reading;
}

/** What a fold does with its sums. */
export interface FoldOf<S> {
  start(): S;
  add(sums: S, slice: Slice): void;
  /** Makes `to` equal to `from`, without sharing anything that changes. */
  assign(to: S, from: S): void;
  read(sums: S, look: Look): Reading;
}

export function foldOf<S>({ start, add, assign, read }: FoldOf<S>): GateFold {
  const sums = start();
  const kept = start();
  return {
    add: (slice) => add(sums, slice),
    keep: () => assign(kept, sums),
    rewind: () => assign(sums, kept),
    read: (look) => read(sums, look),
  };
}

/** A name's entry; names come from outside, `constructor` may be one. */
export function entry<T>(record: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

/** `k` in `n` with its interval; null without data. */
export function rateEstimate(k: number, n: number): Estimate | null {
  return n <= 0 ? null : { value: k / n, ...rateInterval(k, n, SHOWN_ALPHA), n };
}

/**
 * The least n > 0 with `reached(n)`, which once true stays true; null if that is more than anyone waits for.
 */
export function leastSamples(reached: (n: number) => boolean): number | null {
  let high = 64;
  while (!reached(high)) {
    high *= 4;
    if (high > 1e10) return null;
  }
  let low = 0;
  while (high - low > Math.max(1, high / 1024)) {
    const middle = Math.floor((low + high) / 2);
    if (reached(middle)) high = middle;
    else low = middle;
  }
  return high;
}
