import type { AnalysisPhase, MeasurementPhase } from '../../core/analysis/state.ts';
import type { EstimateUnit, GateKind, GateState } from '../../core/judge/gates.ts';
import type { Command, HistoryKind, Phase } from '../../core/rollout/state.ts';

/** What the surfaces show of a rollout. Plain data without secrets. */

export interface RolloutView {
  readonly service: string;
  /** Rises with every rollout begun; 0: none yet. */
  readonly number: number;
  readonly phase: Phase;
  readonly status: 'idle' | 'starting' | 'stepping' | 'completed' | 'aborted' | 'undone' | 'blocked';
  /** Why it is in that phase, in a sentence. */
  readonly message: string;
  readonly stable: string;
  readonly canary: string;
  /** Percent in force for the canary, inside the scope in force. */
  readonly weight: number;
  /** Label of the scope in force; null: everyone. */
  readonly scope: string | null;
  /** Earlier scopes that keep a weight of their own; `everyone` is not listed. */
  readonly scopes: readonly { readonly label: string; readonly weight: number }[];
  /** 0-based; null outside the steps. */
  readonly step: number | null;
  readonly steps: readonly StepView[];
  /** Real milliseconds until the pause under way ends; null: no timed pause. */
  readonly nextInMs: number | null;
  readonly userPaused: boolean;
  /** Why nothing moves although nothing is paused. */
  readonly hold: string | null;
  readonly analyses: readonly AnalysisView[];
  /** As the config lists them; none before the first verdict. */
  readonly gates: readonly GateView[];
  /** Null: the service has no gates, or nothing was judged since this process began. */
  readonly verdict: VerdictView | null;
  readonly versions: readonly VersionTraffic[];
  /** Of the Split in force. */
  readonly revision: number;
  /** How much faster than the wall's the rollout's clock runs. */
  readonly timeScale: number;
  /** When this rollout began, ISO 8601; null: none has. */
  readonly began: string | null;
}

export interface StepView {
  /** Such as `setWeight 5` or `pause 5m`. */
  readonly text: string;
  readonly state: 'done' | 'current' | 'pending';
}

export interface AnalysisView {
  readonly label: string;
  readonly phase: AnalysisPhase;
  readonly message: string;
  readonly metrics: readonly MetricView[];
}

export interface MetricView {
  readonly name: string;
  readonly provider: string;
  readonly dryRun: boolean;
  readonly phase: AnalysisPhase;
  readonly message: string;
  /** The conditions as written; '' for none. */
  readonly successCondition: string;
  readonly failureCondition: string;
  readonly failureLimit: number;
  readonly successful: number;
  readonly failed: number;
  readonly inconclusive: number;
  readonly error: number;
  readonly noData: number;
  readonly last: {
    readonly phase: MeasurementPhase;
    readonly value: string;
    readonly message: string;
    readonly at: string;
  } | null;
}

/** What one gate has found. No number is NaN or infinite: null stands for those. */
export interface GateView {
  readonly name: string;
  readonly kind: GateKind;
  readonly state: GateState;
  /** Of the estimates: milliseconds for `ms`, else 0..1. */
  readonly unit: EstimateUnit;
  /** Null: not measured, or nothing to measure yet. */
  readonly canary: EstimateView | null;
  readonly stable: EstimateView | null;
  /** Towards a rollback, and towards passing. */
  readonly harm: EvidenceView;
  readonly pass: EvidenceView;
  /** `need`: canary samples at which it would be decided if they go on like this; null: not foreseeable. */
  readonly samples: { readonly have: number; readonly need: number | null };
  /** Real milliseconds until then at this traffic; 0: decided, null: not foreseeable. */
  readonly decisionInMs: number | null;
  /** Both versions are beyond the threshold: what is wrong is around them. */
  readonly environment: boolean;
  readonly text: string;
}

/** A number between bounds that hold at all times at once, over `n` samples. */
export interface EstimateView {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
  readonly n: number;
}

export interface EvidenceView {
  /** How many times likelier than without; null: more than a number can say. */
  readonly evidence: number | null;
  /** At how much of it the gate decides. */
  readonly needed: number | null;
  /** How far it has come, of 1, on a scale of logarithms; 0: nowhere. */
  readonly share: number | null;
}

/** What all gates say together. */
export interface VerdictView {
  readonly state: GateState;
  /** Evidence of harm over all gates, and at how much of it the canary is taken back. */
  readonly M: number | null;
  readonly needed: number | null;
  /** Evidence of harm grows: nobody more is exposed meanwhile. */
  readonly holdRamp: boolean;
  /** Whether the canary's share may grow, and what that waits for or rests on. */
  readonly ready: boolean;
  readonly why: string;
  /** Plain words with the numbers that decide. */
  readonly text: string;
}

/** What a version was sent within the last `windowMs`. */
export interface VersionTraffic {
  readonly name: string;
  readonly role: 'stable' | 'canary' | 'other';
  /** Percent of the users whom no rule decides for. */
  readonly weight: number;
  readonly windowMs: number;
  readonly requests: number;
  readonly ratePerS: number;
  /** Share of 5xx, 0..1; null without requests. */
  readonly errorShare: number | null;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
}

export interface HistoryView {
  readonly at: string;
  readonly number: number;
  readonly kind: HistoryKind;
  readonly actor: string;
  readonly cause: string;
  readonly step: number | null;
  readonly weight: number;
  readonly evidence: readonly string[];
}

export interface RolloutRefusal {
  /** `refused`: not in this state; `blocked`: its stored state cannot be used; `store_failed`: nothing was done. */
  readonly code: 'unknown_service' | 'no_rollout' | 'refused' | 'blocked' | 'store_failed';
  readonly message: string;
}

export type CommandOutcome =
  | { readonly ok: true; readonly view: RolloutView }
  | ({ readonly ok: false } & RolloutRefusal);

/** All that the surfaces may ask of the rollouts. */
export interface RolloutsFace {
  rollouts(): RolloutView[];
  /** Null: there is no such service, or it has no rollout. */
  rollout(name: string): RolloutView | null;
  /** Newest last; null as above. */
  history(name: string): HistoryView[] | null;
  /** `actor` goes into the history. */
  rolloutCommand(name: string, command: Command, actor: string): Promise<CommandOutcome>;
}
