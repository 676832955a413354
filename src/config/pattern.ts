import { RE2JS } from 're2js';
import type { PatternCompiler } from '../ports.ts';
import { bad, good, type Reading } from './forms/reading.ts';

/**
 * Patterns run in RE2's linear-time engine, over text that strangers send. What
 * linear time leaves open is bounded here: the length of a pattern, the size of
 * the automaton it becomes, and the length of the text it is shown. Usual patterns
 * take some 10 µs for the longest text; large counted repeats without an anchor,
 * such as `a.{0,40}b.{0,40}$`, can take 10 ms and 8 MB and are the operator's choice.
 */
export const MAX_PATTERN_CHARS = 512;
const MAX_PROGRAM = 400;
/** Longer text never matches; searching it would cost every request, and no rule needs it. */
export const MAX_PATTERN_TEXT_CHARS = 1_024;
const MAX_CACHED = 2_048;

const cache = new Map<string, RE2JS>();

/** Throws with the reason when the pattern's syntax is wrong or it is too large. */
export const compilePattern: PatternCompiler = (source) => {
  const reading = readCompiled(source);
  if (!reading.ok) throw new Error(`pattern ${JSON.stringify(source.slice(0, 80))} ${reading.message}`);
  const { value: engine } = reading;
  return (text) => text.length <= MAX_PATTERN_TEXT_CHARS && engine.test(text);
};

/** The source again when it is a pattern that `compilePattern` takes. */
export function readPattern(source: string): Reading<string> {
  const reading = readCompiled(source);
  return reading.ok ? good(source) : reading;
}

/** Compiled patterns outlive a reload, so that one that did not change stays warm. */
function readCompiled(source: string): Reading<RE2JS> {
  const held = cache.get(source);
  if (held !== undefined) {
    cache.delete(source);
    cache.set(source, held);
    return good(held);
  }
  const made = compileFresh(source);
  if (made.ok) {
    cache.set(source, made.value);
    if (cache.size > MAX_CACHED) cache.delete(cache.keys().next().value as string);
  }
  return made;
}

function compileFresh(source: string): Reading<RE2JS> {
  if (source === '') return bad('is an empty pattern', 'write { present: true } to match any value');
  if (source.length > MAX_PATTERN_CHARS) {
    return bad(`is longer than ${MAX_PATTERN_CHARS} characters`, 'shorten it, or list the values');
  }
  let engine: RE2JS;
  try {
    engine = RE2JS.compile(source);
  } catch (error) {
    return syntaxFault(source, error);
  }
  if (engine.programSize() > MAX_PROGRAM) {
    return bad('is too costly to run on every request', 'use smaller repeat counts');
  }
  return good(engine);
}

/** RE2 names the piece that it could not read; where that piece stands is the best column there is. */
function syntaxFault(source: string, error: unknown): Reading<never> {
  // Without the piece itself: it may come from the environment, and the column points at it.
  const text = error instanceof Error ? error.message : 'unreadable';
  const reason = text.replace(/^error parsing regexp: /, '').replace(/: `[\s\S]*$/, '');
  const piece = pieceOf(error);
  const at = piece === '' ? -1 : source.indexOf(piece);
  const fix = /\(\?<?[=!]|\\[1-9]/.test(source)
    ? 'RE2 syntax has no look-around and no back-references; say it without'
    : 'write it in RE2 syntax';
  return bad(`is not a valid pattern: ${reason}`, fix, Math.max(at, 0));
}

function pieceOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('input' in error)) return '';
  return typeof error.input === 'string' ? error.input : '';
}
