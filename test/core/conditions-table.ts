import t from 'tap';
import { compileCondition } from '../../src/core/analysis/conditions/compile.ts';
import { evaluate } from '../../src/core/analysis/conditions/evaluate.ts';

/** Tables of conditions, the results that they judge, and what they say. */

export const compilePattern = (source: string) => {
  const pattern = new RegExp(source, 'u');
  return (text: string) => pattern.test(text);
};

/** What the condition says of the result, or its error as a text. */
export function said(source: string, result: unknown): unknown {
  const compiled = compileCondition(source, compilePattern);
  if (!compiled.ok) return `not compiled: ${compiled.message}`;
  // As it comes back from disk.
  const expr = JSON.parse(JSON.stringify(compiled.condition.expr));
  const answer = evaluate(expr, result, compilePattern);
  return answer.ok ? answer.value : answer.message;
}

export type Row = readonly [source: string, result: unknown, said: boolean | RegExp];

export function table(name: string, rows: readonly Row[]): void {
  t.test(name, async (t) => {
    for (const [source, result, wanted] of rows) {
      const name = `${source} of ${JSON.stringify(result)}`;
      if (typeof wanted === 'boolean') t.equal(said(source, result), wanted, name);
      else t.match(said(source, result), wanted, name);
    }
  });
}

export const { NaN: NAN, POSITIVE_INFINITY: INF } = Number;
export const BODY = {
  ok: true,
  status: 'green',
  code: 3,
  list: [1, 2, 3],
  items: [{ x: 1 }, { x: 5 }],
  none: null,
};
