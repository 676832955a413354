import type { TimelinePoint, TimelineVersion, TimelineView } from '../live-views.ts';
import { Column } from './column.ts';
import { Gain } from './gain.ts';

/** How far each tier reaches and how many steps of the finest are one of its own. */
export const TIERS = {
  '1s': { length: 900, every: 1, chunk: 60 },
  '15s': { length: 5_760, every: 15, chunk: 240 },
} as const;
export type TierName = keyof typeof TIERS;

/** Class names with a column of their own; a service's versions share them, so that they can be laid side by side. */
export const MAX_CLASSES = 8;
const OTHER = 'other';

const MEASURES = ['weight', 'ratePerS', 'errorShare', 'p50Ms', 'p99Ms', 'confidence'] as const;
type Measure = (typeof MEASURES)[number];

/** Decimals that are told: what is finer is noise, and makes answers long. */
const DECIMALS: Readonly<Record<Measure, number>> = {
  weight: 2,
  ratePerS: 2,
  errorShare: 5,
  p50Ms: 2,
  p99Ms: 2,
  confidence: 4,
};

/** How many mirrored requests were compared, and with what result. */
export interface PairGain {
  readonly agree: number;
  readonly disagree: number;
}

/** One service over time. Steps are those of a StepClock, and rise from call to call. */
export class ServiceSeries {
  /** The step in which it began. */
  readonly first: number;
  readonly #classes: string[] = [];
  readonly #versions = new Map<string, VersionSeries>();
  readonly #pairs: Readonly<Record<TierName, PairColumns>>;
  #pairSum: { step: number; gain: PairGain } | null = null;

  constructor(first: number) {
    this.first = first;
    this.#pairs = { '1s': pairColumns('1s'), '15s': pairColumns('15s') };
  }

  get versions(): ReadonlyMap<string, VersionSeries> {
    return this.#versions;
  }

  forget(version: string): void {
    this.#versions.delete(version);
  }

