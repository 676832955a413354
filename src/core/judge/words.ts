/** Numbers as people read them: the same in every locale and on every machine. */

/** `4031` → `4,031`. */
export function count(n: number): string {
  const digits = String(Math.round(n));
  return digits.length <= 3 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `0.066` → `6.6 %`, `0.00042` → `0.042 %`. */
export function percent(share: number): string {
  const value = share * 100;
  if (value === 0) return '0 %';
  if (value >= 99.95 && value < 100) return `${value.toFixed(2)} %`;
  if (value >= 1) return `${trim(value.toFixed(1))} %`;
  return `${trim(value.toFixed(Math.min(4, 1 - Math.floor(Math.log10(value)))))} %`;
}

/** An e-value from its logarithm: `311`, `4.6`, `10^12`. */
export function evidence(logE: number): string {
  const tens = logE / Math.LN10;
  if (tens >= 6) return `10^${Math.floor(tens)}`;
  const value = Math.exp(logE);
  if (value >= 10) return count(value);
  return value < 0.01 ? 'below 0.01' : trim(value.toFixed(value < 1 ? 2 : 1));
}

/** `42 s`, `12 min`, `9.9 h`, `3 days`. */
export function duration(ms: number): string {
  if (ms < 90_000) return `${Math.ceil(ms / 1000)} s`;
  if (ms < 90 * 60_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 48 * 3_600_000) return `${trim((ms / 3_600_000).toFixed(1))} h`;
  return `${count(ms / 86_400_000)} days`;
}

/** Milliseconds of a latency: `187 ms`, `1.9 s`. */
export function latency(ms: number): string {
  if (ms >= 1000) return `${trim((ms / 1000).toFixed(2))} s`;
  return `${ms >= 10 ? Math.round(ms) : trim(ms.toFixed(1))} ms`;
}

/** A number in [0,1] as `0.703`. */
export function fraction(value: number): string {
  return trim(value.toFixed(3));
}

function trim(digits: string): string {
  return digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits;
}
