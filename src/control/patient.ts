import { setTimeout as delay } from 'node:timers/promises';
import type { Store, Stored } from '../ports.ts';

/** Between two attempts; together what a start may be held up by. */
const WAITS_MS = [50, 100, 250, 500];

/** As the store's own `load`, but what cannot be read is tried again: too many open files may soon be fewer. */
export async function loadPatiently<T>(store: Pick<Store<T>, 'load'>, service: string): Promise<Stored<T>> {
  for (const waitMs of WAITS_MS) {
    const stored = await store.load(service);
    if (stored.kind !== 'unreadable') return stored;
    await delay(waitMs);
  }
  return store.load(service);
}
