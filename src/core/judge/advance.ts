import type { Reading } from './gates/reading.ts';
import type { Advance, GateKind, GateSpec, GateState } from './gates.ts';
import { count, duration, evidence, percent } from './words.ts';

/** Failure rate that may not yet be excluded when the canary's share grows up to `w`: the more, the less. */
const STEPS = [
  { w: 0.01, rate: 1 },
  { w: 0.05, rate: 0.05 },
  { w: 0.25, rate: 0.02 },
  { w: 1, rate: 0.01 },
] as const;

/** Rounding of weights must not make a step stricter. */
const SAME_W = 1e-9;

/** From this much evidence of harm on the ramp waits. */
export const HOLD_RAMP_M = 5;

/** Tolerated failure rate of the share the canary would get; 1: any. Without a next share, the strictest. */
export function toleratedRate(nextW: number | null): number {
  const step = STEPS.find(({ w }) => nextW !== null && nextW <= w + SAME_W);
  return (step ?? STEPS.at(-1)!).rate;
}

/** What a verdict has found, as far as advancing needs it. */
export interface Standing {
  readonly state: GateState;
  readonly M: number;
  /** There is no next share. */
  readonly over: boolean;
  readonly holdRamp: boolean;
  readonly nextW: number | null;
  readonly minSamples: number;
  /** The canary has answered users in this rollout. */
  readonly exposed: boolean;
  readonly problems: readonly string[];
  readonly gates: readonly GateSpec[];
  /** By a gate's place. */
  readonly reading: (gate: number) => Reading;
  /** Canary samples a second at this traffic. */
  readonly samplesPerS: (gate: number) => number;
}

/** Harm must be excluded in proportion to the next exposure. */
export function advanceOf(standing: Standing): Advance {
  const rate = toleratedRate(standing.nextW);
  const blocked = stopped(standing) ?? waiting(standing);
  const why = blocked ?? rests(standing, rate);
  return { toleratedRate: rate, ready: blocked === null, why };
}

function stopped({ state, M, over, holdRamp, problems }: Standing): string | null {
  if (state === 'FAIL') return 'a gate has failed';
  if (over && state !== 'PASS') return 'it is over';
  if (state === 'ERROR') return problems[0] ?? 'a gate cannot be judged';
  if (holdRamp) return `evidence of harm is ${evidence(Math.log(M))}; the ramp waits from ${HOLD_RAMP_M} on`;
  return null;
}

function waiting({
  state,
  nextW,
  minSamples,
  exposed,
  gates,
  reading,
  samplesPerS,
}: Standing): string | null {
  if (nextW === null) return state === 'PASS' ? null : 'not every gate has passed';
  for (let i = 0; i < gates.length; i++) {
    const { name, kind } = gates[i]!;
    // Before the first user is exposed only the mirror can say anything.
    if (!exposed && kind !== 'agreement') continue;
    const missing = missingFor(kind, reading(i), minSamples);
    if (missing === 0) continue;
    return missing === null
      ? `${name}: the failure rate is not below what ${percent(nextW)} tolerates`
      : `${name} needs ${count(missing)} more ${reading(i).noun}${soon(missing, samplesPerS(i))}`;
  }
  return null;
}

/** Samples missing before this gate lets the share grow; null: not foreseeable. */
function missingFor(kind: GateKind, reading: Reading, minSamples: number): number | null {
  // "Within 5 %" cannot be decided at small shares; until it is, evidence of harm holds the ramp.
  if (kind === 'kpi') return 0;
  const few = Math.max(0, minSamples - reading.have);
  const { tolerated } = reading;
  if (tolerated === null || tolerated.logE >= tolerated.needed) return few;
  const missing = reading.missingToAdvance();
  return missing === null ? null : Math.max(few, missing);
}

function soon(missing: number, perS: number): string {
  return perS > 0 ? `, about ${duration((missing / perS) * 1000)} at this traffic` : '';
}

function rests({ nextW, exposed }: Standing, rate: number): string {
  if (nextW === null) return 'every gate has passed';
  if (!exposed) return 'no user has been exposed yet';
  return rate >= 1 ? 'no evidence of harm' : `failure rates of ${percent(rate)} and more are excluded`;
}
