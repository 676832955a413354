/**
 * Latencies counted in buckets that grow by 5 % each, from 0.05 ms to 60 s: fixed memory, and any
 * quantile within 5 %.
 */
const FIRST_MS = 0.05;
const GROWTH = 1.05;
const LAST_MS = 60_000;
export const LATENCY_BUCKETS = Math.ceil(Math.log(LAST_MS / FIRST_MS) / Math.log(GROWTH)) + 1;

export function latencyBucket(ms: number): number {
  if (!(ms > FIRST_MS)) return 0;
  return Math.min(LATENCY_BUCKETS - 1, Math.ceil(Math.log(ms / FIRST_MS) / Math.log(GROWTH)));
}

/** The bound that a share `q` (0..1) of the counted latencies does not exceed, ms; null when there are none. */
export function latencyQuantile(counts: Uint32Array, q: number): number | null {
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0) return null;
  const rank = Math.max(1, Math.ceil(q * total));
  let seen = 0;
  for (const [bucket, count] of counts.entries()) {
    seen += count;
    if (seen >= rank) return FIRST_MS * GROWTH ** bucket;
  }
  return null;
}
