import t from 'tap';
import { parseConfig } from '../../src/config/parse.ts';
import { indent, inspect, marked, TWO_VERSIONS } from './support.ts';

const parsed = (text: string) => {
  const { source, issues } = parseConfig('f.yaml', text, {});
  if (source === null || issues.length > 0) throw new Error(JSON.stringify(issues));
  return source.value;
};

t.test('values are those of YAML 1.2', async (t) => {
  const text = 'a: off\nb: "5"\nc: 5\nd: true\ne: 0x1f\nf: ~\ng: [1, x]\nh: >\n  folded\n  text\ni: no\n';
  const value = parsed(text) as Record<string, unknown>;
  t.strictSame(
    { ...value },
    { a: 'off', b: '5', c: 5, d: true, e: 31, f: null, g: [1, 'x'], h: 'folded text\n', i: 'no' },
  );
});

t.test('a byte order mark and Windows line ends are no trouble', async (t) => {
  const { issues } = inspect('services:\r\n  a:\r\n    weigth: 5\r\n');
  t.match(issues[1], { line: 3, column: 5, path: 'services.a.weigth' });
});

t.test('a directive for YAML 1.1 changes nothing', async (t) => {
  const value = parsed('%YAML 1.1\n---\na: off\n') as Record<string, unknown>;
  t.equal(value.a, 'off');
});

t.test('keys that are numbers keep their spelling', async (t) => {
  const value = parsed('1.10: x\n0x10: y\ntrue: z\n') as object;
  t.strictSame(Object.keys(value), ['1.10', '0x10', 'true']);
});

t.test('anchors and aliases are expanded, each to a copy of its own', async (t) => {
  const value = parsed('a: &x { k: [1] }\nb: *x\nc: *x\n') as Record<string, Record<string, unknown>>;
  t.strictSame(JSON.stringify(value), '{"a":{"k":[1]},"b":{"k":[1]},"c":{"k":[1]}}');
  t.not(value.b, value.c);
  const twice = parsed('a: &x 1\nb: &x 2\nc: *x\n') as Record<string, unknown>;
  t.equal(twice.c, 2, 'the last one set above counts');
});

t.test('mappings have no prototype, so no name means anything', async (t) => {
  const value = parsed('constructor: 1\ntoString: 2\nhasOwnProperty: 3\n') as object;
  t.equal(Object.getPrototypeOf(value), null);
  t.strictSame(Object.keys(value), ['constructor', 'toString', 'hasOwnProperty']);
});

