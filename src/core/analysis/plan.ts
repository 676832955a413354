import type { Expr } from './conditions/ast.ts';

/**
 * What an analysis measures and how it judges, after templates and arguments have
 * been resolved. Plain data. The limits mean what they mean in Argo Rollouts
 * (pkg/apis/rollouts/v1alpha1, AnalysisTemplate).
 */
export interface AnalysisPlan {
  readonly metrics: readonly MetricPlan[];
  /** No answer from a provider, or an empty one: `hold` waits for data, `error` counts it as an error as Argo does. */
  readonly noData: 'hold' | 'error';
}

export interface MetricPlan {
  readonly name: string;
  readonly provider: Provider;
  /** Time between measurements; null: one measurement only (unless `count` says otherwise). */
  readonly intervalMs: number | null;
  readonly initialDelayMs: number;
  /** Judged measurements after which the metric ends; null: unset. */
  readonly count: number | null;
  readonly successCondition: Condition | null;
  readonly failureCondition: Condition | null;
  /** Trips when exceeded; -1: off. Argo's default: 0. */
  readonly failureLimit: number;
  readonly inconclusiveLimit: number;
  /** Argo's default: 4. */
  readonly consecutiveErrorLimit: number;
  /** Successes in a row that end the metric; 0: off. */
  readonly consecutiveSuccessLimit: number;
  /** Measured and shown, never acted on. */
  readonly dryRun: boolean;
  /** Measurements kept for reading; Argo's default: 10. */
  readonly retention: number;
  readonly minSamples: MinSamples | null;
}

/** A condition as written, and compiled. */
export interface Condition {
  readonly source: string;
  readonly expr: Expr;
}

/** Below this many samples a measurement is no data. */
export interface MinSamples {
  readonly count: number;
  /** For Prometheus: a query whose first value is the number of samples. Null: the canary's requests since the run began. */
  readonly query: string | null;
}

export type Provider =
  | {
      readonly kind: 'prometheus';
      /** Base URL. */
      readonly address: string;
      readonly query: string;
      readonly headers: readonly Header[];
      /** File that holds a bearer token, read for every query; null: none. */
      readonly bearerTokenFile: string | null;
      readonly timeoutMs: number;
      /** Null: an instant query. */
      readonly range: QueryRange | null;
    }
  | {
      readonly kind: 'web';
      readonly url: string;
      readonly method: 'GET' | 'POST' | 'PUT';
      readonly headers: readonly Header[];
      readonly body: string | null;
      /** Path into a JSON answer, one item a step; empty: the whole. */
      readonly jsonPath: readonly (string | number)[];
      readonly timeoutMs: number;
    }
  | { readonly kind: 'coalmine'; readonly read: TallyRead }
  /** A hook of type `rollout`: 2xx is a success, anything else a failure. */
  | { readonly kind: 'webhook'; readonly hook: string };

export interface Header {
  readonly name: string;
  readonly value: string;
}

/** Both ends as time before now. */
export interface QueryRange {
  readonly startBeforeMs: number;
  readonly endBeforeMs: number;
  readonly stepMs: number;
}

/** A number out of the gateway's own counters, over the last `windowMs`. Mirrored copies never count. */
export interface TallyRead {
  /**
   * `successRate`, `errorRatio`: shares 0..1; an error is a 5xx. `latency`: ms, the quantile.
   * `rate`: requests a second. `requests`: their number.
   */
  readonly measure: 'successRate' | 'errorRatio' | 'latency' | 'rate' | 'requests';
  /** 0..1, for `latency`. */
  readonly quantile: number;
  readonly of: 'canary' | 'stable';
  /** Null: the plain value; else the value divided by stable's, or stable's subtracted from it. */
  readonly relative: 'ratio' | 'difference' | null;
  readonly windowMs: number;
}
