import { SPECIES, type Species } from './iris-data.ts';
import { LATENCY_BUCKETS, latencyBucket, latencyQuantile } from './latency.ts';

/** What one user saw of one request. */
export interface Sighting {
  /** From x-coalmine-version; null when the answer did not name one. */
  readonly version: string | null;
  /** The HTTP status; null when no answer came. */
  readonly status: number | null;
  readonly durationMs: number;
  readonly answer: {
    readonly prediction: Species;
    readonly confidence: number;
    readonly right: boolean;
  } | null;
}

export interface VersionReport {
  readonly version: string | null;
  readonly requests: number;
  /** Answers by status class; index 2 holds 2xx. */
  readonly byClass: readonly number[];
  /** Requests without any answer. */
  readonly lost: number;
  readonly recent: RecentReport;
}

/** Of the last WINDOW_S seconds; null where nothing was seen. */
export interface RecentReport {
  readonly requests: number;
  /** Requests that got a 5xx or nothing. */
  readonly failures: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Shares of the predictions, in the order of SPECIES. */
  readonly shares: readonly number[] | null;
  readonly meanConfidence: number | null;
  /** Share of predictions that name the flower's true species. */
  readonly accuracy: number | null;
}

export const WINDOW_S = 10;
/** More versions than any demo has; what lies beyond counts as unnamed. */
const MAX_VERSIONS = 16;

interface Second {
  second: number;
  readonly latencies: Uint32Array;
  readonly bySpecies: number[];
  failures: number;
  confidenceSum: number;
  right: number;
}

interface Counts {
  requests: number;
  lost: number;
  readonly byClass: number[];
  /** A ring: the slot of a second is that second modulo WINDOW_S. */
  readonly seconds: readonly Second[];
}

/** Bounded in memory, however long the crowd runs. Time is given by the caller, in milliseconds. */
export class CrowdStats {
  readonly #versions = new Map<string | null, Counts>();
  /** Visits that were not sent because too many were on their way. */
  heldBack = 0;

  record(sighting: Sighting, nowMs: number): void {
    const counts = this.#countsOf(sighting.version);
    counts.requests += 1;
    if (sighting.status === null) counts.lost += 1;
    else counts.byClass[Math.floor(sighting.status / 100)]! += 1;
    const second = currentSecond(counts.seconds, nowMs);
    if (sighting.status === null || sighting.status >= 500) second.failures += 1;
    second.latencies[latencyBucket(sighting.durationMs)]! += 1;
    if (sighting.answer) {
      second.bySpecies[SPECIES.indexOf(sighting.answer.prediction)]! += 1;
      second.confidenceSum += sighting.answer.confidence;
      if (sighting.answer.right) second.right += 1;
    }
  }

  /** Sorted by name, the unnamed last. */
  report(nowMs: number): VersionReport[] {
    return [...this.#versions]
      .sort(([a], [b]) => (a === null ? 1 : b === null ? -1 : a.localeCompare(b)))
      .map(([version, { requests, byClass, lost, seconds }]) => ({
        version,
        requests,
        byClass: [...byClass],
        lost,
        recent: recentReport(seconds, nowMs),
      }));
  }

  #countsOf(version: string | null): Counts {
    const known = this.#versions.get(version);
    if (known) return known;
    if (version !== null && this.#versions.size >= MAX_VERSIONS) return this.#countsOf(null);
    const fresh = newCounts();
    this.#versions.set(version, fresh);
    return fresh;
  }
}

function newCounts(): Counts {
  const seconds = Array.from({ length: WINDOW_S }, () => ({
    second: -1,
    latencies: new Uint32Array(LATENCY_BUCKETS),
    bySpecies: SPECIES.map(() => 0),
    failures: 0,
    confidenceSum: 0,
    right: 0,
  }));
  return { requests: 0, lost: 0, byClass: [0, 0, 0, 0, 0, 0], seconds };
}

function currentSecond(ring: readonly Second[], nowMs: number): Second {
  const second = Math.floor(nowMs / 1000);
  const slot = ring[second % WINDOW_S]!;
  if (slot.second !== second) {
    slot.second = second;
    slot.latencies.fill(0);
    slot.bySpecies.fill(0);
    slot.failures = 0;
    slot.confidenceSum = 0;
    slot.right = 0;
  }
  return slot;
}

function recentReport(ring: readonly Second[], nowMs: number): RecentReport {
  const oldest = Math.floor(nowMs / 1000) - WINDOW_S + 1;
  const fresh = ring.filter(({ second }) => second >= oldest);
  const latencies = new Uint32Array(LATENCY_BUCKETS);
  for (const second of fresh) for (const [i, count] of second.latencies.entries()) latencies[i]! += count;
  const bySpecies = SPECIES.map((_, k) => sum(fresh.map((second) => second.bySpecies[k]!)));
  const predictions = sum(bySpecies);
  const share = (part: number) => (predictions === 0 ? null : part / predictions);
  return {
    requests: sum([...latencies]),
    failures: sum(fresh.map((second) => second.failures)),
    p50Ms: latencyQuantile(latencies, 0.5),
    p99Ms: latencyQuantile(latencies, 0.99),
    shares: predictions === 0 ? null : bySpecies.map((count) => count / predictions),
    meanConfidence: share(sum(fresh.map((second) => second.confidenceSum))),
    accuracy: share(sum(fresh.map((second) => second.right))),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
