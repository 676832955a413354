import type { Condition, TextMatch } from '../../core/model.ts';
import { readWholePattern } from '../forms/patterns.ts';
import { taken } from '../forms/reading.ts';
import { compilePattern } from '../pattern.ts';
import type { RawRollout, RawStep } from '../schema.ts';

/** Conditions of Argo's managed routes. */

type RawHeaderRoute = NonNullable<RawStep['setHeaderRoute']>;
type RawMirrorRoute = NonNullable<RawStep['setMirrorRoute']>;
type RawBlock = NonNullable<RawMirrorRoute['match']>[number];
export type RawArgoMatch = NonNullable<RawBlock['path']>;

/** Methods that a prefix or a pattern may stand for. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'CONNECT'];

/** One of the headers must hold; null: the route is removed. */
export function headerRouteCondition({ match }: RawHeaderRoute): Condition | null {
  const parts = (match ?? []).map(({ headerName, headerValue }): Condition => {
    return { kind: 'header', name: headerName.toLowerCase(), match: compileMatch(headerValue) };
  });
  return oneOf(parts, 'any');
}

/** Of one block all must hold, and one block of them; null: the route is removed. */
export function mirrorRouteCondition({ match }: RawMirrorRoute): Condition | null {
  return oneOf((match ?? []).map(blockCondition), 'any');
}

function blockCondition({ method, path, headers }: RawBlock): Condition {
  const parts: Condition[] = [];
  if (method !== undefined) parts.push({ kind: 'method', oneOf: methodsOf(method) });
  if (path !== undefined) parts.push({ kind: 'path', match: compileMatch(path) });
  for (const [name, wanted] of Object.entries(headers ?? {})) {
    parts.push({ kind: 'header', name: name.toLowerCase(), match: compileMatch(wanted) });
  }
  return oneOf(parts, 'all') ?? { kind: 'all', of: [] };
}

function oneOf(parts: readonly Condition[], kind: 'all' | 'any'): Condition | null {
  if (parts.length <= 1) return parts[0] ?? null;
  return { kind, of: parts };
}

/** The methods that a match stands for; none: it can never hold. */
export function methodsOf({ exact, prefix, regex }: RawArgoMatch): string[] {
  if (exact !== undefined) return [exact];
  if (prefix !== undefined) return METHODS.filter((method) => method.startsWith(prefix));
  const test = compilePattern(taken(readWholePattern(regex ?? '')));
  return METHODS.filter(test);
}

function compileMatch({ exact, prefix, regex }: RawArgoMatch): TextMatch {
  if (exact !== undefined) return { kind: 'oneOf', values: [exact] };
  if (prefix !== undefined) return { kind: 'prefix', value: prefix };
  return { kind: 'pattern', source: taken(readWholePattern(regex ?? '')) };
}

/** Names of the routes in their order of precedence: as given, or as the steps bring them up. */
export function managedRoutes({ managedRoutes: given, steps }: RawRollout): string[] {
  if (given !== undefined) return given.map((route) => (typeof route === 'string' ? route : route.name));
  const named = steps.flatMap(({ setHeaderRoute, setMirrorRoute }) => {
    const name = setHeaderRoute?.name ?? setMirrorRoute?.name;
    return name === undefined ? [] : [name];
  });
  return [...new Set(named)];
}
