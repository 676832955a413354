import t from 'tap';
import { PROVIDER, planOf, withRollout, withStep, withTemplate } from './rollouts.ts';
import { compiled, indent, inspect, TWO_VERSIONS } from './support.ts';

t.test('the defaults of a rollout', async (t) => {
  const plan = planOf(withRollout('steps: [{ setWeight: 5 }]'));
  const { canaryDefinition, stableDefinition, stepsDefinition, ...rest } = plan;
  t.strictSame(rest, {
    service: 'a',
    stable: 'v1',
    canary: 'v2',
    steps: [{ kind: 'setWeight', weightBp: 500 }],
    background: null,
    start: 'auto',
    onFailure: 'abort',
    onInconclusive: 'pause',
    progressDeadlineMs: 600_000,
    progressDeadlineAbort: false,
    rollbackWindow: 0,
    managedRoutes: [],
    requires: [],
    webhooks: [],
    notifications: [],
  });
  for (const id of [canaryDefinition, stableDefinition, stepsDefinition]) t.match(id, /^[0-9a-f]{16}$/);
});

t.test('only services with a rollout have a plan, in the order of the file', async (t) => {
  const service = (name: string, more: string) =>
    `  ${name}: { match: { path: /${name} }, versions: { v1: { url: http://a }, v2: { url: http://b } }, stable: v1, canary: v2${more} }\n`;
  const rollout = ', rollout: { steps: [{ setWeight: 1 }] }';
  const text = `services:\n${service('z', rollout)}${service('b', '')}${service('a', rollout)}`;
  t.strictSame(
    compiled(text).rollouts.map((plan) => plan.service),
    ['z', 'a'],
  );
});

t.test('without a canary a rollout waits, as it does between two of them', async (t) => {
  const text =
    'services: { s: { versions: { v1: { url: http://a } }, rollout: { steps: [{ setWeight: 1 }] } } }';
  const { config, warnings } = inspect(text);
  t.strictSame(config?.rollouts, []);
  t.match(warnings, [{ path: 'services.s.rollout', message: /waits for a canary/ }]);
});

t.test('every key of a rollout reaches its setting', async (t) => {
  const plan = planOf(
    withRollout(`start: manual
steps: [{ setWeight: 0.01 }]
onFailure: pause
onInconclusive: abort
progressDeadlineSeconds: 30
progressDeadlineAbort: true
rollbackWindow: { revisions: 3 }
managedRoutes: [{ name: b }, a]
requires:
  - webhook: http://r/1
  - webhook: { url: http://r/2, timeout: 3s, headers: { X-A: b }, metadata: { k: v } }
webhooks:
  - { name: gate, type: confirm-rollout, url: http://h/x?y=1, timeout: 2s, retries: 3, interval: 1m, headers: [{ key: Authorization, value: secret }], metadata: { constructor: x } }
notifications:
  - { url: http://n, format: cloudevents, on: [aborted], headers: { a: b }, timeout: 1s }
  - { url: http://n }
`),
  );
  t.match(plan, {
    start: 'manual',
    steps: [{ kind: 'setWeight', weightBp: 1 }],
    onFailure: 'pause',
    onInconclusive: 'abort',
    progressDeadlineMs: 30_000,
    progressDeadlineAbort: true,
    rollbackWindow: 3,
  });
  t.strictSame(plan.managedRoutes, ['b', 'a']);
  const base = {
    timeoutMs: 10_000,
    retries: 0,
    intervalMs: 10_000,
    headers: [],
    metadata: {},
    failureLimit: 0,
  };
  t.strictSame(plan.requires, [
    { ...base, name: 'requires[0]', type: 'requires', url: 'http://r/1' },
    {
      ...base,
      name: 'requires[1]',
      type: 'requires',
      url: 'http://r/2',
      timeoutMs: 3_000,
      headers: [{ name: 'x-a', value: 'b' }],
      metadata: { k: 'v' },
    },
  ]);
  t.strictSame(plan.webhooks, [
    {
      ...base,
      name: 'gate',
      type: 'confirm-rollout',
      url: 'http://h/x?y=1',
      timeoutMs: 2_000,
      retries: 3,
      intervalMs: 60_000,
      headers: [{ name: 'authorization', value: 'secret' }],
      metadata: { constructor: 'x' },
    },
  ]);
  t.strictSame(plan.notifications, [
    {
      url: 'http://n',
      format: 'cloudevents',
      on: ['aborted'],
      headers: [{ name: 'a', value: 'b' }],
      timeoutMs: 1_000,
    },
    {
      url: 'http://n',
      format: 'plain',
      on: ['started', 'step', 'paused', 'aborted', 'completed'],
      headers: [],
      timeoutMs: 5_000,
    },
  ]);
});

