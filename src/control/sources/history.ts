import type { WindowCounts } from '../../core/analysis/tally-read.ts';
import { Rows } from './rows.ts';

/** Everything counted since a version was first seen. */
export type Totals = Omit<WindowCounts, 'spanMs'>;

/**
 * How far back each tier reaches and how far apart its rows are, in steps. A
 * window within the last hour so begins at most a step, or a twentieth of its
 * length, too early.
 */
const TIERS = [
  { reach: 120, every: 1 },
  { reach: 600, every: 5 },
  { reach: 3_600, every: 30 },
  { reach: 43_200, every: 1_200 },
] as const;

/** A row: the counters stood like this from `from` to `to`. Then come the buckets. */
const COLUMN = { from: 0, to: 1, requests: 2, errors: 3, buckets: 4 } as const;

interface Tier {
  readonly rows: Rows;
  readonly reachMs: number;
  readonly everyMs: number;
}

/**
 * What the counters of one version said over time: densely for the last minutes,
 * thinner before, bounded. Times are real and monotonic, in ms. Counters that did
 * not move take no room.
 */
export class History {
  readonly #edgesMs: Float64Array;
  readonly #tiers: readonly Tier[];
  readonly #row: Float64Array;

  constructor(stepMs: number, first: Totals, atMs: number) {
    this.#edgesMs = first.edgesMs;
    this.#row = new Float64Array(COLUMN.buckets + first.durationsByBucket.length);
    this.#tiers = TIERS.map(({ reach, every }, i) => {
      // Looks may come a little early, so that a tier must hold more than reach / every.
      const rows = Math.ceil(((reach - (TIERS[i - 1]?.reach ?? 0)) / every) * 1.25) + 2;
      return { rows: new Rows(this.#row.length, rows), reachMs: reach * stepMs, everyMs: every * stepMs };
    });
    this.add(first, atMs);
  }

  /** `totals` must follow on those before (`startAfter` says so). */
  add({ requests, errors, durationsByBucket }: Totals, atMs: number): void {
    const { rows } = this.#tiers[0] as Tier;
    const last = rows.length - 1;
    if (last >= 0 && rows.at(last, COLUMN.requests) === requests) {
      const held = rows.row(last);
      // A request may count in a bucket alone: one whose client went away is neither success nor failure.
      if (
        held[COLUMN.errors] === errors &&
        durationsByBucket.every((n, i) => held[COLUMN.buckets + i] === n)
      ) {
        rows.set(last, COLUMN.to, atMs);
        this.#age(atMs);
        return;
      }
    }
    this.#row.set([atMs, atMs, requests, errors]);
    this.#row.set(durationsByBucket, COLUMN.buckets);
    if (rows.isFull) this.#moveOldest(0);
    rows.push(this.#row);
    this.#age(atMs);
  }

  /**
   * Null: `next` follows on what was counted so far. Otherwise the counters began
   * anew, and these are the totals that they did so from, with edges as `next` has.
   */
  startAfter(next: Totals): Totals | null {
    const last = this.#newest();
    const requests = last[COLUMN.requests] as number;
    const errors = last[COLUMN.errors] as number;
    const { edgesMs } = next;
    if (next.requests >= requests && next.errors >= errors) {
      if (equal(this.#edgesMs, edgesMs) && noneBelow(next.durationsByBucket, last)) return null;
      // Other edges restart the histograms alone.
      return { requests, errors, durationsByBucket: noneOf(next), edgesMs };
    }
    return { requests: 0, errors: 0, durationsByBucket: noneOf(next), edgesMs };
  }

  /**
   * What was counted from `startMs` on, until the last `add`. Begins at the first
   * time at or before `startMs` of which the counters are known, or the oldest
   * there is, but never before `notBeforeMs`. Null where that leaves no time.
   */
  counts(startMs: number, notBeforeMs: number): WindowCounts | null {
    const newest = this.#newest();
    const endMs = newest[COLUMN.to] as number;
    const base = this.#baseOf(startMs, notBeforeMs, endMs);
    if (base === null) return null;
    const { row, atMs } = base;
    return {
      requests: (newest[COLUMN.requests] as number) - (row[COLUMN.requests] as number),
      errors: (newest[COLUMN.errors] as number) - (row[COLUMN.errors] as number),
      durationsByBucket: newest
        .slice(COLUMN.buckets)
        .map((count, i) => count - (row[COLUMN.buckets + i] as number)),
      edgesMs: this.#edgesMs,
      spanMs: endMs - atMs,
    };
  }

  /** The requests of `counts(startMs, -Infinity)`. */
  traffic(startMs: number): Pick<WindowCounts, 'requests' | 'spanMs'> | null {
    const newest = this.#newest();
    const endMs = newest[COLUMN.to] as number;
    const base = this.#baseOf(startMs, Number.NEGATIVE_INFINITY, endMs);
    if (base === null) return null;
    const requests = (newest[COLUMN.requests] as number) - (base.row[COLUMN.requests] as number);
    return { requests, spanMs: endMs - base.atMs };
  }

  #baseOf(startMs: number, notBeforeMs: number, endMs: number): { row: Float64Array; atMs: number } | null {
    const base = this.#atOrBefore(startMs, notBeforeMs) ?? this.#atOrAfter(Math.max(startMs, notBeforeMs));
    return base === null || base.atMs >= endMs ? null : base;
  }

  #newest(): Float64Array {
    const { rows } = this.#tiers[0] as Tier;
    return rows.row(rows.length - 1);
  }

  #atOrBefore(startMs: number, notBeforeMs: number): { row: Float64Array; atMs: number } | null {
    for (const { rows } of this.#tiers) {
      const i = lastBegunBy(rows, startMs);
      if (i < 0) continue;
      const atMs = Math.min(rows.at(i, COLUMN.to), startMs);
      return atMs >= notBeforeMs ? { row: rows.row(i), atMs } : null;
    }
    return null;
  }

