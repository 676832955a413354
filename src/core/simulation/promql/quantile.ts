import { keyOf, type Sample } from './series.ts';

interface Bucket {
  readonly upper: number;
  /** Cumulative. */
  readonly count: number;
}

/** Prometheus' histogram_quantile: one sample for each set of labels besides `le` (promql/quantile.go). */
export function quantile(q: number, samples: readonly Sample[]): Sample[] {
  const histograms = new Map<string, { labels: Record<string, string>; buckets: Bucket[] }>();
  for (const { labels, value } of samples) {
    const { le, ...rest } = labels;
    if (le === undefined) continue;
    const key = keyOf(rest);
    const held = histograms.get(key) ?? { labels: rest, buckets: [] };
    held.buckets.push({ upper: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count: value });
    histograms.set(key, held);
  }
  return [...histograms.values()].map(({ labels, buckets }) => ({
    labels,
    value: bucketQuantile(q, buckets),
  }));
}

function bucketQuantile(q: number, unsorted: readonly Bucket[]): number {
  if (q < 0) return Number.NEGATIVE_INFINITY;
  if (q > 1) return Number.POSITIVE_INFINITY;
  const buckets = unsorted.toSorted((a, b) => a.upper - b.upper);
  const last = buckets.at(-1);
  if (Number.isNaN(q) || last === undefined || last.upper !== Number.POSITIVE_INFINITY) return Number.NaN;
  if (buckets.length < 2 || last.count === 0) return Number.NaN;
  const rank = q * last.count;
  const i = buckets.slice(0, -1).findIndex(({ count }) => count >= rank);
  if (i < 0) return (buckets.at(-2) as Bucket).upper;
  const { upper, count } = buckets[i] as Bucket;
  const below = buckets[i - 1] ?? { upper: 0, count: 0 };
  if (i === 0 && upper <= 0) return upper;
  const inside = count - below.count;
  return inside === 0 ? upper : below.upper + (upper - below.upper) * ((rank - below.count) / inside);
}
