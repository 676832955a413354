import {
  ARM,
  ARM_SCALARS,
  type ArmTally,
  BINS,
  type Judged,
  MAX_CLASSES,
  PAIR,
  type PairTally,
} from '../../../src/core/arms.ts';
import type { GateSpec, GateVerdict, Verdict } from '../../../src/core/judge/gates.ts';
import type { ServiceJudge } from '../../../src/core/judge/service.ts';
import { bucketOf } from '../../../src/core/tally.ts';

/** Arm tallies as the data path would have counted them. */

export const EDGES = [10, 100, 1_000];
export const SLOW: Judged['slow'] = [{ gate: 'latency', thresholdMs: 100 }];
export const UNSURE: Judged['unsure'] = [{ gate: 'confidence', below: 0.7 }];

export function tally(version: string, stage = 1, service = 'iris-api'): ArmTally {
  return {
    service,
    stage,
    version,
    scalars: new Float64Array(ARM_SCALARS.length),
    latency: new Float64Array(EDGES.length + 1),
    firstSlow: new Float64Array(SLOW.length),
    firstUnsure: new Float64Array(UNSURE.length),
    classNames: [],
    classCounts: new Float64Array(MAX_CLASSES),
    allClasses: new Float64Array(MAX_CLASSES),
    allConfidence: new Float64Array(BINS),
    scores: new Float64Array(BINS),
    confidence: new Float64Array(BINS),
  };
}

export function pairs(stage = 1, service = 'iris-api'): PairTally {
  return { service, stage, counts: new Float64Array(Object.keys(PAIR).length) };
}

export interface FakeAnswer {
  readonly failed?: boolean;
  readonly ms?: number;
  readonly class?: string;
  readonly score?: number;
  readonly confidence?: number;
}

/** `times` requests, each of a user of its own. */
export function answer(arm: ArmTally, times = 1, one: FakeAnswer = {}): void {
  const { failed = false, ms = 5, class: name, score, confidence } = one;
  const { scalars } = arm;
  scalars[ARM.requests]! += times;
  scalars[ARM.keys]! += times;
  if (failed) {
    scalars[ARM.errors]! += times;
    scalars[ARM.firstErrors]! += times;
  }
  arm.latency[bucketOf(Float64Array.from(EDGES), ms)]! += times;
  if (ms > SLOW[0]!.thresholdMs) arm.firstSlow[0]! += times;
  if (name !== undefined) {
    if (!arm.classNames.includes(name)) arm.classNames.push(name);
    arm.classCounts[arm.classNames.indexOf(name)]! += times;
  }
  if (score !== undefined) arm.scores[Math.min(BINS - 1, Math.floor(score * BINS))]! += times;
  if (confidence === undefined) return;
  arm.confidence[Math.min(BINS - 1, Math.floor(confidence * BINS))]! += times;
  if (confidence < UNSURE[0]!.below) arm.firstUnsure[0]! += times;
}

export const SUCCESS: GateSpec = { kind: 'successRate', name: 'successRate', atLeast: 0.99, tolerate: 1 };

/** A gate on its way. */
export function gate(changes: Partial<GateVerdict> = {}): GateVerdict {
  return {
    name: 'successRate',
    kind: 'successRate',
    state: 'CONTINUE',
    unit: 'failures',
    canary: { value: 1 / 212, low: 0.0002, high: 0.0412, n: 212 },
    stable: { value: 9 / 4031, low: 0.001, high: 0.0041, n: 4_031 },
    harm: { logE: Math.log(2.1), needed: Math.log(202) },
    pass: { logE: Math.log(11), needed: Math.log(100) },
    samples: { have: 212, need: 358 },
    etaMs: 180_000.4,
    environment: false,
    text: 'v2 failed 1 of 212 first requests (0.47 %), v1 9 of 4,031 (0.22 %)',
    ...changes,
  };
}

export function verdict(changes: Partial<Verdict> = {}): Verdict {
  return {
    state: 'CONTINUE',
    M: 1.2,
    neededM: 101.0101010101,
    gates: [gate()],
    holdRamp: false,
    problems: [],
    sampleRatio: { logE: 0, needed: Math.log(1_000) },
    advance: {
      toleratedRate: 0.02,
      ready: false,
      why: 'successRate needs 146 more first requests, about 3 min at this traffic',
    },
    text: 'Undecided: v2 failed 1 of 212 first requests. Next step: 146 more are needed.',
    ...changes,
  };
}

export function serviceJudge(
  changes: Partial<ServiceJudge> = {},
  gates: readonly GateSpec[] = [SUCCESS],
): ServiceJudge {
  return {
    service: 'iris-api',
    plan: { gates, alpha: 0.01, beta: 0.01, minSamples: 50 },
    judged: { canary: 1, slow: SLOW, unsure: UNSURE, observe: null, predictionSecret: null },
    scoreRange: [0, 1],
    experiment: null,
    revisions: {},
    ...changes,
  };
}
