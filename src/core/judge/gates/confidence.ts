import type { Arm, Slice } from '../evidence.ts';
import type { Estimate, GateSpec } from '../gates.ts';
import { logMean, MEAN_BINS, type MeanTable, meanTable, meanWealth } from '../kernels/bounded-mean.ts';
import { logMeanExp } from '../kernels/logs.ts';
import { meanInterval } from '../kernels/mean-interval.ts';
import { MORE } from '../kernels/ratio.ts';
import { count, fraction } from '../words.ts';
import {
  entry,
  type GateFold,
  type Look,
  leastSamples,
  nothingMissing,
  type Reading,
  SHOWN_ALPHA,
  type Shown,
} from './reading.ts';
import { addToVersus, copyVersus, startVersus, type Versus, versusE } from './versus.ts';

type Spec = Extract<GateSpec, { kind: 'confidence' }>;

interface State {
  readonly spec: Spec;
  readonly goodEnough: MeanTable;
  readonly harm: Versus;
  readonly canary: number[];
  readonly stable: number[];
  requests: number;
}

/** Average confidence: rolls back on more unsure first answers than stable's, passes on the mean itself. */
export function confidenceFold(spec: Spec): GateFold {
  return over({
    spec,
    goodEnough: meanTable(spec.mean, 'goodEnough'),
    harm: startVersus(MORE),
    canary: Array.from({ length: MEAN_BINS }, () => 0),
    stable: Array.from({ length: MEAN_BINS }, () => 0),
    requests: 0,
  });
}

function over(state: State): GateFold {
  return {
    add: (slice) => add(state, slice),
    copy: () =>
      over({
        ...state,
        harm: copyVersus(state.harm),
        canary: state.canary.slice(),
        stable: state.stable.slice(),
      }),
    read: (look) => read(state, look),
  };
}

function add(state: State, { index, w, canary, stable }: Slice): void {
  const unsure = (arm: Arm) => entry(arm.firstUnsure, state.spec.name) ?? 0;
  addToVersus(state.harm, { index, w, rho0: 1 }, unsure(canary), unsure(stable));
  addBins(state.canary, canary.confidence);
  addBins(state.stable, stable.confidence);
  state.requests += canary.requests;
}

function addBins(sum: number[], bins: readonly number[]): void {
  for (let i = 0; i < bins.length; i++) sum[i]! += bins[i]!;
}

function read(state: State, look: Look): Reading {
  const { spec, goodEnough } = state;
  const wealth = meanWealth(goodEnough, state.canary);
  const needed = Math.log(1 / look.beta);
  const n = answersIn(state.canary);
  return {
    unit: 'mean',
    logHarm: look.alone
      ? logMean(meanTable(spec.mean, 'tooLow'), state.canary)
      : Math.log(versusE(state.harm)),
    pass: { logE: logMeanExp(wealth), needed },
    have: n,
    perRequest: state.requests === 0 ? 1 : n / state.requests,
    tolerated: null,
    noun: 'answers',
    missingToAdvance: nothingMissing,
    shown: () => shownOf(state, look, missing(wealth, n, needed)),
  };
}

function shownOf({ spec, ...bins }: State, look: Look, more: number | null): Shown {
  const canary = meanEstimate(bins.canary);
  const stable = meanEstimate(bins.stable);
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

function answersIn(bins: readonly number[]): number {
  let n = 0;
  for (let i = 0; i < bins.length; i++) n += bins[i]!;
  return n;
}

/** Answers still missing if the next ones are like those so far. */
function missing(wealth: Float64Array, n: number, needed: number): number | null {
  if (logMeanExp(wealth) >= needed) return 0;
  if (n === 0) return null;
  return leastSamples((more) => logMeanExp(wealth.map((w) => w * (1 + more / n))) >= needed);
}

function meanEstimate(bins: readonly number[]): Estimate | null {
  let n = 0;
  let sum = 0;
  let squares = 0;
  for (let i = 0; i < bins.length; i++) {
    const answers = bins[i]!;
    if (answers === 0) continue;
    const x = (i + 0.5) / MEAN_BINS;
    n += answers;
    sum += answers * x;
    squares += answers * x * x;
  }
  if (n === 0) return null;
  const value = sum / n;
  // Never narrower than a bin: that is all the histogram knows.
  const variance = Math.max(squares / n - value * value, 1 / MEAN_BINS ** 2);
  return { value, ...meanInterval(n, value, variance, SHOWN_ALPHA), n };
}

function shown(estimate: Estimate | null): string {
  return estimate === null ? 'unknown' : `${fraction(estimate.value)} over ${count(estimate.n)}`;
}
