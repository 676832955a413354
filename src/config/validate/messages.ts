import type { ErrorObject } from 'ajv';
import { closest } from '../../core/closest.ts';
import { type Form, readForm } from '../forms/form.ts';
import { clip, orList, type Path } from '../issue.ts';
import type { FormParams } from './ajv.ts';
import { isStranger } from './branches.ts';

/** What to tell about one schema error; `part` says whether the key or the value is pointed at. */
export interface Told {
  readonly path: Path;
  readonly part: 'key' | 'value';
  readonly message: string;
  readonly fix: string;
  /** Where in the value's text the fault lies. */
  readonly at: number;
}

type Schema = Readonly<Record<string, unknown>>;
type Say = (message: string, fix: string, more?: Partial<Told>) => Told;

/** `path` is where the error stands, `written` how its value does in the file; `placesOf` says under which keys a key of that name is known. */
export function tell(
  error: ErrorObject,
  path: Path,
  written: string | null,
  placesOf: (key: string) => readonly string[],
): Told {
  const say: Say = (message, fix, more) => ({ path, part: 'value', at: 0, message, fix, ...more });
  const schema = schemaOf(error.parentSchema);
  const { params } = error;
  switch (error.keyword) {
    case 'additionalProperties':
      return tellUnknown(String(params.additionalProperty), path, schema, placesOf, say);
    case 'required':
      if (isStranger(error)) return tellStranger(String(params.missingProperty), path, schema, say);
      return tellMissing(String(params.missingProperty), path, schema, say);
    case 'propertyNames':
      return tellName(String(params.propertyName), path, schema, say);
    case 'x-form': {
      const { fix, at } = params as FormParams;
      return say(error.message ?? 'is not valid', fix, { at });
    }
    case 'type':
    case 'anyOf':
    case 'const':
      return tellType(error.data, written, schema, say);
    case 'enum':
      return tellEnum(error.data, params.allowedValues, say);
    case 'uniqueItems':
      return say('stands in the list twice', 'remove one of the two', { path: [...path, Number(params.j)] });
    default:
      return tellBound(error.keyword, schema, say);
  }
}

function tellUnknown(
  key: string,
  path: Path,
  schema: Schema,
  placesOf: (key: string) => readonly string[],
  say: Say,
): Told {
  const refused = schemaOf(schema['x-refused']);
  if (Object.hasOwn(refused, key)) {
    return say('is not supported', String(refused[key]), { path: [...path, key], part: 'key' });
  }
  const known = Object.keys(schemaOf(schema.properties));
  const meant = closest(key, known);
  // Where one key is to be chosen, the choice says more than where else such a key is known.
  const places = schema.maxProperties === 1 ? [] : placesOf(key);
  let fix = `the keys here are ${known.join(', ')}`;
  if (meant !== null) fix = `did you mean ${meant}?`;
  else if (places.length > 0) fix = `it belongs under ${orList(places)}`;
  return say('is not a known key', fix, { path: [...path, key], part: 'key' });
}

function tellMissing(key: string, path: Path, schema: Schema, say: Say): Told {
  const property = schemaOf(schemaOf(schema.properties)[key]);
  const purpose = lowerFirst(textOf(property.description) ?? '').replace(/\.$/, '');
  const fix = textOf(property['x-hint']) ?? `add it: ${purpose}`;
  return say('is missing', fix, { path: [...path, key], part: 'key' });
}

/** A name of the user's own without what such an item needs: perhaps a known one was meant. */
function tellStranger(key: string, path: Path, schema: Schema, say: Say): Told {
  const known = Array.isArray(schema['x-known']) ? schema['x-known'].map(String) : [];
  const meant = closest(String(path.at(-1)), known);
  const fix = meant === null ? `write ${orList(known)}, or add ${key}` : `did you mean ${meant}?`;
  return say(`is not a known name, and has no ${key}`, fix, { part: 'key' });
}

function tellName(name: string, path: Path, schema: Schema, say: Say): Told {
  const form = schemaOf(schema.propertyNames)['x-form'];
  const reading = form === undefined ? null : readForm(form as Form, name);
  const more: Partial<Told> = { path: [...path, name], part: 'key' };
  if (reading === null || reading.ok) return say('is not a valid name', 'choose another name', more);
  return say(reading.message, reading.fix, more);
}

