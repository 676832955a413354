import { logTilt, type Tilt, tiltOf } from './tilt.ts';

/** Alternatives for evidence against "p <= q0". */
export const UP = [1.5, 2, 3, 5, 10, 20, 50] as const;
/** Alternatives for evidence against "p >= q0". */
export const DOWN = [0.5, 0.25, 0.1, 0.02] as const;

/** Above this no alternative goes, so that its complement has a logarithm. */
const MAX_P = 0.99;
const MIN_P = 1e-9;

/** The alternatives `q0 * m`. A null of 0 or 1 is moved inside, where likelihoods exist. */
export function binomialTilt(q0: number, multiples: readonly number[]): Tilt {
  const nullP = Math.min(Math.max(q0, MIN_P), 1 - MIN_P);
  return tiltOf(
    nullP,
    multiples.map((m) => Math.min(nullP * m, MAX_P)),
  );
}

/** Log e-value of `k` failures in `n` against a failure rate of `q0`; `multiples` say in which direction. */
export function logB(k: number, n: number, q0: number, multiples: readonly number[]): number {
  return logTilt(binomialTilt(q0, multiples), k, n - k);
}
