import { isObject } from './pointer.ts';

export const REDACTED = '[redacted]';

type Pointers = readonly (readonly string[])[];

/**
 * The JSON with what the pointers name blotted out. The given one stays as it is;
 * the copy shares what is not touched with it. Unlike in reading, `*` stands for
 * every member of an object too, and for any number of items: rather too much is
 * blotted out than too little.
 */
export function redact(json: unknown, pointers: Pointers): unknown {
  return redactUnder(json, pointers, 0);
}

/** @param pointers those whose first `depth` parts lead here */
function redactUnder(json: unknown, pointers: Pointers, depth: number): unknown {
  if (pointers.length === 0) return json;
  if (pointers.some((parts) => parts.length === depth)) return REDACTED;
  const within = (key: string) => pointers.filter((parts) => parts[depth] === key || parts[depth] === '*');
  if (Array.isArray(json)) return json.map((item, i) => redactUnder(item, within(String(i)), depth + 1));
  if (!isObject(json)) return json;
  // Object.fromEntries defines members, also one that is called __proto__.
  return Object.fromEntries(
    Object.entries(json).map(([key, value]) => [key, redactUnder(value, within(key), depth + 1)]),
  );
}
