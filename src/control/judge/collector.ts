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

/** Counts of one arm as they were at the last look. */
type Seen = Pick<
  ArmTally,
  'scalars' | 'latency' | 'firstSlow' | 'firstUnsure' | 'classCounts' | 'scores' | 'confidence'
>;

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
  #bins: Bins | null = null;
  /** There are scores, and too few of stable's to know its deciles. */
  #awaitsBins = false;

  constructor(evidence: Evidence = emptyEvidence()) {
    this.#evidence = evidence;
    for (const { stage, index } of evidence.slices) {
      this.#lastOf.set(stage, index);
      this.#nextIndex = Math.max(this.#nextIndex, index + 1);
    }
  }

  get evidence(): Evidence {
    return this.#evidence;
  }

  /** What is there already says nothing of the rollout that begins now. */
  skip(arms: readonly ArmTally[], pairs: readonly PairTally[]): void {
    for (const arm of arms) this.#seen.set(keyOf(arm), copyOf(arm));
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
    const share = shareOf(stage);
    const slices: Slice[] = [];
    this.#freezeBins(arms, names.stable);
    for (const one of new Set(arms.map((arm) => arm.stage))) {
      const w = shareOf(one);
      if (w === null || w === 0) continue;
      const own = arms.filter((arm) => arm.stage === one);
      const canary = this.#added(own, names.canary, names);
      const stable = this.#added(own, names.stable, names);
      if (canary === EMPTY_ARM && stable === EMPTY_ARM && one !== stage) continue;
      slices.push({ ...this.#sliceFor(one, one === stage, nowMs), w, canary, stable });
    }
    const shadow = this.#addedPairs(pairs);
    const part: Evidence = { edgesMs: names.edgesMs, slices: slices.sort(inOrder), shadow, problems: [] };
    if (slices.length > 0 || share !== null) this.#evidence = addEvidence(this.#evidence, part);
  }

  /** Whether the evidence has a slice of the stage. */
  has(stage: number): boolean {
    return this.#lastOf.has(stage);
  }

  /** Feedback belongs to the last slice of its request's stage, whenever it comes; false where there is none. */
  addKpi(stage: number, canary: boolean, kpi: string, count: KpiCount): boolean {
    const index = this.#lastOf.get(stage);
    const slice = this.#evidence.slices.find((one) => one.stage === stage && one.index === index);
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

  #sliceFor(stage: number, current: boolean, nowMs: number): Pick<Slice, 'stage' | 'index' | 'spanMs'> {
    const known = this.#lastOf.get(stage);
    if (!current && known !== undefined) return { stage, index: known, spanMs: 0 };
    this.#beganMs ??= nowMs;
    let open = this.#open;
    const longMs = Math.max(SLICE_MS, (nowMs - this.#beganMs) * SLICE_SHARE);
    if (open === null || open.stage !== stage || nowMs - open.beganMs >= longMs) {
      open = { stage, index: this.#nextIndex++, beganMs: nowMs };
      this.#open = open;
      this.#lastOf.set(stage, open.index);
    }
    return { stage, index: open.index, spanMs: nowMs - open.beganMs };
  }

  #added(arms: readonly ArmTally[], version: string, names: ArmNames): Arm {
    const arm = arms.find((one) => one.version === version);
    if (arm === undefined) return EMPTY_ARM;
    const seen = this.#seen.get(keyOf(arm));
    this.#seen.set(keyOf(arm), this.#awaitsBins ? withoutPredictions(arm, seen) : copyOf(arm));
    const delta = (now: Float64Array, before: Float64Array | undefined) =>
      Array.from(now, (value, i) => value - (before?.[i] ?? 0));
    const scalars = delta(arm.scalars, seen?.scalars);
    // Classes wait for the scores, or the shift gate would pass on half of what it is to compare.
    const classes = this.#awaitsBins ? [] : delta(arm.classCounts, seen?.classCounts);
    const confidence = delta(arm.confidence, seen?.confidence);
    const scores = delta(arm.scores, seen?.scores);
    const firstUnsure = delta(arm.firstUnsure, seen?.firstUnsure);
    if (![...scalars, ...classes].some((value) => value > 0)) return EMPTY_ARM;
    return armOf({
      requests: scalars[ARM.requests] as number,
      errors: scalars[ARM.errors] as number,
      firstErrors: scalars[ARM.firstErrors] as number,
      keys: scalars[ARM.keys] as number,
      latency: delta(arm.latency, seen?.latency),
      firstSlow: named(names.slow, delta(arm.firstSlow, seen?.firstSlow)),
      classes: named(
        [...arm.classNames, 'other'],
        [...classes.slice(0, arm.classNames.length), classes.at(-1) ?? 0],
      ),
      scores: this.#bins === null ? [] : rebin(this.#bins, scores),
      confidence: confidence.some((value) => value > 0) ? confidence : [],
      firstUnsure: named(names.unsure, firstUnsure),
    });
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
  }
}

/** As seen now, but for its classes and scores, which are still to be taken. */
function withoutPredictions(arm: ArmTally, seen: Seen | undefined): Seen {
  const { classCounts, scores } = arm;
  return {
    ...copyOf(arm),
    classCounts: seen?.classCounts ?? new Float64Array(classCounts.length),
    scores: seen?.scores ?? new Float64Array(scores.length),
  };
}

function sumOf(lists: readonly Float64Array[], length: number): Float64Array {
  return Float64Array.from({ length }, (_, i) => lists.reduce((sum, list) => sum + (list[i] ?? 0), 0));
}

function named(names: readonly string[], counts: readonly number[]): Record<string, number> {
  const found = names.map((name, i) => [name, counts[i] ?? 0] as const).filter(([, count]) => count > 0);
  return Object.fromEntries(found);
}

function copyOf(arm: ArmTally): Seen {
  const { scalars, latency, firstSlow, firstUnsure, classCounts, scores, confidence } = arm;
  return {
    scalars: scalars.slice(),
    latency: latency.slice(),
    firstSlow: firstSlow.slice(),
    firstUnsure: firstUnsure.slice(),
    classCounts: classCounts.slice(),
    scores: scores.slice(),
    confidence: confidence.slice(),
  };
}

function keyOf({ stage, version }: ArmTally): string {
  return `${stage} ${version}`;
}

function inOrder(a: Slice, b: Slice): number {
  return a.stage - b.stage || a.index - b.index;
}
