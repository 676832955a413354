/** Values as text for people: bounded, and with NaN and infinities told apart from null. */

/** Characters of a value that are kept. */
export const VALUE_CHARS = 200;
/** Characters of a message that are kept. */
export const MESSAGE_CHARS = 300;

/** JSON without spaces, numbers as Prometheus writes them; cut to `VALUE_CHARS`. */
export function valueText(value: unknown): string {
  const parts: string[] = [];
  // One character too many is enough to know that the text has to be cut.
  write(value, VALUE_CHARS + 1, parts);
  return cut(parts.join(''), VALUE_CHARS);
}

/** A value's text with its long fractions cut to four digits. */
export function brief(text: string): string {
  return text.replace(/-?\d+\.\d{5,}(?:e[-+]?\d+)?/g, (number) =>
    String(Number(Number(number).toPrecision(4))),
  );
}

export function cut(text: string, chars: number): string {
  if (text.length <= chars) return text;
  // Half a surrogate pair would not survive being written as UTF-8.
  return `${text.slice(0, chars - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Writes until `room` characters are used up, so that a huge answer costs no more than a long one; the room left. */
function write(value: unknown, room: number, parts: string[]): number {
  if (room <= 0) return room;
  if (Array.isArray(value)) return writeAll('[', value, ']', (item, left) => write(item, left, parts));
  if (typeof value !== 'object' || value === null) return put(scalarText(value, room));
  return writeAll('{', Object.keys(value), '}', (key, left) => {
    const after = left - push(`${scalarText(key, left)}:`);
    return write((value as Record<string, unknown>)[key], after, parts);
  });

  function push(text: string): number {
    parts.push(text);
    return text.length;
  }
  function put(text: string): number {
    return room - push(text);
  }
  function writeAll<T>(
    open: string,
    items: readonly T[],
    close: string,
    one: (item: T, left: number) => number,
  ): number {
    let left = put(open);
    for (let i = 0; i < items.length && left > 0; i++) {
      if (i > 0) left -= push(',');
      left = one(items[i] as T, left);
    }
    return left - push(close);
  }
}

function scalarText(value: unknown, room: number): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, room));
  if (typeof value === 'number') return numberText(value);
  return String(value);
}

export function numberText(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  if (value === Number.NEGATIVE_INFINITY) return '-Inf';
  return String(value);
}

/** `41 samples`, `1 sample`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
