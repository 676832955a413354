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

/** Counts of one arm as they were when they were last taken. */
interface Seen extends Pick<ArmTally, (typeof COUNTS)[number]> {
  /** Its classes and scores are still to be taken. */
  owesPredictions: boolean;
}

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
    for (const arm of arms) for (const name of COUNTS) this.#seenOf(arm)[name].set(arm[name]);
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
    const part: Evidence = {
      edgesMs: names.edgesMs,
      slices: slices.sort(inOrder),
      late: [],
      shadow,
      problems: [],
    };
    if (slices.length > 0 || share !== null) this.#evidence = addEvidence(this.#evidence, part);
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
    const seen = this.#seenOf(arm);
    // Nothing is counted without one of the scalars.
    if (!seen.owesPredictions && !hasRisen(arm.scalars, seen.scalars)) return EMPTY_ARM;
    const scalars = taken(arm.scalars, seen.scalars);
    const latency = taken(arm.latency, seen.latency);
    const firstSlow = taken(arm.firstSlow, seen.firstSlow);
    const firstUnsure = taken(arm.firstUnsure, seen.firstUnsure);
    const confidence = taken(arm.confidence, seen.confidence);
    // Classes wait for the scores, or the shift gate would pass on half of what it is to compare.
    seen.owesPredictions = this.#awaitsBins;
    const classes = this.#awaitsBins ? [] : taken(arm.classCounts, seen.classCounts);
    const scores = this.#bins === null ? [] : rebin(this.#bins, taken(arm.scores, seen.scores));
    if (![...scalars, ...classes].some((value) => value > 0)) return EMPTY_ARM;
    return armOf({
      requests: scalars[ARM.requests] as number,
      errors: scalars[ARM.errors] as number,
      firstErrors: scalars[ARM.firstErrors] as number,
      keys: scalars[ARM.keys] as number,
      latency,
      firstSlow: named(names.slow, firstSlow),
      classes: named(
        [...arm.classNames, 'other'],
        [...classes.slice(0, arm.classNames.length), classes.at(-1) ?? 0],
      ),
      scores,
      confidence: confidence.some((value) => value > 0) ? confidence : [],
      firstUnsure: named(names.unsure, firstUnsure),
    });
  }

  #seenOf(arm: ArmTally): Seen {
    const key = keyOf(arm);
    let seen = this.#seen.get(key);
    if (seen === undefined || COUNTS.some((name) => seen?.[name].length !== arm[name].length)) {
      seen = nothingOf(arm);
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

function nothingOf(arm: ArmTally): Seen {
  const counts = COUNTS.map((name) => [name, new Float64Array(arm[name].length)] as const);
  return {
    ...(Object.fromEntries(counts) as Pick<ArmTally, (typeof COUNTS)[number]>),
    owesPredictions: false,
  };
}

function hasRisen(now: Float64Array, seen: Float64Array): boolean {
  for (let i = 0; i < now.length; i++) if (now[i] !== seen[i]) return true;
  return false;
}

/** What was added to the counts, which are seen from now on. */
function taken(now: Float64Array, seen: Float64Array): number[] {
  const added: number[] = [];
  for (let i = 0; i < now.length; i++) {
    added.push((now[i] as number) - (seen[i] as number));
    seen[i] = now[i] as number;
  }
  return added;
}

function keyOf({ stage, version }: ArmTally): string {
  return `${stage} ${version}`;
}

function inOrder(a: Slice, b: Slice): number {
  return a.stage - b.stage || a.index - b.index;
}
