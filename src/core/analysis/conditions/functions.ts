import { aggregate } from './aggregate.ts';
import { calculate } from './arithmetic.ts';
import type { FunctionName } from './ast.ts';
import { fail } from './fault.ts';
import type { Run } from './run.ts';
import {
  asList,
  asNum,
  asText,
  isList,
  isMap,
  isNil,
  isNum,
  kindOf,
  type Num,
  readFloat,
  readInt,
  show,
  toInt,
} from './values.ts';

/** One call: `item` is what the function is called on, `args` are all arguments, that one the first. */
interface Call {
  readonly item: unknown;
  readonly args: readonly unknown[];
  readonly run: Run;
  readonly at: number;
}

/** Functions that take no predicate, and sum() and count() without theirs. */
type PlainName = Exclude<FunctionName, 'all' | 'any' | 'one' | 'none' | 'map' | 'filter' | 'find'>;

const FUNCTIONS: Readonly<Record<PlainName, (call: Call) => unknown>> = {
  asInt: ({ item, at }) => toWhole(item, 'asInt()', at),
  asFloat: ({ item, at }) => toFloat(item, 'asFloat()', at),
  int: ({ item, at }) => toWhole(item, 'int()', at),
  float: ({ item, at }) => toFloat(item, 'float()', at),
  isNaN: ({ item, at }) => Number.isNaN(Number(asNum(item, 'isNaN()', at))),
  isInf: ({ item, at }) => Math.abs(Number(asNum(item, 'isInf()', at))) === Number.POSITIVE_INFINITY,
  // Argo's two look at the whole result whatever they are given.
  isNil: ({ run }) => isNil(run.result),
  default: ({ args, run }) => (isNil(run.result) ? args[1] : run.result),
  len: ({ item, run, at }) => BigInt(lengthOf(item, run, at)),
  string: ({ item, run, at }) => show(item, run, at),
  abs: ({ item, at }) => magnitude(asNum(item, 'abs()', at), at),
  round: ({ item, at }) => roundHalfAway(Number(asNum(item, 'round()', at))),
  ceil: ({ item, at }) => Math.ceil(Number(asNum(item, 'ceil()', at))),
  floor: ({ item, at }) => Math.floor(Number(asNum(item, 'floor()', at))),
  first: ({ item, at }) => (isNil(item) ? null : (asList(item, 'first()', at)[0] ?? null)),
  last: ({ item, at }) => (isNil(item) ? null : (asList(item, 'last()', at).at(-1) ?? null)),
  lower: ({ item, run, at }) => text(item, 'lower()', run, at).toLowerCase(),
  upper: ({ item, run, at }) => text(item, 'upper()', run, at).toUpperCase(),
  trim: ({ item, args, run, at }) => trim(text(item, 'trim()', run, at), args[1], at),
  sum: ({ item, run, at }) => sum(asList(item, 'sum()', at), run, at),
  count: ({ item, run, at }) => countTrue(asList(item, 'count()', at), run, at),
  mean: ({ args, run, at }) => aggregate('mean', args, run, at),
  median: ({ args, run, at }) => aggregate('median', args, run, at),
  min: ({ args, run, at }) => aggregate('min', args, run, at),
  max: ({ args, run, at }) => aggregate('max', args, run, at),
};

/** Calls a function whose predicate, if it can have one, is not there. */
export function callFunction(name: FunctionName, args: readonly unknown[], run: Run, at: number): unknown {
  if (!isPlain(name)) return fail(`${name}() needs a predicate`, at);
  return FUNCTIONS[name]({ item: args[0], args, run, at });
}

function isPlain(name: FunctionName): name is PlainName {
  return Object.hasOwn(FUNCTIONS, name);
}

function toWhole(value: unknown, what: string, at: number): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return toInt(value, what, at);
  return readInt(numberText(value, what, at), what, at);
}

function toFloat(value: unknown, what: string, at: number): number {
  return isNum(value) ? Number(value) : readFloat(numberText(value, what, at), what, at);
}

function numberText(value: unknown, what: string, at: number): string {
  if (typeof value === 'string') return value;
  return fail(`${what} needs a number or a string, not ${kindOf(value)}`, at);
}

function lengthOf(value: unknown, run: Run, at: number): number {
  if (isList(value)) return value.length;
  if (typeof value === 'string') {
    run.spendText(value, at);
    return [...value].length;
  }
  if (isMap(value)) return Object.keys(value).length;
  return fail(`len() needs a list, a map or a string, not ${kindOf(value)}`, at);
}

function magnitude(value: Num, at: number): Num {
  if (typeof value === 'number') return Math.abs(value);
  return value < 0n ? calculate('-', 0n, value, at) : value;
}

/** Halves go away from zero, as in Go; JavaScript's go up. */
function roundHalfAway(value: number): number {
  const whole = Math.trunc(value);
  return Math.abs(value - whole) >= 0.5 ? whole + Math.sign(value) : whole;
}

function text(value: unknown, what: string, run: Run, at: number): string {
  const found = asText(value, what, at);
  run.spendText(found, at);
  return found;
}

/** Without a second argument, white space; with it, any of its characters. */
function trim(value: string, characters: unknown, at: number): string {
  if (characters === undefined) return value.trim();
  const dropped = new Set(asText(characters, 'trim()', at));
  const parts = [...value];
  let from = 0;
  let to = parts.length;
  while (from < to && dropped.has(parts[from] as string)) from++;
  while (to > from && dropped.has(parts[to - 1] as string)) to--;
  return parts.slice(from, to).join('');
}

/** 0, an int, for an empty list. */
export function sum(items: readonly unknown[], run: Run, at: number): Num {
  run.spend(items.length, at);
  return items.reduce<Num>((total, item) => calculate('+', total, asNum(item, 'sum()', at), at), 0n);
}

function countTrue(items: readonly unknown[], run: Run, at: number): bigint {
  run.spend(items.length, at);
  let count = 0n;
  for (const item of items) {
    if (typeof item !== 'boolean') fail(`count() needs true or false, not ${kindOf(item)}`, at);
    if (item) count++;
  }
  return count;
}
