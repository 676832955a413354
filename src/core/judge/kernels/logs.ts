/** Numbers too large or too small for a double, as their logarithms. */

const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const;
const HALF_LN_TWO_PI = 0.5 * Math.log(2 * Math.PI);
/** From here Stirling's series with four terms is exact to the last bits, and quicker. */
const STIRLING_FROM = 20;

/** ln Gamma(x) for x > 0, to about 14 digits. */
export function lnGamma(x: number): number {
  return x >= STIRLING_FROM ? stirling(x) : lanczos(x - 1);
}

function stirling(x: number): number {
  const inverse = 1 / x;
  const square = inverse * inverse;
  const tail = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return (x - 0.5) * Math.log(x) - x + HALF_LN_TWO_PI + tail;
}

/** Lanczos' approximation with g = 7. */
function lanczos(x: number): number {
  let sum: number = LANCZOS[0];
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (x + i);
  const shifted = x + 7.5;
  return HALF_LN_TWO_PI + (x + 0.5) * Math.log(shifted) - shifted + Math.log(sum);
}

/** ln of the beta function, a > 0 and b > 0. */
export function betaLn(a: number, b: number): number {
  return lnGamma(a) + lnGamma(b) - lnGamma(a + b);
}

/** ln(sum of e^x); -Infinity for none. */
export function logSumExp(values: ArrayLike<number>): number {
  let max = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < values.length; i++) max = Math.max(max, values[i]!);
  if (!Number.isFinite(max)) return max;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.exp(values[i]! - max);
  return max + Math.log(sum);
}

/** ln of the mean of e^x: the average of e-values, which is an e-value. */
export function logMeanExp(values: ArrayLike<number>): number {
  return logSumExp(values) - Math.log(values.length);
}
