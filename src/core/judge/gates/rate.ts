import type { BurstCount } from '../bursts.ts';
import type { Arm, Slice } from '../evidence.ts';
import type { Estimate, EstimateUnit, Weighing } from '../gates.ts';
import { logB, UP } from '../kernels/binomial.ts';
import { count, percent } from '../words.ts';
import { addToBelow, assignBelow, type Below, logBelow, missingBelow, startBelow } from './below.ts';
import { addToHarm, assignHarm, burstsOf, type Harm, harmE, startHarm } from './harm.ts';
import {
  ADVANCE_BETA,
  type Look,
  nothingMissing,
  type Reading,
  rateEstimate,
  type Shown,
} from './reading.ts';

/** Failure rates that a next share may tolerate; a gate's own rate where that is higher. See ../advance.ts. */
const TOLERATED = [0.05, 0.02, 0.01] as const;

/** A gate on how often something bad happens: relative to stable it rolls back, below `q0` it passes. */
export interface RateSpec {
  /** Greatest acceptable rate. */
  readonly q0: number;
  readonly rho0: number;
  /** Bad requests and all requests of an arm, for estimates and for PASS. */
  readonly bad: (arm: Arm) => number;
  readonly all: (arm: Arm) => number;
  /** Keys' first bad requests, for each test of harm; their e-values are averaged. */
  readonly firsts: readonly Firsts[];
}

export interface Firsts {
  readonly events: (arm: Arm) => number;
  /** Those of them that came in bursts; null: one by one each counts. */
  readonly bursts: ((arm: Arm) => BurstCount) | null;
}

export interface RateState {
  readonly spec: RateSpec;
  readonly harms: readonly Harm[];
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
    harms: spec.firsts.map(({ bursts }) => startHarm(bursts !== null)),
    below: [...rates].map(startBelow),
    kc: 0,
    nc: 0,
    ks: 0,
    ns: 0,
  };
}

export function assignRate(to: RateState, from: RateState): void {
  for (let i = 0; i < to.harms.length; i++) assignHarm(to.harms[i]!, from.harms[i]!);
  for (let i = 0; i < to.below.length; i++) assignBelow(to.below[i]!, from.below[i]!);
  to.kc = from.kc;
  to.nc = from.nc;
  to.ks = from.ks;
  to.ns = from.ns;
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
  for (let i = 0; i < firsts.length; i++) {
    const { events, bursts } = firsts[i]!;
    const harm = state.harms[i]!;
    const at = { index, w, rho0 };
    if (bursts === null) addToHarm(harm, at, events(canary), events(stable));
    else addToHarm(harm, at, events(canary), events(stable), bursts(canary), bursts(stable));
  }
}

/** Words and estimates that differ between gates on rates. */
export interface RateWords {
  readonly unit: EstimateUnit;
  readonly verb: string;
  readonly detail: string;
  readonly noun: string;
  /** Null: the rates themselves are shown. */
  readonly instead: (() => RateInstead) | null;
}

/** What is shown in place of the rates, and said after the facts. */
export interface RateInstead {
  readonly canary: Estimate | null;
  readonly stable: Estimate | null;
  readonly facts: string;
}

export function readRate(state: RateState, look: Look, words: RateWords): Reading {
  const own = state.below.at(-1)!;
  const needed = Math.log(1 / look.beta);
  const toAdvance = toleratedBy(state, look.toleratedRate);
  return {
    unit: words.unit,
    logHarm: Math.log(harm(state, look.alone)),
    pass: { logE: logBelow(own), needed },
    have: state.nc,
    perRequest: 1,
    tolerated: toAdvance.tolerated,
    noun: words.noun,
    missingToAdvance: toAdvance.missing,
    shown: () => shownOf(state, look, words, missingBelow(own, needed)),
  };
}

function shownOf(
  { kc, nc, ks, ns, spec }: RateState,
  look: Look,
  words: RateWords,
  missing: number | null,
): Shown {
  const canary = rateEstimate(kc, nc);
  const stable = rateEstimate(ks, ns);
  const instead = words.instead?.() ?? { canary, stable, facts: '' };
  return {
    canary: instead.canary,
    stable: instead.stable,
    missing,
    // One of the arms may be above by chance; stable must be surely, the canary at least as it looks.
    environment: stable !== null && stable.low > spec.q0 && nc > 0 && kc > spec.q0 * nc,
    facts:
      `${look.canaryName} ${words.verb} ${share(kc, nc)} ${words.noun}${inBrackets(words.detail, kc, nc)}, ` +
      `${look.stableName} ${share(ks, ns)}${inBrackets('', ks, ns)}${instead.facts}`,
  };
}

/** Without a second arm an absolute bound is all there is. */
function harm(state: RateState, alone: boolean): number {
  if (alone) {
    const size = eventsAtOnce(state);
    return Math.min(1e300, Math.exp(logB(state.kc / size, state.nc / size, state.spec.q0, UP)));
  }
  return state.harms.reduce((sum, one) => sum + harmE(one) / state.harms.length, 0);
}

/** How many of the canary's events come together, on average over them: what is in a burst is one event. */
function eventsAtOnce({ kc, harms }: RateState): number {
  const { events, bursts } = burstsOf(harms[0]!);
  if (bursts === 0 || kc === 0) return 1;
  return Math.max(1, (Math.max(0, kc - events) + events ** 2 / bursts) / kc);
}

interface ToAdvance {
  readonly tolerated: Weighing;
  missing(): number | null;
}

function toleratedBy(state: RateState, rate: number): ToAdvance {
  const needed = Math.log(1 / ADVANCE_BETA);
  if (rate >= 1) return { tolerated: { logE: needed, needed }, missing: nothingMissing };
  const below = state.below.find(({ q0 }) => q0 <= rate) ?? state.below.at(-1)!;
  return { tolerated: { logE: logBelow(below), needed }, missing: () => missingBelow(below, needed) };
}

function share(k: number, n: number): string {
  return `${count(k)} of ${count(n)}`;
}

function inBrackets(detail: string, k: number, n: number): string {
  const parts = [...(detail === '' ? [] : [detail]), ...(n === 0 ? [] : [percent(k / n)])];
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