/** Text with `▶` where the problem must be told, the message, and the remedy. */
const REFUSED: readonly [name: string, text: string, message: RegExp, fix: RegExp, path?: string][] = [
  ['nothing', '▶', /empty/, /services/],
  ['comments only', '▶# nothing\n', /empty/, /services/],
  ['null', '▶~\n', /empty/, /services/],
  ['a text', '▶hello\n', /must be a mapping/, /services/],
  ['a number', '▶5', /must be a mapping/, /services/],
  ['two documents', 'a: 1\n▶---\nb: 2\n', /second document/, /one document/],
  ['a repeated key', 'a: 1\nb: 2\n▶a: 3\n', /stands twice/, /in line 1/, 'a'],
  ['a repeated key in brackets', 'a: { b: 1, ▶b: 2 }\n', /stands twice/, /in line 1/, 'a.b'],
  ['a key repeated by another spelling', 'a: 1\n▶"a": 3\n', /stands twice/, /in line 1/, 'a'],
  ['a merge key', 'a: &x { b: 1 }\nc:\n  ▶<<: *x\n', /merge key/, /upstream/, 'c["<<"]'],
  [
    'a merge key under the 1.1 directive',
    '%YAML 1.1\n---\na: &x { b: 1 }\nc:\n  ▶<<: *x\n',
    /merge key/,
    /upstream/,
  ],
  ['__proto__', 'a:\n  ▶__proto__: { x: 1 }\n', /cannot be used as a name/, /another name/, 'a.__proto__'],
  ['a key of its own kind', '▶[a]: 1\n', /not a plain name/, /one word/],
  ['an empty key', '▶: 1\n', /not a plain name/, /one word/],
  ['an unknown alias', 'a: ▶*x\n', /anchor x, which is not set/, /&/, 'a'],
  ['an alias before its anchor', 'a: ▶*x\nb: &x 1\n', /not set above/, /&/, 'a'],
  ['an alias inside its anchor', 'a: &x [▶*x]\n', /not set above/, /&/, 'a[0]'],
  ['a tag', 'a: ▶!!js/function 1\n', /tag/i, /remove the tag/],
  ['a tag of ours', 'a: ▶!include x\n', /tag/i, /remove the tag/],
  ['binary', 'a: ▶!!binary aGk=\n', /tag/i, /remove the tag/],
  [
    'a variable unquoted in braces',
    `a: { b: $▶{X} }\nc: 1\nd: [1]\n`,
    /brace of an environment/,
    /quotes: "\$\{NAME\}"/,
  ],
  ['a variable unquoted in brackets', `a: [$▶{X}]\n`, /brace of an environment/, /in quotes/],
  ['a tab as indentation', 'a:\n▶\tb: 1\n', /tab/i, /spaces/],
  ['a bracket left open', 'a: [1, 2\n▶', /./, /./],
  ['nested mapping in one line', 'a: ▶b: 1\n', /nested mappings/, /quotes/],
  ['bad indentation', 'a:\n    b: 1\n▶  c: 2\n', /same column/, /line it up/],
  ['a quote left open', 'a: "x\nb: 1\n▶', /quote/i, /./],
  ['a control character', 'a: ▶@x\n', /reserved|cannot/i, /quotes/],
];

for (const [name, text, message, fix, path] of REFUSED) {
  t.test(`refused: ${name}`, async (t) => {
    const { line, column, ...plain } = marked(text);
    const { issues } = parseConfig('f.yaml', plain.text, {});
    t.match(issues[0], { file: 'f.yaml', message, fix });
    t.strictSame(
      [issues[0]?.line, issues[0]?.column],
      [line, column],
      `${issues[0]?.line}:${issues[0]?.column}`,
    );
    if (path !== undefined) t.equal(issues[0]?.path, path);
  });
}

t.test('one wrong brace is told once, not once for each token after it', async (t) => {
  const { issues } = parseConfig('f.yaml', `a: { b: 1 } }\nc: { d: 2 }\ne: [1, 2, 3]\n`, {});
  t.match(issues, [{ line: 1, column: 13 }]);
});

t.test('every syntax error is told, not only the first', async (t) => {
  const { issues } = parseConfig('f.yaml', 'a: b: 1\nc: d: 2\n', {});
  t.strictSame(
    issues.map((issue) => issue.line),
    [1, 2],
  );
});

t.test('what an alias stands for is pointed at where it is used', async (t) => {
  const text = `services:
  a:
    weight: &w 500
    versions: { v1: { url: http://a:1 }, v2: { url: http://b:1 } }
    stable: v1
    canaries:
      - { version: v2, weight: ▶*w }
`;
  const { line, column, ...plain } = marked(text);
  const { issues } = inspect(plain.text);
  t.ok(
    issues.some(
      (issue) =>
        issue.path === 'services.a.canaries[0].weight' && issue.line === line && issue.column === column,
    ),
    JSON.stringify(issues),
  );
});

t.test('what is wrong inside an anchor is pointed at there, under the path of its use', async (t) => {
  const text = `services:
  a:
    upstream: &u { timeouts: { connect: ▶soon } }
    match: { path: /a }
${indent(TWO_VERSIONS, 4)}  b:
    upstream: *u
${indent(TWO_VERSIONS, 4)}`;
  const { line, column, ...plain } = marked(text);
  const { issues } = inspect(plain.text);
  const told = issues.map((issue) => [issue.path, issue.line, issue.column]);
  t.strictSame(told, [
    ['services.a.upstream.timeouts.connect', line, column],
    ['services.b.upstream.timeouts.connect', line, column],
  ]);
});
