import { didYouMean } from '../../closest.ts';
import type { Expr } from './ast.ts';
import { fail } from './fault.ts';
import { type Token, WORD_SIGNS } from './lex.ts';

/** Brackets, predicates and the like inside each other. */
const MAX_NESTING = 64;
/** Operators in a row make a tall tree too, and whatever walks the tree stands on the stack. */
const MAX_HEIGHT = 256;

/** The parser's place among the tokens, and the bounds of what it may build. */
export class Cursor {
  readonly #tokens: readonly Token[];
  readonly #heights = new WeakMap<Expr, number>();
  #next = 0;
  #nesting = 0;
  #predicates = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get token(): Token {
    return this.#tokens[this.#next] as Token;
  }

  get following(): Token {
    return this.#tokens[Math.min(this.#next + 1, this.#tokens.length - 1)] as Token;
  }

  atEnd(): boolean {
    return this.token.kind === 'end';
  }

  /** Steps over the current token, and returns it. */
  take(): Token {
    const { token } = this;
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  is(sign: string): boolean {
    return this.token.kind === 'sign' && this.token.text === sign;
  }

  /** Steps over `sign` if it is the current token. */
  accept(sign: string): boolean {
    if (!this.is(sign)) return false;
    this.take();
    return true;
  }

  /** `what` says what needs the sign, such as `the list`. */
  expect(sign: string, what: string): void {
    if (!this.accept(sign)) this.unexpected(`${sign} of ${what}`);
  }

  unexpected(wanted: string): never {
    const { token } = this;
    if (token.kind === 'end') fail(`the condition ends too early: ${wanted} is missing`, token.at);
    const hint = token.kind === 'name' ? didYouMean(token.text, WORD_SIGNS) : '';
    const shown = token.kind === 'string' ? JSON.stringify(token.text) : token.text;
    fail(`unexpected ${shown}${hint === '' ? `; ${wanted} is expected` : hint}`, token.at);
  }

  nested<T>(parse: () => T): T {
    if (++this.#nesting > MAX_NESTING) {
      fail(`the condition is nested too deeply; at most ${MAX_NESTING} levels`, this.token.at);
    }
    const made = parse();
    this.#nesting--;
    return made;
  }

  get inPredicate(): boolean {
    return this.#predicates > 0;
  }

  predicate<T>(parse: () => T): T {
    this.#predicates++;
    const made = parse();
    this.#predicates--;
    return made;
  }

  /** Remembers how tall `expr` is, and refuses it when it is too tall. */
  node(expr: Expr, ...children: readonly (Expr | null)[]): Expr {
    let height = 1;
    for (const child of children) {
      if (child !== null) height = Math.max(height, 1 + (this.#heights.get(child) ?? 1));
    }
    if (height > MAX_HEIGHT) {
      fail(`the condition has too many operators in a row; at most ${MAX_HEIGHT}`, expr.at);
    }
    this.#heights.set(expr, height);
    return expr;
  }
}
