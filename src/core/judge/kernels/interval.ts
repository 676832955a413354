import { betaLn } from './logs.ts';

/** Jeffreys' prior. */
const HALVES = { a: 0.5, b: 0.5 } as const;
const STEPS = 60;
/** Relative precision, far below what is ever shown. */
const PRECISION = 1e-9;

/**
 * Log e-value of `k` in `n` against a rate of exactly `p`: Jeffreys' mixture over the likelihood at `p`. The
 * rates with less than ln(1/alpha) are an interval that holds at all times at once.
 */
export function logAgainstRate(k: number, n: number, p: number): number {
  return mixture(k, n, HALVES) - logLikelihood(k, n, p);
}

/** A beta distribution over the rate, before any data. */
export interface Prior {
  readonly a: number;
  readonly b: number;
}

function mixture(k: number, n: number, { a, b }: Prior): number {
  return betaLn(k + a, n - k + b) - betaLn(a, b);
}

function logLikelihood(k: number, n: number, p: number): number {
  return (k === 0 ? 0 : k * Math.log(p)) + (k === n ? 0 : (n - k) * Math.log1p(-p));
}

/** The rates that are not yet excluded at `alpha`, on either side of k/n. [0,1] without data. */
export function rateInterval(
  k: number,
  n: number,
  alpha: number,
  prior: Prior = HALVES,
): { low: number; high: number } {
  if (n <= 0) return { low: 0, high: 1 };
  const floor = mixture(k, n, prior) - Math.log(1 / alpha);
  const mode = k / n;
  return {
    low: k === 0 ? 0 : bound(k, n, floor, 0, mode),
    high: k === n ? 1 : bound(k, n, floor, 1, mode),
  };
}

/**
 * The rate between `outside` (excluded) and `inside` (not) where the likelihood falls to `floor`: Newton's
 * steps, and bisection wherever one would leave the bracket.
 */
function bound(k: number, n: number, floor: number, outside: number, inside: number): number {
  const drop = Math.max(0, logLikelihood(k, n, inside) - floor);
  const width = Math.sqrt((2 * drop * inside * (1 - inside)) / n) || Math.abs(inside - outside) / 2;
  let p = outside < inside ? inside - width : inside + width;
  for (let step = 0; step < STEPS; step++) {
    if (!(p > Math.min(inside, outside) && p < Math.max(inside, outside))) p = (inside + outside) / 2;
    const excess = logLikelihood(k, n, p) - floor;
    if (excess > 0) inside = p;
    else outside = p;
    const change = excess / (k / p - (n - k) / (1 - p));
    if (Math.abs(change) <= PRECISION * p || inside === outside) return p - change;
    p -= change;
  }
  return p;
}
