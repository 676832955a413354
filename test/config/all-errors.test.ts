import t from 'tap';
import { formatIssue, formatPath } from '../../src/config/issue.ts';
import { inspect } from './support.ts';

t.test('everything wrong is told at once, in the order of the file', async (t) => {
  const text = `listen: 8080
trustProxy: 1
admin: { listen: 0.0.0.0:9090, token: "\${ADMIN_TOKEN}" }
services:
  iris-api:
    match: { path: predict }
    versions:
      v1: { url: http://iris-v1:80/predict }
      v2: { url: http://iris-v2:80, timeouts: { conect: 2s, total: 5 } }
    stable: v3
    canary: v9
    weight: 120
    rules:
      - { when: { cohort: intern }, use: canary }
      - { when: { header: { x: { pattern: "a(" } } }, weight: 5, use: v2 }
    mirror: { to: v7, percent: 0.125 }
  other:
    match: { path: /x }
    canary: v2
    weight: 5
    versions: { v1: { url: http://a }, v2: { urls: [http://b, http://b] } }
`;
  const told = inspect(text).issues.map((issue) => `${issue.line} ${issue.path}`);
  t.strictSame(told, [
    '1 listen',
    '2 trustProxy',
    '3 admin.token',
    '6 services.iris-api.match.path',
    '8 services.iris-api.versions.v1.url',
    '9 services.iris-api.versions.v2.timeouts.conect',
    '9 services.iris-api.versions.v2.timeouts.total',
    '10 services.iris-api.stable',
    '11 services.iris-api.canary',
    '12 services.iris-api.weight',
    '14 services.iris-api.rules[0].when.cohort',
    '15 services.iris-api.rules[1].when.header.x.pattern',
    '16 services.iris-api.mirror.percent',
    '17 services.other.stable',
    '21 services.other.versions.v2.urls[1]',
  ]);
});

t.test('how an issue reads', async (t) => {
  const { issues } = inspect('services: { a: { versions: { v1: { url: http://a } }, weigth: 5 } }\n');
  t.equal(
    issues.map(formatIssue).join('\n'),
    'coalmine.yaml:1:55 services.a.weigth: is not a known key; did you mean weight?',
  );
  const issue = { file: 'f.yaml', line: 1, column: 1, path: '', message: 'the file is empty', fix: '' };
  t.equal(formatIssue(issue), 'f.yaml:1:1 the file is empty');
});

t.test('paths have one reading', async (t) => {
  t.equal(formatPath(['services', 'iris-api', 'rules', 2, 'when']), 'services.iris-api.rules[2].when');
  t.equal(formatPath(['services', 'api.v1', 'weight']), 'services["api.v1"].weight');
  t.equal(formatPath(['a', 'b"\n']), 'a["b\\"\\n"]');
  t.equal(formatPath([]), '');
  t.ok(formatPath(['x'.repeat(500)]).length <= 500);
  t.ok(formatPath([' '.repeat(5_000)]).length < 100);
});

t.test('no more than a hundred problems are told, and how many are not', async (t) => {
  const services = Array.from(
    { length: 150 },
    (_, i) => `  s${i}: { match: { path: /${i} }, versions: { v1: { url: x } } }`,
  );
  const { issues } = inspect(`services:\n${services.join('\n')}\n`);
  t.equal(issues.length, 101);
  t.match(issues.at(-1), { message: '50 more problems are not shown' });
});

t.test('a secret is never shown, whatever is wrong with it', async (t) => {
  const cases: readonly [string, number][] = [
    ['hunter2', 2],
    ['[hunter2]', 2],
    ['{ hunter2: x }', 2],
    // Too short, both of them; and no header can carry one of them.
    ['"hunter2 "', 3],
    ['"hunter2 is a long secret"', 1],
  ];
  for (const [value, problems] of cases) {
    const { issues } = inspect(
      `admin: { token: ${value} }\nservices: { a: { versions: { v1: { url: http://a } }, sticky: { issueCookie: { secret: ${value} } } } }\n`,
    );
    t.equal(issues.length, problems, value);
    for (const issue of issues) t.notMatch(formatIssue(issue), /hunter2/);
  }
});

t.test('what works but is seldom meant is a warning', async (t) => {
  const { config, warnings } = inspect(`services:
  a:
    sticky: { issueCookie: {} }
    upstream: { tls: { verify: false } }
    versions: { v1: { url: https://a } }
    precedence: nginx
`);
  t.not(config, null);
  t.match(
    warnings.toSorted((a, b) => a.line - b.line),
    [
      { path: 'services.a.upstream.tls.verify', line: 4, message: /any certificate/ },
      { path: 'services.a.sticky.issueCookie', line: 3, message: /no secret/ },
      { path: 'services.a.precedence', line: 6, message: /changes nothing without pinned sessions/ },
    ].toSorted((a, b) => a.line - b.line),
  );
});
