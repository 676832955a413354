import { lnGamma, logMeanExp } from './logs.ts';

/** A sample ratio mismatch is an error below this probability. */
export const SAMPLE_RATIO_ALPHA = 0.001;
/** How far from the stated shares the alternatives are: small mistakes and gross ones. */
const CONCENTRATIONS = [100, 10_000] as const;

/** Log e-value of `counts` against the shares `weights` (which sum to 1), in one stage. */
export function logSampleRatio(counts: readonly number[], weights: readonly number[]): number {
  return logMeanExp(CONCENTRATIONS.map((kappa) => dirichletMultinomial(counts, weights, kappa)));
}

/** Dirichlet-multinomial over multinomial likelihood (Lindon and Malek 2022). */
function dirichletMultinomial(counts: readonly number[], weights: readonly number[], kappa: number): number {
  let n = 0;
  let log = 0;
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!;
    const prior = kappa * weights[i]!;
    n += count;
    if (count > 0) log += lnGamma(prior + count) - lnGamma(prior) - count * Math.log(weights[i]!);
  }
  return log + lnGamma(kappa) - lnGamma(kappa + n);
}
