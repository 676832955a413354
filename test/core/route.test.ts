import fc from 'fast-check';
import t from 'tap';
import type { Match } from '../../src/core/model.ts';
import { buildRoutes, findRoute, type Route } from '../../src/core/split/route.ts';

const route = (host: string | null, path: string): Route<string> => ({
  match: { host, path },
  value: `${host ?? 'any'} ${path}`,
});

/** Written from the words of the contract alone: every route is looked at, the most specific that matches wins. */
function linear<T>(routes: readonly Route<T>[], host: string, path: string): T | null {
  const matches = routes.filter(({ match }) => hostMatches(match, host) && pathMatches(match, path));
  matches.sort((a, b) => compare(rank(b.match), rank(a.match)));
  return matches[0]?.value ?? null;
}

function hostMatches({ host: wanted }: Match, host: string): boolean {
  if (wanted === null) return true;
  if (!wanted.startsWith('*.')) return wanted === host;
  const below = wanted.slice(1);
  return host.endsWith(below) && host.length > below.length;
}

function pathMatches({ path: prefix }: Match, path: string): boolean {
  return prefix === '/' || path === prefix || path.startsWith(`${prefix}/`);
}

/** Exact host, then the longer wildcard, then any; then the longer path. */
function rank({ host, path }: Match): readonly [number, number, number] {
  const kind = host === null ? 0 : host.startsWith('*.') ? 1 : 2;
  return [kind, host?.length ?? 0, path.split('/').filter(Boolean).length];
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

const ROUTES = [
  route(null, '/'),
  route(null, '/predict'),
  route(null, '/predict/batch'),
  route('api.example.com', '/predict'),
  route('api.example.com', '/predict/a/b'),
  route('*.example.com', '/predict'),
  route('*.example.com', '/health'),
  route('*.eu.example.com', '/predict'),
  route('constructor', '/'),
  route('only.example.org', '/x'),
  route(null, '/__proto__'),
  route(null, '/constructor/prototype'),
];

const CASES: readonly (readonly [host: string, path: string, expected: string | null])[] = [
  ['other', '/', 'any /'],
  ['other', '/elsewhere', 'any /'],
  ['other', '/predict', 'any /predict'],
  ['other', '/predict/', 'any /predict'],
  ['other', '/predictor', 'any /'],
  ['other', '/predict/batch', 'any /predict/batch'],
  ['other', '/predict/batches', 'any /predict'],
  ['other', '/predict/batch/1', 'any /predict/batch'],
  ['other', '/predict/other/batch', 'any /predict'],
  ['api.example.com', '/predict', 'api.example.com /predict'],
  ['api.example.com', '/predict/a', 'api.example.com /predict'],
  ['api.example.com', '/predict/a/b/c', 'api.example.com /predict/a/b'],
  ['api.example.com', '/health', '*.example.com /health'],
  ['api.example.com', '/else', 'any /'],
  ['www.example.com', '/predict', '*.example.com /predict'],
  ['a.b.example.com', '/predict', '*.example.com /predict'],
  ['a.eu.example.com', '/predict', '*.eu.example.com /predict'],
  ['a.eu.example.com', '/health/x', '*.example.com /health'],
  ['eu.example.com', '/predict', '*.example.com /predict'],
  ['example.com', '/predict', 'any /predict'],
  ['.example.com', '/predict', 'any /predict'],
  ['notexample.com', '/health', 'any /'],
  ['constructor', '/anything', 'constructor /'],
  ['__proto__', '/', 'any /'],
  ['toString', '/predict', 'any /predict'],
  ['other', '/__proto__/x', 'any /__proto__'],
  ['other', '/constructor', 'any /'],
  ['other', '/constructor/prototype', 'any /constructor/prototype'],
  ['other', '/hasOwnProperty', 'any /'],
  ['only.example.org', '/y', 'any /'],
  ['', '/predict', 'any /predict'],
];

t.test('the most specific route wins', async (t) => {
  const table = buildRoutes(ROUTES);
  for (const [host, path, expected] of CASES) {
    t.equal(findRoute(table, host, path), expected, `${host} ${path}`);
    t.equal(linear(ROUTES, host, path), expected, `${host} ${path}, by the reference`);
  }
});

t.test('without a route for any host there may be none', async (t) => {
  const table = buildRoutes([route('api.example.com', '/predict'), route('*.example.com', '/x')]);
  t.equal(findRoute(table, 'api.example.com', '/'), null);
  t.equal(findRoute(table, 'other', '/predict'), null);
  t.equal(findRoute(table, '__proto__', '/predict'), null);
  t.equal(findRoute(buildRoutes<string>([]), 'api.example.com', '/'), null);
});

t.test('a value that is falsy is found like any other', async (t) => {
  t.equal(findRoute(buildRoutes([{ match: { host: null, path: '/a' }, value: 0 }]), 'h', '/a'), 0);
});

t.test('two routes for the same requests are refused, whatever the host', async (t) => {
  for (const host of [null, 'api.example.com', '*.example.com']) {
    t.throws(() => buildRoutes([route(host, '/a'), route(host, '/a')]), /two routes/, `host ${host}`);
    t.throws(() => buildRoutes([route(host, '/'), route(host, '/')]), /two routes/, `host ${host}, root`);
    t.doesNotThrow(() => buildRoutes([route(host, '/a'), route(host, '/a/b'), route(host, '/')]));
  }
});

t.test('agrees with a plain search of every route, on random tables', async () => {
  const label = fc.constantFrom('a', 'b', 'eu', '__proto__', 'constructor');
  const host = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'));
  const wanted = fc.oneof(
    fc.constant(null),
    host,
    host.map((name) => `*.${name}`),
  );
  const segment = fc.constantFrom('a', 'ab', 'predict', '__proto__', 'constructor');
  const path = fc.array(segment, { maxLength: 4 }).map((segments) => `/${segments.join('/')}`);
  const slash = fc.constantFrom('', '/', '//x');
  const table = fc.uniqueArray(fc.record({ host: wanted, path }), {
    maxLength: 25,
    selector: (match) => `${match.host} ${match.path}`,
  });
  const asked = fc.array(fc.tuple(host, path, slash), { minLength: 5, maxLength: 20 });
  let found = 0;
  fc.assert(
    fc.property(table, asked, (matches, requests) => {
      const routes = matches.map((match, value) => ({ match, value }));
      const built = buildRoutes(routes);
      return requests.every(([name, base, end]) => {
        const asked = base === '/' ? base : base + end;
        const value = findRoute(built, name, asked);
        if (value !== null) found++;
        return value === linear(routes, name, asked);
      });
    }),
    { numRuns: 500 },
  );
  if (found < 500) throw new Error(`only ${found} requests found a route: the tables are too sparse to tell`);
});
