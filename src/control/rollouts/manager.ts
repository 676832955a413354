import { isDeepStrictEqual } from 'node:util';
import { carryStages } from '../../config/diff.ts';
import type { Config } from '../../config/load.ts';
import type { Service, Split } from '../../core/model.ts';
import { applyRollout } from '../../core/rollout/apply.ts';
import { phaseOf } from '../../core/rollout/phase.ts';
import type { RolloutPlan } from '../../core/rollout/plan.ts';
import { settingsOf } from '../../core/rollout/settings.ts';
import type { Effect, RolloutState, Transition, VerdictState } from '../../core/rollout/state.ts';
import { initialState } from '../../core/rollout/transition.ts';
import type { HookAnswer, Log, MeasureContext, PatternCompiler, Store } from '../../ports.ts';
import type { Holder } from '../holder.ts';
import type { Board, Position } from '../judge/board.ts';
import { loadPatiently } from '../patient.ts';
import type { Windows } from '../windows.ts';
import { isRetry, nextWeight } from './attempt.ts';
import { callHook, carryOut, type EffectDeps } from './effects.ts';
import { Endings } from './endings.ts';
import { Saver } from './saver.ts';
import { Slot } from './slot.ts';
import { historyView, type ShownSlot, viewOf } from './view.ts';
import type { CommandOutcome, RolloutsFace, RolloutView } from './views.ts';
import type { WatchClock } from './watch-clock.ts';

/** How often rollouts are looked at; what is due waits no longer than this. */
const TICK_MS = 50;

export interface RolloutsDeps extends Omit<EffectDeps, 'timeScale'> {
  readonly store: Store;
  readonly clock: WatchClock;
  readonly windows: Windows;
  readonly log: Log;
  readonly compilePattern: PatternCompiler;
  readonly judge: Pick<Board, 'adopt' | 'dress' | 'tick' | 'verdict'>;
  /** The cell whose Split follows the rollouts. */
  holder(): Holder;
}

/** A config's rollouts, moved on and saved; they wait for `commit` or `rollback`, and everything else for them. */
export interface PreparedRollouts {
  /** The config's Split as the rollouts want it. */
  apply(split: Config['split']): Config['split'];
  /** After the Split has been swapped. */
  commit(): void;
  rollback(): Promise<void>;
}

export interface RolloutInfo {
  readonly app: string;
  readonly phase: string;
  readonly step: string;
  readonly ended: ReadonlyMap<string, number>;
}

/** Every rollout of this gateway. */
export interface Rollouts extends RolloutsFace {
  /** Reads what is stored; resolves with the config's Split as that wants it. Nothing is written yet. */
  open(config: Config): Promise<Config['split']>;
  /** For a config that follows another one. */
  prepare(config: Config): Promise<PreparedRollouts>;
  /** Compares what is stored with the config, which begins new rollouts. Once, after `open`. */
  begin(): void;
  /** The same, and from now on rollouts walk by themselves. */
  start(): void;
  /** Does what is due; `start` calls it all the time. */
  tick(): void;
  /** No further step is taken; resolves when everything is saved. */
  stop(): Promise<void>;
  /** For a `rollout` hook that is measured. */
  callHook(name: string, context: MeasureContext, signal: AbortSignal): Promise<HookAnswer>;
  /** Where a rollout stands; null: the service has none. */
  position(service: string): Position | null;
  /** What the gates say; nothing happens where there is no rollout. */
  judged(service: string, verdict: VerdictState, text: string, evidence: readonly string[]): void;
  /** Dresses the service anew. */
  redress(service: string): void;
  /** As it stands, for those who show it; null: the service has no rollout. */
  shown(service: string): ShownSlot | null;
  /** For the metrics. */
  infos(): readonly RolloutInfo[];
}

interface Staged {
  readonly slot: Slot;
  readonly plan: RolloutPlan;
  readonly next: Transition;
  readonly unlock: () => void;
}

export function createRollouts(deps: RolloutsDeps): Rollouts {
  return new Manager(deps);
}

class Manager implements Rollouts {
  readonly #deps: RolloutsDeps;
  readonly #slots = new Map<string, Slot>();
  readonly #endings = new Endings();
  #timer: NodeJS.Timeout | null = null;
  #stopped = false;

  constructor(deps: RolloutsDeps) {
    this.#deps = deps;
  }

