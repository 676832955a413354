import { formatPath, type Path } from '../issue.ts';

/** What a person must know about one place of a manifest. */
export interface ImportNote {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Such as `spec.strategy.canary.maxSurge`; '' for the file as a whole. */
  readonly path: string;
  /** A phrase without a full stop. */
  readonly message: string;
}

/** Where a manifest came from, and all that was said about it. */
export class Origin {
  readonly file: string;
  readonly lineOf: (path: Path) => number;
  readonly notes: ImportNote[] = [];
  readonly problems: ImportNote[] = [];

  constructor(file: string, lineOf: (path: Path) => number) {
    this.file = file;
    this.lineOf = lineOf;
  }
}

/**
 * A value of a manifest together with its place. Readers of a wrong type answer
 * null (or an empty list) and report the problem; an absent value is no problem.
 */
export class Cursor {
  readonly origin: Origin;
  readonly path: Path;
  /** Undefined: not there. */
  readonly value: unknown;

  constructor(origin: Origin, path: Path, value: unknown) {
    this.origin = origin;
    this.path = path;
    this.value = value;
  }

  /** A null stands for an absent value, as it does in Kubernetes. */
  get present(): boolean {
    return this.value !== undefined && this.value !== null;
  }

  get line(): number {
    return this.origin.lineOf(this.path);
  }

  /** `rollout.yaml:12`. */
  get place(): string {
    return `${this.origin.file}:${this.line}`;
  }

  get(...keys: readonly (string | number)[]): Cursor {
    let value = this.value;
    for (const key of keys) value = member(value, key);
    return new Cursor(this.origin, [...this.path, ...keys], value);
  }

  /** The keys of a mapping with their values. */
  children(): readonly (readonly [string, Cursor])[] {
    if (!this.present) return [];
    if (!isMapping(this.value)) {
      this.fail('must be a mapping of keys');
      return [];
    }
    return Object.keys(this.value).map((key) => [key, this.get(key)]);
  }

  items(): readonly Cursor[] {
    if (!this.present) return [];
    if (!Array.isArray(this.value)) {
      this.fail('must be a list');
      return [];
    }
    return this.value.map((_, i) => this.get(i));
  }

  text(): string | null {
    if (!this.present) return null;
    if (typeof this.value === 'string') return this.value;
    this.fail('must be text');
    return null;
  }

  /** Annotations are texts; a number or a switch without quotes is taken for what was meant. */
  scalarText(): string | null {
    if (typeof this.value === 'number' || typeof this.value === 'boolean') return String(this.value);
    return this.text();
  }

  /** A whole number; digits in quotes count as one. */
  integer(): number | null {
    if (!this.present) return null;
    const { value } = this;
    const number = typeof value === 'string' && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
    this.fail('must be a whole number');
    return null;
  }

  flag(): boolean | null {
    if (!this.present) return null;
    if (typeof this.value === 'boolean') return this.value;
    this.fail('must be true or false');
    return null;
  }

  /** Says something that does not stand in the way of a result. */
  note(message: string): void {
    this.origin.notes.push(this.told(message));
  }

  /** Says why there can be no result. */
  fail(message: string): void {
    this.origin.problems.push(this.told(message));
  }

  told(message: string): ImportNote {
    return { file: this.origin.file, line: this.line, path: formatPath(this.path), message };
  }
}

function member(value: unknown, key: string | number): unknown {
  if (Array.isArray(value)) return typeof key === 'number' ? value[key] : undefined;
  return isMapping(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

function isMapping(value: unknown): value is Record<string | number, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
