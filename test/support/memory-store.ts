import type { RolloutState } from '../../src/core/rollout/state.ts';
import { type Store, StoreConflict, type Stored } from '../../src/ports.ts';

/** A store without a disk, and with the failures of one at the call of a test. */
export interface MemoryStore extends Store {
  /** What is stored now, as a copy. */
  peek(service: string): RolloutState | null;
  /** Every save that succeeded, oldest first. */
  readonly saved: readonly RolloutState[];
  /** From now on `service` is damaged, until `repair`. */
  damage(service: string, reason: string): void;
  /** Takes the damaged record, or a sound one, away. */
  repair(service: string): void;
  /** So many loads find the disk failing. */
  failLoads(times: number): void;
  /** Saves reject with this from now on; null: they work again. */
  failSaves(error: Error | null): void;
}

type Slot = Extract<Stored, { kind: 'found' | 'damaged' }>;

export function createMemoryStore(): MemoryStore {
  const slots = new Map<string, Slot>();
  const saved: RolloutState[] = [];
  let failure: Error | null = null;
  let failing = 0;
  return {
    saved,
    async load(service) {
      if (failing > 0) {
        failing--;
        return { kind: 'unreadable', where: `memory:${service}`, reason: 'cannot be read (EMFILE)' };
      }
      return structuredClone(slots.get(service) ?? { kind: 'none' });
    },
    async save(service, state, expected) {
      if (failure !== null) throw failure;
      const slot = slots.get(service);
      if (slot?.kind === 'damaged') throw new Error(`${slot.where} ${slot.reason}`);
      const revision = slot?.revision ?? 0;
      if (revision !== expected) {
        throw new StoreConflict(`revision ${revision} is stored, not ${expected}`, revision);
      }
      const copy = structuredClone(state);
      slots.set(service, { kind: 'found', state: copy, revision: revision + 1 });
      saved.push(copy);
      return revision + 1;
    },
    peek(service) {
      const slot = slots.get(service);
      return slot?.kind === 'found' ? structuredClone(slot.state) : null;
    },
    damage: (service, reason) => slots.set(service, { kind: 'damaged', where: `memory:${service}`, reason }),
    repair: (service) => slots.delete(service),
    failLoads: (times) => {
      failing = times;
    },
    failSaves: (error) => {
      failure = error;
    },
  };
}
