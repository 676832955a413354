import { fnv1a32 } from '../../core/split/hash.ts';
import { readOrigin } from '../forms/addresses.ts';
import { taken } from '../forms/reading.ts';
import type { RawService } from '../schema.ts';

/**
 * An identity of plain data: equal texts, equal data. 64 bits, in two passes with
 * different beginnings; it tells edits apart and is no protection against anyone.
 */
export function definitionOf(value: unknown): string {
  const text = canonicalJson(value);
  const hex = (hash: number) => hash.toString(16).padStart(8, '0');
  return hex(fnv1a32(text)) + hex(fnv1a32(`coalmine ${text}`));
}

/** Identity of a version of a service; `called`: under another name than its own. */
export function versionDefinition(raw: RawService, name: string, called = name): string {
  const version = raw.versions[name];
  const urls = version?.urls ?? (version?.url === undefined ? [] : [version.url]);
  const endpoints = urls.map((url) => taken(readOrigin(url))).sort();
  return definitionOf({ name: called, endpoints, revision: version?.revision ?? null });
}

/** JSON with the keys in order, so that moving a line in a file changes nothing. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, item]) => item !== undefined);
  const sorted = entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${sorted.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
}
