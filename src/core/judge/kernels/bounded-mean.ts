/** Bets on the mean of numbers in [0,1], of which a histogram with this many equal bins is kept. */
export const MEAN_BINS = 256;
const BETS = [0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.6] as const;

/** `tooLow`: evidence against "mean >= m"; `goodEnough`: against "mean <= m". */
export type MeanSide = 'tooLow' | 'goodEnough';

/** Log of each bet's factor for each bin: `MEAN_BINS` times `bets` numbers, bin by bin. */
export interface MeanTable {
  readonly bets: number;
  readonly logFactors: Float64Array;
}

/** A bet must not be able to lose everything; each bin counts as its edge that is worse for the claim. */
export function meanTable(m: number, side: MeanSide): MeanTable {
  const limit = side === 'tooLow' ? 1 / (1 - m) : 1 / m;
  const bets = BETS.filter((bet) => bet < limit);
  const sign = side === 'tooLow' ? -1 : 1;
  const logFactors = new Float64Array(bets.length * MEAN_BINS);
  for (const [b, bet] of bets.entries()) {
    for (let bin = 0; bin < MEAN_BINS; bin++) {
      const x = (side === 'tooLow' ? bin + 1 : bin) / MEAN_BINS;
      logFactors[bin * bets.length + b] = Math.log1p(sign * bet * (x - m));
    }
  }
  return { bets: bets.length, logFactors };
}

/** Adds what a histogram of answers, [] for none, makes of each bet to its log wealth. */
export function addWealth(wealth: Float64Array, table: MeanTable, histogram: ArrayLike<number>): void {
  const { bets, logFactors } = table;
  for (let bin = 0; bin < histogram.length; bin++) {
    const answers = histogram[bin]!;
    if (answers === 0) continue;
    for (let b = 0; b < bets; b++) wealth[b]! += answers * logFactors[bin * bets + b]!;
  }
}
