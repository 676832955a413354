import type { Arm, Slice } from '../evidence.ts';
import type { Estimate, EstimateUnit } from '../gates.ts';
import { logB, UP } from '../kernels/binomial.ts';
import { MORE } from '../kernels/ratio.ts';
import { count, percent } from '../words.ts';
import { addToBelow, type Below, copyBelow, logBelow, missingBelow, startBelow } from './below.ts';
import { ADVANCE_BETA, type Look, type Reading, rateEstimate } from './reading.ts';
import { addToVersus, copyVersus, startVersus, type Versus, versusE } from './versus.ts';

/** Failure rates that a next share may tolerate; a gate's own rate where that is higher. See ../advance.ts. */
export const TOLERATED = [0.05, 0.02, 0.01] as const;

/** A gate on how often something bad happens: relative to stable it rolls back, below `q0` it passes. */
export interface RateSpec {
  /** Greatest acceptable rate. */
  readonly q0: number;
  readonly rho0: number;
  /** Bad requests and all requests of an arm, for estimates and for PASS. */
  readonly bad: (arm: Arm) => number;
  readonly all: (arm: Arm) => number;
  /** Keys' first bad requests, for each test of harm; their e-values are averaged. */
  readonly firsts: readonly ((arm: Arm) => number)[];
}

export interface RateState {
  readonly spec: RateSpec;
  readonly harms: readonly Versus[];
  /** By rate, descending; the last is the gate's own. */
  readonly below: readonly Below[];
  kc: number;
  nc: number;
  ks: number;
  ns: number;
}

export function startRate(spec: RateSpec): RateState {
  const rates = new Set([...TOLERATED.filter((rate) => rate > spec.q0), spec.q0]);
  return {
    spec,
    harms: spec.firsts.map(() => startVersus(MORE)),
    below: [...rates].map(startBelow),
    kc: 0,
    nc: 0,
    ks: 0,
    ns: 0,
  };
}

export function copyRate(state: RateState): RateState {
  return { ...state, harms: state.harms.map(copyVersus), below: state.below.map(copyBelow) };
}

export function addToRate(state: RateState, { index, w, canary, stable }: Slice): void {
  const { bad, all, firsts, rho0 } = state.spec;
  const kc = bad(canary);
  const nc = all(canary);
  state.kc += kc;
  state.nc += nc;
  state.ks += bad(stable);
  state.ns += all(stable);
  for (const below of state.below) addToBelow(below, index, kc, nc);
  for (const [i, first] of firsts.entries()) {
    addToVersus(state.harms[i]!, { index, w, rho0 }, first(canary), first(stable));
  }
}

/** Words and estimates that differ between gates on rates. */
export interface RateWords {
  readonly unit: EstimateUnit;
  readonly verb: string;
  readonly detail: string;
  readonly noun: string;
  readonly estimates: { readonly canary: Estimate | null; readonly stable: Estimate | null } | null;
}

export function readRate(state: RateState, look: Look, words: RateWords): Reading {
  const { kc, nc, ks, ns, spec } = state;
  const own = state.below.at(-1)!;
  const passNeeded = Math.log(1 / look.beta);
  const shown = {
    canary: rateEstimate(kc, nc),
    stable: rateEstimate(ks, ns),
  };
  return {
    unit: words.unit,
    ...(words.estimates ?? shown),
    logHarm: Math.log(harm(state, look.alone)),
    pass: { logE: logBelow(own), needed: passNeeded },
    have: nc,
    missing: missingBelow(own, passNeeded),
    perRequest: 1,
    tolerated: toleratedBy(state, look.toleratedRate),
    // One of the arms may be above by chance; stable must be surely, the canary at least as it looks.
    environment: shown.stable !== null && shown.stable.low > spec.q0 && nc > 0 && kc > spec.q0 * nc,
    facts:
      `${look.canaryName} ${words.verb} ${share(kc, nc)} ${words.noun}${inBrackets(words.detail, kc, nc)}, ` +
      `${look.stableName} ${share(ks, ns)}${inBrackets('', ks, ns)}`,
    noun: words.noun,
  };
}

/** Without a second arm an absolute bound is all there is. */
function harm(state: RateState, alone: boolean): number {
  if (alone) return Math.min(1e300, Math.exp(logB(state.kc, state.nc, state.spec.q0, UP)));
  return state.harms.reduce((sum, versus) => sum + versusE(versus) / state.harms.length, 0);
}

function toleratedBy(state: RateState, rate: number): Reading['tolerated'] {
  const needed = Math.log(1 / ADVANCE_BETA);
  if (rate >= 1) return { logE: needed, needed, missing: 0 };
  const below = state.below.find(({ q0 }) => q0 <= rate) ?? state.below.at(-1)!;
  return { logE: logBelow(below), needed, missing: missingBelow(below, needed) };
}

function share(k: number, n: number): string {
  return `${count(k)} of ${count(n)}`;
}

function inBrackets(detail: string, k: number, n: number): string {
  const parts = [...(detail === '' ? [] : [detail]), ...(n === 0 ? [] : [percent(k / n)])];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
