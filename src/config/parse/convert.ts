import {
  type Alias,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { type ConfigIssue, clip, formatPath, type Path } from '../issue.ts';
import { type Env, substitute } from './env.ts';
import { LimitError } from './guard.ts';
import { keyText, pointerOf, positionOf } from './source.ts';

/** Far below what the guard lets through; no key of the schema stands this deep. */
const MAX_DEPTH = 24;
/** Values after aliases are expanded; the bound that a "billion laughs" meets. */
const MAX_VALUES = 150_000;
/** Keys that mean something to JavaScript objects; harmless here, and never a sensible name. */
const REFUSED_KEYS: ReadonlySet<string> = new Set(['__proto__']);

export interface Converted {
  readonly value: unknown;
  readonly issues: readonly ConfigIssue[];
  readonly fromEnv: ReadonlyMap<string, readonly string[]>;
  readonly unusable: ReadonlySet<string>;
  readonly aliases: ReadonlyMap<Node, Node>;
}

/**
 * The plain value of a document. Mappings become objects without a prototype,
 * keys are compared in a Set (the library's own check is quadratic), aliases are
 * expanded within a budget, and environment variables are put into values; with a
 * null `env` texts stay as they are written. Throws a LimitError when the budget is spent.
 */
export function convert(
  file: string,
  text: string,
  doc: Document.Parsed,
  lines: LineCounter,
  env: Env | null,
): Converted {
  const converter = new Converter(file, text, lines, env);
  const value = converter.visit(doc.contents, [], 0);
  const { issues, fromEnv, unusable, aliases } = converter;
  return { value, issues, fromEnv, unusable, aliases };
}

class Converter {
  readonly issues: ConfigIssue[] = [];
  readonly fromEnv = new Map<string, readonly string[]>();
  readonly unusable = new Set<string>();
  readonly aliases = new Map<Node, Node>();
  private readonly anchors = new Map<string, Node>();
  private values = 0;
  private readonly file: string;
  private readonly text: string;
  private readonly lines: LineCounter;
  private readonly env: Env | null;

  constructor(file: string, text: string, lines: LineCounter, env: Env | null) {
    this.file = file;
    this.text = text;
    this.lines = lines;
    this.env = env;
  }

  /** `offset`: where the value would stand, for one that is empty. */
  visit(node: unknown, path: Path, offset: number): unknown {
    this.values += 1;
    if (this.values > MAX_VALUES) {
      throw new LimitError(
        offset,
        'the file grows too large when its aliases are expanded',
        'use fewer aliases',
      );
    }
    if (path.length > MAX_DEPTH) {
      throw new LimitError(
        offset,
        'the file nests too deeply',
        'no key of the configuration stands that deep',
      );
    }
    if (isAlias(node)) return this.visitAlias(node, path);
    if (!isScalar(node) && !isMap(node) && !isSeq(node)) return null;
    const value = this.visitContents(node, path);
    // After its contents: an anchor that holds itself is unknown inside, so nothing can be endless.
    if (node.anchor !== undefined) this.anchors.set(node.anchor, node);
    return value;
  }

  private visitContents(node: Scalar | YAMLMap | YAMLSeq, path: Path): unknown {
    if (isScalar(node)) return this.visitScalar(node, path);
    const start = startOf(node);
    if (isMap(node)) return this.visitMap(node.items, path, start);
    return node.items.map((item, i) => this.visit(item, [...path, i], startOf(item, start)));
  }

  private visitAlias(node: Alias, path: Path): unknown {
    const target = this.anchors.get(node.source);
    if (target === undefined) {
      const message = `names the anchor ${clip(node.source)}, which is not set above it`;
      this.report(startOf(node), path, message, 'set it with &');
      return null;
    }
    this.aliases.set(node, target);
    return this.visit(target, path, startOf(node));
  }

  private visitMap(items: readonly { key: unknown; value: unknown }[], path: Path, offset: number): unknown {
    const result: Record<string, unknown> = Object.create(null);
    const seen = new Map<string, number>();
    for (const { key, value } of items) {
      const at = startOf(key, offset);
      const name = this.readKey(key, path, at);
      if (name === null) continue;
      const inner = [...path, name];
      const before = seen.get(name);
      if (before !== undefined) {
        const { line } = positionOf(this.lines, before);
        this.report(at, inner, 'stands twice in one mapping', `remove it here or in line ${line}`);
        continue;
      }
      seen.set(name, at);
      result[name] = this.visit(value, inner, startOf(value, at));
    }
    return result;
  }

  private readKey(key: unknown, path: Path, at: number): string | null {
    if (!isScalar(key) || key.value === null) {
      this.report(at, path, 'has a key that is not a plain name', 'write the key as one word');
      return null;
    }
    const name = keyText(key);
    if (name === '<<') {
      const fix = 'write the keys out; a service’s `upstream` holds what its versions share';
      this.report(at, [...path, name], 'is a merge key, which is not supported', fix);
      return null;
    }
    if (REFUSED_KEYS.has(name)) {
      this.report(at, [...path, name], 'cannot be used as a name', 'choose another name');
      return null;
    }
    return name;
  }

  private visitScalar(node: Scalar, path: Path): unknown {
    if (typeof node.value !== 'string' || this.env === null) return node.value;
    const { text, names, faults } = substitute(node.value, this.env);
    if (names.length > 0) this.fromEnv.set(pointerOf(path), names);
    const start = startOf(node);
    const written = this.text.slice(start, node.range?.[1] ?? start);
    for (const { message, fix, piece } of faults) {
      this.report(start + Math.max(0, written.indexOf(piece)), path, message, fix);
    }
    return text;
  }

  private report(offset: number, path: Path, message: string, fix: string): void {
    const { line, column } = positionOf(this.lines, offset);
    this.issues.push({ file: this.file, line, column, path: formatPath(path), message, fix });
    this.unusable.add(pointerOf(path));
  }
}

function startOf(node: unknown, otherwise = 0): number {
  if (!isScalar(node) && !isMap(node) && !isSeq(node) && !isAlias(node)) return otherwise;
  return node.range?.[0] ?? otherwise;
}