t.test('steps', async (t) => {
  const cohorts = 'cohorts: { staff: { header: { x: y } }, beta: { cookie: { b: { present: true } } } }\n';
  const staff = { kind: 'header', name: 'x', match: { kind: 'oneOf', values: ['y'] } };
  const header = (match: object) => ({ kind: 'header', name: 'h', match });
  const cases: [step: string, compiled: object][] = [
    ['setWeight: 12.34', { kind: 'setWeight', weightBp: 1_234 }],
    ['pause: {}', { kind: 'pause', durationMs: null }],
    ['pause: { duration: 5m }', { kind: 'pause', durationMs: 300_000 }],
    ['pause: { duration: 300 }', { kind: 'pause', durationMs: 300_000 }],
    ['pause: { duration: "300" }', { kind: 'pause', durationMs: 300_000 }],
    ['pause: { duration: 1h30m }', { kind: 'pause', durationMs: 5_400_000 }],
    ['pause: { duration: 0 }', { kind: 'pause', durationMs: 0 }],
    ['setMirror: 100', { kind: 'setMirror', percentBp: 10_000 }],
    ['setCanaryScale: { weight: 5 }', { kind: 'setCanaryScale' }],
    ['setScope: {}', { kind: 'setScope', when: null, label: 'everyone' }],
    [
      'setScope: { region: [EU-West, us] }',
      {
        kind: 'setScope',
        when: { kind: 'region', oneOf: ['eu-west', 'us'] },
        label: 'region eu-west, us',
      },
    ],
    ['setScope: { cohort: staff }', { kind: 'setScope', when: staff, label: 'cohort staff' }],
    [
      'setScope: { cohort: [staff, beta] }',
      {
        kind: 'setScope',
        when: { kind: 'any', of: [staff, { kind: 'cookie', name: 'b', match: { kind: 'present' } }] },
        label: 'cohort staff, beta',
      },
    ],
    ['setHeaderRoute: { name: r }', { kind: 'setHeaderRoute', name: 'r', when: null }],
    ['setHeaderRoute: { name: r, match: [] }', { kind: 'setHeaderRoute', name: 'r', when: null }],
    [
      'setHeaderRoute: { name: r, match: [{ headerName: H, headerValue: { exact: a } }, { headerName: h, headerValue: { prefix: b } }, { headerName: h, headerValue: { regex: "c|d" } }] }',
      {
        kind: 'setHeaderRoute',
        name: 'r',
        when: {
          kind: 'any',
          of: [
            header({ kind: 'oneOf', values: ['a'] }),
            header({ kind: 'prefix', value: 'b' }),
            header({ kind: 'pattern', source: '^(?:c|d)$' }),
          ],
        },
      },
    ],
    ['setMirrorRoute: { name: r }', { kind: 'setMirrorRoute', name: 'r', percentBp: 10_000, when: null }],
    [
      'setMirrorRoute: { name: r, percentage: 35, match: [{ method: { exact: GET }, path: { prefix: / }, headers: { H: { exact: a } } }, { method: { regex: "P.*" } }] }',
      {
        kind: 'setMirrorRoute',
        name: 'r',
        percentBp: 3_500,
        when: {
          kind: 'any',
          of: [
            {
              kind: 'all',
              of: [
                { kind: 'method', oneOf: ['GET'] },
                { kind: 'path', match: { kind: 'prefix', value: '/' } },
                header({ kind: 'oneOf', values: ['a'] }),
              ],
            },
            { kind: 'method', oneOf: ['POST', 'PUT', 'PATCH'] },
          ],
        },
      },
    ],
    [
      'setMirrorRoute: { name: r, match: [{}] }',
      { kind: 'setMirrorRoute', name: 'r', percentBp: 10_000, when: { kind: 'all', of: [] } },
    ],
  ];
  for (const [step, expected] of cases) {
    t.strictSame(planOf(withStep(step, '', cohorts)).steps, [expected], step);
  }
});

