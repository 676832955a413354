import { assertNever } from '../model.ts';
import { readOpenai, type Timing, withMeasured } from './openai.ts';
import { valuesAt } from './pointer.ts';
import type { Observation, ObserveSpec } from './spec.ts';
import { assembleStream } from './stream.ts';
import { readTensorflow } from './tensorflow.ts';
import { readV2 } from './v2.ts';
import { classOf, confidenceOf, NOTHING, scoreOf } from './values.ts';

export type { Timing } from './openai.ts';

/**
 * What an answer says, item by item. Never throws; [] where nothing that is
 * looked for is there. An item of a batch that says nothing keeps its place, so
 * that two answers can be compared item by item.
 *
 * @param json the answer, parsed
 * @param timing lets `openai` answers be read by what was measured of them
 */
export function extract(spec: ObserveSpec, json: unknown, timing: Timing | null = null): Observation[] {
  const items = byPointers(spec, json, timing, byItself(spec, json));
  return items.some((item) => item.class !== null || item.confidence !== null || item.score !== null)
    ? items
    : [];
}

/**
 * The same for a body of server-sent events, as far as it has come. Only `openai`
 * answers are streamed. Tokens are counted where the stream says how many there
 * were (`stream_options: {include_usage: true}`), never guessed from its chunks.
 */
export function extractStream(spec: ObserveSpec, text: string, timing: Timing | null = null): Observation[] {
  return spec.format === 'openai' ? extract(spec, assembleStream(text), timing) : [];
}

function byItself(spec: ObserveSpec, json: unknown): Observation[] {
  switch (spec.format) {
    case 'json':
      return [];
    case 'v2':
      return readV2(json, spec);
    case 'tensorflow':
      return readTensorflow(json, spec.labels);
    case 'openai':
      return readOpenai(json);
    default:
      return assertNever(spec.format);
  }
}

/** The format's own reading, and over it the fields that have a pointer of their own; a pointer without `*` tells of the first item. */
function byPointers(
  spec: ObserveSpec,
  json: unknown,
  timing: Timing | null,
  own: readonly Observation[],
): Observation[] {
  // The parts of v2 are names of outputs, not pointers.
  if (spec.format === 'v2' || (spec.class === null && spec.confidence === null && spec.score === null)) {
    return [...own];
  }
  const source = spec.format === 'openai' ? withMeasured(json, timing) : json;
  const items = new Map<number, Observation>();
  for (const [at, item] of own.entries()) {
    items.set(at, {
      class: spec.class === null ? item.class : null,
      confidence: spec.confidence === null ? item.confidence : null,
      score: spec.score === null ? item.score : null,
    });
  }
  for (const { at, value } of found(source, spec.class)) {
    items.set(at, { ...(items.get(at) ?? NOTHING), class: classOf(value, spec.labels) });
  }
  for (const { at, value } of found(source, spec.confidence)) {
    items.set(at, { ...(items.get(at) ?? NOTHING), confidence: confidenceOf(value) });
  }
  for (const { at, value } of found(source, spec.score)) {
    items.set(at, { ...(items.get(at) ?? NOTHING), score: scoreOf(value) });
  }
  return [...items].sort(([a], [b]) => a - b).map(([, item]) => item);
}

function found(json: unknown, parts: readonly string[] | null) {
  return parts === null ? [] : valuesAt(json, parts);
}
