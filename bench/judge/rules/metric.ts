import {
  type ArmCounts,
  CONFIDENCE_MEAN,
  confidenceAt,
  slower,
  unsure as unsureAnswers,
} from '../traffic.ts';

/** One query of a peer: a number a window that should stay at or below a limit. NaN: nothing to divide by. */
export interface Metric {
  readonly name: string;
  readonly limit: number;
  /** What a threshold is held against. */
  value(canary: ArmCounts, stable: ArmCounts): number;
  /** One arm alone, for a comparison of two series; null: it takes both arms to compute. */
  readonly series: ((arm: ArmCounts) => number) | null;
  /** Bad requests of all, for a test of two proportions; null: it is no proportion. */
  readonly count: ((arm: ArmCounts) => readonly [bad: number, of: number]) | null;
}

function proportion(
  name: string,
  limit: number,
  count: (arm: ArmCounts) => readonly [bad: number, of: number],
): Metric {
  const share = (arm: ArmCounts) => {
    const [bad, of] = count(arm);
    return bad / of;
  };
  return { name, limit, value: share, series: share, count };
}

/** A success rate of at least 99 %. */
export const ERRORS = proportion('errors', 0.01, (arm) => [arm.errors, arm.requests]);

/** "p99 below 200 ms" is "at most 1 % above 200 ms"; the threshold is a bucket edge, so the peers' p99 is exact. */
export const LATENCY = proportion('latency', 0.01, (arm) => [slower(arm), arm.requests]);

/** Clicks at least 95 % of the 5 % that is usual, told to the peers beforehand; counts are of those without. */
export const CTR = proportion('ctr', 1 - 0.95 * 0.05, (arm) => [arm.requests - arm.clicks, arm.requests]);

/** Average confidence of at least .7; a test of proportions counts answers below it. */
export const UNSURE: Metric = {
  name: 'confidence',
  limit: 1 - CONFIDENCE_MEAN,
  value: (canary) => meanDoubt(canary),
  series: meanDoubt,
  count: (arm) => [unsureAnswers(arm), arm.requests - arm.errors],
};

function meanDoubt(arm: ArmCounts): number {
  let sum = 0;
  let n = 0;
  arm.confidence.forEach((count, bin) => {
    sum += count * (1 - confidenceAt(bin));
    n += count;
  });
  return sum / n;
}

/** The total variation that was seen, taken at its face value, as a query would. */
export const SHIFT: Metric = {
  name: 'shift',
  limit: 0.1,
  value: (canary, stable) => {
    const [ofCanary, ofStable] = [total(canary.classes), total(stable.classes)];
    let sum = 0;
    for (const name of Object.keys(stable.classes)) {
      sum += Math.abs((canary.classes[name] ?? 0) / ofCanary - (stable.classes[name] ?? 0) / ofStable);
    }
    return sum / 2;
  },
  series: null,
  count: null,
};

function total(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((sum, one) => sum + one, 0);
}
