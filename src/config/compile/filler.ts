import { compileCondition } from '../../core/analysis/conditions/compile.ts';
import type { Condition, Header } from '../../core/analysis/plan.ts';
import { hasArgs } from '../forms/args.ts';
import { readIntegerText } from '../forms/quantities.ts';
import type { Reading } from '../forms/reading.ts';
import { readHeaderValue } from '../forms/texts.ts';
import type { Path } from '../issue.ts';
import { compilePattern } from '../pattern.ts';
import type { RawHeaders } from '../schema.ts';
import { type ArgValues, fill } from './arguments.ts';
import type { Problems } from './problems.ts';

/** What resolving may cost in all; one unit is about a character. */
export interface Budget {
  left: number;
}

/**
 * Reads the values of a metric with its arguments put in. What is wrong is told,
 * and `failed` set; the answers then only serve to go on looking for more.
 */
export class Filler {
  failed = false;
  private readonly args: ArgValues;
  private readonly problems: Problems;
  private readonly budget: Budget;
  /** Where the arguments come from, for people; '' where nobody gave any. */
  private readonly by: string;

  constructor(args: ArgValues, problems: Problems, budget: Budget, by: string) {
    this.args = args;
    this.problems = problems;
    this.budget = budget;
    this.by = by;
  }

  error(path: Path, message: string, fix: string, part: 'key' | 'value' = 'value', at = 0): void {
    this.failed = true;
    this.problems.error(path, message, fix, part, at);
  }

  text(source: string, path: Path): string {
    return this.filled(source, path)?.text ?? '';
  }

  /** Null when it could not be read. A text without arguments has passed the schema. */
  read<T>(source: string, path: Path, read: (text: string) => Reading<T>): T | null {
    const filled = this.filled(source, path);
    if (filled === null) return null;
    const reading = read(filled.text);
    if (reading.ok) return reading.value;
    const fix =
      hasArgs(source) && this.by !== '' ? `${reading.fix}; its arguments come from ${this.by}` : reading.fix;
    this.error(path, reading.message, fix, 'value', filled.place(reading.at ?? 0));
    return null;
  }

  integer(
    raw: number | string | undefined,
    otherwise: number,
    bounds: { readonly min: number; readonly max: number },
    path: Path,
  ): number {
    if (typeof raw !== 'string') return raw ?? otherwise;
    return this.read(raw, path, (text) => readIntegerText(text, bounds)) ?? otherwise;
  }

  condition(source: string | undefined, path: Path): Condition | null {
    if (source === undefined) return null;
    const filled = this.filled(source, path);
    if (filled === null) return null;
    const made = compileCondition(filled.text, compilePattern);
    if (made.ok) return made.condition;
    const given = hasArgs(source) && this.by !== '' ? `; its arguments come from ${this.by}` : '';
    const fix = `write an expression over result, such as result[0] >= 0.99${given}`;
    this.error(path, made.message, fix, 'value', filled.place(made.at));
    return null;
  }

  headers(raw: RawHeaders | undefined, path: Path): Header[] {
    return headerPairs(raw, path).map(({ name, value, at }) => ({
      name,
      value: this.read(value, at, readHeaderValue) ?? '',
    }));
  }

  private filled(source: string, path: Path) {
    const filled = fill(source, this.args);
    if (filled.kind === 'bad') this.error(path, filled.message, filled.fix, 'value', filled.at);
    if (filled.kind !== 'text') {
      this.failed = true;
      return null;
    }
    if (filled.text !== source) this.budget.left -= filled.text.length;
    return filled;
  }
}

/** Headers whose values are taken as they stand. */
export function headersOf(raw: RawHeaders | undefined): Header[] {
  return headerPairs(raw, []).map(({ name, value }) => ({ name, value }));
}

/** Headers as a list or as a mapping, with the place of each value. */
export function headerPairs(
  raw: RawHeaders | undefined,
  path: Path,
): { name: string; value: string; at: Path }[] {
  if (raw === undefined) return [];
  if (Array.isArray(raw)) {
    return raw.map(({ key, value }, i) => ({ name: key.toLowerCase(), value, at: [...path, i, 'value'] }));
  }
  return Object.entries(raw).map(([name, value]) => ({
    name: name.toLowerCase(),
    value,
    at: [...path, name],
  }));
}
