import type { BurstCount } from '../../src/core/judge/bursts.ts';
import type { Arm, Evidence, KpiCount, Slice } from '../../src/core/judge/evidence.ts';
import { SlowWatch } from './bursts.ts';
import { Law, type Random } from './random.ts';

/** One stream of requests to both versions, second by second, as the counts that every rule gets. */

/** Upper edges of the latency buckets in ms. 200: the gate's threshold; 178: 1.25 × stable's p99. */
export const EDGES_MS = [25, 50, 75, 100, 142, 178, 200, 250, 400, 800] as const;
const FROZEN_EDGE = EDGES_MS.indexOf(178);
const LIMIT_EDGE = EDGES_MS.indexOf(200);

export const CONFIDENCE_BINS = 256;
/** Confidences come at every eighth bin: a coarse law, so that a second is drawn quickly. */
const CONFIDENCE_STRIDE = 8;
const CONFIDENCE_LEVELS = CONFIDENCE_BINS / CONFIDENCE_STRIDE;
export const CONFIDENCE_MEAN = 0.7;
const CLASS_NAMES = ['a', 'b', 'c', 'd', 'e'] as const;

/** What is measured beside failures. Each costs time to draw. */
export interface Watched {
  readonly latency: boolean;
  readonly classes: boolean;
  readonly confidence: boolean;
  readonly clicks: boolean;
}

/** How a version answers. */
export interface Behaviour {
  /** Share of 5xx and time-outs. */
  readonly errorRate: number;
  readonly latency: Law;
  readonly classes: Law;
  readonly confidence: Law;
  readonly clickRate: number;
}

/** One arm's counts, growing. The judge gets copies (`freeze`). */
export interface ArmCounts extends Arm {
  requests: number;
  errors: number;
  firstErrors: number;
  keys: number;
  latency: number[];
  slowBursts: Readonly<Record<string, BurstCount>>;
  classes: Record<string, number>;
  confidence: number[];
  clicks: number;
}

/** A minute of one stage, growing. */
export interface Minute extends Slice {
  spanMs: number;
  readonly canary: ArmCounts;
  readonly stable: ArmCounts;
}

/**
 * Where requests come from: `stage` begins a stage, `advance` adds some seconds of it, within one minute. Nothing
 * changes within a minute, so a minute at once has the same law as its seconds one by one, and is much faster.
 */
export interface Traffic {
  stage(w: number): void;
  advance(atS: number, seconds: number, into: Minute): void;
}

export function emptyMinute(stage: number, index: number, w: number, watched: Watched): Minute {
  return { stage, index, w, spanMs: 0, canary: emptyCounts(watched), stable: emptyCounts(watched) };
}

function emptyCounts(watched: Watched): ArmCounts {
  return {
    requests: 0,
    errors: 0,
    firstErrors: 0,
    keys: 0,
    latency: watched.latency ? EDGES_MS.map(() => 0).concat(0) : [],
    firstSlow: {},
    slowBursts: {},
    classes: watched.classes ? Object.fromEntries(CLASS_NAMES.map((name) => [name, 0])) : {},
    scores: [],
    confidence: watched.confidence ? new Array<number>(CONFIDENCE_BINS).fill(0) : [],
    firstUnsure: {},
    kpis: {},
    clicks: 0,
  };
}

/** The judge's own copy: what it has seen must not change under its memo. */
export function freeze({ stage, index, w, spanMs, canary, stable }: Minute): Slice {
  return { stage, index, w, spanMs, canary: freezeArm(canary), stable: freezeArm(stable) };
}

function freezeArm(arm: ArmCounts): Arm {
  const { clicks, ...counts } = arm;
  const kpis: Record<string, KpiCount> = { click: { events: clicks, firsts: clicks } };
  return {
    ...counts,
    latency: counts.latency.slice(),
    classes: { ...counts.classes },
    confidence: counts.confidence.slice(),
    firstSlow:
      counts.latency.length > 0 ? { latency: slower(arm), 'latency/frozen': slowerThanFrozen(arm) } : {},
    firstUnsure: counts.confidence.length > 0 ? { confidence: unsure(arm) } : {},
    kpis,
  };
}

export function evidenceOf(slices: readonly Slice[]): Evidence {
  return {
    edgesMs: EDGES_MS,
    slices,
    shadow: { agree: 0, disagree: 0, refused: 0, incomparable: 0 },
    late: [],
    problems: [],
  };
}

/** Answers above the latency gate's threshold. */
export function slower(arm: ArmCounts): number {
  return sumFrom(arm.latency, LIMIT_EDGE + 1);
}

export function slowerThanFrozen(arm: ArmCounts): number {
  return sumFrom(arm.latency, FROZEN_EDGE + 1);
}

