import { ASSIGN_REASONS, MIRROR_OUTCOMES } from './model.ts';

/**
 * The Tally: what happened, as integer counters and fixed-bucket histograms,
 * one per (service, stage, version). Plain data in typed arrays: it survives a
 * structured clone, and tallies of the same service, version and edges add up,
 * so one worker, eight workers or a fleet give control the same object.
 */
export interface Tally {
  readonly service: string;
  readonly stage: number;
  readonly version: string;
  /** Upper bounds of the latency buckets, ms, ascending. Counts have one more slot, for what lies above. */
  readonly edgesMs: Float64Array;
  /** Which (method, status) each slot of `requests` counts: `methodIndex * 1000 + status`; 0 = free. */
  readonly slotKeys: Uint32Array;
  readonly requests: Float64Array;
  readonly duration: Float64Array;
  readonly ttfb: Float64Array;
  /** By index into ASSIGN_REASONS. */
  readonly assigned: Float64Array;
  /** By index into MIRROR_OUTCOMES. */
  readonly mirrored: Float64Array;
  readonly mirrorDuration: Float64Array;
  /** By index into SCALARS. */
  readonly scalars: Float64Array;
}

/** Sums are in milliseconds. `inFlight` is a gauge, the others only rise. */
export const SCALARS = [
  'inFlight',
  'durationSumMs',
  'ttfbSumMs',
  'mirrorSumMs',
  'mirrorInFlight',
  'clientGone',
  'timeouts',
  'retries',
  'failovers',
] as const;
export const SCALAR = {
  inFlight: 0,
  durationSumMs: 1,
  ttfbSumMs: 2,
  mirrorSumMs: 3,
  mirrorInFlight: 4,
  clientGone: 5,
  timeouts: 6,
  retries: 7,
  failovers: 8,
} as const satisfies Record<(typeof SCALARS)[number], number>;

/** Methods with a label value of their own; every other one is `other`. */
export const METHODS = ['other', 'GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'] as const;
const METHOD_INDEX = new Map<string, number>(METHODS.map((name, index) => [name, index]));

/** Distinct (method, status) pairs that get a slot of their own. */
export const REQUEST_SLOTS = 64;
/**
 * The first slots are reserved for what no longer finds room: method `other` and
 * the status x00 of its class, as RFC 9110 section 15 tells clients to read a
 * status they do not know. A 5xx so stays a 5xx.
 */
const OVERFLOW_CLASSES = 5;

/** All counters stand in one buffer: with a buffer for each, a thousand services would take 12 MiB more. */
export function newTally(service: string, stage: number, version: string, edgesMs: readonly number[]): Tally {
  const buckets = edgesMs.length + 1;
  const places =
    SCALARS.length +
    ASSIGN_REASONS.length +
    MIRROR_OUTCOMES.length +
    REQUEST_SLOTS +
    edgesMs.length +
    3 * buckets;
  const placesBytes = places * Float64Array.BYTES_PER_ELEMENT;
  const buffer = new ArrayBuffer(placesBytes + REQUEST_SLOTS * Uint32Array.BYTES_PER_ELEMENT);
  let takenBytes = 0;
  const take = (length: number) => {
    const counters = new Float64Array(buffer, takenBytes, length);
    takenBytes += counters.byteLength;
    return counters;
  };
  const slotKeys = new Uint32Array(buffer, placesBytes, REQUEST_SLOTS);
  for (let i = 0; i < OVERFLOW_CLASSES; i++) slotKeys[i] = (i + 1) * 100;
  const edges = take(edgesMs.length);
  edges.set(edgesMs);
  return {
    service,
    stage,
    version,
    edgesMs: edges,
    slotKeys,
    requests: take(REQUEST_SLOTS),
    duration: take(buckets),
    ttfb: take(buckets),
    assigned: take(ASSIGN_REASONS.length),
    mirrored: take(MIRROR_OUTCOMES.length),
    mirrorDuration: take(buckets),
    scalars: take(SCALARS.length),
  };
}

export function methodIndex(method: string): number {
  return METHOD_INDEX.get(method) ?? 0;
}

/** The slot that counts (method, status): its own, a free one, or its class's overflow slot. */
export function requestSlot(slotKeys: Uint32Array, method: number, status: number): number {
  const known = status >= 100 && status <= 599;
  const key = method * 1000 + status;
  if (known) {
    // (other, x00) is what the first slots already count: a second slot would give one pair two.
    for (let i = method === 0 ? 0 : OVERFLOW_CLASSES; i < REQUEST_SLOTS; i++) {
      const held = slotKeys[i];
      if (held === key) return i;
      if (held === 0) {
        slotKeys[i] = key;
        return i;
      }
    }
  }
  // RFC 9110 section 15: a status outside 100..599 is to be treated as a 5xx.
  return known ? Math.floor(status / 100) - 1 : 4;
}

/** The bucket of a value: the first edge that is not below it (Prometheus' `le`). */
export function bucketOf(edgesMs: Float64Array, valueMs: number): number {
  let low = 0;
  let high = edgesMs.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((edgesMs[mid] as number) < valueMs) low = mid + 1;
    else high = mid;
  }
  return low;
}

export function methodOfKey(slotKey: number): string {
  return METHODS[Math.floor(slotKey / 1000)] as string;
}

export function statusOfKey(slotKey: number): number {
  return slotKey % 1000;
}
