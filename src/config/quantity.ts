/**
 * Quantities as people write them. Each reader answers null for what it cannot
 * read; what a key allows besides (bounds, words) is the schema's matter.
 */

const MS_PER_UNIT = new Map([
  ['ms', 1],
  ['s', 1_000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

const BYTES_PER_UNIT = new Map([
  ['B', 1],
  ['kB', 1_000],
  ['KB', 1_000],
  ['MB', 1_000_000],
  ['GB', 1_000_000_000],
  ['KiB', 1_024],
  ['MiB', 1_048_576],
  ['GiB', 1_073_741_824],
]);

export const DURATION_PATTERN = '[0-9]{1,9}(\\.[0-9]{1,6})?(ms|s|m|h|d)';
export const SIZE_PATTERN = '[0-9]{1,12}(\\.[0-9]{1,6})?(B|kB|KB|MB|GB|KiB|MiB|GiB)';
/** Go's and Argo's: several units one after the other, or plain seconds. */
export const ARGO_DURATION_PATTERN = '[0-9]{1,9}|([0-9]{1,9}(\\.[0-9]{1,6})?(ms|s|m|h|d)){1,6}';
const ARGO_DURATION = new RegExp(`^(${ARGO_DURATION_PATTERN})$`);
const DURATION = new RegExp(`^${DURATION_PATTERN}$`);
const SIZE = new RegExp(`^${SIZE_PATTERN}$`);

/** `500ms`, `1.5s`, `5m`, `2h`, `30d` in milliseconds, exact to the nanosecond. */
export function durationMs(text: string): number | null {
  const factor = factorOf(DURATION, MS_PER_UNIT, text);
  return factor === null ? null : Math.round(Number.parseFloat(text) * factor * 1e6) / 1e6;
}

/** As Argo Rollouts takes them: `5m`, `1h30m`, and `300` or `"300"` for seconds; in milliseconds. */
export function argoDurationMs(value: string | number): number | null {
  const text = String(value);
  if (!ARGO_DURATION.test(text)) return null;
  if (/^[0-9]+$/.test(text)) return Number(text) * 1_000;
  const parts = text.match(/[0-9.]+(ms|[smhd])/g) ?? [];
  return parts.reduce((sum, part) => sum + (durationMs(part) ?? 0), 0);
}

/** `512B`, `64KiB`, `10MB` in whole bytes. */
export function sizeBytes(text: string): number | null {
  const factor = factorOf(SIZE, BYTES_PER_UNIT, text);
  return factor === null ? null : Math.round(Number.parseFloat(text) * factor);
}

function factorOf(form: RegExp, factors: ReadonlyMap<string, number>, text: string): number | null {
  if (!form.test(text)) return null;
  return factors.get(text.replace(/^[0-9.]+/, '')) ?? null;
}

/** Percent in basis points; null below 0, over 100 or with more than two decimals. */
export function percentBp(percent: number): number | null {
  if (!(percent >= 0 && percent <= 100)) return null;
  const bp = Math.abs(Math.round(percent * 100));
  // 0.07 * 100 is 7.000000000000001, but 7 / 100 is the very number that 0.07 is read as.
  return bp / 100 === percent ? bp : null;
}

/** Readers of what has passed validation, where anything else is a defect of ours. */

export function msOf(text: string): number {
  return known(durationMs(text), text);
}

export function argoMsOf(value: string | number): number {
  return known(argoDurationMs(value), String(value));
}

export function bytesOf(text: string): number {
  return known(sizeBytes(text), text);
}

export function bpOf(percent: number): number {
  return known(percentBp(percent), String(percent));
}

function known(value: number | null, text: string): number {
  if (value === null) throw new Error(`read before it was checked: ${text}`);
  return value;
}
