import { rootSchema } from '../../src/config/schema.ts';

/** The config's keys, for pages that must tell of all of them. */

type Schema = Readonly<Record<string, unknown>>;

/** Keys of the mapping at a path of keys; `*` stands for any name or item. */
export function keysAt(path: string): string[] {
  const at = path.split('.').reduce((schema, key) => inside(schema, key), rootSchema as unknown as Schema);
  return Object.keys(mapping(at.properties));
}

function inside(schema: Schema, key: string): Schema {
  const found = key === '*' ? (schema.items ?? schema.additionalProperties) : mapping(schema.properties)[key];
  if (typeof found !== 'object' || found === null) throw new Error(`the schema has no ${key} there`);
  return found as Schema;
}

function mapping(value: unknown): Schema {
  if (typeof value !== 'object' || value === null) throw new Error('the schema has no keys there');
  return value as Schema;
}
