import type { MetricPlan } from './core/analysis/plan.ts';
import type { Outcome } from './core/analysis/state.ts';
import type { Webhook } from './core/rollout/plan.ts';
import type { RolloutState } from './core/rollout/state.ts';
import type { SpanRecord } from './core/trace/span.ts';

/** What the shell provides to the parts that must not reach for it themselves. */

export interface Clock {
  /** Monotonic, for durations; milliseconds with fractions. */
  nowMs(): number;
  /** Wall clock, for people and for other machines; milliseconds since the epoch. */
  wallMs(): number;
}

/** Uniform in [0, 1). */
export type Random = () => number;

/** The subset of pino's interface that is used; `fields` first, then the sentence. */
export interface Log {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Compiles a linear-time pattern; throws with the reason when its syntax is wrong. */
export type PatternCompiler = (source: string) => (text: string) => boolean;

/** Takes what the gateway records of traced requests. Neither call waits or throws. */
export interface SpanSink {
  /** Of the requests that begin a trace here, 0..1. */
  readonly share: number;
  /** Whether one more request may be traced now (monotonic, ms); counts both answers. */
  admits(nowMs: number): boolean;
  add(span: SpanRecord): void;
}

/** Whose rollout a measurement is for, and since when its run has been going. */
export interface MeasureContext {
  readonly service: string;
  readonly stable: string;
  readonly canary: string;
  /** How long ago the run began, in real milliseconds. */
  readonly runningMs: number;
}

/** Measures once. Never rejects: what goes wrong is an Outcome. Stops early when `signal` fires. */
export interface MetricSource {
  measure(metric: MetricPlan, context: MeasureContext, signal: AbortSignal): Promise<Outcome>;
}

/** What a hook said; `ok` for 2xx. */
export interface HookAnswer {
  readonly ok: boolean;
  readonly detail: string;
}

/** Calls hooks. Never rejects. */
export type HookCaller = (hook: Webhook, body: object, signal: AbortSignal) => Promise<HookAnswer>;

/** What a store holds for a service. */
export type Stored<T = RolloutState> =
  | { readonly kind: 'none' }
  /** `revision` rises with every save. */
  | { readonly kind: 'found'; readonly state: T; readonly revision: number }
  /** Something is there that must not be used, and is not to be overwritten. `where` says where, `reason` why. */
  | { readonly kind: 'damaged'; readonly where: string; readonly reason: string }
  /** It could not be read this time, and what is there may be sound: it is not to be overwritten either. */
  | { readonly kind: 'unreadable'; readonly where: string; readonly reason: string };

/** Why a record is moved out of the way: what it holds is wrong, or it could not be read when it was needed. */
export type AsideReason = 'damaged' | 'unread';

/**
 * Keeps one record a service: the states of rollouts, or what their evidence is. Small on purpose: a store that
 * several gateways share needs no more than compare-and-set on one record a service.
 */
export interface Store<T = RolloutState> {
  load(service: string): Promise<Stored<T>>;
  /**
   * Durable when it resolves with the new revision. `expected` is the revision
   * that was loaded or saved last, 0 for none; rejects with a StoreConflict where
   * the store holds another one, and with any other error where it could not write.
   */
  save(service: string, state: T, expected: number): Promise<number>;
}

/** A store of what may be given up, since it can be counted anew. */
export interface SpareStore<T> extends Store<T> {
  /**
   * Moves what cannot be used out of the way, over what was moved there before for the same reason; nothing happens
   * where there is nothing. The next save expects 0.
   */
  setAside(service: string, reason: AsideReason): Promise<void>;
  /** Nothing happens where there is nothing. */
  remove(service: string): Promise<void>;
}

export class StoreConflict extends Error {
  /** The revision that the store holds, 0: none. */
  readonly stored: number;

  constructor(message: string, stored: number) {
    super(message);
    this.name = 'StoreConflict';
    this.stored = stored;
  }
}
