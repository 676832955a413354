import { argoDurationMs } from '../quantity.ts';
import { bad, good, type Reading } from './reading.ts';

const FORM = 'write now() or now() - duration("1h")';
const MAX_BACK_MS = 30 * 86_400_000;
const TIME = /^ *now\( *\) *(?:- *duration\( *(?:"([^"]*)"|'([^']*)') *\))? *$/;

/** One end of a range query, as milliseconds before now. */
export function readQueryTime(text: string): Reading<number> {
  const found = TIME.exec(text);
  if (found === null) return bad('is not a time that can be read', FORM);
  const back = found[1] ?? found[2];
  if (back === undefined) return good(0);
  const ms = argoDurationMs(back);
  if (ms === null) return bad('has a duration that cannot be read', FORM, text.indexOf(back));
  return ms <= MAX_BACK_MS ? good(ms) : bad('reaches back more than 30 days', 'begin later');
}

/** The step of a range query, in milliseconds. */
export function readQueryStep(text: string): Reading<number> {
  const ms = argoDurationMs(text);
  if (ms === null) return bad('must be a duration', 'write it like 30s or 1m');
  return ms >= 1_000 && ms <= MAX_BACK_MS
    ? good(ms)
    : bad('must be from 1s to 30d', 'write it like 30s or 1m');
}
