import fc from 'fast-check';
import t from 'tap';
import { hostOf, isAuthority, normalisePath, parseTarget, queryParam } from '../../src/gateway/target.ts';

const PATHS: readonly (readonly [raw: string, normal: string | null])[] = [
  ['/', '/'],
  ['/predict', '/predict'],
  ['/predict/', '/predict/'],
  ['//', '//'],
  ['//evil.example/x', '//evil.example/x'],
  ['/a//b', '/a//b'],
  ['/..foo', '/..foo'],
  ['/foo..', '/foo..'],
  ['/...', '/...'],
  ['/.well-known/x', '/.well-known/x'],
  ['/.', '/'],
  ['/a/.', '/a/'],
  ['/a/./b', '/a/b'],
  ['/a/..', '/'],
  ['/a/../', '/'],
  ['/a/b/..', '/a/'],
  ['/a/b/../c', '/a/c'],
  ['/a//../b', '/a/b'],
  ['/%61pi', '/api'],
  ['/%7Euser', '/~user'],
  ['/%7euser', '/~user'],
  ['/a%2fb', '/a%2Fb'],
  ['/a%5cb', '/a%5Cb'],
  ['/%c3%a9', '/%C3%A9'],
  ['/a%20b', '/a%20b'],
  ['/%2e', '/'],
  ['/a/%2e/b', '/a/b'],
  ['/a/%2E%2e/b', '/b'],
  ['/a/.%2e', '/'],
  ['/a/%2e./b', '/b'],
  ['/%252e%252e/b', '/%252e%252e/b'],
  ['/%2561', '/%2561'],
  // Climbs above the root.
  ['/..', null],
  ['/../', null],
  ['/../etc/passwd', null],
  ['/a/../../b', null],
  ['/%2e%2e/b', null],
  // Climbs for an upstream that decodes escaped slashes first.
  ['/..%2fb', null],
  ['/a%2f..%2fb', null],
  ['/a/..%5cb', null],
  ['/a%5c%2e%2e', null],
  ['/a%2f..', null],
  ['/a%2f..b', '/a%2F..b'],
  ['/a%2f.../b', '/a%2F.../b'],
  ['/a/%2e%2e/%2e%2e/b', null],
  // Read in different ways by different servers.
  ['/a\\b', null],
  ['/..\\b', null],
  ['/a#b', null],
  ['/a%00b', null],
  // Broken escapes.
  ['/%', null],
  ['/%4', null],
  ['/%zz', null],
  ['/a%2', null],
  ['/a%g1b', null],
];

t.test('paths are normalised as the table says', async (t) => {
  for (const [raw, normal] of PATHS) t.equal(parseTarget(raw)?.path ?? null, normal, raw);
});

t.test('a target has a path, a query and perhaps an authority', async (t) => {
  const table: readonly (readonly [string, readonly [string, string, string] | null])[] = [
    ['/', ['/', '', '']],
    ['/a?b=c', ['/a', '?b=c', '']],
    ['/a?', ['/a', '?', '']],
    ['/a?b=/../c', ['/a', '?b=/../c', '']],
    ['/%61?%61=%2e', ['/a', '?%61=%2e', '']],
    ['/a?b?c', ['/a', '?b?c', '']],
    ['http://h', ['/', '', 'h']],
    ['http://h/', ['/', '', 'h']],
    ['http://h:8080/a/../b?c=d', ['/b', '?c=d', 'h:8080']],
    ['HTTP://H/p', ['/p', '', 'H']],
    ['https://h?c=d', ['/', '?c=d', 'h']],
    ['http://[::1]:80/p', ['/p', '', '[::1]:80']],
    ['http://user@h/p', ['/p', '', 'user@h']],
    ['/a?b#c', null],
    ['http://h#f', null],
    ['http://h/../x', null],
    ['http://', null],
    ['http:///p', null],
    ['ftp://h/p', null],
    ['h:443', null],
    ['*', null],
    ['', null],
    ['a', null],
    ['?a', null],
  ];
  for (const [url, parts] of table) {
    const target = parseTarget(url);
    t.strictSame(target === null ? null : [target.path, target.query, target.authority], parts, url);
  }
});

/** Segments made of everything that normalising touches, and a little of what it does not. */
const pieces = fc.constantFrom(
  ...[
    'a',
    'b',
    'Z',
    '0',
    '.',
    '..',
    '%2e',
    '%2E',
    '%61',
    '%2f',
    '%2F',
    '%5c',
    '%25',
    '%c3%a9',
    '~',
    '-',
    ':',
    '',
  ],
);
const anyPath = fc
  .array(
    fc.array(pieces, { maxLength: 3 }).map((parts) => parts.join('')),
    { minLength: 1, maxLength: 8 },
  )
  .map((segments) => `/${segments.join('/')}`);

t.test('normalising again changes nothing', async () => {
  fc.assert(
    fc.property(anyPath, (raw) => {
      const once = normalisePath(raw);
      return once === null || normalisePath(once) === once;
    }),
    { numRuns: 2_000 },
  );
});

t.test('no dot segment is left, written out or escaped', async () => {
  fc.assert(
    fc.property(anyPath, (raw) => {
      const path = normalisePath(raw);
      if (path === null) return true;
      const segments = path.slice(1).split('/');
      return path.startsWith('/') && segments.every((segment) => !/^(?:\.|%2e){1,2}$/i.test(segment));
    }),
    { numRuns: 2_000 },
  );
});

