import { type ConfigIssue, formatPath, type Path } from '../issue.ts';
import { pointerOf, type Source } from '../parse/source.ts';

const MAX_ISSUES = 100;

/** Collects what is wrong with a file, and knows which of its parts are sound so far. */
export class Report {
  readonly warnings: ConfigIssue[] = [];
  private readonly found: ConfigIssue[] = [];
  private readonly dirty = new Set<string>();
  private untold = 0;
  private readonly source: Source;

  constructor(source: Source, earlier: readonly ConfigIssue[]) {
    this.source = source;
    this.found.push(...earlier.slice(0, MAX_ISSUES));
    this.untold = earlier.length - this.found.length;
    for (const pointer of source.unusable) this.soil(pointer);
  }

  /** `at`: where in the value's text the fault lies, for values that stand in the file as they are. */
  error(path: Path, message: string, fix: string, part: 'key' | 'value' = 'value', at = 0): void {
    const pointer = pointerOf(path);
    this.soil(pointer);
    if (this.source.unusable.has(pointer)) return;
    if (this.found.length >= MAX_ISSUES) {
      this.untold += 1;
      return;
    }
    const names = part === 'value' ? this.source.fromEnv.get(pointer) : undefined;
    const told = names === undefined ? fix : `check the value of ${names.join(' and ')}`;
    const offset = names === undefined && part === 'value' ? this.columnOffset(path, at) : 0;
    this.found.push(this.issue(path, message, told, part, offset));
  }

  warn(path: Path, message: string, fix: string): void {
    if (this.warnings.length < MAX_ISSUES) this.warnings.push(this.issue(path, message, fix, 'key', 0));
  }

  /** Marks a value as not to be looked at further, without telling anything. */
  soil(pointer: string): void {
    let end = pointer.length;
    while (end >= 0 && !this.dirty.has(pointer.slice(0, end))) {
      this.dirty.add(pointer.slice(0, end));
      if (end === 0) break;
      end = pointer.lastIndexOf('/', end - 1);
    }
  }

  /** Whether nothing was found at or under this path. */
  isSound(path: Path): boolean {
    return !this.dirty.has(pointerOf(path));
  }

  /** In the order of the file. */
  issues(): ConfigIssue[] {
    const sorted = this.found.toSorted((a, b) => a.line - b.line || a.column - b.column);
    if (this.untold > 0) {
      const message = `${this.untold} more problems are not shown`;
      sorted.push({
        file: this.source.file,
        line: 1,
        column: 1,
        path: '',
        message,
        fix: 'correct these first',
      });
    }
    return sorted;
  }

  private issue(
    path: Path,
    message: string,
    fix: string,
    part: 'key' | 'value',
    offset: number,
  ): ConfigIssue {
    const { line, column } = this.source.locate(path, part);
    return { file: this.source.file, line, column: column + offset, path: formatPath(path), message, fix };
  }

  /** From the value's start in the file to a place in its text; 0 where quoting hides the way. */
  private columnOffset(path: Path, at: number): number {
    if (at === 0) return 0;
    const written = this.source.written(path);
    if (written === null || written.includes('\n')) return 0;
    if (written.startsWith('"')) return written.includes('\\') ? 0 : at + 1;
    if (written.startsWith("'")) return written.slice(1, -1).includes("''") ? 0 : at + 1;
    return at;
  }
}

/** Whether a value that has not passed the schema is at least a mapping. */
export function isMapping(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
