import t from 'tap';
import { path, refused } from './refused.ts';
import { ONE_STEP, PROVIDER, withMetric, withProvider, withRollout, withTemplate } from './rollouts.ts';
import { inspect } from './support.ts';

const template = (rest: string) => `analysisTemplates.t.${rest}`;
const metric = (rest: string) => template(`metrics[0].${rest}`);
const provider = (rest: string) => metric(`provider.${rest}`);
const prometheus = (keys: string) =>
  withProvider(`prometheus: { address: http://p:9090, query: up, ${keys} }`);
const web = (keys: string) => withProvider(`web: { url: http://w, ${keys} }`);
const coalmine = (keys: string) => withProvider(`coalmine: { ${keys} }`);
const two = (rest: string) => withRollout(ONE_STEP, rest);

refused('metrics', [
  [
    'no provider',
    withTemplate('metrics: [▶{ name: m }]'),
    metric('provider'),
    /missing/,
    /coalmine: \{ measure/,
  ],
  ['an empty provider', withProvider('▶{}'), metric('provider'), /must not be empty/, /./],
  [
    'two providers',
    withTemplate(
      'metrics: [{ name: m, provider: ▶{ web: { url: http://w }, coalmine: { measure: rate } } }]',
    ),
    metric('provider'),
    /several keys/,
    /prometheus, web, coalmine/,
  ],
  ['no name', withTemplate(`metrics: [▶{ ${PROVIDER} }]`), metric('name'), /missing/, /its name/],
  [
    'a name twice',
    withTemplate(`metrics: [{ name: m, ${PROVIDER} }, { name: ▶m, ${PROVIDER} }]`),
    template('metrics[1].name'),
    /name of another metric/,
    /of its own/,
  ],
  ['a count without interval', withMetric('▶count: 2'), metric('count'), /needs an interval/, /interval: /],
  [
    'a count below the limits',
    withMetric('interval: 1m\ncount: ▶3\nfailureLimit: 3\nconsecutiveSuccessLimit: 2'),
    metric('count'),
    /less than failureLimit and consecutiveSuccessLimit together \(5\)/,
    /write 5 or more/,
  ],
  [
    'a count below the inconclusive limit',
    withMetric('interval: 1m\ncount: ▶3\ninconclusiveLimit: 4'),
    metric('count'),
    /less than inconclusiveLimit/,
    /write 4 or more/,
  ],
  [
    'no limit at all',
    withMetric('interval: 1m\n▶failureLimit: -1'),
    metric('failureLimit'),
    /without any limit/,
    /consecutiveSuccessLimit/,
  ],
  ['a limit below -1', withMetric('failureLimit: ▶-2'), metric('failureLimit'), /from -1 to/, /-1 or more/],
  [
    'an inconclusive limit below 0',
    withMetric('inconclusiveLimit: ▶-1'),
    metric('inconclusiveLimit'),
    /from 0 to/,
    /0 or more/,
  ],
  [
    'an error limit below 0',
    withMetric('consecutiveErrorLimit: ▶-1'),
    metric('consecutiveErrorLimit'),
    /from 0 to/,
    /0 or more/,
  ],
  [
    'a limit in quotes below -1',
    withMetric('failureLimit: ▶"-2"'),
    metric('failureLimit'),
    /from -1 to/,
    /whole number/,
  ],
  ['a limit as word', withMetric('failureLimit: ▶few'), metric('failureLimit'), /whole number/, /./],
  ['an interval as word', withMetric('interval: ▶often'), metric('interval'), /duration/, /5m/],
  ['an interval of nothing', withMetric('interval: ▶0s'), metric('interval'), /from 100ms/, /100ms or more/],
  ['an interval of 0', withMetric('interval: ▶0'), metric('interval'), /from 1 to 2592000/, /1 or more/],
  ['samples below 1', withMetric('minSamples: ▶0'), metric('minSamples'), /from 1 to/, /1 or more/],
  [
    'a query of samples without Prometheus',
    withMetric('minSamples: { count: 5, ▶query: x }'),
    metric('minSamples.query'),
    /prometheus provider only/,
    /own requests/,
  ],
  [
    'a key of another place',
    withMetric('▶failurelimit: 3'),
    metric('failurelimit'),
    /not a known key/,
    /failureLimit/,
  ],
]);

refused('conditions', [
  [
    'a comparison without end',
    withMetric('successCondition: ( result[0] >= 1▶'),
    metric('successCondition'),
    /./,
    /expression over result/,
  ],
  [
    'an unknown name',
    withMetric('successCondition: result[0] > 1 && ▶reslt < 2'),
    metric('successCondition'),
    /reslt/,
    /expression over result/,
  ],
  [
    'an unknown name in quotes',
    withMetric("failureCondition: 'len(result) > 0 and ▶foo'"),
    metric('failureCondition'),
    /foo/,
    /./,
  ],
  [
    'an unknown name after an argument',
    withMetric(
      'successCondition: result > {{args.limit}} and ▶foo',
      'args: [{ name: limit, value: "0.995" }]\n',
    ),
    metric('successCondition'),
    /foo/,
    /arguments come from services\.a\.rollout\.analysis/,
  ],
  [
    'an argument that makes no sense there',
    withMetric(
      'successCondition: result > ▶{{args.limit}}',
      'args: [{ name: limit }]\n',
      '[{ name: limit, value: ) }]',
    ),
    metric('successCondition'),
    /./,
    /arguments come from services\.a\.rollout\.analysis/,
  ],
  [
    'an empty condition',
    withMetric('successCondition: ▶""'),
    metric('successCondition'),
    /must not be empty/,
    /./,
  ],
  [
    'a condition that is a number',
    withMetric('successCondition: ▶5'),
    metric('successCondition'),
    /must be an expression, not a number/,
    /in quotes/,
  ],
]);

refused('arguments', [
  [
    'an argument that is not declared',
    withMetric('successCondition: result > ▶{{args.limt}}', 'args: [{ name: limit, value: "1" }]\n'),
    metric('successCondition'),
    /not declared/,
    /did you mean limit/,
  ],
  [
    'no arguments at all',
    withProvider("prometheus: { address: 'http://▶{{args.host}}', query: up }"),
    provider('prometheus.address'),
    /not declared/,
    /declare it under args/,
  ],
  [
    'braces of something else',
    withProvider('prometheus: { address: http://p, query: \'up{a="▶{{inputs.x}}"}\' }'),
    provider('prometheus.query'),
    /names no argument/,
    /\{\{args\.NAME\}\}/,
  ],
  [
    'braces without end',
    withProvider("web: { url: 'http://w/▶{{args.x' }"),
    provider('web.url'),
    /without \}\}/,
    /\{\{args\.NAME\}\}/,
  ],
  [
    'an argument without value',
    withTemplate(`args: [{ name: x }, { name: y }]\nmetrics: [{ name: m, ${PROVIDER} }]`).replace(
      'analysis: {',
      '▶analysis: {',
    ),
    path('rollout.analysis'),
    /no value for the argument x and y/,
    /args: \[\{ name: x/,
  ],
  [
    'a value and its source',
    withMetric('', 'args: [{ name: x, value: "1", ▶valueFrom: { podTemplateHashValue: Latest } }]\n'),
    template('args[0].valueFrom'),
    /beside `value`/,
    /keep one/,
  ],
  [
    'given without value',
    withMetric('', 'args: [{ name: x, value: "1" }]\n', '[▶{ name: x }]'),
    path('rollout.analysis.args[0]'),
    /no value/,
    /value:/,
  ],
  [
    'a number as value',
    withMetric('', 'args: [{ name: x, value: ▶5 }]\n'),
    template('args[0].value'),
    /must be text/,
    /in quotes: "5"/,
  ],
  [
    'a secret of Kubernetes',
    withMetric('', 'args: [{ name: x, valueFrom: { ▶secretKeyRef: { name: a, key: b } } }]\n'),
    template('args[0].valueFrom.secretKeyRef'),
    /not supported/,
    /environment variable/,
  ],
  [
    'a field that is not known',
    withMetric('', 'args: [{ name: x, valueFrom: { fieldRef: { fieldPath: ▶status.phase } } }]\n'),
    template('args[0].valueFrom.fieldRef.fieldPath'),
    /no field that is known/,
    /value:/,
  ],
  [
    'a hash of neither',
    withMetric('', 'args: [{ name: x, valueFrom: { podTemplateHashValue: ▶latest } }]\n'),
    template('args[0].valueFrom.podTemplateHashValue'),
    /Latest or Stable/,
    /did you mean Latest/,
  ],
  [
    'a name that cannot stand in braces',
    withMetric('', 'args: [{ name: ▶a b, value: x }]\n'),
    template('args[0].name'),
    /not a valid name/,
    /letters/,
  ],
  [
    'a count out of bounds after filling',
    withMetric('count: ▶"{{args.n}}"', 'args: [{ name: n, value: many }]\n'),
    metric('count'),
    /whole number/,
    /arguments come from/,
  ],
  [
    'an address that is none after filling',
    withTemplate(
      "args: [{ name: h, value: 'p:9090' }]\nmetrics: [{ name: m, provider: { prometheus: { address: ▶'{{args.h}}', query: up } } }]",
    ),
    provider('prometheus.address'),
    /begin with http/,
    /arguments come from/,
  ],
]);

refused('templates of templates', [
  [
    'an unknown one',
    withTemplate(`templates: [{ templateName: ▶x }]\nmetrics: [{ name: m, ${PROVIDER} }]`),
    template('templates[0].templateName'),
    /not an analysis template/,
    /the templates are t/,
  ],
  [
    'one that names itself',
    withTemplate(`templates: [{ templateName: ▶t }]\nmetrics: [{ name: m, ${PROVIDER} }]`),
    template('templates[0].templateName'),
    /leads back to itself: t → t/,
    /remove/,
  ],
  [
    'a circle',
    two(
      'a: { templates: [{ templateName: b }] }\nb: { templates: [{ templateName: c }] }\nc: { templates: [{ templateName: ▶a }] }',
    ),
    'analysisTemplates.c.templates[0].templateName',
    /leads back to itself: a → b → c → a/,
    /remove/,
  ],
  ['a template without metrics', two('t: ▶{}'), 'analysisTemplates.t', /has no metrics/, /add metrics/],
  [
    'metrics of one name in two templates',
    two(
      `t: { templates: [{ templateName: u }], metrics: [{ name: m, ${PROVIDER} }] }\nu: { metrics: [{ name: ▶m, ${PROVIDER} }] }`,
    ),
    'analysisTemplates.u.metrics[0].name',
    /name of another metric/,
    /of its own/,
  ],
  [
    'arguments that contradict each other',
    two(
      `t: { args: [{ name: x, value: a }], templates: [{ templateName: u }], metrics: [{ name: m, ${PROVIDER} }] }\nu: { args: [{ name: x, value: ▶b }], metrics: [{ name: n, ${PROVIDER} }] }`,
    ),
    'analysisTemplates.u.args[0].value',
    /another value/,
    /one value/,
  ],
  [
    'a dry run of nothing',
    withTemplate(`metrics: [{ name: m, ${PROVIDER} }]\ndryRun: [{ metricName: ▶x }]`),
    template('dryRun[0].metricName'),
    /matches no metric/,
    /the metrics are m/,
  ],
  [
    'a broken pattern of a dry run',
    withTemplate(`metrics: [{ name: m, ${PROVIDER} }]\ndryRun: [{ metricName: ▶"m(" }]`),
    template('dryRun[0].metricName'),
    /not a valid pattern/,
    /RE2/,
  ],
]);

refused('providers', [
  ...[
    'datadog',
    'newRelic',
    'wavefront',
    'kayenta',
    'cloudWatch',
    'graphite',
    'influxdb',
    'skywalking',
    'job',
    'plugin',
  ].map(
    (name) =>
      [
        name,
        withProvider(`▶${name}: { apiVersion: v2 }`),
        provider(name),
        /not supported/,
        /use prometheus, web or coalmine; /,
      ] as const,
  ),
  [
    'a Prometheus without query',
    withProvider('▶prometheus: { address: http://p }'),
    provider('prometheus.query'),
    /missing/,
    /PromQL/,
  ],
  [
    'an address without scheme',
    withProvider('prometheus: { address: ▶prometheus:9090, query: up }'),
    provider('prometheus.address'),
    /begin with http/,
    /http:\/\/host:9090/,
  ],
  [
    'authentication of Argo',
    prometheus('▶authentication: {}'),
    provider('prometheus.authentication'),
    /not supported/,
    /bearerTokenFile/,
  ],
  [
    'insecure',
    prometheus('▶insecure: true'),
    provider('prometheus.insecure'),
    /not supported/,
    /NODE_EXTRA_CA_CERTS/,
  ],
  [
    'a timeout of nothing',
    prometheus('timeout: ▶0'),
    provider('prometheus.timeout'),
    /from 1 to 600/,
    /1 or more/,
  ],
  [
    'a token file that is not there',
    prometheus('bearerTokenFile: ▶token'),
    provider('prometheus.bearerTokenFile'),
    /cannot be read: there is no such file/,
    /path/,
  ],
  [
    'a header without key',
    prometheus('headers: [▶{ value: x }]'),
    provider('prometheus.headers[0].key'),
    /missing/,
    /header’s name/,
  ],
  [
    'a range without step',
    prometheus('▶rangeQuery: { start: now(), end: now() }'),
    provider('prometheus.rangeQuery.step'),
    /missing/,
    /samples/,
  ],
  [
    'a range of another language',
    prometheus('rangeQuery: { start: ▶-1h, end: now(), step: 1m }'),
    provider('prometheus.rangeQuery.start'),
    /not a time/,
    /now\(\) - duration\("1h"\)/,
  ],
  [
    'a range that ends before it begins',
    prometheus(`rangeQuery: { start: ▶now(), end: 'now() - duration("5m")', step: 1m }`),
    provider('prometheus.rangeQuery.start'),
    /not before the end/,
    /earlier/,
  ],
  [
    'a range of too many samples',
    prometheus(`rangeQuery: { start: now() - duration('10h'), end: now(), step: ▶1s }`),
    provider('prometheus.rangeQuery.step'),
    /more than 11000 samples/,
    /longer step/,
  ],
  ['a body with GET', web('▶body: x'), provider('web.body'), /with GET/, /method: POST/],
  [
    'two bodies',
    web('method: POST, body: x, ▶jsonBody: {}'),
    provider('web.jsonBody'),
    /beside `body`/,
    /keep one/,
  ],
  ['another method', web('method: ▶PATCH'), provider('web.method'), /GET, POST or PUT/, /./],
  [
    'a filter',
    web("jsonPath: '{$.a▶[?(@.b)]}'"),
    provider('web.jsonPath'),
    /a filter/,
    /names and positions/,
  ],
  [
    'a wildcard',
    web("jsonPath: '{$.a▶[*].b}'"),
    provider('web.jsonPath'),
    /a wildcard/,
    /names and positions/,
  ],
  ['every depth', web('jsonPath: $▶..b'), provider('web.jsonPath'), /every depth/, /./],
  ['a slice', web("jsonPath: '$.a▶[0:2]'"), provider('web.jsonPath'), /a slice/, /./],
  ['words', web('jsonPath: ▶data.ok'), provider('web.jsonPath'), /not a path/, /./],
  ['no time', web('timeoutSeconds: ▶0'), provider('web.timeoutSeconds'), /from 1 to 600/, /1 or more/],
  [
    'an unknown measure',
    coalmine('measure: ▶errors'),
    provider('coalmine.measure'),
    /successRate, errorRatio/,
    /./,
  ],
  [
    'a quantile of a rate',
    coalmine('measure: rate, ▶quantile: 0.5'),
    provider('coalmine.quantile'),
    /latency only/,
    /remove/,
  ],
  [
    'a quantile in percent',
    coalmine('measure: latency, quantile: ▶99'),
    provider('coalmine.quantile'),
    /from 0 to 1/,
    /./,
  ],
  [
    'stable against itself',
    coalmine('measure: latency, of: stable, ▶relative: ratio'),
    provider('coalmine.relative'),
    /with itself/,
    /remove/,
  ],
]);

t.test('templates nested too deep are refused', async (t) => {
  const chain = Array.from({ length: 12 }, (_, i) => `t${i}: { templates: [{ templateName: t${i + 1} }] }`);
  const { issues } = inspect(two(`${chain.join('\n')}\nt12: { metrics: [{ name: m, ${PROVIDER} }] }`));
  t.match(issues, [{ message: /more than 8 deep/, path: 'analysisTemplates.t8.templates[0].templateName' }]);
  t.equal(issues.length, 1);
});

t.test('many templates that take each other over are looked at quickly', async (t) => {
  const layers = Array.from({ length: 8 }, (_, i) =>
    Array.from(
      { length: 10 },
      (_, j) =>
        `t${i}x${j}: { templates: [${Array.from({ length: 10 }, (_, k) => `{ templateName: t${i + 1}x${k} }`).join(', ')}] }`,
    ).join('\n'),
  );
  const last = Array.from({ length: 10 }, (_, j) => `t8x${j}: { metrics: [{ name: m${j}, ${PROVIDER} }] }`);
  const { issues } = inspect(two(`${layers.join('\n')}\n${last.join('\n')}`));
  t.strictSame(issues, []);
});

t.test('more metrics than can be watched are refused', async (t) => {
  const metrics = (from: number) =>
    Array.from({ length: 60 }, (_, i) => `{ name: m${from + i}, ${PROVIDER} }`).join(', ');
  const templates = `t: { metrics: [${metrics(0)}] }\nu: { metrics: [${metrics(100)}] }`;
  const both = inspect(withRollout(`${ONE_STEP}analysis: { templates: [t, u] }`, templates));
  t.match(both.issues, [{ path: 'services.a.rollout.analysis', message: /more than 100 metrics/ }]);
  const steps = Array.from({ length: 200 }, () => '{ analysis: { templates: [t] } }').join(', ');
  const services = Array.from(
    { length: 2 },
    (_, i) =>
      `  s${i}: { match: { path: /${i} }, versions: { v1: { url: http://a }, v2: { url: http://b } }, stable: v1, canary: v2, rollout: { steps: [${steps}] } }`,
  );
  const { issues } = inspect(
    `services:\n${services.join('\n')}\nanalysisTemplates:\n  t: { metrics: [${metrics(0)}] }\n`,
  );
  t.match(issues[0], { path: /^services\.s1\.rollout\.steps\[/, message: /too large together/ });
});

t.test('one mistake in a template is told once, however many use it', async (t) => {
  const text = withRollout(
    'steps: [{ analysis: { templates: [t] } }, { analysis: { templates: [t] } }]\nanalysis: { templates: [u] }',
    `t: { metrics: [{ name: m, successCondition: foo, ${PROVIDER} }] }\nu: { templates: [{ templateName: t }] }`,
  );
  const { issues } = inspect(text);
  t.equal(issues.length, 1);
  t.equal(issues[0]?.path, 'analysisTemplates.t.metrics[0].successCondition');
});

t.test('an argument that no template has is a warning, as Argo takes it', async (t) => {
  const { issues, warnings } = inspect(
    withMetric('', 'args: [{ name: limit, value: "1" }]\n', '[{ name: limt, value: "2" }]'),
  );
  t.strictSame(issues, []);
  t.match(warnings, [
    { path: 'services.a.rollout.analysis.args[0].name', message: /no argument/, fix: /did you mean limit/ },
  ]);
});

t.test('an unused template may lack values, and is looked at all the same', async (t) => {
  const templates = `t:\n  args: [{ name: x }]\n  metrics:\n    - { name: "m{{args.x}}", successCondition: "result > {{args.x}}", ${PROVIDER} }\n    - { name: o, successCondition: "bad bad", ${PROVIDER} }`;
  const { issues } = inspect(two(templates));
  t.strictSame(
    issues.map((issue) => issue.path),
    ['analysisTemplates.t.metrics[1].successCondition'],
  );
});
