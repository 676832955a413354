import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { formatIssue } from '../../src/config/issue.ts';
import type { Service } from '../../src/core/model.ts';
import { type Inspected, inspect } from './support.ts';

/** Whatever a file holds: an answer with places in it, never an exception. */

const folder = path.resolve(import.meta.dirname, '../../config');
const examples = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => readFileSync(path.join(folder, name), 'utf8'));

/** Every example once more as JSON-like values, to be mutated by structure. */
const base = {
  listen: '127.0.0.1:0',
  admin: { listen: '127.0.0.1:0', token: '0123456789abcdef', allowedHosts: ['a.com'] },
  tls: { cert: 'c.pem', key: 'k.pem' },
  trustProxy: ['private'],
  limits: { maxHeaderBytes: '16KiB', maxHeaders: 5 },
  drain: { delay: '1s' },
  log: { level: 'info', accessLog: 0.5 },
  state: { dir: 's' },
  kpi: { secret: '0123456789abcdef', expires: '1d' },
  analysisTemplates: {
    good: {
      args: [{ name: 'p' }, { name: 'q', valueFrom: { podTemplateHashValue: 'Latest' } }],
      templates: [{ templateName: 'inner' }],
      metrics: [
        {
          name: 'm-{{args.q}}',
          interval: '1m',
          count: '{{args.p}}',
          successCondition: 'result[0] >= 0.9',
          failureLimit: 1,
          minSamples: { count: 5, query: 'q' },
          provider: {
            prometheus: {
              address: 'http://p:9090',
              query: 'up{a="{{args.p}}"}',
              headers: [{ key: 'x-a', value: 'b' }],
              timeout: 30,
              bearerTokenFile: 't',
              rangeQuery: { start: 'now() - duration("1h")', end: 'now()', step: '1m' },
            },
          },
        },
      ],
      dryRun: [{ metricName: 'm-.*' }],
      measurementRetention: [{ metricName: '.*', limit: 5 }],
    },
    plain: { metrics: [{ name: 'r', provider: { coalmine: { measure: 'rate' } } }] },
    inner: {
      metrics: [
        {
          name: 'w',
          provider: {
            web: { url: 'http://w', method: 'POST', jsonBody: { a: ['{{args.p}}'] }, jsonPath: '{$.a}' },
          },
        },
        { name: 'c', minSamples: 10, provider: { coalmine: { measure: 'latency', quantile: 0.9 } } },
      ],
    },
  },
  services: {
    a: {
      match: { host: 'a.com', path: '/a' },
      upstream: {
        timeouts: { connect: '1s' },
        healthCheck: { path: '/' },
        ejection: 'off',
        tls: { ca: 'ca.pem' },
      },
      versions: {
        v1: { url: 'https://a', tls: { cert: 'c.pem', key: 'k.pem' } },
        v2: { urls: ['http://b', 'http://c'] },
      },
      stable: 'v1',
      canary: 'v2',
      weight: 5,
      sticky: { by: ['ip'], mode: 'session', session: { ttl: '1m' }, issueCookie: { name: 'x' } },
      cohorts: { c: { header: { x: ['a', 'b'] } } },
      rules: [
        { when: { cohort: 'c', method: ['GET'] }, use: 'canary' },
        { when: { path: { prefix: '/' }, query: { q: { pattern: 'a+' } } }, weight: 5 },
      ],
      mirror: { to: 'v2', methods: ['GET'] },
      latencyEdges: ['120ms'],
      predictions: {
        format: 'json',
        class: '/items/*/class',
        confidence: '/confidence',
        score: '/a~1b',
        scoreRange: [0, 5],
        labels: ['x', 'y'],
        sample: { share: 0.5, perSecond: 5, maxBody: '1MiB', cpu: 0.1 },
      },
      shadow: { compare: 'score', tolerance: 0.1, keep: 5, redact: ['/user'] },
      gates: {
        alpha: 0.02,
        beta: 0.02,
        minSamples: 10,
        successRate: { atLeast: 0.9, tolerate: 1.25 },
        latency: { p95: '120ms', delta: 0.5 },
        predictionShift: { atMost: 0.2 },
        confidence: { mean: 0.5 },
        agreement: { atLeast: 0.9 },
        ctr: { kpi: 'click', within: '5%' },
      },
      rollout: {
        start: 'manual',
        steps: [
          { setScope: { cohort: ['c'] } },
          { setWeight: 5.5 },
          { pause: { duration: '5m' } },
          { pause: { until: 'evidence', atLeast: '1m', atMost: 600, onTimeout: 'abort' } },
          { setScope: { region: 'eu' } },
          {
            analysis: {
              templates: ['good'],
              args: [{ name: 'p', value: '5' }],
              dryRun: [{ metricName: 'w' }],
            },
          },
          {
            experiment: {
              duration: 300,
              templates: [{ name: 'x', version: 'v2', weight: 5 }],
              analyses: [{ name: 'y', templateName: 'plain', args: [], requiredForCompletion: true }],
            },
          },
          { setHeaderRoute: { name: 'h', match: [{ headerName: 'x', headerValue: { regex: 'a+' } }] } },
          {
            setMirrorRoute: {
              name: 'm',
              percentage: 5,
              match: [{ method: { prefix: 'P' }, path: { exact: '/' }, headers: { h: { exact: 'x' } } }],
            },
          },
          { setMirror: 50 },
          { setCanaryScale: { replicas: 1 } },
        ],
        analysis: {
          templates: [{ templateName: 'good' }],
          args: [{ name: 'p', value: '3' }],
          startingStep: 1,
        },
        rollbackWindow: { revisions: 2 },
        managedRoutes: [{ name: 'h' }, 'm'],
        requires: [{ webhook: 'http://r' }, { webhook: { url: 'http://r', timeout: '1s' } }],
        webhooks: [
          { name: 'n', type: 'rollout', url: 'http://h', headers: { a: 'b' }, metadata: { m: 'x' } },
        ],
        notifications: [{ url: 'http://n', format: 'slack', on: ['started'] }],
      },
    },
    b: {
      versions: { v1: { url: 'http://a' }, v2: { url: 'http://b' }, v3: { url: 'http://c' } },
      stable: 'v1',
      canaries: [
        { version: 'v2', weight: 30 },
        { version: 'v3', weight: 30 },
      ],
      mirror: { to: 'v3' },
      predictions: { format: 'v2', class: 'out' },
      shadow: { compare: 'json', ignore: ['/id'] },
      experiment: { kpi: 'click', alpha: 0.05, variants: ['v1', 'v3'] },
    },
  },
};

