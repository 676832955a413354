import { isObject } from './pointer.ts';

/** `too_large`: no difference was found before the bounds ended the search. */
export type Equality = 'equal' | 'different' | 'too_large';

export const MAX_DEPTH = 64;
export const MAX_NODES = 20_000;

type Pointers = readonly (readonly string[])[];

/**
 * Whether two parsed JSON texts are equal but for what the pointers name: a part
 * that is ignored may differ, or be there in one only. The order of members does
 * not count.
 */
export function equalJson(a: unknown, b: unknown, ignore: Pointers): Equality {
  return new Comparison().compare(a, b, ignore, 0);
}

class Comparison {
  #nodes = 0;

  /** @param ignore pointers whose first `depth` parts lead here */
  compare(a: unknown, b: unknown, ignore: Pointers, depth: number): Equality {
    if (a === b || ignore.some((parts) => parts.length === depth)) return 'equal';
    if (depth >= MAX_DEPTH || ++this.#nodes > MAX_NODES) return 'too_large';
    if (Array.isArray(a) && Array.isArray(b)) return this.#arrays(a, b, ignore, depth);
    if (isObject(a) && isObject(b)) return this.#objects(a, b, ignore, depth);
    return 'different';
  }

  #arrays(a: readonly unknown[], b: readonly unknown[], ignore: Pointers, depth: number): Equality {
    if (a.length !== b.length && ignore.length === 0) return 'different';
    const count = Math.max(a.length, b.length);
    for (let i = 0; i < count; i++) {
      const within = ignore.length === 0 ? ignore : under(ignore, depth, String(i), true);
      // Past the end of one there is undefined, which nothing in JSON equals.
      const equality = this.compare(a[i], b[i], within, depth + 1);
      if (equality !== 'equal') return equality;
    }
    return 'equal';
  }

  #objects(
    a: Readonly<Record<string, unknown>>,
    b: Readonly<Record<string, unknown>>,
    ignore: Pointers,
    depth: number,
  ): Equality {
    for (const key of Object.keys(a)) {
      const within = ignore.length === 0 ? ignore : under(ignore, depth, key, false);
      const equality = this.compare(a[key], Object.hasOwn(b, key) ? b[key] : undefined, within, depth + 1);
      if (equality !== 'equal') return equality;
    }
    for (const key of Object.keys(b)) {
      if (Object.hasOwn(a, key)) continue;
      const equality = this.compare(undefined, b[key], under(ignore, depth, key, false), depth + 1);
      if (equality !== 'equal') return equality;
    }
    return 'equal';
  }
}

/** The pointers that go on through this member or item. */
function under(ignore: Pointers, depth: number, key: string, isItem: boolean): Pointers {
  return ignore.filter((parts) => parts[depth] === key || (isItem && parts[depth] === '*'));
}
