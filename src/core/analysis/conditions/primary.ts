import { didYouMean } from '../../closest.ts';
import { type Expr, FUNCTION_NAMES, isFunctionName, type MapEntry, SIGNATURES } from './ast.ts';
import type { Cursor } from './cursor.ts';
import { fail } from './fault.ts';
import type { Token } from './lex.ts';

/** Operands: literals, names, calls, brackets, and what may follow them. */

/** Parses one whole expression; handed in, since it lies in the file that uses this one. */
type Whole = (cursor: Cursor) => Expr;

const NAMES: readonly string[] = ['result', 'true', 'false', 'nil', ...FUNCTION_NAMES];
const NULLS: readonly string[] = ['null', 'None', 'none', 'undefined', 'NULL', 'Null'];

export function parsePrimary(cursor: Cursor, whole: Whole): Expr {
  const { token } = cursor;
  const { at } = token;
  switch (token.kind) {
    case 'int':
      cursor.take();
      return { kind: 'int', at, digits: token.text };
    case 'float':
      cursor.take();
      return { kind: 'float', at, value: token.value };
    case 'string':
      cursor.take();
      return withPostfixes(cursor, { kind: 'string', at, value: token.text }, whole);
    case 'name':
      return parseName(cursor, whole);
    case 'end':
      return cursor.unexpected('a value');
    case 'sign':
      return parseBracketed(cursor, token, whole);
  }
}

function parseBracketed(cursor: Cursor, { text, at }: Token, whole: Whole): Expr {
  switch (text) {
    case '(': {
      cursor.take();
      const inner = whole(cursor);
      cursor.expect(')', 'the parentheses');
      return withPostfixes(cursor, inner, whole);
    }
    case '[': {
      cursor.take();
      const items = parseList(cursor, ']', 'the list', () => whole(cursor));
      return withPostfixes(cursor, cursor.node({ kind: 'array', at, items }, ...items), whole);
    }
    case '{':
      return withPostfixes(cursor, parseMap(cursor, whole), whole);
    case '#':
    case '.':
      return parseItem(cursor, whole);
    default:
      return cursor.unexpected('a value');
  }
}

/** `#`, and `.name` for `#.name`. */
function parseItem(cursor: Cursor, whole: Whole): Expr {
  const { text, at } = cursor.token;
  if (!cursor.inPredicate) fail(`${text} stands for an item and works only in all(), any() and the like`, at);
  if (text === '#') {
    const { at: end } = cursor.take();
    if (cursor.token.kind === 'name' && cursor.token.at === end + 1) {
      fail(`#${cursor.token.text} is not supported; # is the item itself`, at);
    }
  }
  return withPostfixes(cursor, { kind: 'item', at }, whole);
}

/** Up to and with `close`; a comma may stand after the last one. */
function parseList<T>(cursor: Cursor, close: string, what: string, parse: () => T): T[] {
  const items: T[] = [];
  while (!cursor.is(close)) {
    if (items.length > 0) {
      if (!cursor.is(',')) cursor.unexpected(`, or ${close} of ${what}`);
      cursor.take();
      if (cursor.is(close)) break;
    }
    items.push(parse());
  }
  cursor.take();
  return items;
}

function parseMap(cursor: Cursor, whole: Whole): Expr {
  const { at } = cursor.take();
  const entries = parseList<MapEntry>(cursor, '}', 'the map', () => {
    const key = parseKey(cursor, whole);
    cursor.expect(':', 'the map');
    return { key, value: whole(cursor) };
  });
  return cursor.node({ kind: 'map', at, entries }, ...entries.flatMap(({ key, value }) => [key, value]));
}

function parseKey(cursor: Cursor, whole: Whole): Expr {
  const { token } = cursor;
  if (cursor.is('(')) return whole(cursor);
  if (token.kind === 'sign' || token.kind === 'end') return cursor.unexpected('a key of the map');
  cursor.take();
  return { kind: 'string', at: token.at, value: token.text };
}

function parseName(cursor: Cursor, whole: Whole): Expr {
  const token = cursor.take();
  const { text, at } = token;
  if (cursor.is('(')) return withPostfixes(cursor, parseCall(cursor, token, [], whole), whole);
  if (text === 'true' || text === 'false') return { kind: 'bool', at, value: text === 'true' };
  if (text === 'nil') return { kind: 'nil', at };
  if (text === 'result') return withPostfixes(cursor, { kind: 'result', at }, whole);
  if (isFunctionName(text)) fail(`${text} is a function: write ${text}(…)`, at);
  const hint = NULLS.includes(text) ? ', write nil' : didYouMean(text, NAMES);
  return fail(`unknown name ${text}${hint === '' ? '; the measured value is result' : hint}`, at);
}

