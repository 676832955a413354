import fc from 'fast-check';
import t from 'tap';
import { FUNCTION_NAMES } from '../../src/core/analysis/conditions/ast.ts';
import { compileCondition } from '../../src/core/analysis/conditions/compile.ts';
import { evaluate } from '../../src/core/analysis/conditions/evaluate.ts';
import { compilePattern } from './conditions-table.ts';

function said(source: string, result: unknown): unknown {
  const compiled = compileCondition(source, compilePattern);
  if (!compiled.ok) return compiled;
  const answer = evaluate(compiled.condition.expr, result, compilePattern);
  return answer.ok ? answer.value : answer;
}

const results = fc.oneof(
  fc.jsonValue(),
  fc.double(),
  fc.array(fc.double(), { maxLength: 5 }),
  fc.constant(undefined),
);
const words = fc.constantFrom(
  ...FUNCTION_NAMES.flatMap((name) => [name, `${name}(`, `${name}(result`, `${name}(result, #`]),
  ...'result result[0] result.a true false nil # .x ( ) [ ] { } , : ? ?. ?? . .. | ! not and or && || in'.split(
    ' ',
  ),
  ...'matches contains startsWith endsWith == != < <= > >= + - * / % ** ^ 0 1 -1 2.5 "a" `b` [1,2] {a:1}'.split(
    ' ',
  ),
  '"("',
  '9223372036854775807',
);
const phrases = fc.array(words, { maxLength: 14 }).map((parts) => parts.join(' '));

/** Mostly of a type that is known only with the result. */
const LEAVES = 'result result result result[0] result[0] result.a result?.a 3 0.5 "a" true [1,2] {a:1}'.split(
  ' ',
);
const BINARY = '== != < <= > >= + - * / % ** .. and or in contains startsWith ??'.split(' ');
const PREDICATES = ['all', 'any', 'one', 'none', 'map', 'filter', 'find', 'count', 'sum'];
const PLAIN = FUNCTION_NAMES.filter(
  (name) => name !== 'default' && !/^(all|any|one|none|map|filter|find)$/.test(name),
);

t.test('no text throws, neither when it is compiled nor when it is evaluated', async () => {
  const texts = fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 60 }), phrases);
  fc.assert(
    fc.property(texts, results, (source, result) => {
      const compiled = compileCondition(source, compilePattern);
      if (!compiled.ok) return compiled.at >= 0 && compiled.at <= source.length && compiled.message !== '';
      const answer = evaluate(compiled.condition.expr, result, compilePattern);
      return answer.ok || (answer.at >= 0 && answer.at <= source.length && answer.message !== '');
    }),
    { numRuns: 10_000 },
  );
});

/** Conditions whose grammar is right, whatever becomes of their types. */
const { any: anyCondition } = fc.letrec<{ any: string }>((tie) => {
  const any = tie('any');
  return {
    any: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom(...LEAVES),
      fc.tuple(any, any, fc.constantFrom(...BINARY)).map(([a, b, op]) => `(${a}) ${op} (${b})`),
      any.map((a) => `(${a})[0]`),
      any.map((a) => `(${a})?.x.y`),
      any.map((a) => `(${a})[1:]`),
      any.map((a) => `-(${a})`),
      any.map((a) => `not (${a})`),
      any.map((a) => `(${a}) matches "^a"`),
      fc.tuple(any, any, any).map(([a, b, c]) => `(${a}) ? (${b}) : (${c})`),
      fc.tuple(any, any).map(([a, b]) => `[${a}, {k: ${b}}]`),
      fc.tuple(fc.constantFrom(...PLAIN), any).map(([name, a]) => `${name}(${a})`),
      fc.tuple(any, any).map(([a, b]) => `default(${a}, ${b})`),
      fc
        .tuple(fc.constantFrom(...PREDICATES), any, any, fc.constantFrom('#', '.x', 'true'))
        .map(([name, list, test, item]) => `${name}(${list}, {${item} == (${test})})`),
    ),
  };
});

