import type { Range } from '../state/model.ts';

/** What the address behind `#` asks for. */
export type Route =
  | { readonly page: 'services' }
  | { readonly page: 'rollout'; readonly service: string; readonly range: Range }
  | { readonly page: 'explain'; readonly service: string; readonly query: URLSearchParams }
  | { readonly page: 'experiment'; readonly service: string };

/** Anything unknown is the list of services. */
export function routeOf(hash: string): Route {
  const [path = '', search = ''] = hash.replace(/^#/, '').split('?');
  const query = new URLSearchParams(search);
  const found = /^\/services\/([^/]+)(?:\/(explain|experiment))?\/?$/.exec(path);
  const service = found === null ? null : decoded(found[1] as string);
  if (service === null) return { page: 'services' };
  switch (found?.[2]) {
    case 'explain':
      return { page: 'explain', service, query };
    case 'experiment':
      return { page: 'experiment', service };
    default:
      return { page: 'rollout', service, range: query.get('range') === '24h' ? '24h' : '15m' };
  }
}

export function hashOf(route: Route): string {
  if (route.page === 'services') return '#/';
  const base = `#/services/${encodeURIComponent(route.service)}`;
  switch (route.page) {
    case 'explain': {
      const query = route.query.toString();
      return `${base}/explain${query === '' ? '' : `?${query}`}`;
    }
    case 'experiment':
      return `${base}/experiment`;
    case 'rollout':
      return route.range === '24h' ? `${base}?range=24h` : base;
  }
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
