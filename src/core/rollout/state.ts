import type { Outcome, RunState } from '../analysis/state.ts';
import type { GateState } from '../judge/gates.ts';

/**
 * How far a rollout has come. Plain data, written to disk whole with every
 * change. Times called `…AtMs` are on the rollout's own clock, which only runs
 * while a gateway watches; `wallMs` is for people.
 */
export interface RolloutState {
  readonly service: string;
  /** What it is a rollout of. */
  readonly stable: string;
  readonly canary: string;
  readonly canaryDefinition: string;
  readonly stepsDefinition: string;
  /** Rises by one with every rollout begun; 0: none yet. */
  readonly number: number;
  /** The clock at the last transition. */
  readonly clockMs: number;
  readonly progress: Progress;
  /** Set by a user; an expired pause waits for `resume` too. */
  readonly userPaused: boolean;
  /** `set-weight` while steps run: in force until the next step that sets one. Basis points. */
  readonly weightOverrideBp: number | null;
  readonly background: RunState | null;
  /** What the gates said last; null: nothing yet, or there are none. */
  readonly verdict: VerdictState | null;
  /** Why nothing moves although nothing is paused; null: it moves. */
  readonly hold: Hold | null;
  /** The hooks of the gate being passed, or null. */
  readonly gate: Gate | null;
  /** Next poll of the `rollback` hooks; null: not polling. */
  readonly rollbackPollAtMs: number | null;
  /** Last time anything advanced, for the progress deadline. */
  readonly progressedAtMs: number;
  readonly deadlineTold: boolean;
  readonly nextRunId: number;
  readonly beganWallMs: number;
  /** Definitions that were completed, newest first, bounded. */
  readonly completed: readonly string[];
  /** Newest last, bounded. */
  readonly history: readonly HistoryEntry[];
}

export type Progress =
  /** Nothing begun: everyone on stable. */
  | { readonly kind: 'idle' }
  /** Asking `requires`, confirm-rollout and pre-rollout hooks; everyone on stable. */
  | { readonly kind: 'starting' }
  | Stepping
  /** Everyone on the canary. `status` says how it came to that. */
  | { readonly kind: 'completed'; readonly status: 'Promoted' | 'FastPromoted' | 'RolledBack' }
  | { readonly kind: 'aborted'; readonly cause: string }
  /** Taken back by `undo`: everyone on stable, and that is how it shall be. */
  | { readonly kind: 'undone' };

export interface Stepping {
  readonly kind: 'stepping';
  /** 0-based; -1 before the first step. The promotion's hooks are asked at the last one. */
  readonly index: number;
  readonly enteredAtMs: number;
  /** Runs of an inline analysis or an experiment of this step. */
  readonly runs: readonly RunState[];
  /** The step is inconclusive (or failed under `onFailure: pause`) and waits for a person. */
  readonly stuck: string | null;
}

export interface Hold {
  readonly reason: string;
  readonly sinceMs: number;
  /** Whether the history says so; short ones are not worth an entry. */
  readonly told: boolean;
}

/** The judge's word, as far as it moves or holds a rollout. */
export interface VerdictState {
  readonly state: GateState;
  /** Evidence of harm grows: nobody more is exposed. */
  readonly holdRamp: boolean;
  /** The evidence bears the next share. */
  readonly ready: boolean;
  /** What it waits for, or what it rests on. */
  readonly why: string;
  /** Gates that failed: they stay so for this rollout. */
  readonly failed: readonly string[];
}

export interface Gate {
  readonly point: 'start' | 'traffic' | 'promotion';
  /** Position in the point's list of hooks. */
  readonly index: number;
  readonly inFlight: boolean;
  /** When to ask; on the rollout's clock. */
  readonly nextAtMs: number;
  /** What the last no said; '' before any. */
  readonly refusal: string;
  /** How often this hook said no. */
  readonly refusals: number;
}

export type Phase = 'Progressing' | 'Paused' | 'Healthy' | 'Degraded';

export const HISTORY_KINDS = [
  'started',
  'refused',
  'step',
  'paused',
  'resumed',
  'held',
  'released',
  'weight',
  'analysis',
  'stuck',
  'promoted',
  'completed',
  'aborted',
  'retried',
  'undone',
  'accepted',
  'superseded',
  'restarted',
  'skipped',
  'deadline',
] as const;
export type HistoryKind = (typeof HISTORY_KINDS)[number];

export interface HistoryEntry {
  readonly wallMs: number;
  readonly number: number;
  readonly kind: HistoryKind;
  /** `coalmine`, or who asked. */
  readonly actor: string;
  /** A sentence. */
  readonly cause: string;
  /** Step index then; null: outside the steps. */
  readonly step: number | null;
  /** Percent in force after it. */
  readonly weight: number;
  /** The measurements or answers that led to it, as short lines. */
  readonly evidence: readonly string[];
}

export type Command =
  | { readonly kind: 'start' }
  | { readonly kind: 'promote'; readonly full: boolean }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'abort'; readonly reason: string }
  | { readonly kind: 'retry' }
  | { readonly kind: 'undo' }
  | { readonly kind: 'setWeight'; readonly weightBp: number };

/** When an event happened, on the rollout's clock and on the wall's. */
export interface Instant {
  readonly nowMs: number;
  readonly wallMs: number;
}

export type RolloutEvent =
  | { readonly kind: 'tick' }
  | { readonly kind: 'command'; readonly command: Command; readonly actor: string }
  | {
      readonly kind: 'measured';
      readonly runId: number;
      readonly metric: string;
      readonly outcome: Outcome;
    }
  /** What a hook said: `ok` for 2xx. `detail` is for people. */
  | {
      readonly kind: 'answered';
      readonly hook: string;
      readonly ok: boolean;
      readonly detail: string;
    }
  /** The gates were judged; `text` and `evidence` say on what numbers. */
  | {
      readonly kind: 'judged';
      readonly verdict: VerdictState;
      readonly text: string;
      readonly evidence: readonly string[];
    }
  /** The config was read: the plan handed over with this event may differ from the one before. */
  | { readonly kind: 'planned' }
  /** After a restart: what had been asked will not be answered any more. */
  | { readonly kind: 'restored' };

/** For the shell, in order; the state they follow from is on disk before the first is carried out. */
export type Effect =
  | { readonly kind: 'measure'; readonly runId: number; readonly metric: string }
  /** An `answered` event follows for hooks of the types that are waited for. */
  | { readonly kind: 'call'; readonly hook: string }
  /** Every entry; who is told of which is the shell's business. */
  | { readonly kind: 'notify'; readonly entry: HistoryEntry };

export interface Transition {
  /** The very object that came in where nothing changed. */
  readonly state: RolloutState;
  readonly effects: readonly Effect[];
  /** Why a command was not carried out; null: it was, or there was none. */
  readonly refusal: string | null;
}
