import { ARM, type ArmTally, BINS, PAIR, type PairTally } from '../../core/arms.ts';
import {
  type Arm,
  addEvidence,
  armOf,
  EMPTY_ARM,
  type Evidence,
  emptyEvidence,
  type KpiCount,
  type Slice,
} from '../../core/judge/evidence.ts';
import { type Bins, binsOf, rebin } from './bins.ts';

/** Length of a slice; the judge can see harm that began at any slice's beginning. */
const SLICE_MS = 60_000;
/** What has been going on for hours is cut into longer ones: weeks of an experiment make a few hundred slices. */
const SLICE_SHARE = 1 / 60;

/** Shares that late feedback is kept apart by; a rollout has a handful. */
const MAX_LATE = 256;

/** What the arm tallies of one service are read as. */
export interface ArmNames {
  readonly stable: string;
  readonly canary: string;
  /** Gates of `firstSlow` and `firstUnsure`, by index. */
  readonly slow: readonly string[];
  readonly unsure: readonly string[];
  readonly edgesMs: readonly number[];
}

const PAIR_NAMES = ['agree', 'disagree', 'incomparable'] as const;

const COUNTS = [
  'scalars',
  'latency',
  'firstSlow',
  'firstUnsure',
  'classCounts',
  'scores',
  'confidence',
] as const;

type Counts = Pick<ArmTally, (typeof COUNTS)[number]>;

/** What is known of one arm's counts. */
interface Seen {
  /** As they were when the slice began that it is counted in. */
  readonly base: Counts;
  /** As they were at the last look. */
  readonly last: Counts;
  /** Of that slice; -1: none yet. */
  index: number;
  /** Its classes are still to be taken, also those of slices that are over. */
  owesClasses: boolean;
}

type Place = Pick<Slice, 'stage' | 'index' | 'spanMs'>;

interface OpenSlice {
  readonly stage: number;
  readonly index: number;
  readonly beganMs: number;
}

/**
 * Turns the arm tallies of one service, which only rise, into a rollout's
 * evidence: what was added since the last look goes into the slice of its stage.
 */
export class Collector {
  #evidence: Evidence;
  readonly #seen = new Map<string, Seen>();
  /** By stage. */
  readonly #pairs = new Map<number, Float64Array>();
  #open: OpenSlice | null = null;
  #beganMs: number | null = null;
  #nextIndex = 0;
  /** The last slice of each stage, for what ends late. */
  readonly #lastOf = new Map<number, number>();
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

