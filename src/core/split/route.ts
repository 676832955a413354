import type { Match } from '../model.ts';

/**
 * Routes by host and path prefix, most specific first: an exact host before the
 * longest wildcard before any host; within a host the longest prefix. Where a
 * more specific host has no prefix for the path, less specific ones are tried.
 *
 * Finding costs one step per label of the host and per segment of the path,
 * however many services there are.
 */
export interface RouteTable<T> {
  readonly exact: ReadonlyMap<string, Segment<T>>;
  /** Keyed by what follows `*`: `.example.com`. */
  readonly wildcard: ReadonlyMap<string, Segment<T>>;
  readonly any: Segment<T> | null;
}

interface Segment<T> {
  value: T | null;
  readonly next: Map<string, Segment<T>>;
}

export interface Route<T> {
  readonly match: Match;
  readonly value: T;
}

/** Throws when two routes match exactly the same requests; config refuses that before. */
export function buildRoutes<T>(routes: readonly Route<T>[]): RouteTable<T> {
  const exact = new Map<string, Segment<T>>();
  const wildcard = new Map<string, Segment<T>>();
  let any: Segment<T> | null = null;
  for (const { match, value } of routes) {
    const { host } = match;
    let root: Segment<T>;
    if (host === null) root = any ??= newSegment();
    else if (host.startsWith('*.')) root = rootOf(wildcard, host.slice(1));
    else root = rootOf(exact, host);
    insert(root, match.path, value);
  }
  return { exact, wildcard, any };
}

/** The most specific route for a lower-case host (without port) and a normalised path, or null. */
export function findRoute<T>(table: RouteTable<T>, host: string, path: string): T | null {
  if (table.exact.size > 0) {
    const root = table.exact.get(host);
    const found = root === undefined ? null : longestPrefix(root, path);
    if (found !== null) return found;
  }
  if (table.wildcard.size > 0) {
    for (let dot = host.indexOf('.', 1); dot >= 0; dot = host.indexOf('.', dot + 1)) {
      const root = table.wildcard.get(host.slice(dot));
      const found = root === undefined ? null : longestPrefix(root, path);
      if (found !== null) return found;
    }
  }
  return table.any === null ? null : longestPrefix(table.any, path);
}

function newSegment<T>(): Segment<T> {
  return { value: null, next: new Map() };
}

function rootOf<T>(roots: Map<string, Segment<T>>, name: string): Segment<T> {
  const held = roots.get(name);
  if (held !== undefined) return held;
  const made = newSegment<T>();
  roots.set(name, made);
  return made;
}

function insert<T>(root: Segment<T>, path: string, value: T): void {
  let at = root;
  if (path !== '/') {
    for (const name of path.slice(1).split('/')) at = rootOf(at.next, name);
  }
  if (at.value !== null) throw new Error(`two routes for the path ${path} of one host`);
  at.value = value;
}

function longestPrefix<T>(root: Segment<T>, path: string): T | null {
  let at = root;
  let found = at.value;
  let start = 1;
  while (at.next.size > 0 && start <= path.length) {
    const slash = path.indexOf('/', start);
    const end = slash < 0 ? path.length : slash;
    const next = at.next.get(path.slice(start, end));
    if (next === undefined) break;
    at = next;
    if (at.value !== null) found = at.value;
    start = end + 1;
  }
  return found;
}
