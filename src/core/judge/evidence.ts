import type { BurstCount } from './bursts.ts';

/**
 * What a rollout has shown so far: integer counts only, as plain JSON. Parts add up (`addEvidence`), so one
 * process, eight workers and a fleet give the judge the same input. Everything here is immutable: a changed
 * slice is a new object, and the judge's memo relies on that.
 */

/** One arm's counts in one slice. Clients that went away and retries are in none of them. */
export interface Arm {
  /** First attempts that ended. */
  readonly requests: number;
  /** 5xx and time-outs of first attempts. */
  readonly errors: number;
  /** Those of keys that had not failed in this stage before; equal to `errors` where requests have no key. */
  readonly firstErrors: number;
  /** Keys first seen in this stage (so slices add up); equal to `requests` where there are none. For the sample ratio. */
  readonly keys: number;
  /** First attempts by bucket of `edgesMs` (upper edges, inclusive), and one more for above. [] counts as zeros. */
  readonly latency: readonly number[];
  /** By gate name: keys' first answers above the gate's threshold; `GATE/frozen`: above (1+delta) of stable's frozen quantile. */
  readonly firstSlow: Readonly<Record<string, number>>;
  /** By the same names: those of `firstSlow` that came in bursts, all that one process had before it being late at once. */
  readonly slowBursts: Readonly<Record<string, BurstCount>>;
  /**
   * Answers by predicted class; where requests have keys, of each key's first answer in this stage only, or one
   * heavy user's taste is taken for a drift. The same for `scores`.
   */
  readonly classes: Readonly<Record<string, number>>;
  /** Answers by score in K bins at stable's frozen deciles; [] without. */
  readonly scores: readonly number[];
  /** Answers by confidence in 256 equal bins over [0,1]; [] without. */
  readonly confidence: readonly number[];
  /** By gate name: keys' first answers with a confidence below the gate's mean. */
  readonly firstUnsure: Readonly<Record<string, number>>;
  /** Events by requests assigned at this slice's share, whenever they arrived; `firsts`: one a key and stage. */
  readonly kpis: Readonly<Record<string, KpiCount>>;
}

export interface KpiCount {
  readonly events: number;
  readonly firsts: number;
}

/** A stretch of at most 60 s inside one stage. */
export interface Slice {
  readonly stage: number;
  /** The slice's place in the whole rollout, from 0; grows over stages. (stage, index) names a slice. */
  readonly index: number;
  /** The canary's share of the compared requests, 0 < w <= 1; 1: there is nothing to compare with. */
  readonly w: number;
  readonly spanMs: number;
  readonly canary: Arm;
  readonly stable: Arm;
  /** Missing: none. Means nothing of an arm that has no request at all in the slice. */
  readonly passed?: Passed;
}

/** Requests of the other arm since the last one of this arm, at the end of a slice. */
export interface Passed {
  readonly canary: number;
  readonly stable: number;
}

/**
 * Events of requests that were assigned at a share of its own: in an earlier stage,
 * in a process that ended, at another replica. At most one for each share.
 */
export interface LateKpis {
  /** The canary's share then, as in Slice. */
  readonly w: number;
  readonly canary: Readonly<Record<string, KpiCount>>;
  readonly stable: Readonly<Record<string, KpiCount>>;
}

/** Mirrored requests by what the comparison of both answers said. */
export interface ShadowPairs {
  readonly agree: number;
  readonly disagree: number;
  /** Of those: the canary's answer was an error. */
  readonly refused: number;
  readonly incomparable: number;
}

export interface Evidence {
  /** Upper edges of the latency buckets in ms, ascending. */
  readonly edgesMs: readonly number[];
  /** Ordered by stage, then index. */
  readonly slices: readonly Slice[];
  /** Ordered by share. */
  readonly late: readonly LateKpis[];
  readonly shadow: ShadowPairs;
  /** Why these counts cannot be trusted: a collector's gap, a cap that was hit. Each is an ERROR, which holds. */
  readonly problems: readonly string[];
}

/** An arm in which nothing happened. */
export const EMPTY_ARM: Arm = Object.freeze({
  requests: 0,
  errors: 0,
  firstErrors: 0,
  keys: 0,
  latency: [],
  firstSlow: {},
  slowBursts: {},
  classes: {},
  scores: [],
  confidence: [],
  firstUnsure: {},
  kpis: {},
});

/** An arm with some counts, the rest zero. */
export function armOf(counts: Partial<Arm>): Arm {
  return { ...EMPTY_ARM, ...counts };
}

/** Evidence of nothing, over these bucket edges. */
export function emptyEvidence(edgesMs: readonly number[] = []): Evidence {
  return {
    edgesMs,
    slices: [],
    late: [],
    shadow: { agree: 0, disagree: 0, refused: 0, incomparable: 0 },
    problems: [],
  };
}

/**
 * The sum of two parts: commutative, associative, and it changes neither. Slices meet by (stage, index); a
 * slice only one part has is kept as the same object. Parts that disagree about a slice's share or about the
 * bucket edges cannot be added truthfully: the sum says so in `problems`.
 */
export function addEvidence(a: Evidence, b: Evidence): Evidence {
  const problems = new Set([...a.problems, ...b.problems]);
  const edgesMs = commonEdges(a, b, problems);
  const slices = mergeSlices(a.slices, b.slices, problems);
  return {
    edgesMs,
    slices,
    late: mergeLate(a.late, b.late),
    shadow: addPairs(a.shadow, b.shadow),
    problems: [...problems].sort(),
  };
}

