import { ARM, type ArmTally, BINS, type PairTally } from '../../core/arms.ts';
import {
  type Arm,
  addEvidence,
  addPairs,
  armOf,
  EMPTY_ARM,
  type Evidence,
  emptyEvidence,
  type KpiCount,
  type Passed,
  type Slice,
} from '../../core/judge/evidence.ts';
import { type Bins, binsOf } from './bins.ts';
import {
  type ArmNames,
  armSince,
  COUNTS,
  type Counts,
  isAlike,
  isEqual,
  keepNewest,
  nothingOf,
  sumOf,
} from './counts.ts';
import { PairReader } from './pairs.ts';
import { SlowBursts } from './slow-bursts.ts';

/** Length of a slice; the judge can see harm that began at any slice's beginning. */
const SLICE_MS = 60_000;
/** What has been going on for hours is cut into longer ones: weeks of an experiment make a few hundred slices. */
const SLICE_SHARE = 1 / 60;

/** Shares that late feedback is kept apart by; a rollout has a handful. */
const MAX_LATE = 256;

/** What is known of one arm's counts. */
interface Seen {
  /** Whose they are. */
  arm: ArmTally;
  /** As they were when the slice began that it is counted in. */
  readonly base: Counts;
  /** As they were at the last look. */
  readonly scalars: Float64Array;
  readonly bursts: SlowBursts;
  /** Its classes are still to be taken, also those of slices that are over. */
  owesClasses: boolean;
}

/** One stage at one look. */
interface StageLook {
  readonly stage: number;
  /** The canary's share. */
  readonly w: number;
  readonly canary: ArmTally | undefined;
  readonly stable: ArmTally | undefined;
  readonly names: ArmNames;
  readonly nowMs: number;
}

interface OpenSlice {
  readonly stage: number;
  readonly beganMs: number;
}

/**
 * Turns the arm tallies of one service, which only rise, into a rollout's
 * evidence: what was added since the last look goes into the slice of its stage.
 */
export class Collector {
  #evidence: Evidence;
  /** By stage and version. */
  readonly #seen = new Map<number, Map<string, Seen>>();
  readonly #pairs = new PairReader();
  #open: OpenSlice | null = null;
  #beganMs: number | null = null;
  #nextIndex = 0;
  /** The last slice of each stage, for what ends late. */
  readonly #lastOf = new Map<number, number>();
  /** Those that the evidence was last told of. */
  #edgesMs: readonly number[] | null = null;
  #bins: Bins | null;
  /** What a process before this one had counted, in time. */
  #agedMs = 0;
  /** There are scores, and too few of stable's to know its deciles. */
  #awaitsBins = false;

  /** @param bins as they were frozen over the evidence so far */
  constructor(evidence: Evidence = emptyEvidence(), bins: Bins | null = null) {
    this.#evidence = evidence;
    this.#bins = bins;
    for (const { stage, index, spanMs } of evidence.slices) {
      this.#agedMs += spanMs;
      this.#lastOf.set(stage, index);
      this.#nextIndex = Math.max(this.#nextIndex, index + 1);
    }
  }

  get evidence(): Evidence {
    return this.#evidence;
  }

  get bins(): Bins | null {
    return this.#bins;
  }

  /** Pairs a second that could be compared, lately; null: not known. */
  get pairsPerS(): number | null {
    return this.#pairs.perS;
  }

  /** What is there already says nothing of the rollout that begins now. */
  skip(arms: readonly ArmTally[], pairs: readonly PairTally[]): void {
    for (const arm of arms) {
      const { base, scalars, bursts } = this.#seenOf(arm);
      bursts.skip(arm.firstSlow);
      for (const name of COUNTS) base[name].set(arm[name]);
      scalars.set(arm.scalars);
    }
    this.#pairs.skip(pairs);
  }

  /**
   * @param shareOf the canary's share of the compared requests in a stage, 0..1; null: not a stage of this rollout
   * @param stage the one in force
   */
  look(
    arms: readonly ArmTally[],
    pairs: readonly PairTally[],
    names: ArmNames,
    shareOf: (stage: number) => number | null,
    stage: number,
    nowMs: number,
  ): void {
    this.#freezeBins(arms, names.stable);
    for (let i = 0; i < arms.length; i++) {
      const one = (arms[i] as ArmTally).stage;
      if (arms.findIndex((arm) => arm.stage === one) < i) continue;
      const w = shareOf(one);
      if (w === null || w === 0) continue;
      const canary = armIn(arms, one, names.canary);
      const stable = armIn(arms, one, names.stable);
      this.#lookAt({ stage: one, w, canary, stable, names, nowMs }, one === stage);
    }
    const added = this.#pairs.take(pairs, nowMs);
    if (!this.has(stage) && shareOf(stage) === null) return;
    this.#takeEdges(names.edgesMs);
    if (added !== null) {
      this.#evidence = { ...this.#evidence, shadow: addPairs(this.#evidence.shadow, added) };
    }
  }

