import type { AnalysisPhase, MeasurementPhase } from '../../core/analysis/state.ts';
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
