import t from 'tap';
import { FLOWERS, LABELS, MEASUREMENTS, SPECIES } from '../../src/demo/iris-data.ts';

/** Means and standard deviations (n - 1) by species, as R 4 prints them for its `iris`. */
const PUBLISHED = {
  setosa: { mean: [5.006, 3.428, 1.462, 0.246], sd: [0.3525, 0.3791, 0.1737, 0.1054] },
  versicolor: { mean: [5.936, 2.77, 4.26, 1.326], sd: [0.5162, 0.3138, 0.4699, 0.1978] },
  virginica: { mean: [6.588, 2.974, 5.552, 2.026], sd: [0.6359, 0.3225, 0.5519, 0.2747] },
} as const;

t.test('150 flowers of four measurements, 50 of each species in order', (t) => {
  t.equal(FLOWERS.length, 150);
  t.ok(FLOWERS.every((flower) => flower.length === MEASUREMENTS.length && flower.every(Number.isFinite)));
  t.same(
    SPECIES.map((_, label) => LABELS.filter((l) => l === label).length),
    [50, 50, 50],
  );
  t.same(
    LABELS,
    [...LABELS].sort((a, b) => a - b),
  );
  t.end();
});

t.test('means and standard deviations by species are the published ones', (t) => {
  for (const [label, name] of SPECIES.entries()) {
    const rows = FLOWERS.filter((_, row) => LABELS[row] === label);
    for (const [j, measurement] of MEASUREMENTS.entries()) {
      const values = rows.map((row) => row[j]!);
      t.equal(mean(values).toFixed(3), PUBLISHED[name].mean[j]!.toFixed(3), `mean ${measurement} of ${name}`);
      t.equal(
        deviation(values).toFixed(4),
        PUBLISHED[name].sd[j]!.toFixed(4),
        `sd ${measurement} of ${name}`,
      );
    }
  }
  t.end();
});

t.test('petals are correlated as published (R: cor(iris$Petal.Length, iris$Petal.Width))', (t) => {
  const length = FLOWERS.map((flower) => flower[2]!);
  const width = FLOWERS.map((flower) => flower[3]!);
  t.equal(correlation(length, width).toFixed(7), '0.9628654');
  t.equal(
    correlation(
      FLOWERS.map((f) => f[0]!),
      FLOWERS.map((f) => f[1]!),
    ).toFixed(7),
    '-0.1175698',
  );
  t.end();
});

t.test("rows 35 and 38 are Fisher's, not the mistyped ones", (t) => {
  t.same(FLOWERS[34], [4.9, 3.1, 1.5, 0.2]);
  t.same(FLOWERS[37], [4.9, 3.6, 1.4, 0.1]);
  t.end();
});

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function deviation(values: readonly number[]): number {
  const m = mean(values);
  return Math.sqrt(values.reduce((sum, v) => sum + (v - m) ** 2, 0) / (values.length - 1));
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const covariance = a.reduce((sum, v, i) => sum + (v - mean(a)) * (b[i]! - mean(b)), 0) / (a.length - 1);
  return covariance / (deviation(a) * deviation(b));
}
