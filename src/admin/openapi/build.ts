import Type, { type Static, type TSchema, type TUnsafe } from 'typebox';

/**
 * The words in which answers are described: JSON Schema (2020-12), as OpenAPI 3.1
 * has it, and a check by the compiler that a schema says what the interface says.
 */

/** Without `readonly`, which no JSON can tell. */
type Plain<T> = T extends readonly (infer Item)[]
  ? Plain<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Plain<T[Key]> }
    : T;

type Same<A, B> = (<X>() => X extends A ? 1 : 2) extends <X>() => X extends B ? 1 : 2 ? true : false;

/** Shown by the compiler where a schema and its interface say different things. */
interface Drifted<Told, Real> {
  readonly schemaSays: Told;
  readonly interfaceSays: Real;
}

type Exactly<S extends TSchema, T> =
  Same<Plain<Static<S>>, Plain<T>> extends true ? unknown : Drifted<Plain<Static<S>>, Plain<T>>;

/** A schema under a name of its own, and what stands where it is used. */
export interface Component<T> {
  readonly name: string;
  readonly schema: TSchema;
  readonly ref: TUnsafe<T>;
}

/** `T` must be what the schema describes, key by key; the compiler refuses one that has drifted. */
export function component<T>(name: string, description: string) {
  return <S extends TSchema>(schema: S & Exactly<S, T>): Component<T> => ({
    name,
    schema: { ...schema, description },
    ref: refTo<T>(name),
  });
}

/** For what must be named before it is there: a schema that holds itself. */
export function refTo<T>(name: string): TUnsafe<T> {
  return Type.Unsafe<T>({ $ref: `#/components/schemas/${name}` });
}

export function text(description?: string) {
  return Type.String(described(description));
}

export function number(description?: string) {
  return Type.Number(described(description));
}

/** A whole number from 0 up. */
export function count(description?: string) {
  return Type.Integer({ ...described(description), minimum: 0 });
}

export function flag(description?: string) {
  return Type.Boolean(described(description));
}

/** ISO 8601. */
export function time(description?: string) {
  return Type.String({ ...described(description), format: 'date-time' });
}

/** A closed choice of words. */
export function word<const W extends readonly string[]>(words: W, description?: string) {
  return Type.Unsafe<W[number]>({ type: 'string', enum: [...words], ...described(description) });
}

export function orNull<S extends TSchema>(schema: S, description?: string) {
  return Type.Union([schema, Type.Null()], described(description));
}

export function list<S extends TSchema>(item: S, description?: string) {
  return Type.Array(item, described(description));
}

/** A column of a timeline. */
export function column(description?: string) {
  return list(orNull(Type.Number()), description);
}

function described(description: string | undefined): { description?: string } {
  return description === undefined ? {} : { description };
}