t.test('routes have their order from managedRoutes, or from the steps', async (t) => {
  const steps =
    'steps: [{ setHeaderRoute: { name: x } }, { setMirrorRoute: { name: y } }, { setHeaderRoute: { name: x } }]';
  t.strictSame(planOf(withRollout(steps)).managedRoutes, ['x', 'y']);
  t.strictSame(planOf(withRollout(`${steps}\nmanagedRoutes: [y, z, x]`)).managedRoutes, ['y', 'z', 'x']);
});

t.test('an experiment', async (t) => {
  const [step] = planOf(
    withStep(
      'experiment: { duration: 5m, templates: [{ name: base, specRef: stable, weight: 5 }, { name: new, specRef: canary, weight: 5.5 }, { name: own, version: v2 }], analyses: [{ name: q, templateName: t, args: [{ name: x, value: "3" }], requiredForCompletion: true }, { name: r, templateName: t }], dryRun: [{ metricName: m3 }] }',
      `t: { args: [{ name: x, value: "1" }], metrics: [{ name: "m{{args.x}}", ${PROVIDER} }] }`,
    ),
  ).steps;
  t.match(step, {
    kind: 'experiment',
    durationMs: 300_000,
    templates: [
      { name: 'base', version: 'v1', weightBp: 500 },
      { name: 'new', version: 'v2', weightBp: 550 },
      { name: 'own', version: 'v2', weightBp: 0 },
    ],
    analyses: [
      {
        name: 'q',
        requiredForCompletion: true,
        analysis: { noData: 'hold', metrics: [{ name: 'm3', dryRun: true }] },
      },
      { name: 'r', requiredForCompletion: false, analysis: { metrics: [{ name: 'm1', dryRun: false }] } },
    ],
  });
});

t.test('a rollout webhook is a metric of the background analysis', async (t) => {
  const hooks =
    'webhooks: [{ name: load, url: http://h, interval: 15s, failureLimit: 2 }, { name: g, type: event, url: http://h }]';
  const metric = {
    name: 'load',
    provider: { kind: 'webhook', hook: 'load' },
    intervalMs: 15_000,
    initialDelayMs: 0,
    count: null,
    successCondition: null,
    failureCondition: null,
    failureLimit: 2,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    consecutiveSuccessLimit: 0,
    dryRun: false,
    retention: 10,
    minSamples: null,
  };
  t.strictSame(planOf(withRollout(`steps: [{ setWeight: 5 }]\n${hooks}`)).background, {
    analysis: { metrics: [metric], noData: 'hold' },
    startingStep: 0,
  });
  const beside = planOf(
    withTemplate(
      `metrics: [{ name: m, ${PROVIDER} }]`,
      `analysis: { templates: [t], startingStep: 0 }\n${hooks}`,
    ),
  );
  t.match(beside.background, { analysis: { metrics: [{ name: 'm' }, metric] }, startingStep: 0 });
});