/** `given` are the arguments that came through a pipe. The current token is the opening parenthesis. */
export function parseCall(cursor: Cursor, { text, at }: Token, given: readonly Expr[], whole: Whole): Expr {
  if (!isFunctionName(text)) {
    const hint = didYouMean(text, FUNCTION_NAMES);
    return fail(hint === '' ? `there is no function ${text}` : `unknown function ${text}${hint}`, at);
  }
  cursor.expect('(', `${text}()`);
  const { min, max, predicate } = SIGNATURES[text];
  const wrong = () => fail(`${text}() takes ${argumentsOf(text)}`, at);
  let taken = given.length;
  const parsed = parseList(cursor, ')', `${text}()`, () => {
    taken++;
    if (taken > max + (predicate === 'none' ? 0 : 1)) wrong();
    return taken <= max ? whole(cursor) : parsePredicate(cursor, whole);
  });
  const all = [...given, ...parsed];
  if (all.length < min + (predicate === 'needed' ? 1 : 0)) wrong();
  const args = all.slice(0, max);
  const test = all[max] ?? null;
  return cursor.node({ kind: 'call', at, name: text, args, predicate: test }, ...args, test);
}

function argumentsOf(name: keyof typeof SIGNATURES): string {
  const { min, max, predicate } = SIGNATURES[name];
  if (predicate === 'needed') return `a list and a predicate, such as ${name}(result, # > 0.9)`;
  if (predicate === 'optional') return 'a list, and a predicate if you like';
  if (min === max) return min === 1 ? 'one argument' : `${min} arguments`;
  return max > 2 ? 'one argument or more' : `${min} or ${max} arguments`;
}

function parsePredicate(cursor: Cursor, whole: Whole): Expr {
  return cursor.predicate(() => {
    const braced = cursor.accept('{');
    const test = whole(cursor);
    if (braced) cursor.expect('}', 'the predicate');
    return test;
  });
}

/** Members, indexes and slices after `start`. One `?.` among them makes the whole of them a chain. */
export function withPostfixes(cursor: Cursor, start: Expr, whole: Whole): Expr {
  let expr = start;
  let optional = false;
  for (;;) {
    const { token } = cursor;
    if (token.kind !== 'sign') break;
    if (token.text === '.' || token.text === '?.') {
      // The dot of the shorthand `.name` in a predicate is read here as well.
      cursor.take();
      const maybe = token.text === '?.';
      optional ||= maybe;
      expr =
        maybe && cursor.is('[') ? parseIndex(cursor, expr, true, whole) : parseMember(cursor, expr, maybe);
    } else if (token.text === '[') {
      expr = parseIndex(cursor, expr, false, whole);
    } else break;
  }
  return optional ? cursor.node({ kind: 'chain', at: start.at, inner: expr }, expr) : expr;
}

function parseMember(cursor: Cursor, object: Expr, optional: boolean): Expr {
  const { token } = cursor;
  if (token.kind !== 'name' && !(token.kind === 'sign' && /^[a-z]/i.test(token.text))) {
    return cursor.unexpected('the name of a field');
  }
  cursor.take();
  if (cursor.is('(')) fail(`values have no methods, and so no ${token.text}()`, token.at);
  const key: Expr = { kind: 'string', at: token.at, value: token.text };
  return cursor.node({ kind: 'member', at: token.at, object, key, optional }, object);
}

/** `[i]`, `[from:to]`, `[:to]`, `[from:]`. */
function parseIndex(cursor: Cursor, object: Expr, optional: boolean, whole: Whole): Expr {
  const { at } = cursor.take();
  const from = cursor.is(':') ? null : whole(cursor);
  if (from !== null && !cursor.is(':')) {
    cursor.expect(']', 'the index');
    return cursor.node({ kind: 'member', at, object, key: from, optional }, object, from);
  }
  cursor.expect(':', 'the slice');
  const to = cursor.is(']') ? null : whole(cursor);
  cursor.expect(']', 'the slice');
  return cursor.node({ kind: 'slice', at, object, from, to }, object, from, to);
}
