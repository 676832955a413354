import { assertNever } from '../../model.ts';
import type { BinaryOp, Expr } from './ast.ts';
import { fail } from './fault.ts';
import { callType } from './signatures.ts';
import {
  ANY,
  arrayOf,
  BOOL,
  comparable,
  either,
  FLOAT,
  INT,
  isAny,
  isNumber,
  MAP,
  mayBe,
  NIL,
  nameOf,
  STRING,
  type Type,
} from './types.ts';

/** What a condition may speak of, as types. `item` is null outside predicates. */
export interface Scope {
  readonly result: Type;
  readonly item: Type | null;
}

/**
 * The type of an expression; throws a ConditionFault where it can come to
 * nothing. Argo checks with the type of each measured value, and so do we: once
 * with a result that may be anything, and again when there is one.
 */
export function typeOf(expr: Expr, scope: Scope): Type {
  switch (expr.kind) {
    case 'nil':
      return NIL;
    case 'bool':
      return BOOL;
    case 'int':
      return INT;
    case 'float':
      return FLOAT;
    case 'string':
      return STRING;
    case 'array':
      return typeOfList(expr.items.map((item) => typeOf(item, scope)));
    case 'map':
      return typeOfMap(expr, scope);
    case 'result':
      return scope.result;
    case 'item':
      return scope.item ?? ANY;
    case 'unary':
      return typeOfUnary(expr, scope);
    case 'binary':
      return typeOfBinary(expr, scope);
    case 'compare':
      return typeOfCompare(expr, scope);
    case 'matches':
      return typeOfText(expr.at, 'matches', typeOf(expr.text, scope), STRING);
    case 'choice':
      return typeOfChoice(expr, scope);
    case 'member':
      return typeOfMember(expr, scope);
    case 'slice':
      return typeOfSlice(expr, scope);
    case 'chain': {
      const inner = typeOf(expr.inner, scope);
      return isAny(inner) || inner.kind === 'nil' ? inner : ANY;
    }
    case 'call':
      return callType(expr, scope, typeOf);
    default:
      return assertNever(expr);
  }
}

type Of<K extends Expr['kind']> = Extract<Expr, { kind: K }>;

function typeOfList(types: readonly Type[]): Type {
  const [first = ANY, ...others] = types;
  return arrayOf(others.reduce(either, first));
}

function typeOfMap(expr: Of<'map'>, scope: Scope): Type {
  for (const { key, value } of expr.entries) {
    const type = typeOf(key, scope);
    if (!mayBe(type, 'string')) fail(`a key of a map must be a string, not ${nameOf(type)}`, key.at);
    typeOf(value, scope);
  }
  return MAP;
}

function typeOfUnary({ op, operand, at }: Of<'unary'>, scope: Scope): Type {
  const type = typeOf(operand, scope);
  if (op === 'not') {
    if (mayBe(type, 'bool')) return BOOL;
    return fail(`not needs true or false, not ${nameOf(type)}; put a comparison in parentheses`, at);
  }
  if (isAny(type) || isNumber(type)) return type;
  return fail(`${op} needs a number, not ${nameOf(type)}`, at);
}

function typeOfCompare({ first, rest }: Of<'compare'>, scope: Scope): Type {
  let left = typeOf(first, scope);
  for (const { op, at, right: operand } of rest) {
    const right = typeOf(operand, scope);
    const numbers = mayBe(left, 'int', 'float') && mayBe(right, 'int', 'float');
    const strings = mayBe(left, 'string') && mayBe(right, 'string');
    if (!numbers && !strings) mismatch(op, left, right, at);
    left = right;
  }
  return BOOL;
}

function mismatch(op: string, left: Type, right: Type, at: number): never {
  fail(`${op} cannot be used on ${nameOf(left)} and ${nameOf(right)}`, at);
}

function typeOfBinary({ op, left, right, at }: Of<'binary'>, scope: Scope): Type {
  const a = typeOf(left, scope);
  const b = typeOf(right, scope);
  switch (op) {
    case '==':
    case '!=':
      return comparable(a, b) ? BOOL : mismatch(op, a, b, at);
    case 'and':
    case 'or':
      return mayBe(a, 'bool') && mayBe(b, 'bool') ? BOOL : mismatch(op, a, b, at);
    case 'in':
      return typeOfIn(a, b, at);
    case 'contains':
    case 'startsWith':
    case 'endsWith':
      return typeOfText(at, op, a, b);
    case '??':
      if (a.kind === 'nil') return b;
      return b.kind === 'nil' ? a : either(a, b);
    default:
      return typeOfArithmetic(op, a, b, at);
  }
}

