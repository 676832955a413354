import t from 'tap';
import type { MetricPlan } from '../../src/core/analysis/plan.ts';
import {
  ONE_STEP,
  PROVIDER,
  planOf,
  withMetric,
  withProvider,
  withRollout,
  withTemplate,
} from './rollouts.ts';
import { type InspectOptions, inspect } from './support.ts';

function metricsOf(text: string, options: InspectOptions = {}): readonly MetricPlan[] {
  return planOf(text, options).background?.analysis.metrics ?? [];
}

function metricOf(text: string, options: InspectOptions = {}): MetricPlan {
  const [first] = metricsOf(text, options);
  if (first === undefined) throw new Error('no metric');
  return first;
}

t.test('the defaults of a metric are Argo’s', async (t) => {
  t.strictSame(metricOf(withMetric('')), {
    name: 'm',
    provider: {
      kind: 'coalmine',
      read: { measure: 'successRate', quantile: 0.99, of: 'canary', relative: null, windowMs: 60_000 },
    },
    intervalMs: null,
    initialDelayMs: 0,
    count: null,
    successCondition: null,
    failureCondition: null,
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    consecutiveSuccessLimit: 0,
    dryRun: false,
    retention: 10,
    minSamples: null,
  });
});

t.test('every key of a metric reaches its setting', async (t) => {
  const metric = metricOf(
    withMetric(
      'interval: 90\ncount: "20"\ninitialDelay: 1m30s\nsuccessCondition: result >= 0.9\nfailureCondition: result < 0.5\nfailureLimit: "3"\ninconclusiveLimit: 2\nconsecutiveErrorLimit: 0\nconsecutiveSuccessLimit: 7\nminSamples: 100',
    ),
  );
  t.match(metric, {
    intervalMs: 90_000,
    count: 20,
    initialDelayMs: 90_000,
    successCondition: { source: 'result >= 0.9' },
    failureCondition: { source: 'result < 0.5' },
    failureLimit: 3,
    inconclusiveLimit: 2,
    consecutiveErrorLimit: 0,
    consecutiveSuccessLimit: 7,
    minSamples: { count: 100, query: null },
  });
  t.equal(metricOf(withMetric('count: 0')).count, null, 'as in Argo, 0 is unset');
  t.equal(metricOf(withMetric('failureLimit: -1\nconsecutiveSuccessLimit: 1')).failureLimit, -1);
});

t.test('providers', async (t) => {
  const cases: [given: string, compiled: object][] = [
    [
      'prometheus: { address: http://p:9090/x, query: up }',
      {
        kind: 'prometheus',
        address: 'http://p:9090/x',
        query: 'up',
        headers: [],
        bearerTokenFile: null,
        timeoutMs: 30_000,
        range: null,
      },
    ],
    [
      `prometheus: { address: http://p, query: up, timeout: 5, headers: [{ key: X-A, value: b }], bearerTokenFile: token, rangeQuery: { start: 'now() - duration("1h30m")', end: "now()-duration( '30s' )", step: 1m } }`,
      {
        kind: 'prometheus',
        address: 'http://p',
        query: 'up',
        headers: [{ name: 'x-a', value: 'b' }],
        bearerTokenFile: '/etc/coalmine/token',
        timeoutMs: 5_000,
        range: { startBeforeMs: 5_400_000, endBeforeMs: 30_000, stepMs: 60_000 },
      },
    ],
    [
      'web: { url: http://w/x?y=1 }',
      {
        kind: 'web',
        url: 'http://w/x?y=1',
        method: 'GET',
        headers: [],
        body: null,
        jsonPath: [],
        timeoutMs: 10_000,
      },
    ],
    [
      'web: { url: http://w, method: POST, body: text, headers: { a: b }, jsonPath: "{$.data[0].ok}", timeoutSeconds: 3 }',
      {
        kind: 'web',
        url: 'http://w',
        method: 'POST',
        headers: [{ name: 'a', value: 'b' }],
        body: 'text',
        jsonPath: ['data', 0, 'ok'],
        timeoutMs: 3_000,
      },
    ],
    [
      'web: { url: http://w, method: PUT, jsonBody: { a: [1, true, { b: c }] } }',
      {
        kind: 'web',
        url: 'http://w',
        method: 'PUT',
        headers: [{ name: 'content-type', value: 'application/json' }],
        body: '{"a":[1,true,{"b":"c"}]}',
        jsonPath: [],
        timeoutMs: 10_000,
      },
    ],
    [
      'coalmine: { measure: latency, quantile: 0.5, relative: difference, window: 5m }',
      {
        kind: 'coalmine',
        read: { measure: 'latency', quantile: 0.5, of: 'canary', relative: 'difference', windowMs: 300_000 },
      },
    ],
  ];
  for (const [given, expected] of cases) {
    t.strictSame(metricOf(withProvider(given), { files: { token: 'T' } }).provider, expected, given);
  }
});

t.test('an empty token file is refused', async (t) => {
  const text = withProvider('prometheus: { address: http://p, query: up, bearerTokenFile: token }');
  const { issues } = inspect(text, { files: { token: ' \n' } });
  t.match(issues, [{ message: /holds no token/, path: /bearerTokenFile/ }]);
});

