import { rootSchema } from '../schema.ts';

/** Keys that are known somewhere else than where they were written, with their parents' paths. */
export function placesOf(key: string): readonly string[] {
  places ??= collect();
  return places.get(key) ?? [];
}

let places: Map<string, string[]> | null = null;
const MAX_PLACES = 3;

function collect(): Map<string, string[]> {
  const found = new Map<string, string[]>();
  walk(rootSchema, '', found);
  return found;
}

function walk(node: unknown, path: string, found: Map<string, string[]>): void {
  if (typeof node !== 'object' || node === null) return;
  const { properties, additionalProperties, items, anyOf } = node as Record<string, unknown>;
  for (const [key, inner] of Object.entries((properties ?? {}) as object)) {
    const held = found.get(key) ?? [];
    const parent = path === '' ? 'the top level' : path;
    if (held.length < MAX_PLACES && !held.includes(parent)) found.set(key, [...held, parent]);
    walk(inner, path === '' ? key : `${path}.${key}`, found);
  }
  if (typeof additionalProperties === 'object') walk(additionalProperties, `${path}.NAME`, found);
  if (items !== undefined) walk(items, `${path}[]`, found);
  for (const branch of (anyOf ?? []) as unknown[]) walk(branch, path, found);
}
