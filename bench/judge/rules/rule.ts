import type { Mode } from '../scenarios.ts';
import type { ArmCounts, Minute } from '../traffic.ts';

/** `advance`: at a fixed weight, "could be promoted now"; in a ramp, the next stage or the promotion. */
export type Decision = 'rollback' | 'advance' | 'stay';

/** What a rule may look at. */
export interface Look {
  readonly mode: Mode;
  readonly atS: number;
  /** Seconds since this stage began. */
  readonly stageS: number;
  readonly stage: number;
  /** Every minute since the start; of those of this stage the last may be unfinished. */
  readonly minutes: readonly Minute[];
  readonly ratePerS: number;
  /** The canary's share after this one; null: this is the last. */
  readonly nextW: number | null;
}

/** One rollout's watcher, with its memory. */
export interface Rule {
  readonly everyS: number;
  decide(look: Look): Decision;
}

/** Both arms over some minutes. */
export interface Window {
  readonly canary: ArmCounts;
  readonly stable: ArmCounts;
}

/** Both arms over the last `count` minutes. */
export function lastMinutes(minutes: readonly Minute[], count: number): Window {
  const [first, ...others] = minutes.slice(-count) as [Minute, ...Minute[]];
  return others.reduce<Window>(
    (sum, one) => ({ canary: addCounts(sum.canary, one.canary), stable: addCounts(sum.stable, one.stable) }),
    first,
  );
}

export function addCounts(a: ArmCounts, b: ArmCounts): ArmCounts {
  return {
    ...a,
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    clicks: a.clicks + b.clicks,
    latency: a.latency.map((count, i) => count + (b.latency[i] as number)),
    confidence: a.confidence.map((count, i) => count + (b.confidence[i] as number)),
    classes: Object.fromEntries(
      Object.entries(a.classes).map(([name, count]) => [name, count + (b.classes[name] as number)]),
    ),
  };
}

/** How long the rules without an opinion of their own stay at each weight of a ramp. */
export const TIMED_STAGE_S = 300;
