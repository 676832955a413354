import fc from 'fast-check';
import t from 'tap';
import { substitute } from '../../src/config/parse/env.ts';
import { compiled, inspect, marked, service, TWO_VERSIONS } from './support.ts';

t.test('substitution', async (t) => {
  const env = { A: 'one', EMPTY: '', B: `\${A}`, DOLLAR: '$&', constructor: undefined };
  const cases: [text: string, expected: string][] = [
    ['plain', 'plain'],
    ['$A', '$A'],
    [`\${A}`, 'one'],
    [`x\${A}y\${A}z`, 'xoneyonez'],
    [`\${EMPTY}`, ''],
    [`\${EMPTY:-d}`, 'd'],
    [`\${A:-d}`, 'one'],
    [`\${NONE:-d}`, 'd'],
    [`\${NONE:-}`, ''],
    [`\${NONE:-a:-b}`, 'a:-b'],
    [`$\${A}`, `\${A}`],
    [`$$\${A}`, `$\${A}`],
    [`\${B}`, `\${A}`],
    [`\${DOLLAR}`, '$&'],
    ['a$', 'a$'],
  ];
  for (const [text, expected] of cases) {
    t.match(substitute(text, env), { text: expected, faults: { length: 0 } }, text);
  }
});

t.test('what cannot be substituted', async (t) => {
  const cases: [text: string, message: RegExp][] = [
    [`\${NONE}`, /NONE, which is not set/],
    [`\${}`, /names no environment variable/],
    [`\${1A}`, /names no environment variable/],
    [`\${A-B}`, /names no environment variable/],
    [`\${A`, /names no environment variable/],
    [`\${A:-{x}}`, /names no environment variable/],
    [`\${constructor}`, /constructor, which is not set/],
    [`\${__proto__}`, /__proto__, which is not set/],
    [`\${toString}`, /toString, which is not set/],
  ];
  for (const [text, message] of cases) t.match(substitute(text, {}).faults, [{ message }], text);
});

t.test(`texts without \${ come through as they are`, async (t) => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      fc.pre(!text.includes(`\${`));
      t.equal(substitute(text, { A: 'x' }).text, text);
    }),
    { numRuns: 200 },
  );
});

t.test('a value becomes a number or a switch where the key wants one', async (t) => {
  const env = { W: '7.25', CAP: '12', YES: 'true', TOKEN: '1234567890123456', HOST: 'a' };
  const one = service(
    `versions:
  v1: { url: "http://\${HOST}:1", pool: { connections: "\${CAP}" } }
  v2: { url: http://b:1 }
stable: v1
canary: v2
weight: \${W}
exposeVersion: \${YES}
sticky: { issueCookie: { secret: "\${TOKEN}" } }
`,
    { env },
  );
  t.strictSame(one.shares, [{ version: 1, weightBp: 725 }]);
  t.equal(one.exposeVersion, true);
  t.equal(one.versions[0]?.upstream.pool.connections, 12);
  t.strictSame(one.versions[0]?.upstream.endpoints, ['http://a:1']);
  t.equal(one.sticky.issueCookie?.secret, '1234567890123456', 'digits stay text where text is wanted');
});

t.test('a quoted number of the file itself stays text', async (t) => {
  t.match(inspect('services:\n  a:\n    weight: "5"\n').issues, [
    {},
    { path: 'services.a.weight', message: /not text/ },
  ]);
});

t.test('an unset variable is told at its place, and nothing else about that value', async (t) => {
  const { line, column, ...plain } = marked(
    `listen: 127.0.0.1:8080\nadmin: { token: "abc▶\${COALMINE_TOKEN}" }\nservices: { a: { versions: { v1: { url: http://a } } } }\n`,
  );
  const { issues } = inspect(plain.text);
  t.equal(issues.length, 1);
  t.match(issues[0], {
    line,
    column,
    path: 'admin.token',
    message: /COALMINE_TOKEN/,
    fix: /COALMINE_TOKEN:-default/,
  });
});

t.test('all unset variables are told at once', async (t) => {
  const { issues } = inspect(
    `listen: \${A}\nregion: \${B}\nservices: { a: { versions: { v1: { url: "\${C}" } } } }\n`,
  );
  t.strictSame(
    issues.map((issue) => issue.path),
    ['listen', 'region', 'services.a.versions.v1.url'],
  );
});

t.test('no message shows what a variable holds', async (t) => {
  const secret = 'hunter2-hunter2';
  const text = `listen: \${S}
region: x\${S} y
trustProxy: ["\${S}"]
log: { level: "\${S}", accessLog: "\${S}" }
services:
  a:
    match: { host: "\${S}:80", path: "\${S}" }
    versions:
      v1: { url: "http://u:\${S}@h" }
      v2: { urls: ["\${S}", "http://x/\${S}"] }
      v3: { url: http://x, timeouts: { connect: "\${S}" } }
    stable: \${S}
    weight: \${S}
    mirror: { to: "\${S}", methods: ["\${S}"] }
    rules: [{ when: { method: "\${S}", path: "\${S}", header: { x: { pattern: "(\${S}" } } }, use: "\${S}" }]
`;
  const { issues } = inspect(text, { env: { S: secret } });
  t.ok(issues.length >= 12, `${issues.length} issues`);
  for (const issue of issues) {
    t.notOk(JSON.stringify(issue).includes(secret), `${issue.path}: ${issue.message}; ${issue.fix}`);
  }
  t.ok(issues.some((issue) => issue.fix === 'check the value of S'));
});

t.test('the region falls back to the environment', async (t) => {
  const text = 'services: { a: { versions: { v1: { url: http://a } } } }\n';
  t.equal(compiled(text).split.region, null);
  t.equal(compiled(text, { env: { COALMINE_REGION: '' } }).split.region, null);
  t.equal(compiled(text, { env: { COALMINE_REGION: 'EU-West' } }).split.region, 'eu-west');
  t.equal(compiled(`region: us\n${text}`, { env: { COALMINE_REGION: 'eu' } }).split.region, 'us');
  t.match(inspect(text, { env: { COALMINE_REGION: 'a b' } }).issues, [
    { path: 'region', line: 1, message: /COALMINE_REGION/ },
  ]);
});

t.test('keys are never substituted', async (t) => {
  const { issues } = inspect(`services:\n  \${A}:\n    ${TWO_VERSIONS.replaceAll('\n', '\n    ')}`, {
    env: { A: 'x' },
  });
  t.match(issues, [{ path: `services["\${A}"]`, message: /not a valid name/ }]);
});
