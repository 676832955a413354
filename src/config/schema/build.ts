import Type, { type Static, type TObject, type TOptional, type TSchema } from 'typebox';
import type { Form, PlainForm } from '../forms/form.ts';
import type { QuantityBounds } from '../forms/quantities.ts';
import { ARGO_DURATION_PATTERN, argoMsOf, DURATION_PATTERN, SIZE_PATTERN } from '../quantity.ts';

/**
 * The words our schemas are written in. JSON Schema's own keywords tell editors
 * what they can check; those that begin with `x-` are ours, for validation, its
 * messages and the reference, and are left out of the published schema.
 */
export const OWN_KEYWORDS = [
  'x-form',
  'x-type',
  'x-default',
  'x-hint',
  'x-secret',
  'x-same-as',
  'x-refused',
  'x-known',
] as const;

export interface KeyOptions {
  /** Sentences for people: what the key does, its unit, what it costs. */
  readonly description: string;
  /** As one would write it in the file. */
  readonly default?: unknown;
  /** Shown in the reference where leaving the key out means something that is not a value. */
  readonly 'x-default'?: string;
  /** How the reference names the type. */
  readonly 'x-type'?: string;
  /** What to write instead, when the value has the wrong type. */
  readonly 'x-hint'?: string;
  /** Never shown in a message. */
  readonly 'x-secret'?: boolean;
  /** The key whose table in the reference explains this one too. */
  readonly 'x-same-as'?: string;
  /** Keys that are known from elsewhere and mean nothing here, each with what to do instead. */
  readonly 'x-refused'?: Readonly<Record<string, string>>;
  /** For an item under a name of one's own: the known names beside it, one of which may have been meant. */
  readonly 'x-known'?: readonly string[];
}

/** `500ms`, `2s`, `5m`, `30d`. */
export function duration(bounds: QuantityBounds, options: KeyOptions) {
  return quantity('duration', DURATION_PATTERN, bounds, options);
}

/** `64KiB`, `1MiB`, `10MB`. */
export function size(bounds: QuantityBounds, options: KeyOptions) {
  return quantity('size', SIZE_PATTERN, bounds, options);
}

/** `5m`, `1h30m`, `300` and `"300"` for seconds. With `args`, also `{{args.NAME}}`. */
export function argoDuration(bounds: QuantityBounds, options: KeyOptions, args = false) {
  const form: Form = { kind: 'argoDuration', args, ...bounds };
  const pattern = args ? `^(${ARGO_DURATION_PATTERN})$|${ARGS_PATTERN}` : `^(${ARGO_DURATION_PATTERN})$`;
  return Type.Union(
    [
      Type.Integer({
        minimum: Math.ceil(argoMsOf(bounds.min) / 1_000),
        maximum: Math.floor(argoMsOf(bounds.max) / 1_000),
      }),
      Type.String({ pattern, 'x-form': form }),
    ],
    {
      ...options,
      'x-type': `a duration (${bounds.min} to ${bounds.max}) or a number of seconds`,
      'x-hint': 'write it like 5m, 1h30m or 300 for seconds',
    },
  );
}

const ARGS_PATTERN = '\\{\\{';

/** A whole number, in quotes or not, or `{{args.NAME}}`. */
export function countOrArgs(min: number, max: number, options: KeyOptions) {
  const form: Form = { kind: 'integerText', min, max };
  const pattern = `^-?[0-9]{1,9}$|${ARGS_PATTERN}`;
  return Type.Union(
    [Type.Integer({ minimum: min, maximum: max }), Type.String({ pattern, 'x-form': form })],
    {
      ...options,
      'x-type': `a whole number (${min} to ${max})`,
    },
  );
}

function quantity(kind: 'duration' | 'size', pattern: string, bounds: QuantityBounds, options: KeyOptions) {
  const form: Form = { kind, ...bounds };
  const words = bounds.words ?? [];
  const type = [`a ${kind} (${bounds.min} to ${bounds.max})`, ...words.map((word) => `\`${word}\``)].join(
    ' or ',
  );
  return Type.String({
    ...options,
    pattern: `^(${[pattern, ...words].join('|')})$`,
    'x-form': form,
    'x-type': type,
  });
}

/** 0 to 100, two decimals at most. */
export function percent(options: KeyOptions) {
  const form: Form = { kind: 'percent' };
  return Type.Number({
    ...options,
    minimum: 0,
    maximum: 100,
    'x-form': form,
    'x-type': 'a percentage (0 to 100, two decimals)',
  });
}

