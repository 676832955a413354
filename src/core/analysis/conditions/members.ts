import { fail } from './fault.ts';
import type { Run } from './run.ts';
import { asIndex, equal, isList, isMap, isNil, kindOf } from './values.ts';

/** What a chain comes to after `?.` on nil, until the chain's end makes it nil. */
export const SKIPPED = Symbol('skipped');

/** An item of a list, from its end for a negative index; a value of a map, nil where the key is missing. */
export function elementOf(within: unknown, key: unknown, at: number): unknown {
  if (isList(within)) return itemOf(within, key, at);
  if (isMap(within) && typeof key === 'string') {
    return Object.hasOwn(within, key) ? (within[key] ?? null) : null;
  }
  if (isMap(within)) return fail(`the key of a map must be a string, not ${kindOf(key)}`, at);
  const what = typeof key === 'string' ? `field ${key}` : 'items';
  return fail(`${kindOf(within)} has no ${what}`, at);
}

function itemOf(list: readonly unknown[], key: unknown, at: number): unknown {
  if (typeof key === 'string') fail(`a list has no field ${key}; its items are [0], [1] and so on`, at);
  const index = asIndex(key, 'the index of a list', at);
  const place = index < 0 ? list.length + index : index;
  if (place < 0 || place >= list.length) {
    fail(`index ${index} is out of range: the list has ${list.length} items`, at);
  }
  return list[place] ?? null;
}

/** Ends that are out of range are moved into it; of a string, by characters. Null: the open end. */
export function sliceOf(within: unknown, from: unknown, to: unknown, run: Run, at: number): unknown {
  const text = typeof within === 'string';
  if (!text && !isList(within)) return fail(`${kindOf(within)} cannot be sliced`, at);
  const items: readonly unknown[] = text ? [...within] : within;
  run.spend(items.length, at);
  const end = to === null ? items.length : placeOf(to, items.length, at);
  const part = items.slice(from === null ? 0 : placeOf(from, items.length, at), end);
  return text ? part.join('') : part;
}

function placeOf(end: unknown, length: number, at: number): number {
  const index = asIndex(end, 'the end of a slice', at);
  return Math.max(0, index < 0 ? length + index : index);
}

/** Whether a list has the item, or a map the key; nothing is in nil. */
export function isIn(needle: unknown, within: unknown, run: Run, at: number): boolean {
  if (isNil(within)) return false;
  if (isList(within)) return within.some((item) => equal(item, needle, run, at));
  if (isMap(within)) {
    if (isNil(needle)) return false;
    if (typeof needle !== 'string') fail(`the key of a map is a string, not ${kindOf(needle)}`, at);
    return Object.hasOwn(within, needle);
  }
  return fail(`in needs a list or a map after it, not ${kindOf(within)}`, at);
}
