import type { Arm, LateKpis, Slice } from '../evidence.ts';
import type { GateSpec } from '../gates.ts';
import { logMeanExp } from '../kernels/logs.ts';
import { LESS, NOT_LESS, ratioTilt, theta } from '../kernels/ratio.ts';
import type { Tilt } from '../kernels/tilt.ts';
import { count, percent } from '../words.ts';
import {
  entry,
  foldOf,
  type GateFold,
  type Look,
  leastSamples,
  nothingMissing,
  type Reading,
  rateEstimate,
} from './reading.ts';
import { addToVersus, assignVersus, startVersus, type Versus, versusE } from './versus.ts';

type Spec = Extract<GateSpec, { kind: 'kpi' }>;

/**
 * Up to this share of the canary "within 5 %" would need more clicks than there will be; there the gate guards
 * against a canary that is worse at all, which needs fewer.
 */
const GUARD_UP_TO = 0.1;

interface State {
  readonly spec: Spec;
  readonly harm: Versus;
  /** Log-likelihood ratios since the beginning: against "worse by more", and against "better by more". */
  readonly notInferior: number[];
  readonly notSuperior: number[];
  readonly tiltsAt: TiltsAt;
  tilts: Tilts;
  kc: number;
  nc: number;
  ks: number;
  ns: number;
  requests: number;
}

/** What an event says at a share of the canary. */
interface Tilts {
  readonly w: number;
  readonly harm: Tilt;
  readonly notInferior: Tilt;
  readonly notSuperior: Tilt;
}

type TiltsAt = (w: number) => Tilts;

/** A business KPI no more than `within` below stable's; of each key only the first event counts. */
export function kpiFold(spec: Spec): GateFold {
  const tiltsAt = remembering((w) => tiltsFor(spec, w));
  const start = (): State => ({
    spec,
    tiltsAt,
    harm: startVersus(LESS),
    ...noTilts(),
    tilts: tiltsAt(0.5),
    kc: 0,
    nc: 0,
    ks: 0,
    ns: 0,
    requests: 0,
  });
  return foldOf({ start, add, assign, read });
}

function assign(to: State, from: State): void {
  assignVersus(to.harm, from.harm);
  for (let j = 0; j < to.notInferior.length; j++) to.notInferior[j] = from.notInferior[j]!;
  for (let j = 0; j < to.notSuperior.length; j++) to.notSuperior[j] = from.notSuperior[j]!;
  to.tilts = from.tilts;
  to.kc = from.kc;
  to.nc = from.nc;
  to.ks = from.ks;
  to.ns = from.ns;
  to.requests = from.requests;
}

function tiltsFor({ within }: Spec, w: number): Tilts {
  return {
    w,
    harm: ratioTilt(w, guarded(w, within), LESS),
    notInferior: ratioTilt(w, 1 - within, NOT_LESS),
    notSuperior: ratioTilt(w, 1 + within, LESS),
  };
}

function add(state: State, { index, w, canary, stable }: Slice): void {
  const { kpi, within } = state.spec;
  const firsts = (arm: Arm) => entry(arm.kpis, kpi)?.firsts ?? 0;
  const kc = firsts(canary);
  const ks = firsts(stable);
  addToVersus(state.harm, { index, w, rho0: guarded(w, within) }, kc, ks);
  if (w !== state.tilts.w) state.tilts = state.tiltsAt(w);
  tiltBy(state.notInferior, state.tilts.notInferior, kc, ks);
  tiltBy(state.notSuperior, state.tilts.notSuperior, kc, ks);
  state.kc += kc;
  state.ks += ks;
  state.nc += canary.keys;
  state.ns += stable.keys;
  state.requests += canary.requests;
}

/** A rollout has a handful of shares, and asks for them at every look. */
const MOST_SHARES = 512;

function remembering(compute: TiltsAt): TiltsAt {
  const known = new Map<number, Tilts>();
  return (w) => {
    let tilts = known.get(w);
    if (tilts === undefined) {
      if (known.size >= MOST_SHARES) known.clear();
      tilts = compute(w);
      known.set(w, tilts);
    }
    return tilts;
  };
}

