import type { CompareOp } from './ast.ts';
import { fail } from './fault.ts';
import { asNum, isNum, kindOf, type Num } from './values.ts';

/** Arithmetic as Go and expr-lang do it: ints wrap at 64 bits, an int meets a float as a float. */

export type ArithmeticOp = '+' | '-' | '*' | '/' | '%' | '**';

export function calculate(op: ArithmeticOp, a: unknown, b: unknown, at: number): Num {
  const left = asNum(a, op, at);
  const right = asNum(b, op, at);
  if (op === '/') return Number(left) / Number(right);
  if (op === '**') return power(Number(left), Number(right));
  if (op === '%') return remainder(left, right, at);
  if (typeof left === 'bigint' && typeof right === 'bigint') {
    return BigInt.asIntN(64, wholes(op, left, right));
  }
  return floats(op, Number(left), Number(right));
}

function wholes(op: '+' | '-' | '*', a: bigint, b: bigint): bigint {
  if (op === '+') return a + b;
  return op === '-' ? a - b : a * b;
}

function floats(op: '+' | '-' | '*', a: number, b: number): number {
  if (op === '+') return a + b;
  return op === '-' ? a - b : a * b;
}

function remainder(a: Num, b: Num, at: number): bigint {
  if (typeof a !== 'bigint' || typeof b !== 'bigint') {
    return fail('% needs whole numbers; write int(…) around a float', at);
  }
  return b === 0n ? fail('% cannot divide by zero', at) : a % b;
}

/** Go follows IEEE 754 where JavaScript does not: 1 to any power is 1, and so is -1 to an infinite one. */
function power(base: number, exponent: number): number {
  if (base === 1 || (base === -1 && Math.abs(exponent) === Number.POSITIVE_INFINITY)) return 1;
  return base ** exponent;
}

/** Numbers by value, strings by their characters; NaN is neither less nor more. */
export function holds(op: CompareOp, a: unknown, b: unknown, at: number): boolean {
  if (isNum(a) && isNum(b)) {
    if (typeof a === typeof b) return ordered(op, a, b);
    return ordered(op, Number(a), Number(b));
  }
  if (typeof a === 'string' && typeof b === 'string') return ordered(op, a, b);
  return fail(`${op} cannot be used on ${kindOf(a)} and ${kindOf(b)}`, at);
}

function ordered(op: CompareOp, a: Num | string, b: Num | string): boolean {
  switch (op) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    case '>=':
      return a >= b;
  }
}

export function negate(value: unknown, at: number): Num {
  const number = asNum(value, '-', at);
  return typeof number === 'bigint' ? BigInt.asIntN(64, -number) : -number;
}