t.test('no well-formed condition throws, and it says the same after it was on disk', async (t) => {
  let compiledCount = 0;
  let answered = 0;
  fc.assert(
    fc.property(anyCondition, results, (part, result) => {
      const compiled = compileCondition(`(${part}) == nil or true`, compilePattern);
      if (!compiled.ok) return compiled.message !== '';
      compiledCount++;
      const { expr } = compiled.condition;
      const answer = evaluate(expr, result, compilePattern);
      if (answer.ok) answered++;
      const again = evaluate(JSON.parse(JSON.stringify(expr)), result, compilePattern);
      return JSON.stringify(again) === JSON.stringify(answer) && (!answer.ok || answer.value === true);
    }),
    { numRuns: 10_000 },
  );
  t.ok(compiledCount > 2_000 && answered > 400, `${compiledCount} compiled, ${answered} gave a value`);
});

/** A whole-valued or fractional literal, or the result, with what it is worth. */
type Term = readonly [source: string, value: number];

const RESULT = 2.75;
const { term } = fc.letrec<{ term: Term }>((tie) => ({
  term: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.integer({ min: 0, max: 1_000 }).map((n): Term => [`${n}.0`, n]),
    fc.constant<Term>(['result', RESULT]),
    fc.tuple(tie('term'), tie('term'), fc.constantFrom('+', '-', '*', '/')).map(([a, b, op]): Term => {
      return [`(${a[0]} ${op} ${b[0]})`, calculate(op, a[1], b[1])];
    }),
    tie('term').map(([source, value]): Term => [`(-${source})`, -value]),
    tie('term').map(([source, value]): Term => [`abs(${source})`, Math.abs(value)]),
    fc
      .tuple(tie('term'), tie('term'))
      .map(
        ([a, b]): Term => [`(${a[0]} < ${b[0]} ? ${a[0]} : ${b[0]} * 3.0)`, a[1] < b[1] ? a[1] : b[1] * 3],
      ),
  ),
}));

function calculate(op: string, a: number, b: number): number {
  if (op === '+') return a + b;
  if (op === '-') return a - b;
  return op === '*' ? a * b : a / b;
}

t.test('arithmetic agrees with IEEE 754', async (t) => {
  let seen = 0;
  fc.assert(
    fc.property(term, ([source, value]) => {
      // A doubled choice can outgrow the bound on the text.
      fc.pre(source.length < 2_000);
      seen++;
      const probe = Number.isNaN(value) ? `isNaN(${source})` : `${source} == asFloat("${text(value)}")`;
      return said(probe, RESULT) === true;
    }),
    { numRuns: 2_000 },
  );
  t.ok(seen > 1_000);
});

function text(value: number): string {
  return String(value).replace('Infinity', 'Inf');
}

t.test('ints are those of 64 bits', async () => {
  const ints = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
  fc.assert(
    fc.property(ints, ints, fc.constantFrom('+', '-', '*', '%'), (a, b, op) => {
      fc.pre(op !== '%' || b !== 0n);
      const whole = op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : a % b;
      const wanted = BigInt.asIntN(64, whole);
      fc.pre(wanted !== -(2n ** 63n));
      return said(`(${a}) ${op} (${b}) == ${wanted}`, 0) === true;
    }),
  );
});

t.test('comparisons of floats agree with JavaScript', async () => {
  fc.assert(
    fc.property(fc.double(), fc.double(), (a, b) => {
      const result = [a, b];
      return (
        said('result[0] < result[1]', result) === a < b &&
        said('result[0] >= result[1]', result) === a >= b &&
        said('result[0] == result[1]', result) === (a === b) &&
        said('isNaN(result[0])', result) === Number.isNaN(a)
      );
    }),
  );
});

t.test('predicates agree with each other', async () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -5, max: 5 })), fc.integer({ min: -5, max: 5 }), (list, limit) => {
      const test = `(result, # > ${limit})`;
      const holding = list.filter((n) => n > limit);
      return (
        said(`all${test}`, list) === (holding.length === list.length) &&
        said(`any${test}`, list) === holding.length > 0 &&
        said(`none${test}`, list) === (holding.length === 0) &&
        said(`one${test}`, list) === (holding.length === 1) &&
        said(`count${test} == ${holding.length}`, list) === true &&
        said(`len(filter${test}) == ${holding.length}`, list) === true &&
        said(`find${test} == ${holding[0] ?? 'nil'}`, list) === true &&
        said(`sum(result) == ${list.reduce((sum, n) => sum + n, 0)}`, list) === true
      );
    }),
  );
});

t.test('a string that is written with escapes is the string', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (value) => {
      // JSON's escapes are among those of the language, but for \/, which JSON.stringify never writes.
      return said(`result == ${JSON.stringify(value)}`, value) === true;
    }),
  );
});