  #atOrAfter(startMs: number): { row: Float64Array; atMs: number } | null {
    for (const { rows } of this.#tiers.toReversed()) {
      for (let i = 0; i < rows.length; i++) {
        if (rows.at(i, COLUMN.to) < startMs) continue;
        return { row: rows.row(i), atMs: Math.max(rows.at(i, COLUMN.from), startMs) };
      }
    }
    return null;
  }

  /** Hands on what has grown too old for its tier. The newest row always stays. */
  #age(nowMs: number): void {
    for (const [i, { rows, reachMs }] of this.#tiers.entries()) {
      const kept = i === 0 ? 1 : 0;
      while (rows.length > kept && rows.at(0, COLUMN.to) < nowMs - reachMs) this.#moveOldest(i);
    }
  }

  /** To the next tier, where it is far enough from the one before it. */
  #moveOldest(index: number): void {
    const { rows } = this.#tiers[index] as Tier;
    const next = this.#tiers[index + 1];
    if (next !== undefined && isApart(next, rows.at(0, COLUMN.to))) {
      if (next.rows.isFull) this.#moveOldest(index + 1);
      next.rows.push(rows.row(0));
    }
    rows.shift();
  }
}

function isApart({ rows, everyMs }: Tier, toMs: number): boolean {
  return rows.length === 0 || toMs - rows.at(rows.length - 1, COLUMN.to) >= everyMs;
}

/** The newest row that begins at or before `ms`; -1: none does. Rows are in the order of time. */
function lastBegunBy(rows: Rows, ms: number): number {
  let low = -1;
  let high = rows.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rows.at(middle, COLUMN.from) <= ms) low = middle;
    else high = middle;
  }
  return low;
}

function equal(a: Float64Array, b: Float64Array): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** No bucket has fewer than the row says. */
function noneBelow(buckets: Float64Array, row: Float64Array): boolean {
  for (let i = 0; i < buckets.length; i++) {
    if ((buckets[i] as number) < (row[COLUMN.buckets + i] as number)) return false;
  }
  return true;
}

/** As many buckets, all empty. */
function noneOf({ durationsByBucket }: Totals): Float64Array {
  return new Float64Array(durationsByBucket.length);
}
