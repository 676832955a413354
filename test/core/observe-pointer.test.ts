import fc from 'fast-check';
import t from 'tap';
import { MAX_VALUES, parsePointer, valuesAt } from '../../src/core/observe/pointer.ts';
import { at } from './observe-support.ts';

/** The document and the pointers of RFC 6901, section 5. */
const RFC = JSON.parse(
  '{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\\\j":5,"k\\"l":6," ":7,"m~n":8}',
);
const RFC_VALUES: readonly (readonly [string, unknown])[] = [
  ['', RFC],
  ['/foo', ['bar', 'baz']],
  ['/foo/0', 'bar'],
  ['/', 0],
  ['/a~1b', 1],
  ['/c%d', 2],
  ['/e^f', 3],
  ['/g|h', 4],
  ['/i\\j', 5],
  ['/k"l', 6],
  ['/ ', 7],
  ['/m~0n', 8],
];

t.test('the pointers of RFC 6901', async (t) => {
  for (const [text, value] of RFC_VALUES) {
    t.strictSame(valuesAt(RFC, parsePointer(text) ?? ['?']), [{ at: 0, value }], text);
  }
  t.strictSame(parsePointer('/~01'), ['~1'], '~01 is ~1, not /');
  for (const text of ['a', 'a/b', '#/a', '/~', '/a~2', '/~x/b']) t.equal(parsePointer(text), null, text);
});

t.test('what is not there gives nothing', async (t) => {
  for (const text of [
    '/x',
    '/foo/2',
    '/foo/00',
    '/foo/-',
    '/foo/-1',
    '/foo/1e0',
    '/foo/0/0',
    '/foo/length',
  ]) {
    t.strictSame(valuesAt(RFC, at(text)), [], text);
  }
  for (const text of ['/toString', '/__proto__', '/constructor/name']) {
    t.strictSame(valuesAt(RFC, at(text)), [], `${text} is nobody's member`);
  }
  t.strictSame(valuesAt(JSON.parse('{"__proto__": 1}'), ['__proto__']), [{ at: 0, value: 1 }]);
  for (const json of [null, 1, 'text', true, undefined]) t.strictSame(valuesAt(json, ['a']), []);
});

t.test('a star stands for every item, and those that lack the rest keep their place', async (t) => {
  const json = { items: [{ label: 'a' }, {}, { label: null }, 'text'] };
  t.strictSame(valuesAt(json, at('/items/*/label')), [
    { at: 0, value: 'a' },
    { at: 1, value: undefined },
    { at: 2, value: null },
    { at: 3, value: undefined },
  ]);
  t.strictSame(
    valuesAt([[1, 2], [3]], at('/*/*')).map(({ value }) => value),
    [1, 2, 3],
  );
  t.strictSame(valuesAt({ '*': 1 }, at('/*')), [{ at: 0, value: 1 }], 'in an object it is a name');
  t.strictSame(valuesAt({ a: 1, b: 2 }, at('/*')), []);
});

t.test('two pointers through the same lists agree on which item is which', async (t) => {
  const json = [
    { a: [1], b: [1, 2] },
    { a: [3, 4], b: [] },
    { a: [5], b: [5] },
  ];
  const a = valuesAt(json, at('/*/a/*'));
  const b = valuesAt(json, at('/*/b/*'));
  const where = (value: number, found: typeof a) => found.find((one) => one.value === value)?.at;
  t.equal(where(1, a), where(1, b));
  t.equal(where(5, a), where(5, b));
  t.notOk(a.some((one) => one.at === where(2, b)));
});

t.test('the values of one pointer are bounded', async (t) => {
  const many = Array.from({ length: 3_000 }, (_, i) => i);
  t.equal(valuesAt(many, ['*']).length, MAX_VALUES);
  t.equal(valuesAt(Array(50).fill(many), ['*', '*']).length, MAX_VALUES);
  t.strictSame(valuesAt([[[[[1]]]]], at('/*/*/*/*/*')), [], 'no more than four lists deep');
});

t.test('any pointer into any JSON: bounded, in order, and what it gives is there', async () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 5 }),
      fc.array(fc.oneof(fc.constantFrom('*', '0', '1', '', 'a'), fc.string()), { maxLength: 6 }),
      (json, parts) => {
        const found = valuesAt(json, parts);
        const text = JSON.stringify(json);
        return (
          found.length <= MAX_VALUES &&
          found.every((one, i) => i === 0 || one.at > (found[i - 1]?.at ?? -1)) &&
          found.every(({ value }) => value === undefined || text.includes(JSON.stringify(value)))
        );
      },
    ),
  );
});
