/** How far an analysis has come. Plain data that is written to disk as it is. */

export const MEASUREMENT_PHASES = ['Successful', 'Failed', 'Inconclusive', 'Error', 'NoData'] as const;
export type MeasurementPhase = (typeof MEASUREMENT_PHASES)[number];

/** A metric or a whole run; `Pending` has not been measured yet. */
export type AnalysisPhase = 'Pending' | 'Running' | 'Successful' | 'Failed' | 'Inconclusive' | 'Error';

/** What a provider brought. Values are JSON's, and may hold NaN and infinities. */
export type Outcome =
  | {
      readonly kind: 'value';
      readonly value: unknown;
      /** Samples behind the value, where the metric asks for a minimum and they could be counted. */
      readonly samples: number | null;
    }
  /** The provider answered, and had nothing; or it could not be reached. Neither says anything of the version. */
  | { readonly kind: 'noData'; readonly reason: string }
  /** The question itself was refused, or the answer made no sense. */
  | { readonly kind: 'error'; readonly reason: string };

export interface Measurement {
  readonly phase: MeasurementPhase;
  /** The value as text, cut to a readable length; '' where there was none. */
  readonly value: string;
  /** Why, where the phase alone does not say it. */
  readonly message: string;
  /** On the rollout's own clock. */
  readonly atMs: number;
  /** For people. */
  readonly wallMs: number;
}

export interface MetricState {
  readonly name: string;
  readonly phase: AnalysisPhase;
  readonly message: string;
  readonly successful: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly error: number;
  readonly noData: number;
  readonly consecutiveError: number;
  readonly consecutiveSuccess: number;
  /** Consecutive NoData, so that a hold can say for how long. */
  readonly consecutiveNoData: number;
  /** Newest last, at most the metric's `retention`. */
  readonly measurements: readonly Measurement[];
  /** When the next measurement is due on the rollout's clock; null: none is. */
  readonly nextAtMs: number | null;
  /** A measurement has been asked for and has not come back. */
  readonly inFlight: boolean;
}

export interface RunState {
  readonly id: number;
  /** `background`, `step 3`, `experiment step 4 / NAME`. */
  readonly label: string;
  readonly startedAtMs: number;
  readonly phase: AnalysisPhase;
  readonly message: string;
  readonly metrics: readonly MetricState[];
}
