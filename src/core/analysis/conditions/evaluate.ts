import { assertNever } from '../../model.ts';
import { calculate, holds, negate } from './arithmetic.ts';
import type { Expr } from './ast.ts';
import { typeOf } from './check.ts';
import type { CompilePattern } from './compile.ts';
import { ConditionFault, fail } from './fault.ts';
import { callFunction } from './functions.ts';
import { elementOf, isIn, SKIPPED, sliceOf } from './members.ts';
import { callWithPredicate } from './predicates.ts';
import { Run } from './run.ts';
import { typeOfResult } from './types.ts';
import { asBool, asIndex, asNum, asText, equal, isList, isMap, isNil } from './values.ts';

/** `at` is the 0-based offset in the source of what went wrong. */
export type Evaluation =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly message: string; readonly at: number };

/**
 * What a condition says of a measured value; never throws. The value is JSON's,
 * with ints as plain numbers; that it is true or false is for the caller to see.
 */
export function evaluate(expr: Expr, result: unknown, compilePattern: CompilePattern): Evaluation {
  try {
    typeOf(expr, { result: typeOfResult(result), item: null });
    return { ok: true, value: plain(evaluateNode(expr, new Run(result, compilePattern), undefined)) };
  } catch (error) {
    if (error instanceof ConditionFault) return { ok: false, message: error.message, at: error.at };
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `the condition cannot be evaluated: ${reason}`, at: expr.at };
  }
}

function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (isList(value)) return value.map(plain);
  if (isMap(value)) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
  return value ?? null;
}

function evaluateNode(expr: Expr, run: Run, item: unknown): unknown {
  run.spend(1, expr.at);
  switch (expr.kind) {
    case 'nil':
      return null;
    case 'bool':
    case 'float':
    case 'string':
      return expr.value;
    case 'int':
      return BigInt(expr.digits);
    case 'array':
      return expr.items.map((part) => evaluateNode(part, run, item));
    case 'map':
      return mapOf(expr, run, item);
    case 'result':
      return run.result;
    case 'item':
      return item;
    case 'unary':
      return unary(expr, run, item);
    case 'binary':
      return binary(expr, run, item);
    case 'compare':
      return compare(expr, run, item);
    case 'matches': {
      const text = asText(evaluateNode(expr.text, run, item), 'matches', expr.at);
      run.spendText(text, expr.at);
      return run.test(expr.pattern)(text);
    }
    case 'choice':
      return choice(expr, run, item);
    case 'member':
      return member(expr, run, item);
    case 'slice':
      return slice(expr, run, item);
    case 'chain': {
      const value = evaluateNode(expr.inner, run, item);
      return value === SKIPPED ? null : value;
    }
    case 'call':
      return call(expr, run, item);
    default:
      return assertNever(expr);
  }
}

type Of<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

function mapOf({ entries }: Of<'map'>, run: Run, item: unknown): unknown {
  return Object.fromEntries(
    entries.map(({ key, value }) => [
      asText(evaluateNode(key, run, item), 'a key of a map', key.at),
      evaluateNode(value, run, item),
    ]),
  );
}

function unary({ op, operand, at }: Of<'unary'>, run: Run, item: unknown): unknown {
  const value = evaluateNode(operand, run, item);
  if (op === 'not') return !asBool(value, 'not', at);
  return op === '-' ? negate(value, at) : asNum(value, '+', at);
}

/** Stops at the first pair that does not hold, as `and` would. */
function compare({ first, rest }: Of<'compare'>, run: Run, item: unknown): boolean {
  let left = evaluateNode(first, run, item);
  for (const { op, at, right } of rest) {
    const value = evaluateNode(right, run, item);
    if (typeof value === 'string') run.spendText(value, at);
    if (!holds(op, left, value, at)) return false;
    left = value;
  }
  return true;
}

function binary(expr: Of<'binary'>, run: Run, item: unknown): unknown {
  const { op, at } = expr;
  const left = evaluateNode(expr.left, run, item);
  const right = () => evaluateNode(expr.right, run, item);
  switch (op) {
    case 'and':
      return asBool(left, op, at) && asBool(right(), op, at);
    case 'or':
      return asBool(left, op, at) || asBool(right(), op, at);
    case '??':
      return isNil(left) ? right() : left;
    case '==':
      return equal(left, right(), run, at);
    case '!=':
      return !equal(left, right(), run, at);
    case 'in':
      return isIn(left, right(), run, at);
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return textHolds(op, left, right(), run, at);
    case '..':
      return range(left, right(), run, at);
    case '+':
      return add(left, right(), run, at);
    default:
      return calculate(op, left, right(), at);
  }
}

function textHolds(
  op: 'contains' | 'startsWith' | 'endsWith',
  a: unknown,
  b: unknown,
  run: Run,
  at: number,
): boolean {
  const text = asText(a, op, at);
  const part = asText(b, op, at);
  run.spendText(text, at);
  if (op === 'contains') return text.includes(part);
  return op === 'startsWith' ? text.startsWith(part) : text.endsWith(part);
}

/** Both ends are in it; empty where the first is the larger. */
function range(a: unknown, b: unknown, run: Run, at: number): readonly bigint[] {
  const from = asIndex(a, '..', at);
  const length = Math.max(0, asIndex(b, '..', at) - from + 1);
  run.spend(length, at);
  return Array.from({ length }, (_, i) => BigInt(from + i));
}

function add(a: unknown, b: unknown, run: Run, at: number): unknown {
  if (typeof a !== 'string' || typeof b !== 'string') return calculate('+', a, b, at);
  const text = a + b;
  run.spendText(text, at);
  return text;
}

function choice({ test, then, otherwise }: Of<'choice'>, run: Run, item: unknown): unknown {
  const holdsTrue = asBool(evaluateNode(test, run, item), '?', test.at);
  if (!holdsTrue) return evaluateNode(otherwise, run, item);
  return then === null ? true : evaluateNode(then, run, item);
}

function member({ object, key, optional, at }: Of<'member'>, run: Run, item: unknown): unknown {
  const within = evaluateNode(object, run, item);
  if (within === SKIPPED || (optional && isNil(within))) return SKIPPED;
  return elementOf(within, evaluateNode(key, run, item), at);
}

function slice({ object, from, to, at }: Of<'slice'>, run: Run, item: unknown): unknown {
  const within = evaluateNode(object, run, item);
  if (within === SKIPPED) return SKIPPED;
  const first = from === null ? null : evaluateNode(from, run, item);
  return sliceOf(within, first, to === null ? null : evaluateNode(to, run, item), run, at);
}

function call({ name, args, predicate, at }: Of<'call'>, run: Run, item: unknown): unknown {
  const values = args.map((arg) => evaluateNode(arg, run, item));
  if (predicate === null) return callFunction(name, values, run, at);
  if (!isList(values[0])) fail(`${name}() needs a list, not ${typeOfResult(values[0]).kind}`, at);
  return callWithPredicate(name, values[0], (each) => evaluateNode(predicate, run, each), at);
}
