import type { Observation, ObserveSpec, PairSpec } from '../../src/core/observe/spec.ts';

export function spec(over: Partial<ObserveSpec> = {}): ObserveSpec {
  return {
    format: 'json',
    class: null,
    confidence: null,
    score: null,
    scoreRange: [0, 1],
    labels: [],
    share: 1,
    maxPerSecond: 100,
    maxBytes: 65_536,
    cpuShare: 0.05,
    pairs: null,
    ...over,
  };
}

export function pairs(over: Partial<PairSpec> = {}): PairSpec {
  return { by: 'class', tolerance: 0, ignore: [], keep: 0, redact: [], ...over };
}

export function seen(over: Partial<Observation>): Observation {
  return { class: null, confidence: null, score: null, ...over };
}

/** The parts of a pointer without escapes. */
export function at(text: string): string[] {
  return text === '' ? [] : text.slice(1).split('/');
}
