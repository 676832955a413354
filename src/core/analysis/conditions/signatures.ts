import { assertNever } from '../../model.ts';
import type { Expr, FunctionName } from './ast.ts';
import { fail } from './fault.ts';
import { ANY, arrayOf, BOOL, FLOAT, INT, isNumber, mayBe, nameOf, STRING, type Type } from './types.ts';

type Call = Extract<Expr, { kind: 'call' }>;

interface Scope {
  readonly result: Type;
  readonly item: Type | null;
}

/** The type that a call gives. `typeOf` is handed in, since it lies in the file that uses this one. */
export function callType<S extends Scope>(call: Call, scope: S, typeOf: (e: Expr, s: S) => Type): Type {
  const types = call.args.map((arg) => typeOf(arg, scope));
  const first = types[0] ?? ANY;
  types.forEach((type, i) => {
    checkArgument(call, i, type);
  });
  if (call.predicate === null) return returned(call.name, types, null);
  const item = first.kind === 'array' ? first.of : ANY;
  const test = typeOf(call.predicate, { ...scope, item });
  if (call.name !== 'map' && call.name !== 'sum' && !mayBe(test, 'bool')) {
    fail(`the predicate of ${call.name}() must give true or false, not ${nameOf(test)}`, call.predicate.at);
  }
  if (call.name === 'sum' && !mayBe(test, 'int', 'float')) {
    fail(`sum() adds numbers, not ${nameOf(test)}`, call.predicate.at);
  }
  return returned(call.name, types, test);
}

const LISTS: readonly Type['kind'][] = ['array'];
const NUMBERS: readonly Type['kind'][] = ['int', 'float'];
const TEXTS: readonly Type['kind'][] = ['string'];
const NUMBERS_OR_LISTS: readonly Type['kind'][] = ['int', 'float', 'array'];
const NUMBERS_OR_TEXTS: readonly Type['kind'][] = ['int', 'float', 'string'];

/** Kinds that a function's arguments may have; null: any. */
const ACCEPTS: Readonly<Record<FunctionName, readonly Type['kind'][] | null>> = {
  asInt: NUMBERS_OR_TEXTS,
  asFloat: NUMBERS_OR_TEXTS,
  isNaN: NUMBERS,
  isInf: NUMBERS,
  isNil: null,
  default: null,
  len: ['array', 'map', 'string'],
  all: LISTS,
  any: LISTS,
  one: LISTS,
  none: LISTS,
  map: LISTS,
  filter: LISTS,
  find: LISTS,
  count: LISTS,
  sum: LISTS,
  mean: NUMBERS_OR_LISTS,
  median: NUMBERS_OR_LISTS,
  min: NUMBERS_OR_LISTS,
  max: NUMBERS_OR_LISTS,
  abs: NUMBERS,
  round: NUMBERS,
  ceil: NUMBERS,
  floor: NUMBERS,
  int: NUMBERS_OR_TEXTS,
  float: NUMBERS_OR_TEXTS,
  string: null,
  first: LISTS,
  last: LISTS,
  lower: TEXTS,
  upper: TEXTS,
  trim: TEXTS,
};

function checkArgument({ name, args, predicate, at }: Call, i: number, type: Type): void {
  const kinds = ACCEPTS[name];
  if (kinds !== null && !mayBe(type, ...kinds)) {
    fail(`${name}() takes ${kinds.map(plainName).join(' or ')}, not ${nameOf(type)}`, args[i]?.at ?? at);
  }
  if (type.kind !== 'array' || predicate !== null) return;
  const wrong =
    (name === 'count' && !mayBe(type.of, 'bool')) ||
    (/^(?:sum|mean|median|min|max)$/.test(name) && !mayBe(type.of, 'int', 'float', 'array'));
  if (wrong) fail(`${name}() cannot be used on ${nameOf(type)}`, args[i]?.at ?? at);
}

function plainName(kind: Type['kind']): string {
  return kind === 'array' ? 'list' : kind;
}

function returned(name: FunctionName, types: readonly Type[], predicate: Type | null): Type {
  const first = types[0] ?? ANY;
  const item = first.kind === 'array' ? first.of : ANY;
  switch (name) {
    case 'asInt':
    case 'int':
    case 'len':
    case 'count':
      return INT;
    case 'asFloat':
    case 'float':
    case 'mean':
    case 'median':
    case 'round':
    case 'ceil':
    case 'floor':
      return FLOAT;
    case 'isNaN':
    case 'isInf':
    case 'isNil':
    case 'all':
    case 'any':
    case 'one':
    case 'none':
      return BOOL;
    case 'string':
    case 'lower':
    case 'upper':
    case 'trim':
      return STRING;
    case 'default':
      return ANY;
    case 'map':
      return arrayOf(predicate ?? ANY);
    case 'filter':
      return arrayOf(item);
    case 'sum':
      return numberOrAny(predicate ?? item);
    case 'abs':
      return first;
    // Nil where there is no item.
    case 'find':
    case 'first':
    case 'last':
      return isNumber(item) || item.kind === 'any' ? item : ANY;
    case 'min':
    case 'max':
      return types.length === 1 ? numberOrAny(item) : ANY;
    default:
      return assertNever(name);
  }
}

function numberOrAny(type: Type): Type {
  return isNumber(type) ? type : ANY;
}
