import type { BinaryOp, CompareOp } from './ast.ts';

/** Binding powers as in expr-lang v1.17: higher binds tighter. */

export interface Operator {
  readonly power: number;
  readonly meaning: BinaryOp | CompareOp | 'matches' | 'pipe';
  /** `not` may stand before it: `not in`. */
  readonly negatable?: true;
}

export const BINARY: Readonly<Record<string, Operator>> = {
  '|': { power: 0, meaning: 'pipe' },
  or: { power: 10, meaning: 'or' },
  '||': { power: 10, meaning: 'or' },
  and: { power: 15, meaning: 'and' },
  '&&': { power: 15, meaning: 'and' },
  '==': { power: 20, meaning: '==' },
  '!=': { power: 20, meaning: '!=' },
  '<': { power: 20, meaning: '<' },
  '>': { power: 20, meaning: '>' },
  '<=': { power: 20, meaning: '<=' },
  '>=': { power: 20, meaning: '>=' },
  in: { power: 20, meaning: 'in', negatable: true },
  matches: { power: 20, meaning: 'matches', negatable: true },
  contains: { power: 20, meaning: 'contains', negatable: true },
  startsWith: { power: 20, meaning: 'startsWith', negatable: true },
  endsWith: { power: 20, meaning: 'endsWith', negatable: true },
  '..': { power: 25, meaning: '..' },
  '+': { power: 30, meaning: '+' },
  '-': { power: 30, meaning: '-' },
  '*': { power: 60, meaning: '*' },
  '/': { power: 60, meaning: '/' },
  '%': { power: 60, meaning: '%' },
  '**': { power: 100, meaning: '**' },
  '^': { power: 100, meaning: '**' },
  '??': { power: 500, meaning: '??' },
};

/** `not` binds tighter than a comparison: `not a == b` is `(not a) == b`. */
export const UNARY: Readonly<Record<string, { readonly power: number; readonly op: 'not' | '-' | '+' }>> = {
  not: { power: 50, op: 'not' },
  '!': { power: 50, op: 'not' },
  '-': { power: 90, op: '-' },
  '+': { power: 90, op: '+' },
};

/** Of the operators only the power binds to the right: `2 ** 3 ** 2` is 512. */
export function rightPower({ power, meaning }: Operator): number {
  return meaning === '**' ? power : power + 1;
}
