import t from 'tap';
import { imported, ingress, METRIC, pair, problems, rollout, STEPS, template } from './import-support.ts';

const plainJson = (value: unknown) => JSON.parse(JSON.stringify(value));
const steps = (text: string, more = '') => imported(rollout(`steps:\n${text}`) + more).service.rollout?.steps;

t.test('steps of every kind', async (t) => {
  t.strictSame(
    plainJson(
      steps(
        `  - setWeight: 5
  - pause: {}
  - pause:
  - pause: { duration: 300 }
  - pause: { duration: "300" }
  - pause: { duration: 1m30s }
  - analysis: { templates: [{ templateName: success-rate }], args: [{ name: a, value: b }] }
  - experiment:
      duration: 5m
      templates: [{ name: base, specRef: stable }, { name: trial, specRef: canary, weight: 10 }]
      analyses: [{ name: check, templateName: success-rate, requiredForCompletion: true }]
  - setHeaderRoute: { name: testers, match: [{ headerName: x-user, headerValue: { exact: ann } }] }
  - setHeaderRoute: { name: testers }
  - setMirrorRoute: { name: shadow, percentage: 20, match: [{ method: { exact: GET }, path: { prefix: / } }] }
  - setCanaryScale: { replicas: 3 }
  - setWeight: 100
`,
        template(`args: [{ name: a, value: x }]\n${METRIC}`),
      ),
    ),
    [
      { setWeight: 5 },
      { pause: {} },
      { pause: {} },
      { pause: { duration: 300 } },
      { pause: { duration: '300' } },
      { pause: { duration: '90s' } },
      { analysis: { templates: ['success-rate'], args: [{ name: 'a', value: 'b' }] } },
      {
        experiment: {
          duration: '5m',
          templates: [
            { name: 'base', specRef: 'stable' },
            { name: 'trial', specRef: 'canary', weight: 10 },
          ],
          analyses: [{ name: 'check', templateName: 'success-rate', requiredForCompletion: true }],
        },
      },
      {
        setHeaderRoute: { name: 'testers', match: [{ headerName: 'x-user', headerValue: { exact: 'ann' } }] },
      },
      { setHeaderRoute: { name: 'testers' } },
      {
        setMirrorRoute: {
          name: 'shadow',
          percentage: 20,
          match: [{ method: { exact: 'GET' }, path: { prefix: '/' } }],
        },
      },
      { setCanaryScale: { replicas: 3 } },
      { setWeight: 100 },
    ],
  );
});

t.test('settings of the whole rollout', async (t) => {
  const { service, notes } = imported(
    rollout(
      `${STEPS}trafficRouting:
  managedRoutes: [{ name: b }, { name: a }]
  istio: { virtualService: { name: x } }
`,
      'progressDeadlineSeconds: 120\nprogressDeadlineAbort: true\nrollbackWindow: { revisions: 3 }\npaused: true\nworkloadRef: { kind: Deployment, name: x }\n',
    ),
  );
  t.match(plainJson(service.rollout), {
    progressDeadline: '120s',
    progressDeadlineAbort: true,
    rollbackWindow: { revisions: 3 },
    managedRoutes: ['b', 'a'],
  });
  t.strictSame(
    notes.map((note) => note.replace(/: .*/, '')),
    [
      'm.yaml:10 spec.paused',
      'm.yaml:11 spec.workloadRef',
      // Whose ports nothing names.
      'm.yaml:14 spec.strategy.canary.stableService',
      'm.yaml:15 spec.strategy.canary.canaryService',
      'm.yaml:21 spec.strategy.canary.trafficRouting.istio',
    ],
  );
});

t.test('weights of a larger whole', async (t) => {
  const text = 'steps:\n  - setWeight: 5\n  - setWeight: 1\ntrafficRouting: { maxTrafficWeight: 300 }\n';
  const { service, notes } = imported(rollout(text));
  t.strictSame(plainJson(service.rollout?.steps), [{ setWeight: 1.67 }, { setWeight: 0.33 }]);
  t.match(notes.join('\n'), /steps\[0\]\.setWeight: 5 of 300 is rounded to 1\.67 percent/);
});

