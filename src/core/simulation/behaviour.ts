/** How the versions of a play answer: what is wrong from when on, and how long answers take. */

/** Of the canary, from a moment to the end of the play. Of two of a kind the one that began last counts. */
export type Fault =
  | { readonly kind: '5xx'; readonly share: number; readonly atMs: number }
  | { readonly kind: 'latency'; readonly addMs: number; readonly atMs: number };

export interface Behaviour {
  /** Share of answers that are a 5xx, 0..1. */
  readonly errorShare: number;
  /** Added to every answer's time. */
  readonly addMs: number;
}

/** @param usual what the version does without any fault */
export function behaviourAt(faults: readonly Fault[], usual: Behaviour, atMs: number): Behaviour {
  let { errorShare, addMs } = usual;
  for (const fault of faults.toSorted((a, b) => a.atMs - b.atMs)) {
    if (fault.atMs > atMs) break;
    if (fault.kind === '5xx') errorShare = fault.share;
    else addMs = fault.addMs;
  }
  return { errorShare, addMs };
}

/** Spread of the logarithm of an answer's time: the 99th percentile is then 3.2 times the median. */
const SIGMA = 0.5;

/**
 * Share of the answers that falls into each bucket, where their time is
 * log-normal around a median and then delayed.
 *
 * @returns one share more than edges, for what lies above; they add up to 1
 */
export function bucketShares(edgesMs: readonly number[], medianMs: number, addMs: number): Float64Array {
  const shares = new Float64Array(edgesMs.length + 1);
  let below = 0;
  edgesMs.forEach((edgeMs, i) => {
    const upTo = edgeMs <= addMs ? 0 : normalCdf(Math.log((edgeMs - addMs) / medianMs) / SIGMA);
    shares[i] = Math.max(0, upTo - below);
    below = Math.max(below, upTo);
  });
  shares[edgesMs.length] = 1 - below;
  return shares;
}

export function meanMs(medianMs: number, addMs: number): number {
  return medianMs * Math.exp(SIGMA ** 2 / 2) + addMs;
}

/** Abramowitz and Stegun 26.2.17, off by 7.5e-8 at most. */
function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  const tail = (Math.exp(-(x ** 2) / 2) / Math.sqrt(2 * Math.PI)) * poly;
  return x >= 0 ? 1 - tail : tail;
}
