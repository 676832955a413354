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
import { foldOf, type GateFold, type Look, nothingMissing, type Reading, SHOWN_ALPHA } from './reading.ts';

type Spec = Extract<GateSpec, { kind: 'predictionShift' }>;

/** One stage's answers by class: only within a stage do both arms see the same mixture of hours. */
interface Stratum {
  readonly stage: number;
  readonly names: Names;
  /** Answers by a name's place. */
  readonly canary: number[];
  readonly stable: number[];
  nc: number;
  ns: number;
}

/** Classes and score bins in the order in which they came up: `c` or `s` and then what it is called. */
interface Names {
  readonly list: string[];
  readonly ofClass: Map<string, number>;
  readonly ofBin: (number | undefined)[];
}

interface State {
  readonly spec: Spec;
  readonly strata: Stratum[];
  requests: number;
}

/** Total variation between the classes (or score bins) that both versions answer. */
export function shiftFold(spec: Spec): GateFold {
  return foldOf<State>({ start: () => ({ spec, strata: [], requests: 0 }), add, assign, read });
}

function assign(to: State, from: State): void {
  to.strata.length = Math.min(to.strata.length, from.strata.length);
  for (let i = 0; i < from.strata.length; i++) {
    const other = from.strata[i]!;
    let own = to.strata[i];
    if (own?.stage !== other.stage) to.strata[i] = own = newStratum(other.stage);
    // Of a stage that is over nothing changes any more.
    if (!isSame(own, other)) assignStratum(own, other);
  }
  to.requests = from.requests;
}

function isSame(a: Stratum, b: Stratum): boolean {
  return a.nc === b.nc && a.ns === b.ns && a.names.list.length === b.names.list.length;
}

function newStratum(stage: number): Stratum {
  const names = { list: [], ofClass: new Map(), ofBin: [] };
  return { stage, names, canary: [], stable: [], nc: 0, ns: 0 };
}

function assignStratum(to: Stratum, from: Stratum): void {
  // One of the two went on from the other, so the shorter list is how the longer one begins.
  const { list } = from.names;
  while (to.names.list.length > list.length) forgetLast(to);
  while (to.names.list.length < list.length) placeOf(to, list[to.names.list.length]!);
  for (let i = 0; i < list.length; i++) {
    to.canary[i] = from.canary[i]!;
    to.stable[i] = from.stable[i]!;
  }
  to.nc = from.nc;
  to.ns = from.ns;
}

function placeOf({ names, canary, stable }: Stratum, name: string): number {
  const place = names.list.push(name) - 1;
  if (name.startsWith('s')) names.ofBin[Number(name.slice(1))] = place;
  else names.ofClass.set(name.slice(1), place);
  canary.push(0);
  stable.push(0);
  return place;
}

function forgetLast({ names, canary, stable }: Stratum): void {
  const name = names.list.pop()!;
  if (name.startsWith('s')) names.ofBin[Number(name.slice(1))] = undefined;
  else names.ofClass.delete(name.slice(1));
  canary.pop();
  stable.pop();
}

function add(state: State, { stage, canary, stable }: Slice): void {
  let stratum = state.strata.at(-1);
  if (stratum?.stage !== stage) {
    stratum = newStratum(stage);
    state.strata.push(stratum);
  }
  stratum.nc += addArm(stratum, stratum.canary, canary);
  stratum.ns += addArm(stratum, stratum.stable, stable);
  state.requests += canary.requests;
}

/** A model has classes or scores. */
function addArm(stratum: Stratum, counts: number[], { classes, scores }: Arm): number {
  const { ofClass, ofBin } = stratum.names;
  let n = 0;
  for (const name in classes) {
    const answers = classes[name]!;
    counts[ofClass.get(name) ?? placeOf(stratum, `c${name}`)]! += answers;
    n += answers;
  }
  for (let bin = 0; bin < scores.length; bin++) {
    const answers = scores[bin]!;
    counts[ofBin[bin] ?? placeOf(stratum, `s${bin}`)]! += answers;
    n += answers;
  }
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
  const places = new Map<string, number>();
  const names: string[] = [];
  const canary: number[] = [];
  const stable: number[] = [];
  let v = nc === 0 ? Number.POSITIVE_INFINITY : 1 / nc;
  for (const stratum of usable) {
    const weight = stratum.nc / nc;
    v += (weight * weight) / stratum.ns;
    for (let i = 0; i < stratum.names.list.length; i++) {
      const name = stratum.names.list[i]!;
      let place = places.get(name);
      if (place === undefined) {
        place = names.push(name) - 1;
        places.set(name, place);
        canary.push(0);
        stable.push(0);
      }
      canary[place]! += stratum.canary[i]! / nc;
      stable[place]! += (weight * stratum.stable[i]!) / stratum.ns;
    }
  }
  let distance = 0;
  let at = -1;
  let most = -1;
  for (let i = 0; i < names.length; i++) {
    const gap = Math.abs(canary[i]! - stable[i]!);
    distance += gap / 2;
    if (gap <= most) continue;
    most = gap;
    at = i;
  }
  const worst = at < 0 ? null : { name: names[at]!, canary: canary[at]!, stable: stable[at]! };
  return { nc, ns, k: Math.max(2, names.length), distance, v, worst };
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
  const classes = stratum.names.list.length;
  for (let i = 0; i < classes; i++) {
    most = Math.max(most, logApart(stratum.canary[i]!, stratum.nc, stratum.stable[i]!, stratum.ns, atMost));
  }
  const looksAt = 2 * 2 * Math.max(2, classes) * strata.length * (strata.length + 1);
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
