import type { ExperimentView } from './judge/experiment-view.ts';
import type { HistoryView, RolloutView } from './rollouts/views.ts';

export type { ComingStep } from '../core/rollout/coming.ts';

/** What a page that is left open shows: how things stand now, and how they came to it. Plain data without secrets. */

/** Everything at a glance; of each service what says whether a person must look closer. */
export interface OverviewView {
  /** Wall clock of the gateway, ms since the epoch. */
  readonly atMs: number;
  readonly revision: number;
  readonly phase: 'starting' | 'ready' | 'draining';
  /** Why the last reload was refused, while the config before it is in force; null: it was not. */
  readonly reloadFailure: { readonly atMs: number; readonly message: string } | null;
  readonly services: readonly OverviewService[];
}

export interface OverviewService {
  readonly name: string;
  readonly match: { readonly host: string | null; readonly path: string };
  /** As the config lists them. */
  readonly versions: readonly OverviewVersion[];
  /** The shadow version; null: nothing is mirrored. */
  readonly mirror: string | null;
  /** A weight was set at run time and differs from the file's. */
  readonly weightSetByHand: boolean;
  readonly rollout: RolloutSummary | null;
  /** Null: the service has none. */
  readonly experiment: Pick<ExperimentView, 'state' | 'text'> | null;
}

export interface OverviewVersion {
  readonly name: string;
  readonly role: 'stable' | 'canary' | 'shadow' | 'idle';
  /** Percent of the users whom no rule decides for. */
  readonly weight: number;
  readonly endpoints: { readonly healthy: number; readonly total: number };
  /** Of the last seconds. */
  readonly ratePerS: number;
  /** Share of 5xx, 0..1; null without requests. */
  readonly errorShare: number | null;
  readonly p99Ms: number | null;
}

export interface RolloutSummary
  extends Pick<
    RolloutView,
    | 'number'
    | 'phase'
    | 'status'
    | 'message'
    | 'stable'
    | 'canary'
    | 'step'
    | 'weight'
    | 'nextInMs'
    | 'hold'
    | 'userPaused'
  > {
  readonly steps: number;
  readonly verdict: Pick<NonNullable<RolloutView['verdict']>, 'state' | 'holdRamp' | 'text'> | null;
}

/**
 * A service over time, in columns of equal length, oldest first, `stepMs` apart. A null is
 * a time of which nothing is known, or in which there was nothing to measure.
 */
export interface TimelineView {
  readonly service: string;
  /** False: more services are configured than histories are kept; the columns are empty. */
  readonly kept: boolean;
  /** 1 s for the last 15 minutes, 15 s for the last 24 hours. */
  readonly stepMs: number;
  /** Wall clock at the end of each step, ms since the epoch. */
  readonly atMs: readonly number[];
  readonly versions: readonly TimelineVersion[];
  /** Mirrored requests of the step whose two answers were compared. */
  readonly pairs: {
    readonly agree: readonly (number | null)[];
    readonly disagree: readonly (number | null)[];
  };
}

export interface TimelineVersion {
  readonly name: string;
  /** Percent, at the end of the step. */
  readonly weight: readonly (number | null)[];
  readonly ratePerS: readonly (number | null)[];
  /** Share of 5xx, 0..1. */
  readonly errorShare: readonly (number | null)[];
  readonly p50Ms: readonly (number | null)[];
  readonly p99Ms: readonly (number | null)[];
  /** Mean of the step's answers, 0..1. */
  readonly confidence: readonly (number | null)[];
  /** Answers of each class that were read in the step; the classes beyond the first 8 are `other`. */
  readonly classes: readonly { readonly name: string; readonly counts: readonly (number | null)[] }[];
}

/** One step of a timeline, as it ends; fields as its columns. */
export interface TimelinePoint {
  readonly service: string;
  readonly atMs: number;
  readonly versions: readonly {
    readonly name: string;
    readonly weight: number | null;
    readonly ratePerS: number | null;
    readonly errorShare: number | null;
    readonly p50Ms: number | null;
    readonly p99Ms: number | null;
    readonly confidence: number | null;
    readonly classes: Readonly<Record<string, number>>;
  }[];
  readonly pairs: { readonly agree: number | null; readonly disagree: number | null };
}

/**
 * An experiment over time: the intervals that hold at all times at once, drawn as they narrow. `stepMs`
 * doubles each time the columns are full, so that weeks fit as well as minutes.
 */
export interface ExperimentTimelineView {
  readonly service: string;
  readonly kpi: string;
  readonly stepMs: number;
  readonly atMs: readonly number[];
  readonly variants: readonly {
    readonly name: string;
    readonly conversion: IntervalColumns;
    /** Against stable; empty columns for stable itself. */
    readonly ratio: IntervalColumns;
  }[];
}

export interface IntervalColumns {
  readonly value: readonly (number | null)[];
  readonly low: readonly (number | null)[];
  readonly high: readonly (number | null)[];
}

/**
 * What `GET events` streams (server-sent events): the event's name is `kind`, its data the rest. `overview`
 * comes first and then every second, so a silence of several seconds means that the data is stale. The others
 * come only to those who asked for one service.
 */
export type LiveEvent =
  | { readonly kind: 'overview'; readonly overview: OverviewView }
  /** Every second, and at once when it changed. */
  | { readonly kind: 'rollout'; readonly rollout: RolloutView }
  /** New entries, oldest first. */
  | { readonly kind: 'history'; readonly service: string; readonly entries: readonly HistoryView[] }
  | { readonly kind: 'point'; readonly point: TimelinePoint }
  | { readonly kind: 'experiment'; readonly experiment: ExperimentView };
