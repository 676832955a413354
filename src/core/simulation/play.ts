import { type Judgement, judge } from '../analysis/judge.ts';
import type { MetricPlan } from '../analysis/plan.ts';
import { measurementOf } from '../rollout/analyses.ts';
import { nextDueMs } from '../rollout/due.ts';
import { phaseOf } from '../rollout/phase.ts';
import type { RolloutPlan } from '../rollout/plan.ts';
import { weightInForce } from '../rollout/settings.ts';
import type {
  Effect,
  HistoryEntry,
  HistoryKind,
  Phase,
  RolloutEvent,
  RolloutState,
} from '../rollout/state.ts';
import { initialState, transition } from '../rollout/transition.ts';
import { simulateMeasurement } from './measure.ts';
import { analysesOf, assumptionsOf, metricNamesOf, Problems } from './notes.ts';
import { sharesOf } from './shares.ts';
import { Traffic, type TrafficOptions } from './traffic.ts';

/**
 * Plays a rollout in virtual time: the very state machine of the gateway, with
 * drawn requests instead of users and with counts of them instead of providers.
 */

export interface PlayOptions extends Omit<TrafficOptions, 'tickMs'> {
  readonly plan: RolloutPlan;
  /** The play ends here at the latest. */
  readonly untilMs: number;
  /** Values of metrics, by name, instead of simulated ones. */
  readonly given: ReadonlyMap<string, unknown>;
  /** An indefinite pause is promoted after so long; null: it waits. */
  readonly promoteAfterMs: number | null;
  readonly compile: (source: string) => (text: string) => boolean;
}

export interface PlayEvent {
  readonly atMs: number;
  /** `measured`: one measurement; `fault`: something begins to go wrong; the others as in a rollout's history. */
  readonly kind: HistoryKind | 'measured' | 'fault';
  /** Percent in force after it, inside the scope in force. */
  readonly weight: number;
  readonly cause: string;
  readonly evidence: readonly string[];
  /** Requests that the canary had been sent by then, and how many of them failed. */
  readonly exposed: number;
  readonly failed: number;
}

export interface Play {
  readonly events: readonly PlayEvent[];
  readonly end: {
    readonly atMs: number;
    readonly status: RolloutState['progress']['kind'];
    readonly phase: Phase;
    readonly message: string;
    readonly weight: number;
    /** Why the play was over. */
    readonly why: string;
  };
  /** From the beginning to the end of the play. */
  readonly requests: number;
  readonly exposed: number;
  readonly failed: number;
  /** Measurements without data because nothing here can answer them: the play is not to be trusted without them. */
  readonly unsimulated: readonly { readonly metric: string; readonly reason: string }[];
  /** Names of all metrics of the plan. */
  readonly metrics: readonly string[];
  /** What was taken for granted. */
  readonly assumptions: readonly string[];
}

/** More than the longest rollout needs; a plan without intervals could go on for ever. */
const MAX_TRANSITIONS = 200_000;
/** Moments of the past that are told apart; a long play remembers it less finely. */
const MAX_TICKS = 86_400;

export function play(options: PlayOptions): Play {
  return new Player(options).run();
}

class Player {
  readonly #options: PlayOptions;
  readonly #traffic: Traffic;
  readonly #problems = new Problems();
  readonly #events: PlayEvent[] = [];
  /** What is to happen at this moment, each with what is to be told of it first. */
  readonly #queue: { readonly event: RolloutEvent; readonly measured: string | null }[] = [];
  /** By run and metric: what was told last. */
  readonly #told = new Map<string, string>();
  #state: RolloutState;
  #nowMs = 0;
  #transitions = 0;
  /** Since when it has been waiting for a person. */
  #waitsSinceMs: number | null = null;

  constructor(options: PlayOptions) {
    this.#options = options;
    this.#state = initialState(options.plan);
    const tickMs = Math.max(1, Math.ceil(options.untilMs / 1_000 / MAX_TICKS)) * 1_000;
    this.#traffic = new Traffic({ ...options, tickMs });
  }

  run(): Play {
    this.#send({ kind: 'planned' });
    if (this.#state.progress.kind === 'idle') {
      this.#send({ kind: 'command', command: { kind: 'start' }, actor: 'simulate' });
    }
    for (;;) {
      const why = this.#over();
      if (why !== null) return this.#result(why);
      this.#goTo(this.#nextMs());
      this.#send(this.#promotionDue() ? PROMOTE : { kind: 'tick' });
    }
  }

