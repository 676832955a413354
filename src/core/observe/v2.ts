import { isObject, MAX_VALUES } from './pointer.ts';
import type { Observation, ObserveSpec } from './spec.ts';
import { classOf, confidenceOf, NOTHING, ofOutputs, scoreOf } from './values.ts';

type Fields = Pick<ObserveSpec, 'class' | 'confidence' | 'score' | 'labels'>;

/** An output tensor as rows: `shape` [n], [n, 1] or [n, k]. */
interface Output {
  readonly name: string;
  readonly kind: 'discrete' | 'float';
  readonly rows: number;
  readonly width: number;
  /** Row by row. */
  readonly data: readonly unknown[];
}

/**
 * Answers of the Open Inference Protocol, version 2 (`outputs`). Where outputs are
 * named, those alone are read; else classes come from the first output of whole
 * numbers, truth values or texts, and from a float output of shape [n, k], which gives
 * confidences too; scores come from a float output of shape [n] or [n, 1].
 */
export function readV2(json: unknown, fields: Fields): Observation[] {
  if (!isObject(json) || !Array.isArray(json.outputs)) return [];
  const outputs = json.outputs.slice(0, 64).flatMap((raw: unknown) => outputOf(raw) ?? []);
  const { classes, confidences, scores } = chosen(outputs, fields);
  const read = [classes, confidences, scores].flatMap((output) => output ?? []);
  const rows = Math.min(Math.max(0, ...read.map((output) => output.rows)), MAX_VALUES);
  return Array.from({ length: rows }, (_, row) => {
    const seen = classes === undefined ? NOTHING : ofRow(classes, row, fields.labels);
    const sure = confidences === undefined ? seen.confidence : confidenceAt(confidences, row);
    return { class: seen.class, confidence: sure, score: scores === undefined ? null : scoreAt(scores, row) };
  });
}

interface Chosen {
  readonly classes: Output | undefined;
  readonly confidences: Output | undefined;
  readonly scores: Output | undefined;
}

function chosen(outputs: readonly Output[], fields: Fields): Chosen {
  const named = (parts: readonly string[] | null) =>
    parts === null ? undefined : outputs.find(({ name }) => name === parts[0]);
  if (fields.class !== null || fields.confidence !== null || fields.score !== null) {
    return {
      classes: named(fields.class),
      confidences: named(fields.confidence),
      scores: named(fields.score),
    };
  }
  const probabilities = outputs.find(({ kind, width }) => kind === 'float' && width > 1);
  return {
    classes: outputs.find(isOfClasses) ?? probabilities,
    confidences: probabilities,
    scores: outputs.find(({ kind, width }) => kind === 'float' && width === 1),
  };
}

function isOfClasses({ kind, width, data }: Output): boolean {
  return kind === 'discrete' && (width === 1 || rankedOf(data[0]) !== null);
}

function ofRow(output: Output, row: number, labels: readonly string[]): Observation {
  const { data, width, kind } = output;
  const first = data[row * width];
  const ranked = rankedOf(first);
  if (width === 1 || ranked !== null) return { ...NOTHING, class: classOf(ranked ?? first, labels) };
  if (kind === 'discrete') return NOTHING;
  return rowOf(output, row, labels);
}

/** Triton's classification extension: `value:index`, and `:label` where it knows one; the best of a row stands first. */
const RANKED = /^[-+]?(?:\d+\.\d+(?:e[-+]?\d+)?|inf|nan):(\d+)(?::(.+))?$/i;

/** Its label or index: the value, which differs from answer to answer, is no part of the class. */
function rankedOf(value: unknown): string | number | null {
  const found = typeof value === 'string' ? RANKED.exec(value) : null;
  return found === null ? null : (found[2] ?? Number(found[1]));
}

function confidenceAt(output: Output, row: number): number | null {
  if (output.width === 1) return confidenceOf(output.data[row]);
  return rowOf(output, row, []).confidence;
}

function scoreAt(output: Output, row: number): number | null {
  return output.width === 1 ? scoreOf(output.data[row]) : null;
}

function rowOf({ data, width }: Output, row: number, labels: readonly string[]): Observation {
  const values = data.slice(row * width, (row + 1) * width);
  return values.length === width ? (ofOutputs(values, labels) ?? NOTHING) : NOTHING;
}

const DISCRETE = /^(?:U?INT(?:8|16|32|64)|BOOL|BYTES|STRING)$/;
const FLOAT = /^(?:FP(?:16|32|64)|BF16)$/;

/** Null: not a tensor of rows, or its data are not as many as its shape says. */
function outputOf(raw: unknown): Output | null {
  if (!isObject(raw)) return null;
  const { name, datatype, shape, data } = raw;
  if (typeof name !== 'string' || typeof datatype !== 'string' || !Array.isArray(data)) return null;
  const kind = DISCRETE.test(datatype) ? 'discrete' : FLOAT.test(datatype) ? 'float' : null;
  if (kind === null || !isShape(shape)) return null;
  const [rows = 0, width = 1] = shape;
  const flat = flatOf(data, rows);
  return flat.length === rows * width ? { name, kind, rows, width, data: flat } : null;
}

function isShape(shape: unknown): shape is readonly number[] {
  if (!Array.isArray(shape) || shape.length < 1 || shape.length > 2) return false;
  return shape.every((size) => Number.isInteger(size) && size >= 1);
}

/** The protocol allows data as one list and as lists of rows. */
function flatOf(data: readonly unknown[], rows: number): readonly unknown[] {
  return data.length === rows && data.every(Array.isArray) ? data.flat() : data;
}
