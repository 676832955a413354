import type { Arm, Slice } from '../evidence.ts';
import type { Estimate, GateSpec } from '../gates.ts';
import {
  driftInterval,
  type Epoch,
  epochOf,
  FIRST_LOOK,
  logApart,
  logDrifted,
  logSteady,
} from '../kernels/drift.ts';
import { count, percent } from '../words.ts';
import { type GateFold, type Look, nothingMissing, type Reading, SHOWN_ALPHA } from './reading.ts';

type Spec = Extract<GateSpec, { kind: 'predictionShift' }>;
type Classes = Map<string, { canary: number; stable: number }>;

/** One stage's answers by class: only within a stage do both arms see the same mixture of hours. */
interface Stratum {
  readonly stage: number;
  readonly classes: Classes;
  nc: number;
  ns: number;
}

interface State {
  readonly spec: Spec;
  readonly strata: Stratum[];
  requests: number;
}

/** Total variation between the classes (or score bins) that both versions answer. */
export function shiftFold(spec: Spec): GateFold {
  return over({ spec, strata: [], requests: 0 });
}

function over(state: State): GateFold {
  return {
    add: (slice) => add(state, slice),
    // Of a stage that is over nothing changes any more.
    copy: () =>
      over({ ...state, strata: [...state.strata.slice(0, -1), ...state.strata.slice(-1).map(copyStratum)] }),
    read: (look) => read(state, look),
  };
}

function copyStratum(stratum: Stratum): Stratum {
  const classes: Classes = new Map();
  for (const [name, counts] of stratum.classes) classes.set(name, { ...counts });
  return { ...stratum, classes };
}

function add(state: State, { stage, canary, stable }: Slice): void {
  let stratum = state.strata.at(-1);
  if (stratum?.stage !== stage) {
    stratum = { stage, classes: new Map(), nc: 0, ns: 0 };
    state.strata.push(stratum);
  }
  stratum.nc += addArm(stratum.classes, canary, 'canary');
  stratum.ns += addArm(stratum.classes, stable, 'stable');
  state.requests += canary.requests;
}

/** A model has classes or scores; a bin is a class whose name no model uses. */
function addArm(classes: Classes, arm: Arm, side: 'canary' | 'stable'): number {
  let n = 0;
  for (const name in arm.classes) n += addClass(classes, `c${name}`, side, arm.classes[name]!);
  for (let bin = 0; bin < arm.scores.length; bin++) n += addClass(classes, `s${bin}`, side, arm.scores[bin]!);
  return n;
}

function addClass(classes: Classes, name: string, side: 'canary' | 'stable', n: number): number {
  const counts = classes.get(name);
  if (counts !== undefined) counts[side] += n;
  else classes.set(name, { canary: 0, stable: 0, [side]: n });
  return n;
}

/** Canary's shares against stable's, stable's stages weighted as canary's are. */
interface Drift {
  readonly nc: number;
  readonly ns: number;
  /** Number of classes, at least 2. */
  readonly k: number;
  readonly distance: number;
  /** Sampling variance: 1/n_c + 1/n_s, with n_s as good as the weighting leaves it. */
  readonly v: number;
  /** The class that differs most. */
  readonly worst: { readonly name: string; readonly canary: number; readonly stable: number } | null;
}

function driftOf(strata: readonly Stratum[]): Drift {
  const usable = strata.filter(({ nc, ns }) => nc > 0 && ns > 0);
  const nc = usable.reduce((sum, stratum) => sum + stratum.nc, 0);
  const ns = usable.reduce((sum, stratum) => sum + stratum.ns, 0);
  const shares = new Map<string, { canary: number; stable: number }>();
  let v = nc === 0 ? Number.POSITIVE_INFINITY : 1 / nc;
  for (const stratum of usable) {
    const weight = stratum.nc / nc;
    v += (weight * weight) / stratum.ns;
    for (const [name, counts] of stratum.classes) {
      const sum = shares.get(name) ?? { canary: 0, stable: 0 };
      sum.canary += counts.canary / nc;
      sum.stable += (weight * counts.stable) / stratum.ns;
      shares.set(name, sum);
    }
  }
  let distance = 0;
  let worst: Drift['worst'] = null;
  for (const [name, { canary, stable }] of shares) {
    const gap = Math.abs(canary - stable);
    distance += gap / 2;
    if (worst === null || gap > Math.abs(worst.canary - worst.stable)) worst = { name, canary, stable };
  }
  return { nc, ns, k: Math.max(2, shares.size), distance, v, worst };
}

