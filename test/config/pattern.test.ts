import t from 'tap';
import {
  compilePattern,
  MAX_PATTERN_CHARS,
  MAX_PATTERN_TEXT_CHARS,
  readPattern,
} from '../../src/config/pattern.ts';

t.test('a pattern is found anywhere unless it is anchored', async (t) => {
  t.equal(compilePattern('b+')('abbc'), true);
  t.equal(compilePattern('^b+')('abbc'), false);
  t.equal(compilePattern('^(staff|qa)-[0-9]+$')('qa-12'), true);
  t.equal(compilePattern('^(staff|qa)-[0-9]+$')('qa-'), false);
  t.equal(compilePattern('(?i)STAFF')('staff'), true);
  t.equal(compilePattern('x')(''), false);
});

t.test('a test keeps no state between texts', async (t) => {
  const test = compilePattern('a');
  t.strictSame([test('a'), test('a'), test('b'), test('a')], [true, true, false, true]);
});

t.test('what is refused, why, and where in the pattern', async (t) => {
  const cases: [string, RegExp, number?][] = [
    ['', /empty/],
    ['a(b', /missing closing \)/, 0],
    ['ab[z-a]', /character class range/, 3],
    ['ab**', /nested repetition/, 2],
    ['x(?=y)', /Perl syntax/, 1],
    ['(a)\\1', /escape sequence/, 3],
    ['(?<!a)b', /named capture/, 0],
    ['a{1001}', /repeat count/, 1],
    ['((a{100}){100}){100}', /repeat count/],
    ['(?:a?){300}b{300}', /too costly/],
    ['('.repeat(200), /missing closing|too deeply/],
    ['a'.repeat(MAX_PATTERN_CHARS + 1), /longer than/],
  ];
  for (const [source, message, at] of cases) {
    const reading = readPattern(source);
    t.match(reading, { ok: false, message }, source.slice(0, 40));
    if (at !== undefined) t.match(reading, { at }, `column of ${source}`);
    t.throws(() => compilePattern(source), { message: /^pattern ".*" / }, 'the compiler refuses it too');
  }
});

t.test('a text longer than the limit matches nothing', async (t) => {
  const test = compilePattern('a');
  t.equal(test('a'.repeat(MAX_PATTERN_TEXT_CHARS)), true);
  t.equal(test('a'.repeat(MAX_PATTERN_TEXT_CHARS + 1)), false);
});

/**
 * Time is not asserted; that this file ends at all is the point: under a
 * backtracking engine each of these takes longer than the universe has left.
 */
t.test('patterns that ruin a backtracking engine end', async (t) => {
  const text = `${'a'.repeat(MAX_PATTERN_TEXT_CHARS - 1)}!`;
  for (const source of [
    '(a+)+$',
    '(a|aa)+$',
    '(a|a?)+b',
    '(.*a){12}$',
    '([a-zA-Z]+)*-$',
    '^(([a-z])+.)+[A-Z]([a-z])+$',
  ]) {
    t.equal(compilePattern(source)(text), false, source);
  }
});

t.test('more patterns than are cached still compile', async (t) => {
  const tests = Array.from({ length: 2_100 }, (_, i) => compilePattern(`^v${i}$`));
  t.equal(
    tests.every((test, i) => test(`v${i}`) && !test(`v${i + 1}`)),
    true,
  );
});