  /** Whether the evidence has a slice of the stage. */
  has(stage: number): boolean {
    return this.#lastOf.has(stage);
  }

  /** Whether events of requests at this share find room beside the slices. */
  hasRoom(w: number): boolean {
    const { late } = this.#evidence;
    return late.length < MAX_LATE || late.some((one) => one.w === w);
  }

  /**
   * Feedback on requests as they are assigned now: into the newest slice of the stage, whenever it comes; false
   * where there is none.
   */
  addKpi(stage: number, canary: boolean, kpi: string, count: KpiCount): boolean {
    const index = this.#lastOf.get(stage);
    const slice = this.#evidence.slices.findLast((one) => one.stage === stage && one.index === index);
    if (slice === undefined) return false;
    const arm = armOf({ kpis: { [kpi]: count } });
    const part: Slice = {
      ...slice,
      canary: canary ? arm : EMPTY_ARM,
      stable: canary ? EMPTY_ARM : arm,
    };
    this.#evidence = addEvidence(this.#evidence, { ...emptyEvidence(), slices: [part] });
    return true;
  }

  /** The same of requests that were assigned at a share of their own; false where there is no room. */
  addLate(w: number, canary: boolean, kpi: string, count: KpiCount): boolean {
    if (!this.hasRoom(w)) return false;
    const part = { w, canary: canary ? { [kpi]: count } : {}, stable: canary ? {} : { [kpi]: count } };
    this.#evidence = addEvidence(this.#evidence, { ...emptyEvidence(), late: [part] });
    return true;
  }

  /** Counts a stage where it belongs. One that is over, was never seen and has nothing to count belongs nowhere. */
  #lookAt(look: StageLook, isCurrent: boolean): void {
    const { stage, nowMs } = look;
    const known = this.#lastOf.get(stage);
    if (!isCurrent && known === undefined && !this.#hasRisen(look.canary) && !this.#hasRisen(look.stable)) {
      return;
    }
    this.#beganMs ??= nowMs - this.#agedMs;
    const open = isCurrent && this.#open?.stage === stage ? this.#open : null;
    if (known !== undefined) this.#count(look, known, open === null ? 0 : nowMs - open.beganMs);
    const longMs = Math.max(SLICE_MS, (nowMs - this.#beganMs) * SLICE_SHARE);
    const goesOn = isCurrent ? open !== null && nowMs - open.beganMs < longMs : known !== undefined;
    if (goesOn) return;
    // What was counted until now is in the slice that ends.
    if (known !== undefined) for (const arm of [look.canary, look.stable]) this.#rebase(arm);
    const index = this.#nextIndex++;
    // One that came and went between two looks does not end the slice of the stage in force.
    if (isCurrent) this.#open = { stage, beganMs: nowMs };
    this.#lastOf.set(stage, index);
    this.#begin(look, index);
    this.#count(look, index, 0);
  }

  #begin({ stage, w }: StageLook, index: number): void {
    const begun = { stage, index, w, spanMs: 0, canary: EMPTY_ARM, stable: EMPTY_ARM, passed: NONE_PASSED };
    this.#evidence = addEvidence(this.#evidence, { ...emptyEvidence(), slices: [begun] });
  }

