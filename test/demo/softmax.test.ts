import fc from 'fast-check';
import t from 'tap';
import { indexOfLargest, probabilities, trainSoftmax } from '../../src/demo/softmax.ts';

const OVERLAPPING = {
  rows: [[0], [1], [2], [1], [2], [3]],
  labels: [0, 0, 0, 1, 1, 1],
  classes: 2,
};

t.test('finds the known optimum of a symmetric problem', (t) => {
  // Half way between the classes nobody can tell, and the two sides mirror each other.
  const model = trainSoftmax(OVERLAPPING, { l2: 0.01, steps: 2000 });
  t.ok(Math.abs(probabilities(model, [1.5])[0]! - 0.5) < 1e-6);
  t.ok(Math.abs(probabilities(model, [0])[0]! - probabilities(model, [3])[1]!) < 1e-6);
  t.end();
});

t.test('at the optimum the gradient vanishes: predicted and real class counts agree', (t) => {
  // For unpenalised intercepts the likelihood equations demand it (Hastie and others, section 4.4.1).
  const data = { rows: [[0], [1], [2], [3], [4], [5]], labels: [0, 1, 0, 1, 1, 2], classes: 3 };
  const model = trainSoftmax(data, { l2: 0.05, steps: 3000 });
  const answers = data.rows.map((row) => probabilities(model, row));
  const sums = [0, 1, 2].map((k) => answers.reduce((sum, p) => sum + p[k]!, 0));
  t.ok(
    sums.every((sum, k) => Math.abs(sum - [2, 3, 1][k]!) < 1e-6),
    `counts ${sums}`,
  );
  t.end();
});

t.test('equal data give equal models; a stronger penalty gives smaller weights', (t) => {
  const fit = { l2: 0.01, steps: 300 };
  t.same(trainSoftmax(OVERLAPPING, fit), trainSoftmax(OVERLAPPING, fit));
  const size = (l2: number) => Math.abs(trainSoftmax(OVERLAPPING, { l2, steps: 1000 }).weights[0]![0]!);
  t.ok(size(1) < size(0.1) && size(0.1) < size(0.01));
  t.end();
});

t.test('probabilities add up to one, whatever the input, and temperature never changes the winner', (t) => {
  const model = trainSoftmax(OVERLAPPING, { l2: 0.01, steps: 200 });
  fc.assert(
    fc.property(
      fc.double({ min: -1e6, max: 1e6, noNaN: true }),
      fc.double({ min: 0.05, max: 20, noNaN: true }),
      (x, temperature) => {
        const plain = probabilities(model, [x]);
        const bent = probabilities(model, [x], temperature);
        const sum = bent.reduce((a, b) => a + b, 0);
        return (
          Math.abs(sum - 1) < 1e-9 &&
          // Equal up to rounding, both classes may win.
          (Math.abs(plain[0]! - plain[1]!) < 1e-9 || indexOfLargest(plain) === indexOfLargest(bent))
        );
      },
    ),
  );
  t.ok(Math.max(...probabilities(model, [0], 0.5)) > Math.max(...probabilities(model, [0])));
  t.ok(Math.max(...probabilities(model, [0], 2)) < Math.max(...probabilities(model, [0])));
  t.end();
});

t.test('a constant column does no harm', (t) => {
  const model = trainSoftmax(
    {
      rows: [
        [1, 0],
        [1, 1],
      ],
      labels: [0, 1],
      classes: 2,
    },
    { l2: 0.01, steps: 100 },
  );
  t.equal(indexOfLargest(probabilities(model, [1, 0])), 0);
  t.equal(indexOfLargest(probabilities(model, [1, 1])), 1);
  t.end();
});

t.test('refuses data that cannot be learned from', (t) => {
  const fit = { l2: 0, steps: 1 };
  t.throws(() => trainSoftmax({ rows: [], labels: [], classes: 2 }, fit), RangeError);
  t.throws(() => trainSoftmax({ rows: [[1]], labels: [], classes: 2 }, fit), RangeError);
  t.throws(() => trainSoftmax({ rows: [[1]], labels: [2], classes: 2 }, fit), RangeError);
  t.end();
});
