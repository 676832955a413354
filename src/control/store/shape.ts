/**
 * Readers of plain data: each takes an unknown value and gives it back typed, or
 * throws a ShapeError that says where it is wrong. Objects are read strictly, since
 * a field that this build does not know comes from one that means more by it.
 */
export type Reader<T> = (value: unknown, at: string) => T;

export class ShapeError extends Error {
  constructor(at: string, wanted: string) {
    super(`${at} must be ${wanted}`);
    this.name = 'ShapeError';
  }
}

export const text: Reader<string> = (value, at) => {
  if (typeof value !== 'string') throw new ShapeError(at, 'a text');
  return value;
};

export const flag: Reader<boolean> = (value, at) => {
  if (typeof value !== 'boolean') throw new ShapeError(at, 'true or false');
  return value;
};

/** Any number that JSON can carry; neither NaN nor an infinity. */
export const finite: Reader<number> = (value, at) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new ShapeError(at, 'a finite number');
  return value;
};

export function whole(least: number): Reader<number> {
  return (value, at) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least) {
      throw new ShapeError(at, `a whole number of at least ${least}`);
    }
    return value;
  };
}

export const count: Reader<number> = whole(0);

export function within(least: number, most: number): Reader<number> {
  return (value, at) => {
    const number = finite(value, at);
    if (number < least || number > most) throw new ShapeError(at, `from ${least} to ${most}`);
    return number;
  };
}

export function among<const T extends string>(values: readonly T[]): Reader<T> {
  return (value, at) => {
    const found = values.find((known) => known === value);
    if (found === undefined) throw new ShapeError(at, `one of ${values.join(', ')}`);
    return found;
  };
}

/** As `among`, for a union without a list of its own: the compiler wants every member named. */
export function oneOf<T extends string>(values: Readonly<Record<T, true>>): Reader<T> {
  return among(Object.keys(values) as T[]);
}

export function nullable<T>(read: Reader<T>): Reader<T | null> {
  return (value, at) => (value === null ? null : read(value, at));
}

export function list<T>(read: Reader<T>): Reader<readonly T[]> {
  return (value, at) => {
    if (!Array.isArray(value)) throw new ShapeError(at, 'a list');
    return value.map((item: unknown, index) => read(item, `${at}[${index}]`));
  };
}

/** The compiler wants a reader for every field: a new one cannot be forgotten here. */
export function record<T extends object>(fields: { readonly [K in keyof T]-?: Reader<T[K]> }): Reader<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, at) => {
    const given = object(value, at);
    for (const name of Object.keys(given)) {
      if (!Object.hasOwn(fields, name))
        throw new ShapeError(`${at}.${name}`, 'left out: it is not known here');
    }
    const read: Partial<T> = {};
    for (const name of names) {
      if (!Object.hasOwn(given, name)) throw new ShapeError(`${at}.${name}`, 'there');
      read[name] = fields[name](given[name], `${at}.${name}`);
    }
    return read as T;
  };
}

/** A union told apart by `kind`; every kind is wanted. */
export function tagged<U extends { readonly kind: string }>(
  readers: {
    readonly [K in U['kind']]: Reader<Extract<U, { readonly kind: K }>>;
  },
): Reader<U> {
  const readKind = among(Object.keys(readers) as U['kind'][]);
  return (value, at) => {
    const kind: U['kind'] = readKind(object(value, at).kind, `${at}.kind`);
    return readers[kind](value, at);
  };
}

export function object(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ShapeError(at, 'an object');
  }
  return value as Readonly<Record<string, unknown>>;
}
