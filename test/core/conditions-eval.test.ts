import t from 'tap';
import { compileCondition } from '../../src/core/analysis/conditions/compile.ts';
import { evaluate } from '../../src/core/analysis/conditions/evaluate.ts';
import { BODY, compilePattern, INF, NAN, said, table } from './conditions-table.ts';

table('what users of Argo Rollouts write', [
  ['result[0] >= 0.99', [0.995], true],
  ['result[0] >= 0.99', [0.98], false],
  ['result[0] >= 0.99', [], /index 0 is out of range: the list has 0 items/],
  ['result[0] >= 0.99', [NAN], false],
  ['result >= 0.95', 0.95, true],
  ['len(result) == 0 || result[0] < 0.05', [], true],
  ['len(result) > 0 && result[0] < 0.05', [], false],
  ['isNaN(result[0]) || result[0] <= 0.1', [NAN], true],
  ['isNaN(result) || isInf(result) || result >= 0.95', INF, true],
  ['all(result, {# < 0.5})', [0.1, 0.2], true],
  ['all(result, # < 0.5)', [0.1, 0.7], false],
  ['any(result, {# >= 0.5})', [0.1, 0.7], true],
  ["result.status == 'green'", BODY, true],
  ['result.ok && result.code == 3', BODY, true],
  ['result == true', true, true],
  ["result == 'ok'", 'ok', true],
  ['asFloat(result) >= 0.9', '0.95', true],
  ['asInt(result) == 7', '7', true],
  ['default(result, 0) < 0.05', null, true],
  ['default(result, 0) < 0.05', 0.5, false],
  ['isNil(result)', null, true],
  ['isNil(result)', [], false],
  ['true', 1, true],
]);

table('default and isNil look at the whole result, and their argument is evaluated', [
  ['default(result[0], 0) == 0', [], /out of range/],
  ['default(result[0], 0) == [4.0]', [4], true],
  ['isNil(result.none)', BODY, false],
  ['isNil(1)', null, true],
  ['default(1, 2) == 2', undefined, true],
]);

table('literals', [
  ['result == nil', null, true],
  ['nil == nil', 1, true],
  ['[1, 2.5, "a", nil, true,] == [1.0, 2.5, \'a\', nil, true]', 1, true],
  ['{a: 1, "b c": 2, 3: 4, ("d" + "e"): 5,} == {"a": 1, "b c": 2, "3": 4, de: 5}', 1, true],
  ['{a: 1}.a == 1 and {a: 1}["a"] == 1', 1, true],
  ['{}.x == nil and [] == []', 1, true],
  ['{"__proto__": 1}.toString == nil', 1, true],
  ['0x2A == 42 and 0o52 == 42 and 0b101010 == 42 and 1_000 == 1000 and 007 == 7', 1, true],
  ['.5 == 0.5 and 1e3 == 1000 and 2.5E-1 == 0.25 and 1. == 1', 1, true],
  ['9223372036854775807 + 1 == -9223372036854775807 - 1', 1, true],
  ['"\\n\\t\\\\\\"\\x41\\u00e9\\u{1F600}\\101" == result', '\n\t\\"Aé😀A', true],
  ['`raw \\n ``x``` == result', 'raw \\n `x`', true],
  ['/* a */ result // b\n == 1', 1, true],
]);

table('arithmetic', [
  ['result + 1 == 3 and result - 1 == 1 and result * 3 == 6', 2, true],
  ['7 / 2 == 3.5', 1, true],
  ['1 / 0 > 1e308 and isInf(-1 / 0) and isNaN(0 / 0)', 1, true],
  ['7 % 3 == 1 and -7 % 3 == -1', 1, true],
  ['int(result) % 2 == 1', 3, true],
  ['7 % 0 == 1', 1, /% cannot divide by zero/],
  ['result % 2 == 1', 3, /% needs whole numbers/],
  ['result.code % 2 == 1', BODY, /% needs whole numbers/],
  ['2 ** 3 ** 2 == 512 and 2 ^ 3 == 8', 1, true],
  ['-2 ** 2 == -4', 1, true],
  ['1 ** result == 1 and (-1) ** (1 / 0) == 1', NAN, true],
  ['1 + 2 * 3 - 4 / 2 == 5', 1, true],
  ['-result == -2 and +result == 2 and - -result == 2', 2, true],
  ['"a" + "b" + result == "abc"', 'c', true],
  ['result + 1 > 0', 'c', /\+ cannot be used on string and int/],
  ['result.status + 1 > 0', BODY, /\+ needs a number, not string/],
  ['result.none - 1 > 0', BODY, /- needs a number, not nil/],
  ['-result.ok > 0', BODY, /- needs a number, not bool/],
]);

