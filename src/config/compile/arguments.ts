import { closest } from '../../core/closest.ts';
import { orList, type Path } from '../issue.ts';
import type { RawArgs, RawTemplate } from '../schema.ts';
import type { Problems } from './problems.ts';

/** Values by name; null: there is none here, because a template is looked at without a rollout. */
export type ArgValues = ReadonlyMap<string, string | null>;

/** Whose rollout asks; what `valueFrom` stands for. */
export interface Rolled {
  readonly service: string;
  readonly stable: string;
  readonly canary: string;
}

export interface PlacedTemplate {
  readonly path: Path;
  readonly raw: RawTemplate;
}

interface Given {
  /** Where the analysis is asked for. */
  readonly path: Path;
  readonly args: RawArgs | undefined;
  /** Null: nobody asks. */
  readonly rolled: Rolled | null;
}

/**
 * The arguments of one analysis: those of all its templates in one pool, as in
 * Argo, under the values that the analysis gives.
 */
export function argValues(templates: readonly PlacedTemplate[], given: Given, problems: Problems): ArgValues {
  const { rolled } = given;
  const pool = new Map<string, string | null>();
  for (const { path, raw } of templates) {
    for (const [i, arg] of (raw.args ?? []).entries()) {
      const at = [...path, 'args', i];
      const value = argValue(arg, rolled, at, problems);
      const held = pool.get(arg.name) ?? null;
      if (held !== null && value !== null && held !== value) {
        const message = 'has another value in another template of the same analysis';
        problems.error([...at, 'value'], message, 'give it one value, or another name');
      }
      pool.set(arg.name, value ?? held);
    }
  }
  overlay(pool, given, problems);
  if (rolled !== null) tellMissing(pool, given.path, problems);
  return pool;
}

/** Values that the analysis gives go before those of the templates. */
function overlay(pool: Map<string, string | null>, { path, args, rolled }: Given, problems: Problems): void {
  for (const [i, arg] of (args ?? []).entries()) {
    const at = [...path, 'args', i];
    const value = argValue(arg, rolled, at, problems);
    if (arg.value === undefined && arg.valueFrom === undefined) {
      problems.error(at, 'has no value', 'add value: with its value');
    } else if (pool.has(arg.name)) {
      pool.set(arg.name, value);
    } else {
      const meant = closest(arg.name, [...pool.keys()]);
      const known = pool.size === 0 ? 'remove it' : `their arguments are ${[...pool.keys()].join(', ')}`;
      const fix = meant === null ? known : `did you mean ${meant}?`;
      problems.warn([...at, 'name'], 'is no argument of the templates', fix);
    }
  }
}

function tellMissing(pool: ArgValues, path: Path, problems: Problems): void {
  const missing = [...pool].filter(([, value]) => value === null).map(([name]) => name);
  const [first] = missing;
  if (first === undefined) return;
  const message = `gives no value for the argument ${orList(missing).replace(' or ', ' and ')}`;
  problems.error(path, message, `add args: [{ name: ${first}, value: … }]`, 'key');
}

function argValue(
  arg: RawArgs[number],
  rolled: Rolled | null,
  path: Path,
  problems: Problems,
): string | null {
  const { value, valueFrom } = arg;
  if (value !== undefined && valueFrom !== undefined) {
    problems.error([...path, 'valueFrom'], 'stands beside `value`', 'keep one of the two', 'key');
  }
  if (value !== undefined) return value;
  if (valueFrom?.podTemplateHashValue !== undefined) {
    return valueFrom.podTemplateHashValue === 'Latest' ? (rolled?.canary ?? null) : (rolled?.stable ?? null);
  }
  if (valueFrom?.fieldRef === undefined) return null;
  const fix = 'write the value itself to be sure: value: …';
  problems.warn([...path, 'valueFrom', 'fieldRef'], 'stands for the name of the service here', fix);
  return rolled?.service ?? null;
}

export type Filled =
  | {
      readonly kind: 'text';
      readonly text: string;
      /** Where in the source a place in the text comes from. */
      place(at: number): number;
    }
  /** It needs a value that is not known here. */
  | { readonly kind: 'open' }
  | { readonly kind: 'bad'; readonly message: string; readonly fix: string; readonly at: number };

const MAX_FILLED = 65_536;

/** Puts the arguments into a text: `{{args.NAME}}`, spaces inside the braces do not matter. */
export function fill(source: string, args: ArgValues): Filled {
  if (!source.includes('{{')) return { kind: 'text', text: source, place: (at) => at };
  const pieces: { readonly from: number; readonly at: number; readonly fixed: boolean }[] = [];
  let text = '';
  let end = 0;
  for (let open = source.indexOf('{{'); open >= 0; open = source.indexOf('{{', end)) {
    const close = source.indexOf('}}', open);
    if (close < 0) return { kind: 'bad', message: 'has {{ without }}', fix: CLOSE, at: open };
    const name = /^args\.(.+)$/.exec(source.slice(open + 2, close).trim())?.[1];
    if (name === undefined) {
      return { kind: 'bad', message: 'has {{ }} that names no argument', fix: CLOSE, at: open };
    }
    const value = args.get(name);
    if (value === undefined) return unknownArg(name, args, open);
    if (value === null) return { kind: 'open' };
    pieces.push({ from: text.length, at: end, fixed: false });
    text += source.slice(end, open);
    pieces.push({ from: text.length, at: open, fixed: true });
    text += value;
    end = close + 2;
    if (text.length > MAX_FILLED) {
      return { kind: 'bad', message: 'grows too long with its arguments', fix: 'shorten them', at: open };
    }
  }
  pieces.push({ from: text.length, at: end, fixed: false });
  const whole = text + source.slice(end);
  return { kind: 'text', text: whole, place: (at) => placeIn(pieces, at) };
}

const CLOSE = 'write {{args.NAME}}';

function unknownArg(name: string, args: ArgValues, at: number): Filled {
  const known = [...args.keys()];
  const meant = closest(name, known);
  const listed =
    known.length === 0 ? 'declare it under args of the template' : `the arguments are ${known.join(', ')}`;
  const fix = meant === null ? listed : `did you mean ${meant}?`;
  return { kind: 'bad', message: 'names an argument that is not declared', fix, at };
}

function placeIn(
  pieces: readonly { readonly from: number; readonly at: number; readonly fixed: boolean }[],
  at: number,
): number {
  const piece = pieces.findLast(({ from }) => from <= at);
  if (piece === undefined) return 0;
  return piece.fixed ? piece.at : piece.at + at - piece.from;
}
