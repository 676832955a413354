import type { ObserveSpec } from './observe/spec.ts';

/**
 * The arm tallies: what the judge needs of one version in one stage, counted by
 * the data path. Only requests of the group under comparison are in them, so the
 * arms differ in nothing but the version. Plain data in typed arrays.
 */
export interface ArmTally {
  readonly service: string;
  readonly stage: number;
  readonly version: string;
  /** By index into ARM_SCALARS. */
  readonly scalars: Float64Array;
  /** First attempts by bucket of the service's `latencyEdgesMs`, and one more for above. */
  readonly latency: Float64Array;
  /** By index into Judged.slow: keys' first answers above the threshold. */
  readonly firstSlow: Float64Array;
  /** By index into Judged.unsure: keys' first answers with less confidence. */
  readonly firstUnsure: Float64Array;
  /** Class names of the stage as they came up, on whichever version; what finds no room is counted in the last slot, `other`. */
  readonly classNames: string[];
  readonly classCounts: Float64Array;
  /** The same of every answer that was read, for people; the judge sees a key's first answer of the stage only. */
  readonly allClasses: Float64Array;
  readonly allConfidence: Float64Array;
  /** 256 equal bins over the spec's scoreRange. */
  readonly scores: Float64Array;
  /** 256 equal bins over [0, 1]. */
  readonly confidence: Float64Array;
}

export const ARM_SCALARS = [
  'requests',
  'errors',
  'firstErrors',
  'keys',
  /** Answers chosen for reading, and what became of them. */
  'sampled',
  'observed',
  'unreadable',
  'tooLarge',
  'shed',
] as const;
export const ARM = {
  requests: 0,
  errors: 1,
  firstErrors: 2,
  keys: 3,
  sampled: 4,
  observed: 5,
  unreadable: 6,
  tooLarge: 7,
  shed: 8,
} as const satisfies Record<(typeof ARM_SCALARS)[number], number>;

export const MAX_CLASSES = 64;
/** Answers of a class that found no room among the others. */
export const OTHER_CLASS = 'other';
export const BINS = 256;

/** Pairs of answers of one stage: the client's and the shadow's to the same request. */
export interface PairTally {
  readonly service: string;
  readonly stage: number;
  /** By index into PAIR. */
  readonly counts: Float64Array;
}
export const PAIR = {
  agree: 0,
  disagree: 1,
  incomparable: 2,
  /** How long the shadow took beside the client's answer, of pairs that both answered. */
  slower: 3,
  faster: 4,
  alike: 5,
  /** Those that disagree because the shadow's answer was no 2xx. */
  refused: 6,
} as const;

/** What the data path counts for the judge; a part of the Split's Service, null where nothing is judged. */
export interface Judged {
  /** The rule whose requests are compared, an index into the service's rules; -1: those of no rule. */
  readonly rule: number;
  readonly canary: number;
  readonly slow: readonly { readonly gate: string; readonly thresholdMs: number }[];
  readonly unsure: readonly { readonly gate: string; readonly below: number }[];
  readonly observe: ObserveSpec | null;
  /** Signs `x-prediction-id`; null: none is sent. */
  readonly predictionSecret: string | null;
  /** Of what else the judge asks, a hash. Another question begins a stage, in which everybody may be first once more. */
  readonly question?: number;
}
