import { ARM, type ArmTally, OTHER_CLASS } from '../../core/arms.ts';
import type { Arm } from '../../core/judge/evidence.ts';
import { type Bins, rebin } from './bins.ts';

/** Counters of the data path, which only rise, and what of them came since they stood at a base. */

/** What the arm tallies of one service are read as. */
export interface ArmNames {
  readonly stable: string;
  readonly canary: string;
  /** Gates of `firstSlow` and `firstUnsure`, by index. */
  readonly slow: readonly string[];
  readonly unsure: readonly string[];
  readonly edgesMs: readonly number[];
}

export const COUNTS = [
  'scalars',
  'latency',
  'firstSlow',
  'firstUnsure',
  'classCounts',
  'scores',
  'confidence',
] as const;

export type Counts = Pick<ArmTally, (typeof COUNTS)[number]>;

/** @param bins 'awaited': scores come, and are not known how to be read yet; null: none come */
export function armSince(
  arm: ArmTally,
  base: Counts,
  names: ArmNames,
  bins: Bins | 'awaited' | null,
  { kpis, slowBursts }: Pick<Arm, 'kpis' | 'slowBursts'>,
): Arm {
  const { scalars } = arm;
  return {
    requests: added(scalars, base.scalars, ARM.requests),
    errors: added(scalars, base.scalars, ARM.errors),
    firstErrors: added(scalars, base.scalars, ARM.firstErrors),
    keys: added(scalars, base.scalars, ARM.keys),
    latency: addedTo(arm.latency, base.latency),
    firstSlow: named(names.slow, arm.firstSlow, base.firstSlow),
    slowBursts,
    // Classes wait for the scores: both are parts of one gate.
    classes: bins === 'awaited' ? {} : classesOf(arm, base.classCounts),
    scores: bins === 'awaited' || bins === null ? [] : rebin(bins, arm.scores, base.scores),
    confidence: isEqual(arm.confidence, base.confidence) ? [] : addedTo(arm.confidence, base.confidence),
    firstUnsure: named(names.unsure, arm.firstUnsure, base.firstUnsure),
    kpis,
  };
}

/** Stages whose counters are remembered, the latest ones; the data path itself keeps fewer. */
const KEPT_STAGES = 16;

export function keepNewest(byStage: Map<number, unknown>): void {
  for (const stage of byStage.keys()) {
    if (byStage.size <= KEPT_STAGES) return;
    byStage.delete(stage);
  }
}

export function isEqual(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Counters of the same shape, which a reload may change. */
export function isAlike(base: Counts, arm: ArmTally): boolean {
  for (const name of COUNTS) if (base[name].length !== arm[name].length) return false;
  return true;
}

export function sumOf(lists: readonly Float64Array[], length: number): Float64Array {
  const sum = new Float64Array(length);
  for (const list of lists) for (let i = 0; i < length; i++) sum[i]! += list[i] as number;
  return sum;
}

function named(names: readonly string[], now: Float64Array, base: Float64Array): Record<string, number> {
  const found: [string, number][] = [];
  for (let i = 0; i < names.length; i++) {
    const count = i < now.length ? added(now, base, i) : 0;
    if (count > 0) found.push([names[i] as string, count]);
  }
  return Object.fromEntries(found);
}

export function nothingOf(arm: ArmTally): Counts {
  return Object.fromEntries(
    COUNTS.map((name) => [name, new Float64Array(arm[name].length)]),
  ) as unknown as Counts;
}

function added(now: Float64Array, base: Float64Array, at: number): number {
  return (now[at] as number) - (base[at] as number);
}

function addedTo(now: Float64Array, base: Float64Array): number[] {
  const sums = new Array<number>(now.length);
  // Most bins of a histogram are empty, and of those the base need not be fetched.
  for (let i = 0; i < now.length; i++) sums[i] = now[i] === 0 ? 0 : added(now, base, i);
  return sums;
}

function classesOf({ classNames, classCounts }: ArmTally, base: Float64Array): Record<string, number> {
  const classes: [string, number][] = [];
  for (let i = 0; i < classNames.length; i++) {
    const count = added(classCounts, base, i);
    if (count > 0) classes.push([classNames[i] as string, count]);
  }
  const other = added(classCounts, base, classCounts.length - 1);
  if (other > 0) classes.push([OTHER_CLASS, other]);
  return Object.fromEntries(classes);
}
