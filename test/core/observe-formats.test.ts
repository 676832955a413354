import t from 'tap';
import { extract } from '../../src/core/observe/extract.ts';
import { at, seen, spec } from './observe-support.ts';

const output = (name: string, datatype: string, shape: readonly unknown[], data: unknown) => ({
  name,
  datatype,
  shape,
  data,
});
const v2 = (...outputs: readonly unknown[]) => ({ model_name: 'iris', id: '1', outputs });
const V2 = spec({ format: 'v2' });
const LABELS = ['setosa', 'versicolor', 'virginica'];

t.test('v2: classes of whole numbers and of texts', async (t) => {
  const classes = (...args: Parameters<typeof output>) =>
    extract(spec({ format: 'v2', labels: LABELS }), v2(output(...args))).map((one) => one.class);
  t.strictSame(classes('predict', 'INT64', [3], [0, 2, 7]), ['setosa', 'virginica', '7']);
  t.strictSame(classes('predict', 'INT32', [2, 1], [1, 1]), ['versicolor', 'versicolor']);
  t.strictSame(classes('predict', 'UINT8', [2, 1], [[1], [0]]), ['versicolor', 'setosa'], 'rows as lists');
  t.strictSame(classes('label', 'BYTES', [2], ['cat', 'dog']), ['cat', 'dog']);
  t.strictSame(classes('spam', 'BOOL', [2], [true, false]), ['true', 'false']);
});

t.test('v2: probabilities give class and confidence, other outputs of classes the class', async (t) => {
  const probabilities = output('predict_proba', 'FP64', [2, 3], [0.1, 0.7, 0.2, 0.9, 0.05, 0.05]);
  t.strictSame(extract(V2, v2(probabilities)), [
    seen({ class: '1', confidence: 0.7 }),
    seen({ class: '0', confidence: 0.9 }),
  ]);
  t.strictSame(extract(V2, v2(output('logits', 'FP32', [1, 3], [[-2.5, 0.25, 7]]))), [seen({ class: '2' })]);
  t.strictSame(
    extract(V2, v2(probabilities, output('predict', 'BYTES', [2], ['b', 'a']))),
    [seen({ class: 'b', confidence: 0.7 }), seen({ class: 'a', confidence: 0.9 })],
    'beside a class of its own only the confidence',
  );
  t.strictSame(extract(V2, v2(output('y', 'FP32', [2, 1], [3.5, -1]))), [
    seen({ score: 3.5 }),
    seen({ score: -1 }),
  ]);
});

t.test('v2: named outputs alone are read', async (t) => {
  const answer = v2(
    output('a', 'INT64', [1], [1]),
    output('b', 'INT64', [1], [2]),
    output('sure', 'FP32', [1], [0.6]),
    output('p', 'FP32', [1, 2], [0.2, 0.8]),
  );
  const read = (over: object) => extract(spec({ format: 'v2', ...over }), answer);
  t.strictSame(read({ class: ['b'] }), [seen({ class: '2' })]);
  t.strictSame(read({ class: ['b'], confidence: ['sure'] }), [seen({ class: '2', confidence: 0.6 })]);
  t.strictSame(read({ class: ['p'] }), [seen({ class: '1', confidence: 0.8 })]);
  t.strictSame(read({ confidence: ['p'], score: ['sure'] }), [seen({ confidence: 0.8, score: 0.6 })]);
  t.strictSame(read({ class: ['gone'] }), []);
});

t.test('v2: outputs whose data do not fit their shape are not read', async (t) => {
  for (const bad of [
    output('a', 'INT64', [3], [1, 2]),
    output('a', 'INT64', [2, 2], [1, 2]),
    output('a', 'FP32', [2, 2], [[1, 2], [3]]),
    output('a', 'INT64', [], [1]),
    output('a', 'INT64', [1, 1, 1], [1]),
    output('a', 'INT64', [-1], [1]),
    output('a', 'INT64', [1e308, 1e308], [1]),
    output('a', 'INT64', ['1'], [1]),
    output('a', 'INT64', [0], []),
    output('a', 'FP32', [1, 2], [0.5, null]),
    output('a', 'INT64', [1, 3], [0, 1, 0]),
    output('a', 'COMPLEX', [1], [1]),
    output('a', 'INT64', [1], { 0: 1 }),
    output('a', 'INT64', [1], undefined),
    { name: 'a' },
    null,
    'a',
  ]) {
    t.strictSame(extract(V2, v2(bad)), [], JSON.stringify(bad));
    t.strictSame(
      extract(V2, v2(bad, output('good', 'INT64', [1], [1]))).map((one) => one.class),
      ['1'],
      'another output still is',
    );
  }
  t.strictSame(extract(V2, { outputs: 'a' }), []);
  t.equal(extract(V2, v2(output('a', 'INT8', [5_000], Array(5_000).fill(1)))).length, 1_000, 'bounded');
});

const TF = spec({ format: 'tensorflow', labels: LABELS });

t.test('tensorflow: each shape of predictions', async (t) => {
  const read = (...predictions: readonly unknown[]) => extract(TF, { predictions });
  t.strictSame(read([0.1, 0.1, 0.8], [0.6, 0.2, 0.2]), [
    seen({ class: 'virginica', confidence: 0.8 }),
    seen({ class: 'setosa', confidence: 0.6 }),
  ]);
  t.strictSame(
    read([0.4, 0.9]),
    [seen({ class: 'versicolor', confidence: 0.9 })],
    'classes that do not exclude',
  );
  t.strictSame(read([-3, 9.5, 2]), [seen({ class: 'versicolor' })], 'logits say nothing of confidence');
  t.strictSame(read(2.5, -1), [seen({ score: 2.5 }), seen({ score: -1 })]);
  t.strictSame(read([0.25], [0.75]), [seen({ score: 0.25 }), seen({ score: 0.75 })], 'one unit of output');
  t.strictSame(read('cat', 'dog'), [seen({ class: 'cat' }), seen({ class: 'dog' })]);
  t.strictSame(
    read({ class_ids: [1], classes: ['1'], probabilities: [0.2, 0.7, 0.1], logits: [1, 2, 0] }, { score: 4 }),
    [seen({ class: 'versicolor', confidence: 0.7 }), seen({ score: 4 })],
  );
  t.strictSame(read({ probabilities: [0.2, 0.7, 0.1] }), [seen({ class: 'versicolor', confidence: 0.7 })]);
  t.strictSame(read([0.9, 0.1], [[1]], null, {}), [
    seen({ class: 'setosa', confidence: 0.9 }),
    seen({}),
    seen({}),
    seen({}),
  ]);
});

t.test('tensorflow: pointers go before what the format says by itself', async (t) => {
  const json = {
    predictions: [
      { kind: 'a', probabilities: [0.3, 0.7] },
      { kind: 'b', rank: 5 },
    ],
  };
  t.strictSame(extract({ ...TF, class: at('/predictions/*/kind'), score: at('/predictions/*/rank') }, json), [
    seen({ class: 'a', confidence: 0.7 }),
    seen({ class: 'b', score: 5 }),
  ]);
});

t.test('tensorflow: wrong shapes', async (t) => {
  for (const json of [
    { predictions: 'a' },
    { predictions: { 0: [1] } },
    { predictions: [] },
    { predictions: [[[0.5, 0.5]], [], [null, 1], {}] },
    { error: 'no model' },
  ]) {
    t.strictSame(extract(TF, json), [], JSON.stringify(json));
  }
});
