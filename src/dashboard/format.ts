/** Numbers as people read them at night: few digits, units with them, the same width from one second to the next. */

/** What is not known. Never a zero. */
export const NONE = '–';

/** `4031` → `4,031`. */
export function count(n: number | null): string {
  if (n === null) return NONE;
  const digits = String(Math.round(n));
  return digits.length <= 3 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Of a share 0..1: `0.066` → `6.6 %`, `0.00042` → `0.042 %`. */
export function share(value: number | null): string {
  if (value === null) return NONE;
  const percent = value * 100;
  const size = Math.abs(percent);
  if (size === 0) return '0 %';
  if (size >= 99.95 && size < 100) return `${percent.toFixed(2)} %`;
  if (size >= 1) return `${trim(percent.toFixed(1))} %`;
  return `${trim(percent.toFixed(Math.min(4, 1 - Math.floor(Math.log10(size)))))} %`;
}

/** Of a difference of shares, in points: `+3.1`, `−0.4`, `0`. */
export function points(difference: number | null): string {
  if (difference === null) return NONE;
  const text = trim(Math.abs(difference * 100).toFixed(1));
  if (text === '0') return '0';
  return difference > 0 ? `+${text}` : `−${text}`;
}

/** Of a weight, which is a percentage already and has two decimals at most. */
export function weight(percent: number | null): string {
  return percent === null ? NONE : `${trim(percent.toFixed(2))} %`;
}

/** Requests a second: `0.4`, `12.5`, `1,204`. */
export function rate(perS: number | null): string {
  if (perS === null) return NONE;
  if (perS >= 100) return count(perS);
  return trim(perS.toFixed(perS < 1 ? 2 : 1));
}

/** `0.8 ms`, `187 ms`, `1.94 s`. */
export function latency(ms: number | null): string {
  if (ms === null) return NONE;
  if (ms >= 1000) return `${trim((ms / 1000).toFixed(2))} s`;
  return `${ms >= 100 ? Math.round(ms) : trim(ms.toFixed(ms >= 10 ? 1 : 2))} ms`;
}

/** A number 0..1 such as a confidence: `0.943`. */
export function fraction(value: number | null): string {
  return value === null ? NONE : value.toFixed(3);
}

/** How long something takes: `42 s`, `12 min`, `9.9 h`, `3 days`. */
export function duration(ms: number | null): string {
  if (ms === null) return NONE;
  if (ms < 90_000) return `${Math.ceil(ms / 1000)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${trim((ms / 3_600_000).toFixed(1))} h`;
  return `${count(ms / 86_400_000)} days`;
}

/** A countdown: `0:09`, `12:40`, `3:05:00`. */
export function countdown(ms: number): string {
  const all = Math.ceil(Math.max(0, ms) / 1000);
  const hours = Math.floor(all / 3600);
  const minutes = Math.floor((all % 3600) / 60);
  const tail = `${hours > 0 ? two(minutes) : minutes}:${two(all % 60)}`;
  return hours > 0 ? `${hours}:${tail}` : tail;
}

/** What multiplies: `311`, `4.6`, `10^12`. Null is more than a number can say. */
export function evidence(value: number | null): string {
  if (value === null) return 'beyond counting';
  if (value >= 1e6) return `10^${Math.floor(Math.log10(value))}`;
  if (value >= 10) return count(value);
  return value < 0.01 ? 'below 0.01' : trim(value.toFixed(value < 1 ? 2 : 1));
}

/** Of the wall clock, in the browser's time zone: `02:41:07`. */
export function clock(atMs: number): string {
  const at = new Date(atMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** With the day where it is not today's: `27 Nov 02:41:07`. */
export function moment(atMs: number, nowMs: number): string {
  const at = new Date(atMs);
  if (at.toDateString() === new Date(nowMs).toDateString()) return clock(atMs);
  return `${at.getDate()} ${MONTHS[at.getMonth()]} ${clock(atMs)}`;
}

/** `just now`, `40 s ago`, `3 h ago`. */
export function ago(ms: number): string {
  return ms < 2_000 ? 'just now' : `${duration(Math.floor(ms / 1000) * 1000)} ago`;
}

/** `1 service`, `12 services`. */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(n: number): string {
  return String(n).padStart(2, '0');
}

function trim(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}