  async open({ rollouts, judges, split }: Config): Promise<Config['split']> {
    this.#deps.judge.adopt(judges);
    const plans = new Map(rollouts.map((plan) => [plan.service, plan]));
    const slots = await Promise.all(rollouts.map((plan) => this.#load(plan)));
    for (const slot of slots) this.#slots.set(slot.plan.service, slot);
    return {
      ...split,
      services: split.services.map((service) => {
        const slot = this.#slots.get(service.name);
        const plan = plans.get(service.name);
        const state = slot === undefined || slot.blocked !== null ? null : slot.state;
        return plan === undefined
          ? this.#deps.judge.dress(service, null)
          : this.#applied(service, plan, state);
      }),
    };
  }

  async prepare({ rollouts, judges }: Config): Promise<PreparedRollouts> {
    const staged: Staged[] = [];
    try {
      for (const plan of rollouts) staged.push(await this.#stage(plan));
    } catch (error) {
      for (const { unlock } of staged) unlock();
      throw error;
    }
    this.#deps.judge.adopt(judges);
    const byName = new Map(staged.map((one) => [one.plan.service, one]));
    return {
      apply: (split) => ({
        ...split,
        services: split.services.map((service) => {
          const one = byName.get(service.name);
          if (one === undefined) return this.#deps.judge.dress(service, null);
          return this.#applied(service, one.plan, one.slot.blocked === null ? one.next.state : null);
        }),
      }),
      commit: () => this.#commit(byName),
      rollback: () => {
        this.#deps.judge.adopt(this.#deps.holder().config().judges);
        return rollback(staged);
      },
    };
  }

  begin(): void {
    for (const slot of this.#slots.values()) {
      if (slot.state.number > 0) void slot.handle({ kind: 'restored' });
      // A state that cannot be saved now is tried again; meanwhile what is stored counts.
      void slot.handle({ kind: 'planned' });
    }
  }

  start(): void {
    this.begin();
    this.#timer ??= setInterval(() => this.tick(), TICK_MS);
    this.#timer.unref();
  }

  tick(): void {
    this.#deps.windows.look();
    this.#deps.judge.tick();
    for (const slot of this.#slots.values()) slot.tick();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    const slots = [...this.#slots.values()];
    await Promise.all(slots.map((slot) => slot.stop()));
    await Promise.all(slots.map((slot) => slot.saveLast()));
  }

  rollouts(): RolloutView[] {
    return [...this.#slots.values()].map((slot) => this.#view(slot));
  }

  rollout(name: string): RolloutView | null {
    const slot = this.#slots.get(name);
    return slot === undefined ? null : this.#view(slot);
  }

  history(name: string) {
    const slot = this.#slots.get(name);
    return slot === undefined ? null : slot.state.history.map(historyView);
  }

  async rolloutCommand(
    ...[name, command, actor]: Parameters<RolloutsFace['rolloutCommand']>
  ): Promise<CommandOutcome> {
    const slot = this.#slots.get(name);
    if (slot === undefined) {
      const known = this.#service(name) !== undefined;
      return known
        ? {
            ok: false,
            code: 'no_rollout',
            message: `${name} has no rollout; add rollout: to it in the config`,
          }
        : { ok: false, code: 'unknown_service', message: `there is no service ${name}` };
    }
    const handled = await slot.handle({ kind: 'command', command, actor });
    switch (handled.kind) {
      case 'done':
        return handled.refusal === null
          ? { ok: true, view: this.#view(slot) }
          : { ok: false, code: 'refused', message: handled.refusal };
      case 'store_failed':
        return {
          ok: false,
          code: 'store_failed',
          message: `nothing was done, for it could not be saved: ${handled.reason}`,
        };
      default:
        return {
          ok: false,
          code: handled.kind === 'blocked' ? 'blocked' : 'refused',
          message: handled.reason,
        };
    }
  }

  async callHook(name: string, { service }: MeasureContext, _signal: AbortSignal): Promise<HookAnswer> {
    const slot = this.#slots.get(service);
    const hook = slot?.plan.webhooks.find((one) => one.name === name);
    if (slot === undefined || hook === undefined) return { ok: false, detail: `there is no hook ${name}` };
    return callHook(this.#deps, slot, hook);
  }

  position(service: string): Position | null {
    const slot = this.#slots.get(service);
    if (slot === undefined) return null;
    const { plan, state } = slot;
    return {
      number: state.number,
      underWay: slot.blocked === null && state.progress.kind === 'stepping',
      nextW: nextWeight(plan, state),
      get notBeforeMs() {
        return isRetry(state) ? state.beganWallMs : 0;
      },
    };
  }

  judged(service: string, verdict: VerdictState, text: string, evidence: readonly string[]): void {
    const slot = this.#slots.get(service);
    if (slot !== undefined) void slot.handle({ kind: 'judged', verdict, text, evidence });
  }

  redress(service: string): void {
    const slot = this.#slots.get(service);
    if (slot !== undefined) this.#follow(slot);
  }

  shown(service: string): ShownSlot | null {
    return this.#slots.get(service) ?? null;
  }

  infos(): readonly RolloutInfo[] {
    return [...this.#slots.values()].map(({ plan, state, blocked }) => ({
      app: plan.service,
      phase: blocked === null ? phaseOf(plan, state).phase : 'Degraded',
      step:
        state.progress.kind === 'stepping' && state.progress.index >= 0 ? String(state.progress.index) : '',
      ended: this.#endings.of(plan.service),
    }));
  }

  /** Locks the service's slot, which is made where there is none, and moves its state on to the plan. */
  async #stage(plan: RolloutPlan): Promise<Staged> {
    const known = this.#slots.get(plan.service);
    const slot = known ?? (await this.#load(plan));
    const unlock = await slot.lock();
    try {
      if (slot.blocked !== null) {
        return { slot, plan, next: { state: slot.state, effects: [], refusal: null }, unlock };
      }
      const restored = known === undefined && slot.state.number > 0;
      const events = [...(restored ? [{ kind: 'restored' as const }] : []), { kind: 'planned' as const }];
      return { slot, plan, next: await slot.prepare(plan, events), unlock };
    } catch (error) {
      unlock();
      throw new Error(`the rollout of ${plan.service} cannot be saved: ${messageOf(error)}`);
    }
  }

  async #load(plan: RolloutPlan): Promise<Slot> {
    const { store, log } = this.#deps;
    const stored = await loadPatiently(store, plan.service);
    const isUnusable = stored.kind === 'damaged' || stored.kind === 'unreadable';
    const blocked = isUnusable ? `${stored.where}: ${stored.reason}` : null;
    if (blocked !== null) {
      log.error(
        { service: plan.service },
        `rollout state cannot be used, stable serves everyone: ${blocked}`,
      );
    }
    const state: RolloutState = stored.kind === 'found' ? stored.state : initialState(plan);
    const saver = new Saver(store, plan.service, stored.kind === 'found' ? stored.revision : 0);
    return new Slot(plan, state, saver, blocked, {
      clock: this.#deps.clock,
      log,
      compilePattern: this.#deps.compilePattern,
      onState: (slot) => this.#follow(slot),
      carryOut: (slot, effects) => this.#carryOut(slot, effects),
    });
  }

  #commit(staged: ReadonlyMap<string, Staged>): void {
    for (const [name, slot] of this.#slots) {
      if (staged.has(name)) continue;
      this.#slots.delete(name);
      this.#endings.forget(name);
      void slot.stop();
    }
    for (const [name, { slot, plan, next, unlock }] of staged) {
      this.#slots.set(name, slot);
      slot.adopt(plan, next);
      unlock();
    }
  }

  #applied(service: Service, plan: RolloutPlan, state: RolloutState | null): Service {
    return this.#deps.judge.dress(applyRollout(service, plan, state), settingsOf(plan, state).scope);
  }

  /** Makes the Split what a changed state asks for. */
  #follow(slot: Slot): void {
    const holder = this.#deps.holder();
    const before = holder.split();
    const configured = holder.config().split.services.find(({ name }) => name === slot.plan.service);
    const current = before.services.find(({ name }) => name === slot.plan.service);
    if (configured === undefined || current === undefined || this.#slots.get(slot.plan.service) !== slot)
      return;
    const wanted = this.#applied(configured, slot.plan, slot.blocked === null ? slot.state : null);
    if (isDeepStrictEqual({ ...wanted, stage: 0 }, { ...current, stage: 0 })) return;
    holder.swap(carryStages(before, replaced(before, wanted)));
  }

  #carryOut(slot: Slot, effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.kind === 'notify') this.#endings.count(slot.plan.service, effect.entry, slot.state);
    }
    if (!this.#stopped) carryOut({ ...this.#deps, timeScale: this.#deps.clock.timeScale }, slot, effects);
  }

  #view(slot: Slot): RolloutView {
    const { windows, clock, holder, judge } = this.#deps;
    const deps = {
      windows,
      timeScale: clock.timeScale,
      revision: () => holder().split().revision,
      service: (name: string) => this.#service(name),
      verdict: (name: string) => judge.verdict(name),
    };
    return viewOf(deps, slot);
  }

  #service(name: string): Service | undefined {
    return this.#deps
      .holder()
      .split()
      .services.find((service) => service.name === name);
  }
}

/** Puts back what was saved for a config that was then refused. */
async function rollback(staged: readonly Staged[]): Promise<void> {
  for (const { slot, next, unlock } of staged) {
    try {
      if (next.state !== slot.state) await slot.restore();
    } finally {
      unlock();
    }
  }
}

function replaced(split: Split, service: Service): Config['split'] {
  const { revision: _, ...rest } = split;
  return { ...rest, services: split.services.map((one) => (one.name === service.name ? service : one)) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
