/** Ends of bins over a fine histogram: bin k takes the fine bins below `ends[k]` and not below `ends[k-1]`. */
export type Bins = readonly number[];

/** As many bins as the judge compares scores in. */
const BIN_COUNT = 10;
/** Stable's answers before its deciles mean anything. */
const ENOUGH = 500;

/**
 * Stable's deciles over its fine histogram, or null while there are too few answers.
 * Where many answers share a fine bin there are fewer of them, none empty but perhaps
 * the last: it takes what lies above all of stable's.
 */
export function binsOf(fine: Float64Array): Bins | null {
  let total = 0;
  for (let i = 0; i < fine.length; i++) total += fine[i] as number;
  if (total < ENOUGH) return null;
  const ends: number[] = [];
  let below = 0;
  let passed = 0;
  fine.forEach((count, i) => {
    below += count;
    const deciles = Math.floor((below * BIN_COUNT) / total);
    if (deciles > passed && i + 1 < fine.length) ends.push(i + 1);
    passed = deciles;
  });
  return [...ends.slice(0, BIN_COUNT - 1), fine.length];
}

/** What a fine histogram counted since `base`, in these bins. */
export function rebin(bins: Bins, fine: Float64Array, base: Float64Array): number[] {
  const counts: number[] = [];
  let at = 0;
  for (const end of bins) {
    let sum = 0;
    for (; at < end; at++) {
      const count = fine[at] as number;
      if (count !== 0) sum += count - (base[at] as number);
    }
    counts.push(sum);
  }
  return counts;
}
