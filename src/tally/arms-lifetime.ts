import {
  ARM_SCALARS,
  type ArmTally,
  BINS,
  MAX_CLASSES,
  OTHER_CLASS,
  PAIR,
  type PairTally,
} from '../core/arms.ts';
import type { Split } from '../core/model.ts';

/** What was counted for one version since it was first judged. */
export interface ArmTotals {
  readonly service: string;
  readonly version: string;
  /** By index into ARM_SCALARS. */
  readonly scalars: Float64Array;
  /** At most MAX_CLASSES; the last to find no room are in OTHER_CLASS. */
  readonly classes: ReadonlyMap<string, number>;
  /** 256 equal bins over [0, 1]. */
  readonly confidence: Float64Array;
}

/** What the answers of one version said, as far as people are shown it over time. */
export interface AnswerTotals {
  /** As in ArmTotals, but a class may be told under its own name now and in OTHER_CLASS later. */
  readonly classes: ReadonlyMap<string, number>;
  /** Answers that told how sure they are, and the sum of it. */
  readonly confident: number;
  readonly confidenceSum: number;
}

interface MutableAnswers extends AnswerTotals {
  readonly classes: Map<string, number>;
  confident: number;
  confidenceSum: number;
}

export interface PairTotals {
  readonly service: string;
  /** By index into PAIR. */
  readonly counts: Float64Array;
}

/** What one object counted, by what it was counted for; the object itself may be gone from the book. */
interface Account<Tally, Totals> {
  live: ReadonlySet<Tally>;
  readonly folded: Map<string, Totals>;
}

type Arms = () => readonly ArmTally[];
type Pairs = () => readonly PairTally[];

interface MutableTotals extends ArmTotals {
  readonly classes: Map<string, number>;
}

/**
 * The arm tallies added up over stages, for counters that must not fall: the book
 * forgets old stages, and what those counted is kept here. What is held is bounded
 * by the config: a version or service that leaves it is forgotten.
 */
export class ArmsLifetime {
  readonly #readArms: Arms;
  readonly #readPairs: Pairs;
  readonly #arms: Account<ArmTally, MutableTotals> = { live: new Set(), folded: new Map() };
  readonly #pairs: Account<PairTally, PairTotals> = { live: new Set(), folded: new Map() };

  constructor(arms: Arms, pairs: Pairs) {
    this.#readArms = arms;
    this.#readPairs = pairs;
  }

