import { assertNever } from '../model.ts';
import { statusOfKey, type Tally } from '../tally.ts';
import type { TallyRead } from './plan.ts';
import type { Outcome } from './state.ts';

/** Numbers out of the gateway's own counters. Mirrored copies are not in them. */

/** What one version was sent within a stretch of time. */
export interface WindowCounts {
  /** Answered ones; see `countsBetween` for what is left out. */
  readonly requests: number;
  /** Those of them that ended in a 5xx. */
  readonly errors: number;
  /** One slot more than `edgesMs`, for what lies above; not cumulative. */
  readonly durationsByBucket: Float64Array;
  readonly edgesMs: Float64Array;
  /** How long the stretch was. */
  readonly spanMs: number;
}

const CLIENT_GONE = 499;

/**
 * What was counted from one snapshot to a later one of the same version; `before`
 * null: everything. A WebSocket's 101 and a client that went away (499) say neither
 * that the version works nor that it does not, and are left out of `requests`. A
 * counter that fell was restarted, and then its later value is the increase, as in
 * PromQL; histograms restart too when their edges change.
 */
export function countsBetween(before: Tally | null, after: Tally): Omit<WindowCounts, 'spanMs'> {
  const earlier = new Map<number, number>();
  before?.requests.forEach((count, slot) => {
    if (count > 0) earlier.set(before.slotKeys[slot] as number, count);
  });
  let requests = 0;
  let errors = 0;
  after.requests.forEach((count, slot) => {
    const key = after.slotKeys[slot] as number;
    const status = statusOfKey(key);
    if (count === 0 || !saysHowItWent(status)) return;
    const risen = increaseOf(earlier.get(key) ?? 0, count);
    requests += risen;
    if (status >= 500) errors += risen;
  });
  return { requests, errors, durationsByBucket: durationsBetween(before, after), edgesMs: after.edgesMs };
}

/** A WebSocket's 101 and a client that went away (499) do not. */
export function saysHowItWent(status: number): boolean {
  return status >= 200 && status !== CLIENT_GONE;
}

/** By how much a counter rose; one that fell began again at 0. */
export function increaseOf(before: number, after: number): number {
  return after < before ? after : after - before;
}

function durationsBetween(before: Tally | null, after: Tally): Float64Array {
  const counts = Float64Array.from(after.duration);
  if (before === null || !equal(before.edgesMs, after.edgesMs)) return counts;
  // One bucket that fell means that all began again.
  if (counts.some((count, i) => count < (before.duration[i] as number))) return counts;
  return counts.map((count, i) => count - (before.duration[i] as number));
}

function equal(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/**
 * The q-quantile in ms, q in 0..1, linear inside its bucket as in Prometheus'
 * histogram_quantile (promql/quantile.go, bucketQuantile); one that lies above the
 * highest edge gives that edge. Null: nothing was counted, or there is no edge.
 */
export function quantileOf(
  counts: Pick<WindowCounts, 'durationsByBucket' | 'edgesMs'>,
  q: number,
): number | null {
  const { durationsByBucket, edgesMs } = counts;
  const highest = edgesMs.at(-1);
  const total = sum(durationsByBucket);
  if (total === 0 || highest === undefined) return null;
  const rank = Math.max(q * total, 0);
  let below = 0;
  for (let bucket = 0; bucket < edgesMs.length; bucket++) {
    const inside = durationsByBucket[bucket] as number;
    if (inside > 0 && rank <= below + inside) {
      const lowerMs = bucket === 0 ? 0 : (edgesMs[bucket - 1] as number);
      return lowerMs + ((edgesMs[bucket] as number) - lowerMs) * ((rank - below) / inside);
    }
    below += inside;
  }
  return highest;
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0);
}

/**
 * Answers a read from the windows of the two versions; null: that version was not
 * counted. `samples` are the requests behind the value.
 */
export function readTally(
  read: TallyRead,
  canary: WindowCounts | null,
  stable: WindowCounts | null,
): Outcome {
  const own = measureOf(read, read.of === 'canary' ? canary : stable, read.of);
  if (read.relative === null || own.kind !== 'value') return own;
  const base = measureOf(read, stable, 'stable');
  if (base.kind !== 'value') return base;
  if (read.relative === 'difference') return { ...own, value: own.value - base.value };
  if (base.value === 0) {
    return { kind: 'noData', reason: `stable's ${read.measure} is 0, so there is no ratio to it` };
  }
  return { ...own, value: own.value / base.value };
}

type Measured =
  | { readonly kind: 'value'; readonly value: number; readonly samples: number }
  | { readonly kind: 'noData'; readonly reason: string };

function measureOf(read: TallyRead, counts: WindowCounts | null, of: TallyRead['of']): Measured {
  if (counts === null)
    return { kind: 'noData', reason: `nothing has been counted for the ${of} version yet` };
  const { requests, errors } = counts;
  switch (read.measure) {
    case 'successRate':
      return share(requests - errors, requests, of);
    case 'errorRatio':
      return share(errors, requests, of);
    case 'latency': {
      const value = quantileOf(counts, read.quantile);
      const samples = sum(counts.durationsByBucket);
      return value === null ? noRequests(of) : { kind: 'value', value, samples };
    }
    case 'rate':
      return counts.spanMs > 0
        ? { kind: 'value', value: requests / (counts.spanMs / 1000), samples: requests }
        : { kind: 'noData', reason: 'the counting has only just begun' };
    case 'requests':
      return { kind: 'value', value: requests, samples: requests };
    default:
      return assertNever(read.measure);
  }
}

function share(part: number, whole: number, of: TallyRead['of']): Measured {
  return whole === 0 ? noRequests(of) : { kind: 'value', value: part / whole, samples: whole };
}

function noRequests(of: TallyRead['of']): Measured {
  return { kind: 'noData', reason: `the ${of} version had no requests in the window` };
}
