/**
 * The Mann-Whitney U test's shift between two samples, with its interval, by the normal approximation with
 * correction for ties and for continuity, as R's wilcox.test does it (M. Hollander, D. A. Wolfe, Nonparametric
 * Statistical Methods, 1973).
 */
export interface Shift {
  readonly low: number;
  readonly estimate: number;
  readonly high: number;
}

/** The shift that has to be taken off `x` to make it look like `y`; zeros when all values are equal. */
export function mannWhitney(x: readonly number[], y: readonly number[], confidence: number): Shift {
  const xs = Float64Array.from(x).sort();
  const ys = Float64Array.from(y).sort();
  const min = (xs[0] as number) - (ys.at(-1) as number);
  const max = (xs.at(-1) as number) - (ys[0] as number);
  if (min === 0 && max === 0) return { low: 0, estimate: 0, high: 0 };
  const z = normalQuantile((1 + confidence) / 2);
  const root = (quantile: number, correct: boolean) =>
    bisect((shift) => standardized(xs, ys, shift, correct) - quantile, min, max);
  return { low: root(z, true), estimate: root(0, false), high: root(-z, true) };
}

/**
 * Falls from plus to minus as the shift grows, in steps. Where many values are equal the step at no shift at all
 * crosses every quantile; what bisection leaves of it beside zero is no shift.
 */
function bisect(f: (x: number) => number, min: number, max: number): number {
  if (f(min) <= 0) return min;
  if (f(max) >= 0) return max;
  let [low, high] = [min, max];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (f(middle) > 0) low = middle;
    else high = middle;
  }
  const root = (low + high) / 2;
  return Math.abs(root) < 1e-9 * (max - min) ? 0 : root;
}

/** U of `x - shift` against `y`, standardized. Both ascend, so one merge ranks them. */
function standardized(x: Float64Array, y: Float64Array, shift: number, correct: boolean): number {
  const [m, n] = [x.length, y.length];
  let rankSum = 0;
  let ties = 0;
  for (let i = 0, j = 0; i < m || j < n; ) {
    const left = i < m ? (x[i] as number) - shift : Number.POSITIVE_INFINITY;
    const right = j < n ? (y[j] as number) : Number.POSITIVE_INFINITY;
    const value = Math.min(left, right);
    const before = i + j;
    const firstOfX = i;
    while (i < m && (x[i] as number) - shift === value) i++;
    while (j < n && y[j] === value) j++;
    const group = i + j - before;
    rankSum += (i - firstOfX) * (before + (group + 1) / 2);
    ties += group ** 3 - group;
  }
  const offset = rankSum - (m * (m + 1)) / 2 - (m * n) / 2;
  const variance = ((m * n) / 12) * (m + n + 1 - ties / ((m + n) * (m + n - 1)));
  if (variance <= 0) return 0;
  return (offset - (correct ? Math.sign(offset) * 0.5 : 0)) / Math.sqrt(variance);
}

/** P. J. Acklam's rational approximation; relative error below 1.2e-9. `p` in (.02425, .97575] or its tails. */
export function normalQuantile(p: number): number {
  if (p < 0.5) return -normalQuantile(1 - p);
  if (p > 0.97575) {
    const q = Math.sqrt(-2 * Math.log(1 - p));
    return (
      -poly(
        q,
        [
          -7.784894002430293e-3, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
          4.374664141464968, 2.938163982698783,
        ],
      ) / poly(q, [7.784695709041462e-3, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1])
    );
  }
  const q = p - 0.5;
  const r = q * q;
  return (
    (poly(
      r,
      [
        -39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716,
        2.506628277459239,
      ],
    ) *
      q) /
    poly(
      r,
      [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1],
    )
  );
}

function poly(x: number, coefficients: readonly number[]): number {
  return coefficients.reduce((sum, one) => sum * x + one, 0);
}