function tellType(data: unknown, written: string | null, schema: Schema, say: Say): Told {
  const wanted = typeName(schema);
  const hint = textOf(schema['x-hint']);
  if (data === null) return say('is empty', hint ?? `give it a value (${wanted}), or remove the key`);
  return say(`must be ${wanted}, not ${kindOf(data)}`, hint ?? fixOfType(data, written, schema, wanted));
}

/** Numbers and switches that should be text: with their unit where one is missing, else in quotes. */
function fixOfType(data: unknown, written: string | null, schema: Schema, wanted: string): string {
  if ((typeof data === 'number' || typeof data === 'boolean') && written !== null && takesText(schema)) {
    const form = schema['x-form'];
    const reading = form === undefined ? null : readForm(form as Form, written);
    if (schema['x-secret'] === true) return 'put it in quotes';
    return reading !== null && !reading.ok ? reading.fix : `put it in quotes: "${written}"`;
  }
  if (typeof data === 'string' && (schema.type === 'number' || schema.type === 'integer')) {
    return 'write a plain number, without quotes or a unit';
  }
  return `write ${wanted}`;
}

function takesText(schema: Schema): boolean {
  if (schema.type === 'string') return true;
  return Array.isArray(schema.anyOf) && schema.anyOf.some((branch) => schemaOf(branch).type === 'string');
}

function tellEnum(data: unknown, allowed: unknown, say: Say): Told {
  const words = Array.isArray(allowed) ? allowed.map(String) : [];
  const meant = typeof data === 'string' ? closest(data, words) : null;
  const fix = meant === null ? `write one of them: ${words.join(', ')}` : `did you mean ${meant}?`;
  return say(`must be ${orList(words)}`, fix);
}

function tellBound(keyword: string, schema: Schema, say: Say): Told {
  const bound = Number(schema[keyword]);
  switch (keyword) {
    case 'minimum':
    case 'maximum': {
      const more = keyword === 'minimum' ? 'more' : 'less';
      return say(`must be from ${schema.minimum} to ${schema.maximum}`, `write ${bound} or ${more}`);
    }
    case 'minLength':
      if (bound === 1) return say('must not be empty', 'write a value, or remove the key');
      return say(`must have at least ${bound} characters`, 'write a longer text');
    case 'maxLength':
      return say(`must have at most ${bound} characters`, 'write a shorter text');
    case 'minItems':
    case 'minProperties':
      if (bound > 1)
        return say(`must have at least ${bound} entries`, textOf(schema['x-hint']) ?? 'add some');
      return say('must not be empty', 'add an entry, or remove the key');
    case 'maxItems':
      return say(`has more than ${bound} entries`, 'remove some of them');
    case 'maxProperties':
      if (bound > 1) return say(`has more than ${bound} entries`, 'remove some of them');
      return say('has several keys', `keep one of ${Object.keys(schemaOf(schema.properties)).join(', ')}`);
    default:
      return say('is not valid', `write ${typeName(schema)}`);
  }
}

/** What a value should be, in words. */
function typeName(schema: Schema): string {
  const own = textOf(schema['x-type']);
  if (own !== null) return own.replaceAll('`', '');
  if (schema.const !== undefined) return String(schema.const);
  const names = new Map([
    ['string', 'text'],
    ['object', 'a mapping of keys'],
    ['array', 'a list'],
    ['number', 'a number'],
    ['integer', 'a whole number'],
    ['boolean', 'true or false'],
  ]);
  return names.get(String(schema.type)) ?? 'another value';
}

function kindOf(data: unknown): string {
  if (Array.isArray(data)) return 'a list';
  switch (typeof data) {
    case 'string':
      return 'text';
    case 'number':
      return 'a number';
    case 'boolean':
      return clip(String(data));
    default:
      return 'a mapping';
  }
}

function schemaOf(value: unknown): Schema {
  return typeof value === 'object' && value !== null ? (value as Schema) : {};
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