t.test('no data holds, unless Argo’s ways are wanted', async (t) => {
  const noData = (keys: string) =>
    planOf(withTemplate(`metrics: [{ name: m, ${PROVIDER} }]`, `analysis: { templates: [t] }\n${keys}`))
      .background?.analysis.noData;
  t.equal(noData(''), 'hold');
  t.equal(noData('onNoData: hold'), 'hold');
  t.equal(noData('onNoData: abort'), 'error');
  t.equal(noData('compat: argo'), 'error');
  t.equal(noData('compat: coalmine'), 'hold');
});

t.test('definitions say whether it is another rollout', async (t) => {
  const base = withRollout(
    'steps: [{ pause: { duration: 5m } }, { analysis: { templates: [t], args: [{ name: x, value: "1" }] } }]',
    `t: { args: [{ name: x }], metrics: [{ name: m, successCondition: "result > 1", ${PROVIDER} }] }`,
  );
  const ids = (text: string) => {
    const { canaryDefinition, stableDefinition, stepsDefinition } = planOf(text);
    return [canaryDefinition, stableDefinition, stepsDefinition];
  };
  const first = ids(base);
  const changed = (from: string | RegExp, to: string) => {
    const text = base.replace(from, to);
    t.not(text, base);
    return ids(text).map((id, i) => id !== first[i]);
  };
  const [no, yes] = [false, true];
  t.strictSame(changed('http://b:1', 'http://b:2'), [yes, no, no], 'the canary’s URL');
  t.strictSame(changed('http://b:1 }', 'http://b:1, revision: x }'), [yes, no, no], 'the canary’s revision');
  t.strictSame(changed('http://a:1', 'http://a:2'), [no, yes, no], 'stable’s URL');
  t.strictSame(changed(/v2/g, 'v3'), [yes, yes, no], 'the canary’s name, in both');
  const [canary, stable] = ids(base.replace('http://b:1', 'http://a:1'));
  t.equal(canary, stable, 'a canary put back to what stable is');
  t.strictSame(changed('5m', '6m'), [no, no, yes], 'a pause');
  t.strictSame(changed('value: "1"', 'value: "2"'), [no, no, yes], 'an argument');
  t.strictSame(changed('5m', '300'), [no, no, no], 'the same in another form');
  t.strictSame(changed('result > 1', 'result > 2'), [no, no, no], 'what a template measures');
  t.strictSame(changed('http://b:1', 'http://B:1/'), [no, no, no], 'the same URL');
  t.strictSame(
    changed('http://b:1 }', 'http://b:1, timeouts: { connect: 1s } }'),
    [no, no, no],
    'a time-out',
  );
  const several = (list: string) => ids(base.replace('url: http://b:1', `urls: [${list}]`))[0];
  t.equal(several('http://b:1, http://c:1'), several('http://c:1, http://b:1'), 'the order of endpoints');
});

t.test('the folder of the state', async (t) => {
  const service = `services: { a: { ${'versions: { v1: { url: http://a } }'} } }\n`;
  t.equal(compiled(service).stateDir, '/var/lib/coalmine');
  t.equal(compiled(`state: { dir: here }\n${service}`).stateDir, '/etc/coalmine/here');
});

t.test('a rollout does not begin a new stage by itself', async (t) => {
  const plain = compiled(`services:\n  a:\n${indent(TWO_VERSIONS, 4)}`);
  const { split } = compiled(withRollout('steps: [{ setWeight: 5 }]'));
  t.strictSame(split.services, plain.split.services);
});

t.test('a rollout of a broken service is looked at all the same', async (t) => {
  const { issues } = inspect(
    withRollout('steps: [{ analysis: { templates: [x] } }]').replace('canary: v2', 'canary: v9'),
  );
  t.strictSame(
    issues.map((issue) => issue.path),
    ['services.a.canary', 'services.a.rollout.steps[0].analysis.templates[0]'],
  );
});
