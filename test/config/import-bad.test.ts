import fc from 'fast-check';
import t from 'tap';
import { importManifests } from '../../src/config/import/index.ts';
import {
  imported,
  ingress,
  lineOf,
  METRIC,
  pair,
  problems,
  rollout,
  STEPS,
  template,
  textbook,
} from './import-support.ts';
import { inspect } from './support.ts';

/** Whatever a file holds, it is refused with its place, or becomes a sound config. */

t.test('files that are no manifests', async (t) => {
  const cases: [string, RegExp][] = [
    ['', /^m\.yaml:1 holds no manifest$/],
    ['# nothing\n---\n---\n', /^m\.yaml:1 holds no manifest$/],
    ['just text\n', /^m\.yaml:1 is not a Kubernetes manifest$/],
    [
      '---\na: 1\n---\n- 1\n',
      /^m\.yaml:2 is not a Kubernetes manifest: apiVersion or kind is missing\nm\.yaml:4 is not/,
    ],
    ['kind: [1]\napiVersion: v1\n', /^m\.yaml:1 kind: must be text$/],
    ['a: [1\nb: 2\n', /^m\.yaml:2 is not YAML: /],
    ['a: 1\na: 2\n', /^m\.yaml:2 a: stands twice in one mapping$/],
    ['kind: Ingress\nx: *nowhere\n', /^m\.yaml:2 (x: names the anchor|is not YAML: unresolved alias)/],
    ['kind: {{ .Values.kind }}\n', /render it first \(helm template\)/],
    [ingress().replace('  name: iris\n', '  labels: {}\n'), /has no metadata\.name/],
    [ingress().replace('rules:', 'rules: x\n  y:'), /spec\.rules: must be a list/],
    [
      ingress()
        .replace('networking.k8s.io/v1', 'extensions/v1beta1')
        .replace('service: { name', 'serviceName: { x'),
      /write it as networking\.k8s\.io\/v1/,
    ],
    [ingress({ host: 'a b' }), /rules\[0\]\.host: /],
    [ingress({ path: 'predict' }), /paths\[0\]\.path: must begin with \//],
    [ingress({ backend: '{ a: 1 }' }), /service\.name: must be text/],
    [ingress({ backend: 'has space' }), /becomes services/],
  ];
  for (const [text, message] of cases)
    t.match(problems(text).join('\n'), message, JSON.stringify(text.slice(0, 40)));
});

t.test('bombs', async (t) => {
  const deep = `a: ${'['.repeat(10_000)}`;
  t.match(problems(deep), [/nests too deeply/]);
  const laughs = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]`).join('\n');
  t.match(problems(`a0: &a0 [x, x]\n${laughs}\n`), [/grows too large when its aliases are expanded/]);
  const many = `---\na: &a 1\nb: [${'*a, '.repeat(60)}]\n`.repeat(20);
  t.match(problems(many), [/has too many aliases/]);
  t.match(problems('- '.repeat(5_000)), [/nests too deeply/]);
});

t.test('what is copied cannot break out of its place', async (t) => {
  const label = JSON.stringify('x\n  evil: 1\u2028\u0007');
  const { yaml, config } = imported(
    ingress().replace('spec:\n', `  labels: {${label}: 1}\nspec:\n  ${label}: 1\n`) +
      rollout(STEPS, `template: { spec: { containers: [{ image: ${label} }] } }\n`) +
      template(METRIC.replace('query: up', `query: ${label}`)),
  );
  t.strictSame(Object.keys(config), ['services', 'analysisTemplates']);
  const comments = yaml.split('\n').filter((line) => line.trim().startsWith('#'));
  t.match(comments.join('\n'), /evil: 1/);
  for (const odd of ['\u0007', '\u2028']) t.notOk(comments.join('\n').includes(odd));
  t.notOk(yaml.includes('\u0007'));
  const name = importManifests([{ name: 'x\nevil: 1.yaml', text: ingress() }]);
  t.ok(name.ok && inspect(name.yaml).issues.length === 0);
});

t.test('values are never substituted from the environment', async (t) => {
  const value = '$' + '{HOME}$' + '$' + '{X}';
  const { yaml, service } = imported(pair({ 'canary-by-header': 'h', 'canary-by-header-value': value }));
  t.match(yaml, '$$' + '{HOME}$$$' + '{X}');
  t.match(service.rules, [{ when: { header: { h: value } } }]);
});

t.test('any damage is refused with a place, or the result is sound', async (t) => {
  const whole = [
    textbook()
      .map(({ text }) => text)
      .join('---\n'),
    pair({ 'canary-weight': '5', 'canary-by-header': 'h' }, { affinity: 'cookie' }),
    rollout(`${STEPS}  - analysis: { templates: [{ templateName: success-rate }] }\n`) + template(METRIC),
  ];
  const pieces = fc.constantFrom(
    '',
    '[]',
    '{}',
    'null',
    '5',
    'x',
    '"',
    '\n',
    ':',
    '- ',
    `$${'{A}'}`,
    '{{',
    '&a',
    '*a',
    '\t',
  );
  let refused = 0;
  let done = 0;
  fc.assert(
    fc.property(fc.constantFrom(...whole), fc.nat(), fc.nat({ max: 30 }), pieces, (text, at, cut, piece) => {
      const start = at % text.length;
      const result = importManifests([
        { name: 'm', text: text.slice(0, start) + piece + text.slice(start + cut) },
      ]);
      if (result.ok) {
        done += 1;
        const env = { PROMETHEUS_ADDRESS: 'http://prometheus:9090' };
        return inspect(result.yaml, { env }).issues.length === 0;
      }
      refused += 1;
      return (
        result.problems.length > 0 && result.problems.every((one) => one.line >= 1 && /\S/.test(lineOf(one)))
      );
    }),
    { numRuns: 600 },
  );
  t.ok(refused > 50 && done > 50, `${refused} refused, ${done} done`);
});
