import type { Arm, Slice } from '../evidence.ts';
import type { Estimate, GateSpec } from '../gates.ts';
import { addWealth, MEAN_BINS, type MeanTable, meanTable } from '../kernels/bounded-mean.ts';
import { logMeanExp } from '../kernels/logs.ts';
import { meanInterval } from '../kernels/mean-interval.ts';
import { MORE } from '../kernels/ratio.ts';
import { count, fraction } from '../words.ts';
import {
  entry,
  foldOf,
  type GateFold,
  type Look,
  leastSamples,
  nothingMissing,
  type Reading,
  SHOWN_ALPHA,
  type Shown,
} from './reading.ts';
import { addToVersus, assignVersus, startVersus, type Versus, versusE } from './versus.ts';

type Spec = Extract<GateSpec, { kind: 'confidence' }>;

interface State {
  readonly spec: Spec;
  readonly tables: Tables;
  readonly harm: Versus;
  /** Log wealth of the bets that the canary's mean is good enough, and too low. */
  readonly goodEnough: Float64Array;
  readonly tooLow: Float64Array;
  readonly canary: Moments;
  readonly stable: Moments;
  requests: number;
}

interface Tables {
  readonly goodEnough: MeanTable;
  readonly tooLow: MeanTable;
}

/** Answers, their sum and the sum of their squares, each at the middle of its bin. */
interface Moments {
  n: number;
  sum: number;
  squares: number;
}

/** Average confidence: rolls back on more unsure first answers than stable's, passes on the mean itself. */
export function confidenceFold(spec: Spec): GateFold {
  const tables = { goodEnough: meanTable(spec.mean, 'goodEnough'), tooLow: meanTable(spec.mean, 'tooLow') };
  return foldOf<State>({ start: () => start(spec, tables), add, assign, read });
}

function start(spec: Spec, tables: Tables): State {
  return {
    spec,
    tables,
    harm: startVersus(MORE),
    goodEnough: new Float64Array(tables.goodEnough.bets),
    tooLow: new Float64Array(tables.tooLow.bets),
    canary: { n: 0, sum: 0, squares: 0 },
    stable: { n: 0, sum: 0, squares: 0 },
    requests: 0,
  };
}

function assign(to: State, from: State): void {
  assignVersus(to.harm, from.harm);
  to.goodEnough.set(from.goodEnough);
  to.tooLow.set(from.tooLow);
  assignMoments(to.canary, from.canary);
  assignMoments(to.stable, from.stable);
  to.requests = from.requests;
}

function assignMoments(to: Moments, from: Moments): void {
  to.n = from.n;
  to.sum = from.sum;
  to.squares = from.squares;
}

function add(state: State, { index, w, canary, stable }: Slice): void {
  const unsure = (arm: Arm) => entry(arm.firstUnsure, state.spec.name) ?? 0;
  addToVersus(state.harm, { index, w, rho0: 1 }, unsure(canary), unsure(stable));
  const { tables, goodEnough, tooLow } = state;
  addWealth(goodEnough, tables.goodEnough, canary.confidence);
  // Asked for only where no slice has anything to compare with.
  if (w >= 1) addWealth(tooLow, tables.tooLow, canary.confidence);
  addMoments(state.canary, canary.confidence);
  addMoments(state.stable, stable.confidence);
  state.requests += canary.requests;
}

function addMoments(moments: Moments, bins: readonly number[]): void {
  for (let i = 0; i < bins.length; i++) {
    const answers = bins[i]!;
    if (answers === 0) continue;
    const x = (i + 0.5) / MEAN_BINS;
    moments.n += answers;
    moments.sum += answers * x;
    moments.squares += answers * x * x;
  }
}

function read(state: State, look: Look): Reading {
  const { goodEnough, tooLow, canary } = state;
  const needed = Math.log(1 / look.beta);
  const { n } = canary;
  return {
    unit: 'mean',
    logHarm: look.alone ? logMeanExp(tooLow) : Math.log(versusE(state.harm)),
    pass: { logE: logMeanExp(goodEnough), needed },
    have: n,
    perRequest: state.requests === 0 ? 1 : n / state.requests,
    tolerated: null,
    noun: 'answers',
    missingToAdvance: nothingMissing,
    shown: () => shownOf(state, look, missing(goodEnough, n, needed)),
  };
}

function shownOf({ spec, ...moments }: State, look: Look, more: number | null): Shown {
  const canary = meanEstimate(moments.canary);
  const stable = meanEstimate(moments.stable);
  return {
    canary,
    stable,
    missing: more,
    environment: canary !== null && stable !== null && stable.high < spec.mean && canary.value < spec.mean,
    facts:
      `${look.canaryName}'s mean confidence is ${shown(canary)}, ${look.stableName}'s ${shown(stable)}, ` +
      `asked is ${fraction(spec.mean)}`,
  };
}

/** Answers still missing if the next ones are like those so far. */
function missing(wealth: Float64Array, n: number, needed: number): number | null {
  if (logMeanExp(wealth) >= needed) return 0;
  if (n === 0) return null;
  return leastSamples((more) => logMeanExp(wealth.map((w) => w * (1 + more / n))) >= needed);
}

function meanEstimate({ n, sum, squares }: Moments): Estimate | null {
  if (n === 0) return null;
  const value = sum / n;
  // Never narrower than a bin: that is all the histogram knows.
  const variance = Math.max(squares / n - value * value, 1 / MEAN_BINS ** 2);
  return { value, ...meanInterval(n, value, variance, SHOWN_ALPHA), n };
}

function shown(estimate: Estimate | null): string {
  return estimate === null ? 'unknown' : `${fraction(estimate.value)} over ${count(estimate.n)}`;
}
