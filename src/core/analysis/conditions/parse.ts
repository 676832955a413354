import type { CompareOp, Expr, Link } from './ast.ts';
import { Cursor } from './cursor.ts';
import { fail } from './fault.ts';
import { lex } from './lex.ts';
import { BINARY, type Operator, rightPower, UNARY } from './operators.ts';
import { parseCall, parsePrimary, withPostfixes } from './primary.ts';

/** Precedence climbing over the grammar of expr-lang. Throws a ConditionFault. */
export function parse(source: string): Expr {
  const cursor = new Cursor(lex(source));
  if (cursor.atEnd()) fail('the condition is empty', 0);
  const expr = whole(cursor);
  if (!cursor.atEnd()) cursor.unexpected('an operator or the end');
  return expr;
}

function parseExpression(cursor: Cursor, minPower: number): Expr {
  const joined = parseOperators(cursor, minPower);
  return minPower === 0 ? parseChoices(cursor, joined) : joined;
}

/** Where the source may go on for ever: inside brackets, after `-`, after `**`. */
function parseDeeper(cursor: Cursor, minPower: number): Expr {
  return cursor.nested(() => parseExpression(cursor, minPower));
}

const whole = (cursor: Cursor): Expr => parseDeeper(cursor, 0);

function parseOperators(cursor: Cursor, minPower: number): Expr {
  let left = parseUnary(cursor);
  let afterCoalesce = false;
  for (;;) {
    const negated = cursor.is('not');
    const token = negated ? cursor.following : cursor.token;
    const operator = token.kind === 'sign' ? operatorOf(token.text) : null;
    if (negated && operator?.negatable !== true) cursor.unexpected('an operator');
    if (operator === null || operator.power < minPower) return left;
    if (afterCoalesce && operator.meaning !== '??' && operator.meaning !== 'pipe') {
      fail(`?? and ${token.text} cannot stand side by side; put one of them in parentheses`, token.at);
    }
    if (negated) cursor.take();
    cursor.take();
    left = parseRight(cursor, left, operator, token.at);
    if (negated) left = cursor.node({ kind: 'unary', at: token.at, op: 'not', operand: left }, left);
    afterCoalesce = operator.meaning === '??';
  }
}

function operatorOf(sign: string): Operator | null {
  return Object.hasOwn(BINARY, sign) ? (BINARY[sign] as Operator) : null;
}

function parseRight(cursor: Cursor, left: Expr, operator: Operator, at: number): Expr {
  const { meaning } = operator;
  switch (meaning) {
    case 'pipe': {
      const name = cursor.take();
      if (name.kind !== 'name') fail('| needs a function after it, such as result | len()', name.at);
      return withPostfixes(cursor, parseCall(cursor, name, [left], whole), whole);
    }
    case 'matches':
      return parseMatches(cursor, left, at);
    case '<':
    case '<=':
    case '>':
    case '>=':
      return parseCompare(cursor, left, meaning, operator, at);
    default: {
      const parseSide = meaning === '**' ? parseDeeper : parseExpression;
      const right = parseSide(cursor, rightPower(operator));
      return cursor.node({ kind: 'binary', at, op: meaning, left, right }, left, right);
    }
  }
}

/** A pattern from the outside would have to be compiled, and bounded, while judging. */
function parseMatches(cursor: Cursor, text: Expr, at: number): Expr {
  const pattern = cursor.take();
  const joined = cursor.is('+') || cursor.is('[') || cursor.is('.');
  if (pattern.kind !== 'string' || joined) {
    fail('matches needs a pattern that is written out, such as "^v[0-9]+$"', pattern.at);
  }
  return cursor.node({ kind: 'matches', at, text, pattern: pattern.text }, text);
}

function parseCompare(cursor: Cursor, first: Expr, op: CompareOp, operator: Operator, at: number): Expr {
  const rest: Link[] = [];
  let link: { op: CompareOp; at: number } | null = { op, at };
  while (link !== null) {
    rest.push({ ...link, right: parseExpression(cursor, rightPower(operator)) });
    const { token } = cursor;
    link = null;
    if (token.kind === 'sign' && /^[<>]=?$/.test(token.text)) {
      link = { op: token.text as CompareOp, at: token.at };
      cursor.take();
    }
  }
  return cursor.node({ kind: 'compare', at, first, rest }, first, ...rest.map(({ right }) => right));
}

function parseUnary(cursor: Cursor): Expr {
  const { token } = cursor;
  if (token.kind !== 'sign' || !Object.hasOwn(UNARY, token.text)) return parsePrimary(cursor, whole);
  const { op, power } = UNARY[token.text] as (typeof UNARY)[string];
  cursor.take();
  const operand = parseDeeper(cursor, power);
  return withPostfixes(cursor, cursor.node({ kind: 'unary', at: token.at, op, operand }, operand), whole);
}

/** `test ? a : b` and `test ?: b`. */
function parseChoices(cursor: Cursor, start: Expr): Expr {
  let test = start;
  while (cursor.is('?')) {
    const { at } = cursor.take();
    let then: Expr | null = null;
    if (!cursor.is(':')) then = whole(cursor);
    cursor.expect(':', 'the choice');
    const otherwise = whole(cursor);
    test = cursor.node({ kind: 'choice', at, test, then, otherwise }, test, then, otherwise);
  }
  return test;
}
