import type { WindowCounts } from '../core/analysis/tally-read.ts';
import type { Clock } from '../ports.ts';
import type { LifetimeTotals } from '../tally/recorder.ts';
import { History, type Totals } from './sources/history.ts';

/** What was counted lately: the difference between the counters now and those remembered from then. */
export interface Windows {
  /** Remembers the counters as they are now, at most once a step; may be called at every tick. */
  look(): void;
  /**
   * What a version was sent within the last `windowMs` of the rollout's time, but
   * not before `sinceMs` real milliseconds ago. Up to a step old. `spanMs` is the
   * real time that was truly looked at: a little more than asked for, and less
   * where less is known. Null: nothing is known yet.
   */
  counts(service: string, version: string, windowMs: number, sinceMs?: number): WindowCounts | null;
  /** The number of requests alone, which costs less: as `counts` says it. */
  traffic(service: string, version: string, windowMs: number): Traffic | null;
}

export type Traffic = Pick<WindowCounts, 'requests' | 'spanMs'>;

/** One item a version; of these services at least, or of all. */
export type Lifetime = (services?: ReadonlySet<string>) => readonly LifetimeTotals[];

const STEP_MS = 1_000;
const MIN_STEP_MS = 100;
/** A timer that fires a little early must not cost a whole step. */
const EARLY = 0.9;

/**
 * `services`: those that are watched; null: all. What is no longer watched is
 * forgotten. A window of the rollout's time is `timeScale` times shorter in fact.
 */
export function createWindows(
  lifetime: Lifetime,
  clock: Clock,
  timeScale: number,
  services: (() => readonly string[]) | null = null,
): Windows {
  const stepMs = Math.max(MIN_STEP_MS, STEP_MS / timeScale);
  /** By service and version; a watched service is in it even while it has no versions. */
  let histories: ReadonlyMap<string, ReadonlyMap<string, History>> = new Map();
  let lookedAtMs: number | null = null;

  const look = () => {
    const nowMs = clock.nowMs();
    if (lookedAtMs !== null && nowMs - lookedAtMs < stepMs * EARLY) return;
    const watched = services === null ? null : new Set(services());
    const next = new Map<string, Map<string, History>>();
    for (const name of watched ?? []) next.set(name, new Map());
    for (const totals of watched === null ? lifetime() : watched.size > 0 ? lifetime(watched) : []) {
      if (watched !== null && !watched.has(totals.service)) continue;
      const before = histories.get(totals.service);
      const wasWatched = before !== undefined || watched === null;
      const history = follow(
        before?.get(totals.version),
        totals,
        wasWatched ? lookedAtMs : null,
        nowMs,
        stepMs,
      );
      const versions = next.get(totals.service) ?? new Map<string, History>();
      next.set(totals.service, versions.set(totals.version, history));
    }
    histories = next;
    lookedAtMs = nowMs;
  };

  return {
    look,
    counts(service, version, windowMs, sinceMs = Number.POSITIVE_INFINITY) {
      look();
      const history = histories.get(service)?.get(version);
      if (history === undefined || lookedAtMs === null) return null;
      return history.counts(lookedAtMs - windowMs / timeScale, clock.nowMs() - sinceMs);
    },
    traffic(service, version, windowMs) {
      look();
      const history = histories.get(service)?.get(version);
      if (history === undefined || lookedAtMs === null) return null;
      return history.traffic(lookedAtMs - windowMs / timeScale);
    },
  };
}

/**
 * The history with `totals` added, a new one where the counters began anew.
 * `lastMs`: when the service was looked at before; null: it was not. What was
 * not there then has been counted since.
 */
function follow(
  held: History | undefined,
  totals: Totals,
  lastMs: number | null,
  nowMs: number,
  stepMs: number,
): History {
  const start = held === undefined ? noneOf(totals) : held.startAfter(totals);
  if (held !== undefined && start === null) {
    held.add(totals, nowMs);
    return held;
  }
  if (start === null || lastMs === null) return new History(stepMs, totals, nowMs);
  const history = new History(stepMs, start, lastMs);
  history.add(totals, nowMs);
  return history;
}

function noneOf({ edgesMs, durationsByBucket }: Totals): Totals {
  return { requests: 0, errors: 0, durationsByBucket: new Float64Array(durationsByBucket.length), edgesMs };
}