function guarded(w: number, within: number): number {
  return w <= GUARD_UP_TO ? 1 : 1 - within;
}

/** Events of this KPI that no slice has, and what they say at the shares of their own. */
interface Late {
  readonly kc: number;
  readonly ks: number;
  readonly harm: readonly number[];
  readonly notInferior: readonly number[];
  readonly notSuperior: readonly number[];
}

function lateOf({ kpi }: Spec, tiltsAt: TiltsAt, late: readonly LateKpis[]): Late | null {
  const sum = { kc: 0, ks: 0, harm: LESS.map(() => 0), ...noTilts() };
  for (const { w, canary, stable } of late) {
    const kc = entry(canary, kpi)?.firsts ?? 0;
    const ks = entry(stable, kpi)?.firsts ?? 0;
    if (kc === 0 && ks === 0) continue;
    const tilts = tiltsAt(w);
    tiltBy(sum.harm, tilts.harm, kc, ks);
    tiltBy(sum.notInferior, tilts.notInferior, kc, ks);
    tiltBy(sum.notSuperior, tilts.notSuperior, kc, ks);
    sum.kc += kc;
    sum.ks += ks;
  }
  return sum.kc === 0 && sum.ks === 0 ? null : sum;
}

function noTilts(): Pick<State, 'notInferior' | 'notSuperior'> {
  return { notInferior: NOT_LESS.map(() => 0), notSuperior: LESS.map(() => 0) };
}

function plus(a: readonly number[], b: readonly number[]): number[] {
  return a.map((value, i) => value + b[i]!);
}

function tiltBy(sums: number[], { first, second }: Tilt, kc: number, ks: number): void {
  for (let j = 0; j < sums.length; j++) sums[j]! += kc * first[j]! + ks * second[j]!;
}

function read(state: State, look: Look): Reading {
  const { spec, nc, ns } = state;
  const late = lateOf(spec, state.tiltsAt, look.late);
  const [kc, ks] = [state.kc + (late?.kc ?? 0), state.ks + (late?.ks ?? 0)];
  const notInferior = late === null ? state.notInferior : plus(state.notInferior, late.notInferior);
  const notSuperior = late === null ? state.notSuperior : plus(state.notSuperior, late.notSuperior);
  const needed = Math.log(1 / look.beta);
  const logE = logMeanExp(notInferior);
  return {
    unit: 'conversions',
    logHarm: look.alone ? 0 : Math.log(versusE(state.harm, late?.harm ?? null)),
    pass: { logE, needed },
    have: kc,
    perRequest: state.requests === 0 ? 0 : state.kc / state.requests,
    tolerated: null,
    noun: `users with ${spec.kpi}`,
    missingToAdvance: nothingMissing,
    shown: () => {
      const equivalent = logE >= needed && logMeanExp(notSuperior) >= needed;
      return {
        canary: rateEstimate(kc, Math.max(nc, kc)),
        stable: rateEstimate(ks, Math.max(ns, ks)),
        missing: missing(notInferior, state.tilts, look.w, needed),
        environment: false,
        facts:
          `${look.canaryName} had ${spec.kpi} from ${part(kc, nc, ' users')}, ${look.stableName} from ${part(ks, ns, '')}` +
          `${equivalent ? `; equal within ${percent(spec.within)}` : ''}`,
      };
    },
  };
}

/** Canary's events still missing if from now on both versions do equally well. */
function missing(notInferior: readonly number[], tilts: Tilts, w: number, needed: number): number | null {
  if (logMeanExp(notInferior) >= needed) return 0;
  if (w <= 0 || w >= 1) return null;
  const p = theta(1, w);
  const { first, second } = tilts.notInferior;
  const forecast = notInferior.map(() => 0);
  const events = leastSamples((n) => {
    for (let j = 0; j < forecast.length; j++) {
      forecast[j] = notInferior[j]! + n * (p * first[j]! + (1 - p) * second[j]!);
    }
    return logMeanExp(forecast) >= needed;
  });
  return events === null ? null : Math.ceil(events * p);
}

function part(k: number, n: number, noun: string): string {
  return `${count(k)} of ${count(n)}${noun}${n === 0 ? '' : ` (${percent(k / n)})`}`;
}
