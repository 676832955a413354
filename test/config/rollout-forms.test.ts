import fc from 'fast-check';
import t from 'tap';
import { fill } from '../../src/config/compile/arguments.ts';
import { readJsonPath } from '../../src/config/forms/json-path.ts';
import { readMetricPattern, readWholePattern } from '../../src/config/forms/patterns.ts';
import { readQueryTime } from '../../src/config/forms/query-time.ts';
import { readHeaderValue, readHttpUrl, readLabel } from '../../src/config/forms/texts.ts';
import { argoDurationMs } from '../../src/config/quantity.ts';

t.test('durations as Argo and Go write them', async (t) => {
  const cases: [written: string | number, ms: number | null][] = [
    ['5m', 300_000],
    ['30s', 30_000],
    [300, 300_000],
    ['300', 300_000],
    ['1h30m', 5_400_000],
    ['1h0m0s', 3_600_000],
    ['1.5h', 5_400_000],
    ['500ms', 500],
    ['1m500ms', 60_500],
    ['2d', 172_800_000],
    [0, 0],
    ['', null],
    ['5', 5_000],
    ['5x', null],
    ['-5s', null],
    [-5, null],
    [1.5, null],
    ['5m 3s', null],
    ['m', null],
    ['5us', null],
    ['1e3s', null],
    ['1s'.repeat(7), null],
  ];
  for (const [written, ms] of cases) t.equal(argoDurationMs(written), ms, String(written));
});

t.test('paths into JSON', async (t) => {
  const cases: [text: string, steps: (string | number)[] | null][] = [
    ['{$}', []],
    ['$', []],
    ['{$.a}', ['a']],
    ['$.a.b[0]', ['a', 'b', 0]],
    ['{.a.b}', ['a', 'b']],
    ['{$[2]}', [2]],
    ["{$['a b']}", ['a b']],
    ['{$["a.b"].c}', ['a.b', 'c']],
    ['{$.a-b}', ['a-b']],
    ['', null],
    ['{}', null],
    ['a', null],
    ['$.', null],
    ['$.a[', null],
    ['$.a[*]', null],
    ['$.*', null],
    ['$..a', null],
    ['$.a[-1]', null],
    ['$.a[?(@.b)]', null],
    ['$.a[0:1]', null],
    ['{$.a', null],
    [`$${'.a'.repeat(33)}`, null],
  ];
  for (const [text, steps] of cases) {
    const reading = readJsonPath(text);
    t.strictSame(reading.ok ? reading.value : null, steps, text);
  }
});

t.test('ends of a range query', async (t) => {
  const cases: [text: string, ms: number | null][] = [
    ['now()', 0],
    [' now( ) ', 0],
    ['now() - duration("1h")', 3_600_000],
    ["now()-duration('5m')", 300_000],
    ['now() - duration("1h30m")', 5_400_000],
    ['now() + duration("1h")', null],
    ['now() - duration("1h\')', null],
    ['now() - duration("x")', null],
    ['now() - duration("31d")', null],
    ['2020-01-01', null],
    ['', null],
  ];
  for (const [text, ms] of cases) {
    const reading = readQueryTime(text);
    t.equal(reading.ok ? reading.value : null, ms, text);
  }
});

t.test('a pattern of Argo’s matches whole values', async (t) => {
  t.match(readWholePattern('a|b'), { ok: true, value: '^(?:a|b)$' });
  t.match(readWholePattern('ab(?=c)'), { ok: false, at: 2 });
  t.match(readWholePattern(''), { ok: false });
  t.match(readWholePattern('a)|(b'), { ok: false }, 'no pattern breaks out of its brackets');
  t.match(readMetricPattern('*'), { ok: true, value: '.*' });
  t.match(readMetricPattern('a.*'), { ok: true, value: 'a.*' });
  t.match(readMetricPattern(''), { ok: false });
});

t.test('URLs, labels, header values', async (t) => {
  const url = (text: string) => readHttpUrl(text).ok;
  for (const good of ['http://a', 'https://a:1/b?c=d', 'HTTP://A', 'http://[::1]:9090/'])
    t.ok(url(good), good);
  for (const bad of [
    'a',
    'ftp://a',
    'http://',
    'http://u:p@a',
    'http://a#b',
    'http://a b',
    'http://é',
    `http://${'a'.repeat(2_100)}`,
  ]) {
    t.notOk(url(bad), bad);
  }
  t.ok(readLabel('load test').ok);
  for (const bad of ['', '  ', 'a\nb', 'a\u0000', '\ud800', 'x'.repeat(129)]) t.notOk(readLabel(bad).ok);
  t.ok(readHeaderValue('Bearer x').ok);
  for (const bad of ['a\r\nb: c', 'é', '\u0000']) t.notOk(readHeaderValue(bad).ok);
});

t.test('arguments in a text', async (t) => {
  const args = new Map<string, string | null>([
    ['a', 'X'],
    ['b-c', '{{args.a}}'],
    ['open', null],
  ]);
  const text = (source: string) => {
    const filled = fill(source, args);
    return filled.kind === 'text' ? filled.text : filled.kind;
  };
  t.equal(text('plain'), 'plain');
  t.equal(text('{{args.a}}'), 'X');
  t.equal(text('<{{ args.a }}{{args.a}}>'), '<XX>');
  t.equal(text('{{args.b-c}}'), '{{args.a}}', 'a value is never looked at again');
  t.equal(text('{{args.open}}'), 'open');
  t.equal(text('{{args.no}}'), 'bad');
  t.equal(text('{{args.constructor}}'), 'bad');
  t.equal(text('{{x}}'), 'bad');
  t.equal(text('{{args.a}'), 'bad');
  t.equal(text('}}'), '}}');
  const large = fill('{{args.a}}'.repeat(20), new Map([['a', 'x'.repeat(4_096)]]));
  t.equal(large.kind, 'bad');
});

t.test('a place in a filled text is found in its source', async (t) => {
  const filled = fill('ab{{args.x}}cd', new Map([['x', '12345']]));
  if (filled.kind !== 'text') throw new Error(filled.kind);
  t.strictSame([0, 1, 2, 4, 6, 7, 8].map(filled.place), [0, 1, 2, 2, 2, 12, 13]);
  const piece = fc.constantFrom('a', 'bc', '{{args.x}}', '{{args.y}}', ' ');
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.string({ maxLength: 6 }), (pieces, x) => {
      const source = pieces.join('');
      const made = fill(
        source,
        new Map([
          ['x', x],
          ['y', ''],
        ]),
      );
      if (made.kind !== 'text') return false;
      if (
        made.text !== source.replaceAll('{{args.x}}', () => x).replaceAll('{{args.y}}', '') &&
        !x.includes('{{')
      )
        return false;
      let last = 0;
      for (let at = 0; at < made.text.length; at++) {
        const place = made.place(at);
        if (place < last || place >= source.length) return false;
        last = place;
      }
      return true;
    }),
  );
});
