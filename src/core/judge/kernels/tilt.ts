/**
 * One likelihood ratio for each point of a grid of alternatives. Of `n` things `k` were of the first kind; the
 * log-likelihood ratio of alternative j against the null is `k * first[j] + (n - k) * second[j]`.
 */
export interface Tilt {
  readonly first: Float64Array;
  readonly second: Float64Array;
}

/** The tilt from probability `null` to each of `alternatives`, all strictly between 0 and 1. */
export function tiltOf(nullP: number, alternatives: readonly number[]): Tilt {
  return {
    first: Float64Array.from(alternatives, (p) => Math.log(p / nullP)),
    second: Float64Array.from(alternatives, (p) => Math.log((1 - p) / (1 - nullP))),
  };
}

/** ln of the mean likelihood ratio for these counts. */
export function logTilt(tilt: Tilt, k: number, rest: number): number {
  const { first, second } = tilt;
  let max = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < first.length; j++) max = Math.max(max, k * first[j]! + rest * second[j]!);
  let sum = 0;
  for (let j = 0; j < first.length; j++) sum += Math.exp(k * first[j]! + rest * second[j]! - max);
  return max + Math.log(sum / first.length);
}