/** A part of a whole; `min` and `max` are within 0 and 1. */
export function share(min: number, max: number, options: KeyOptions) {
  const form: Form = { kind: 'share', min, max };
  return Type.Number({
    ...options,
    minimum: min,
    maximum: max,
    'x-form': form,
    'x-type': `a share (${min} to ${max})`,
  });
}

/** A percentage with its sign, `5%`; from 0.1% to 50%. */
export function percentText(options: KeyOptions) {
  return signedPercent('percentText', '0.1% to 50%', options);
}

/** A percentage with its sign, from 0% to 100%. */
export function anyPercentText(options: KeyOptions) {
  return signedPercent('anyPercentText', '0% to 100%', options);
}

function signedPercent(kind: PlainForm, range: string, options: KeyOptions) {
  const form: Form = { kind };
  return Type.String({
    ...options,
    pattern: '^[0-9]{1,3}(\\.[0-9]{1,4})? ?%$',
    'x-form': form,
    'x-type': `a percentage with its sign (${range})`,
  });
}

/** A piece of text with a form of its own; `type` names it in the reference. */
export function text(kind: PlainForm, type: string, options: KeyOptions) {
  const form: Form = { kind };
  return Type.String({ ...options, 'x-form': form, 'x-type': type });
}

export function flag(options: KeyOptions) {
  return Type.Boolean({ ...options, 'x-type': '`true` or `false`' });
}

export function count(min: number, max: number, options: KeyOptions) {
  return Type.Integer({
    ...options,
    minimum: min,
    maximum: max,
    'x-type': `a whole number (${min} to ${max})`,
  });
}

/** A closed choice of words. */
export function word<const W extends readonly string[]>(words: W, options: KeyOptions) {
  const type = words.map((one) => `\`${one}\``).join(' or ');
  return Type.Unsafe<W[number]>({ type: 'string', enum: [...words], ...options, 'x-type': type });
}

/** A mapping from names, of a form of their own, to items. Read it with Object.entries only. */
export function mapOf<T extends TSchema>(
  names: PlainForm,
  item: T,
  options: KeyOptions & { readonly minProperties?: number; readonly maxProperties: number },
) {
  const form: Form = { kind: names };
  return Type.Unsafe<Readonly<Record<string, Static<T>>>>({
    type: 'object',
    propertyNames: { type: 'string', 'x-form': form },
    additionalProperties: item,
    ...options,
  });
}

type Optionals<P extends Record<string, TSchema>> = { [K in keyof P]: TOptional<P[K]> };

/** A mapping of known keys, all of them optional but those in `required`; any other key is refused. */
export function section<
  const O extends Record<string, TSchema>,
  const R extends Record<string, TSchema> = Record<never, never>,
>(
  optional: O,
  options: KeyOptions & { readonly minProperties?: number; readonly maxProperties?: number },
  required?: R,
): TObject<R & Optionals<O>> {
  const properties: Record<string, TSchema> = { ...required };
  for (const [key, schema] of Object.entries(optional)) properties[key] = Type.Optional(schema);
  return Type.Object(properties as R & Optionals<O>, { ...options, additionalProperties: false });
}

/** A mapping of known keys in which every other name, of a form, stands for an item of one kind. */
export function openSection<const O extends Record<string, TSchema>>(
  optional: O,
  names: PlainForm,
  item: TSchema,
  options: KeyOptions & { readonly maxProperties: number },
) {
  const form: Form = { kind: names };
  const { properties } = section(optional, options);
  return Type.Unsafe<Static<TObject<Optionals<O>>>>({
    type: 'object',
    properties,
    propertyNames: { type: 'string', 'x-form': form },
    additionalProperties: item,
    ...options,
  });
}

/** One item or a list of them. */
export function oneOrMany<T extends TSchema>(item: T, type: string, options: KeyOptions) {
  return Type.Union([item, Type.Array(item, { minItems: 1, maxItems: 1_000 })], {
    ...options,
    'x-type': `${type} or a list of them`,
  });
}

/** `off`, or a mapping that turns it on. */
export function orOff<T extends TSchema>(item: T, options: KeyOptions) {
  return Type.Union([Type.Literal('off'), item], { ...options, 'x-type': '`off` or a mapping of keys' });
}
