import { fail } from './fault.ts';
import type { Run } from './run.ts';
import { isList, isNum, kindOf, type Num } from './values.ts';

/**
 * mean, median, min and max over numbers and lists of them. Of nothing, mean and
 * median are 0 and min and max nil, as in expr-lang: a condition that takes a
 * mean has to look at the length itself.
 */
export function aggregate(
  name: 'mean' | 'median' | 'min' | 'max',
  args: readonly unknown[],
  run: Run,
  at: number,
): Num | null {
  const values: Num[] = [];
  collect(name, args, values, run, at);
  if (name === 'mean') return values.length === 0 ? 0 : total(values) / values.length;
  if (name === 'median') return median(values);
  return extreme(values, name === 'max' ? 1 : -1);
}

function collect(name: string, from: readonly unknown[], into: Num[], run: Run, at: number): void {
  run.spend(from.length, at);
  for (const value of from) {
    if (isList(value)) collect(name, value, into, run, at);
    else if (isNum(value)) into.push(value);
    else fail(`${name}() needs numbers, not ${kindOf(value)}`, at);
  }
}

function total(values: readonly Num[]): number {
  return values.reduce<number>((sum, value) => sum + Number(value), 0);
}

function median(values: readonly Num[]): number {
  // NaN sorts first, as in Go.
  const sorted = values.map(Number).sort((a, b) => (Number.isNaN(a) ? -1 : Number.isNaN(b) ? 1 : a - b));
  if (sorted.length === 0) return 0;
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] as number;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] as number) + upper) / 2;
}

/** A NaN loses against nothing and wins against nothing: it stays only where it is the first. */
function extreme(values: readonly Num[], sign: 1 | -1): Num | null {
  let found: Num | null = null;
  for (const value of values) {
    if (found === null || (sign === 1 ? value > found : value < found)) found = value;
  }
  return found;
}
