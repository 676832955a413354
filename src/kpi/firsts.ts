import { LRUCache } from 'lru-cache';
import { KeySet } from '../tally/key-set.ts';

/** The users of one service in one place of the evidence whose events of one KPI are told apart. */
export interface FirstsPlace {
  readonly service: string;
  /** Such as a stage; a text of whoever keeps the evidence. */
  readonly place: string;
  readonly kpi: string;
}

interface Book extends FirstsPlace {
  readonly keys: KeySet;
}

/** Books that were closed to make room, by name only. */
const MAX_CLOSED = 4_096;

/**
 * Whose first event it is: a set of users per (service, place, KPI) over all its
 * versions, so that what a full one turns away is so for each of them and they stay
 * comparable. The books not used for longest are closed to make room; a closed one
 * counts nobody as first any more, rather than everybody once again.
 */
export class Firsts {
  readonly #open: LRUCache<string, Book>;
  readonly #closed = new LRUCache<string, FirstsPlace>({ max: MAX_CLOSED });
  readonly #maxKeys: number;

  /** At most `maxBooks` sets of at most `maxKeys` users. */
  constructor(maxBooks: number, maxKeys: number) {
    this.#maxKeys = maxKeys;
    this.#open = new LRUCache({
      max: maxBooks,
      disposeAfter: ({ service, place, kpi }, name, reason) => {
        if (reason === 'evict') this.#closed.set(name, { service, place, kpi });
      },
    });
  }

  add(where: FirstsPlace, keyHash: number): boolean {
    const name = JSON.stringify([where.service, where.place, where.kpi]);
    // A look at a closed one keeps it in mind.
    if (this.#closed.get(name) !== undefined) return false;
    let book = this.#open.get(name);
    if (book === undefined) {
      book = { ...where, keys: new KeySet(this.#maxKeys) };
      this.#open.set(name, book);
    }
    return book.keys.add(keyHash);
  }

  /** Where users have been turned away, or would be. */
  capped(): readonly FirstsPlace[] {
    const full = [...this.#open.values()].filter(({ keys }) => keys.full);
    return [...full.map(({ service, place, kpi }) => ({ service, place, kpi })), ...this.#closed.values()];
  }
}