  /** Makes the slice say what was counted since it began. */
  #count({ stage, canary, stable, names, nowMs }: StageLook, index: number, spanMs: number): void {
    const { slices } = this.#evidence;
    let at = slices.length - 1;
    while (at >= 0 && !(slices[at]?.stage === stage && slices[at]?.index === index)) at--;
    const held = slices[at];
    if (held === undefined) return;
    const longer = Math.max(0, spanMs - held.spanMs);
    const arms = {
      canary: this.#armIn(canary, names, held.canary, nowMs),
      stable: this.#armIn(stable, names, held.stable, nowMs),
    };
    const slice: Slice = {
      stage,
      index,
      w: held.w,
      spanMs: held.spanMs + longer,
      ...arms,
      passed: passedAfter(held, arms),
    };
    if (slice.spanMs === held.spanMs && slice.canary === held.canary && slice.stable === held.stable) return;
    this.#evidence = { ...this.#evidence, slices: slices.with(at, slice) };
  }

  /** What one arm counted since the slice began; `held` where nothing came to it since the last look. */
  #armIn(arm: ArmTally | undefined, names: ArmNames, held: Arm, nowMs: number): Arm {
    if (arm === undefined || !this.#hasRisen(arm)) return held;
    const seen = this.#seenOf(arm);
    const requests = arm.scalars[ARM.requests]! - seen.scalars[ARM.requests]!;
    if (requests > 0) seen.bursts.look(nowMs, requests, arm.firstSlow);
    seen.scalars.set(arm.scalars);
    // Classes wait for the scores, or the shift gate would pass on half of what it is to compare.
    seen.owesClasses = this.#awaitsBins;
    const bins = this.#awaitsBins ? 'awaited' : this.#bins;
    const slowBursts = seen.bursts.counts(names.slow);
    return armSince(arm, seen.base, names, bins, { kpis: held.kpis, slowBursts });
  }

  #rebase(arm: ArmTally | undefined): void {
    if (arm === undefined) return;
    const { base, bursts, owesClasses } = this.#seenOf(arm);
    bursts.restart();
    for (const name of COUNTS) if (name !== 'classCounts' || !owesClasses) base[name].set(arm[name]);
  }

  /** Nothing is counted without one of the scalars. */
  #hasRisen(arm: ArmTally | undefined): boolean {
    if (arm === undefined) return false;
    const { scalars, owesClasses } = this.#seenOf(arm);
    return owesClasses || !isEqual(arm.scalars, scalars);
  }

  #seenOf(arm: ArmTally): Seen {
    let versions = this.#seen.get(arm.stage);
    if (versions === undefined) {
      versions = new Map();
      this.#seen.set(arm.stage, versions);
      keepNewest(this.#seen);
    }
    let seen = versions.get(arm.version);
    if (seen === undefined || (seen.arm !== arm && !isAlike(seen.base, arm))) {
      seen = {
        arm,
        base: nothingOf(arm),
        scalars: new Float64Array(arm.scalars.length),
        bursts: new SlowBursts(arm.firstSlow.length),
        owesClasses: false,
      };
      versions.set(arm.version, seen);
    }
    seen.arm = arm;
    return seen;
  }

  #takeEdges(edgesMs: readonly number[]): void {
    if (this.#edgesMs === edgesMs) return;
    this.#edgesMs = edgesMs;
    this.#evidence = addEvidence(this.#evidence, emptyEvidence(edgesMs));
  }

  /** Bins of scores are stable's deciles, frozen as soon as enough of its answers are there. */
  #freezeBins(arms: readonly ArmTally[], stable: string): void {
    if (this.#bins !== null) return;
    const own = arms.filter(({ version }) => version === stable).map(({ scores }) => scores);
    const total = own.length === 1 ? (own[0] as Float64Array) : sumOf(own, BINS);
    this.#bins = binsOf(total);
    this.#awaitsBins = this.#bins === null && total.some((count) => count > 0);
    if (this.#bins === null) return;
    // Bins must not have been chosen by what is compared in them.
    for (const arm of arms) this.#seenOf(arm).base.scores.set(arm.scores);
  }
}

const NONE_PASSED: Passed = { canary: 0, stable: 0 };

/** What of a look came before what is not known, so an arm with a request in it begins at none. */
function passedAfter(held: Slice, now: Pick<Slice, 'canary' | 'stable'>): Passed {
  const { canary, stable } = held.passed ?? NONE_PASSED;
  const ofCanary = now.canary.requests - held.canary.requests;
  const ofStable = now.stable.requests - held.stable.requests;
  if (ofCanary === 0 && ofStable === 0) return held.passed ?? NONE_PASSED;
  return {
    canary: ofCanary > 0 ? 0 : canary + ofStable,
    stable: ofStable > 0 ? 0 : stable + ofCanary,
  };
}

function armIn(arms: readonly ArmTally[], stage: number, version: string): ArmTally | undefined {
  return arms.find((arm) => arm.stage === stage && arm.version === version);
}
