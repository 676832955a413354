import { logMeanExp } from './logs.ts';
import { type Tilt, tiltOf } from './tilt.ts';

/** Alternatives for evidence that events are more frequent on the canary than `rho0` times stable's. */
export const MORE = [1.5, 2, 3, 5, 10, 20, 50, 100] as const;
/** Alternatives for evidence that they are less frequent. */
export const LESS = [0.99, 0.97, 0.95, 0.9, 0.8, 0.65, 0.5] as const;
/** Alternatives for "not much less frequent": the reverse of `LESS`. */
export const NOT_LESS = LESS.map((m) => 1 / m);

/** Events on both arms while the canary had the share `w`. */
export interface StageCounts {
  readonly kc: number;
  readonly ks: number;
  readonly w: number;
}

/** Probability that an event is the canary's when it is `rho` times as frequent there. */
export function theta(rho: number, w: number): number {
  return (w * rho) / (w * rho + 1 - w);
}

/**
 * Whatever the base rate does over time, an event belongs to the canary with probability theta (Lindon and
 * Malek 2022, anytime-valid inference for multinomial count data). Without a second arm nothing is learnt.
 */
export function ratioTilt(w: number, rho0: number, multiples: readonly number[]): Tilt {
  if (w <= 0 || w >= 1) return tiltOf(0.5, Array(multiples.length).fill(0.5));
  return tiltOf(
    theta(rho0, w),
    multiples.map((m) => theta(m * rho0, w)),
  );
}

/** Log e-value against "the canary's event rate is `rho0` times stable's" (or on the other side of the grid). */
export function logR(stages: readonly StageCounts[], rho0: number, multiples: readonly number[]): number {
  const sums = new Float64Array(multiples.length);
  for (const { kc, ks, w } of stages) {
    const { first, second } = ratioTilt(w, rho0, multiples);
    for (let j = 0; j < sums.length; j++) sums[j]! += kc * first[j]! + ks * second[j]!;
  }
  return logMeanExp(sums);
}
