import type { PairSpec } from '../core/observe/spec.ts';
import { DEFAULTS } from './defaults.ts';
import { readPointer } from './forms/pointer.ts';
import type { Reading } from './forms/reading.ts';
import { readLabel } from './forms/texts.ts';
import type { RawPredictions, RawService } from './schema.ts';

/** What is seen of a model's answers, with the short forms written out. */

export type Format = NonNullable<RawPredictions['format']>;
export const FIELDS = ['class', 'confidence', 'score'] as const;
export type Field = (typeof FIELDS)[number];

/** What each format says by itself, without a pointer. */
const BY_ITSELF: Readonly<Record<Format, readonly Field[]>> = {
  json: [],
  v2: FIELDS,
  tensorflow: FIELDS,
  openai: ['class', 'score'],
};

export function formatOf(raw: RawPredictions): Format {
  return raw.format ?? DEFAULTS.predictions.format;
}

/** Whether answers give this field. */
export function reads(raw: RawPredictions | undefined, field: Field): boolean {
  if (raw === undefined) return false;
  if (raw[field] !== undefined) return true;
  const format = formatOf(raw);
  // Where v2 is told an output's name it reads those alone; one of probabilities gives class and confidence.
  if (format === 'v2' && FIELDS.some((one) => raw[one] !== undefined)) {
    return field === 'confidence' && raw.class !== undefined;
  }
  return BY_ITSELF[format].includes(field);
}

/** A JSON Pointer's parts, or the name of an output as the only part. */
export function readField(format: Format, text: string): Reading<readonly string[]> {
  if (format !== 'v2') return readPointer(text);
  const name = readLabel(text);
  return name.ok ? { ok: true, value: [name.value] } : name;
}

export function scoreRangeOf(raw: RawPredictions): readonly [number, number] {
  const { scoreRange, tokenRange } = DEFAULTS.predictions;
  return raw.scoreRange ?? (formatOf(raw) === 'openai' ? tokenRange : scoreRange);
}

export function comparedBy({ shadow, predictions }: RawService): PairSpec['by'] {
  if (shadow?.compare !== undefined) return shadow.compare;
  if (reads(predictions, 'class')) return 'class';
  return reads(predictions, 'score') ? 'score' : 'json';
}

/** Whether some requests are copied, now or by a step; also of a service that has not passed the schema. */
export function mirrors({ mirror, rollout }: RawService): boolean {
  if (mirror !== undefined) return true;
  const steps: unknown = rollout?.steps;
  if (!Array.isArray(steps)) return false;
  const known: readonly (Readonly<Record<string, unknown>> | null)[] = steps;
  return known.some((step) => step?.setMirror !== undefined || step?.setMirrorRoute !== undefined);
}
