/** What a chart shows of its axes. */

export interface Span {
  readonly min: number;
  readonly max: number;
}

/** A young history is not squeezed into a corner, and a short one not blown up. Seconds. */
export function timeSpan(atMs: readonly number[], leastMs: number): Span {
  const last = (atMs.at(-1) ?? 0) / 1000;
  const first = (atMs[0] ?? 0) / 1000;
  return { min: Math.min(first, last - leastMs / 1000), max: last };
}

/** From zero to a little above the highest; `least` keeps noise from looking like mountains. */
export function upwards(max: number | null, least: number): Span {
  const top = Math.max(least, max ?? 0);
  return { min: 0, max: top === least ? least : top * 1.08 };
}

/** Around what there is, with air; for values that never come near zero. */
export function around(min: number | null, max: number | null, leastHeight: number): Span {
  if (min === null || max === null) return { min: 0, max: 1 };
  const air = Math.max((max - min) * 0.1, (leastHeight - (max - min)) / 2, 0);
  return { min: Math.max(0, min - air), max: max + air };
}