table('comparison', [
  ['1 < 2 and 2 <= 2 and 3 > 2 and 3 >= 3', 1, true],
  ['1 < 1 or 2 <= 1 or 2 > 3 or 2 >= 3', 1, false],
  ['1 == 1.0 and 1 != 2 and result == 1', 1, true],
  ['"a" < "b" and "b" >= "a"', 1, true],
  ['0 < result < 10', 5, true],
  ['0 < result < 4', 5, false],
  ['0 < result <= 5 == true', 5, true],
  ['result == result', NAN, false],
  ['result < 1 or result >= 1', NAN, false],
  ['result != 1', NAN, true],
  ['result[0] == "1"', [1], /== cannot be used on float and string/],
  ['result == "1"', 1, /== cannot be used on float and string/],
  ['result.code == "3"', BODY, false],
  ['result.code != "3"', BODY, true],
  ['result.status < 3', BODY, /< cannot be used on string and int/],
  ['result < 3', 'a', /< cannot be used on string and int/],
  ['result < 3', null, /< cannot be used on nil and int/],
  ['result.none < 3', BODY, /< cannot be used on nil and int/],
  ['result.list == [1, 2, 3] and result.list != [1, 2]', BODY, true],
  ['result.items[0] == {x: 1} and result.items[0] != {y: 1}', BODY, true],
]);

table('logic', [
  ['true and not false', 1, true],
  ['not true or !true', 1, false],
  ['false and result[9] > 1', [1], false],
  ['true or result[9] > 1', [1], true],
  ['true or false and false', 1, true],
  ['result && true', 1, /and cannot be used on float and bool/],
  ['result.code and true', BODY, /and needs true or false, not float/],
  ['true and result.code', BODY, /and needs true or false, not float/],
  ['not result.code', BODY, /not needs true or false, not float/],
  ['result > 1 ? true : false', 2, true],
  ['result > 1 ? result[0] == 1 : true', 1, /float has no items/],
  ['false ?: result == 1', 1, true],
  ['(result == 1 ?: false) == true', 1, true],
  ['result.code ? true : false', BODY, /\? needs true or false, not float/],
  ['(result.none ?? 3) == 3 and (result.code ?? 4) == 3', BODY, true],
  ['(result ?? 1) == 1', null, true],
]);

table('members, indexes and slices', [
  ['result.list[0] == 1 and result["list"][2] == 3', BODY, true],
  ['result[-1] == 3 and result[-3] == 1', [1, 2, 3], true],
  ['result[-4] == 3', [1, 2, 3], /index -4 is out of range: the list has 3 items/],
  ['result[3] == 3', [1, 2, 3], /index 3 is out of range/],
  ['result["a"] == 3', [1, 2, 3], /a list has no field a/],
  ['result[1.5] == 3', [1, 2, 3], /the index of a list must be a whole number, not float/],
  ['result.missing == nil', BODY, true],
  ['result.toString == nil and result.constructor == nil', BODY, true],
  ['result.missing.x == nil', BODY, /nil has no field x/],
  ['result.missing?.x.y.z == nil', BODY, true],
  ['result.missing?.[0][1:] == nil', BODY, true],
  ['result.items?.[1].x == 5', BODY, true],
  ['result?.x == nil', null, true],
  ['(result?.x).y == nil', null, /nil has no field y/],
  ['result.x == 1', 1, /float has no field x/],
  ['result.status.x == 1', BODY, /string has no field x/],
  ['result.status[0] == "g"', BODY, /string has no items/],
  ['result.in == 1 and result.not == 2 and result.if == 3', { in: 1, not: 2, if: 3 }, true],
  ['result[1] == 1', { a: 1 }, /the key of a map must be a string, not int/],
  ['result[1:] == [2, 3] and result[:1] == [1] and result[:] == result', [1, 2, 3], true],
  [
    'result[-2:] == [2, 3] and result[1:-1] == [2] and result[9:] == [] and result[2:1] == []',
    [1, 2, 3],
    true,
  ],
  ['result[0:2] == "gr" and result[-1:] == "n"', 'green', true],
  ['result[1:] == 1', 1, /float cannot be sliced/],
  ['result.code[1:] == 1', BODY, /float cannot be sliced/],
  ['result[result[0]:] == []', [NAN], /the ends of a slice must be whole numbers, not float/],
  ['result.list[result.n:] == []', { list: [1], n: NAN }, /cannot be NaN/],
]);

