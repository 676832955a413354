import {
  ARM,
  ARM_SCALARS,
  type ArmTally,
  BINS,
  type Judged,
  MAX_CLASSES,
  OTHER_CLASS,
  PAIR,
  type PairTally,
} from '../core/arms.ts';
import type { Service, Split } from '../core/model.ts';
import type { Observation } from '../core/observe/spec.ts';
import { bucketOf } from '../core/tally.ts';
import { KeySet, SeenKeys } from './key-set.ts';

/** Users remembered by what they were first to do, per stage. */
const MAX_FIRSTS = 100_000;
/** Stages of a service kept apart; answers of an older one are no longer waited for. */
const KEPT_STAGES = 4;

/**
 * Who has been seen in a stage, over all its versions: what is turned away when a
 * set is full is so for each of them, and they stay comparable.
 */
export interface StageKeys {
  readonly seen: SeenKeys;
  readonly failed: KeySet;
  /** Those of whom an answer has been read. */
  readonly read: SeenKeys;
  /** By index into Judged.slow and Judged.unsure. */
  readonly slow: readonly KeySet[];
  readonly unsure: readonly KeySet[];
}

/** What the data path counts in for one service in one stage. */
export interface OpenArms {
  readonly judged: Judged;
  readonly edgesMs: Float64Array;
  /** By version index. */
  readonly tallies: readonly ArmTally[];
  readonly pairs: PairTally;
  readonly keys: StageKeys;
}

/**
 * Counts a first attempt that ended.
 *
 * @param keyHash 32 bits of the sticky key's hash, or -1 for a request without a key
 * @param failed a 5xx or a time-out
 */
export function countOutcome(
  open: OpenArms,
  version: number,
  keyHash: number,
  failed: boolean,
  durationMs: number,
): void {
  const tally = open.tallies[version] as ArmTally;
  const { scalars } = tally;
  const { seen, failed: failedKeys, slow: slowKeys } = open.keys;
  const duration = Math.max(durationMs, 0) || 0;
  scalars[ARM.requests]!++;
  tally.latency[bucketOf(open.edgesMs, duration)]!++;
  if (keyHash < 0 || seen.add(keyHash)) scalars[ARM.keys]!++;
  if (failed) {
    scalars[ARM.errors]!++;
    if (keyHash < 0 || failedKeys.add(keyHash)) scalars[ARM.firstErrors]!++;
  }
  const { slow } = open.judged;
  for (let i = 0; i < slow.length; i++) {
    if (duration <= (slow[i] as Judged['slow'][number]).thresholdMs) continue;
    if (keyHash < 0 || (slowKeys[i] as KeySet).add(keyHash)) tally.firstSlow[i]!++;
  }
}

/**
 * Counts what one answer said; of a batch each item, but its confidence against
 * the gates as their mean. For the judge a key's first answer of the stage counts:
 * one user who asks a thousand times would look like a shift of the model.
 */
export function countObservations(
  open: OpenArms,
  version: number,
  keyHash: number,
  observations: readonly Observation[],
): void {
  const tally = open.tallies[version] as ArmTally;
  const [low, high] = open.judged.observe?.scoreRange ?? UNIT;
  const isFirst = keyHash < 0 || open.keys.read.add(keyHash);
  let confident = 0;
  let sum = 0;
  for (const { class: name, confidence, score } of observations) {
    if (name !== null) {
      const slot = classSlot(tally.classNames, name);
      tally.allClasses[slot]!++;
      if (isFirst) tally.classCounts[slot]!++;
    }
    if (isFirst && score !== null && Number.isFinite(score)) tally.scores[binOf(score, low, high)]!++;
    if (confidence === null || !Number.isFinite(confidence)) continue;
    const bin = binOf(confidence, 0, 1);
    tally.allConfidence[bin]!++;
    if (isFirst) tally.confidence[bin]!++;
    confident++;
    sum += confidence;
  }
  if (confident > 0) countUnsure(open, tally, keyHash, sum / confident);
}

const UNIT: readonly [number, number] = [0, 1];

function countUnsure(open: OpenArms, tally: ArmTally, keyHash: number, confidence: number): void {
  const { unsure } = open.judged;
  for (let i = 0; i < unsure.length; i++) {
    if (confidence >= (unsure[i] as Judged['unsure'][number]).below) continue;
    if (keyHash < 0 || (open.keys.unsure[i] as KeySet).add(keyHash)) tally.firstUnsure[i]!++;
  }
}

/** `scalar` is one of ARM. */
export function countArm(open: OpenArms, version: number, scalar: number): void {
  (open.tallies[version] as ArmTally).scalars[scalar]!++;
}

/** `pair` is one of PAIR. */
export function countPair(open: OpenArms, pair: number): void {
  open.pairs.counts[pair]!++;
}

function classSlot(names: string[], name: string): number {
  // A model's own class of that name would be told apart from the rest under one name.
  if (name === OTHER_CLASS) return MAX_CLASSES - 1;
  const held = names.indexOf(name);
  if (held >= 0) return held;
  return names.length < MAX_CLASSES - 1 ? names.push(name) - 1 : MAX_CLASSES - 1;
}

function binOf(value: number, low: number, high: number): number {
  const bin = Math.floor(((value - low) / (high - low)) * BINS);
  return Math.min(Math.max(bin, 0), BINS - 1) || 0;
}

/** One stage of one service. */
interface StageBook {
  readonly stage: number;
  /** What the counters' slots mean: a text that is equal where they mean the same. */
  readonly shape: string;
  readonly judged: Judged;
  readonly edgesMs: Float64Array;
  readonly byVersion: Map<string, ArmTally>;
  /**
   * Of all versions: where each had names of its own, the ones to find no room would be others
   * on each, and the same model would look like another one.
   */
  readonly classNames: string[];
  readonly pairs: PairTally;
  readonly keys: StageKeys;
}

