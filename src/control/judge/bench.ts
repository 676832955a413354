import type { ArmTally, PairTally } from '../../core/arms.ts';
import type { JudgePlan, Verdict } from '../../core/judge/gates.ts';
import type { JudgeMemo } from '../../core/judge/judge.ts';
import type { SavedJudge } from '../../core/judge/saved.ts';
import type { ServiceJudge } from '../../core/judge/service.ts';
import type { Service } from '../../core/model.ts';
import type { VerdictState } from '../../core/rollout/state.ts';
import { Collector } from './collector.ts';
import type { ArmNames } from './counts.ts';
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
  /** Latency buckets of the evidence: counts in others cannot be added to it. */
  edgesMs: readonly number[];
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
  /** That verdict is about a rollout that is over. */
  isOver: boolean;
  /** Wall clock; what was answered before belongs to evidence that was given up. */
  notBeforeMs: number;
  names: { readonly of: Service; readonly are: ArmNames } | null;
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
    edgesMs: [],
    serial: 0,
    frozen: new Map(),
    lookedAtMs: Number.NEGATIVE_INFINITY,
  };
}

/** Whether its evidence is about what is there now. */
export function isAbout({ epoch, edgesMs }: Bench, { latencyEdgesMs }: Service, now: string): boolean {
  if (epoch !== now) return false;
  if (edgesMs === latencyEdgesMs) return true;
  return edgesMs.length === latencyEdgesMs.length && edgesMs.every((edge, i) => edge === latencyEdgesMs[i]);
}

/** What evidence of now is about; `number`: of the rollout under way, null without one. */
export function epochOf({ judge }: Bench, service: Service, number: number | null): string {
  return number === null ? identityOf(service, judge.revisions) : String(number);
}

export function newSide(variant: string | null): Side {
  return {
    variant,
    collector: new Collector(),
    memo: null,
    failed: [],
    verdict: null,
    isOver: false,
    notBeforeMs: 0,
    names: null,
  };
}

/** What has been counted until now says nothing of what begins. */
export function begin(side: Side, { arms, pairs }: Counted, notBeforeMs = 0): void {
  side.collector = new Collector();
  side.collector.skip(arms, pairs);
  side.memo = null;
  side.verdict = null;
  side.isOver = false;
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

/** The same object as long as the service is the same one: it is asked for with every look. */
export function namesOf(side: Side, service: Service): ArmNames {
  if (side.names?.of === service) return side.names.are;
  const { judged, latencyEdgesMs } = service;
  const are: ArmNames = {
    stable: stableOf(service),
    canary: versionOf(side, service),
    slow: (judged?.slow ?? []).map(({ gate }) => gate),
    unsure: (judged?.unsure ?? []).map(({ gate }) => gate),
    edgesMs: latencyEdgesMs,
  };
  side.names = { of: service, are };
  return are;
}

/** Gates by name. */
export function failedOf({ briefs }: Verdict): readonly string[] {
  const failed = briefs.filter(({ state }) => state === 'FAIL');
  return failed.length === 0 ? NONE : failed.map(({ name }) => name);
}

const NONE: readonly string[] = [];

/** The sentences of a failure. Nobody is told of other verdicts, and making them would be most of a look's work. */
export function causeOf(verdict: Verdict): { readonly text: string; readonly evidence: readonly string[] } {
  if (verdict.state !== 'FAIL') return { text: '', evidence: NONE };
  const { text, gates } = verdict;
  return { text, evidence: gates.map(({ name, state, text: own }) => `${name} ${state}: ${own}`) };
}

/** What a rollout needs to know of it. */
export function toldOf(
  { state, holdRamp, advance, problems }: Verdict,
  failed: readonly string[],
): VerdictState {
  const why = state === 'ERROR' && problems.length > 0 ? problems.join('; ') : advance.why;
  return { state, holdRamp, ready: advance.ready, why, failed };
}
