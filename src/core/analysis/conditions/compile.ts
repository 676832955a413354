import type { Condition } from '../plan.ts';
import type { Expr } from './ast.ts';
import { typeOf } from './check.ts';
import { ConditionFault, fail } from './fault.ts';
import { parse } from './parse.ts';
import { ANY, mayBe, nameOf } from './types.ts';

/** Turns a pattern's source into a linear-time test, and throws with the reason when it cannot; see ports.ts. */
export type CompilePattern = (source: string) => (text: string) => boolean;

/** `at` is the 0-based offset in the source. */
export type CompiledCondition =
  | { readonly ok: true; readonly condition: Condition }
  | { readonly ok: false; readonly message: string; readonly at: number };

export const MAX_CONDITION_CHARS = 4096;

/** Compiles a condition of Argo Rollouts (a subset of expr-lang); what is wrong with it is an answer, never thrown. */
export function compileCondition(source: string, compilePattern: CompilePattern): CompiledCondition {
  try {
    if (source.length > MAX_CONDITION_CHARS) {
      fail(`the condition is longer than ${MAX_CONDITION_CHARS} characters`, MAX_CONDITION_CHARS);
    }
    const expr = parse(source);
    checkPatterns(expr, compilePattern);
    const type = typeOf(expr, { result: ANY, item: null });
    if (!mayBe(type, 'bool')) {
      fail(`the condition must give true or false, but gives ${nameOf(type)}`, 0);
    }
    return { ok: true, condition: { source, expr } };
  } catch (error) {
    if (error instanceof ConditionFault) return { ok: false, message: error.message, at: error.at };
    return { ok: false, message: `the condition cannot be read: ${reasonOf(error)}`, at: 0 };
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Visits every node: whatever of a node is an object is a node or holds some. */
function checkPatterns(part: unknown, compilePattern: CompilePattern): void {
  if (typeof part !== 'object' || part === null) return;
  if (isMatches(part)) {
    try {
      compilePattern(part.pattern);
    } catch (error) {
      fail(`the pattern of matches is wrong: ${reasonOf(error)}`, part.at);
    }
  }
  for (const child of Object.values(part)) checkPatterns(child, compilePattern);
}

function isMatches(part: object): part is Extract<Expr, { kind: 'matches' }> {
  return 'kind' in part && part.kind === 'matches';
}
