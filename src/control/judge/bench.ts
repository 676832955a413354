import type { ArmTally, PairTally } from '../../core/arms.ts';
import type { JudgePlan, Verdict } from '../../core/judge/gates.ts';
import type { JudgeMemo } from '../../core/judge/judge.ts';
import type { SavedJudge } from '../../core/judge/saved.ts';
import type { ServiceJudge } from '../../core/judge/service.ts';
import type { Service } from '../../core/model.ts';
import { type ArmNames, Collector } from './collector.ts';
import type { Frozen } from './dress.ts';
import { identityOf } from './identity.ts';

/** One service's judge at work. */
export interface Bench {
  readonly judge: ServiceJudge;
  /** Its gates, with what each comparison may spend of alpha. */
  readonly plan: JudgePlan;
  /** The canary, or each variant of an experiment but stable. */
  readonly sides: readonly Side[];
  /** What the evidence is about, such as the number of a rollout; null: nothing yet. */
  epoch: string | null;
  /** Tells this evidence from what was begun before it. */
  serial: number;
  frozen: Frozen;
  /** Monotonic; of the last look. */
  lookedAtMs: number;
}

/** One version compared with stable. */
export interface Side {
  /** By name; null: the canary, whichever that is. */
  readonly variant: string | null;
  collector: Collector;
  memo: JudgeMemo | null;
  failed: readonly string[];
  verdict: Verdict | null;
  /** Wall clock; what was answered before belongs to evidence that was given up. */
  notBeforeMs: number;
}

export interface Counted {
  readonly arms: readonly ArmTally[];
  readonly pairs: readonly PairTally[];
}

/** What is asked of a service; a new secret of prediction ids asks nothing new, nor does another revision. */
export function questionOf({ judged, revisions: _, ...rest }: ServiceJudge): string {
  return JSON.stringify([rest, { ...judged, predictionSecret: judged.predictionSecret !== null }]);
}

export function newBench(judge: ServiceJudge): Bench {
  const { plan, experiment } = judge;
  const sides = (experiment?.variants.slice(1) ?? [null]).map(newSide);
  return {
    judge,
    // Each comparison may be wrong, so together they share what one may spend.
    plan: sides.length > 1 ? { ...plan, alpha: plan.alpha / sides.length } : plan,
    sides,
    epoch: null,
    serial: 0,
    frozen: new Map(),
    lookedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** What evidence of now is about; `number`: of the rollout under way, null without one. */
export function epochOf({ judge }: Bench, service: Service, number: number | null): string {
  return number === null ? identityOf(service, judge.revisions) : String(number);
}

export function newSide(variant: string | null): Side {
  return { variant, collector: new Collector(), memo: null, failed: [], verdict: null, notBeforeMs: 0 };
}

/** What has been counted until now says nothing of what begins. */
export function begin(side: Side, { arms, pairs }: Counted, notBeforeMs = 0): void {
  side.collector = new Collector();
  side.collector.skip(arms, pairs);
  side.memo = null;
  side.verdict = null;
  side.failed = [];
  side.notBeforeMs = notBeforeMs;
}

/** Goes on with what another process had counted, instead of `begin`. */
export function goOn(bench: Bench, { frozen, sides }: SavedJudge): void {
  bench.frozen = new Map(Object.entries(frozen));
  for (const side of bench.sides) {
    const saved = sides.find(({ variant }) => variant === side.variant);
    if (saved === undefined) continue;
    side.collector = new Collector(saved.evidence, saved.bins);
    side.failed = saved.failed;
    side.notBeforeMs = saved.notBeforeMs;
  }
}

/** What was counted of a service in stages that are over. */
export function before({ name, stage }: Service, { arms, pairs }: Counted): Counted {
  const isPast = (item: ArmTally | PairTally) => item.service === name && item.stage !== stage;
  return { arms: arms.filter(isPast), pairs: pairs.filter(isPast) };
}

export function versionOf({ variant }: Side, service: Service): string {
  return variant ?? versionName(service, service.judged?.canary);
}

export function stableOf(service: Service): string {
  return versionName(service, service.stable);
}

export function versionName({ versions }: Service, index = -1): string {
  return versions[index]?.name ?? '';
}

export function namesOf(service: Service, canary: string): ArmNames {
  const { judged, latencyEdgesMs } = service;
  return {
    stable: stableOf(service),
    canary,
    slow: (judged?.slow ?? []).map(({ gate }) => gate),
    unsure: (judged?.unsure ?? []).map(({ gate }) => gate),
    edgesMs: latencyEdgesMs,
  };
}

/** By service, of those that are wanted. */
export function groupBy<T extends { readonly service: string }>(
  items: readonly T[],
  wanted: ReadonlyMap<string, unknown>,
): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    if (!wanted.has(item.service)) continue;
    const group = groups.get(item.service);
    if (group === undefined) groups.set(item.service, [item]);
    else group.push(item);
  }
  return groups;
}
