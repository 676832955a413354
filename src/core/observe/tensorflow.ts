import { isObject, MAX_VALUES } from './pointer.ts';
import type { Observation } from './spec.ts';
import { classOf, confidenceOf, NOTHING, ofOutputs, scoreOf } from './values.ts';

/** What members of a prediction are called, in the order in which they are looked for. */
const CLASS = ['class', 'label', 'class_ids', 'classes'] as const;
const CONFIDENCE = ['confidence', 'probabilities'] as const;
const SCORE = ['score', 'logistic'] as const;

/**
 * TensorFlow Serving's `predictions` (its REST API, row format): for each instance
 * a list of the classes' outputs, a single number (a score), a text (a class) or an
 * object of named outputs.
 */
export function readTensorflow(json: unknown, labels: readonly string[]): Observation[] {
  if (!isObject(json) || !Array.isArray(json.predictions)) return [];
  return json.predictions.slice(0, MAX_VALUES).map((item: unknown) => ofPrediction(item, labels));
}

function ofPrediction(item: unknown, labels: readonly string[]): Observation {
  if (Array.isArray(item) && item.length > 1) return ofOutputs(item, labels) ?? NOTHING;
  if (isObject(item)) return ofNamed(item, labels);
  const value = single(item);
  return typeof value === 'string'
    ? { ...NOTHING, class: classOf(value, labels) }
    : { ...NOTHING, score: scoreOf(value) };
}

function ofNamed(item: Readonly<Record<string, unknown>>, labels: readonly string[]): Observation {
  const { probabilities } = item;
  const outputs =
    Array.isArray(probabilities) && probabilities.length > 1 ? ofOutputs(probabilities, labels) : null;
  return {
    class: first(item, CLASS, (value) => classOf(value, labels)) ?? outputs?.class ?? null,
    confidence: first(item, CONFIDENCE, confidenceOf) ?? outputs?.confidence ?? null,
    score: first(item, SCORE, scoreOf),
  };
}

function first<T>(
  item: Readonly<Record<string, unknown>>,
  names: readonly string[],
  read: (value: unknown) => T | null,
): T | null {
  for (const name of names) {
    const value = Object.hasOwn(item, name) ? read(single(item[name])) : null;
    if (value !== null) return value;
  }
  return null;
}

/** Models with one output unit answer lists of one. */
function single(value: unknown): unknown {
  return Array.isArray(value) && value.length === 1 ? value[0] : value;
}