const options = { files: { 'c.pem': 'C', 'k.pem': 'K', 'ca.pem': 'CA', t: 'T' }, env: { A: '5' } };

function checkAnswer(text: string): Inspected {
  const answer = inspect(text, options);
  if (answer.config === null && answer.issues.length === 0) throw new Error('neither config nor issue');
  const lines = text.split(/\r\n|\r|\n/).length;
  for (const issue of [...answer.issues, ...answer.warnings]) {
    const placed = issue.line >= 1 && issue.line <= lines + 1 && issue.column >= 1;
    if (!placed || issue.message === '' || issue.fix === '')
      throw new Error(`a poor issue: ${formatIssue(issue)}`);
  }
  for (const service of answer.config?.split.services ?? []) checkService(service);
  return answer;
}

function checkService(service: Service): void {
  const known = (index: number) => index >= 0 && index < service.versions.length;
  const shares = [
    service.shares,
    ...service.rules.map(({ then }) => (then.kind === 'split' ? then.shares : [])),
  ];
  for (const list of shares) {
    const sum = list.reduce((bp, share) => bp + share.weightBp, 0);
    if (sum > 10_000 || !list.every((share) => known(share.version) && share.version !== service.stable)) {
      throw new Error(`bad shares ${JSON.stringify(list)}`);
    }
  }
  if (!known(service.stable)) throw new Error('bad stable');
  if (service.versions.some((version) => version.upstream.endpoints.length === 0))
    throw new Error('no endpoint');
}

t.test('the texts that are mutated are sound', async (t) => {
  t.not(checkAnswer(JSON.stringify(base)).config, null);
  t.ok(examples.length >= 6);
});

