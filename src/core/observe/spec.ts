/** How a model's answers are read. Plain data, a part of the Split. */
export interface ObserveSpec {
  readonly format: 'json' | 'v2' | 'tensorflow' | 'openai';
  /**
   * For `json`: JSON Pointers (RFC 6901) as their parts; `*` stands for every item of an array. Null: not read.
   * For `v2`: the name of an output, as the only part. For the others null means what the format says by itself.
   */
  readonly class: readonly string[] | null;
  readonly confidence: readonly string[] | null;
  readonly score: readonly string[] | null;
  /** Where a score lies; it is clipped to that. */
  readonly scoreRange: readonly [number, number];
  /** Names of classes where answers give their indexes; []: the indexes themselves. */
  readonly labels: readonly string[];
  /** Share of the answers that are read, 0..1, by a hash of the request's id. */
  readonly share: number;
  readonly maxPerSecond: number;
  /** Larger answers (as sent, and decoded) are not read, and counted. */
  readonly maxBytes: number;
  /** CPU that reading may take, of one core, 0..1; beyond it samples are shed and counted. */
  readonly cpuShare: number;
  readonly pairs: PairSpec | null;
}

/** How a shadow's answer is compared with the one that the client got. */
export interface PairSpec {
  /** `class`: the classes are equal; `score`: scores differ by at most `tolerance`; `json`: equal but for `ignore`. */
  readonly by: 'class' | 'score' | 'json';
  readonly tolerance: number;
  readonly ignore: readonly (readonly string[])[];
  /** Disagreeing pairs kept for reading; 0: none. */
  readonly keep: number;
  /** Pointers that are blotted out in kept pairs. */
  readonly redact: readonly (readonly string[])[];
}

/** What one item of an answer says. */
export interface Observation {
  readonly class: string | null;
  /** 0..1. */
  readonly confidence: number | null;
  readonly score: number | null;
}