t.test('without steps', async (t) => {
  const { service, notes } = imported(rollout('maxSurge: 1\n'));
  t.strictSame(plainJson(service.rollout?.steps), [{ setWeight: 100 }]);
  t.match(notes.join('\n'), /has no steps: Argo replaces the pods at once/);
});

t.test('what cannot be carried over is refused', async (t) => {
  const cases: [string, RegExp][] = [
    [
      rollout('').replace(/ {4}canary:\n.*$/s, '    blueGreen: { activeService: x }\n'),
      /^m\.yaml:\d+ spec\.strategy\.blueGreen: blue-green cannot be carried over; write it as a canary/,
    ],
    [rollout('').replace(/ {2}strategy:\n.*$/s, '  replicas: 1\n'), /spec: has no strategy\.canary/],
    [
      rollout('steps:\n  - plugin: { name: x }\n'),
      /steps\[0\]\.plugin: a step of a plugin cannot be carried over/,
    ],
    [rollout('steps:\n  - {}\n'), /steps\[0\]: is no step/],
    [rollout('steps:\n  - setWeight: 5\n    pause: {}\n'), /steps\[0\]: is several steps at once/],
    [rollout('steps:\n  - setWeight: many\n'), /steps\[0\]\.setWeight: must be a whole number/],
    [
      rollout('steps:\n  - setWeight: 101\n'),
      /steps\[0\]\.setWeight: becomes services.*setWeight, which must be a percentage/,
    ],
    [rollout('steps:\n  - pause: { duration: soon }\n'), /duration: must be a duration such as/],
    [rollout('steps: 5\n'), /steps: must be a list/],
    [
      rollout(`${STEPS}analysis: { templates: [{ templateName: nowhere }] }\n`),
      /analysis\.templates\[0\]: the template nowhere is not among the files: give its file too/,
    ],
  ];
  for (const [text, message] of cases) t.match(problems(text).join('\n'), message, String(message));
});

t.test('header routes that Argo puts on the Ingress it makes', async (t) => {
  const { service, notes } = imported(
    rollout(`${STEPS}trafficRouting:
  nginx:
    stableIngress: iris
    additionalIngressAnnotations:
      canary-by-header: X-Canary
      canary-by-header-value: iwantsit
      session-cookie-name: x
`) + ingress(),
  );
  t.match(service.rules, [{ when: { header: { 'X-Canary': 'iwantsit' } }, use: 'canary' }]);
  t.match(
    notes.join('\n'),
    /session-cookie-name: not carried over: a setting of the Ingress that Argo makes/,
  );
});

t.test('another prefix of the annotations', async (t) => {
  const text = pair({ 'canary-by-cookie': 'c' }).replaceAll(
    'nginx.ingress.kubernetes.io',
    'custom.example.org',
  );
  const routing =
    'trafficRouting: { nginx: { stableIngress: iris, annotationPrefix: custom.example.org } }\n';
  t.equal(imported(text + rollout(STEPS + routing)).service.rules?.length, 2);
});

t.test('the name is what the queries ask for', async (t) => {
  const labels = 'template: { metadata: { labels: { app: iris } } }\n';
  const query = (app: string) =>
    template(METRIC.replace('query: up', `query: 'sum(rate(http_requests_total{app="${app}"}[1m]))'`));
  const name = (text: string) => Object.keys(imported(text).config.services)[0];
  t.equal(name(rollout(STEPS, labels)), 'iris-api');
  t.equal(name(rollout(STEPS, labels) + query('iris')), 'iris');
  t.equal(name(rollout(STEPS, labels) + query('iris-api')), 'iris-api');
});

