/** What keeps a query from being simulated; the message says what. */
export class Unsupported extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unsupported';
  }
}

export interface Token {
  readonly kind: 'number' | 'name' | 'string' | 'duration' | 'sign' | 'end';
  /** Of a string: what it stands for. */
  readonly text: string;
}

const SPACE = /(?:\s|#[^\n]*)+/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y;
const DURATION = /(?:\d+(?:ms|[smhdwy]))+(?!\w)/y;
const NAME = /[a-zA-Z_][\w:]*/y;
const STRING = /"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`[^`]*`/y;
const SIGN = /=~|!~|!=|==|<=|>=|[-+*/%^(){}[\],=<>@:]/y;

export function tokensOf(query: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(query);
    if (found === null) return null;
    at = pattern.lastIndex;
    return found[0];
  };
  const kinds = [
    ['duration', DURATION],
    ['number', NUMBER],
    ['name', NAME],
    ['string', STRING],
    ['sign', SIGN],
  ] as const;
  for (;;) {
    take(SPACE);
    if (at === query.length) break;
    let found = false;
    for (const [kind, pattern] of kinds) {
      const text = take(pattern);
      if (text === null) continue;
      tokens.push({ kind, text: kind === 'string' ? unquote(text) : text });
      found = true;
      break;
    }
    if (!found) throw new Unsupported(`${JSON.stringify(query.slice(at, at + 12))} cannot be read`);
  }
  return [...tokens, { kind: 'end', text: 'the end' }];
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function unquote(text: string): string {
  const inner = text.slice(1, -1);
  return text.startsWith('`') ? inner : inner.replace(/\\(.)/gs, (_, char: string) => ESCAPES[char] ?? char);
}

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
  y: 31_536_000_000,
};

export function durationOf(text: string): number {
  let ms = 0;
  for (const [, number, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g)) {
    ms += Number(number) * (UNIT_MS[unit as string] as number);
  }
  return ms;
}
