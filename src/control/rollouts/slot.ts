import { nextDueMs } from '../../core/rollout/due.ts';
import type { RolloutPlan } from '../../core/rollout/plan.ts';
import type { Effect, Instant, RolloutEvent, RolloutState, Transition } from '../../core/rollout/state.ts';
import { transition } from '../../core/rollout/transition.ts';
import { differsInWords } from '../../core/rollout/verdicts.ts';
import { type Log, type PatternCompiler, StoreConflict } from '../../ports.ts';
import type { Saver } from './saver.ts';
import type { WatchClock } from './watch-clock.ts';

/** How often the clock of a rollout under way is saved; so much of a pause may be waited for again after a crash. */
const HEARTBEAT_MS = 2_000;
/** Between two attempts at what could not be saved. */
const STORE_RETRY_MS = 1_000;
/** So long the way back to stable waits for the disk; a slow one must not keep users on the canary. */
const RETREAT_PATIENCE_MS = 50;

/** What became of an event. */
export type Handled =
  | { readonly kind: 'done'; readonly refusal: string | null }
  | { readonly kind: 'blocked' | 'store_failed' | 'stopped'; readonly reason: string };

export interface SlotDeps {
  readonly clock: WatchClock;
  readonly log: Log;
  readonly compilePattern: PatternCompiler;
  /** The state in force changed: the Split has to follow. */
  onState(slot: Slot): void;
  carryOut(slot: Slot, effects: readonly Effect[]): void;
}

/**
 * The rollout of one service: its plan, its state, and the line in which events
 * wait for each other. Other services' slots know nothing of it.
 */
export class Slot {
  plan: RolloutPlan;
  state: RolloutState;
  /** Why its stored state cannot be used; stable serves everyone until someone mends that. */
  blocked: string | null;
  /** Why the last change could not be saved; null: it was. */
  storeProblem: string | null = null;
  /** Fires when the slot is stopped. */
  readonly stopping = new AbortController();
  readonly #deps: SlotDeps;
  readonly #saver: Saver;
  #line: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #offsetMs: number;
  #savedAtMs = 0;
  /** In force although it could not be saved. */
  #unsaved = false;

  constructor(plan: RolloutPlan, state: RolloutState, saver: Saver, blocked: string | null, deps: SlotDeps) {
    this.plan = plan;
    this.state = state;
    this.blocked = blocked;
    this.#saver = saver;
    this.#deps = deps;
    this.#offsetMs = state.clockMs - deps.clock.nowMs();
  }