t.test('arguments go into every text of a metric', async (t) => {
  const metric = metricOf(
    withTemplate(
      `args: [{ name: n }, { name: host, value: p }, { name: old, valueFrom: { podTemplateHashValue: Stable } }]
metrics:
  - name: "m-{{args.n}}"
    interval: "{{args.n}}m"
    count: "{{ args.n }}"
    successCondition: "result[0] >= {{args.n}} && result[0] < {{args.n}}0"
    minSamples: { count: 5, query: "sum({{args.n}})" }
    provider:
      prometheus:
        address: "http://{{args.host}}:9090"
        query: 'up{version!="{{args.old}}",n="{{args.n}}"}'
        headers: [{ key: a, value: "x {{args.n}}" }]
        rangeQuery: { start: 'now() - duration("{{args.n}}h")', end: now(), step: "{{args.n}}m" }`,
      'analysis: { templates: [t], args: [{ name: n, value: "2" }] }',
    ),
  );
  t.match(metric, {
    name: 'm-2',
    intervalMs: 120_000,
    count: 2,
    successCondition: { source: 'result[0] >= 2 && result[0] < 20' },
    minSamples: { count: 5, query: 'sum(2)' },
    provider: {
      address: 'http://p:9090',
      query: 'up{version!="v1",n="2"}',
      headers: [{ name: 'a', value: 'x 2' }],
      range: { startBeforeMs: 7_200_000, endBeforeMs: 0, stepMs: 120_000 },
    },
  });
});

t.test('arguments in a JSON body stay texts', async (t) => {
  const text = withTemplate(
    `args: [{ name: x, value: 'a"b' }]\nmetrics: [{ name: m, provider: { web: { url: 'http://w/{{args.x}}', method: POST, jsonBody: { q: "<{{args.x}}>" } } } }]`,
  );
  const { issues } = inspect(text.replace("'http://w/{{args.x}}'", 'http://w'));
  t.strictSame(issues, []);
  t.match(metricOf(text.replace("'http://w/{{args.x}}'", 'http://w')).provider, { body: '{"q":"<a\\"b>"}' });
});

t.test('what an argument stands for', async (t) => {
  const nameOf = (args: string, given: string) =>
    metricOf(
      withTemplate(
        `args: ${args}\nmetrics: [{ name: "{{args.x}}", ${PROVIDER} }]`,
        `analysis: { templates: [t]${given === '' ? '' : `, args: ${given}`} }`,
      ),
    ).name;
  t.equal(nameOf('[{ name: x, value: own }]', ''), 'own');
  t.equal(nameOf('[{ name: x, value: own }]', '[{ name: x, value: given }]'), 'given');
  t.equal(nameOf('[{ name: x, valueFrom: { podTemplateHashValue: Latest } }]', ''), 'v2');
  t.equal(nameOf('[{ name: x }]', '[{ name: x, valueFrom: { podTemplateHashValue: Latest } }]'), 'v2');
  t.equal(nameOf('[{ name: x }]', '[{ name: x, valueFrom: { podTemplateHashValue: Stable } }]'), 'v1');
  for (const field of ['metadata.name', "metadata.labels['app']"]) {
    const args = `[{ name: x, valueFrom: { fieldRef: { fieldPath: "${field}" } } }]`;
    t.equal(nameOf('[{ name: x }]', args), 'a');
    const { warnings } = inspect(
      withTemplate(
        `args: [{ name: x }]\nmetrics: [{ name: m, ${PROVIDER} }]`,
        `analysis: { templates: [t], args: ${args} }`,
      ),
    );
    t.match(warnings, [
      { path: 'services.a.rollout.analysis.args[0].valueFrom.fieldRef', message: /name of the service/ },
    ]);
  }
});

t.test('one template serves several analyses with arguments of their own', async (t) => {
  const plan = planOf(
    withRollout(
      'steps: [{ analysis: { templates: [t], args: [{ name: x, value: "1" }] } }, { analysis: { templates: [t], args: [{ name: x, value: "2" }] } }]',
      `t: { args: [{ name: x }], metrics: [{ name: "m{{args.x}}", ${PROVIDER} }] }`,
    ),
  );
  t.match(plan.steps, [
    { analysis: { metrics: [{ name: 'm1' }] } },
    { analysis: { metrics: [{ name: 'm2' }] } },
  ]);
});

t.test('templates of templates: each once, its arguments in one pool', async (t) => {
  const text = withRollout(
    `${ONE_STEP}analysis: { templates: [top, left], args: [{ name: x, value: "7" }] }`,
    `top: { templates: [{ templateName: left }, { templateName: right }], metrics: [{ name: a, ${PROVIDER} }] }
left: { templates: [{ templateName: low }], metrics: [{ name: "b{{args.x}}", ${PROVIDER} }] }
right: { args: [{ name: x }], templates: [{ templateName: low }], metrics: [{ name: c, ${PROVIDER} }] }
low: { args: [{ name: x, value: "1" }], metrics: [{ name: d, ${PROVIDER} }] }`,
  );
  t.strictSame(
    metricsOf(text).map(({ name }) => name),
    ['a', 'b7', 'd', 'c'],
  );
});

t.test('dry runs and retention count for all metrics of an analysis', async (t) => {
  const metrics = metricsOf(
    withRollout(
      `${ONE_STEP}analysis: { templates: [t, u], dryRun: [{ metricName: ^b }], measurementRetention: [{ metricName: c, limit: 50 }] }`,
      `t: { metrics: [{ name: a1, ${PROVIDER} }, { name: b1, ${PROVIDER} }], dryRun: [{ metricName: c2 }], measurementRetention: [{ metricName: "*", limit: 20 }] }
u: { metrics: [{ name: c1, ${PROVIDER} }, { name: c2, ${PROVIDER} }] }`,
    ),
  );
  t.strictSame(
    metrics.map(({ name, dryRun, retention }) => [name, dryRun, retention]),
    [
      ['a1', false, 20],
      ['b1', true, 20],
      ['c1', false, 50],
      ['c2', true, 50],
    ],
  );
});