type ArithmeticOp = Exclude<
  BinaryOp,
  '==' | '!=' | 'and' | 'or' | 'in' | 'contains' | 'startsWith' | 'endsWith' | '??'
>;

function typeOfArithmetic(op: ArithmeticOp, a: Type, b: Type, at: number): Type {
  if (op === '+' && mayBe(a, 'string') && mayBe(b, 'string') && !(isAny(a) && isAny(b))) return STRING;
  const whole = op === '%' || op === '..';
  const kinds: readonly Type['kind'][] = whole ? ['int'] : ['int', 'float'];
  if (!mayBe(a, ...kinds) || !mayBe(b, ...kinds)) {
    if (whole && mayBe(a, 'int', 'float') && mayBe(b, 'int', 'float')) {
      fail(`${op} needs whole numbers; write int(…) around a float`, at);
    }
    mismatch(op, a, b, at);
  }
  if (op === '..') return arrayOf(INT);
  if (op === '/' || op === '**') return FLOAT;
  if (isAny(a) || isAny(b)) return ANY;
  return a.kind === 'int' && b.kind === 'int' ? INT : FLOAT;
}

function typeOfIn(needle: Type, within: Type, at: number): Type {
  if (isAny(within)) return BOOL;
  if (within.kind === 'array') {
    return comparable(needle, within.of) ? BOOL : mismatch('in', needle, within, at);
  }
  if (within.kind === 'map') {
    return mayBe(needle, 'string', 'nil') ? BOOL : mismatch('in', needle, within, at);
  }
  const hint = within.kind === 'string' ? '; use contains for text' : '';
  return fail(`in needs a list or a map after it, not ${nameOf(within)}${hint}`, at);
}

function typeOfText(at: number, op: string, a: Type, b: Type): Type {
  return mayBe(a, 'string') && mayBe(b, 'string') ? BOOL : mismatch(op, a, b, at);
}

function typeOfChoice({ test, then, otherwise }: Of<'choice'>, scope: Scope): Type {
  const tested = typeOf(test, scope);
  if (!mayBe(tested, 'bool')) fail(`? needs true or false before it, not ${nameOf(tested)}`, test.at);
  const a = then === null ? tested : typeOf(then, scope);
  const b = typeOf(otherwise, scope);
  if (a.kind === 'nil') return b;
  return b.kind === 'nil' ? a : either(a, b);
}

function typeOfMember({ object, key, optional, at }: Of<'member'>, scope: Scope): Type {
  const within = typeOf(object, scope);
  const type = typeOf(key, scope);
  switch (within.kind) {
    case 'any':
      return ANY;
    case 'array':
      if (mayBe(type, 'int')) return within.of;
      if (key.kind === 'string')
        fail(`a list has no field ${key.value}; its items are [0], [1] and so on`, at);
      return fail(`the index of a list must be a whole number, not ${nameOf(type)}`, key.at);
    case 'map':
      if (mayBe(type, 'string')) return ANY;
      return fail(`the key of a map must be a string, not ${nameOf(type)}`, key.at);
    case 'nil':
      if (optional) return NIL;
      break;
    case 'string':
      if (mayBe(type, 'int')) fail('a string has no index; take a slice such as [0:1]', at);
      break;
    default:
      break;
  }
  const what = key.kind === 'string' ? `field ${key.value}` : 'items';
  return fail(`${nameOf(within)} has no ${what}`, at);
}

function typeOfSlice({ object, from, to, at }: Of<'slice'>, scope: Scope): Type {
  const within = typeOf(object, scope);
  if (!mayBe(within, 'array', 'string')) fail(`${nameOf(within)} cannot be sliced`, at);
  for (const end of [from, to]) {
    if (end === null) continue;
    const type = typeOf(end, scope);
    if (!mayBe(type, 'int')) fail(`the ends of a slice must be whole numbers, not ${nameOf(type)}`, end.at);
  }
  return within;
}
