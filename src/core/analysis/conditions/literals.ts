import { fail } from './fault.ts';

/** Numbers and strings as they are written in a condition. */

const MAX_INT64 = 2n ** 63n - 1n;
const DECIMAL = /(?:\d[\d_]*)?(?:\.(?!\.)[\d_]*)?(?:[eE][+-]?\d[\d_]*)?/y;
const BASED = /0(?:[xX][0-9a-fA-F_]+|[oO][0-7_]+|[bB][01_]+)/y;
const NAME_PART = /[\p{L}\p{N}_$]/u;

export type NumberToken =
  | { readonly kind: 'int'; readonly digits: string; readonly end: number }
  | { readonly kind: 'float'; readonly value: number; readonly end: number };

/** The number that begins at `at`. */
export function readNumber(source: string, at: number): NumberToken {
  const text = match(BASED, source, at) || match(DECIMAL, source, at);
  const end = at + text.length;
  const bad = () => fail(`${source.slice(at, end + 1)} is not a number`, at);
  if (NAME_PART.test(source.charAt(end))) return bad();
  const plain = text.replaceAll('_', '');
  if (/^0[xob]$/i.test(plain)) return bad();
  if (/^(?:0[xob]|\d+$)/i.test(plain)) {
    const value = BigInt(plain.toLowerCase());
    if (value > MAX_INT64) fail(`${text} is too large for a whole number of 64 bits`, at);
    return { kind: 'int', digits: value.toString(), end };
  }
  const value = Number(plain);
  if (Number.isNaN(value)) return bad();
  if (!Number.isFinite(value)) fail(`${text} is too large`, at);
  return { kind: 'float', value, end };
}

function match(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? '';
}

export interface StringToken {
  readonly value: string;
  /** Offset after the closing quote. */
  readonly end: number;
}

/** The string whose opening quote stands at `at`: '…' and "…" with escapes, `…` without. */
export function readString(source: string, at: number): StringToken {
  const quote = source.charAt(at);
  let value = '';
  let i = at + 1;
  while (i < source.length) {
    const char = source.charAt(i);
    if (char === quote) {
      if (quote !== '`' || source.charAt(i + 1) !== '`') return { value, end: i + 1 };
      value += '`';
      i += 2;
    } else if (char === '\\' && quote !== '`') {
      const escaped = readEscape(source, i);
      value += escaped.value;
      i = escaped.end;
    } else {
      if (char === '\n' && quote !== '`') break;
      value += char;
      i++;
    }
  }
  return fail(`the string is not closed: ${quote} is missing`, at);
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
  '`': '`',
};
const CODE =
  /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y;

function readEscape(source: string, at: number): StringToken {
  const letter = source.charAt(at + 1);
  if (Object.hasOwn(SIMPLE, letter)) return { value: SIMPLE[letter] as string, end: at + 2 };
  CODE.lastIndex = at;
  const found = CODE.exec(source);
  if (found !== null) {
    const hex = found[1] ?? found[2] ?? found[3] ?? found[4];
    const code = hex === undefined ? Number.parseInt(found[5] as string, 8) : Number.parseInt(hex, 16);
    if (code <= 0x10ffff) return { value: String.fromCodePoint(code), end: at + found[0].length };
  }
  return fail(`\\${letter} is not an escape; write \\\\ for a backslash`, at);
}
