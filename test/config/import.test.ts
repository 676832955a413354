import t from 'tap';
import { importManifests } from '../../src/config/import/index.ts';
import { imported, ingress, pair, problems, rollout, STEPS, textbook } from './import-support.ts';
import { compiled } from './support.ts';

t.test('the textbook manifests become one config', async (t) => {
  const { yaml, config, notes } = imported(textbook());
  t.strictSame(Object.keys(config.services), ['iris-api']);
  const service = config.services['iris-api'];
  t.strictSame(JSON.parse(JSON.stringify(service)), {
    match: { host: 'api.example.com', path: '/predict' },
    versions: {
      stable: { url: 'http://iris-api-stable.models.svc:80' },
      canary: {
        url: 'http://iris-api-canary.models.svc:80',
        revision: 'registry.example.com/ml/iris-api:2.0.0',
      },
    },
    stable: 'stable',
    canary: 'canary',
    sticky: { issueCookie: {} },
    maxBody: '8MiB',
    rollout: {
      steps: [
        { setWeight: 5 },
        { pause: { duration: '5m' } },
        { setWeight: 25 },
        { pause: { duration: '10m' } },
        { setWeight: 50 },
        { pause: { duration: '15m' } },
        { setWeight: 100 },
      ],
      analysis: {
        templates: ['success-rate'],
        args: [{ name: 'service-name', value: 'iris-api' }],
        startingStep: 1,
      },
    },
  });
  const [plan] = compiled(yaml).rollouts;
  t.match(plan, {
    service: 'iris-api',
    steps: [
      { kind: 'setWeight', weightBp: 500 },
      { kind: 'pause', durationMs: 300_000 },
    ],
    background: { startingStep: 1, analysis: { metrics: [{ name: 'success-rate', failureLimit: 3 }] } },
  });
  const metric = plan?.background?.analysis.metrics[0];
  t.match(metric?.provider, { query: /\{app="iris-api",status!~"5\.\."\}/ });
  t.ok(notes.length > 10);
});

t.test('nothing is dropped in silence: each loss is on stderr and in a comment', async (t) => {
  const { yaml, notes } = imported(textbook());
  for (const path of [
    'ingress.yaml:14 spec.tls',
    'ingress.yaml:13 spec.ingressClassName',
    'ingress.yaml:39 metadata.annotations["nginx.ingress.kubernetes.io/canary-weight"]',
    'rollout.yaml:10 spec.replicas',
    'rollout.yaml:12 spec.selector',
    'rollout.yaml:15 spec.template',
    'rollout.yaml:40 spec.strategy.canary.maxSurge',
    'rollout.yaml:41 spec.strategy.canary.maxUnavailable',
    'rollout.yaml:42 spec.strategy.canary.abortScaleDownDelaySeconds',
    'analysis.yaml:6 metadata.labels',
  ]) {
    t.ok(
      notes.some((note) => note.startsWith(`${path}: not carried over: `)),
      path,
    );
  }
  const comments = yaml.split('\n').filter((line) => line.trim().startsWith('#'));
  for (const note of notes)
    t.ok(
      comments.some((line) => line.trim() === `# ${note}`),
      note,
    );
});

t.test('the order of the files does not matter', async (t) => {
  const one = imported(textbook());
  const other = imported(textbook().reverse());
  t.strictSame(other.config, one.config);
});

t.test('header and cookie annotations, in NGINX’s order', async (t) => {
  const cases: [Record<string, string>, object[]][] = [
    [{}, []],
    [
      { 'canary-by-header': 'X-Canary' },
      [
        { when: { header: { 'X-Canary': 'always' } }, use: 'canary' },
        { when: { header: { 'X-Canary': 'never' } }, use: 'stable' },
      ],
    ],
    [
      { 'canary-by-header': 'X-Canary', 'canary-by-header-value': 'tester' },
      [{ when: { header: { 'X-Canary': 'tester' } }, use: 'canary' }],
    ],
    [
      { 'canary-by-header': 'X-Region', 'canary-by-header-pattern': '^eu-(west|north)$' },
      [{ when: { header: { 'X-Region': { pattern: '^eu-(west|north)$' } } }, use: 'canary' }],
    ],
    [
      { 'canary-by-cookie': 'canary' },
      [
        { when: { cookie: { canary: 'always' } }, use: 'canary' },
        { when: { cookie: { canary: 'never' } }, use: 'stable' },
      ],
    ],
    [
      { 'canary-by-cookie': 'c', 'canary-by-header': 'h', 'canary-by-header-value': 'v' },
      [
        { when: { header: { h: 'v' } }, use: 'canary' },
        { when: { cookie: { c: 'always' } }, use: 'canary' },
        { when: { cookie: { c: 'never' } }, use: 'stable' },
      ],
    ],
  ];
  for (const [annotations, rules] of cases) {
    const { service } = imported(pair(annotations));
    t.strictSame(JSON.parse(JSON.stringify(service.rules ?? [])), rules, JSON.stringify(annotations));
    t.equal(service.precedence, undefined, 'without affinity the order is the same in both');
  }
});

