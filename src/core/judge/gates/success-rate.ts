import type { GateSpec } from '../gates.ts';
import { addToRate, copyRate, type RateState, type RateWords, readRate, startRate } from './rate.ts';
import type { GateFold } from './reading.ts';

const WORDS: RateWords = {
  unit: 'failures',
  verb: 'failed',
  detail: '',
  noun: 'first requests',
  instead: null,
};

/** 5xx and time-outs of first attempts. */
export function successRateFold({ atLeast, tolerate }: Extract<GateSpec, { kind: 'successRate' }>): GateFold {
  return over(
    startRate({
      q0: 1 - atLeast,
      rho0: tolerate,
      bad: (arm) => arm.errors,
      all: (arm) => arm.requests,
      firsts: [(arm) => arm.firstErrors],
    }),
  );
}

function over(state: RateState): GateFold {
  return {
    add: (slice) => addToRate(state, slice),
    copy: () => over(copyRate(state)),
    read: (look) => readRate(state, look, WORDS),
  };
}
