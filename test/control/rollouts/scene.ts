import type { Test } from 'tap';
import { carryStages } from '../../../src/config/diff.ts';
import type { Config } from '../../../src/config/load.ts';
import { createHolder, type Holder } from '../../../src/control/holder.ts';
import type { Notifier } from '../../../src/control/notify.ts';
import { createRollouts, type Rollouts } from '../../../src/control/rollouts/manager.ts';
import { WatchClock } from '../../../src/control/rollouts/watch-clock.ts';
import type { Outcome } from '../../../src/core/analysis/state.ts';
import type { Verdict } from '../../../src/core/judge/gates.ts';
import type { Split } from '../../../src/core/model.ts';
import type { RolloutPlan } from '../../../src/core/rollout/plan.ts';
import type { Store } from '../../../src/ports.ts';
import { planOf } from '../../core/rollout/walk.ts';
import { createMemoryStore, type MemoryStore } from '../../support/memory-store.ts';
import { until } from '../../support/wait.ts';
import { config, iris, type MemoryLog, memoryLog } from '../support.ts';

/** A manager with a clock, a store and providers in the test's hand. */

export interface Scene {
  readonly rollouts: Rollouts;
  readonly holder: Holder;
  readonly log: MemoryLog;
  readonly store: Store;
  /** Every Split that came into force, oldest first. */
  readonly splits: Split[];
  /** Lets time pass in pieces of a tick, and everything that is due happen. */
  pass(seconds: number): Promise<void>;
  reload(next: Config): Promise<void>;
  /** What the canary of iris-api gets, in percent. */
  weight(service?: string): number;
  status(service?: string): string;
}

export interface SceneOptions {
  readonly plans?: readonly RolloutPlan[];
  readonly store?: Store;
  readonly clock?: ManualClock;
  readonly services?: readonly ReturnType<typeof iris>[];
  measure?(metric: string): Outcome | Promise<Outcome>;
  hook?(name: string, body: object): boolean;
  verdict?(service: string): Verdict | null;
  /** Called at each swap, before it is in force. */
  onSwap?(split: Split): void;
}

export class ManualClock {
  realMs = 1_000;
  offsetMs = 1_700_000_000_000;
  nowMs = () => this.realMs;
  wallMs = () => this.offsetMs + this.realMs;
}

export const irisPlan = (options: Partial<RolloutPlan> = {}) => planOf({ service: 'iris-api', ...options });

export async function scene(t: Test, options: SceneOptions = {}): Promise<Scene> {
  const { plans = [], services = [iris(7)] } = options;
  const store = options.store ?? createMemoryStore();
  const clock = options.clock ?? new ManualClock();
  const log = memoryLog();
  const rollouts = createRollouts({
    store,
    clock: new WatchClock(clock, 1, log),
    windows: { look: () => undefined, counts: () => null, traffic: () => null },
    source: {
      measure: async ({ name }) =>
        (await options.measure?.(name)) ?? { kind: 'value', value: true, samples: null },
    },
    callHook: async (hook, body) => ({ ok: options.hook?.(hook.name, body) ?? true, detail: 'so' }),
    notify: Object.assign(() => undefined, { dropped: () => 0, close: async () => undefined }) as Notifier,
    log,
    compilePattern: () => () => false,
    judge: {
      adopt: () => undefined,
      dress: (service) => service,
      tick: () => undefined,
      verdict: (service) => options.verdict?.(service) ?? null,
    },
    holder: () => holder,
  });
  const initial = config({ services, rollouts: plans });
  const holder: Holder = createHolder(carryStages(null, await rollouts.open(initial)), initial);
  const splits = [holder.split()];
  holder.subscribe((split) => {
    options.onSwap?.(split);
    splits.push(split);
  });
  rollouts.begin();
  t.teardown(() => rollouts.stop());
  const quiet = async () => {
    for (let turns = 0; turns < 20; turns++) await new Promise(setImmediate);
  };
  await quiet();
  return {
    rollouts,
    holder,
    log,
    store,
    splits,
    async pass(seconds) {
      for (let left = seconds; left > 0; left--) {
        clock.realMs += 1_000 * Math.min(1, left);
        rollouts.tick();
        await quiet();
      }
    },
    async reload(next) {
      const ready = await rollouts.prepare(next);
      try {
        holder.swap(carryStages(holder.split(), ready.apply(next.split)), next);
      } catch (error) {
        await ready.rollback();
        throw error;
      }
      ready.commit();
      await quiet();
    },
    weight: (service = 'iris-api') => {
      const found = holder.split().services.find(({ name }) => name === service);
      return (found?.shares.find(({ version }) => version === 1)?.weightBp ?? Number.NaN) / 100;
    },
    status: (service = 'iris-api') => rollouts.rollout(service)?.status ?? 'none',
  };
}

export { createMemoryStore, type MemoryStore, until };