table('membership and text', [
  ['2 in result and 9 not in result', [1, 2], true],
  ['"a" in result', [1, 2], /in cannot be used on string and array of float/],
  ['"a" in result.list', BODY, false],
  ['"code" in result and "x" not in result and "toString" not in result', BODY, true],
  ['1 in result', BODY, /in cannot be used on int and map/],
  ['"a" in result', 'abc', /use contains for text/],
  ['"a" in result.status', BODY, /in needs a list or a map/],
  ['1 in result.none', BODY, false],
  ['1 not in result', null, /in needs a list or a map after it, not nil/],
  ['result in ["a", "b"]', 'b', true],
  ['result in 1..3 and 4 not in 1..3 and len(3..1) == 0', 3, true],
  ['0.5..3 == [1]', 1, /not compiled: .. needs whole numbers/],
  ['result contains "re" and result startsWith "gr" and result endsWith "en"', 'green', true],
  ['result not contains "x" and result not startsWith "x" and result not endsWith "x"', 'green', true],
  ['result contains "re"', 1, /contains cannot be used on float and string/],
  ['result.code contains "re"', BODY, /contains needs a string, not float/],
  ['result matches "^gr.+n$"', 'green', true],
  ['result not matches "^x"', 'green', true],
  ['result.code matches "3"', BODY, /matches needs a string, not float/],
]);

t.test('pipes hand on the first argument', async (t) => {
  t.equal(said('result | filter(# > 1) | len() == 2', [1, 2, 3]), true);
  t.equal(said('(result | first()) == 1', [1]), true);
});

t.test('the value comes back as JSON has it', async (t) => {
  t.strictSame(said('default(result, 1)', null), 1);
  t.strictSame(said('default(result, [1, {a: 2}])', null), [1, { a: 2 }]);
  t.strictSame(said('result', { a: [1, undefined] }), { a: [1, null] });
  t.strictSame(said('result.missing', {}), null);
});

t.test('a condition that takes too long is stopped', async (t) => {
  const many = Array.from({ length: 1_000 }, (_, i) => i);
  t.match(said('all(result, all(1..1000, # >= 0))', many), /too many steps/);
  t.match(said('len(1..1000000000000) > 0', 1), /too many steps/);
  t.match(said('len(0..9007199254740992) > 0', 1), /cannot be 9007199254740992/);
  t.match(said('result == result', deep(200_000)), /too many steps|cannot be evaluated/);
  t.match(
    said('any(1..100000, string(result) contains "x")', 'y'.repeat(1_000_000)),
    /too many steps/,
    'long texts cost more',
  );
  t.equal(
    said(
      'all(result, # >= 0)',
      Array.from({ length: 20_000 }, () => 1),
    ),
    true,
    'a long series is no trouble',
  );
});

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < levels; i++) value = [value];
  return value;
}

t.test('a pattern is compiled once an evaluation, and what it throws is an answer', async (t) => {
  const compiled = compileCondition('all(result, # matches "a")', compilePattern);
  t.ok(compiled.ok);
  if (!compiled.ok) return;
  let times = 0;
  const counting = (source: string) => {
    times++;
    return compilePattern(source);
  };
  t.match(evaluate(compiled.condition.expr, ['a', 'ba', 'ca'], counting), { ok: true, value: true });
  t.equal(times, 1);
  const broken = evaluate(compiled.condition.expr, ['a'], () => {
    throw new Error('no engine');
  });
  t.match(broken, { ok: false, message: /no engine/ });
});

t.test('an error says where it came from', async (t) => {
  const compiled = compileCondition('len(result) > 5 or result[5] > 1', compilePattern);
  t.ok(compiled.ok);
  if (compiled.ok) t.match(evaluate(compiled.condition.expr, [1], compilePattern), { ok: false, at: 25 });
});
