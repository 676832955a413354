import { NO_BURST } from '../bursts.ts';
import type { Slice } from '../evidence.ts';
import type { Estimate, GateSpec } from '../gates.ts';
import { logAgainstRate } from '../kernels/interval.ts';
import { count, latency } from '../words.ts';
import { burstsOf } from './harm.ts';
import {
  addToRate,
  assignRate,
  type Firsts,
  type RateSpec,
  type RateState,
  readRate,
  startRate,
} from './rate.ts';
import { entry, foldOf, type GateFold, type Look, type Reading, SHOWN_ALPHA } from './reading.ts';

type Spec = Extract<GateSpec, { kind: 'latency' }>;

interface State {
  readonly spec: Spec;
  readonly rate: RateState;
  readonly canary: number[];
  readonly stable: number[];
}

/**
 * "p99 < 200 ms" is exactly "less than 1 % are above 200 ms". Harm is the mean of two e-values: more keys above
 * the threshold than on stable, and more above stable's own quantile of before the rollout.
 */
export function latencyFold(spec: Spec, edgesMs: readonly number[]): GateFold {
  // The first bucket that may hold something above the threshold: exact if the threshold is an edge.
  const at = edgesMs.findIndex((edge) => edge > spec.thresholdMs);
  const slowFrom = at < 0 ? edgesMs.length : at;
  const rate: RateSpec = {
    q0: 1 - spec.quantile,
    rho0: 1,
    bad: (arm) => sumFrom(arm.latency, slowFrom),
    all: (arm) => sumFrom(arm.latency, 0),
    firsts: [firstSlow(spec.name), firstSlow(`${spec.name}/frozen`)],
  };
  return foldOf<State>({
    start: () => ({ spec, rate: startRate(rate), canary: [], stable: [] }),
    add,
    assign,
    read,
  });
}

function add(state: State, slice: Slice): void {
  addToRate(state.rate, slice);
  addCounts(state.canary, slice.canary.latency);
  addCounts(state.stable, slice.stable.latency);
}

function assign(to: State, from: State): void {
  assignRate(to.rate, from.rate);
  assignCounts(to.canary, from.canary);
  assignCounts(to.stable, from.stable);
}

function read({ spec, rate, canary, stable }: State, look: Look): Reading {
  return readRate(rate, look, {
    unit: 'ms',
    verb: 'was slow on',
    noun: 'first requests',
    detail: `above ${latency(spec.thresholdMs)}`,
    instead: () => {
      const own = quantileEstimate(canary, look.edgesMs, spec.quantile);
      const other = quantileEstimate(stable, look.edgesMs, spec.quantile);
      const facts = `${quantilesOf(spec, own, other)}${burstsText(rate, look)}`;
      return { canary: own, stable: other, facts };
    },
  });
}

function quantilesOf({ quantile }: Spec, canary: Estimate | null, stable: Estimate | null): string {
  if (canary === null) return '';
  const against = stable === null ? '' : ` against ${latency(stable.value)}`;
  return `; p${Number((quantile * 100).toFixed(3))} ${latency(canary.value)}${against}`;
}

function burstsText({ harms }: RateState, { canaryName }: Look): string {
  const { events, bursts } = burstsOf(harms[0]!);
  if (bursts === 0) return '';
  const as = bursts === 1 ? 'a burst, which counts' : `${count(bursts)} bursts, which count`;
  return `; ${count(events)} of ${canaryName}'s came in ${as} as ${bursts === 1 ? 'one' : 'so many'}`;
}

/**
 * The quantile, linear inside its bucket, and between which edges it surely is. The bucket above the last edge
 * has no upper end: its lower end stands for it.
 */
export function quantileEstimate(
  counts: readonly number[],
  edgesMs: readonly number[],
  quantile: number,
): Estimate | null {
  const n = sumFrom(counts, 0);
  const last = edgesMs.at(-1);
  if (n === 0 || last === undefined) return null;
  const above: number[] = [];
  let left = n;
  for (let i = 0; i < edgesMs.length; i++) {
    left -= counts[i] ?? 0;
    above.push(left);
  }
  const tail = (1 - quantile) * n;
  const found = above.findIndex((count) => count <= tail);
  const at = found < 0 ? edgesMs.length : found;
  const excluded = (i: number) => logAgainstRate(above[i]!, n, 1 - quantile) >= Math.log(1 / SHOWN_ALPHA);
  let lowAt = at - 1;
  while (lowAt >= 0 && !excluded(lowAt)) lowAt--;
  let highAt = at;
  while (highAt < edgesMs.length && !(above[highAt]! < tail && excluded(highAt))) highAt++;
  const value = at === edgesMs.length ? last : interpolate(counts, edgesMs, above, at, tail);
  return { value, low: edgesMs[lowAt] ?? 0, high: edgesMs[highAt] ?? last, n };
}

function interpolate(
  counts: readonly number[],
  edgesMs: readonly number[],
  above: readonly number[],
  at: number,
  tail: number,
): number {
  const from = edgesMs[at - 1] ?? 0;
  const inside = counts[at] ?? 0;
  const reach = inside === 0 ? 1 : 1 - (tail - above[at]!) / inside;
  return from + (edgesMs[at]! - from) * reach;
}

function firstSlow(name: string): Firsts {
  return {
    events: (arm) => entry(arm.firstSlow, name) ?? 0,
    bursts: (arm) => entry(arm.slowBursts, name) ?? NO_BURST,
  };
}

function sumFrom(counts: readonly number[], from: number): number {
  let sum = 0;
  for (let i = from; i < counts.length; i++) sum += counts[i]!;
  return sum;
}

function addCounts(sum: number[], counts: readonly number[]): void {
  for (let i = 0; i < counts.length; i++) sum[i] = (sum[i] ?? 0) + counts[i]!;
}

function assignCounts(to: number[], from: readonly number[]): void {
  to.length = from.length;
  for (let i = 0; i < from.length; i++) to[i] = from[i]!;
}
