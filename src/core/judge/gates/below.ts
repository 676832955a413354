import { binomialTilt, DOWN } from '../kernels/binomial.ts';
import {
  addToRestarts,
  assignRestarts,
  type Restarts,
  restartsForecast,
  startRestarts,
} from '../kernels/restarts.ts';
import { logTilt, type Tilt } from '../kernels/tilt.ts';
import { leastSamples } from './reading.ts';

/** Weight of the evidence since the beginning; the rest is for what came after a shared outage was over. */
const SINCE_START = 0.9;

/** Evidence that a failure rate is below `q0`: B-DOWN over everything, and a little over every late start. */
export interface Below {
  readonly q0: number;
  readonly tilt: Tilt;
  readonly late: Restarts;
  k: number;
  n: number;
}

export function startBelow(q0: number): Below {
  return { q0, tilt: binomialTilt(q0, DOWN), late: startRestarts(DOWN.length), k: 0, n: 0 };
}

export function assignBelow(to: Below, from: Below): void {
  assignRestarts(to.late, from.late);
  to.k = from.k;
  to.n = from.n;
}

export function addToBelow(below: Below, index: number, k: number, n: number): void {
  below.k += k;
  below.n += n;
  addToRestarts(below.late, index, below.tilt, k, n - k);
}

/** Log e-value against "the rate is `q0` or more". */
export function logBelow(below: Below): number {
  return forecast(below, 0, 0);
}

/** Further samples until `needed`, if failures come as often as so far; 0: reached, null: never. */
export function missingBelow(below: Below, needed: number): number | null {
  if (logBelow(below) >= needed) return 0;
  const p = below.n === 0 ? 0 : below.k / below.n;
  return p >= below.q0 ? null : leastSamples((n) => forecast(below, p, n) >= needed);
}

function forecast({ tilt, late, k, n }: Below, p: number, more: number): number {
  const all = Math.log(SINCE_START) + logTilt(tilt, k + p * more, n - k + (1 - p) * more);
  const recent = Math.log(1 - SINCE_START) + Math.log(restartsForecast(late, tilt, p, more));
  const [high, low] = all > recent ? [all, recent] : [recent, all];
  return high === Number.POSITIVE_INFINITY ? high : high + Math.log1p(Math.exp(low - high));
}
