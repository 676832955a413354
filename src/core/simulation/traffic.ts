import type { WindowCounts } from '../analysis/tally-read.ts';
import { type Behaviour, behaviourAt, bucketShares, type Fault, meanMs } from './behaviour.ts';
import { binomial, poisson } from './draws.ts';

/** Requests of a play: drawn piece by piece, counted for the canary and the stable version as the gateway counts. */

export interface TrafficOptions {
  /** Of the service as a whole. */
  readonly ratePerS: number;
  /** Middle of the answers' times of both versions without a fault. */
  readonly medianMs: number;
  /** Share of 5xx of both versions without a fault, 0..1. */
  readonly errorShare: number;
  readonly faults: readonly Fault[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly edgesMs: readonly number[];
  /** How finely the past is remembered. */
  readonly tickMs: number;
}

export type Role = 'canary' | 'stable';

/** Before a play begins stable has served everybody for this long, as in a gateway that has been running. */
export const WARM_UP_MS = 600_000;

/** Columns of a row, before the buckets. */
const REQUESTS = 0;
const ERRORS = 1;
const SUM_MS = 2;
const BUCKETS = 3;

/** What was counted up to a moment. */
export interface Totals {
  readonly requests: number;
  readonly errors: number;
  readonly sumMs: number;
  /** Not cumulative; one slot more than edges. */
  readonly buckets: Float64Array;
}

export class Traffic {
  readonly #options: TrafficOptions;
  readonly #counts: Readonly<Record<Role, Ledger>>;
  readonly #edgesMs: Float64Array;
  /** By delay: how answers spread over the buckets. */
  readonly #shares = new Map<number, Float64Array>();
  #nowMs = -WARM_UP_MS;

  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#edgesMs = Float64Array.from(options.edgesMs);
    const width = BUCKETS + options.edgesMs.length + 1;
    this.#counts = { canary: new Ledger(width), stable: new Ledger(width) };
    this.advance(0, 0, 1);
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Lets time pass up to a moment while the versions have these shares of the requests, 0..1. */
  advance(toMs: number, canaryShare: number, stableShare: number): void {
    while (this.#nowMs < toMs) {
      const endMs = Math.min(toMs, this.#tickEnd(), ...this.#changesAfterNow());
      this.#draw('canary', canaryShare, endMs);
      this.#draw('stable', stableShare, endMs);
      this.#nowMs = endMs;
      if (endMs === this.#tickEndOf(endMs)) {
        this.#counts.canary.close();
        this.#counts.stable.close();
      }
    }
  }

  /** Of a version within the last `windowMs`, and not before `sinceMs`. */
  window(role: Role, windowMs: number, sinceMs: number): WindowCounts {
    const fromMs = Math.max(this.#nowMs - windowMs, sinceMs, -WARM_UP_MS);
    const before = this.at(role, fromMs);
    const after = this.at(role, this.#nowMs);
    return {
      requests: after.requests - before.requests,
      errors: after.errors - before.errors,
      durationsByBucket: after.buckets.map((count, i) => count - (before.buckets[i] as number)),
      edgesMs: this.#edgesMs,
      spanMs: this.#nowMs - fromMs,
    };
  }

  /** Up to a moment, to the tick; before the warm-up nothing was. */
  at(role: Role, ms: number): Totals {
    const ticks = Math.max(0, Math.floor((ms + WARM_UP_MS) / this.#options.tickMs));
    const row = this.#counts[role].row(ms >= this.#nowMs ? Number.POSITIVE_INFINITY : ticks);
    return {
      requests: row[REQUESTS] as number,
      errors: row[ERRORS] as number,
      sumMs: row[SUM_MS] as number,
      buckets: row.subarray(BUCKETS),
    };
  }

  #draw(role: Role, share: number, endMs: number): void {
    const { ratePerS, medianMs, errorShare, faults, random } = this.#options;
    if (share <= 0) return;
    const requests = poisson((ratePerS * share * (endMs - this.#nowMs)) / 1_000, random);
    if (requests === 0) return;
    const usual: Behaviour = { errorShare, addMs: 0 };
    const { errorShare: failing, addMs } =
      role === 'canary' ? behaviourAt(faults, usual, this.#nowMs) : usual;
    const row = this.#counts[role].current;
    row[REQUESTS] = (row[REQUESTS] as number) + requests;
    row[ERRORS] = (row[ERRORS] as number) + binomial(requests, failing, random);
    row[SUM_MS] = (row[SUM_MS] as number) + requests * meanMs(medianMs, addMs);
    spread(requests, this.#sharesOf(addMs), row, random);
  }

  #sharesOf(addMs: number): Float64Array {
    let shares = this.#shares.get(addMs);
    if (shares === undefined) {
      shares = bucketShares(this.#options.edgesMs, this.#options.medianMs, addMs);
      this.#shares.set(addMs, shares);
    }
    return shares;
  }

  #tickEnd(): number {
    const end = this.#tickEndOf(this.#nowMs);
    return end > this.#nowMs ? end : end + this.#options.tickMs;
  }

  /** The end of the tick that a moment is in; a moment between two is the end of the earlier one. */
  #tickEndOf(ms: number): number {
    const { tickMs } = this.#options;
    return Math.ceil((ms + WARM_UP_MS) / tickMs) * tickMs - WARM_UP_MS;
  }

  #changesAfterNow(): number[] {
    return this.#options.faults.map(({ atMs }) => atMs).filter((atMs) => atMs > this.#nowMs);
  }
}

/** Deals answers to the buckets of a row, one bucket after the other out of those that are left. */
function spread(requests: number, shares: Float64Array, row: Float64Array, random: () => number): void {
  let left = requests;
  let leftShare = 1;
  for (let i = 0; i < shares.length && left > 0; i++) {
    const share = shares[i] as number;
    if (share <= 0) continue;
    const drawn = binomial(left, Math.min(1, share / leftShare), random);
    row[BUCKETS + i] = (row[BUCKETS + i] as number) + drawn;
    left -= drawn;
    leftShare = Math.max(leftShare - share, 1e-12);
  }
  const last = BUCKETS + shares.length - 1;
  row[last] = (row[last] as number) + left;
}

/** Running totals, a row for the end of each tick; the current one is being written. */
class Ledger {
  readonly #width: number;
  readonly current: Float64Array;
  #rows: Float64Array;
  #closed = 0;

  constructor(width: number) {
    this.#width = width;
    this.current = new Float64Array(width);
    this.#rows = new Float64Array(width * 1_024);
  }

  close(): void {
    const at = this.#closed * this.#width;
    if (at === this.#rows.length) {
      const wider = new Float64Array(this.#rows.length * 2);
      wider.set(this.#rows);
      this.#rows = wider;
    }
    this.#rows.set(this.current, at);
    this.#closed++;
  }

  /** The totals after so many ticks; the latest ones where there are fewer. */
  row(ticks: number): Float64Array {
    if (ticks > this.#closed) return this.current.slice();
    if (ticks === 0) return new Float64Array(this.#width);
    return this.#rows.subarray((ticks - 1) * this.#width, ticks * this.#width);
  }
}