t.test('metrics, limits, providers', async (t) => {
  const text = `args:
  - name: host
    value: http://probe:80
  - name: n
    value: "3"
metrics:
  - name: web
    interval: 1m30s
    initialDelay: 30s
    count: "5"
    failureLimit: 2
    inconclusiveLimit: 1
    consecutiveErrorLimit: 6
    successCondition: result.ok
    provider:
      web:
        url: "{{args.host}}/check"
        method: POST
        timeoutSeconds: 5
        headers: [{ key: x-a, value: "\${b}" }]
        jsonBody: { a: [1, "\${two}"] }
        jsonPath: "{$.data}"
        insecure: true
  - name: range
    interval: 30s
    count: "{{args.n}}"
    failureCondition: len(result) > 3
    provider:
      prometheus:
        address: http://prometheus:9090
        query: up{x="\${y}"}
        timeout: 40
        headers: [{ key: X-Scope-OrgID, value: team }]
        rangeQuery: { start: 'now() - duration("5m")', end: now(), step: 1m }
dryRun: [{ metricName: range }]
measurementRetention: [{ metricName: .*, limit: 20 }]
`;
  const { config, notes, yaml } = imported(rollout(STEPS) + template(text));
  t.match(yaml, /up\{x="\$\$\{y\}"\}/);
  t.strictSame(plainJson(config.analysisTemplates?.['success-rate']), {
    args: [
      { name: 'host', value: 'http://probe:80' },
      { name: 'n', value: '3' },
    ],
    metrics: [
      {
        name: 'web',
        interval: '90s',
        initialDelay: '30s',
        count: 5,
        successCondition: 'result.ok',
        failureLimit: 2,
        inconclusiveLimit: 1,
        consecutiveErrorLimit: 6,
        provider: {
          web: {
            url: '{{args.host}}/check',
            method: 'POST',
            headers: [{ key: 'x-a', value: `$${'{b}'}` }],
            jsonBody: { a: [1, `$${'{two}'}`] },
            jsonPath: '{$.data}',
            timeoutSeconds: 5,
          },
        },
      },
      {
        name: 'range',
        interval: '30s',
        count: '{{args.n}}',
        failureCondition: 'len(result) > 3',
        provider: {
          prometheus: {
            address: 'http://prometheus:9090',
            query: `up{x="$${'{y}'}"}`,
            headers: [{ key: 'X-Scope-OrgID', value: 'team' }],
            timeout: 40,
            rangeQuery: { start: 'now() - duration("5m")', end: 'now()', step: '1m' },
          },
        },
      },
    ],
    dryRun: [{ metricName: 'range' }],
    measurementRetention: [{ metricName: '.*', limit: 20 }],
  });
  t.match(notes.join('\n'), /web\.insecure: not carried over: certificates are always checked/);
});

t.test('providers that cannot be carried over are refused, all at once', async (t) => {
  for (const provider of ['datadog', 'newRelic', 'job', 'kayenta', 'cloudWatch', 'plugin', 'unheard-of']) {
    const text = template(`metrics: [{ name: m, provider: { ${provider}: { x: 1 } } }]\n`);
    t.match(problems(rollout(STEPS) + text).join('\n'), `metrics[0].provider.${provider}`);
  }
  const two = problems(
    rollout(STEPS) + template('metrics:\n  - { name: a, provider: { job: {} } }\n  - { name: b }\n'),
  );
  t.equal(two.length, 2);
  const signed = METRIC.replace('query: up', 'query: up, authentication: { sigv4: { region: eu } }');
  t.match(problems(rollout(STEPS) + template(signed)).join(), /authentication: signing in this way cannot/);
});

t.test('a typo in a condition is told with the manifest’s line', async (t) => {
  const text = template(METRIC.replace('result[0] > 0.9', 'result[0 > 0.9'));
  t.match(problems(text + rollout(`${STEPS}analysis: { templates: [{ templateName: success-rate }] }\n`)), [
    /^m\.yaml:8 spec\.metrics\[0\]\.successCondition: becomes analysisTemplates\.success-rate\.metrics\[0\]/,
  ]);
});

t.test('arguments out of the cluster', async (t) => {
  const use = (from: string) =>
    rollout(
      `${STEPS}analysis:\n  templates: [{ templateName: success-rate }]\n  args:\n    - name: a\n      valueFrom: ${from}\n`,
      '',
      'namespace: models\nlabels: { region: eu-west }\n',
    ) + template(`args: [{ name: a }]\n${METRIC}`);
  const arg = (from: string) => plainJson(imported(use(from)).service.rollout?.analysis?.args?.[0]);
  t.strictSame(arg('{ podTemplateHashValue: Latest }'), {
    name: 'a',
    valueFrom: { podTemplateHashValue: 'Latest' },
  });
  t.strictSame(arg('{ fieldRef: { fieldPath: "metadata.labels[\'region\']" } }'), {
    name: 'a',
    value: 'eu-west',
  });
  t.strictSame(arg('{ fieldRef: { fieldPath: metadata.namespace } }'), { name: 'a', value: 'models' });
  t.match(problems(use('{ fieldRef: { fieldPath: status.phase } }')), [
    /the field status\.phase is not in the manifest/,
  ]);
  t.match(problems(use('{ elsewhere: 1 }')), [/valueFrom\.elsewhere: is a source of a value that cannot/]);
});

