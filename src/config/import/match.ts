import type { Group, Unit } from './units.ts';

export interface MatchFound {
  readonly host: string | null;
  readonly path: string;
  /** Several hosts or paths became one that holds them all, and perhaps more. */
  readonly isWider: boolean;
}

/**
 * What a service answers. A rollout has one set of counts and one weight, so all
 * that leads to it is one service, even where that takes a wider match.
 */
export function matchOf(group: Group): MatchFound {
  const hosts = [...new Set(group.units.map(({ host }) => host))];
  const paths = [...new Set(group.units.map(({ path }) => path))];
  const host = hosts.length === 1 ? (hosts[0] ?? null) : commonHost(hosts);
  const path = paths.length === 0 ? '/' : paths.reduce(commonPath);
  return { host, path, isWider: hosts.length > 1 || paths.length > 1 };
}

/** `*.example.com` for names below one domain; null: any host. */
function commonHost(hosts: readonly (string | null)[]): string | null {
  const lists = hosts.map((host) => (host === null ? [] : host.split('.').reverse()));
  const [first = [], ...others] = lists;
  let length = 0;
  while (length < first.length && others.every((labels) => labels[length] === first[length])) length += 1;
  // Below a domain such as example.com, not below com; and no host may be the domain itself.
  const below = lists.every((labels) => labels.length > length);
  if (length < 2 || !below || first[length - 1] === '*') return null;
  return `*.${first.slice(0, length).reverse().join('.')}`;
}

function commonPath(a: string, b: string): string {
  const left = a.split('/');
  const right = b.split('/');
  let length = 0;
  while (length < left.length && left[length] === right[length]) length += 1;
  return left.slice(0, length).join('/') || '/';
}

export function describeMatches(units: readonly Unit[]): string {
  return units.map(({ host, path }) => `${host ?? '*'}${path}`).join(', ');
}
