/** Sample size for which the interval is tightest. */
const TUNED_TO = 500;

/**
 * An interval for the mean of `n` numbers that is shown at all times: the asymptotic confidence sequence of
 * Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas (2021). For showing only; no decision rests on it.
 */
export function meanInterval(
  n: number,
  mean: number,
  variance: number,
  alpha: number,
): { low: number; high: number } {
  if (n <= 0) return { low: 0, high: 1 };
  const rho2 = (-2 * Math.log(alpha) + Math.log(1 - 2 * Math.log(alpha))) / TUNED_TO;
  const spread = n * rho2 + 1;
  const width = Math.sqrt((2 * spread * variance * Math.log(Math.sqrt(spread) / alpha)) / (n * n * rho2));
  return { low: Math.max(0, mean - width), high: Math.min(1, mean + width) };
}
