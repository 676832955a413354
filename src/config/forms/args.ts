import { bad, good, type Reading } from './reading.ts';

/** Whether a text holds a place for an argument, `{{args.NAME}}`. */
export function hasArgs(text: string): boolean {
  return text.includes('{{');
}

/** The name of an argument. */
export function readArgName(text: string): Reading<string> {
  return /^[A-Za-z0-9_]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9_])?$/.test(text)
    ? good(text)
    : bad('is not a valid name', 'use letters, digits and _ . - between them, 63 characters at most');
}

/** Reads a text that has no such place; one that has is read when its arguments are known. */
export function orArgs<T>(read: (text: string) => Reading<T>): (text: string) => Reading<T | null> {
  return (text) => (hasArgs(text) ? good(null) : read(text));
}
