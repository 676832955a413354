import fc from 'fast-check';
import type { Test } from 'tap';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { type Store, StoreConflict, type Stored } from '../../src/ports.ts';
import { largeState, rolloutState, rolloutStates } from '../support/rollout-state.ts';

/** An empty store, and the way to open the same one again as a restart does. */
export interface StoreUnderTest<T> {
  readonly store: Store<T>;
  reopen(): Store<T>;
}

/** What is kept in the store. */
export interface Samples<T> {
  one(service: string, number: number): T;
  numberOf(state: T): number;
  any(service: string): fc.Arbitrary<T>;
  large(service: string, chars: number): T;
  /** Changes it in place. */
  spoil(state: T): void;
}

export const rollouts: Samples<RolloutState> = {
  one: (service, number) => rolloutState(service, { number }),
  numberOf: ({ number }) => number,
  any: rolloutStates,
  large: largeState,
  spoil: (state) => Object.assign(state, { number: 99 }),
};

/** What every Store promises; `open` gives a new, empty one with each call. */
export async function storeContract<T>(
  t: Test,
  samples: Samples<T>,
  open: (t: Test) => StoreUnderTest<T>,
): Promise<void> {
  const { one, numberOf, any, large, spoil } = samples;
  const numberIn = (stored: Stored<T>) => (stored.kind === 'found' ? numberOf(stored.state) : stored.kind);

  await t.test('of nothing there is none', async (t) => {
    const { store } = open(t);
    t.strictSame(await store.load('iris-api'), { kind: 'none' });
  });

  await t.test('what was saved is found, by this store and after a restart', async (t) => {
    const { store, reopen } = open(t);
    const state = one('iris-api', 3);
    const revision = await store.save('iris-api', state, 0);
    t.ok(Number.isSafeInteger(revision) && revision > 0, 'the revision is a positive integer');
    for (const reader of [store, reopen()]) {
      t.strictSame(await reader.load('iris-api'), { kind: 'found', state, revision });
    }
  });

  await t.test('any state comes back as it was', async (t) => {
    const { store } = open(t);
    let revision = 0;
    await fc.assert(
      fc.asyncProperty(any('iris-api'), async (state) => {
        revision = await store.save('iris-api', state, revision);
        const found = await store.load('iris-api');
        t.strictSame(found, { kind: 'found', state, revision });
      }),
      { numRuns: 60 },
    );
  });

  await t.test('revisions rise', async (t) => {
    const { store } = open(t);
    let revision = 0;
    for (let number = 1; number <= 10; number++) {
      const next = await store.save('iris-api', one('iris-api', number), revision);
      t.ok(next > revision);
      revision = next;
    }
    const found = await store.load('iris-api');
    t.match(found, { kind: 'found', revision });
    t.equal(numberIn(found), 10);
  });

  await t.test('only who knows what is stored may replace it', async (t) => {
    const { store, reopen } = open(t);
    const first = await store.save('iris-api', one('iris-api', 3), 0);
    const second = await store.save('iris-api', one('iris-api', 4), first);
    for (const expected of [0, first, second + 1]) {
      await t.rejects(
        store.save('iris-api', one('iris-api', 3), expected),
        StoreConflict,
        `expected ${expected}`,
      );
      await t.rejects(reopen().save('iris-api', one('iris-api', 3), expected), StoreConflict);
    }
    const found = await store.load('iris-api');
    t.match(found, { kind: 'found', revision: second });
    t.equal(numberIn(found), 4);
    await t.resolves(store.save('iris-api', one('iris-api', 3), second), 'a conflict spoils nothing');
  });

  await t.test('an empty place conflicts with any revision but 0', async (t) => {
    const { store } = open(t);
    await t.rejects(store.save('iris-api', one('iris-api', 3), 1), StoreConflict);
    t.strictSame(await store.load('iris-api'), { kind: 'none' });
  });

  await t.test('services are apart', async (t) => {
    const { store } = open(t);
    const names = [
      'iris-api',
      'iris',
      'iris-api.json',
      'iris.api',
      '..',
      '.',
      'a/b',
      'ä',
      'a%2Fb',
      '%',
      'CON',
    ];
    for (const [number, name] of names.entries()) await store.save(name, one(name, number), 0);
    for (const [number, name] of names.entries()) {
      t.equal(numberIn(await store.load(name)), number, name);
    }
  });

  await t.test('of saves at one time from one revision one wins', async (t) => {
    const { store } = open(t);
    const base = await store.save('iris-api', one('iris-api', 3), 0);
    const attempts = Array.from({ length: 12 }, (_, number) =>
      store.save('iris-api', one('iris-api', number), base),
    );
    const settled = await Promise.allSettled(attempts);
    const won = settled.flatMap((result, number) => (result.status === 'fulfilled' ? [number] : []));
    t.equal(won.length, 1);
    for (const result of settled) {
      if (result.status === 'rejected') t.type(result.reason, StoreConflict);
    }
    t.equal(numberIn(await store.load('iris-api')), won[0]);
  });

  await t.test('saves of many services at one time all count', async (t) => {
    const { store } = open(t);
    const names = Array.from({ length: 20 }, (_, index) => `service-${index}`);
    await Promise.all(
      names.map(async (name) => {
        let revision = 0;
        for (let number = 0; number < 5; number++) {
          revision = await store.save(name, one(name, number), revision);
        }
      }),
    );
    for (const name of names) t.equal(numberIn(await store.load(name)), 4);
  });

  await t.test('loads between saves see whole states', async (t) => {
    const { store } = open(t);
    let revision = 0;
    const seen: Promise<unknown>[] = [];
    for (let number = 0; number < 20; number++) {
      const saving = store.save('iris-api', large('iris-api', 20_000), revision);
      seen.push(store.load('iris-api').then(({ kind }) => t.equal(kind, 'found')));
      revision = await saving;
    }
    await Promise.all(seen);
  });

  await t.test('a large state comes back whole, and a small one after it', async (t) => {
    const { store } = open(t);
    const state = large('iris-api', 2_000_000);
    const revision = await store.save('iris-api', state, 0);
    t.strictSame(await store.load('iris-api'), { kind: 'found', state, revision });
    await store.save('iris-api', one('iris-api', 3), revision);
    t.match(await store.load('iris-api'), { kind: 'found', state: one('iris-api', 3) });
  });

  await t.test('what a caller does with a loaded state does not change the stored one', async (t) => {
    const { store } = open(t);
    const state = one('iris-api', 3);
    await store.save('iris-api', state, 0);
    const found = await store.load('iris-api');
    if (found.kind === 'found') spoil(found.state);
    spoil(state);
    t.equal(numberIn(await store.load('iris-api')), 3);
  });
}
