/**
 * A compiled condition: plain JSON data, so that a plan that holds it can be
 * copied and written. `at` is a node's 0-based offset in the source.
 */
export type Expr =
  | { readonly kind: 'nil'; readonly at: number }
  | { readonly kind: 'bool'; readonly at: number; readonly value: boolean }
  /** Decimal digits, since 64 bits do not fit a JSON number. */
  | { readonly kind: 'int'; readonly at: number; readonly digits: string }
  | { readonly kind: 'float'; readonly at: number; readonly value: number }
  | { readonly kind: 'string'; readonly at: number; readonly value: string }
  | { readonly kind: 'array'; readonly at: number; readonly items: readonly Expr[] }
  | { readonly kind: 'map'; readonly at: number; readonly entries: readonly MapEntry[] }
  | { readonly kind: 'result'; readonly at: number }
  /** `#`: the item that the nearest predicate looks at. */
  | { readonly kind: 'item'; readonly at: number }
  | { readonly kind: 'unary'; readonly at: number; readonly op: UnaryOp; readonly operand: Expr }
  | {
      readonly kind: 'binary';
      readonly at: number;
      readonly op: BinaryOp;
      readonly left: Expr;
      readonly right: Expr;
    }
  /** `first op right op right …`: `1 < x < 3` holds when each neighbouring pair does. */
  | { readonly kind: 'compare'; readonly at: number; readonly first: Expr; readonly rest: readonly Link[] }
  | { readonly kind: 'matches'; readonly at: number; readonly text: Expr; readonly pattern: string }
  /** `then` is null for `test ?: otherwise`, whose value is the test's own. */
  | {
      readonly kind: 'choice';
      readonly at: number;
      readonly test: Expr;
      readonly then: Expr | null;
      readonly otherwise: Expr;
    }
  | {
      readonly kind: 'member';
      readonly at: number;
      readonly object: Expr;
      readonly key: Expr;
      /** `?.`: nil ends the whole chain with nil. */
      readonly optional: boolean;
    }
  | {
      readonly kind: 'slice';
      readonly at: number;
      readonly object: Expr;
      readonly from: Expr | null;
      readonly to: Expr | null;
    }
  /** Where an optional member inside `inner` ends to. */
  | { readonly kind: 'chain'; readonly at: number; readonly inner: Expr }
  | {
      readonly kind: 'call';
      readonly at: number;
      readonly name: FunctionName;
      readonly args: readonly Expr[];
      readonly predicate: Expr | null;
    };

export interface MapEntry {
  readonly key: Expr;
  readonly value: Expr;
}

export interface Link {
  readonly op: CompareOp;
  readonly at: number;
  readonly right: Expr;
}

export type UnaryOp = 'not' | '-' | '+';
export type CompareOp = '<' | '<=' | '>' | '>=';
export type BinaryOp =
  | 'or'
  | 'and'
  | '=='
  | '!='
  | 'in'
  | 'contains'
  | 'startsWith'
  | 'endsWith'
  | '..'
  | '+'
  | '-'
  | '*'
  | '/'
  | '%'
  | '**'
  | '??';

/** How a function may be called: its plain arguments, and a predicate after them. */
export interface Signature {
  readonly min: number;
  readonly max: number;
  readonly predicate: 'none' | 'needed' | 'optional';
}

const one: Signature = { min: 1, max: 1, predicate: 'none' };
const numbers: Signature = { min: 1, max: 64, predicate: 'none' };
const withPredicate: Signature = { min: 1, max: 1, predicate: 'needed' };
const mayHavePredicate: Signature = { min: 1, max: 1, predicate: 'optional' };

/** Every function that a condition may call; the first six are Argo's own. */
export const SIGNATURES = {
  asInt: one,
  asFloat: one,
  isNaN: one,
  isInf: one,
  isNil: one,
  default: { min: 2, max: 2, predicate: 'none' },
  len: one,
  all: withPredicate,
  any: withPredicate,
  one: withPredicate,
  none: withPredicate,
  map: withPredicate,
  filter: withPredicate,
  find: withPredicate,
  count: mayHavePredicate,
  sum: mayHavePredicate,
  mean: numbers,
  median: numbers,
  min: numbers,
  max: numbers,
  abs: one,
  round: one,
  ceil: one,
  floor: one,
  int: one,
  float: one,
  string: one,
  first: one,
  last: one,
  lower: one,
  upper: one,
  trim: { min: 1, max: 2, predicate: 'none' },
} as const satisfies Record<string, Signature>;

export type FunctionName = keyof typeof SIGNATURES;
export const FUNCTION_NAMES = Object.keys(SIGNATURES) as readonly FunctionName[];

export function isFunctionName(name: string): name is FunctionName {
  return Object.hasOwn(SIGNATURES, name);
}
