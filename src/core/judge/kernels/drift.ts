import { logAgainstRate } from './interval.ts';

/** First look at a drift, in canary answers, and how much more data makes the next one. */
export const FIRST_LOOK = 50;
const GROWTH = 1.25;
/** Bisection steps; the level is a number to show and to compare, not to print in full. */
const STEPS = 40;

/** An epoch of looks: its share of alpha, and the sampling variance as it was when the epoch began. */
export interface Epoch {
  readonly share: number;
  readonly v: number;
}

/**
 * The epoch that `nc` canary answers are in; null before the first look. `v` is 1/n_c + 1/n_s now.
 *
 * The distance of two empirical distributions is a reverse submartingale (Manole and Ramdas 2021), so the bound
 * for the epoch's first look holds for its whole length, and one may look at every moment of it, if only `v` is
 * taken from its beginning. At the epoch's first moment this is the bound for a single look.
 */
export function epochOf(nc: number, v: number): Epoch | null {
  if (nc < FIRST_LOOK) return null;
  const j = Math.floor(Math.log(nc / FIRST_LOOK) / Math.log(GROWTH) + 1e-9);
  return { share: 1 / ((j + 1) * (j + 2)), v: (v * nc) / (FIRST_LOOK * GROWTH ** j) };
}

/** Greatest mean that the distance can have in small samples without any drift. */
export function driftBias(k: number, v: number): number {
  return 0.5 * Math.sqrt((k - 1) * v);
}

/** ln(1/alpha) at which `distance` would show a drift beyond `atMost`; 0: at none. */
export function logDrifted(distance: number, atMost: number, k: number, { share, v }: Epoch): number {
  const excess = distance - driftBias(k, v) - atMost;
  return excess <= 0 ? 0 : Math.max(0, (2 * excess * excess) / v - Math.log(2 / share));
}

/** ln(1/beta) at which `distance` would show that there is no drift beyond `atMost`; 0: at none. */
export function logSteady(distance: number, atMost: number, { share, v }: Epoch): number {
  const room = atMost - distance;
  return room <= 0 ? 0 : Math.max(0, (2 * room * room) / v - Math.log(1 / share));
}

/** Distance between what is surely too low and surely too high, for showing. */
export function driftInterval(
  distance: number,
  k: number,
  { share, v }: Epoch,
  alpha: number,
): { low: number; high: number } {
  const width = Math.sqrt((v * Math.log(2 / (alpha * share))) / 2);
  return {
    low: Math.max(0, distance - driftBias(k, v) - width),
    high: Math.min(1, distance + width),
  };
}

/**
 * The level at which the two rates' intervals are exactly `gap` apart: both are excluded to the same extent by
 * the most favourable pair of rates that is so close together. 0 if the rates themselves are.
 */
export function logApart(ka: number, na: number, kb: number, nb: number, gap: number): number {
  if (na === 0 || nb === 0) return 0;
  const a = ka / na;
  const b = kb / nb;
  if (Math.abs(a - b) <= gap) return 0;
  // The lower of the two is `k` in `n`; the question is symmetric.
  const [lowK, lowN, highK, highN] = a < b ? [ka, na, kb, nb] : [kb, nb, ka, na];
  let left = lowK / lowN;
  let right = highK / highN - gap;
  for (let step = 0; step < STEPS; step++) {
    const middle = (left + right) / 2;
    if (logAgainstRate(lowK, lowN, middle) < logAgainstRate(highK, highN, middle + gap)) left = middle;
    else right = middle;
  }
  return Math.max(0, logAgainstRate(lowK, lowN, (left + right) / 2));
}
