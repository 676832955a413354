/** What is asked of a canary, and what the judge answers: plain data, types only. */

/** A gate as the configuration states it. Rates and shares are in [0,1], times in ms. */
export type GateSpec =
  /** `tolerate` (rho0: 1, 1.25 or 1.5): roll back once the canary fails more than that many times as often as stable. */
  | {
      readonly kind: 'successRate';
      readonly name: string;
      readonly atLeast: number;
      readonly tolerate: number;
    }
  /** The canary's `quantile` below `thresholdMs`, which should be a bucket edge. `delta` belongs to the collector. */
  | {
      readonly kind: 'latency';
      readonly name: string;
      readonly quantile: number;
      readonly thresholdMs: number;
      readonly delta: number;
    }
  /** Total variation between the arms' class shares (or score bins). */
  | { readonly kind: 'predictionShift'; readonly name: string; readonly atMost: number }
  | { readonly kind: 'confidence'; readonly name: string; readonly mean: number }
  | { readonly kind: 'agreement'; readonly name: string; readonly atLeast: number }
  /** `kpi` at most the share `within` below stable's. */
  | { readonly kind: 'kpi'; readonly name: string; readonly kpi: string; readonly within: number };

export type GateKind = GateSpec['kind'];

export interface JudgePlan {
  readonly gates: readonly GateSpec[];
  /** Greatest probability of rolling back a version as good as stable, for a whole rollout (.01). */
  readonly alpha: number;
  /** Greatest probability of promoting a version that violates a gate (.01), for each gate. */
  readonly beta: number;
  /** Fewest canary samples a gate may pass on (50). */
  readonly minSamples: number;
}

export type GateState = 'PASS' | 'FAIL' | 'CONTINUE' | 'ERROR';

/** A number with its always-valid interval. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}

/** What an estimate's value counts: `failures` and `conversions` and `disagreements` are rates in [0,1]. */
export type EstimateUnit = 'failures' | 'ms' | 'totalVariation' | 'mean' | 'disagreements' | 'conversions';

/** Evidence so far, as the logarithm of an e-value (of 1/p for a test), and how much decides. */
export interface Weighing {
  readonly logE: number;
  readonly needed: number;
}

export interface GateVerdict {
  readonly name: string;
  readonly kind: GateKind;
  readonly state: GateState;
  readonly unit: EstimateUnit;
  readonly canary: Estimate | null;
  readonly stable: Estimate | null;
  readonly harm: Weighing;
  readonly pass: Weighing;
  /** `need`: canary samples at which it would pass if they go on like this; null: not foreseeable. */
  readonly samples: { readonly have: number; readonly need: number | null };
  /** Until `need` is there at this traffic; null: not foreseeable, 0: decided. */
  readonly etaMs: number | null;
  /** Both versions are beyond the threshold: what is wrong is around them. */
  readonly environment: boolean;
  /** One sentence in plain words with the numbers. */
  readonly text: string;
}

/** The part of a gate's verdict that decides. */
export type GateBrief = Pick<GateVerdict, 'name' | 'kind' | 'state' | 'harm' | 'pass'>;

/** May the canary's share grow to the next one? (How long a stage lasts at least is the rollout's business.) */
export interface Advance {
  /** Failure rate that the next share tolerates. */
  readonly toleratedRate: number;
  readonly ready: boolean;
  /** What it waits for, or what it rests on. */
  readonly why: string;
}

export interface Verdict {
  readonly state: GateState;
  /** Evidence of harm over all gates (a weighted mean of e-values), and what rolls back. */
  readonly M: number;
  readonly neededM: number;
  readonly briefs: readonly GateBrief[];
  /** In full; made when they are first asked for. */
  readonly gates: readonly GateVerdict[];
  /** Evidence grows that something is wrong: the ramp waits, timed pauses too. */
  readonly holdRamp: boolean;
  /** Reasons why the counts cannot be believed: silence, gaps, a sample ratio mismatch. */
  readonly problems: readonly string[];
  /** Evidence that requests are not split as the weights say. */
  readonly sampleRatio: Weighing;
  readonly advance: Advance;
  /** Plain words with the numbers that decide; made when they are first asked for. */
  readonly text: string;
}

export interface JudgeContext {
  /** Compared requests a second, both arms together, lately. */
  readonly ratePerS: number;
  /** Mirrored requests a second whose answers can be compared, lately; null or missing: not known. */
  readonly pairsPerS?: number | null;
  /** Share the canary would get next; null: the rollout's last. */
  readonly nextW: number | null;
  /** Nothing more will be learned: nobody is told what is missing, nor when it would be there. */
  readonly over?: boolean;
  /** Gates that failed before in this rollout: they stay FAIL. */
  readonly latched: readonly string[];
  /** What the arms are called in words; without, `canary` and `stable`. */
  readonly names?: { readonly canary: string; readonly stable: string };
}
