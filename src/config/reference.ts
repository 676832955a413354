import { REFERENCE_INTRO } from './reference-intro.ts';
import { rootSchema } from './schema.ts';

type Schema = Readonly<Record<string, unknown>>;

interface Section {
  readonly title: string;
  readonly description: string;
  readonly rows: readonly string[];
}

/** The configuration reference, in Markdown: an introduction, then one table for each mapping of keys. */
export function configReference(): string {
  const sections = sectionsOf('', rootSchema as unknown as Schema, 'Top level');
  const tables = sections.map(
    ({ title, description, rows }) =>
      `## ${title}\n\n${description}\n\n| key | type | default | meaning |\n|---|---|---|---|\n${rows.join('\n')}\n`,
  );
  return `${REFERENCE_INTRO}\n${tables.join('\n')}`;
}

/** This mapping's own section, then those of the mappings inside it. */
function sectionsOf(path: string, schema: Schema, title: string): Section[] {
  const required = new Set(Array.isArray(schema.required) ? schema.required.map(String) : []);
  const others = schema.additionalProperties;
  const properties = Object.entries(schemaOf(schema.properties));
  if (typeof others === 'object') properties.push(['NAME', others]);
  const entries = properties.map(([key, value]) => ({
    key,
    schema: schemaOf(value),
    path: path === '' ? key : `${path}.${key}`,
  }));
  const rows = entries.map((entry) => rowOf(entry.key, entry.path, entry.schema, required.has(entry.key)));
  const own = { title, description: String(schema.description), rows };
  const inner = entries.flatMap((entry) =>
    mappingsIn(entry.path, entry.schema).flatMap((found) =>
      sectionsOf(found.path, found.schema, `\`${found.path}\``),
    ),
  );
  return [own, ...inner];
}

/** The mapping of keys that a value holds: itself, its items, what its names stand for, or one of its choices. */
function mappingsIn(path: string, schema: Schema): { path: string; schema: Schema }[] {
  const same = schema['x-same-as'];
  if (same !== undefined && same !== path) return [];
  if (schema.properties !== undefined) return [{ path, schema }];
  if (schema.items !== undefined) return mappingsIn(`${path}[]`, schemaOf(schema.items));
  const named = schema.additionalProperties;
  if (typeof named === 'object') return mappingsIn(`${path}.NAME`, schemaOf(named));
  const branches = Array.isArray(schema.anyOf) ? schema.anyOf.map(schemaOf) : [];
  const told = branches.filter((branch) => schemaOf(branch.properties).present === undefined);
  return told.map((branch) => mappingsIn(path, branch)).find((found) => found.length > 0) ?? [];
}

function rowOf(key: string, path: string, schema: Schema, required: boolean): string {
  const same = schema['x-same-as'];
  const alsoAt = typeof same === 'string' && same !== path ? ` Keys: see \`${same}\`.` : '';
  const cells = [
    `\`${key}\``,
    typeOf(schema),
    required ? '**required**' : defaultOf(schema, alsoAt !== ''),
    `${String(schema.description)}${alsoAt}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function typeOf(schema: Schema): string {
  const own = schema['x-type'];
  if (typeof own === 'string') return own;
  return schema.properties === undefined ? 'text' : 'a mapping of keys';
}

/** Versions take over these keys from their service. */
const UPSTREAM = 'services.NAME.upstream';

/** A mapping without a default of its own has those of its keys. */
function defaultOf(schema: Schema, elsewhere: boolean): string {
  const same = schema['x-same-as'];
  if (elsewhere && String(same).startsWith(UPSTREAM)) return 'the service’s';
  const words = schema['x-default'];
  if (typeof words === 'string') return words;
  if (schema.default !== undefined) return `\`${yamlOf(schema.default)}\``;
  return schema.properties === undefined ? '' : 'those of its keys';
}

function yamlOf(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(yamlOf).join(', ')}]` : String(value);
}

function schemaOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {};
}
