import { orList } from '../issue.ts';
import { argoDurationMs, durationMs, percentBp, sizeBytes } from '../quantity.ts';
import { bad, good, type Reading } from './reading.ts';

/** What a duration or a size of one key may be; bounds are inclusive and written as the user would. */
export interface QuantityBounds {
  readonly min: string;
  readonly max: string;
  /** Words allowed besides, such as `none`. */
  readonly words?: readonly string[];
}

/** Milliseconds; null for one of the allowed words. */
export function readDuration(text: string, bounds: QuantityBounds): Reading<number | null> {
  return readQuantity(text, bounds, durationMs, 'a duration with its unit', '500ms, 2s, 5m, 1h or 30d');
}

/** Bytes; null for one of the allowed words. */
export function readSize(text: string, bounds: QuantityBounds): Reading<number | null> {
  return readQuantity(text, bounds, sizeBytes, 'a size with its unit', '512B, 64KiB, 1MiB or 10MB');
}

/** Milliseconds; Go's form, or whole seconds. */
export function readArgoDuration(text: string, bounds: QuantityBounds): Reading<number | null> {
  return readQuantity(text, bounds, argoDurationMs, 'a duration', '5m, 1h30m or 300 for seconds');
}

/** A whole number that stands in quotes. */
export function readIntegerText(
  text: string,
  bounds: { readonly min: number; readonly max: number },
): Reading<number> {
  const fix = `write a whole number from ${bounds.min} to ${bounds.max}`;
  if (!/^-?[0-9]{1,9}$/.test(text)) return bad('must be a whole number', fix);
  const value = Number(text);
  if (value < bounds.min || value > bounds.max) {
    return bad(`must be from ${bounds.min} to ${bounds.max}`, fix);
  }
  return good(value);
}

function readQuantity(
  text: string,
  bounds: QuantityBounds,
  parse: (text: string) => number | null,
  kind: string,
  examples: string,
): Reading<number | null> {
  const words = bounds.words ?? [];
  if (words.includes(text)) return good(null);
  const value = parse(text);
  const or = words.length === 0 ? '' : `, or ${orList(words)}`;
  if (value === null) return bad(`must be ${kind}${or}`, `write it like ${examples}${or}`);
  const min = parse(bounds.min) ?? 0;
  const max = parse(bounds.max) ?? 0;
  if (value >= min && value <= max) return good(value);
  return bad(
    `must be from ${bounds.min} to ${bounds.max}${or}`,
    value < min ? `write ${bounds.min} or more` : `write ${bounds.max} or less${or}`,
  );
}

/** Basis points. */
export function readPercent(percent: number): Reading<number> {
  const bp = percentBp(percent);
  if (bp !== null) return good(bp);
  if (percent >= 0 && percent <= 100) {
    return bad('has more than two decimals', `write ${Math.round(percent * 100) / 100}`);
  }
  return bad('must be a percentage from 0 to 100', 'write a number such as 5 or 0.25');
}

/** Inclusive. */
export interface ShareBounds {
  readonly min: number;
  readonly max: number;
}

/** A part of a whole, 0..1. */
export function readShare(value: number, { min, max }: ShareBounds): Reading<number> {
  if (value >= min && value <= max) return good(value);
  const range = `from ${min} to ${max}`;
  const part = Math.round(value * 1e6) / 1e8;
  if (value > 1 && part >= min && part <= max) {
    return bad(`must be a share ${range}, not a percentage`, `write ${part}`);
  }
  return bad(`must be a share ${range}`, value > max ? `write ${max} or less` : `write ${min} or more`);
}

/** `5%`, `0.5%` as a share. Without its sign nobody could tell 5 % from five times. */
export function readPercentText(text: string): Reading<number> {
  return readPercentWithin(text, 0.1, 50);
}

/** `0%` to `100%` as a share. */
export function readAnyPercentText(text: string): Reading<number> {
  return readPercentWithin(text, 0, 100);
}

function readPercentWithin(text: string, min: number, max: number): Reading<number> {
  const digits = /^([0-9]{1,3}(?:\.[0-9]{1,4})?)( ?%)?$/.exec(text);
  const number = Number(digits?.[1]);
  if (digits === null) return bad('must be a percentage with its sign', 'write it like 5%');
  if (digits[2] === undefined) {
    const meant = number < 1 ? Math.round(number * 1e6) / 1e4 : number;
    return bad('must be a percentage with its sign', `write ${meant}%`);
  }
  if (number >= min && number <= max) return good(Math.round(number * 1e4) / 1e6);
  return bad(
    `must be from ${min}% to ${max}%`,
    number > max ? `write ${max}% or less` : `write ${min}% or more`,
  );
}
