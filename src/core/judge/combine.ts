import type { GateSpec, GateState } from './gates.ts';

/** Whichever comes first decides: the one table of precedence. CONTINUE and ERROR hold. */
export const PRECEDENCE: readonly GateState[] = ['FAIL', 'ERROR', 'CONTINUE', 'PASS'];

/** The state of several together. No evidence is never a pass: of none it is CONTINUE. */
export function combineStates(states: readonly GateState[]): GateState {
  return PRECEDENCE.find((state) => states.includes(state)) ?? 'CONTINUE';
}

/** A drift gate is a test, not an e-value: each has this share of alpha for itself. */
const DRIFT_SHARE = 0.1;

/** How the probability of a false rollback is divided among gates. */
export interface Division {
  /** What M must reach. */
  readonly neededM: number;
  /** A gate's weight in M; 0 for drift gates. */
  readonly weight: (spec: GateSpec) => number;
  /** Evidence at which a gate fails by itself, as a logarithm. */
  readonly needed: (spec: GateSpec) => number;
}

export function divide(gates: readonly GateSpec[], alpha: number): Division {
  const drifts = gates.filter(isDrift).length;
  const others = gates.length - drifts;
  const driftAlpha = others === 0 ? alpha / Math.max(1, drifts) : alpha * Math.min(DRIFT_SHARE, 0.5 / drifts);
  const neededM = others === 0 ? 1 / alpha : 1 / (alpha - (drifts === 0 ? 0 : drifts * driftAlpha));
  const weight = (spec: GateSpec) => (isDrift(spec) ? 0 : 1 / others);
  return {
    neededM,
    weight,
    needed: (spec) => Math.log(isDrift(spec) ? 1 / driftAlpha : neededM / weight(spec)),
  };
}

export function isDrift(spec: GateSpec): boolean {
  return spec.kind === 'predictionShift';
}
