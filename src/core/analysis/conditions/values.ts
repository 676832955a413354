import { fail } from './fault.ts';
import type { Run } from './run.ts';

/**
 * Values while a condition runs, as Go has them: nil is null or undefined, an int
 * is a bigint within 64 bits, a float is a number, a map is an object. What
 * providers measure has floats only, as JSON in Go.
 */
export type Num = bigint | number;
export type MapValue = Readonly<Record<string, unknown>>;

export function isNil(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

export function isNum(value: unknown): value is Num {
  return typeof value === 'number' || typeof value === 'bigint';
}

export function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

export function isMap(value: unknown): value is MapValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As messages name it. */
export function kindOf(value: unknown): string {
  if (isNil(value)) return 'nil';
  if (isList(value)) return 'array';
  switch (typeof value) {
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    default:
      return 'map';
  }
}

/** Numbers by their value, lists and maps item by item, and nothing across kinds. NaN equals nothing. */
export function equal(a: unknown, b: unknown, run: Run, at: number): boolean {
  run.spend(1, at);
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (isNum(a) && isNum(b)) return typeof a === typeof b ? a === b : Number(a) === Number(b);
  if (isList(a) && isList(b)) {
    return a.length === b.length && a.every((item, i) => equal(item, b[i], run, at));
  }
  if (isMap(a) && isMap(b)) {
    const keys = Object.keys(a);
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && equal(a[key], b[key], run, at))
    );
  }
  if (typeof a === 'string' && typeof b === 'string') run.spendText(a, at);
  return a === b;
}

export function asBool(value: unknown, what: string, at: number): boolean {
  if (typeof value === 'boolean') return value;
  return fail(`${what} needs true or false, not ${kindOf(value)}`, at);
}

export function asNum(value: unknown, what: string, at: number): Num {
  if (isNum(value)) return value;
  return fail(`${what} needs a number, not ${kindOf(value)}`, at);
}

export function asText(value: unknown, what: string, at: number): string {
  if (typeof value === 'string') return value;
  return fail(`${what} needs a string, not ${kindOf(value)}`, at);
}

export function asList(value: unknown, what: string, at: number): readonly unknown[] {
  if (isList(value)) return value;
  return fail(`${what} needs a list, not ${kindOf(value)}`, at);
}

/** A whole number small enough to count with; a float loses its fraction, as in expr-lang. */
export function asIndex(value: unknown, what: string, at: number): number {
  const index = Math.trunc(Number(asNum(value, what, at)));
  if (Number.isSafeInteger(index)) return index;
  return fail(`${what} cannot be ${String(value)}`, at);
}

/** A float's whole part as an int; NaN and what is beyond 64 bits have none. */
export function toInt(value: number, what: string, at: number): bigint {
  const whole = Math.trunc(value);
  if (whole >= -(2 ** 63) && whole < 2 ** 63) return BigInt(whole);
  return fail(`${what} has no whole number for ${value}`, at);
}

const WHOLE = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const NAMED = /^(?:nan|([+-]?)inf(?:inity)?)$/i;

/** Text as an int of 64 bits, in decimal digits. */
export function readInt(text: string, what: string, at: number): bigint {
  if (text.length <= 32 && WHOLE.test(text)) {
    const value = BigInt(text.replace(/^\+/, ''));
    if (value === BigInt.asIntN(64, value)) return value;
  }
  return fail(`${what}: ${quote(text)} is no whole number`, at);
}

/** Text as a float; NaN and infinities by their names, as Prometheus writes them. */
export function readFloat(text: string, what: string, at: number): number {
  const named = NAMED.exec(text);
  if (named !== null) {
    if (named[1] === undefined) return Number.NaN;
    return named[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = text.length <= 400 && DECIMAL.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  return fail(`${what}: ${quote(text)} is no number`, at);
}

function quote(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
}

/** As Go prints it (%v). */
export function show(value: unknown, run: Run, at: number): string {
  run.spend(1, at);
  if (isNil(value)) return '<nil>';
  if (typeof value === 'number') return showFloat(value);
  if (isList(value)) return `[${value.map((item) => show(item, run, at)).join(' ')}]`;
  if (isMap(value)) {
    const entries = Object.keys(value)
      .sort()
      .map((key) => `${key}:${show(value[key], run, at)}`);
    return `map[${entries.join(' ')}]`;
  }
  const text = String(value);
  run.spendText(text, at);
  return text;
}

function showFloat(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  if (Object.is(value, -0)) return '-0';
  const size = Math.abs(value);
  if (size === 0 || (size >= 1e-4 && size < 1e21)) return String(value);
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
