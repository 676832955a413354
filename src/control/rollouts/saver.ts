import type { RolloutState } from '../../core/rollout/state.ts';
import type { Store } from '../../ports.ts';

/** A store that has not answered by then counts as failed; what it was given may still arrive. */
const SAVE_TIMEOUT_MS = 5_000;

/** Saves the states of one service, one after the other, and keeps the revision that the store has. */
export class Saver {
  readonly #store: Store;
  readonly #service: string;
  #revision: number;
  /** A save that took too long; what became of it must be known before the next one. */
  #late: Promise<number> | null = null;

  constructor(store: Store, service: string, revision: number) {
    this.#store = store;
    this.#service = service;
    this.#revision = revision;
  }

  /** Rejects when the state may not be on disk. */
  async save(state: RolloutState): Promise<void> {
    await this.#settleLate();
    const saving = this.#store.save(this.#service, state, this.#revision);
    this.#late = saving;
    this.#revision = await inTime(saving, () => {
      this.#late = null;
    });
  }

  async #settleLate(): Promise<void> {
    if (this.#late === null) return;
    const late = this.#late.catch(() => this.#revision);
    this.#revision = await inTime(late, () => {
      this.#late = null;
    });
  }
}

/** `onEnd` runs when the store has answered in either way, and not when it is given up. */
async function inTime(saving: Promise<number>, onEnd: () => void): Promise<number> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    const error = new Error(`the store has not answered for ${SAVE_TIMEOUT_MS / 1_000} s`);
    timer = setTimeout(() => reject(error), SAVE_TIMEOUT_MS);
  });
  const ended = saving.finally(onEnd);
  try {
    return await Promise.race([ended, tooLate]);
  } finally {
    clearTimeout(timer);
    ended.catch(() => undefined);
  }
}