t.test('annotations that do nothing in NGINX are told', async (t) => {
  const value = imported(pair({ 'canary-by-header-value': 'x' }));
  t.equal(value.service.rules, undefined);
  t.match(value.notes.join('\n'), /canary-by-header-value"\]: does nothing without canary-by-header/);
  const both = imported(
    pair({ 'canary-by-header': 'h', 'canary-by-header-value': 'v', 'canary-by-header-pattern': 'p' }),
  );
  t.equal(both.service.rules?.length, 1);
  t.match(both.notes.join('\n'), /canary-by-header-pattern"\]: does nothing beside canary-by-header-value/);
  t.match(
    problems(pair({ 'canary-by-header': 'h', 'canary-by-header-pattern': '(?=x)' })).join('\n'),
    /canary-by-header-pattern"\]: is not a valid pattern: .*look-around/,
  );
});

t.test('weights without a Rollout', async (t) => {
  const cases: [Record<string, string>, number, RegExp | null][] = [
    [{}, 0, null],
    [{ 'canary-weight': '5' }, 5, null],
    [{ 'canary-weight': '0' }, 0, null],
    [{ 'canary-weight': '5', 'canary-weight-total': '1000' }, 0.5, null],
    [{ 'canary-weight': '1', 'canary-weight-total': '30000' }, 0, /1 of 30000 is rounded to 0 percent/],
    [{ 'canary-weight': '1', 'canary-weight-total': '300' }, 0.33, /1 of 300 is rounded to 0\.33 percent/],
    [{ 'canary-weight': '5', 'canary-weight-total': '50' }, 5, /below 100, which NGINX takes for 100/],
    [{ 'canary-weight': '150' }, 100, null],
    [{ 'canary-weight-total': '200' }, 0, /does nothing without canary-weight/],
  ];
  for (const [annotations, weight, told] of cases) {
    const { service, notes } = imported(pair(annotations));
    const name = JSON.stringify(annotations);
    t.equal(service.weight, weight, name);
    t.equal(service.rollout, undefined);
    if (told === null) t.strictSame(notes, [], name);
    else t.match(notes.join('\n'), told, name);
  }
  t.match(problems(pair({ 'canary-weight': 'five' })), [
    /canary-weight"\]: must be a whole number of 0 or more/,
  ]);
});

t.test('a cookie affinity pins versions, above the rules as in NGINX', async (t) => {
  const affinity = { affinity: 'cookie', 'session-cookie-name': 'route', 'session-cookie-max-age': '3600' };
  const { service, yaml, notes } = imported(
    pair({ 'canary-weight': '5', 'canary-by-header': 'h' }, affinity),
  );
  t.equal(service.precedence, 'nginx');
  t.match(service.sticky, {
    mode: 'session',
    session: { ttl: '3600s' },
    issueCookie: { name: 'route', maxAge: '3600s' },
  });
  t.match(yaml, /# A pinned session stands above the rules, as in NGINX/);
  t.strictSame(notes, []);

  const long = imported(pair({}, { ...affinity, 'session-cookie-max-age': '172800' }));
  t.match(long.service.sticky, { session: { ttl: '86400s' }, issueCookie: { maxAge: '172800s' } });
  t.match(long.notes.join(), /pinned for 24 hours at most/);

  const plain = imported(pair({}, { affinity: 'cookie' }));
  t.match(plain.service.sticky, { issueCookie: { name: 'INGRESSCOOKIE', maxAge: '86400s' } });
  t.match(plain.notes.join(), /ends with the browser/);

  const legacy = imported(pair({}, { ...affinity, 'affinity-canary-behavior': 'legacy' }));
  t.equal(legacy.service.precedence, undefined);
  t.equal(legacy.service.sticky?.mode, undefined);
  t.match(legacy.notes.join(), /legacy deals every request anew/);
});

t.test('without affinity the result still keeps users, and says that NGINX did not', async (t) => {
  const { service, yaml } = imported(pair({ 'canary-weight': '5' }));
  t.match(service.sticky, { issueCookie: {} });
  t.match(yaml, /# NGINX without affinity deals every request anew/);
});

t.test('a primary Ingress alone is a service with one version', async (t) => {
  const { service, config } = imported(ingress());
  t.strictSame(Object.keys(config.services), ['iris']);
  t.strictSame(JSON.parse(JSON.stringify(service)), {
    match: { host: 'api.example.com', path: '/predict' },
    versions: { stable: { url: 'http://iris-stable:80' } },
    stable: 'stable',
  });
});

t.test('several hosts and paths', async (t) => {
  const more = (name: string, host: string, path: string, annotations = {}) =>
    ingress({ name, host, path, backend: name, annotations });
  const canary = { canary: 'true', 'canary-weight': '10' };
  const split = imported(
    more('iris', 'a.example.com', '/x') +
      more('iris', 'b.example.com', '/x') +
      more('iris-canary', 'a.example.com', '/x', canary) +
      more('iris-canary', 'b.example.com', '/x', canary),
  );
  t.strictSame(Object.keys(split.config.services), ['iris', 'iris-2']);
  t.strictSame(
    Object.values(split.config.services).map((one) => one.salt),
    ['iris-canary', 'iris-canary'],
    'a user has one bucket on all hosts',
  );

  const canaryUnder = (hosts: string[], path = '/x') =>
    hosts.map((host) => ingress({ host, path, backend: 'iris-stable' })).join('');
  const wide = imported(canaryUnder(['a.example.com', 'b.example.com']) + rollout(STEPS));
  t.strictSame(Object.keys(wide.config.services), ['iris-api'], 'one rollout is one service');
  t.match(wide.service.match, { host: '*.example.com', path: '/x' });
  t.match(wide.notes.join(), /several hosts or paths lead to one rollout/);
  const any = imported(canaryUnder(['a.example.com', 'a.other.org']) + rollout(STEPS));
  t.strictSame({ ...any.service.match }, { path: '/x' });
  const paths = imported(canaryUnder(['a.com'], '/v1/a') + canaryUnder(['a.com'], '/v1/b') + rollout(STEPS));
  t.match(paths.service.match, { host: 'a.com', path: '/v1' });
});

t.test('paths that are no prefixes', async (t) => {
  const regex = (path: string) =>
    imported(ingress({ path: JSON.stringify(path), annotations: { 'use-regex': 'true' } })).service.match
      ?.path;
  t.equal(regex('/predict(/|$)(.*)'), '/predict');
  t.equal(regex('/api/v[0-9]+/predict'), '/api');
  t.equal(regex('/a|/b'), undefined, 'an alternative may be anywhere');
  t.equal(regex('/plain'), '/plain');
  t.equal(regex('/predict?'), undefined, 'the last letter is not certain');
  const rewrite = imported(ingress({ annotations: { 'rewrite-target': '/$2' } }));
  t.match(rewrite.notes.join(), /rewrite-target"\]: not carried over: paths are forwarded as they came/);
  const exact = imported(ingress().replace('pathType: Prefix', 'pathType: Exact'));
  t.match(exact.notes, [/pathType: not carried over: a service matches prefixes/]);
});

t.test('a named port is looked up in the Service', async (t) => {
  const named = ingress().replace('{ number: 80 }', '{ name: http }');
  t.match(problems(named), [
    /the number of the port http is not known: give the file of the Service iris-stable/,
  ]);
  const service = `---
apiVersion: v1
kind: Service
metadata: { name: iris-stable }
spec: { selector: { app: iris }, ports: [{ name: admin, port: 9000 }, { name: http, port: 8080, targetPort: 80 }] }
`;
  const { service: found, notes } = imported(named + service);
  t.equal(found.versions.stable?.url, 'http://iris-stable:8080');
  t.match(notes.join('\n'), /spec\.selector: not carried over/);
});

t.test('a canary needs its primary', async (t) => {
  const alone = ingress({ annotations: { canary: 'true', 'canary-weight': '5' } });
  t.match(problems(alone), [/is a canary without a primary Ingress of the same host and path/]);
  const guessed = imported(alone + rollout(STEPS).replace(/ {6}(stable|canary)Service.*\n/g, ''));
  t.match(guessed.service.versions, {
    stable: { url: 'http://iris-api:80' },
    canary: { url: 'http://iris-stable:80' },
  });
  t.match(
    guessed.notes.join('\n'),
    /no manifest says which Service leads to the stable version; iris-api is a guess/,
  );
});

t.test('a second stable backend for the same requests is refused, a second canary told', async (t) => {
  t.match(problems(ingress() + ingress({ name: 'b', backend: 'other' })), [
    /has the same host and path as m\.yaml:/,
  ]);
  const canary = { canary: 'true' };
  const { notes } = imported(pair({}) + ingress({ name: 'c2', backend: 'c2', annotations: canary }));
  t.match(notes, [/not carried over: the same host and path as .* NGINX takes one canary/]);
});

t.test('HTTPS and gRPC backends', async (t) => {
  t.equal(
    imported(ingress({ annotations: { 'backend-protocol': 'HTTPS' } })).service.versions.stable?.url,
    'https://iris-stable:80',
  );
  t.match(problems(ingress({ annotations: { 'backend-protocol': 'GRPC' } })), [
    /GRPC cannot be carried over/,
  ]);
});

t.test('other annotations and unknown fields are named', async (t) => {
  const { notes } = imported(
    ingress({
      annotations: { 'proxy-read-timeout': '30', 'configuration-snippet': 'x', 'proxy-body-size': '0' },
    })
      .replace('spec:\n', 'spec:\n  frobnicate: 1\n')
      .replace('  annotations:\n', '  annotations:\n    example.org/owner: me\n'),
  );
  const text = notes.join('\n');
  t.match(text, /spec\.frobnicate: not carried over: import does not know this field/);
  t.match(
    text,
    /annotations\["example\.org\/owner"\]: not carried over: import does not know this annotation/,
  );
  t.match(text, /proxy-read-timeout"\]: not carried over: set `timeouts`/);
  t.match(text, /configuration-snippet"\]: not carried over: /);
  t.notMatch(text, /proxy-body-size/);
});

t.test('annotations without effect and settings that contradict each other are told', async (t) => {
  const idle = imported(
    ingress({
      annotations: { 'canary-weight': '5', 'session-cookie-name': 'x', 'affinity-canary-behavior': 'legacy' },
    }),
  );
  t.match(idle.notes, [
    /canary-weight"\]: does nothing without canary: "true"/,
    /session-cookie-name"\]: does nothing without affinity: cookie/,
    /affinity-canary-behavior"\]: does nothing without affinity: cookie/,
  ]);
  const single = imported(ingress({ annotations: { affinity: 'cookie' } }));
  t.equal(single.service.sticky, undefined);
  t.match(single.notes, [/affinity"\]: not carried over: without a canary/]);
  const two = imported(
    pair(
      {
        'proxy-body-size': '1m',
        affinity: 'cookie',
        'session-cookie-name': 'b',
        'session-cookie-max-age': '60',
      },
      {
        'proxy-body-size': '2m',
        affinity: 'cookie',
        'session-cookie-name': 'a',
        'session-cookie-max-age': '60',
      },
    ),
  );
  t.equal(two.service.maxBody, '2MiB');
  t.match(two.notes, [
    /proxy-body-size"\]: not carried over: m\.yaml:\d+ says it/,
    /affinity"\]: not carried over/,
  ]);
});

t.test('other backends of a Rollout’s Ingress stay services of their own', async (t) => {
  const { config } = imported(
    ingress() +
      ingress({ path: '/docs', backend: 'docs' }) +
      rollout(`${STEPS}trafficRouting: { nginx: { stableIngress: iris } }\n`),
  );
  t.strictSame(
    Object.entries(config.services).map(([name, one]) => [name, one.match?.path, one.versions.stable?.url]),
    [
      ['iris-api', '/predict', 'http://iris-stable:80'],
      ['docs', '/docs', 'http://docs:80'],
    ],
  );
});

t.test('other kinds are named', async (t) => {
  const other = (apiVersion: string, kind: string) =>
    `---\napiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: x }\n`;
  const { notes, yaml } = imported(
    ingress() +
      other('apps/v1', 'Deployment') +
      other('flagger.app/v1beta1', 'Canary') +
      other('serving.knative.dev/v1', 'Service'),
  );
  t.match(notes, [
    /Deployment x is not read/,
    /Canary x is not read: docs\/migration\.md/,
    /Service x is not read/,
  ]);
  for (const note of notes)
    t.match(yaml, new RegExp(`^# ${note.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm'));
  t.match(problems(other('apps/v1', 'Deployment')), [
    'm.yaml:1 no Ingress and no Rollout is among the files',
  ]);
});

t.test('a list as kubectl writes it', async (t) => {
  const items = pair({ 'canary-weight': '7' })
    .split('---\n')
    .filter(Boolean)
    .map((one) => `- ${one.trimEnd().replaceAll('\n', '\n  ')}\n`);
  const { service } = imported(`apiVersion: v1\nkind: List\nitems:\n${items.join('')}`);
  t.equal(service.weight, 7);
});

t.test('a JSON manifest is read as well', async (t) => {
  const json = JSON.stringify({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: 'x' },
    spec: { defaultBackend: { service: { name: 'x', port: { number: 81 } } } },
  });
  const { service } = imported(json);
  t.match(service, { match: undefined, versions: { stable: { url: 'http://x:81' } } });
});

t.test('an empty call is refused', async (t) => {
  t.match(importManifests([]), { ok: false, problems: [{ message: /no Ingress and no Rollout/ }] });
});
