import { type BurstCount, NO_BURST } from '../bursts.ts';
import { logMeanExp } from '../kernels/logs.ts';
import { MORE, ratioTilt } from '../kernels/ratio.ts';
import type { Tilt } from '../kernels/tilt.ts';
import { addToVersus, assignVersus, startVersus, type Versus, versusE } from './versus.ts';

/** Evidence that something bad happens more often on the canary than on stable. */
export interface Harm {
  readonly single: Versus;
  /** Null: one by one each counts. */
  readonly bursts: Bursts | null;
}

/**
 * The canary's bursts against those of stable. An event of a burst says nothing by itself, the burst does, and it is
 * weighed twice: as one event where stable's are counted in units of as many, which is right on average however many
 * processes there are, but takes the canary's only process for a small part of many; and against stable's bursts at
 * even odds, which is right for one process each. The lesser of both counts.
 */
interface Bursts {
  /** Log-likelihood ratios by grid point: of the canary's bursts, and of all of stable's events. */
  readonly ours: Float64Array;
  readonly theirs: Float64Array;
  /** Of bursts alone, at even odds or the canary's share, whichever is more. */
  readonly even: Float64Array;
  events: number;
  bursts: number;
  tiltsOf: number;
  tilt: Tilt;
  evenTilt: Tilt;
}

/** Weight of the evidence of bursts. */
const BURSTS = 0.1;
const EVEN = 0.5;

export function startHarm(hasBursts: boolean): Harm {
  return { single: startVersus(MORE), bursts: hasBursts ? startBursts() : null };
}

function startBursts(): Bursts {
  const sums = () => new Float64Array(MORE.length);
  const tilt = ratioTilt(EVEN, 1, MORE);
  return {
    ours: sums(),
    theirs: sums(),
    even: sums(),
    events: 0,
    bursts: 0,
    // Of no share yet: the first slice brings its own, and the ratio.
    tiltsOf: Number.NaN,
    tilt,
    evenTilt: tilt,
  };
}

export function assignHarm(to: Harm, from: Harm): void {
  assignVersus(to.single, from.single);
  if (to.bursts === null || from.bursts === null) return;
  to.bursts.ours.set(from.bursts.ours);
  to.bursts.theirs.set(from.bursts.theirs);
  to.bursts.even.set(from.bursts.even);
  to.bursts.events = from.bursts.events;
  to.bursts.bursts = from.bursts.bursts;
}

/** `kc` and `ks` events in the slice `index`, and what of them came in bursts. */
export function addToHarm(
  { single, bursts }: Harm,
  at: { index: number; w: number; rho0: number },
  kc: number,
  ks: number,
  ofCanary: BurstCount = NO_BURST,
  ofStable: BurstCount = NO_BURST,
): void {
  // All of stable's count, and the canary's only one by one: that only ever lowers the evidence.
  addToVersus(single, at, Math.max(0, kc - ofCanary.events), ks);
  if (bursts !== null) addToBursts(bursts, at, ks, ofCanary, ofStable);
}

function addToBursts(
  to: Bursts,
  { w, rho0 }: { w: number; rho0: number },
  ks: number,
  ofCanary: BurstCount,
  ofStable: BurstCount,
): void {
  if (to.tiltsOf !== w) {
    to.tiltsOf = w;
    to.tilt = ratioTilt(w, rho0, MORE);
    to.evenTilt = ratioTilt(w >= 1 ? 1 : Math.max(EVEN, w), rho0, MORE);
  }
  to.events += ofCanary.events;
  to.bursts += ofCanary.bursts;
  for (let j = 0; j < MORE.length; j++) {
    to.ours[j]! += ofCanary.bursts * to.tilt.first[j]!;
    to.theirs[j]! += ks * to.tilt.second[j]!;
    to.even[j]! += ofCanary.bursts * to.evenTilt.first[j]! + ofStable.wide * to.evenTilt.second[j]!;
  }
}

/** The e-value now. */
export function harmE({ single, bursts }: Harm): number {
  const one = versusE(single);
  return bursts === null ? one : (1 - BURSTS) * one + BURSTS * burstsE(bursts);
}

/** The canary's, over all slices. */
export function burstsOf({ bursts }: Harm): Pick<BurstCount, 'events' | 'bursts'> {
  return bursts ?? NO_BURST;
}

function burstsE({ ours, theirs, even, events, bursts }: Bursts): number {
  const byBursts = logMeanExp(even);
  if (bursts === 0) return Math.exp(Math.min(0, byBursts));
  const size = Math.max(1, events / bursts);
  const byEvents = logMeanExp(ours.map((our, j) => our + theirs[j]! / size));
  return Math.exp(Math.min(690, byBursts, byEvents));
}
