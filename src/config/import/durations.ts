import { durationMs } from '../quantity.ts';
import type { Cursor } from './cursor.ts';

/** Durations of Argo's manifests: Go's, which may have several parts, such as `1m30s`. */

const GO_DURATION = /^([0-9]+(\.[0-9]+)?(ns|us|µs|μs|ms|s|m|h))+$/;
const GO_PART = /([0-9]+(?:\.[0-9]+)?)(ns|us|µs|μs|ms|s|m|h)/g;
const MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1e3,
  m: 6e4,
  h: 36e5,
};

/** As the config writes it; undefined where it is absent or no duration (which is reported). */
export function durationOf(at: Cursor): string | number | undefined {
  if (!at.present) return undefined;
  if (typeof at.value === 'number') return at.integer() ?? undefined;
  const text = at.text();
  if (text === null) return undefined;
  // An argument goes in later; then the config's own check reads it.
  if (text.includes('{{') || durationMs(text) !== null || /^[0-9]{1,9}$/.test(text)) return text;
  if (!GO_DURATION.test(text)) {
    at.fail('must be a duration such as 30s, 5m, 1h or 1m30s');
    return undefined;
  }
  let ms = 0;
  for (const [, number, unit] of text.matchAll(GO_PART)) ms += Number(number) * (MS[unit ?? ''] ?? 0);
  return ms % 1000 === 0 ? `${ms / 1000}s` : `${Math.round(ms * 1e6) / 1e6}ms`;
}
