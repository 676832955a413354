import type { Observation } from './spec.ts';

/** What single values of an answer mean. */

/** Code units of a class's name; the rest is cut off. */
export const MAX_CLASS_CHARS = 64;

export const NOTHING: Observation = { class: null, confidence: null, score: null };

/** Names come from outside and are printed in terminals and labels. */
const CONTROL = /\p{Cc}/gu;
/** What cutting a name may leave of a character of two code units. */
const HALF = /[\ud800-\udbff]$/;

/** A class's name, bounded: a text, a truth value, or a number (a whole one names a label by its place). */
export function classOf(value: unknown, labels: readonly string[]): string | null {
  if (typeof value === 'string') return nameOf(value);
  if (typeof value === 'boolean') return String(value);
  if (Array.isArray(value)) return isDistribution(value) ? labelOf(argmax(value), labels) : null;
  return typeof value === 'number' && Number.isFinite(value) ? labelOf(value, labels) : null;
}

export function labelOf(value: number, labels: readonly string[]): string {
  return nameOf(labels[value] ?? String(value)) ?? String(value);
}

function nameOf(text: string): string | null {
  if (text === '') return null;
  const short = text.length > MAX_CLASS_CHARS ? text.slice(0, MAX_CLASS_CHARS).replace(HALF, '') : text;
  return short.replace(CONTROL, '\ufffd');
}

/** How far sums of 32-bit floats stray from what they should be. */
const SLACK = 1e-3;

/** 0..1: a probability, or the largest of a distribution. */
export function confidenceOf(value: unknown): number | null {
  if (Array.isArray(value)) return isDistribution(value) ? confidenceOf(value[argmax(value)]) : null;
  if (!isProbability(value)) return null;
  return Math.min(Math.max(value, 0), 1);
}

/** Not clipped: that is up to whoever counts it. */
export function scoreOf(value: unknown): number | null {
  // JSON's 1e999 is read as Infinity.
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function isProbability(value: unknown): value is number {
  return typeof value === 'number' && value >= -SLACK && value <= 1 + SLACK;
}

/** Probabilities of classes that add up to 1; anything else that is a list may be items, whose `*` was forgotten. */
function isDistribution(values: readonly unknown[]): values is readonly number[] {
  if (values.length < 2) return false;
  let sum = 0;
  for (const value of values) {
    if (!isProbability(value)) return false;
    sum += value;
  }
  return Math.abs(sum - 1) <= 0.01;
}

/** The first of the largest. */
function argmax(values: readonly number[]): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if ((values[i] as number) > (values[best] as number)) best = i;
  return best;
}

/**
 * One item's outputs, a number for each class. Probabilities (also of classes that
 * do not exclude each other) give class and confidence; others, such as logits,
 * the class alone. Null: there is something else among them.
 */
export function ofOutputs(values: readonly unknown[], labels: readonly string[]): Observation | null {
  if (!values.every((value) => scoreOf(value) !== null)) return null;
  const numbers = values as readonly number[];
  const best = argmax(numbers);
  const confidence = numbers.every(isProbability) ? confidenceOf(numbers[best]) : null;
  return { class: labelOf(best, labels), confidence, score: null };
}
