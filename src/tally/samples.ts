import { ASSIGN_REASONS, MIRROR_OUTCOMES, type Service, type Split } from '../core/model.ts';
import { weightBpOf } from '../core/split/shares.ts';
import { methodOfKey, SCALAR, statusOfKey, type Tally } from '../core/tally.ts';
import type { HistogramKey, MetricKey } from './names.ts';

/** What one scrape tells: every number in it is of the same moment. */
export interface Snapshot {
  readonly series: readonly Series[];
  readonly reloads: { readonly ok: number; readonly failed: number };
  readonly rollouts: readonly RolloutReading[];
}

/** How a rollout ends: by its steps, past them, back to stable, because a newer one began, by a way back to what was. */
export const ROLLOUT_STATUSES = ['Promoted', 'FastPromoted', 'Aborted', 'Superseded', 'RolledBack'] as const;

/** A service's rollout at the moment of a scrape. */
export interface RolloutReading {
  readonly app: string;
  /** Progressing, Paused, Healthy or Degraded. */
  readonly phase: string;
  /** 0-based index; '' outside the steps. */
  readonly step: string;
  /** Rollouts ended so far, by ROLLOUT_STATUSES; what is missing is 0. */
  readonly ended: ReadonlyMap<string, number>;
}

/** One version of one service of the Split in force. */
interface Series {
  readonly labels: Labels;
  readonly tally: Tally;
  /** Percent. */
  readonly weight: number;
  /** Whether it has metrics of a shadow to tell. */
  readonly shadow: boolean;
}

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** `counts` has one slot more than `edgesMs`; not cumulative. */
export interface Distribution {
  readonly labels: Labels;
  readonly edgesMs: Float64Array;
  readonly counts: Float64Array;
  readonly sumMs: number;
}

/** Only what the Split names is told: the series of a removed version end with it. */
export function takeSnapshot(
  split: Split,
  lifetime: readonly Tally[],
  reloads: Snapshot['reloads'],
  rollouts: Snapshot['rollouts'],
): Snapshot {
  const tallies = new Map<string, Map<string, Tally>>();
  for (const tally of lifetime) {
    let versions = tallies.get(tally.service);
    if (versions === undefined) {
      versions = new Map();
      tallies.set(tally.service, versions);
    }
    versions.set(tally.version, tally);
  }
  const series = split.services.flatMap((service) =>
    service.versions.flatMap((version, index) => {
      const tally = tallies.get(service.name)?.get(version.name);
      return tally === undefined ? [] : [seriesOf(service, index, tally)];
    }),
  );
  return { series, reloads, rollouts };
}

function seriesOf(service: Service, version: number, tally: Tally): Series {
  const { shares, stable, mirror } = service;
  return {
    labels: { app: tally.service, version: tally.version },
    tally,
    weight: weightBpOf(shares, stable, version) / 100,
    shadow: mirror?.to === version || tally.mirrored.some((count) => count > 0),
  };
}

/**
 * How each counter and gauge is read. What a version has not seen yet is told as
 * 0, so that its first event shows as an increase; only (method, status) pairs
 * appear when they are first seen, and a shadow's metrics where there is a shadow.
 */
export const SAMPLES: Record<Exclude<MetricKey, HistogramKey>, (snapshot: Snapshot) => Sample[]> = {
  requests: ({ series }) => series.flatMap(requestSamples),
  inFlight: scalarSamples(SCALAR.inFlight),
  weight: ({ series }) => series.map(({ labels, weight }) => ({ labels, value: weight })),
  assignments: ({ series }) =>
    series.flatMap(({ labels, tally }) => listSamples(labels, 'reason', ASSIGN_REASONS, tally.assigned)),
  retries: scalarSamples(SCALAR.retries),
  failovers: scalarSamples(SCALAR.failovers),
  clientGone: scalarSamples(SCALAR.clientGone),
  timeouts: scalarSamples(SCALAR.timeouts),
  mirrored: ({ series }) =>
    shadows(series).flatMap(({ labels, tally }) =>
      listSamples(labels, 'outcome', MIRROR_OUTCOMES, tally.mirrored),
    ),
  mirrorInFlight: (snapshot) =>
    scalarSamples(SCALAR.mirrorInFlight)({ ...snapshot, series: shadows(snapshot.series) }),
  rolloutInfo: ({ rollouts }) =>
    rollouts.map(({ app, phase, step }) => ({ labels: { app, phase, step }, value: 1 })),
  rollouts: ({ rollouts }) =>
    rollouts.flatMap(({ app, ended }) =>
      ROLLOUT_STATUSES.map((status) => ({ labels: { app, status }, value: ended.get(status) ?? 0 })),
    ),
  reloads: ({ reloads }) => [{ labels: {}, value: reloads.ok + reloads.failed }],
  reloadFailures: ({ reloads }) => [{ labels: {}, value: reloads.failed }],
};

export const DISTRIBUTIONS: Record<HistogramKey, (snapshot: Snapshot) => Distribution[]> = {
  duration: ({ series }) =>
    series.map(({ labels, tally }) => distribution(labels, tally, tally.duration, SCALAR.durationSumMs)),
  ttfb: ({ series }) =>
    series.map(({ labels, tally }) => distribution(labels, tally, tally.ttfb, SCALAR.ttfbSumMs)),
  mirrorDuration: ({ series }) =>
    shadows(series).map(({ labels, tally }) =>
      distribution(labels, tally, tally.mirrorDuration, SCALAR.mirrorSumMs),
    ),
};

function requestSamples({ labels, tally }: Series): Sample[] {
  const samples: Sample[] = [];
  for (let slot = 0; slot < tally.requests.length; slot++) {
    const value = tally.requests[slot] as number;
    if (value === 0) continue;
    const key = tally.slotKeys[slot] as number;
    samples.push({
      labels: { ...labels, method: methodOfKey(key), status: String(statusOfKey(key)) },
      value,
    });
  }
  return samples;
}

function listSamples(
  labels: Labels,
  label: string,
  names: readonly string[],
  counts: Float64Array,
): Sample[] {
  return names.map((name, i) => ({ labels: { ...labels, [label]: name }, value: counts[i] as number }));
}

function scalarSamples(scalar: number): (snapshot: Snapshot) => Sample[] {
  return ({ series }) =>
    series.map(({ labels, tally }) => ({ labels, value: tally.scalars[scalar] as number }));
}

function distribution(labels: Labels, tally: Tally, counts: Float64Array, sumScalar: number): Distribution {
  return { labels, edgesMs: tally.edgesMs, counts, sumMs: tally.scalars[sumScalar] as number };
}

function shadows(series: readonly Series[]): Series[] {
  return series.filter(({ shadow }) => shadow);
}
