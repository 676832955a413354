import type { GateSpec } from '../gates.ts';
import { binomialTilt, DOWN, UP } from '../kernels/binomial.ts';
import { logTilt, type Tilt } from '../kernels/tilt.ts';
import { count, percent } from '../words.ts';
import {
  ADVANCE_BETA,
  foldOf,
  type GateFold,
  type Look,
  leastSamples,
  type Reading,
  rateEstimate,
} from './reading.ts';

type Spec = Extract<GateSpec, { kind: 'agreement' }>;

/** Mirrored requests answered alike by both versions. Pairs are of the whole rollout, no slice has them. */
export function agreementFold(spec: Spec): GateFold {
  const q0 = 1 - spec.atLeast;
  const tilts = { q0, more: binomialTilt(q0, UP), less: binomialTilt(q0, DOWN) };
  return foldOf({
    start: () => null,
    add: () => undefined,
    assign: () => undefined,
    read: (_none, look) => read(tilts, look),
  });
}

/** Against "as many disagree as may", both ways. */
interface Tilts {
  readonly q0: number;
  readonly more: Tilt;
  readonly less: Tilt;
}

function read({ q0, more, less }: Tilts, look: Look): Reading {
  const { agree, disagree } = look.shadow;
  const n = agree + disagree;
  const needed = Math.log(1 / look.beta);
  const tolerated = Math.log(1 / ADVANCE_BETA);
  const logE = logTilt(less, disagree, agree);
  return {
    unit: 'disagreements',
    logHarm: logTilt(more, disagree, agree),
    pass: { logE, needed },
    have: n,
    perRequest: 0,
    // No user is exposed by a mirror, so the threshold itself is asked for at every step.
    tolerated: { logE, needed: tolerated },
    noun: 'mirrored requests',
    missingToAdvance: () => missing(less, disagree, n, q0, tolerated),
    shown: () => ({
      canary: rateEstimate(disagree, n),
      stable: null,
      missing: missing(less, disagree, n, q0, needed),
      environment: false,
      facts: factsOf(look),
    }),
  };
}

function factsOf({ shadow, canaryName, stableName }: Look): string {
  const { agree, disagree, refused, incomparable } = shadow;
  const n = agree + disagree;
  const left = incomparable === 0 ? '' : `; ${count(incomparable)} pairs could not be compared`;
  const errors = refused === 0 ? '' : `, ${count(refused)} of them with an error`;
  return (
    `${canaryName} answered ${count(disagree)} of ${count(n)} mirrored requests` +
    `${n === 0 ? '' : ` (${percent(disagree / n)})`} differently from ${stableName}${errors}${left}`
  );
}

function missing(tilt: Tilt, k: number, n: number, q0: number, needed: number): number | null {
  if (logTilt(tilt, k, n - k) >= needed) return 0;
  const p = n === 0 ? 0 : k / n;
  return p >= q0
    ? null
    : leastSamples((more) => logTilt(tilt, k + p * more, n - k + (1 - p) * more) >= needed);
}