/** Hands out what the data path counts for the judge, and lets it be read; the newest stages of what the Split names. */
export class ArmBook {
  /** Stages in the order in which they were last opened. */
  readonly #services = new Map<string, StageBook[]>();

  /** The same service, stage and version give the same objects; null where nothing is judged. */
  open(service: Service): OpenArms | null {
    const { judged, name, stage } = service;
    if (judged === null) return null;
    const shape = shapeOf(service, judged);
    const stages = this.#services.get(name) ?? [];
    this.#services.set(name, stages);
    const held = stages.findIndex((each) => each.stage === stage && each.shape === shape);
    const book = held < 0 ? newBook(service, judged, shape) : (stages.splice(held, 1)[0] as StageBook);
    stages.push(book);
    const { edgesMs, pairs, keys } = book;
    return {
      judged,
      edgesMs,
      tallies: service.versions.map((v) => armOf(book, name, v.name, judged)),
      pairs,
      keys,
    };
  }

  /** After a swap: forgets what the Split no longer names or judges, and old stages. */
  retain(split: Split): void {
    const services = new Map(split.services.map((service) => [service.name, service]));
    for (const [name, stages] of this.#services) {
      const service = services.get(name);
      if (service === undefined || service.judged === null) {
        this.#services.delete(name);
        continue;
      }
      const current = stages.findLast(({ stage }) => stage === service.stage);
      const kept = stages.filter((book) => book.stage !== service.stage || book === current);
      stages.splice(0, stages.length, ...kept.slice(-KEPT_STAGES));
      const versions = new Set(service.versions.map((version) => version.name));
      for (const { byVersion } of stages) {
        for (const version of byVersion.keys()) if (!versions.has(version)) byVersion.delete(version);
      }
    }
  }

  /** Of every stage that is kept, oldest first within a service. */
  arms(): readonly ArmTally[] {
    return [...this.#services.keys()].flatMap((service) => this.armsOf(service));
  }

  armsOf(service: string): readonly ArmTally[] {
    const arms: ArmTally[] = [];
    for (const { byVersion } of this.#services.get(service) ?? []) {
      for (const arm of byVersion.values()) arms.push(arm);
    }
    return arms;
  }

  pairs(): readonly PairTally[] {
    return [...this.#services.keys()].flatMap((service) => this.pairsOf(service));
  }

  pairsOf(service: string): readonly PairTally[] {
    return (this.#services.get(service) ?? []).map(({ pairs }) => pairs);
  }

  /**
   * Which memories of users are full, in words. From then on nobody is counted as a
   * first of that kind in that stage, on no version: less is learned, nothing is skewed.
   */
  capped(): readonly string[] {
    return [...this.#services].flatMap(([name, stages]) =>
      stages.flatMap(({ stage, judged, keys }) =>
        fullIn(keys, judged).map((what) => `${name} stage ${stage}: ${what}`),
      ),
    );
  }
}

function shapeOf({ latencyEdgesMs: edgesMs }: Service, { slow, unsure, observe }: Judged): string {
  return JSON.stringify([edgesMs, slow, unsure, observe?.scoreRange ?? UNIT]);
}

function newBook({ name, stage, latencyEdgesMs }: Service, judged: Judged, shape: string): StageBook {
  const { slow, unsure } = judged;
  return {
    stage,
    shape,
    judged,
    edgesMs: Float64Array.from(latencyEdgesMs),
    byVersion: new Map(),
    classNames: [],
    pairs: { service: name, stage, counts: new Float64Array(Object.keys(PAIR).length) },
    keys: {
      seen: new SeenKeys(),
      failed: new KeySet(MAX_FIRSTS),
      read: new SeenKeys(),
      slow: slow.map(() => new KeySet(MAX_FIRSTS)),
      unsure: unsure.map(() => new KeySet(MAX_FIRSTS)),
    },
  };
}

function armOf(book: StageBook, service: string, version: string, { slow, unsure }: Judged): ArmTally {
  const held = book.byVersion.get(version);
  if (held !== undefined) return held;
  const tally: ArmTally = {
    service,
    stage: book.stage,
    version,
    scalars: new Float64Array(ARM_SCALARS.length),
    latency: new Float64Array(book.edgesMs.length + 1),
    firstSlow: new Float64Array(slow.length),
    firstUnsure: new Float64Array(unsure.length),
    classNames: book.classNames,
    classCounts: new Float64Array(MAX_CLASSES),
    allClasses: new Float64Array(MAX_CLASSES),
    allConfidence: new Float64Array(BINS),
    scores: new Float64Array(BINS),
    confidence: new Float64Array(BINS),
  };
  book.byVersion.set(version, tally);
  return tally;
}

function fullIn({ seen, failed, slow, unsure }: StageKeys, gates: Judged): readonly string[] {
  const isAny = seen.full || failed.full || slow.some(isFull) || unsure.some(isFull);
  // Asked every second, and nearly always so.
  if (!isAny) return NOTHING;
  return [
    ...(seen.full ? ['more users than can be told apart'] : []),
    ...(failed.full ? [`more than ${MAX_FIRSTS} users with a failure`] : []),
    ...slow.flatMap((keys, i) => (keys.full ? [tooMany('slow', gates.slow[i])] : [])),
    ...unsure.flatMap((keys, i) => (keys.full ? [tooMany('unsure', gates.unsure[i])] : [])),
  ];
}

const NOTHING: readonly string[] = [];

function isFull({ full }: KeySet): boolean {
  return full;
}

function tooMany(what: string, gate: { readonly gate: string } | undefined): string {
  return `more than ${MAX_FIRSTS} users with a ${what} answer for ${gate?.gate}`;
}