t.test('a secret comes from the environment', async (t) => {
  const secret =
    'args: [{ name: token, valueFrom: { secretKeyRef: { name: prom-auth, key: api.token } } }]\n';
  const metric = METRIC.replace(
    'query: up',
    'query: up, headers: [{ key: authorization, value: "Bearer {{args.token}}" }]',
  );
  const options = { env: { PROM_AUTH_API_TOKEN: 'hush' } };
  const use = `${STEPS}analysis: { templates: [{ templateName: success-rate }] }\n`;
  const { yaml, notes, config } = imported(rollout(use) + template(secret + metric), options);
  t.match(yaml, `value: "$${'{PROM_AUTH_API_TOKEN}'}"`);
  t.match(yaml, /# It needs these environment variables: PROM_AUTH_API_TOKEN\./);
  t.match(notes.join('\n'), /is taken from the environment variable PROM_AUTH_API_TOKEN: set it/);
  t.match(config.analysisTemplates?.['success-rate']?.args, [{ value: 'hush' }]);
});

t.test('templates of templates, of a namespace and of the cluster', async (t) => {
  const other = METRIC.replace('name: ok', 'name: other');
  const { service, config, notes } = imported(
    rollout(`${STEPS}analysis:
  templates: [{ templateName: base }, { templateName: base, clusterScope: true }, { templateName: alone, clusterScope: true }]
`) +
      template(METRIC, 'base') +
      template(other, 'base', 'ClusterAnalysisTemplate') +
      template(
        'templates: [{ templateName: part, clusterScope: true }]\n',
        'alone',
        'ClusterAnalysisTemplate',
      ) +
      template(METRIC.replace('name: ok', 'name: part'), 'part', 'ClusterAnalysisTemplate'),
  );
  t.strictSame(plainJson(service.rollout?.analysis?.templates), ['base', 'cluster-base', 'alone']);
  t.strictSame(Object.keys(config.analysisTemplates ?? {}), ['base', 'cluster-base', 'alone', 'part']);
  t.match(plainJson(config.analysisTemplates?.alone?.templates), [{ templateName: 'part' }]);
  t.match(notes.join('\n'), /is called cluster-base: an AnalysisTemplate has its name/);
  t.match(problems(rollout(STEPS) + template(METRIC) + template(METRIC)), [/stands twice among the files/]);
});

t.test('counts of another router are told', async (t) => {
  const text = template(METRIC.replace('query: up', 'query: sum(nginx_ingress_controller_requests)'));
  t.match(
    imported(rollout(STEPS) + text).notes.join('\n'),
    /reads nginx_ingress_controller_requests, which another/,
  );
});

t.test('ping-pong services', async (t) => {
  const text = rollout(`${STEPS}pingPong: { pingService: ping, pongService: pong }\n`);
  const { service, notes } = imported(text);
  t.match(service.versions, { stable: { url: 'http://ping:80' }, canary: { url: 'http://pong:80' } });
  t.match(notes.join('\n'), /here ping is stable and pong the canary/);
});

t.test('two Rollouts, each with its own Ingress', async (t) => {
  const second = (text: string) => text.replaceAll('iris', 'rose').replaceAll('/predict', '/rose');
  const both = pair({}) + rollout(STEPS) + second(pair({}) + rollout(STEPS));
  const { config } = imported(both);
  t.strictSame(Object.keys(config.services), ['iris-api', 'rose-api']);
  t.match(config.services['rose-api'], {
    match: { path: '/rose' },
    versions: { stable: { url: 'http://rose-stable:80' } },
  });
});
