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

/** One stage's answers by what they said: only within a stage do both arms see the same mixture of hours. */
interface Stratum {
  readonly stage: number;
  /** Classes, or score bins by number, in the order in which they came up. */
  readonly names: string[];
  readonly places: Map<string, number>;
  /** Answers by a name's place. */
  readonly canary: number[];
  readonly stable: number[];
  nc: number;
  ns: number;
}

/** Classes and scores are two questions about the same answers: in one distribution each would water the other down. */
interface State {
  readonly spec: Spec;
  readonly classes: Stratum[];
  readonly scores: Stratum[];
  requests: number;
}

/** Total variation between the classes, and between the score bins, that both versions answer. */
export function shiftFold(spec: Spec): GateFold {
  const start = () => ({ spec, classes: [], scores: [], requests: 0 });
  return foldOf<State>({ start, add, assign, read });
}

function assign(to: State, from: State): void {
  assignStrata(to.classes, from.classes);
  assignStrata(to.scores, from.scores);
  to.requests = from.requests;
}

function assignStrata(to: Stratum[], from: readonly Stratum[]): void {
  to.length = Math.min(to.length, from.length);
  for (let i = 0; i < from.length; i++) {
    const other = from[i]!;
    let own = to[i];
    if (own?.stage !== other.stage) to[i] = own = newStratum(other.stage);
    // Of a stage that is over nothing changes any more.
    if (!isSame(own, other)) assignStratum(own, other);
  }
}

function isSame(a: Stratum, b: Stratum): boolean {
  return a.nc === b.nc && a.ns === b.ns && a.names.length === b.names.length;
}

function newStratum(stage: number): Stratum {
  return { stage, names: [], places: new Map(), canary: [], stable: [], nc: 0, ns: 0 };
}

function assignStratum(to: Stratum, { names, canary, stable, nc, ns }: Stratum): void {
  // One of the two went on from the other, so the shorter list is how the longer one begins.
  while (to.names.length > names.length) forgetLast(to);
  while (to.names.length < names.length) placeOf(to, names[to.names.length]!);
  for (let i = 0; i < names.length; i++) {
    to.canary[i] = canary[i]!;
    to.stable[i] = stable[i]!;
  }
  to.nc = nc;
  to.ns = ns;
}

function placeOf({ names, places, canary, stable }: Stratum, name: string): number {
  const place = names.push(name) - 1;
  places.set(name, place);
  canary.push(0);
  stable.push(0);
  return place;
}

function forgetLast({ names, places, canary, stable }: Stratum): void {
  places.delete(names.pop()!);
  canary.pop();
  stable.pop();
}

function add(state: State, { stage, canary, stable }: Slice): void {
  const classes = stratumOf(state.classes, stage);
  classes.nc += addClasses(classes, classes.canary, canary);
  classes.ns += addClasses(classes, classes.stable, stable);
  const scores = stratumOf(state.scores, stage);
  scores.nc += addScores(scores, scores.canary, canary);
  scores.ns += addScores(scores, scores.stable, stable);
  state.requests += canary.requests;
}

function stratumOf(strata: Stratum[], stage: number): Stratum {
  let stratum = strata.at(-1);
  if (stratum?.stage !== stage) {
    stratum = newStratum(stage);
    strata.push(stratum);
  }
  return stratum;
}

function addClasses(stratum: Stratum, counts: number[], { classes }: Arm): number {
  let n = 0;
  for (const name in classes) {
    const answers = classes[name]!;
    counts[stratum.places.get(name) ?? placeOf(stratum, name)]! += answers;
    n += answers;
  }
  return n;
}

/** Bins keep their places, whichever of them have answers. */
function addScores(stratum: Stratum, counts: number[], { scores }: Arm): number {
  let n = 0;
  for (let bin = 0; bin < scores.length; bin++) {
    if (bin >= counts.length) placeOf(stratum, String(bin));
    counts[bin]! += scores[bin]!;
    n += scores[bin]!;
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
    for (let i = 0; i < stratum.names.length; i++) {
      const name = stratum.names[i]!;
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

/** Where answers say both, each has half of the gate's alpha, and the gate passes when both pass. */
function read(state: State, look: Look): Reading {
  const classes = isEmpty(state.classes) ? null : readPart(state, state.classes, 'class', look);
  const scores = isEmpty(state.scores) ? null : readPart(state, state.scores, 'bin', look);
  if (classes === null || scores === null) {
    return classes ?? scores ?? readPart(state, state.classes, 'class', look);
  }
  const least = classes.pass.logE <= scores.pass.logE ? classes : scores;
  // What looks worse is shown: by the evidence of harm, as long as there is none by what passes later.
  const most =
    classes.logHarm === scores.logHarm ? least : classes.logHarm > scores.logHarm ? classes : scores;
  return {
    ...most,
    logHarm: Math.max(0, most.logHarm - Math.log(2)),
    pass: least.pass,
    have: Math.min(classes.have, scores.have),
    perRequest: Math.min(classes.perRequest, scores.perRequest),
    shown: () => ({ ...most.shown(), missing: longer(classes.shown().missing, scores.shown().missing) }),
  };
}

function isEmpty(strata: readonly Stratum[]): boolean {
  return !strata.some(({ nc, ns }) => nc + ns > 0);
}

/** Null: never. */
function longer(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : Math.max(a, b);
}

type Part = 'class' | 'bin';

function readPart(state: State, strata: readonly Stratum[], part: Part, look: Look): Reading {
  const { atMost } = state.spec;
  const drift = driftOf(strata);
  const { nc, k, distance } = drift;
  const epoch = epochOf(nc, drift.v);
  const needed = Math.log(1 / look.beta);
  const logE = epoch === null ? 0 : logSteady(distance, atMost, epoch);
  return {
    unit: 'totalVariation',
    logHarm:
      epoch === null ? 0 : Math.max(logDrifted(distance, atMost, k, epoch), classApart(strata, atMost)),
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
      facts: facts(drift, epoch, part, look),
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
  const classes = stratum.names.length;
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

function facts({ nc, ns, distance, worst }: Drift, epoch: Epoch | null, part: Part, look: Look): string {
  const over = `over ${count(nc)} predictions against ${count(ns)}`;
  if (epoch === null) return `predictions of ${look.canaryName} are compared from ${FIRST_LOOK} on: ${over}`;
  const most =
    worst === null || distance === 0
      ? ''
      : `; most in ${label(worst.name, part)}, ${percent(worst.canary)} against ${percent(worst.stable)}`;
  return `${look.canaryName}'s predictions differ from ${look.stableName}'s by ${percent(distance)} ${over}${most}`;
}

function label(name: string, part: Part): string {
  return part === 'bin' ? `score bin ${Number(name) + 1}` : `class ${name}`;
}
