import t from 'tap';
import { compileCondition, MAX_CONDITION_CHARS } from '../../src/core/analysis/conditions/compile.ts';
import { compilePattern } from './conditions-table.ts';

const compiled = (source: string) => compileCondition(source, compilePattern);

/** `^` in the second line stands under the place that the error names. */
const faults: readonly (readonly [source: string, mark: string, message: RegExp])[] = [
  ['', '^', /the condition is empty/],
  ['  // nothing', '^', /the condition is empty/],
  ['results[0] > 1', '^', /unknown name results, did you mean result\?/],
  ['true and Result > 1', '         ^', /unknown name Result, did you mean result\?/],
  ['value > 1', '^', /unknown name value; the measured value is result/],
  ['result == null', '          ^', /unknown name null, write nil/],
  ['result == True', '          ^', /unknown name True, did you mean true\?/],
  ['toString == 1', '^', /unknown name toString/],
  ['len > 1', '^', /len is a function: write len\(…\)/],
  ['1 < length(result)', '    ^', /there is no function length/],
  ['1 < lenn(result)', '    ^', /unknown function lenn, did you mean len\?/],
  ['isNan(result)', '^', /unknown function isNan, did you mean isNaN\?/],
  ['constructor(result)', '^', /there is no function constructor/],
  ['result(1)', '^', /no function result/],
  ['len() > 1', '^', /len\(\) takes one argument/],
  ['len(result, 1) > 1', '^', /len\(\) takes one argument/],
  ['default(result) > 1', '^', /default\(\) takes 2 arguments/],
  ['trim("a", "b", "c") == ""', '^', /trim\(\) takes 1 or 2 arguments/],
  ['max() > 1', '^', /max\(\) takes one argument or more/],
  ['all(result)', '^', /all\(\) takes a list and a predicate/],
  ['all(result, # > 1, 2)', '^', /all\(\) takes a list and a predicate/],
  ['count(result, # > 1, 2) > 1', '^', /count\(\) takes a list, and a predicate if you like/],
  ['result | 1', '         ^', /\| needs a function after it/],
  ['# > 1', '^', /# stands for an item/],
  ['.x > 1', '^', /\. stands for an item/],
  ['all(#, true)', '    ^', /# stands for an item/],
  ['all(result, #foo > 1)', '            ^', /#foo is not supported/],
  ['result.foo() == 1', '       ^', /values have no methods, and so no foo\(\)/],
  ['result. == 1', '        ^', /unexpected ==; the name of a field is expected/],
  ['(result > 1', '           ^', /ends too early: \) of the parentheses is missing/],
  ['result > 1)', '          ^', /unexpected \)/],
  ['result >', '        ^', /ends too early: a value is missing/],
  ['result[0 > 1', '            ^', /\] of the index is missing|: of the slice/],
  ['result[0:1 > 1', '              ^', /\] of the slice is missing/],
  ['[1, 2 == 1', '          ^', /, or \] of the list is missing/],
  ['[1 2] == 1', '   ^', /unexpected 2; , or \] of the list is expected/],
  ['{a 1} == 1', '   ^', /unexpected 1; : of the map is expected/],
  ['{[]: 1} == 1', ' ^', /unexpected \[; a key of the map/],
  ['all(result, {# > 1)', '                  ^', /unexpected \); } of the predicate/],
  ['result > 1 ? true', '                 ^', /: of the choice is missing/],
  ['result 1', '       ^', /unexpected 1; an operator or the end is expected/],
  ['result "a"', '       ^', /unexpected "a"/],
  ['result startswith "a"', '       ^', /unexpected startswith, did you mean startsWith\?/],
  ['result not 1', '       ^', /unexpected not; an operator is expected/],
  ['result = 1', '       ^', /= has no meaning here; write == to compare/],
  ['result > 1 & true', '           ^', /& has no meaning here; write && or and/],
  ['result > 1; true', '          ^', /; has no meaning here; a condition is one expression/],
  ['result @ 1', '       ^', /@ has no meaning here/],
  ['let x = 1', '^', /let is not supported here/],
  ['if true', '^', /if is not supported here/],
  ['result == "a', '          ^', /the string is not closed: " is missing/],
  ['result == "a\\q"', '            ^', /\\q is not an escape/],
  ['result > 1 /* a', '           ^', /the comment is not closed/],
  ['result > 1x', '         ^', /1x is not a number/],
  ['result > 0x', '         ^', /0x is not a number/],
  ['result > 1e', '         ^', /1e is not a number/],
  ['result > 1e999', '         ^', /1e999 is too large/],
  ['result > 9223372036854775808', '         ^', /too large for a whole number/],
  ['result ?? 1 > 2', '            ^', /\?\? and > cannot stand side by side/],
  ['result matches result', '               ^', /matches needs a pattern that is written out/],
  ['result matches "a" + "b"', '               ^', /matches needs a pattern that is written out/],
  [
    'true and result matches "("',
    '                ^',
    /the pattern of matches is wrong: .*(nterminated|missing)/,
  ],
  ['1 + 2', '^', /must give true or false, but gives int/],
  ['len(result)', '^', /but gives int/],
  ['"result > 1"', '^', /but gives string/],
  ['filter(result, # > 1)', '^', /but gives array/],
  ['nil', '^', /but gives nil/],
  ['1 == "a"', '  ^', /== cannot be used on int and string/],
  ['not result > 1', '           ^', /> cannot be used on bool and int/],
  ['!1', '^', /not needs true or false, not int/],
  ['-"a" == 1', '^', /- needs a number, not string/],
  ['len(result) and true', '            ^', /and cannot be used on int and bool/],
  ['1.5 % 2 == 1', '    ^', /% needs whole numbers/],
  ['"a" - 1 == 1', '    ^', /- cannot be used on string and int/],
  ['len(1) == 1', '    ^', /len\(\) takes list or map or string, not int/],
  ['all(1, true)', '    ^', /all\(\) takes list, not int/],
  ['all(result, 1)', '            ^', /the predicate of all\(\) must give true or false, not int/],
  ['1 in 2', '  ^', /in needs a list or a map after it, not int/],
  ['nil.x == 1', '   ^', /unexpected \./],
  ['[1].x == 1', '    ^', /a list has no field x/],
  ['1 ? true : false', '^', /\? needs true or false before it, not int/],
  ['{(1): 2} == nil', '  ^', /a key of a map must be a string, not int/],
];