  #over(): string | null {
    const { kind } = this.#state.progress;
    if (kind !== 'starting' && kind !== 'stepping') return 'the rollout is over';
    if (this.#nowMs >= this.#options.untilMs) return 'the time of the play is up';
    if (this.#transitions >= MAX_TRANSITIONS) return 'more happened than a play follows';
    if (Number.isFinite(this.#dueMs())) return null;
    return this.#isPausedForGood() ? 'it waits for promote' : 'it waits for a person';
  }

  /** When the next thing happens by itself or by --promote; infinite: nothing will. */
  #dueMs(): number {
    const { promoteAfterMs, plan } = this.#options;
    const own = nextDueMs(plan, this.#state) ?? Number.POSITIVE_INFINITY;
    if (this.#waitsSinceMs === null || promoteAfterMs === null) return own;
    return Math.min(own, this.#waitsSinceMs + promoteAfterMs);
  }

  #nextMs(): number {
    return Math.min(Math.max(this.#dueMs(), this.#nowMs + 1), this.#options.untilMs);
  }

  #promotionDue(): boolean {
    const { promoteAfterMs } = this.#options;
    const since = this.#waitsSinceMs;
    return since !== null && promoteAfterMs !== null && this.#nowMs >= since + promoteAfterMs;
  }

  #goTo(toMs: number): void {
    const { canary, stable } = sharesOf(this.#options.plan, this.#state);
    for (const fault of this.#options.faults.toSorted((a, b) => a.atMs - b.atMs)) {
      if (fault.atMs < this.#nowMs || fault.atMs >= toMs) continue;
      this.#traffic.advance(fault.atMs, canary, stable);
      const what =
        fault.kind === '5xx'
          ? `${fault.share * 100} % of its answers are 5xx from here on`
          : `its answers take ${fault.addMs} ms longer from here on`;
      this.#tell(fault.atMs, 'fault', this.#weight(), `${this.#options.plan.canary}: ${what}`, []);
    }
    this.#traffic.advance(toMs, canary, stable);
    this.#nowMs = toMs;
  }

  /** One event and all that follows from it at this very moment. */
  #send(first: RolloutEvent): void {
    this.#queue.push({ event: first, measured: null });
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { event, measured } = next;
      if (measured !== null) this.#tell(this.#nowMs, 'measured', this.#weight(), measured, []);
      this.#transitions++;
      if (this.#transitions > MAX_TRANSITIONS) break;
      const { plan, compile } = this.#options;
      const at = { nowMs: this.#nowMs, wallMs: this.#nowMs };
      const { state, effects } = transition(plan, this.#state, event, at, compile);
      this.#state = state;
      for (const effect of effects) this.#carryOut(effect);
    }
    if (!this.#isPausedForGood()) this.#waitsSinceMs = null;
    else this.#waitsSinceMs ??= this.#nowMs;
  }

  #carryOut(effect: Effect): void {
    switch (effect.kind) {
      case 'notify':
        return this.#tellEntry(effect.entry);
      case 'measure':
        return this.#measure(effect.runId, effect.metric);
      case 'call': {
        const hook = [...this.#options.plan.requires, ...this.#options.plan.webhooks].find(
          ({ name }) => name === effect.hook,
        );
        // A yes of a rollback hook would take the canary back.
        const ok = hook?.type !== 'rollback';
        const event = { kind: 'answered' as const, hook: effect.hook, ok, detail: 'simulated' };
        this.#queue.push({ event, measured: null });
        return;
      }
    }
  }

  #measure(runId: number, name: string): void {
    const { plan, compile, given, edgesMs } = this.#options;
    const found = measurementOf({ plan, state: this.#state }, runId, name);
    if (found === null) return;
    const world = {
      app: plan.service,
      versions: { canary: plan.canary, stable: plan.stable },
      traffic: this.#traffic,
      edgesMs,
      compile,
      given,
      foreignLabel: (label: string) => this.#problems.foreignLabel(name, label),
      unsimulated: (metric: string, reason: string) => this.#problems.unsimulated(metric, reason),
    };
    const outcome = simulateMeasurement(found.metric, world, found.run.startedAtMs);
    const noData = analysesOf(plan)[0]?.noData ?? 'hold';
    const judged = judge(found.metric, outcome, noData, compile);
    this.#queue.push({
      event: { kind: 'measured', runId, metric: name, outcome },
      measured: this.#worthTelling(runId, found.metric, judged),
    });
  }

  /** The first measurement of a metric and those that say something else than the one before; a bad one always. */
  #worthTelling(
    runId: number,
    { name, dryRun }: MetricPlan,
    { phase, value, message }: Judgement,
  ): string | null {
    const key = `${runId} ${name}`;
    // Not told anew for every sample more: `41 of 100 samples`.
    const news = phase === 'NoData' ? `${phase} ${message.replace(/\d+/g, '')}` : phase;
    const again = this.#told.get(key) === news;
    this.#told.set(key, news);
    if (again && (phase === 'Successful' || phase === 'NoData')) return null;
    const parts = [name, dryRun ? '(dry run)' : '', phase, value].filter((part) => part !== '');
    return parts.join(' ') + (message === '' ? '' : `: ${message}`);
  }

  #tellEntry({ kind, weight, cause, evidence }: HistoryEntry): void {
    this.#tell(this.#nowMs, kind, weight, cause, evidence);
  }

  #tell(
    atMs: number,
    kind: PlayEvent['kind'],
    weight: number,
    cause: string,
    evidence: readonly string[],
  ): void {
    this.#events.push({ atMs, kind, weight, cause, evidence, ...this.#exposure() });
  }

  /** Percent in force now. */
  #weight(): number {
    return weightInForce(this.#options.plan, this.#state) / 100;
  }

  #isPausedForGood(): boolean {
    const { progress } = this.#state;
    if (progress.kind !== 'stepping' || progress.stuck !== null) return false;
    const step = this.#options.plan.steps[progress.index];
    return step?.kind === 'pause' && step.durationMs === null;
  }

  #exposure(): { exposed: number; failed: number } {
    const { requests, errors } = this.#traffic.window('canary', Number.POSITIVE_INFINITY, 0);
    return { exposed: requests, failed: errors };
  }

  #result(why: string): Play {
    const { plan } = this.#options;
    const stable = this.#traffic.window('stable', Number.POSITIVE_INFINITY, 0).requests;
    const exposure = this.#exposure();
    const status = this.#state.progress.kind;
    return {
      events: this.#events,
      end: { atMs: this.#nowMs, status, ...phaseOf(plan, this.#state), weight: this.#weight(), why },
      requests: stable + exposure.exposed,
      ...exposure,
      unsimulated: this.#problems.list(),
      metrics: metricNamesOf(plan),
      assumptions: [...assumptionsOf(plan), ...this.#problems.assumptions()],
    };
  }
}

const PROMOTE: RolloutEvent = {
  kind: 'command',
  command: { kind: 'promote', full: false },
  actor: 'simulate',
};