  /** What a version was sent in the step, and its weight (percent) at the end of it. */
  add(version: string, step: number, gain: Gain, weight: number): void {
    const series = this.#versions.get(version) ?? new VersionSeries();
    this.#versions.set(version, series);
    for (const name of gain.classes?.keys() ?? []) this.#noteClass(name);
    series.add(step, gain, weight, this.#classes);
  }

  addPairs(step: number, gain: PairGain): void {
    setPairs(this.#pairs['1s'], step, gain);
    const { every } = TIERS['15s'];
    const wide = Math.floor(step / every);
    if (this.#pairSum !== null && this.#pairSum.step !== wide) this.#closePairs();
    const sum = this.#pairSum?.gain ?? { agree: 0, disagree: 0 };
    this.#pairSum = {
      step: wide,
      gain: { agree: sum.agree + gain.agree, disagree: sum.disagree + gain.disagree },
    };
    if (step % every === every - 1) this.#closePairs();
  }

  /** Columns from step `from` to `to` of the tier; those of `names` first, then others of which something is known. */
  columns(
    tier: TierName,
    from: number,
    to: number,
    names: readonly string[],
  ): Pick<TimelineView, 'versions' | 'pairs'> {
    const former = [...this.#versions].filter(
      ([name, series]) => !names.includes(name) && series.last(tier) >= from,
    );
    const { agree, disagree } = this.#pairs[tier];
    return {
      versions: [...names, ...former.map(([name]) => name)].map((name) =>
        (this.#versions.get(name) ?? NO_SERIES).columns(name, tier, from, to, this.#classes),
      ),
      pairs: { agree: read(agree, from, to, 0), disagree: read(disagree, from, to, 0) },
    };
  }

  /** The finest tier's step alone. */
  point(step: number, names: readonly string[]): Pick<TimelinePoint, 'versions' | 'pairs'> {
    const { agree, disagree } = this.#pairs['1s'];
    return {
      versions: names.map((name) => (this.#versions.get(name) ?? NO_SERIES).point(name, step, this.#classes)),
      pairs: { agree: toldOf(agree.at(step), 0), disagree: toldOf(disagree.at(step), 0) },
    };
  }

  #noteClass(name: string): void {
    if (name === OTHER || this.#classes.length >= MAX_CLASSES || this.#classes.includes(name)) return;
    this.#classes.push(name);
  }

  #closePairs(): void {
    if (this.#pairSum !== null) setPairs(this.#pairs['15s'], this.#pairSum.step, this.#pairSum.gain);
    this.#pairSum = null;
  }
}

/** One version of a service over time. */
class VersionSeries {
  readonly #tiers: Readonly<Record<TierName, TierColumns>>;
  /** What was counted so far in the wide step under way. */
  #sum: { step: number; gain: Gain; weight: number } | null = null;

  constructor() {
    this.#tiers = { '1s': new TierColumns('1s'), '15s': new TierColumns('15s') };
  }

  last(tier: TierName): number {
    return this.#tiers[tier].last;
  }

  add(step: number, gain: Gain, weight: number, classes: readonly string[]): void {
    this.#tiers['1s'].set(step, gain, weight, classes);
    const { every } = TIERS['15s'];
    const wide = Math.floor(step / every);
    if (this.#sum !== null && this.#sum.step !== wide) this.#close(classes);
    this.#sum ??= { step: wide, gain: new Gain(), weight };
    this.#sum.gain.add(gain);
    this.#sum.weight = weight;
    if (step % every === every - 1) this.#close(classes);
  }

  columns(
    name: string,
    tier: TierName,
    from: number,
    to: number,
    classes: readonly string[],
  ): TimelineVersion {
    return this.#tiers[tier].columns(name, from, to, classes);
  }

  point(name: string, step: number, classes: readonly string[]): TimelinePoint['versions'][number] {
    return this.#tiers['1s'].point(name, step, classes);
  }

  #close(classes: readonly string[]): void {
    if (this.#sum === null) return;
    const { step, gain, weight } = this.#sum;
    this.#tiers['15s'].set(step, gain, weight, classes);
    this.#sum = null;
  }
}

class TierColumns {
  readonly #tier: TierName;
  readonly #measures: Readonly<Record<Measure, Column>>;
  /** By class name; of the service's classes those that this version has ever answered with. */
  readonly #classes = new Map<string, Column>();

  constructor(tier: TierName) {
    this.#tier = tier;
    const columns = MEASURES.map((measure) => [measure, newColumn(tier)] as const);
    this.#measures = Object.fromEntries(columns) as Record<Measure, Column>;
  }

  get last(): number {
    return this.#measures.weight.last;
  }

  set(step: number, gain: Gain, weight: number, classes: readonly string[]): void {
    const { weight: weights, ratePerS, errorShare, p50Ms, p99Ms, confidence } = this.#measures;
    weights.set(step, weight);
    ratePerS.set(step, gain.ratePerS);
    errorShare.set(step, gain.errorShare);
    if (gain.requests > 0) {
      p50Ms.set(step, gain.quantileMs(0.5));
      p99Ms.set(step, gain.quantileMs(0.99));
    }
    confidence.set(step, gain.confidence);
    if (gain.classes !== null) this.#setClasses(step, gain.classes, classes);
  }

  columns(name: string, from: number, to: number, classes: readonly string[]): TimelineVersion {
    return {
      name,
      ...eachMeasure((measure) => read(this.#measures[measure], from, to, DECIMALS[measure])),
      classes: this.#told(classes).map(([own, column]) => ({
        name: own,
        counts: read(column, from, to, 0),
      })),
    };
  }

  point(name: string, step: number, classes: readonly string[]): TimelinePoint['versions'][number] {
    const counts = this.#told(classes).flatMap(([own, column]) => {
      const value = toldOf(column.at(step), 0);
      return value === null ? [] : [[own, value] as const];
    });
    return {
      name,
      ...eachMeasure((measure) => toldOf(this.#measures[measure].at(step), DECIMALS[measure])),
      classes: Object.fromEntries(counts),
    };
  }

  #setClasses(step: number, counts: ReadonlyMap<string, number>, classes: readonly string[]): void {
    let other = 0;
    for (const [name, count] of counts) {
      if (!classes.includes(name)) other += count;
      else if (!this.#classes.has(name)) this.#classes.set(name, newColumn(this.#tier));
    }
    if (other > 0 && !this.#classes.has(OTHER)) this.#classes.set(OTHER, newColumn(this.#tier));
    // A class that did not come up in this step was answered 0 times, which is known.
    for (const [name, column] of this.#classes)
      column.set(step, name === OTHER ? other : (counts.get(name) ?? 0));
  }

  /** In the service's order, `other` last. */
  #told(classes: readonly string[]): [string, Column][] {
    return [...classes, OTHER].flatMap((name) => {
      const column = this.#classes.get(name);
      return column === undefined ? [] : [[name, column] as [string, Column]];
    });
  }
}

interface PairColumns {
  readonly agree: Column;
  readonly disagree: Column;
}

function pairColumns(tier: TierName): PairColumns {
  return { agree: newColumn(tier), disagree: newColumn(tier) };
}

function setPairs({ agree, disagree }: PairColumns, step: number, gain: PairGain): void {
  agree.set(step, gain.agree);
  disagree.set(step, gain.disagree);
}

function newColumn(tier: TierName): Column {
  const { length, chunk } = TIERS[tier];
  return new Column(length, chunk);
}

function read(column: Column, from: number, to: number, decimals: number): (number | null)[] {
  const values = new Array<number | null>(Math.max(0, to - from + 1));
  for (let step = from; step <= to; step++) values[step - from] = toldOf(column.at(step), decimals);
  return values;
}

function toldOf(value: number, decimals: number): number | null {
  if (Number.isNaN(value)) return null;
  const factor = 10 ** decimals;
  return Math.round(value * factor) / factor;
}

/** Of a version that nothing was counted for yet. */
const NO_SERIES = new VersionSeries();

function eachMeasure<T>(told: (measure: Measure) => T): Record<Measure, T> {
  return {
    weight: told('weight'),
    ratePerS: told('ratePerS'),
    errorShare: told('errorShare'),
    p50Ms: told('p50Ms'),
    p99Ms: told('p99Ms'),
    confidence: told('confidence'),
  };
}