t.test('errors name the place and the cure', async (t) => {
  for (const [source, mark, message] of faults) {
    const answer = compiled(source);
    t.equal(answer.ok, false, `${source} is refused`);
    if (answer.ok) continue;
    t.match(answer.message, message, source);
    t.equal(answer.at, mark.indexOf('^'), `${source}: place`);
  }
});

t.test('what compiles is plain data that keeps its source', async (t) => {
  const source =
    'all(result, {.x?.y[1:] in [1, 0x10, 2.5, "a", nil, true]}) ? {a: 1} == nil : -1 < len(result) <= 3';
  const answer = compiled(source);
  t.ok(answer.ok);
  if (!answer.ok) return;
  t.equal(answer.condition.source, source);
  t.strictSame(structuredClone(answer.condition), answer.condition);
  t.strictSame(JSON.parse(JSON.stringify(answer.condition)), answer.condition);
});

t.test('the tree of a condition', async (t) => {
  const answer = compiled('result[0] >= 0.99');
  t.strictSame(answer, {
    ok: true,
    condition: {
      source: 'result[0] >= 0.99',
      expr: {
        kind: 'compare',
        at: 10,
        first: {
          kind: 'member',
          at: 6,
          object: { kind: 'result', at: 0 },
          key: { kind: 'int', at: 7, digits: '0' },
          optional: false,
        },
        rest: [{ op: '>=', at: 10, right: { kind: 'float', at: 13, value: 0.99 } }],
      },
    },
  });
});

t.test('bounds are errors, not crashes', async (t) => {
  const nested = (levels: number) => `${'('.repeat(levels)}true${')'.repeat(levels)}`;
  t.equal(compiled(nested(60)).ok, true);
  for (const source of [nested(65), nested(2_000), '!'.repeat(4_000), '-'.repeat(4_000)]) {
    t.match(compiled(source), { ok: false, message: /nested too deeply; at most 64 levels/ });
  }
  t.match(compiled(`${'2**'.repeat(1_300)}2 > 1`), { ok: false, message: /nested too deeply/ });
  t.match(compiled('[{a:'.repeat(1_000)), { ok: false, message: /nested too deeply/ });
  t.match(compiled('all(result, '.repeat(300)), { ok: false, message: /nested too deeply/ });

  const row = (terms: number) => Array.from({ length: terms }, () => 'true').join('&&');
  t.equal(compiled(row(250)).ok, true);
  t.match(compiled(row(500)), { ok: false, message: /too many operators in a row; at most 256/ });
  t.match(compiled(`result${'.a'.repeat(1_000)}`), { ok: false, message: /too many operators/ });
  t.match(compiled(`result${'?:1'.repeat(1_000)}`), { ok: false, message: /too many operators|nested/ });

  t.equal(compiled('true'.padEnd(MAX_CONDITION_CHARS)).ok, true);
  t.match(compiled('true'.padEnd(MAX_CONDITION_CHARS + 1)), { ok: false, message: /longer than 4096/ });
  const long = compiled('x'.repeat(4_000));
  t.ok(!long.ok && long.message.length < 300, 'a message quotes no more than it needs');
});

t.test('a pattern compiler that throws something else is an answer too', async (t) => {
  const answer = compileCondition('result matches "a"', () => {
    throw 'refused';
  });
  t.match(answer, { ok: false, message: /the pattern of matches is wrong: refused/ });
});
