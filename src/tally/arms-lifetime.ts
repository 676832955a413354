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
import type { ArmBook } from './arms.ts';

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

/** What the objects of one service counted; an object itself may be gone from the book. */
interface Account<Tally, Totals> {
  live: readonly Tally[];
  /** By version; those of pairs under one name. */
  readonly folded: Map<string, Totals>;
}

/** By service. */
type Accounts<Tally, Totals> = Map<string, Account<Tally, Totals>>;

interface MutableTotals extends ArmTotals {
  readonly classes: Map<string, number>;
}

/**
 * The arm tallies added up over stages, for counters that must not fall: the book
 * forgets old stages, and what those counted is kept here. What is held is bounded
 * by the config: a version or service that leaves it is forgotten.
 */
export class ArmsLifetime {
  readonly #book: Pick<ArmBook, 'arms' | 'armsOf' | 'pairs' | 'pairsOf'>;
  readonly #arms: Accounts<ArmTally, MutableTotals> = new Map();
  readonly #pairs: Accounts<PairTally, PairTotals> = new Map();

  constructor(book: Pick<ArmBook, 'arms' | 'armsOf' | 'pairs' | 'pairsOf'>) {
    this.#book = book;
  }

  /** After every swap, and after the book's own `retain`: no stage may come and go between two calls. */
  retain(split: Split): void {
    this.#look();
    const named = new Map(split.services.map((service) => [service.name, service]));
    for (const name of this.#pairs.keys()) if (!named.has(name)) this.#pairs.delete(name);
    for (const [name, { folded }] of this.#arms) {
      const service = named.get(name);
      if (service === undefined) this.#arms.delete(name);
      const versions = new Set(service?.versions.map((version) => version.name));
      for (const version of folded.keys()) if (!versions.has(version)) folded.delete(version);
    }
  }

  /** One item a version that was ever judged; of some services, or of all. */
  arms(services?: ReadonlySet<string>): readonly ArmTotals[] {
    this.#look(services);
    return [...(services ?? this.#arms.keys())].flatMap((name) => this.#armsOf(name));
  }

  #armsOf(name: string): readonly ArmTotals[] {
    const account = this.#arms.get(name);
    if (account === undefined) return [];
    const { folded, live } = account;
    const sums = new Map<string, MutableTotals>();
    for (const [version, totals] of folded) sums.set(version, copyOf(totals));
    for (const tally of live) addArm(sums, tally);
    for (const totals of sums.values()) keepNames(folded, totals);
    return [...sums.values()];
  }

  /** By service and version; a part of `arms`, and cheap enough for every second. */
  answers(): ReadonlyMap<string, ReadonlyMap<string, AnswerTotals>> {
    this.#look();
    const sums = new Map<string, Map<string, MutableAnswers>>();
    for (const { folded, live } of this.#arms.values()) {
      for (const { service, version, classes, confidence } of folded.values()) {
        const sum = answersOf(sums, service, version);
        for (const [name, count] of classes) addClass(sum.classes, name, count);
        addConfidence(sum, confidence);
      }
      for (const tally of live) {
        const sum = answersOf(sums, tally.service, tally.version);
        addClasses(sum.classes, tally);
        addConfidence(sum, tally.allConfidence);
      }
    }
    return sums;
  }

  /** One item a service; of some, or of all. */
  pairs(services?: ReadonlySet<string>): readonly PairTotals[] {
    this.#look(services);
    return [...(services ?? this.#pairs.keys())].flatMap((name) => {
      const sums = new Map<string, PairTotals>();
      const { folded, live } = this.#pairs.get(name) ?? { folded: sums, live: [] };
      for (const [key, { service, counts }] of folded) sums.set(key, { service, counts: counts.slice() });
      for (const tally of live) addPairs(sums, tally);
      return [...sums.values()];
    });
  }

  /** Those of some services, or of all: a scrape asks for a few at a time. */
  #look(services?: ReadonlySet<string>): void {
    const book = this.#book;
    if (services !== undefined) {
      for (const name of services) {
        settle(this.#arms, name, book.armsOf(name), addArm);
        settle(this.#pairs, name, book.pairsOf(name), addPairs);
      }
      return;
    }
    settleAll(this.#arms, book.arms(), addArm);
    settleAll(this.#pairs, book.pairs(), addPairs);
  }
}

function settleAll<Tally extends { readonly service: string }, Totals>(
  accounts: Accounts<Tally, Totals>,
  tallies: readonly Tally[],
  add: (sums: Map<string, Totals>, tally: Tally) => void,
): void {
  const byService = new Map<string, Tally[]>();
  for (const tally of tallies) {
    const own = byService.get(tally.service);
    if (own === undefined) byService.set(tally.service, [tally]);
    else own.push(tally);
  }
  for (const name of new Set([...accounts.keys(), ...byService.keys()])) {
    settle(accounts, name, byService.get(name) ?? [], add);
  }
}

/** An object that is no longer in the book is done, but for what was in flight when its stage was forgotten. */
function settle<Tally, Totals>(
  accounts: Accounts<Tally, Totals>,
  name: string,
  tallies: readonly Tally[],
  add: (sums: Map<string, Totals>, tally: Tally) => void,
): void {
  const account = accounts.get(name);
  if (account === undefined) {
    if (tallies.length > 0) accounts.set(name, { live: tallies, folded: new Map() });
    return;
  }
  for (const tally of account.live) if (!tallies.includes(tally)) add(account.folded, tally);
  account.live = tallies;
}

/** A class that was told keeps its series: whichever comes up later in an older stage must not take its room. */
function keepNames(folded: Map<string, MutableTotals>, { classes, ...rest }: ArmTotals): void {
  const held = folded.get(rest.version) ?? newTotals(rest);
  folded.set(rest.version, held);
  for (const name of classes.keys()) if (!held.classes.has(name)) held.classes.set(name, 0);
}

function addArm(sums: Map<string, MutableTotals>, tally: ArmTally): void {
  const totals = sums.get(tally.version) ?? newTotals(tally);
  sums.set(tally.version, totals);
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

function addAll(into: Float64Array, from: Float64Array): void {
  for (let i = 0; i < from.length; i++) into[i]! += from[i] as number;
}
