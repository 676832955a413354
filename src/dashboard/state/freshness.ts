import type { State } from './model.ts';

export interface Freshness {
  readonly stale: boolean;
  /** When the last overview came; null: none did. */
  readonly sinceMs: number | null;
  /** What is the matter; '' while nothing is. */
  readonly why: string;
  /** Until the next attempt to connect; null: none is planned. */
  readonly retryInMs: number | null;
}

/** Overviews come every second. */
export const STALE_AFTER_MS = 5_000;

/** Whether what is shown still holds. */
export function freshness({ link, nowMs, overviewAtMs }: State): Freshness {
  const late = overviewAtMs !== null && nowMs - overviewAtMs > STALE_AFTER_MS;
  if (link.kind === 'lost') {
    const retryInMs = Math.max(0, link.retryAtMs - nowMs);
    return { stale: true, sinceMs: overviewAtMs, why: link.why, retryInMs };
  }
  if (!late) return { stale: false, sinceMs: overviewAtMs, why: '', retryInMs: null };
  return { stale: true, sinceMs: overviewAtMs, why: 'the gateway says nothing', retryInMs: null };
}
