import type { ErrorObject } from 'ajv';
import type { Path } from '../issue.ts';
import type { Source } from '../parse/source.ts';
import { schemaErrors } from './ajv.ts';
import { relevantErrors } from './branches.ts';
import { tell } from './messages.ts';
import { placesOf } from './places.ts';
import type { Report } from './report.ts';

/** Checks a parsed file against the schema; what is wrong goes to the report. */
export function checkSchema(source: Source, report: Report): void {
  let errors = schemaErrors(source.value);
  if (convertFromEnv(source, errors)) errors = schemaErrors(source.value);
  for (const { instancePath } of errors) report.soil(instancePath);
  for (const error of relevantErrors(errors)) {
    const path = pathOf(error.instancePath, source.value);
    const told = tell(error, path, source.written(path), placesOf);
    report.error(told.path, told.message, told.fix, told.part, told.at);
  }
}

/**
 * What comes from the environment is text. Where the schema wants a number or a
 * switch, and the text is one, it becomes one; whether anything did.
 */
function convertFromEnv(source: Source, errors: readonly ErrorObject[]): boolean {
  let converted = false;
  for (const { keyword, instancePath, params, data } of errors) {
    if (keyword !== 'type' || typeof data !== 'string' || !source.fromEnv.has(instancePath)) continue;
    const value = scalarFrom(data.trim(), String(params.type));
    if (value === null) continue;
    const path = pathOf(instancePath, source.value);
    const parent = valueAt(source.value, path.slice(0, -1));
    const last = path.at(-1);
    if (typeof parent !== 'object' || parent === null || last === undefined) continue;
    (parent as Record<string | number, unknown>)[last] = value;
    converted = true;
  }
  return converted;
}

function scalarFrom(text: string, type: string): number | boolean | null {
  if (type === 'boolean') return text === 'true' ? true : text === 'false' ? false : null;
  if (type !== 'number' && type !== 'integer') return null;
  return /^-?[0-9]{1,15}(\.[0-9]{1,15})?$/.test(text) ? Number(text) : null;
}

/** A pointer as a path; positions in lists as numbers. */
function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let at: unknown = root;
  for (const raw of pointer.split('/').slice(1)) {
    const part = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    const step = Array.isArray(at) ? Number(part) : part;
    path.push(step);
    at = valueAt(at, [step]);
  }
  return path;
}

function valueAt(root: unknown, path: Path): unknown {
  let at = root;
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}