function sumFrom(counts: readonly number[], from: number): number {
  let sum = 0;
  for (let i = from; i < counts.length; i++) sum += counts[i] as number;
  return sum;
}

/** Answers whose confidence is below the gate's mean. */
export function unsure(arm: ArmCounts): number {
  let sum = 0;
  for (let i = 0; confidenceAt(i) < CONFIDENCE_MEAN; i++) sum += arm.confidence[i] ?? 0;
  return sum;
}

export function confidenceAt(bin: number): number {
  return (bin + 0.5) / CONFIDENCE_BINS;
}

/** Requests without keys: Poisson arrivals a second, each to the canary with probability w. */
export class PlainTraffic implements Traffic {
  readonly #random: Random;
  readonly #watched: Watched;
  readonly #ratePerS: number;
  readonly #behaviourAt: (atS: number) => { canary: Behaviour; stable: Behaviour };
  readonly #slow: SlowWatch | null;
  #w = 0;

  constructor(
    random: Random,
    watched: Watched,
    ratePerS: number,
    behaviourAt: (atS: number) => { canary: Behaviour; stable: Behaviour },
  ) {
    this.#random = random;
    this.#watched = watched;
    this.#ratePerS = ratePerS;
    this.#behaviourAt = behaviourAt;
    this.#slow = watched.latency ? new SlowWatch() : null;
  }

  stage(w: number): void {
    this.#w = w;
    this.#slow?.stage();
  }

  advance(atS: number, seconds: number, into: Minute): void {
    const { canary, stable } = this.#behaviourAt(atS);
    const all = this.#random.poisson(this.#ratePerS * seconds);
    const toCanary = this.#random.binomial(all, this.#w);
    into.spanMs += seconds * 1000;
    this.#answer(toCanary, canary, into.canary);
    this.#answer(all - toCanary, stable, into.stable);
    this.#slow?.look(atS + seconds, into);
  }

  #answer(requests: number, how: Behaviour, arm: ArmCounts): void {
    if (requests === 0) return;
    const errors = this.#random.binomial(requests, how.errorRate);
    arm.requests += requests;
    arm.keys += requests;
    arm.errors += errors;
    arm.firstErrors += errors;
    if (this.#watched.latency) how.latency.scatter(this.#random, requests, arm.latency);
    // Only a good answer has content.
    const answered = requests - errors;
    if (this.#watched.clicks) arm.clicks += this.#random.binomial(answered, how.clickRate);
    if (this.#watched.confidence) this.#trust(answered, how.confidence, arm.confidence);
    if (this.#watched.classes) this.#classify(answered, how.classes, arm.classes);
  }

  #trust(answered: number, law: Law, bins: number[]): void {
    const counts = new Array<number>(CONFIDENCE_LEVELS).fill(0);
    law.scatter(this.#random, answered, counts);
    counts.forEach((count, level) => {
      const bin = binOf(level);
      bins[bin] = (bins[bin] as number) + count;
    });
  }

  #classify(answered: number, law: Law, classes: Record<string, number>): void {
    const counts = CLASS_NAMES.map(() => 0);
    law.scatter(this.#random, answered, counts);
    CLASS_NAMES.forEach((name, i) => {
      classes[name] = (classes[name] as number) + (counts[i] as number);
    });
  }
}

/** Buckets of a log-normal latency. */
export function logNormalLatency(medianMs: number, sigma: number): Law {
  const below = EDGES_MS.map((edge) => normalCdf(Math.log(edge / medianMs) / sigma));
  return new Law([...below, 1].map((p, i) => p - (below[i - 1] ?? 0)));
}

function binOf(level: number): number {
  return level * CONFIDENCE_STRIDE + CONFIDENCE_STRIDE / 2;
}

/** A beta law over the levels of confidence, by its density at the middles of their bins. */
export function betaConfidence(mean: number, concentration: number): Law {
  const [a, b] = [mean * concentration, (1 - mean) * concentration];
  return new Law(
    Array.from({ length: CONFIDENCE_LEVELS }, (_, level) => {
      const x = confidenceAt(binOf(level));
      return Math.exp((a - 1) * Math.log(x) + (b - 1) * Math.log1p(-x));
    }),
  );
}

/** By integration of the density (Simpson): exact to 1e-8. */
export function normalCdf(z: number): number {
  if (z < -8) return 0;
  if (z > 8) return 1;
  const steps = 2 * Math.ceil(20 * Math.abs(z) + 2);
  const h = z / steps;
  let sum = 0;
  for (let i = 0; i <= steps; i++) {
    const weight = i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2;
    sum += weight * Math.exp(-((i * h) ** 2) / 2);
  }
  return 0.5 + (sum * h) / 3 / Math.sqrt(2 * Math.PI);
}
