import { Document, isMap, isNode, isScalar, isSeq, type Node } from 'yaml';
import type { Cursor } from './cursor.ts';

/** A part of the config that is being written. */
export type Out = Record<string, unknown>;

interface Side {
  /** The place in a manifest that it was made from. */
  from?: Cursor;
  /** Comments above its keys or items. */
  comments?: Map<string | number, string>;
  /** On one line. */
  flow?: boolean;
}

/**
 * The config as plain mappings and lists, and beside them what those cannot
 * hold: comments, layout, and which manifest each part came from.
 */
export class Sheet {
  readonly #sides = new WeakMap<object, Side>();

  /** A mapping without the entries that are undefined. */
  map(entries: Readonly<Record<string, unknown>>, from?: Cursor): Out {
    const made = Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
    if (from !== undefined) this.#side(made).from = from;
    return made;
  }

  /** The same on one line. */
  flow(entries: Readonly<Record<string, unknown>>, from?: Cursor): Out {
    const made = this.map(entries, from);
    this.#side(made).flow = true;
    return made;
  }

  /** A value of a manifest as it stands, its texts safe from substitution. */
  copy(at: Cursor): unknown {
    const { value } = at;
    if (typeof value === 'string') return plain(value);
    if (Array.isArray(value)) return value.map((_, i) => this.copy(at.get(i)));
    if (typeof value !== 'object' || value === null) return value ?? undefined;
    const entries = at.children().map(([key, child]) => [key, this.copy(child)] as const);
    return this.map(Object.fromEntries(entries), at);
  }

  /** Puts a comment above a key or an item; several stand below one another. */
  comment(owner: object, key: string | number, text: string): void {
    const side = this.#side(owner);
    side.comments ??= new Map();
    const before = side.comments.get(key);
    side.comments.set(key, before === undefined ? text : `${before}\n${text}`);
  }

  /** The manifest's place of the deepest part on a path of the config that came from one; null: none did. */
  originOf(root: Out, path: readonly (string | number)[]): Cursor | null {
    let found: Cursor | null = null;
    let value: unknown = root;
    for (const part of path) {
      const from = typeof value === 'object' && value !== null ? this.#sides.get(value)?.from : undefined;
      // Where the key is called the same in both, its own line is better than that of the whole.
      if (from !== undefined) found = from.get(part).present ? from.get(part) : from;
      value = typeof value === 'object' && value !== null ? (value as Out)[part] : undefined;
    }
    const last = typeof value === 'object' && value !== null ? this.#sides.get(value)?.from : undefined;
    return last ?? found;
  }

  /** YAML text, with `head` as a comment above it all. */
  print(root: Out, head: string): string {
    const doc = new Document(root, { aliasDuplicateObjects: false, version: '1.2', schema: 'core' });
    this.#dress(root, doc.contents);
    doc.commentBefore = commentText(head);
    return doc.toString({ lineWidth: 0, flowCollectionPadding: true });
  }

  #side(owner: object): Side {
    const held = this.#sides.get(owner);
    if (held !== undefined) return held;
    const made: Side = {};
    this.#sides.set(owner, made);
    return made;
  }

  #dress(value: unknown, node: unknown): void {
    if (typeof value !== 'object' || value === null) return;
    const side = this.#sides.get(value);
    if (isMap(node)) {
      if (side?.flow === true || node.items.length === 0) node.flow = true;
      for (const pair of node.items) {
        if (!isScalar(pair.key)) continue;
        const key = String(pair.key.value);
        attach(pair.key, side?.comments?.get(key));
        this.#dress((value as Out)[key], pair.value);
      }
    } else if (isSeq(node)) {
      if (node.items.length === 0) node.flow = true;
      node.items.forEach((item, i) => {
        if (isNode(item)) attach(item, side?.comments?.get(i));
        this.#dress((value as unknown[])[i], item);
      });
    }
  }
}

function attach(node: Node, comment: string | undefined): void {
  if (comment !== undefined) node.commentBefore = commentText(comment);
}

/** Text as the library wants it: it writes the # itself, and nothing after it may end the comment. */
function commentText(text: string): string {
  return text
    .split('\n')
    .map((line) => ` ${printable(line)}`)
    .join('\n');
}

/** Names from outside may hold control characters, which YAML has no place for in comments. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cs}\u2028\u2029\ufeff\ufffe\uffff]/gu, '\ufffd');
}

/** `${` in a manifest is not ours to substitute. */
export function plain(text: string): string {
  return text.replaceAll('${', () => '$${');
}
