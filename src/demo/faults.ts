import type { Training } from './iris-model.ts';
import { BadInput, isObject } from './predict-body.ts';

/**
 * What is wrong with a model service on purpose.
 * - `slow`: a share `rate` of the answers comes `latencyMs` later.
 * - `errors`: a share `rate` of the requests gets a 500.
 * - `overconfident`, `shifted`: the model itself is trained badly; see Training.
 */
export type Fault =
  | { readonly mode: 'good' }
  | { readonly mode: 'slow'; readonly rate: number; readonly latencyMs: number }
  | { readonly mode: 'errors'; readonly rate: number }
  | { readonly mode: 'overconfident' }
  | { readonly mode: 'shifted'; readonly rate: number };

export type FaultMode = Fault['mode'];

const MAX_LATENCY_MS = 60_000;

/** Each mode with the parameters that it has, and what they are when not given. */
const DEFAULTS: { readonly [M in FaultMode]: Extract<Fault, { mode: M }> } = {
  good: { mode: 'good' },
  slow: { mode: 'slow', rate: 1, latencyMs: 250 },
  errors: { mode: 'errors', rate: 0.3 },
  overconfident: { mode: 'overconfident' },
  shifted: { mode: 'shifted', rate: 0.6 },
};

export const FAULT_MODES = Object.keys(DEFAULTS) as FaultMode[];

export function isFaultMode(value: unknown): value is FaultMode {
  return typeof value === 'string' && Object.hasOwn(DEFAULTS, value);
}

export function defaultFault(mode: FaultMode): Fault {
  return DEFAULTS[mode];
}

/** Reads `{mode, rate?, latencyMs?}`. Throws BadInput, also for a parameter that its mode does not have. */
export function readFault(value: unknown): Fault {
  if (!isObject(value) || !isFaultMode(value.mode)) {
    throw new BadInput(`mode must be one of ${FAULT_MODES.join(', ')}`);
  }
  const fault = DEFAULTS[value.mode];
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(fault, key)) throw new BadInput(`${key} is no parameter of mode ${fault.mode}`);
  }
  if ('rate' in fault) inRange(value.rate, 'rate', 1);
  if ('latencyMs' in fault) inRange(value.latencyMs, 'latencyMs', MAX_LATENCY_MS);
  return { ...fault, ...value };
}

/** How the model behind a fault is trained. */
export function trainingOf(fault: Fault): Training {
  switch (fault.mode) {
    case 'shifted':
      return { kind: 'shifted', rate: fault.rate };
    case 'overconfident':
      return { kind: 'overconfident' };
    case 'good':
    case 'slow':
    case 'errors':
      return { kind: 'good' };
  }
}

function inRange(value: unknown, name: string, max: number): void {
  if (value === undefined) return;
  if (typeof value !== 'number' || !(value >= 0 && value <= max)) {
    throw new BadInput(`${name} must be a number from 0 to ${max}`);
  }
}
