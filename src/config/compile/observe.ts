import type { ObserveSpec, PairSpec } from '../../core/observe/spec.ts';
import { DEFAULTS } from '../defaults.ts';
import { readPointer } from '../forms/pointer.ts';
import { taken } from '../forms/reading.ts';
import { comparedBy, type Field, formatOf, mirrors, readField, scoreRangeOf } from '../observed.ts';
import { bytesOf } from '../quantity.ts';
import type { RawService } from '../schema.ts';

const base = DEFAULTS.predictions;

/** How answers are read; null where nobody wants to know. */
export function compileObserve(raw: RawService): ObserveSpec | null {
  const pairs = pairsOf(raw);
  if (raw.predictions === undefined && pairs === null) return null;
  const predictions = raw.predictions ?? {};
  const format = formatOf(predictions);
  const field = (name: Field) => {
    const text = predictions[name];
    return text === undefined ? null : taken(readField(format, text));
  };
  const { sample } = predictions;
  return {
    format,
    class: field('class'),
    confidence: field('confidence'),
    score: field('score'),
    scoreRange: scoreRangeOf(predictions),
    labels: predictions.labels ?? [],
    share: sample?.share ?? base.sample.share,
    maxPerSecond: sample?.perSecond ?? base.sample.perSecond,
    maxBytes: bytesOf(sample?.maxBody ?? base.sample.maxBody),
    cpuShare: sample?.cpu ?? base.sample.cpu,
    pairs,
  };
}

/** Copies are compared wherever there are some and it is known how. */
function pairsOf(raw: RawService): PairSpec | null {
  const { shadow, predictions } = raw;
  if (!mirrors(raw) || (shadow === undefined && predictions === undefined)) return null;
  return {
    by: comparedBy(raw),
    tolerance: shadow?.tolerance ?? DEFAULTS.shadow.tolerance,
    ignore: (shadow?.ignore ?? []).map((text) => taken(readPointer(text))),
    keep: shadow?.keep ?? DEFAULTS.shadow.keep,
    redact: (shadow?.redact ?? []).map((text) => taken(readPointer(text))),
  };
}
