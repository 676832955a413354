/**
 * Multinomial logistic regression (softmax regression), fitted by full-batch gradient descent with
 * Nesterov's momentum on standardised features. Pure and deterministic: equal data give equal models.
 *
 * It minimises the mean cross-entropy plus `l2`/2 times the squared weights (T. Hastie, R. Tibshirani,
 * J. Friedman, The Elements of Statistical Learning, 2nd edition, sections 4.4 and 3.4.1). Intercepts
 * are not penalised.
 */

export interface TrainingSet {
  /** One row an example, all of one length, finite. */
  readonly rows: readonly (readonly number[])[];
  /** The class of each row, 0..classes-1. */
  readonly labels: readonly number[];
  readonly classes: number;
}

export interface Fit {
  /** Strength of the penalty on the weights; 0: none. */
  readonly l2: number;
  /** Passes over the data. */
  readonly steps: number;
}

export interface SoftmaxModel {
  readonly mean: readonly number[];
  readonly scale: readonly number[];
  /** One row a class: a weight a feature, then the intercept. */
  readonly weights: readonly (readonly number[])[];
}

/** Small enough to be stable on standardised features, whose curvature is at most about features / 2. */
const LEARNING_RATE = 0.3;
const MOMENTUM = 0.9;

/** Throws when the data have no rows, or labels that do not belong to them. */
export function trainSoftmax(data: TrainingSet, fit: Fit): SoftmaxModel {
  checkTrainingSet(data);
  const { mean, scale } = spread(data.rows);
  const rows = data.rows.map((row) => standardise(row, mean, scale));
  const width = mean.length + 1;
  const weights = matrix(data.classes, width);
  const velocity = matrix(data.classes, width);
  for (let step = 0; step < fit.steps; step++) {
    // Nesterov: the gradient is taken where the momentum is about to carry the weights.
    const ahead = weights.map((line, k) => line.map((w, j) => w + MOMENTUM * (velocity[k]?.[j] ?? 0)));
    const gradient = gradientOf(rows, data.labels, ahead, fit.l2);
    for (let k = 0; k < data.classes; k++) advance(weights[k]!, velocity[k]!, gradient[k]!);
  }
  return { mean, scale, weights };
}

/** One number a class, adding up to 1. A `temperature` below 1 sharpens them, above 1 flattens them. */
export function probabilities(model: SoftmaxModel, row: readonly number[], temperature = 1): number[] {
  return softmax(logits(model.weights, standardise(row, model.mean, model.scale)), temperature);
}

export function indexOfLargest(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[best]!) best = i;
  return best;
}

function checkTrainingSet({ rows, labels, classes }: TrainingSet): void {
  if (rows.length === 0) throw new RangeError('a training set needs at least one row');
  if (labels.length !== rows.length) throw new RangeError('a training set needs one label a row');
  for (const label of labels) {
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new RangeError(`label ${label} is not a class of 0..${classes - 1}`);
    }
  }
}

function gradientOf(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  weights: readonly (readonly number[])[],
  l2: number,
): number[][] {
  const features = weights[0]!.length - 1;
  const gradient = weights.map((line) => line.map((w, j) => (j < features ? l2 * w : 0)));
  for (const [i, row] of rows.entries()) {
    const p = softmax(logits(weights, row), 1);
    for (const [k, line] of gradient.entries()) {
      const error = (p[k]! - (labels[i] === k ? 1 : 0)) / rows.length;
      for (let j = 0; j < features; j++) line[j]! += error * row[j]!;
      line[features]! += error;
    }
  }
  return gradient;
}

function advance(weights: number[], velocity: number[], gradient: readonly number[]): void {
  for (let j = 0; j < weights.length; j++) {
    velocity[j] = MOMENTUM * velocity[j]! - LEARNING_RATE * gradient[j]!;
    weights[j]! += velocity[j]!;
  }
}

function logits(weights: readonly (readonly number[])[], row: readonly number[]): number[] {
  const features = row.length;
  return weights.map((line) => {
    let sum = line[features]!;
    for (let j = 0; j < features; j++) sum += line[j]! * row[j]!;
    return sum;
  });
}

/** Shifted by the largest logit, so that no exponential overflows. */
function softmax(values: readonly number[], temperature: number): number[] {
  const top = Math.max(...values);
  const powers = values.map((value) => Math.exp((value - top) / temperature));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

function standardise(row: readonly number[], mean: readonly number[], scale: readonly number[]): number[] {
  return row.map((value, j) => (value - mean[j]!) / scale[j]!);
}

/** Means and standard deviations by column; a constant column is left unscaled. */
function spread(rows: readonly (readonly number[])[]): { mean: number[]; scale: number[] } {
  const columns = rows[0]!.map((_, j) => rows.map((row) => row[j]!));
  const mean = columns.map((column) => column.reduce((a, b) => a + b, 0) / column.length);
  const scale = columns.map((column, j) => {
    const variance = column.reduce((sum, value) => sum + (value - mean[j]!) ** 2, 0) / column.length;
    return variance > 0 ? Math.sqrt(variance) : 1;
  });
  return { mean, scale };
}

function matrix(height: number, width: number): number[][] {
  return Array.from({ length: height }, () => new Array<number>(width).fill(0));
}
