import type { CompilePattern } from './compile.ts';
import { fail } from './fault.ts';

/**
 * Steps that one evaluation may take: one a node, and more for long lists and
 * texts. Some 10 ms of work, since requests wait while a condition is judged.
 */
const MAX_STEPS = 250_000;
const CHARS_PER_STEP = 64;

/** One evaluation: what it looks at, and what it has spent. */
export class Run {
  readonly result: unknown;
  readonly #compilePattern: CompilePattern;
  readonly #tests = new Map<string, (text: string) => boolean>();
  #steps = 0;

  constructor(result: unknown, compilePattern: CompilePattern) {
    this.result = result;
    this.#compilePattern = compilePattern;
  }

  spend(steps: number, at: number): void {
    this.#steps += steps;
    if (this.#steps > MAX_STEPS) fail('the condition takes too many steps on this result', at);
  }

  spendText(text: string, at: number): void {
    this.spend(Math.ceil(text.length / CHARS_PER_STEP), at);
  }

  /** The test of a pattern, compiled once an evaluation. */
  test(pattern: string): (text: string) => boolean {
    const held = this.#tests.get(pattern);
    if (held !== undefined) return held;
    const made = this.#compilePattern(pattern);
    this.#tests.set(pattern, made);
    return made;
  }
}
