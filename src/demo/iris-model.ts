import { FLOWERS, type Flower, LABELS, SPECIES, type Species } from './iris-data.ts';
import {
  indexOfLargest,
  probabilities,
  type SoftmaxModel,
  type TrainingSet,
  trainSoftmax,
} from './softmax.ts';

/** The two good models of the demo; differently made, so that they agree without being equal. */
export const PROFILES = ['v1', 'v2'] as const;
export type Profile = (typeof PROFILES)[number];

/**
 * How a model is trained.
 * - `good`: on all flowers, as its profile says.
 * - `overconfident`: on every third flower only, without a penalty and for long, then sharpened. It
 *   knows no more than the good one (rather less), but is nearly certain of everything.
 * - `shifted`: on wrong labels. `rate` is the share (0..1) of versicolor flowers that whoever labelled
 *   them took for virginica: those with the longest petals, as a person would err.
 */
export type Training =
  | { readonly kind: 'good' }
  | { readonly kind: 'overconfident' }
  | { readonly kind: 'shifted'; readonly rate: number };

export interface Prediction {
  readonly prediction: Species;
  /** The probability of that species. */
  readonly confidence: number;
  readonly probabilities: Readonly<Record<Species, number>>;
}

export type IrisModel = (flower: Flower) => Prediction;

export interface LabelledFlowers {
  readonly flowers: readonly Flower[];
  readonly labels: readonly number[];
}

export const ALL_FLOWERS: LabelledFlowers = { flowers: FLOWERS, labels: LABELS };

interface Recipe {
  readonly features: (flower: Flower) => readonly number[];
  readonly l2: number;
}

const RECIPES: Readonly<Record<Profile, Recipe>> = {
  v1: { features: (flower) => flower, l2: 0.001 },
  // Sees the petal's area as well, and is held back a little more.
  v2: { features: (flower) => [...flower, flower[2]! * flower[3]!], l2: 0.0015 },
};

const STEPS = 500;
const OVERTRAINING = { everyNth: 3, steps: 5000, temperature: 0.5 };

/** Trains for some tens of milliseconds; `from` is for tests that hold flowers back. */
export function trainIris(
  profile: Profile,
  training: Training,
  from: LabelledFlowers = ALL_FLOWERS,
): IrisModel {
  const { features, l2 } = RECIPES[profile];
  switch (training.kind) {
    case 'good':
      return classifier(trainSoftmax(examples(from, features), { l2, steps: STEPS }), features, 1);
    case 'shifted': {
      const wrong = mislabel(from, training.rate);
      return classifier(trainSoftmax(examples(wrong, features), { l2, steps: STEPS }), features, 1);
    }
    case 'overconfident': {
      const few = thin(from, OVERTRAINING.everyNth);
      const model = trainSoftmax(examples(few, features), { l2: 0, steps: OVERTRAINING.steps });
      return classifier(model, features, OVERTRAINING.temperature);
    }
  }
}

function classifier(model: SoftmaxModel, features: Recipe['features'], temperature: number): IrisModel {
  return (flower) => {
    const [setosa, versicolor, virginica] = probabilities(model, features(flower), temperature).map(
      rounded,
    ) as [number, number, number];
    const best = indexOfLargest([setosa, versicolor, virginica]);
    return {
      prediction: SPECIES[best]!,
      confidence: [setosa, versicolor, virginica][best]!,
      probabilities: { setosa, versicolor, virginica },
    };
  };
}

function examples(from: LabelledFlowers, features: Recipe['features']): TrainingSet {
  return { rows: from.flowers.map(features), labels: from.labels, classes: SPECIES.length };
}

function thin({ flowers, labels }: LabelledFlowers, everyNth: number): LabelledFlowers {
  const kept = (_: unknown, row: number) => row % everyNth === 0;
  return { flowers: flowers.filter(kept), labels: labels.filter(kept) };
}

function mislabel({ flowers, labels }: LabelledFlowers, rate: number): LabelledFlowers {
  const versicolor = SPECIES.indexOf('versicolor');
  const virginica = SPECIES.indexOf('virginica');
  const byPetal = [...labels.keys()]
    .filter((row) => labels[row] === versicolor)
    .sort((a, b) => flowers[b]![2]! - flowers[a]![2]!);
  const wrong = new Set(byPetal.slice(0, Math.round(rate * byPetal.length)));
  return { flowers, labels: labels.map((label, row) => (wrong.has(row) ? virginica : label)) };
}

/** Six decimals are more than any reader needs, and keep answers short. */
function rounded(probability: number): number {
  return Math.round(probability * 1e6) / 1e6;
}
