import t from 'tap';
import { extract } from '../../src/core/observe/extract.ts';
import { MAX_CLASS_CHARS } from '../../src/core/observe/values.ts';
import { at, seen, spec } from './observe-support.ts';

const IRIS = spec({ class: at('/prediction'), confidence: at('/confidence') });
const BATCH = spec({ class: at('/predictions/*/prediction'), confidence: at('/predictions/*/confidence') });
const classOf = (value: unknown, labels: readonly string[] = []) =>
  extract(spec({ class: [], labels }), value)[0]?.class ?? null;
const confidenceOf = (value: unknown) => extract(spec({ confidence: [] }), value)[0]?.confidence ?? null;
const scoreOf = (value: unknown) => extract(spec({ score: [] }), value)[0]?.score ?? null;

t.test('one answer, one item', async (t) => {
  t.strictSame(extract(IRIS, { prediction: 'setosa', confidence: 0.98, modelVersion: 'v2' }), [
    seen({ class: 'setosa', confidence: 0.98 }),
  ]);
  t.strictSame(extract(IRIS, { prediction: 'setosa' }), [seen({ class: 'setosa' })]);
});

t.test('a batch is read item by item', async (t) => {
  const predictions = [
    { prediction: 'setosa', confidence: 0.9 },
    { confidence: 0.5 },
    {},
    { prediction: 'virginica', confidence: 0.7 },
  ];
  t.strictSame(extract(BATCH, { predictions }), [
    seen({ class: 'setosa', confidence: 0.9 }),
    seen({ confidence: 0.5 }),
    seen({}),
    seen({ class: 'virginica', confidence: 0.7 }),
  ]);
  t.strictSame(
    extract(spec({ class: at('/model'), score: at('/scores/*') }), { model: 'a', scores: [1, 2] }),
    [seen({ class: 'a', score: 1 }), seen({ score: 2 })],
    'a pointer without a star tells of the first item',
  );
});

t.test('items of lists in lists come in order, whichever field names them', async (t) => {
  const rows = [
    { a: ['x'], b: [0.1, 0.2] },
    { a: ['y'], b: [0.3] },
  ];
  t.strictSame(extract(spec({ class: at('/*/a/*'), confidence: at('/*/b/*') }), rows), [
    seen({ class: 'x', confidence: 0.1 }),
    seen({ confidence: 0.2 }),
    seen({ class: 'y', confidence: 0.3 }),
  ]);
});

t.test('what makes a class', async (t) => {
  const labels = ['setosa', 'versicolor', 'virginica'];
  t.equal(classOf('setosa'), 'setosa');
  t.equal(classOf(2, labels), 'virginica', 'a number names a label by its place');
  t.equal(classOf(3, labels), '3', 'and is its own name where there is none');
  t.equal(classOf(-1, labels), '-1');
  t.equal(classOf(0.5, labels), '0.5');
  t.equal(classOf(2), '2');
  t.equal(classOf('2', labels), '2', 'a text is a name already');
  t.equal(classOf(true), 'true');
  t.equal(classOf([0.1, 0.7, 0.2], labels), 'versicolor', 'the largest of a distribution');
  t.equal(classOf([0, 2, 1], labels), null, 'a batch whose star was forgotten is no distribution');
  for (const value of [null, '', {}, [], [1], ['a'], { length: 1 }, JSON.parse('1e999')]) {
    t.equal(classOf(value), null, JSON.stringify(value));
  }
});

t.test('names of classes are bounded, and safe to print', async (t) => {
  t.equal(classOf('x'.repeat(10_000)), 'x'.repeat(MAX_CLASS_CHARS));
  t.equal(
    classOf(`${'x'.repeat(MAX_CLASS_CHARS - 1)}😀`),
    'x'.repeat(MAX_CLASS_CHARS - 1),
    'no half characters',
  );
  t.equal(classOf('\u001b[31mred\u0000\n\u009b'), '\ufffd[31mred\ufffd\ufffd\ufffd');
  t.equal(classOf('naïve 猫'), 'naïve 猫');
  t.equal(classOf(0, ['y'.repeat(100)])?.length, MAX_CLASS_CHARS);
});

t.test('what makes a confidence and a score', async (t) => {
  t.equal(confidenceOf(0), 0);
  t.equal(confidenceOf(1), 1);
  t.equal(confidenceOf(1.0000001), 1, 'a sum of 32-bit floats');
  t.equal(confidenceOf(-1e-9), 0);
  t.equal(confidenceOf([0.1, 0.7, 0.2]), 0.7);
  for (const value of [
    98,
    -0.5,
    '0.9',
    null,
    true,
    [],
    [0.9],
    [0.9, 0.9],
    [0.5, '0.5'],
    JSON.parse('1e999'),
  ]) {
    t.equal(confidenceOf(value), null, JSON.stringify(value));
  }
  t.equal(scoreOf(-12.5), -12.5);
  t.equal(scoreOf(1e6), 1e6, 'not clipped here');
  for (const value of ['1', null, [1], JSON.parse('-1e999')]) t.equal(scoreOf(value), null);
});

t.test('nothing of what is looked for is nothing', async (t) => {
  for (const json of [
    null,
    1,
    'setosa',
    [],
    {},
    { predictions: [] },
    { predictions: [{}, null] },
    undefined,
  ]) {
    t.strictSame(extract(IRIS, json), [], JSON.stringify(json));
    t.strictSame(extract(BATCH, json), [], JSON.stringify(json));
  }
  t.strictSame(extract(spec(), { prediction: 'setosa' }), [], 'nothing is looked for');
});