function read(state: State, look: Look): Reading {
  const { atMost } = state.spec;
  const drift = driftOf(state.strata);
  const { nc, k, distance } = drift;
  const epoch = epochOf(nc, drift.v);
  const needed = Math.log(1 / look.beta);
  const logE = epoch === null ? 0 : logSteady(distance, atMost, epoch);
  return {
    unit: 'totalVariation',
    logHarm:
      epoch === null ? 0 : Math.max(logDrifted(distance, atMost, k, epoch), classApart(state.strata, atMost)),
    pass: { logE, needed },
    have: nc,
    perRequest: state.requests === 0 ? 1 : nc / state.requests,
    tolerated: null,
    noun: 'predictions',
    missingToAdvance: nothingMissing,
    shown: () => ({
      canary: epoch === null ? null : estimate(drift, epoch),
      stable: null,
      missing: logE >= needed ? 0 : missing(drift, atMost, needed),
      environment: false,
      facts: facts(drift, epoch, look),
    }),
  };
}

function estimate({ distance, k, nc }: Drift, epoch: Epoch): Estimate {
  return { value: distance, ...driftInterval(distance, k, epoch, SHOWN_ALPHA), n: nc };
}

/**
 * The other half of alpha: one class's rates surely further apart than `atMost`, in the newest stage, with two
 * intervals a class; stages share as restarts do.
 */
function classApart(strata: readonly Stratum[], atMost: number): number {
  const stratum = strata.at(-1);
  if (stratum === undefined || stratum.nc === 0 || stratum.ns === 0) return 0;
  let most = 0;
  for (const { canary, stable } of stratum.classes.values()) {
    most = Math.max(most, logApart(canary, stratum.nc, stable, stratum.ns, atMost));
  }
  const looksAt = 2 * 2 * Math.max(2, stratum.classes.size) * strata.length * (strata.length + 1);
  return Math.max(0, most - Math.log(looksAt));
}

/** Canary's answers still missing if the models do not differ and stable's answers grow as canary's do. */
function missing({ nc, ns, k }: Drift, atMost: number, needed: number): number | null {
  const perCanary = 1 + (ns === 0 ? 0 : nc / ns);
  const enough = (n: number): boolean => {
    const epoch = epochOf(n, perCanary / n);
    if (epoch === null) return false;
    // What identical models show on average: the distance's mean without drift.
    const expected = Math.sqrt(((k - 1) * epoch.v) / (2 * Math.PI));
    return logSteady(expected, atMost, epoch) >= needed;
  };
  if (enough(nc)) return null;
  for (let n = Math.max(FIRST_LOOK, nc); n < 1e9; n *= 1.1) if (enough(n)) return Math.ceil(n - nc);
  return null;
}

function facts({ nc, ns, distance, worst }: Drift, epoch: Epoch | null, look: Look): string {
  const over = `over ${count(nc)} predictions against ${count(ns)}`;
  if (epoch === null) return `predictions of ${look.canaryName} are compared from ${FIRST_LOOK} on: ${over}`;
  const most =
    worst === null || distance === 0
      ? ''
      : `; most in ${label(worst.name)}, ${percent(worst.canary)} against ${percent(worst.stable)}`;
  return `${look.canaryName}'s predictions differ from ${look.stableName}'s by ${percent(distance)} ${over}${most}`;
}

function label(name: string): string {
  return name.startsWith('s') ? `score bin ${Number(name.slice(1)) + 1}` : `class ${name.slice(1)}`;
}
