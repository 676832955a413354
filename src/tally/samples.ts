import { ARM, BINS, PAIR } from '../core/arms.ts';
import type { GateState } from '../core/judge/gates.ts';
import { ASSIGN_REASONS, MIRROR_OUTCOMES, type Service, type Split } from '../core/model.ts';
import { weightBpOf } from '../core/split/shares.ts';
import { methodOfKey, SCALAR, statusOfKey, type Tally } from '../core/tally.ts';
import type { ArmTotals, PairTotals } from './arms-lifetime.ts';
import type { HistogramKey, MetricKey } from './names.ts';

/** What one scrape tells of some services: every number in it is of the same moment. */
export interface Snapshot {
  readonly series: readonly Series[];
  readonly reloads: { readonly ok: number; readonly failed: number };
  readonly rollouts: readonly RolloutReading[];
  readonly gates: readonly GateReading[];
  readonly verdicts: readonly VerdictReading[];
  /** By service. */
  readonly pairs: readonly PairTotals[];
  readonly feedback: FeedbackReading;
  /** Null: nothing was ever traced. */
  readonly tracing: TracingReading | null;
  readonly streams: StreamsReading;
  /** Requests without a version, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Streams of events on the admin port. */
export interface StreamsReading {
  readonly open: number;
  /** Readers that were too slow, since the process began. */
  readonly dropped: number;
}

/** What a snapshot is taken from. */
export interface Readings
  extends Pick<
    Snapshot,
    'reloads' | 'rollouts' | 'gates' | 'verdicts' | 'pairs' | 'feedback' | 'tracing' | 'streams' | 'refused'
  > {
  readonly split: Split;
  readonly tallies: readonly Tally[];
  readonly arms: readonly ArmTotals[];
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

/** One gate at the moment of a scrape. */
export interface GateReading {
  readonly app: string;
  readonly gate: string;
  readonly state: GateState;
  /** Evidence as a share of what is needed, by logarithms; null: not known. */
  readonly harm: number | null;
  readonly pass: number | null;
  /** Null: nothing of it is measured yet, or ever. */
  readonly canary: EstimateReading | null;
  readonly stable: EstimateReading | null;
  /** Of the canary; `need`: at which it passes if they go on like this, null: not foreseeable. */
  readonly samples: { readonly have: number; readonly need: number | null };
  /** 0: decided, null: not foreseeable. */
  readonly decisionInS: number | null;
}

/** Seconds for a latency, else 0 to 1; null: more than a number can say. */
export interface EstimateReading {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/** All gates of a service together. */
export interface VerdictReading {
  readonly app: string;
  readonly state: GateState;
}

/** What was reported of answers, since the process began. */
export interface FeedbackReading {
  readonly kpis: readonly {
    readonly app: string;
    readonly version: string;
    readonly kpi: string;
    readonly count: number;
  }[];
  /** By reason, of a closed list. */
  readonly refused: Readonly<Record<string, number>>;
  /** By bound, of a closed list. */
  readonly forgotten: Readonly<Record<string, number>>;
}

/** What became of spans and of requests to be traced, since the process began; by outcomes of closed lists. */
export interface TracingReading {
  readonly spans: Readonly<Record<string, number>>;
  readonly requests: Readonly<Record<string, number>>;
}

/** One version of one service of the Split in force. */
interface Series {
  readonly labels: Labels;
  readonly tally: Tally;
  /** Percent. */
  readonly weight: number;
  /** Whether it has metrics of a shadow to tell. */
  readonly shadow: boolean;
  /** Null: none of its answers was ever to be read. */
  readonly read: ArmTotals | null;
}

export type Labels = Readonly<Record<string, string>>;

export interface Sample {
  readonly labels: Labels;
  readonly value: number;
}

/** In the unit that is told. `counts` has one slot more than `edges`; not cumulative. */
export interface Distribution {
  readonly labels: Labels;
  readonly edges: ArrayLike<number>;
  readonly counts: ArrayLike<number>;
  readonly sum: number;
}

/** Only what the Split names is told: the series of a removed version end with it. */
export function takeSnapshot({ split, tallies, arms, ...rest }: Readings): Snapshot {
  const tallyOf = byVersion(tallies);
  const armOf = byVersion(arms);
  const series = split.services.flatMap((service) =>
    service.versions.flatMap((version, index) => {
      const tally = tallyOf(service.name, version.name);
      if (tally === undefined) return [];
      return [seriesOf(service, index, tally, armOf(service.name, version.name))];
    }),
  );
  const services = new Map(split.services.map((service) => [service.name, service]));
  return { ...rest, series, pairs: rest.pairs.filter((one) => areCompared(services.get(one.service), one)) };
}

/** Whether answers of the shadow are compared, or were once. */
function areCompared(service: Service | undefined, { counts }: PairTotals): boolean {
  if (service === undefined) return false;
  return service.judged?.observe?.pairs != null || counts.some((count) => count > 0);
}

function byVersion<T extends { readonly service: string; readonly version: string }>(
  items: readonly T[],
): (service: string, version: string) => T | undefined {
  const found = new Map<string, Map<string, T>>();
  for (const item of items) {
    const versions = found.get(item.service) ?? new Map<string, T>();
    found.set(item.service, versions.set(item.version, item));
  }
  return (service, version) => found.get(service)?.get(version);
}

function seriesOf(service: Service, version: number, tally: Tally, arm: ArmTotals | undefined): Series {
  const { shares, stable, mirror, judged } = service;
  const isRead = judged?.observe != null || (arm?.scalars[ARM.sampled] ?? 0) > 0;
  return {
    labels: { app: tally.service, version: tally.version },
    tally,
    weight: weightBpOf(shares, stable, version) / 100,
    shadow: mirror?.to === version || tally.mirrored.some((count) => count > 0),
    read: isRead ? (arm ?? null) : null,
  };
}

/**
 * How each counter and gauge is read. What a version has not seen yet is told as
 * 0, so that its first event shows as an increase; only (method, status) pairs
 * and classes appear when they are first seen, a shadow's metrics where there is a
 * shadow, and those of answers where answers are read.
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
  refused: ({ refused }) => [...refused].map(([reason, value]) => ({ labels: { reason }, value })),
  rolloutInfo: ({ rollouts }) =>
    rollouts.map(({ app, phase, step }) => ({ labels: { app, phase, step }, value: 1 })),
  rollouts: ({ rollouts }) =>
    rollouts.flatMap(({ app, ended }) =>
      ROLLOUT_STATUSES.map((status) => ({ labels: { app, status }, value: ended.get(status) ?? 0 })),
    ),
  gateState: ({ gates }) =>
    gates.map(({ app, gate, state }) => ({ labels: { app, gate }, value: GATE_STATES[state] })),
  gateEvidence: ({ gates }) => gates.flatMap(evidenceSamples),
  gateEstimate: ({ gates }) => gates.flatMap(estimateSamples),
  gateSamples: ({ gates }) =>
    gates.flatMap(({ app, gate, samples }) => known({ app, gate }, 'samples', samples)),
  gateDecision: ({ gates }) =>
    gates.flatMap(({ app, gate, decisionInS }) =>
      decisionInS === null ? [] : [{ labels: { app, gate }, value: decisionInS }],
    ),
  verdictState: ({ verdicts }) =>
    verdicts.map(({ app, state }) => ({ labels: { app }, value: GATE_STATES[state] })),
  observed: ({ series }) =>
    read(series).flatMap(({ labels, read: { scalars } }) =>
      OBSERVED.map(([outcome, scalar]) => ({ labels: { ...labels, outcome }, value: scalars[scalar] ?? 0 })),
    ),
  predictions: ({ series }) =>
    read(series).flatMap(({ labels, read: { classes } }) =>
      [...classes].map(([name, value]) => ({ labels: { ...labels, class: name }, value })),
    ),
  shadowPairs: ({ pairs }) => pairSamples(pairs, 'agree', AGREE),
  shadowTimes: ({ pairs }) => pairSamples(pairs, 'shadow', TIMES),
  kpi: ({ feedback }) =>
    feedback.kpis.map(({ app, version, kpi, count }) => ({ labels: { app, version, kpi }, value: count })),
  feedbackRefused: ({ feedback }) =>
    Object.entries(feedback.refused).map(([reason, value]) => ({ labels: { reason }, value })),
  feedbackForgotten: ({ feedback }) =>
    Object.entries(feedback.forgotten).map(([bound, value]) => ({ labels: { bound }, value })),
  traceSpans: ({ tracing }) => outcomeSamples(tracing?.spans),
  traces: ({ tracing }) => outcomeSamples(tracing?.requests),
  reloads: ({ reloads }) => [{ labels: {}, value: reloads.ok + reloads.failed }],
  reloadFailures: ({ reloads }) => [{ labels: {}, value: reloads.failed }],
  eventStreams: ({ streams }) => [{ labels: {}, value: streams.open }],
  eventStreamsDropped: ({ streams }) => [{ labels: {}, value: streams.dropped }],
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
  confidence: ({ series }) => read(series).flatMap(confidenceDistribution),
};

/** As `coalmine_gate_state` tells them; below 0 something is wrong. */
export const GATE_STATES: Readonly<Record<GateState, number>> = { PASS: 1, CONTINUE: 0, FAIL: -1, ERROR: -2 };

/** What became of answers that were chosen to be read. */
export const OBSERVED = [
  ['observed', ARM.observed],
  ['unreadable', ARM.unreadable],
  ['too_large', ARM.tooLarge],
  ['shed', ARM.shed],
] as const;

export const AGREE = [
  ['yes', PAIR.agree],
  ['no', PAIR.disagree],
  ['incomparable', PAIR.incomparable],
] as const;

/** The shadow's time beside stable's. */
const TIMES = [
  ['slower', PAIR.slower],
  ['faster', PAIR.faster],
  ['alike', PAIR.alike],
] as const;

function pairSamples(
  pairs: readonly PairTotals[],
  label: string,
  values: readonly (readonly [string, number])[],
): Sample[] {
  return pairs.flatMap(({ service, counts }) =>
    values.map(([value, pair]) => ({ labels: { app: service, [label]: value }, value: counts[pair] ?? 0 })),
  );
}

/**
 * Bounds of confidence, in 256ths, and so on the edges of the bins that are counted:
 * even steps, and finer ones near 1, where the confidence of most models is.
 */
const CONFIDENCE_EDGES = [
  16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192, 208, 224, 240, 248, 252, 254, 256,
].map((bin) => bin / BINS);

function evidenceSamples({ app, gate, harm, pass }: GateReading): Sample[] {
  return known({ app, gate }, 'side', { harm, pass });
}

function estimateSamples({ app, gate, canary, stable }: GateReading): Sample[] {
  const arms = [['canary', canary] as const, ['stable', stable] as const];
  return arms.flatMap(([arm, estimate]) =>
    estimate === null ? [] : known({ app, gate, arm }, 'bound', { ...estimate }),
  );
}

/** A sample for each entry, under its name; what is not known is not told. */
function known(labels: Labels, name: string, values: Readonly<Record<string, number | null>>): Sample[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === null ? [] : [{ labels: { ...labels, [name]: key }, value }],
  );
}

/** A version has this histogram from the first answer that told its confidence. */
function confidenceDistribution({ labels, read: { confidence } }: ReadSeries): Distribution[] {
  const counts = new Float64Array(CONFIDENCE_EDGES.length + 1);
  let sum = 0;
  let bucket = 0;
  confidence.forEach((count, bin) => {
    if ((bin + 1) / BINS > (CONFIDENCE_EDGES[bucket] as number)) bucket++;
    counts[bucket]! += count;
    // Which value exactly it was is not kept: the middle of its bin stands for it.
    sum += count * ((bin + 0.5) / BINS);
  });
  return sum === 0 ? [] : [{ labels, edges: CONFIDENCE_EDGES, counts, sum }];
}

function outcomeSamples(counts: Readonly<Record<string, number>> = {}): Sample[] {
  return Object.entries(counts).map(([outcome, value]) => ({ labels: { outcome }, value }));
}

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
  const sum = (tally.scalars[sumScalar] as number) / 1000;
  return { labels, edges: secondsOf(tally.edgesMs), counts, sum };
}

/** Of the edges last asked for: nearly all services have the same, and writing a number takes long. */
let lastEdges: { readonly ms: readonly number[]; readonly seconds: readonly number[] } = {
  ms: [],
  seconds: [],
};

function secondsOf(edgesMs: ArrayLike<number>): readonly number[] {
  const { ms } = lastEdges;
  if (ms.length !== edgesMs.length || ms.some((edge, i) => edge !== edgesMs[i])) {
    lastEdges = { ms: Array.from(edgesMs), seconds: Array.from(edgesMs, inSeconds) };
  }
  return lastEdges.seconds;
}

/** A bound as a person would write it: 0.7 ms is 0.0007, not 0.0006999999999999999. */
function inSeconds(edgeMs: number): number {
  return Number((edgeMs / 1000).toPrecision(15));
}

function shadows(series: readonly Series[]): Series[] {
  return series.filter(({ shadow }) => shadow);
}

type ReadSeries = Series & { readonly read: ArmTotals };

function read(series: readonly Series[]): ReadSeries[] {
  return series.filter((one): one is ReadSeries => one.read !== null);
}
