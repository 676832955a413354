import type { AnalysisPlan, Header } from '../analysis/plan.ts';
import type { Condition } from '../model.ts';

/** A rollout as its config says it, with templates resolved. Plain data; versions are named by name. */
export interface RolloutPlan {
  readonly service: string;
  readonly stable: string;
  readonly canary: string;
  /** Identities of what the two versions are; equal texts, equal versions. */
  readonly canaryDefinition: string;
  readonly stableDefinition: string;
  readonly steps: readonly Step[];
  /** Identity of the steps; when it changes under way the rollout begins again. */
  readonly stepsDefinition: string;
  /** Runs beside the steps from `startingStep` (0-based) on. */
  readonly background: { readonly analysis: AnalysisPlan; readonly startingStep: number } | null;
  readonly start: 'auto' | 'manual';
  readonly onFailure: 'abort' | 'pause';
  readonly onInconclusive: 'pause' | 'abort';
  /** How long hooks may say no, or data be missing, before that is told as a lack of progress. */
  readonly progressDeadlineMs: number;
  readonly progressDeadlineAbort: boolean;
  /** A definition among the last so many completed ones skips the steps; 0: none does. */
  readonly rollbackWindow: number;
  /** Order of precedence of the routes that steps set; every name that a step uses is in it. */
  readonly managedRoutes: readonly string[];
  readonly requires: readonly Webhook[];
  readonly webhooks: readonly Webhook[];
  readonly notifications: readonly Notification[];
}

export type Step =
  | { readonly kind: 'setWeight'; readonly weightBp: number }
  /** Null: until someone promotes. */
  | { readonly kind: 'pause'; readonly durationMs: number | null }
  /** `pause: { until: evidence }`: until the gates' evidence bears the next share. */
  | {
      readonly kind: 'evidence';
      readonly atLeastMs: number;
      /** Null: for as long as it takes. */
      readonly atMostMs: number | null;
      readonly onTimeout: 'hold' | 'promote' | 'abort';
    }
  | { readonly kind: 'analysis'; readonly analysis: AnalysisPlan }
  | {
      readonly kind: 'experiment';
      /** Null: until its required analyses are done. */
      readonly durationMs: number | null;
      /** Versions that get a share of their own, taken from stable, while the step lasts. */
      readonly templates: readonly {
        readonly name: string;
        readonly version: string;
        readonly weightBp: number;
      }[];
      readonly analyses: readonly {
        readonly name: string;
        readonly analysis: AnalysisPlan;
        readonly requiredForCompletion: boolean;
      }[];
    }
  /** Null removes the route. */
  | { readonly kind: 'setHeaderRoute'; readonly name: string; readonly when: Condition | null }
  /** `when` null removes the route. */
  | {
      readonly kind: 'setMirrorRoute';
      readonly name: string;
      readonly percentBp: number;
      readonly when: Condition | null;
    }
  | { readonly kind: 'setMirror'; readonly percentBp: number }
  /** Whom the weights of the following steps count for; null: everyone. Earlier scopes keep theirs. */
  | { readonly kind: 'setScope'; readonly when: Condition | null; readonly label: string }
  /** Replicas are not ours; accepted so that Argo's manifests run, and done at once. */
  | { readonly kind: 'setCanaryScale' };

export const WEBHOOK_TYPES = [
  'confirm-rollout',
  'pre-rollout',
  'rollout',
  'confirm-traffic-increase',
  'confirm-promotion',
  'post-rollout',
  'rollback',
  'event',
] as const;
export type WebhookType = (typeof WEBHOOK_TYPES)[number];

/** As Flagger has them: POST with JSON, 2xx means yes. */
export interface Webhook {
  readonly name: string;
  readonly type: WebhookType | 'requires';
  readonly url: string;
  readonly timeoutMs: number;
  /** Further attempts of one call, after transport errors and 5xx. */
  readonly retries: number;
  /** How long a gate that said no waits before it asks again, and the time between polls. */
  readonly intervalMs: number;
  readonly headers: readonly Header[];
  readonly metadata: Readonly<Record<string, string>>;
  /** For `rollout`: failed calls that are tolerated. */
  readonly failureLimit: number;
}

export const NOTIFY_KINDS = ['started', 'step', 'paused', 'aborted', 'completed'] as const;
export type NotifyKind = (typeof NOTIFY_KINDS)[number];

export interface Notification {
  readonly url: string;
  readonly format: 'plain' | 'slack' | 'cloudevents';
  readonly on: readonly NotifyKind[];
  readonly headers: readonly Header[];
  readonly timeoutMs: number;
}
