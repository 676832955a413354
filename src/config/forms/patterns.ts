import { readPattern } from '../pattern.ts';
import { bad, good, type Reading } from './reading.ts';

const BEFORE = '^(?:';

/** A pattern that must match the whole of a text, as Argo's `regex` does; answers the anchored pattern. */
export function readWholePattern(text: string): Reading<string> {
  if (text === '') return bad('is an empty pattern', 'write an RE2 pattern such as Mozilla.*');
  // By itself first: brackets must close inside it, not with ours.
  const alone = readPattern(text);
  if (!alone.ok) return alone;
  const reading = readPattern(`${BEFORE}${text})$`);
  if (reading.ok) return good(reading.value);
  const { message, fix, at } = reading;
  return bad(message, fix, Math.max(0, (at ?? 0) - BEFORE.length));
}

/** A pattern for names of metrics, found anywhere; `*` stands for all of them. */
export function readMetricPattern(text: string): Reading<string> {
  if (text === '*') return good('.*');
  const reading = readPattern(text);
  if (reading.ok || text !== '') return reading;
  return bad('is an empty pattern', 'write the name of a metric, or .* for all of them');
}
