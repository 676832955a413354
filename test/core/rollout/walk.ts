import type { AnalysisPlan, MetricPlan } from '../../../src/core/analysis/plan.ts';
import type { Outcome } from '../../../src/core/analysis/state.ts';
import { nextDueMs } from '../../../src/core/rollout/due.ts';
import { phaseOf } from '../../../src/core/rollout/phase.ts';
import type { RolloutPlan, Step, Webhook } from '../../../src/core/rollout/plan.ts';
import { settingsOf, weightInForce } from '../../../src/core/rollout/settings.ts';
import type { Command, Effect, RolloutEvent, RolloutState } from '../../../src/core/rollout/state.ts';
import { initialState, transition } from '../../../src/core/rollout/transition.ts';

/** Rollouts in virtual time: a plan, a state, and answers to what the state machine asks for. */

export const noPatterns = (source: string) => (text: string) => text === source;

export function planOf(options: Partial<RolloutPlan> = {}): RolloutPlan {
  return {
    service: 'svc',
    stable: 'v1',
    canary: 'v2',
    canaryDefinition: 'two',
    stableDefinition: 'one',
    steps: [],
    stepsDefinition: JSON.stringify(options.steps ?? []),
    background: null,
    start: 'auto',
    onFailure: 'abort',
    onInconclusive: 'pause',
    progressDeadlineMs: 600_000,
    progressDeadlineAbort: false,
    rollbackWindow: 0,
    managedRoutes: [],
    requires: [],
    webhooks: [],
    notifications: [],
    ...options,
  };
}

export const weight = (percent: number): Step => ({ kind: 'setWeight', weightBp: percent * 100 });
export const pause = (seconds: number | null = null): Step => ({
  kind: 'pause',
  durationMs: seconds === null ? null : seconds * 1_000,
});

/** A metric that judges by its outcome alone: `value: true` is a success, `false` a failure, anything else an error. */
export function metricOf(options: Partial<MetricPlan> = {}): MetricPlan {
  return {
    name: 'm',
    provider: { kind: 'webhook', hook: 'm' },
    intervalMs: 10_000,
    initialDelayMs: 0,
    count: null,
    successCondition: null,
    failureCondition: null,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    consecutiveSuccessLimit: 0,
    dryRun: false,
    retention: 10,
    minSamples: null,
    ...options,
  };
}

export function analysisOf(...metrics: Partial<MetricPlan>[]): AnalysisPlan {
  return { metrics: metrics.map(metricOf), noData: 'hold' };
}

export function hookOf(options: Partial<Webhook> = {}): Webhook {
  return {
    name: 'hook',
    type: 'confirm-rollout',
    url: 'http://hooks.test/',
    timeoutMs: 1_000,
    retries: 0,
    intervalMs: 10_000,
    headers: [],
    metadata: {},
    failureLimit: 0,
    ...options,
  };
}

export interface Answers {
  /** Null: no answer comes. */
  measure?(metric: string, walk: Walk): Outcome | null;
  hook?(name: string, walk: Walk): boolean | null;
}

export class Walk {
  plan: RolloutPlan;
  state: RolloutState;
  nowMs = 0;
  refusal: string | null = null;
  answers: Answers;
  /** Every effect so far. */
  readonly effects: Effect[] = [];
  /** Called after every transition. */
  check: (walk: Walk) => void = () => undefined;

  constructor(plan: RolloutPlan, answers: Answers = {}) {
    this.plan = plan;
    this.answers = answers;
    this.state = initialState(plan);
    this.send({ kind: 'planned' });
  }

  /** Carries an event out, and at once what it asks for. */
  send(event: RolloutEvent): void {
    const at = { nowMs: this.nowMs, wallMs: 1_000_000 + this.nowMs };
    const next = transition(this.plan, this.state, event, at, noPatterns);
    this.state = next.state;
    if (event.kind === 'command') this.refusal = next.refusal;
    this.effects.push(...next.effects);
    this.check(this);
    for (const effect of next.effects) this.#answer(effect);
  }

  command(kind: Command['kind'], more: object = {}): string | null {
    const defaults = { promote: { full: false }, abort: { reason: '' }, setWeight: { weightBp: 0 } };
    const base = kind in defaults ? defaults[kind as keyof typeof defaults] : {};
    this.send({ kind: 'command', command: { kind, ...base, ...more } as Command, actor: 'test' });
    return this.refusal;
  }

  replan(plan: RolloutPlan): void {
    this.plan = plan;
    this.send({ kind: 'planned' });
  }

  /** Lets time pass, waking at every moment at which something is due. */
  pass(seconds: number): void {
    const endMs = this.nowMs + seconds * 1_000;
    for (;;) {
      const due = nextDueMs(this.plan, this.state);
      if (due === null || due > endMs) break;
      this.nowMs = Math.max(this.nowMs, due);
      const before = this.state;
      this.send({ kind: 'tick' });
      // Due and nothing changed would be due for ever.
      if (this.state === before) throw new Error(`due at ${due} without an effect`);
    }
    this.nowMs = endMs;
    this.send({ kind: 'tick' });
  }

  get weight(): number {
    return weightInForce(this.plan, this.state) / 100;
  }

  get phase(): string {
    return phaseOf(this.plan, this.state).phase;
  }

  get message(): string {
    return phaseOf(this.plan, this.state).message;
  }

  get settings() {
    return settingsOf(this.plan, this.state);
  }

  get step(): number | null {
    return this.state.progress.kind === 'stepping' ? this.state.progress.index : null;
  }

  get status(): string {
    return this.state.progress.kind;
  }

  /** Kinds of the history's entries. */
  get told(): string[] {
    return this.state.history.map(({ kind }) => kind);
  }

  #answer(effect: Effect): void {
    if (effect.kind === 'measure') {
      const { runId, metric } = effect;
      const outcome = (this.answers.measure ?? (() => good))(metric, this);
      if (outcome !== null) this.send({ kind: 'measured', runId, metric, outcome });
    } else if (effect.kind === 'call') {
      const ok = (this.answers.hook ?? (() => true))(effect.hook, this);
      if (ok !== null)
        this.send({ kind: 'answered', hook: effect.hook, ok, detail: ok ? '' : '403: not yet' });
    }
  }
}

export const good: Outcome = { kind: 'value', value: true, samples: null };
export const bad: Outcome = { kind: 'value', value: false, samples: null };
export const broken: Outcome = { kind: 'error', reason: 'the question was refused' };
export const nothing: Outcome = { kind: 'noData', reason: 'no data' };