  /** What is there already says nothing of the rollout that begins now. */
  skip(arms: readonly ArmTally[], pairs: readonly PairTally[]): void {
    for (const arm of arms) for (const name of COUNTS) this.#seenOf(arm).last[name].set(arm[name]);
    for (const { stage, counts } of pairs) this.#pairs.set(stage, counts.slice());
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
    for (const one of new Set(arms.map((arm) => arm.stage))) {
      const w = shareOf(one);
      if (w === null || w === 0) continue;
      const canary = arms.find((arm) => arm.stage === one && arm.version === names.canary);
      const stable = arms.find((arm) => arm.stage === one && arm.version === names.stable);
      const place = this.#placeOf(one, one === stage, [canary, stable], nowMs);
      if (place !== null) this.#count(place, w, canary, stable, names);
    }
    const shadow = this.#addedPairs(pairs);
    if (this.has(stage) || shareOf(stage) !== null) {
      this.#evidence = addEvidence(this.#evidence, { ...emptyEvidence(names.edgesMs), shadow });
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

  /** The slice that a stage is counted in now; null: the stage is over, was never seen and has nothing to count. */
  #placeOf(
    stage: number,
    current: boolean,
    arms: readonly (ArmTally | undefined)[],
    nowMs: number,
  ): Place | null {
    const known = this.#lastOf.get(stage);
    if (!current && known !== undefined) return { stage, index: known, spanMs: 0 };
    if (!current && !arms.some((arm) => arm !== undefined && this.#hasRisen(arm))) return null;
    this.#beganMs ??= nowMs - this.#agedMs;
    let open = this.#open;
    const longMs = Math.max(SLICE_MS, (nowMs - this.#beganMs) * SLICE_SHARE);
    if (open === null || open.stage !== stage || nowMs - open.beganMs >= longMs) {
      open = { stage, index: this.#nextIndex++, beganMs: nowMs };
      this.#open = open;
      this.#lastOf.set(stage, open.index);
    }
    return { stage, index: open.index, spanMs: nowMs - open.beganMs };
  }

  /** Makes the slice say what was counted since it began. */
  #count(
    { stage, index, spanMs }: Place,
    w: number,
    canary: ArmTally | undefined,
    stable: ArmTally | undefined,
    names: ArmNames,
  ): void {
    const isHere = (slice: Slice) => slice.stage === stage && slice.index === index;
    let at = this.#evidence.slices.findLastIndex(isHere);
    if (at < 0) {
      const begun = { stage, index, w, spanMs, canary: EMPTY_ARM, stable: EMPTY_ARM };
      this.#evidence = addEvidence(this.#evidence, { ...emptyEvidence(), slices: [begun] });
      at = this.#evidence.slices.findLastIndex(isHere);
    }
    const held = this.#evidence.slices[at] as Slice;
    const slice = {
      ...held,
      spanMs: Math.max(held.spanMs, spanMs),
      canary: this.#armIn(index, canary, names, held.canary),
      stable: this.#armIn(index, stable, names, held.stable),
    };
    if (slice.spanMs === held.spanMs && slice.canary === held.canary && slice.stable === held.stable) return;
    this.#evidence = { ...this.#evidence, slices: this.#evidence.slices.with(at, slice) };
  }

  /** What one arm counted since the slice began; `held` where nothing came to it since the last look. */
  #armIn(index: number, arm: ArmTally | undefined, names: ArmNames, held: Arm): Arm {
    if (arm === undefined) return held;
    const seen = this.#seenOf(arm);
    if (seen.index !== index) {
      // What was counted until the last look is in the slice before.
      for (const name of COUNTS) {
        if (name !== 'classCounts' || !seen.owesClasses) seen.base[name].set(seen.last[name]);
      }
      seen.index = index;
    }
    if (!this.#hasRisen(arm)) return held;
    for (const name of COUNTS) seen.last[name].set(arm[name]);
    // Classes wait for the scores, or the shift gate would pass on half of what it is to compare.
    seen.owesClasses = this.#awaitsBins;
    return this.#armOf(arm, seen.base, names, held.kpis);
  }

  #armOf(arm: ArmTally, base: Counts, names: ArmNames, kpis: Arm['kpis']): Arm {
    const added = (name: keyof Counts) => addedTo(arm[name], base[name]);
    const scalar = (at: number) => (arm.scalars[at] as number) - (base.scalars[at] as number);
    const confidence = added('confidence');
    return {
      requests: scalar(ARM.requests),
      errors: scalar(ARM.errors),
      firstErrors: scalar(ARM.firstErrors),
      keys: scalar(ARM.keys),
      latency: added('latency'),
      firstSlow: named(names.slow, added('firstSlow')),
      classes: this.#awaitsBins ? {} : classesOf(arm, base.classCounts),
      scores: this.#bins === null ? [] : rebin(this.#bins, added('scores')),
      confidence: confidence.some((value) => value > 0) ? confidence : [],
      firstUnsure: named(names.unsure, added('firstUnsure')),
      kpis,
    };
  }

  /** Nothing is counted without one of the scalars. */
  #hasRisen(arm: ArmTally): boolean {
    const { last, owesClasses } = this.#seenOf(arm);
    if (owesClasses) return true;
    for (let i = 0; i < arm.scalars.length; i++) if (arm.scalars[i] !== last.scalars[i]) return true;
    return false;
  }

  #seenOf(arm: ArmTally): Seen {
    const key = keyOf(arm);
    let seen = this.#seen.get(key);
    if (seen === undefined || COUNTS.some((name) => seen?.base[name].length !== arm[name].length)) {
      seen = { base: nothingOf(arm), last: nothingOf(arm), index: -1, owesClasses: false };
      this.#seen.set(key, seen);
    }
    return seen;
  }

  #addedPairs(pairs: readonly PairTally[]): Evidence['shadow'] {
    const sum = { agree: 0, disagree: 0, incomparable: 0 };
    for (const { stage, counts } of pairs) {
      const seen = this.#pairs.get(stage);
      this.#pairs.set(stage, counts.slice());
      for (const name of PAIR_NAMES) sum[name] += (counts[PAIR[name]] ?? 0) - (seen?.[PAIR[name]] ?? 0);
    }
    return sum;
  }

  /** Bins of scores are stable's deciles, frozen as soon as enough of its answers are there. */
  #freezeBins(arms: readonly ArmTally[], stable: string): void {
    if (this.#bins !== null) return;
    const own = arms.filter(({ version }) => version === stable).map(({ scores }) => scores);
    const total = sumOf(own, BINS);
    this.#bins = binsOf(total);
    this.#awaitsBins = this.#bins === null && total.some((count) => count > 0);
    if (this.#bins === null) return;
    // Bins must not have been chosen by what is compared in them.
    for (const arm of arms) this.#seenOf(arm).base.scores.set(arm.scores);
  }
}

function sumOf(lists: readonly Float64Array[], length: number): Float64Array {
  const sum = new Float64Array(length);
  for (const list of lists) for (let i = 0; i < length; i++) sum[i]! += list[i] as number;
  return sum;
}

function named(names: readonly string[], counts: readonly number[]): Record<string, number> {
  const found = names.map((name, i) => [name, counts[i] ?? 0] as const).filter(([, count]) => count > 0);
  return Object.fromEntries(found);
}

function nothingOf(arm: ArmTally): Counts {
  return Object.fromEntries(
    COUNTS.map((name) => [name, new Float64Array(arm[name].length)]),
  ) as unknown as Counts;
}

function addedTo(now: Float64Array, base: Float64Array): number[] {
  const added = new Array<number>(now.length);
  for (let i = 0; i < now.length; i++) added[i] = (now[i] as number) - (base[i] as number);
  return added;
}

function classesOf({ classNames, classCounts }: ArmTally, base: Float64Array): Record<string, number> {
  const classes: [string, number][] = [];
  for (const [i, name] of [...classNames, 'other'].entries()) {
    const at = i < classNames.length ? i : classCounts.length - 1;
    const count = (classCounts[at] as number) - (base[at] as number);
    if (count > 0) classes.push([name, count]);
  }
  return Object.fromEntries(classes);
}

function keyOf({ stage, version }: ArmTally): string {
  return `${stage} ${version}`;
}
