import { fail } from './fault.ts';
import { readNumber, readString } from './literals.ts';

export type Token =
  | { readonly kind: 'int'; readonly at: number; readonly text: string }
  | { readonly kind: 'float'; readonly at: number; readonly text: string; readonly value: number }
  | { readonly kind: 'string'; readonly at: number; readonly text: string }
  | { readonly kind: 'name'; readonly at: number; readonly text: string }
  /** An operator, a bracket or a word that is one. */
  | { readonly kind: 'sign'; readonly at: number; readonly text: string }
  | { readonly kind: 'end'; readonly at: number; readonly text: '' };

/** Words that are operators. */
export const WORD_SIGNS: readonly string[] = [
  'not',
  'and',
  'or',
  'in',
  'matches',
  'contains',
  'startsWith',
  'endsWith',
];
/** Words of the language that no condition needs. */
const UNSUPPORTED: readonly string[] = ['let', 'if', 'else'];

/** Longest first. */
const SIGNS = ['**', '==', '!=', '<=', '>=', '&&', '||', '??', '?.', '..'];
const SINGLE_SIGNS = '+-*/%^<>!?:,.#|()[]{}';
const SPACE = /\s|\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const NAME = /[\p{L}_$][\p{L}\p{N}_$]*/uy;

const HINTS: Readonly<Record<string, string>> = {
  '=': 'write == to compare',
  '&': 'write && or and',
  ';': 'a condition is one expression',
};

/** Throws a ConditionFault for what is no token. The last token is the end. */
export function lex(source: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = skipSpace(source, 0);
  while (at < source.length) {
    const { token, end } = readToken(source, at);
    // Any word may name a field.
    const field = /^\??\.$/.test(tokens.at(-1)?.text ?? '');
    if (token.kind === 'name' && UNSUPPORTED.includes(token.text) && !field) {
      fail(`${token.text} is not supported here`, at);
    }
    tokens.push(token);
    at = skipSpace(source, end);
  }
  tokens.push({ kind: 'end', at: source.length, text: '' });
  return tokens;
}

function skipSpace(source: string, from: number): number {
  let at = from;
  for (;;) {
    SPACE.lastIndex = at;
    const found = SPACE.exec(source);
    if (found === null) return at;
    at += found[0].length;
  }
}

function readToken(source: string, at: number): { token: Token; end: number } {
  const char = source.charAt(at);
  if (/[0-9]/.test(char) || (char === '.' && /[0-9]/.test(source.charAt(at + 1)))) {
    const number = readNumber(source, at);
    if (number.kind === 'int') return { token: { kind: 'int', at, text: number.digits }, end: number.end };
    const text = source.slice(at, number.end);
    return { token: { kind: 'float', at, text, value: number.value }, end: number.end };
  }
  if (char === '"' || char === "'" || char === '`') {
    const { value, end } = readString(source, at);
    return { token: { kind: 'string', at, text: value }, end };
  }
  NAME.lastIndex = at;
  const name = NAME.exec(source)?.[0];
  if (name !== undefined) return { token: wordToken(name, at), end: at + name.length };
  return readSign(source, at);
}

function wordToken(text: string, at: number): Token {
  return { kind: WORD_SIGNS.includes(text) ? 'sign' : 'name', at, text };
}

function readSign(source: string, at: number): { token: Token; end: number } {
  if (source.startsWith('/*', at)) fail('the comment is not closed: */ is missing', at);
  const double = SIGNS.find((sign) => source.startsWith(sign, at));
  const text = double ?? source.charAt(at);
  if (double === undefined && !SINGLE_SIGNS.includes(text)) {
    const shown = String.fromCodePoint(source.codePointAt(at) ?? 0);
    const hint = HINTS[shown];
    fail(`${shown} has no meaning here${hint === undefined ? '' : `; ${hint}`}`, at);
  }
  return { token: { kind: 'sign', at, text }, end: at + text.length };
}
