import { isObject, MAX_VALUES } from './pointer.ts';
import type { Observation } from './spec.ts';
import { classOf, confidenceOf, NOTHING, ofOutputs, scoreOf } from './values.ts';

/** What members of a prediction are called, in the order in which they are looked for. */
const CLASS = ['class', 'label', 'class_ids', 'classes'] as const;
const CONFIDENCE = ['confidence', 'probabilities'] as const;
const SCORE = ['score', 'logistic'] as const;

/**
 * TensorFlow Serving's REST API. `predictions`: for each instance a list of the
 * classes' outputs, a single number (a score), a text (a class) or an object of
 * named outputs. `outputs` is the same column by column, for requests that were so.
 * `results` of its classify and regress calls: pairs of label and score, or numbers.
 */
export function readTensorflow(json: unknown, labels: readonly string[]): Observation[] {
  if (!isObject(json)) return [];
  const { predictions, outputs, results = json.result } = json;
  if (Array.isArray(predictions)) return readAll(predictions, (item) => ofPrediction(item, labels));
  if (Array.isArray(outputs)) return readAll(outputs, (item) => ofPrediction(item, labels));
  if (isObject(outputs)) return readAll(rowsOf(outputs), (item) => ofPrediction(item, labels));
  return Array.isArray(results) ? readAll(results, ofResult) : [];
}

function readAll(items: readonly unknown[], read: (item: unknown) => Observation): Observation[] {
  return items.slice(0, MAX_VALUES).map(read);
}

/** Named columns as objects; those shorter than the longest have nothing to say of the last rows. */
function rowsOf(columns: Readonly<Record<string, unknown>>): object[] {
  const lists = Object.entries(columns).filter((entry): entry is [string, unknown[]] =>
    Array.isArray(entry[1]),
  );
  const rows = Math.min(Math.max(0, ...lists.map(([, list]) => list.length)), MAX_VALUES);
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(lists.flatMap(([name, list]) => (row < list.length ? [[name, list[row]]] : []))),
  );
}

/** The label with the greatest score; labels may be empty, and then its place stands for it. */
function ofResult(item: unknown): Observation {
  if (!Array.isArray(item)) return { ...NOTHING, score: scoreOf(item) };
  const pairs = item.filter((pair): pair is [string, number] => {
    return Array.isArray(pair) && typeof pair[0] === 'string' && scoreOf(pair[1]) !== null;
  });
  if (pairs.length === 0 || pairs.length !== item.length) return NOTHING;
  const best = ofOutputs(
    pairs.map(([, score]) => score),
    pairs.map(([label]) => label),
  );
  return best ?? NOTHING;
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
