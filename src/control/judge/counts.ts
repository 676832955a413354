import { type ArmTally, OTHER_CLASS } from '../../core/arms.ts';

/** Arithmetic on the counters of an arm: they only rise, and what is wanted is what was added since. */

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

export function isEqual(a: Float64Array, b: Float64Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Counters of the same shape, which a reload may change. */
export function isAlike(base: Counts, arm: ArmTally): boolean {
  for (const name of COUNTS) if (base[name].length !== arm[name].length) return false;
  return true;
}

/** Slot by slot. */
export function sumOf(lists: readonly Float64Array[], length: number): Float64Array {
  const sum = new Float64Array(length);
  for (const list of lists) for (let i = 0; i < length; i++) sum[i]! += list[i] as number;
  return sum;
}

/** Counts by the name of their slot. */
export function named(
  names: readonly string[],
  now: Float64Array,
  base: Float64Array,
): Record<string, number> {
  const found: [string, number][] = [];
  for (let i = 0; i < names.length; i++) {
    const count = i < now.length ? added(now, base, i) : 0;
    if (count > 0) found.push([names[i] as string, count]);
  }
  return Object.fromEntries(found);
}

/** Of the same shape, all zero. */
export function nothingOf(arm: ArmTally): Counts {
  return Object.fromEntries(
    COUNTS.map((name) => [name, new Float64Array(arm[name].length)]),
  ) as unknown as Counts;
}

export function added(now: Float64Array, base: Float64Array, at: number): number {
  return (now[at] as number) - (base[at] as number);
}

export function addedTo(now: Float64Array, base: Float64Array): number[] {
  const sums = new Array<number>(now.length);
  for (let i = 0; i < now.length; i++) sums[i] = added(now, base, i);
  return sums;
}

export function classesOf({ classNames, classCounts }: ArmTally, base: Float64Array): Record<string, number> {
  const classes: [string, number][] = [];
  for (let i = 0; i < classNames.length; i++) {
    const count = added(classCounts, base, i);
    if (count > 0) classes.push([classNames[i] as string, count]);
  }
  const other = added(classCounts, base, classCounts.length - 1);
  if (other > 0) classes.push([OTHER_CLASS, other]);
  return Object.fromEntries(classes);
}
