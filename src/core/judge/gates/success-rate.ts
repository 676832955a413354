import type { GateSpec } from '../gates.ts';
import { addToRate, assignRate, type RateSpec, type RateWords, readRate, startRate } from './rate.ts';
import { foldOf, type GateFold } from './reading.ts';

const WORDS: RateWords = {
  unit: 'failures',
  verb: 'failed',
  detail: '',
  noun: 'first requests',
  instead: null,
};

/** 5xx and time-outs of first attempts. */
export function successRateFold({ atLeast, tolerate }: Extract<GateSpec, { kind: 'successRate' }>): GateFold {
  const spec: RateSpec = {
    q0: 1 - atLeast,
    rho0: tolerate,
    bad: (arm) => arm.errors,
    all: (arm) => arm.requests,
    firsts: [{ events: (arm) => arm.firstErrors, bursts: null }],
  };
  return foldOf({
    start: () => startRate(spec),
    add: addToRate,
    assign: assignRate,
    read: (rate, look) => readRate(rate, look, WORDS),
  });
}
