import t from 'tap';
import { FUNCTION_NAMES } from '../../src/core/analysis/conditions/ast.ts';
import { BODY, INF, NAN, type Row, table } from './conditions-table.ts';

const functions: Readonly<Record<string, readonly Row[]>> = {
  asInt: [
    ['asInt("12") == 12 and asInt("-3") == -3 and asInt(1.9) == 1 and asInt(2) == 2', 1, true],
    ['asInt(result) == 1', '1.1', /asInt\(\): "1.1" is no whole number/],
    ['asInt(result) == 1', '99999999999999999999', /is no whole number/],
    ['asInt(result) == 1', NAN, /asInt\(\) has no whole number for NaN/],
    ['asInt(result) == 1', true, /asInt\(\) takes int or float or string, not bool/],
  ],
  asFloat: [
    [
      'asFloat("1.5") == 1.5 and asFloat(2) == 2 and asFloat("1e3") == 1000 and asFloat(".5") == 0.5',
      1,
      true,
    ],
    ['isNaN(asFloat("NaN")) and isInf(asFloat("+Inf")) and asFloat("-inf") < 0', 1, true],
    ['asFloat(result) == 1', 'x', /asFloat\(\): "x" is no number/],
    ['asFloat(result) == 1', '', /is no number/],
    ['asFloat(result) == 1', '1e999', /is no number/],
    ['asFloat(result) == "1.1"', '1.1', /== cannot be used on float and string/],
    ['asFloat(result.none) == 1', BODY, /asFloat\(\) needs a number or a string, not nil/],
  ],
  isNaN: [
    ['isNaN(result)', NAN, true],
    ['isNaN(1) or isNaN(result)', 1, false],
    ['isNaN(result)', 'a', /isNaN\(\) takes int or float, not string/],
    ['isNaN(result.none)', BODY, /isNaN\(\) needs a number, not nil/],
  ],
  isInf: [
    ['isInf(result) and isInf(-result)', INF, true],
    ['isInf(result)', NAN, false],
  ],
  isNil: [['isNil(result)', 0, false]],
  default: [['default(result, 1) == 5', 5, true]],
  len: [
    [
      'len(result.list) == 3 and len(result) == 6 and len(result.status) == 5 and len("é😀") == 2',
      BODY,
      true,
    ],
    ['len(result) == 0', 1, /len\(\) takes list or map or string, not float/],
    ['len(result.none) == 0', BODY, /len\(\) needs a list, a map or a string, not nil/],
  ],
  all: [
    ['all(result, # > 0) and all([], false)', [1, 2], true],
    ['all(result, .x > 0)', BODY.items, true],
    ['all(result, #.x > 0 and .x < 5)', BODY.items, false],
    ['all(result, # > 0)', 1, /all\(\) takes list, not float/],
    ['all(result.code, # > 0)', BODY, /all\(\) needs a list, not float/],
    ['all(result, #)', [1], /the predicate of all\(\) must give true or false, not float/],
    ['all(result.list, #)', BODY, /the predicate of all\(\) needs true or false, not float/],
    ['all(result.items, all(1..3, # > 0) and .x > 0)', BODY, true],
    ['all(result, len(filter(#, # > 1)) == 1)', [[1, 2], [3]], true],
  ],
  any: [
    ['any(result, # == 2) and not any([], true)', [1, 2], true],
    ['any(result, # == 3)', [1, 2], false],
  ],
  one: [
    ['one(result, # == 2)', [1, 2], true],
    ['one(result, # > 0)', [1, 2], false],
  ],
  none: [
    ['none(result, # > 2) and none([], true)', [1, 2], true],
    ['none(result, # > 1)', [1, 2], false],
  ],
  map: [
    ['map(result, # * 2) == [2, 4] and map(result, {string(#)}) == ["1", "2"]', [1, 2], true],
    ['map(result, .x) == [1, 5]', BODY.items, true],
  ],
  filter: [['filter(result, # > 1) == [2, 3]', [1, 2, 3], true]],
  find: [['find(result, # > 1) == 2 and find(result, # > 9) == nil', [1, 2, 3], true]],
  count: [
    ['count(result, # > 1) == 2 and count([true, false]) == 1', [1, 2, 3], true],
    ['count(result) == 1', [1], /count\(\) cannot be used on array of float/],
    ['count(result.list) == 1', BODY, /count\(\) needs true or false, not float/],
  ],
  sum: [
    ['sum(result) == 6 and sum(result, # * 2) == 12 and sum([]) == 0', [1, 2, 3], true],
    ['sum([1, 2]) % 2 == 1', 1, true],
    ['sum(["a"]) == 1', 1, /sum\(\) cannot be used on array of string/],
    ['sum(result) == 1', ['a'], /sum\(\) needs a number, not string/],
    ['sum(result, .x) == 6', BODY.items, true],
    ['sum(result, "a") == 6', [1], /sum\(\) adds numbers, not string/],
  ],
  mean: [
    ['mean(result) == 2 and mean(1, 2, [3, [6]]) == 3 and mean([]) == 0', [1, 2, 3], true],
    ['mean(result) == 2', [1, 'a'], /mean\(\) needs numbers, not string/],
    ['isNaN(mean(result))', [1, NAN], true],
  ],
  median: [['median(result) == 2 and median(4, 1, 3, 2) == 2.5 and median([]) == 0', [3, 1, 2], true]],
  min: [
    ['min(result) == 1 and min(5, 3.5) == 3.5 and min([]) == nil', [2, 1, 3], true],
    ['min(result) > 1', [], /> cannot be used on nil and int/],
    ['min("a") == 1', 1, /min\(\) takes int or float or list, not string/],
  ],
  max: [['max(result) == 3 and max(5, [7, 6.5]) == 7 and max([]) == nil', [2, 1, 3], true]],
  abs: [
    ['abs(result) == 2 and abs(-3) % 2 == 1 and abs(3) == 3', -2, true],
    ['abs(result) == 1', 'a', /abs\(\) takes int or float, not string/],
  ],
  round: [
    [
      'round(2.5) == 3 and round(-2.5) == -3 and round(2.4) == 2 and round(0.49999999999999994) == 0',
      1,
      true,
    ],
  ],
  ceil: [['ceil(1.2) == 2 and ceil(-1.2) == -1 and ceil(2) == 2', 1, true]],
  floor: [['floor(1.8) == 1 and floor(-1.2) == -2 and floor(2) == 2', 1, true]],
  int: [
    ['int(result) == -1 and int("7") == 7 and int(3) == 3', -1.9, true],
    ['int(result) == 1', INF, /int\(\) has no whole number for Infinity/],
  ],
  float: [['float("1.5") == 1.5 and float(1) / 2 == 0.5', 1, true]],
  string: [
    [
      'string(result) == "0.5" and string(1) == "1" and string(true) == "true" and string(nil) == "<nil>"',
      0.5,
      true,
    ],
    [
      'string(0.00001) == "1e-05" and string(1e21) == "1e+21" and string(1e20) == "100000000000000000000"',
      1,
      true,
    ],
    ['string(1 / 0) == "+Inf" and string(-1 / 0) == "-Inf" and string(0 / 0) == "NaN"', 1, true],
    ['string(result) == "map[a:[1 <nil>] b:x]"', { b: 'x', a: [1, null] }, true],
  ],
  first: [
    [
      'first(result) == 1 and first([]) == nil and first(nil) == nil',
      [1, 2],
      /first\(\) takes list, not nil/,
    ],
    ['first(result) == 1 and first([]) == nil', [1, 2], true],
    ['first(result.none) == nil', BODY, true],
    ['first(result.code) == nil', BODY, /first\(\) needs a list, not float/],
  ],
  last: [['last(result) == 2 and last([]) == nil', [1, 2], true]],
  lower: [['lower(result) == "abc"', 'ABc', true]],
  upper: [
    ['upper(result) == "ABC"', 'ABc', true],
    ['upper(result.code) == "ABC"', BODY, /upper\(\) needs a string, not float/],
  ],
  trim: [['trim(result) == "a" and trim("--a-b--", "-") == "a-b" and trim("xyx", "yx") == ""', ' a\n', true]],
};

for (const [name, rows] of Object.entries(functions)) table(`${name}()`, rows);

t.test('every function has its table', async (t) => {
  t.strictSame(Object.keys(functions).sort(), [...FUNCTION_NAMES].sort());
});
