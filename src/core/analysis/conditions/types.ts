/** What is known of a value before it is there. */
export type Type =
  | { readonly kind: 'any' | 'nil' | 'bool' | 'int' | 'float' | 'string' | 'map' }
  | { readonly kind: 'array'; readonly of: Type };

export const ANY: Type = { kind: 'any' };
export const NIL: Type = { kind: 'nil' };
export const BOOL: Type = { kind: 'bool' };
export const INT: Type = { kind: 'int' };
export const FLOAT: Type = { kind: 'float' };
export const STRING: Type = { kind: 'string' };
export const MAP: Type = { kind: 'map' };

export function arrayOf(of: Type): Type {
  return { kind: 'array', of };
}

export function isAny(type: Type): boolean {
  return type.kind === 'any';
}

export function isNumber(type: Type): boolean {
  return type.kind === 'int' || type.kind === 'float';
}

export function mayBe(type: Type, ...kinds: readonly Type['kind'][]): boolean {
  return type.kind === 'any' || kinds.includes(type.kind);
}

/** Whether `==` may be asked of them; nil may be compared with everything. */
export function comparable(a: Type, b: Type): boolean {
  if (isAny(a) || isAny(b) || a.kind === 'nil' || b.kind === 'nil') return true;
  return a.kind === b.kind || (isNumber(a) && isNumber(b));
}

/** The type of what is either of the two. */
export function either(a: Type, b: Type): Type {
  if (a.kind === 'array' && b.kind === 'array') return arrayOf(either(a.of, b.of));
  return a.kind === b.kind ? a : ANY;
}

/** As the operators' messages name it. */
export function nameOf(type: Type): string {
  return type.kind === 'array' && !isAny(type.of) ? `array of ${nameOf(type.of)}` : type.kind;
}

/**
 * The type of a measured value. A list of numbers is what Prometheus answers,
 * whose items are known to be floats; other lists and maps hold what they like.
 */
export function typeOfResult(result: unknown): Type {
  if (result === null || result === undefined) return NIL;
  if (Array.isArray(result)) {
    const floats = result.length > 0 && result.every((item) => typeof item === 'number');
    return arrayOf(floats ? FLOAT : ANY);
  }
  switch (typeof result) {
    case 'boolean':
      return BOOL;
    case 'number':
      return FLOAT;
    case 'string':
      return STRING;
    case 'object':
      return MAP;
    default:
      return ANY;
  }
}
