import { durationOf, type Token, tokensOf, Unsupported } from './lex.ts';

/** The part of PromQL that a play can answer: see `docs/simulate.md`. */
export type PromExpr =
  | { readonly kind: 'number'; readonly value: number }
  | {
      readonly kind: 'selector';
      readonly name: string;
      readonly matchers: readonly Matcher[];
      /** Null: an instant selector. */
      readonly rangeMs: number | null;
    }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly args: readonly PromExpr[] }
  | {
      readonly kind: 'aggregate';
      readonly op: AggregateOp;
      readonly grouping: Grouping;
      readonly arg: PromExpr;
    }
  | {
      readonly kind: 'binary';
      readonly op: BinaryOp;
      readonly left: PromExpr;
      readonly right: PromExpr;
    };

export interface Matcher {
  readonly label: string;
  readonly op: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

/** `by` keeps the labels, `without` drops them. */
export interface Grouping {
  readonly without: boolean;
  readonly labels: readonly string[];
}

export const AGGREGATES = ['sum', 'avg', 'min', 'max', 'count'] as const;
export type AggregateOp = (typeof AGGREGATES)[number];

/** Functions with how many arguments they take. */
const FUNCTIONS = {
  rate: 1,
  increase: 1,
  histogram_quantile: 2,
  vector: 1,
  scalar: 1,
  clamp_min: 2,
  clamp_max: 2,
  abs: 1,
} as const;
export type FunctionName = keyof typeof FUNCTIONS;

export type BinaryOp = '+' | '-' | '*' | '/' | 'or';

/** Throws Unsupported. */
export function parsePromql(query: string): PromExpr {
  return new Parser(tokensOf(query)).whole();
}

const LEVELS: readonly (readonly string[])[] = [['or'], ['+', '-'], ['*', '/']];
const DEEPEST = 100;

class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): PromExpr {
    const expr = this.#level(0);
    if (this.#token.kind !== 'end') throw new Unsupported(`${this.#token.text} is not simulated there`);
    return expr;
  }

  get #token(): Token {
    return this.#tokens[this.#at] as Token;
  }

  #is(text: string): boolean {
    const { kind } = this.#token;
    return (kind === 'sign' || kind === 'name') && this.#token.text === text;
  }

  #accept(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (!this.#accept(text)) throw new Unsupported(`${text} is wanted where ${this.#token.text} stands`);
  }

  #next(): Token {
    const token = this.#token;
    this.#at++;
    return token;
  }

  /** Left-associative operators of one level of precedence. */
  #level(level: number): PromExpr {
    const ops = LEVELS[level];
    if (ops === undefined) return this.#unary();
    let left = this.#level(level + 1);
    for (;;) {
      const op = ops.find((one) => this.#is(one));
      if (op === undefined) return left;
      this.#at++;
      for (const word of ['on', 'ignoring', 'bool']) {
        if (this.#is(word)) throw new Unsupported(`${word} is not simulated`);
      }
      left = { kind: 'binary', op: op as BinaryOp, left, right: this.#level(level + 1) };
    }
  }

  #unary(): PromExpr {
    if (++this.#depth > DEEPEST) throw new Unsupported('it is nested too deeply');
    try {
      if (this.#accept('+')) return this.#unary();
      if (!this.#accept('-')) return this.#primary();
      return { kind: 'binary', op: '*', left: { kind: 'number', value: -1 }, right: this.#unary() };
    } finally {
      this.#depth--;
    }
  }

  #primary(): PromExpr {
    if (this.#accept('(')) {
      const inner = this.#level(0);
      this.#expect(')');
      return inner;
    }
    const { kind, text } = this.#next();
    if (kind === 'number') return { kind: 'number', value: Number(text) };
    if (kind === 'sign' && text === '{') throw new Unsupported('a selector without a name is not simulated');
    if (kind !== 'name') throw new Unsupported(`${text} is not simulated there`);
    if (/^(?:inf|nan)$/i.test(text)) {
      return { kind: 'number', value: /^inf$/i.test(text) ? Number.POSITIVE_INFINITY : Number.NaN };
    }
    const aggregate = AGGREGATES.find((op) => op === text);
    if (aggregate !== undefined) return this.#aggregate(aggregate);
    return this.#is('(') ? this.#call(text) : this.#selector(text);
  }

  #aggregate(op: AggregateOp): PromExpr {
    const before = this.#grouping();
    this.#expect('(');
    const arg = this.#level(0);
    this.#expect(')');
    const grouping = before ?? this.#grouping() ?? { without: false, labels: [] };
    return { kind: 'aggregate', op, grouping, arg };
  }

  #grouping(): Grouping | null {
    const without = this.#is('without');
    if (!without && !this.#is('by')) return null;
    this.#at++;
    this.#expect('(');
    const labels: string[] = [];
    while (!this.#accept(')')) {
      labels.push(this.#next().text);
      if (!this.#accept(',') && !this.#is(')')) this.#expect(')');
    }
    return { without, labels };
  }

  #call(name: string): PromExpr {
    if (!Object.hasOwn(FUNCTIONS, name)) throw new Unsupported(`${name}() is not simulated`);
    this.#expect('(');
    const args: PromExpr[] = [];
    while (!this.#accept(')')) {
      args.push(this.#level(0));
      if (!this.#accept(',') && !this.#is(')')) this.#expect(')');
    }
    const known = name as FunctionName;
    if (args.length !== FUNCTIONS[known])
      throw new Unsupported(`${name}() takes ${FUNCTIONS[known]} arguments`);
    const ranged = args[0]?.kind === 'selector' && args[0].rangeMs !== null;
    if ((known === 'rate' || known === 'increase') && !ranged) {
      throw new Unsupported(`${name}() is simulated for a plain range such as [5m] only`);
    }
    return { kind: 'call', name: known, args };
  }

  #selector(name: string): PromExpr {
    const matchers: Matcher[] = [];
    if (this.#accept('{')) {
      while (!this.#accept('}')) {
        matchers.push(this.#matcher());
        if (!this.#accept(',') && !this.#is('}')) this.#expect('}');
      }
    }
    let rangeMs: number | null = null;
    if (this.#accept('[')) {
      const { kind, text } = this.#next();
      if (kind !== 'duration') throw new Unsupported(`a range of ${text} is not simulated`);
      rangeMs = durationOf(text);
      if (this.#is(':')) throw new Unsupported('subqueries are not simulated');
      this.#expect(']');
    }
    if (this.#is('offset') || this.#is('@')) throw new Unsupported(`${this.#token.text} is not simulated`);
    return { kind: 'selector', name, matchers, rangeMs };
  }

  #matcher(): Matcher {
    const label = this.#next();
    const op = this.#next();
    const value = this.#next();
    const sound = label.kind === 'name' && /^(?:=|!=|=~|!~)$/.test(op.text) && value.kind === 'string';
    if (!sound) throw new Unsupported(`${label.text}${op.text}${value.text} is no matcher`);
    return { label: label.text, op: op.text as Matcher['op'], value: value.text };
  }
}