const pieces = fc.constantFrom(
  ...[
    '{',
    '}',
    '[',
    ']',
    ':',
    ': ',
    '- ',
    '\n',
    '\n  ',
    '    ',
    '\t',
    '"',
    "'",
    '#',
    '&a ',
    '*a',
    '!!str ',
    '<<: *a',
    '|',
    '>',
  ],
  ...[
    `\${A}`,
    `\${`,
    `$\${`,
    '%',
    '---\n',
    '...\n',
    '? ',
    '~',
    'null',
    'true',
    '-1',
    '1e9',
    '.nan',
    '.inf',
    '0x1',
    '__proto__',
  ],
  ...[
    'constructor',
    '\u0000',
    '\ufeff',
    '\ud800',
    'é',
    '5s',
    '1KiB',
    'http://',
    '/',
    '*',
    ',',
    '=',
    '@',
    '`',
  ],
);
const edit = fc.record({
  at: fc.nat(),
  remove: fc.nat(12),
  insert: fc.oneof(pieces, fc.string({ maxLength: 5 }), fc.constant('')),
});

t.test('examples with random edits never throw', async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...examples),
      fc.array(edit, { minLength: 1, maxLength: 6 }),
      (text, edits) => {
        let mutated = text;
        for (const { at, remove, insert } of edits) {
          const start = at % (mutated.length + 1);
          mutated = mutated.slice(0, start) + insert + mutated.slice(start + remove);
        }
        checkAnswer(mutated);
      },
    ),
    { numRuns: 1_000 },
  );
  t.pass();
});

t.test('examples with lines moved, repeated and left out never throw', async (t) => {
  fc.assert(
    fc.property(fc.constantFrom(...examples), fc.array(fc.nat(60), { maxLength: 60 }), (text, order) => {
      const lines = text.split('\n');
      checkAnswer(order.map((i) => lines[i % lines.length]).join('\n'));
    }),
    { numRuns: 300 },
  );
  t.pass();
});

/** Every place in a value: the keys that lead to it. */
function placesIn(value: unknown, at: readonly string[] = []): string[][] {
  const inner =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, item]) => placesIn(item, [...at, key]))
      : [];
  return [[...at], ...inner];
}

function replaced(value: unknown, at: readonly string[], by: unknown): unknown {
  const [key, ...rest] = at;
  if (key === undefined) return by;
  if (Array.isArray(value))
    return value.map((item, i) => (String(i) === key ? replaced(item, rest, by) : item));
  const entries = Object.entries(value as object).map(([k, item]) => [
    k,
    k === key ? replaced(item, rest, by) : item,
  ]);
  return Object.fromEntries(entries);
}

const strange = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    null,
    {},
    [],
    [[]],
    { a: {} },
    '',
    ' ',
    -1,
    0,
    1e308,
    1.005,
    true,
    '5s',
    'v1',
    'canary',
    'off',
    '*',
  ),
);

t.test('any value in any place never throws', async (t) => {
  const places = placesIn(base);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.constantFrom(...places), strange), { minLength: 1, maxLength: 3 }),
      (changes) => {
        let value: unknown = base;
        for (const [at, by] of changes) {
          if (placesIn(value).some((place) => place.join('/') === at.join('/')))
            value = replaced(value, at, by);
        }
        checkAnswer(JSON.stringify(value));
      },
    ),
    { numRuns: 1_500 },
  );
  t.pass();
});

t.test('a key that is not known is refused in every mapping of keys', async (t) => {
  const named = new Set([
    'services',
    'versions',
    'cohorts',
    'header',
    'query',
    'analysisTemplates',
    'headers',
    'metadata',
    'jsonBody',
    // Any other name is that of a KPI gate, and refused as such.
    'gates',
  ]);
  for (const at of placesIn(base)) {
    const held = at.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], base);
    if (typeof held !== 'object' || Array.isArray(held) || named.has(at.at(-1) ?? '')) continue;
    const { issues } = checkAnswer(JSON.stringify(replaced(base, at, { ...held, 'not-a-key': 1 })));
    const told = issues.filter((issue) => issue.message === 'is not a known key');
    t.match(told, [{ path: /not-a-key/ }], `in ${at.join('.')}`);
  }
});