export function addPairs(a: ShadowPairs, b: ShadowPairs): ShadowPairs {
  return {
    agree: a.agree + b.agree,
    disagree: a.disagree + b.disagree,
    refused: a.refused + b.refused,
    incomparable: a.incomparable + b.incomparable,
  };
}

/** The sum of two arms. */
export function addArms(a: Arm, b: Arm): Arm {
  if (a === EMPTY_ARM) return b;
  if (b === EMPTY_ARM) return a;
  return {
    requests: a.requests + b.requests,
    errors: a.errors + b.errors,
    firstErrors: a.firstErrors + b.firstErrors,
    keys: a.keys + b.keys,
    latency: addLists(a.latency, b.latency),
    firstSlow: addRecords(a.firstSlow, b.firstSlow, add),
    slowBursts: addRecords(a.slowBursts, b.slowBursts, addBursts),
    classes: addRecords(a.classes, b.classes, add),
    scores: addLists(a.scores, b.scores),
    confidence: addLists(a.confidence, b.confidence),
    firstUnsure: addRecords(a.firstUnsure, b.firstUnsure, add),
    kpis: addRecords(a.kpis, b.kpis, addKpis),
  };
}

function commonEdges(a: Evidence, b: Evidence, problems: Set<string>): readonly number[] {
  if (a.edgesMs.length === 0) return b.edgesMs;
  const same =
    b.edgesMs.length === 0 ||
    (a.edgesMs.length === b.edgesMs.length && a.edgesMs.every((edge, i) => edge === b.edgesMs[i]));
  if (!same) problems.add('parts of the evidence have different latency buckets');
  // Whichever order they come in, the same edges win.
  return same || a.edgesMs.join() <= b.edgesMs.join() ? a.edgesMs : b.edgesMs;
}

function mergeSlices(a: readonly Slice[], b: readonly Slice[], problems: Set<string>): readonly Slice[] {
  const [first] = b;
  if (first === undefined) return a;
  // What is added is nearly always about the newest slices.
  let i = a.length;
  while (i > 0 && compareSlices(a[i - 1]!, first) >= 0) i--;
  const merged = a.slice(0, i);
  let j = 0;
  while (i < a.length || j < b.length) {
    const left = a[i];
    const right = b[j];
    const order = left === undefined ? 1 : right === undefined ? -1 : compareSlices(left, right);
    if (order < 0) merged.push(a[i++]!);
    else if (order > 0) merged.push(b[j++]!);
    else merged.push(addSlices(a[i++]!, b[j++]!, problems));
  }
  return merged;
}

function mergeLate(a: readonly LateKpis[], b: readonly LateKpis[]): readonly LateKpis[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const merged = new Map(a.map((one) => [one.w, one]));
  for (const { w, canary, stable } of b) {
    const held = merged.get(w);
    merged.set(w, {
      w,
      canary: held === undefined ? canary : addRecords(held.canary, canary, addKpis),
      stable: held === undefined ? stable : addRecords(held.stable, stable, addKpis),
    });
  }
  return [...merged.values()].sort((one, other) => one.w - other.w);
}

function compareSlices(a: Slice, b: Slice): number {
  return a.stage - b.stage || a.index - b.index;
}

function addSlices(a: Slice, b: Slice, problems: Set<string>): Slice {
  if (a.w !== b.w) problems.add(`stage ${a.stage}: parts of the evidence have different shares`);
  return {
    stage: a.stage,
    index: a.index,
    w: Math.min(a.w, b.w),
    // Parts count the same stretch of time beside each other.
    spanMs: Math.max(a.spanMs, b.spanMs),
    canary: addArms(a.canary, b.canary),
    stable: addArms(a.stable, b.stable),
    ...(a.passed === undefined || b.passed === undefined ? {} : { passed: addPassed(a.passed, b.passed) }),
  };
}

/** Which part had the last request of an arm is not known, so the least that can have passed it by. */
function addPassed(a: Passed, b: Passed): Passed {
  return { canary: Math.min(a.canary, b.canary), stable: Math.min(a.stable, b.stable) };
}

function add(a: number, b: number): number {
  return a + b;
}

function addKpis(a: KpiCount, b: KpiCount): KpiCount {
  return { events: a.events + b.events, firsts: a.firsts + b.firsts };
}

function addBursts(a: BurstCount, b: BurstCount): BurstCount {
  return { events: a.events + b.events, bursts: a.bursts + b.bursts, wide: a.wide + b.wide };
}

function addLists(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const [long, short] = a.length >= b.length ? [a, b] : [b, a];
  return long.map((count, i) => count + (short[i] ?? 0));
}

function addRecords<T>(
  a: Readonly<Record<string, T>>,
  b: Readonly<Record<string, T>>,
  sum: (x: T, y: T) => T,
): Readonly<Record<string, T>> {
  // A map, because a class may be called `__proto__`.
  const total = new Map<string, T>(Object.entries(a));
  for (const [name, value] of Object.entries(b)) {
    const before = total.get(name);
    total.set(name, before === undefined ? value : sum(before, value));
  }
  return Object.fromEntries(total);
}