  /** After every swap, and after the book's own `retain`: no stage may come and go between two calls. */
  retain(split: Split): void {
    this.#look();
    const named = new Set(split.services.map(({ name }) => name));
    const arms = new Set(
      split.services.flatMap(({ name, versions }) =>
        versions.map((version) => armKey({ service: name, version: version.name })),
      ),
    );
    for (const key of this.#arms.folded.keys()) if (!arms.has(key)) this.#arms.folded.delete(key);
    for (const key of this.#pairs.folded.keys()) if (!named.has(key)) this.#pairs.folded.delete(key);
  }

  /** One item a version that was ever judged; of some services, or of all. */
  arms(services?: ReadonlySet<string>): readonly ArmTotals[] {
    this.#look();
    const sums = new Map<string, MutableTotals>();
    for (const [key, totals] of this.#arms.folded) {
      if (isAsked(services, totals)) sums.set(key, copyOf(totals));
    }
    for (const tally of this.#arms.live) if (isAsked(services, tally)) addArm(sums, tally);
    for (const [key, totals] of sums) this.#keepNames(key, totals);
    return [...sums.values()];
  }

  /** A class that was told keeps its series: whichever comes up later in an older stage must not take its room. */
  #keepNames(key: string, { classes, ...rest }: ArmTotals): void {
    const held = this.#arms.folded.get(key) ?? newTotals(rest);
    this.#arms.folded.set(key, held);
    for (const name of classes.keys()) if (!held.classes.has(name)) held.classes.set(name, 0);
  }

  /** By service and version; a part of `arms`, and cheap enough for every second. */
  answers(): ReadonlyMap<string, ReadonlyMap<string, AnswerTotals>> {
    this.#look();
    const sums = new Map<string, Map<string, MutableAnswers>>();
    for (const { service, version, classes, confidence } of this.#arms.folded.values()) {
      const sum = answersOf(sums, service, version);
      for (const [name, count] of classes) addClass(sum.classes, name, count);
      addConfidence(sum, confidence);
    }
    for (const tally of this.#arms.live) {
      const sum = answersOf(sums, tally.service, tally.version);
      addClasses(sum.classes, tally);
      addConfidence(sum, tally.allConfidence);
    }
    return sums;
  }

  /** One item a service; of some, or of all. */
  pairs(services?: ReadonlySet<string>): readonly PairTotals[] {
    this.#look();
    const sums = new Map<string, PairTotals>();
    for (const [key, { service, counts }] of this.#pairs.folded) {
      if (isAsked(services, { service })) sums.set(key, { service, counts: counts.slice() });
    }
    for (const tally of this.#pairs.live) if (isAsked(services, tally)) addPairs(sums, tally);
    return [...sums.values()];
  }

  /** An object that is no longer in the book is done, but for what was in flight when its stage was forgotten. */
  #look(): void {
    settle(this.#arms, this.#readArms(), addArm);
    settle(this.#pairs, this.#readPairs(), addPairs);
  }
}

function isAsked(
  services: ReadonlySet<string> | undefined,
  { service }: { readonly service: string },
): boolean {
  return services === undefined || services.has(service);
}

function settle<Tally, Totals>(
  account: Account<Tally, Totals>,
  tallies: readonly Tally[],
  add: (sums: Map<string, Totals>, tally: Tally) => void,
): void {
  const live = new Set(tallies);
  for (const tally of account.live) if (!live.has(tally)) add(account.folded, tally);
  account.live = live;
}

function addArm(sums: Map<string, MutableTotals>, tally: ArmTally): void {
  const key = armKey(tally);
  const totals = sums.get(key) ?? newTotals(tally);
  sums.set(key, totals);
  addAll(totals.scalars, tally.scalars);
  addAll(totals.confidence, tally.allConfidence);
  addClasses(totals.classes, tally);
}

function addClasses(classes: Map<string, number>, { classNames, allClasses }: ArmTally): void {
  for (let i = 0; i < classNames.length; i++) addClass(classes, classNames[i] as string, allClasses[i] ?? 0);
  addClass(classes, OTHER_CLASS, allClasses[MAX_CLASSES - 1] ?? 0);
}

function answersOf(
  sums: Map<string, Map<string, MutableAnswers>>,
  service: string,
  version: string,
): MutableAnswers {
  const versions = sums.get(service) ?? new Map<string, MutableAnswers>();
  sums.set(service, versions);
  const held = versions.get(version) ?? { classes: new Map(), confident: 0, confidenceSum: 0 };
  versions.set(version, held);
  return held;
}

/** Each bin stands for its middle. */
function addConfidence(sum: MutableAnswers, bins: Float64Array): void {
  for (let bin = 0; bin < bins.length; bin++) {
    const count = bins[bin] as number;
    sum.confident += count;
    sum.confidenceSum += count * ((bin + 0.5) / bins.length);
  }
}

function addClass(classes: Map<string, number>, name: string, count: number): void {
  if (count === 0) return;
  // Room for OTHER_CLASS is kept free.
  const own = classes.size - (classes.has(OTHER_CLASS) ? 1 : 0) < MAX_CLASSES - 1;
  const key = classes.has(name) || own ? name : OTHER_CLASS;
  classes.set(key, (classes.get(key) ?? 0) + count);
}

function addPairs(sums: Map<string, PairTotals>, { service, counts }: PairTally): void {
  const totals = sums.get(service) ?? { service, counts: new Float64Array(Object.keys(PAIR).length) };
  sums.set(service, totals);
  addAll(totals.counts, counts);
}

function newTotals({ service, version }: Pick<ArmTally, 'service' | 'version'>): MutableTotals {
  return {
    service,
    version,
    scalars: new Float64Array(ARM_SCALARS.length),
    classes: new Map(),
    confidence: new Float64Array(BINS),
  };
}

function copyOf({ service, version, scalars, classes, confidence }: MutableTotals): MutableTotals {
  return {
    service,
    version,
    scalars: scalars.slice(),
    classes: new Map(classes),
    confidence: confidence.slice(),
  };
}

function armKey({ service, version }: { readonly service: string; readonly version: string }): string {
  return JSON.stringify([service, version]);
}

function addAll(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < from.length; i++) into[i]! += from[i] as number;
}