  /** On this rollout's clock. */
  at(): Instant {
    const { clock } = this.#deps;
    return { nowMs: clock.nowMs() + this.#offsetMs, wallMs: clock.wallMs() };
  }

  /** Resolves when the event has been carried out, or refused. */
  handle(event: RolloutEvent): Promise<Handled> {
    return this.#inLine(() => this.#take(event));
  }

  /** Called often; does something only when something is due. */
  tick(): void {
    if (this.#waiting > 0 || this.blocked !== null || this.stopping.signal.aborted) return;
    const { nowMs } = this.at();
    const due = nextDueMs(this.plan, this.state);
    if (due !== null && due <= nowMs && !this.#isResting(nowMs)) {
      void this.handle({ kind: 'tick' });
    } else if (this.#unsaved ? this.#sinceSaveMs(nowMs) >= STORE_RETRY_MS : this.#needsHeartbeat(nowMs)) {
      void this.#inLine(() => this.#saveClock());
    }
  }

  /** Computes what a new plan makes of the state and saves it; nothing of it is in force before `adopt`. */
  async prepare(plan: RolloutPlan, events: readonly RolloutEvent[]): Promise<Transition> {
    const effects: Effect[] = [];
    let { state } = this;
    for (const event of events) {
      const next = transition(plan, state, event, this.at(), this.#deps.compilePattern);
      state = next.state;
      effects.push(...next.effects);
    }
    if (state !== this.state) await this.#saver.save(state);
    return { state, effects, refusal: null };
  }

  /** Puts a prepared state in force. */
  adopt(plan: RolloutPlan, { state, effects }: Transition): void {
    this.plan = plan;
    this.state = state;
    this.#deps.carryOut(this, effects);
  }

  /** Undoes a preparation that will not be adopted. */
  async restore(): Promise<void> {
    await this.#saver.save(this.state);
  }

  /** Holds everything back until the returned function is called. */
  async lock(): Promise<() => void> {
    return new Promise((locked) => {
      void this.#inLine(() => new Promise<void>((unlock) => locked(unlock)));
    });
  }

  /** No further step is taken; resolves when what is being saved has been. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.#line;
  }

  /** The clock as it stands at the end, so that a pause is not waited for twice; after `stop`. */
  async saveLast(): Promise<void> {
    const { kind } = this.state.progress;
    if (this.blocked !== null || (kind !== 'starting' && kind !== 'stepping')) return;
    await this.#trySave({ ...this.state, clockMs: this.at().nowMs });
  }

  async #inLine<T>(work: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const turn = this.#line.then(work);
    this.#line = turn.catch(() => undefined);
    try {
      return await turn;
    } finally {
      this.#waiting--;
    }
  }

  async #take(event: RolloutEvent): Promise<Handled> {
    if (this.stopping.signal.aborted) return { kind: 'stopped', reason: 'the gateway is shutting down' };
    if (this.blocked !== null) return { kind: 'blocked', reason: this.blocked };
    const next = transition(this.plan, this.state, event, this.at(), this.#deps.compilePattern);
    if (next.state === this.state) return { kind: 'done', refusal: next.refusal };
    if (next.effects.length === 0 && differsInWords(this.state, next.state)) {
      // Nothing is done differently for it, and the next save has it.
      this.state = next.state;
      return { kind: 'done', refusal: next.refusal };
    }
    // Back to stable is right whether or not it could be written down; anything else waits for the disk.
    const retreats = isRetreat(this.state, next.state);
    const saving = this.#trySave(next.state);
    if (retreats && (await lasts(saving, RETREAT_PATIENCE_MS))) this.#putInForce(next.state);
    const problem = await saving;
    if (problem !== null && (!retreats || this.blocked !== null)) {
      if (event.kind !== 'tick' && event.kind !== 'command') this.#again(event);
      return { kind: this.blocked === null ? 'store_failed' : 'blocked', reason: problem };
    }
    this.#unsaved = problem !== null;
    this.#putInForce(next.state);
    this.#deps.carryOut(this, next.effects);
    return { kind: 'done', refusal: next.refusal };
  }

  #putInForce(state: RolloutState): void {
    this.state = state;
    this.#deps.onState(this);
  }

  async #trySave(state: RolloutState): Promise<string | null> {
    try {
      await this.#saver.save(state);
      if (this.storeProblem !== null) this.#log('info', 'rollout state can be saved again');
      this.storeProblem = null;
      return null;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (error instanceof StoreConflict) this.#block(reason);
      else if (this.storeProblem !== reason) {
        this.#log('error', `rollout state cannot be saved, nothing moves but back to stable: ${reason}`);
      }
      this.storeProblem = reason;
      return reason;
    } finally {
      this.#savedAtMs = this.#deps.clock.nowMs();
    }
  }

  /** Another process writes the same state: two that decide apart are worse than none. */
  #block(reason: string): void {
    this.blocked = reason;
    this.#log('error', `rollout stopped, stable serves everyone: ${reason}`);
    this.#deps.onState(this);
  }

  async #saveClock(): Promise<void> {
    if (this.stopping.signal.aborted || this.blocked !== null) return;
    const state = { ...this.state, clockMs: this.at().nowMs };
    if ((await this.#trySave(state)) !== null) return;
    this.state = state;
    this.#unsaved = false;
  }

  #needsHeartbeat(nowMs: number): boolean {
    const { kind } = this.state.progress;
    return (kind === 'starting' || kind === 'stepping') && this.#sinceSaveMs(nowMs) >= HEARTBEAT_MS;
  }

  /** After a failed save nothing is tried for a moment. */
  #isResting(nowMs: number): boolean {
    return this.storeProblem !== null && this.#sinceSaveMs(nowMs) < STORE_RETRY_MS;
  }

  /** In real milliseconds. */
  #sinceSaveMs(nowMs: number): number {
    return (nowMs - this.#offsetMs - this.#savedAtMs) / this.#deps.clock.timeScale;
  }

  #again(event: RolloutEvent): void {
    if (this.blocked !== null) return;
    setTimeout(() => void this.handle(event), STORE_RETRY_MS).unref();
  }

  #log(level: 'info' | 'error', message: string): void {
    this.#deps.log[level]({ service: this.plan.service }, message);
  }
}

/** Whether work that never rejects takes longer than this. */
async function lasts(work: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(true), ms);
  });
  const isLate = await Promise.race([work.then(() => false), late]);
  clearTimeout(timer);
  return isLate;
}

/** Whether the canary loses everyone. */
function isRetreat(before: RolloutState, after: RolloutState): boolean {
  const { kind } = after.progress;
  return kind !== before.progress.kind && (kind === 'aborted' || kind === 'undone');
}
