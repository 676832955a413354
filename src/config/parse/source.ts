import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import { type ConfigIssue, formatPath, type Path } from '../issue.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** A parsed file: its plain value, and where each part of it was written. */
export interface Source {
  readonly file: string;
  /** Mappings are objects without a prototype; texts have their environment variables put in. */
  readonly value: unknown;
  /** Where a key or a value stands; for what does not exist, the nearest parent's key. */
  locate(path: Path, part: 'key' | 'value'): Position;
  /** The value as it stands in the file, before substitution; null for a collection or an alias. */
  written(path: Path): string | null;
  /** Values that environment variables went into, by pointer; their text is never shown. */
  readonly fromEnv: ReadonlyMap<string, readonly string[]>;
  /** Pointers of values that could not be read; what else is wrong with them is not worth saying. */
  readonly unusable: ReadonlySet<string>;
}

/** A pointer as JSON Schema validators write it (RFC 6901). */
export function pointerOf(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

export function issueAt(
  source: Source,
  path: Path,
  part: 'key' | 'value',
  message: string,
  fix: string,
  columnOffset = 0,
): ConfigIssue {
  const { line, column } = source.locate(path, part);
  return { file: source.file, line, column: column + columnOffset, path: formatPath(path), message, fix };
}

interface Found {
  readonly key: Node | null;
  readonly value: Node | null;
}

/** Finds nodes by path; `aliases` says what each alias stands for. */
export function makeLocator(doc: Document.Parsed, lines: LineCounter, aliases: ReadonlyMap<Node, Node>) {
  const follow = (node: Node | null): Node | null => (isAlias(node) ? (aliases.get(node) ?? node) : node);

  function step(parent: Node | null, part: string | number): Found | null {
    const at = follow(parent);
    if (isSeq(at)) {
      const item = typeof part === 'number' ? at.items[part] : undefined;
      return isNode(item) ? { key: item, value: item } : null;
    }
    if (!isMap(at)) return null;
    for (const { key, value } of at.items) {
      if (isScalar(key) && keyText(key) === String(part)) {
        return { key, value: isNode(value) ? value : null };
      }
    }
    return null;
  }

  function find(path: Path): { found: Found; whole: boolean } {
    let found: Found = { key: null, value: doc.contents };
    for (const part of path) {
      const next = step(found.value, part);
      if (next === null) return { found, whole: false };
      found = next;
    }
    return { found, whole: true };
  }

  function locate(path: Path, part: 'key' | 'value'): Position {
    const { found, whole } = find(path);
    const node = part === 'value' && whole ? (found.value ?? found.key) : (found.key ?? null);
    return positionOf(lines, node?.range?.[0] ?? 0);
  }

  function nodeAt(path: Path): Node | null {
    const { found, whole } = find(path);
    return whole ? found.value : null;
  }

  return { locate, nodeAt };
}

/** A key as text: numbers as they were written, so that `1.10` stays itself. */
export function keyText(key: { value: unknown; source?: string }): string {
  return typeof key.value === 'string' ? key.value : (key.source ?? String(key.value));
}

export function positionOf(lines: LineCounter, offset: number): Position {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(1, line), column: Math.max(1, col) };
}
