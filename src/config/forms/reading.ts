/** What reading a piece of text gave: its value, or what is wrong with it and what would be right. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      readonly message: string;
      readonly fix: string;
      /** Where in the text the fault lies, from 0, when that is known. */
      readonly at?: number;
    };

export function good<T>(value: T): Reading<T> {
  return { ok: true, value };
}

export function bad(message: string, fix: string, at?: number): Reading<never> {
  return at === undefined ? { ok: false, message, fix } : { ok: false, message, fix, at };
}

/** The value of a text that validation has passed before; anything else is a defect of ours. */
export function taken<T>(reading: Reading<T>): T {
  if (reading.ok) return reading.value;
  throw new Error(`read before it was checked: ${reading.message}`);
}
