/**
 * JSON Pointers (RFC 6901) as their parts, with one addition: `*` stands for
 * every item of an array. In an object `*` is a member's name like any other.
 */

/** Values that one pointer gives at most, and items of one array that are read; what lies beyond is not. */
export const MAX_VALUES = 1_000;
/** Arrays inside arrays that `*` goes through. */
const MAX_STARS = 4;

export interface Found {
  /** Which item: the array indexes that `*` went through as one number, each a digit to the base MAX_VALUES; 0 without any. */
  readonly at: number;
  /** Undefined where an item lacks what the pointer names: it keeps its place. */
  readonly value: unknown;
}

/** The parts of a pointer such as `/items/0/label`; '' is the whole document. Null: not a pointer. */
export function parsePointer(text: string): string[] | null {
  if (text === '') return [];
  if (!text.startsWith('/') || /~(?![01])/.test(text)) return null;
  return text
    .slice(1)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

/** What a pointer leads to, `at` ascending; [] where nothing is there. */
export function valuesAt(json: unknown, parts: readonly string[]): Found[] {
  const found: Found[] = [];
  walk({ json, at: 0, stars: 0 }, parts, 0, found);
  return found;
}

interface Place {
  readonly json: unknown;
  readonly at: number;
  readonly stars: number;
}

function walk({ json, at, stars }: Place, parts: readonly string[], from: number, found: Found[]): void {
  let value = json;
  for (let i = from; i < parts.length && value !== undefined; i++) {
    const part = parts[i] as string;
    if (part === '*' && Array.isArray(value)) {
      if (stars === MAX_STARS) return;
      const count = Math.min(value.length, MAX_VALUES);
      for (let item = 0; item < count && found.length < MAX_VALUES; item++) {
        walk({ json: value[item], at: at * MAX_VALUES + item, stars: stars + 1 }, parts, i + 1, found);
      }
      return;
    }
    value = memberOf(value, part);
  }
  if (value !== undefined || stars > 0) found.push({ at, value });
}

// RFC 6901, section 4: an index has no leading zeros.
const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/** Undefined where there is none: nothing in JSON is undefined. */
export function memberOf(value: unknown, part: string): unknown {
  if (Array.isArray(value)) return INDEX.test(part) ? value[Number(part)] : undefined;
  return isObject(value) && Object.hasOwn(value, part) ? value[part] : undefined;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