/** Depth under the root after each segment, by counting alone. */
function climbs(raw: string): boolean {
  let depth = 0;
  const segments = raw.slice(1).split('/');
  for (const segment of segments) {
    const dots = segment.replaceAll(/%2e/gi, '.');
    if (dots === '..') depth--;
    else if (dots !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}

function unescaped(path: string): string {
  return path.replaceAll(/%([0-9a-f]{2})/gi, (escaped, hex: string) => {
    const char = String.fromCharCode(Number.parseInt(hex, 16));
    return /[A-Za-z0-9\-._~]/.test(char) ? char : escaped.toUpperCase();
  });
}

/** RFC 3986 section 5.2.4, step by step as it stands there; it stops at the root instead of refusing. */
function withoutDots(path: string): string {
  let input = path;
  let output = '';
  while (input !== '') {
    if (input.startsWith('/./') || input === '/.') {
      input = `/${input.slice(3)}`;
    } else if (input.startsWith('/../') || input === '/..') {
      input = `/${input.slice(4)}`;
      output = output.slice(0, Math.max(0, output.lastIndexOf('/')));
    } else {
      const slash = input.indexOf('/', 1);
      const end = slash < 0 ? input.length : slash;
      output += input.slice(0, end);
      input = input.slice(end);
    }
  }
  return output;
}

const resolved = (raw: string) => withoutDots(unescaped(raw));

/** Dots that an upstream finds once it has decoded escaped slashes. */
const hidesDots = (raw: string) =>
  resolved(raw)
    .split(/\/|%2F|%5C/)
    .includes('..');

t.test('a path is refused exactly when it climbs above its root, or hides that it might', async () => {
  fc.assert(
    fc.property(anyPath, (raw) => (normalisePath(raw) === null) === (climbs(raw) || hidesDots(raw))),
    { numRuns: 5_000 },
  );
});

t.test('what is accepted is what RFC 3986 resolves', async () => {
  fc.assert(
    fc.property(anyPath, (raw) => {
      const path = normalisePath(raw);
      return path === null || path === resolved(raw);
    }),
    { numRuns: 5_000 },
  );
});

t.test('a path and its escaped spellings are one path', async () => {
  const unreserved = fc.constantFrom(...'abcXYZ019-._~');
  const char = fc.record({ char: unreserved, style: fc.constantFrom('plain', 'lower', 'upper') });
  const spell = ({ char, style }: { char: string; style: string }) => {
    if (style === 'plain') return char;
    const hex = char.charCodeAt(0).toString(16).padStart(2, '0');
    return `%${style === 'upper' ? hex.toUpperCase() : hex}`;
  };
  fc.assert(
    fc.property(fc.array(fc.array(char, { maxLength: 6 }), { minLength: 1, maxLength: 5 }), (segments) => {
      const plain = `/${segments.map((chars) => chars.map(({ char }) => char).join('')).join('/')}`;
      const spelt = `/${segments.map((chars) => chars.map(spell).join('')).join('/')}`;
      return normalisePath(spelt) === normalisePath(plain);
    }),
    { numRuns: 2_000 },
  );
});

t.test('any text at all gives a target or none, never an exception', async () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
      for (const url of [text, `/${text}`, `http://${text}`]) {
        const target = parseTarget(url);
        if (target !== null && !target.path.startsWith('/')) return false;
        if (target !== null && target.query !== '' && !target.query.startsWith('?')) return false;
      }
      return true;
    }),
  );
});

t.test('an authority is a host with or without a port, and nothing more', async (t) => {
  for (const good of [
    'h',
    'api.example.com',
    'h:80',
    '127.0.0.1:8080',
    '[::1]',
    '[::1]:65535',
    'a_b',
    'h.',
  ]) {
    t.ok(isAuthority(good), good);
  }
  const bad = [
    '',
    ' ',
    'a,b',
    'a b',
    'u@h',
    'h/p',
    'h?q',
    'h#f',
    'h:',
    'h:http',
    'h:123456',
    ':80',
    '::1',
    '[::1',
  ];
  for (const text of [...bad, '<script>', 'h\\p', 'h:80:80', '[::1]x', '[h]', 'h%2f', 'é', 'x'.repeat(256)]) {
    t.notOk(isAuthority(text), text);
  }
});

t.test('the host of an authority is lower-case and without a port', async (t) => {
  for (const [authority, host] of [
    ['API.Example.com', 'api.example.com'],
    ['h:8080', 'h'],
    ['[::1]', '[::1]'],
    ['[2001:DB8::1]:80', '[2001:db8::1]'],
    ['', ''],
  ] as const) {
    t.equal(hostOf(authority), host, authority);
  }
});

t.test('a query parameter is the first of its name, decoded', async (t) => {
  const table: readonly (readonly [query: string, name: string, value: string | undefined])[] = [
    ['', 'a', undefined],
    ['?', 'a', undefined],
    ['?a=1', 'a', '1'],
    ['?b=2&a=1', 'a', '1'],
    ['?a=1&a=2', 'a', '1'],
    ['?a', 'a', ''],
    ['?a=', 'a', ''],
    ['?a=b=c', 'a', 'b=c'],
    ['?a=x%20y+z', 'a', 'x y z'],
    ['?%61=1', 'a', '1'],
    ['?user+id=7', 'user id', '7'],
    ['?a=%zz', 'a', undefined],
    ['?%zz=1&a=2', 'a', '2'],
    ['?aa=1', 'a', undefined],
    ['?constructor', 'constructor', ''],
    ['?a=%C3%A9', 'a', 'é'],
  ];
  for (const [query, name, value] of table) t.equal(queryParam(query, name), value, `${query} ${name}`);
});
