import t from 'tap';
import { path, refused, withKeys, withThree } from './refused.ts';
import { ONE_STEP, withRollout, withStep, withTemplate } from './rollouts.ts';
import { inspect } from './support.ts';

const rollout = (rest: string) => path(`rollout.${rest}`);
const keys = (text: string) => withRollout(`${ONE_STEP}${text}\n`);

refused('the parts of a rollout', [
  ['no steps', withKeys('▶rollout: {}\n'), rollout('steps'), /missing/, /setWeight: 5/],
  [
    'an empty list of steps',
    withRollout('steps: ▶[]'),
    rollout('steps'),
    /must not be empty/,
    /add an entry/,
  ],
  [
    'several canaries',
    withThree(
      'stable: v1\ncanaries: [{ version: v2 }, { version: v3 }]\n▶rollout: { steps: [{ setWeight: 5 }] }\n',
    ),
    path('rollout'),
    /needs one canary/,
    /instead of canaries/,
  ],
  ['a start of its own', keys('start: ▶now'), rollout('start'), /auto or manual/, /auto, manual/],
  ['an outcome that is none', keys('onFailure: ▶hold'), rollout('onFailure'), /abort or pause/, /./],
  [
    'holding under Argo’s rules',
    keys('compat: argo\nonNoData: ▶hold'),
    rollout('onNoData'),
    /contradicts compat: argo/,
    /remove one/,
  ],
  [
    'both deadlines',
    keys('progressDeadline: 5m\n▶progressDeadlineSeconds: 300'),
    rollout('progressDeadlineSeconds'),
    /beside `progressDeadline`/,
    /keep one/,
  ],
  [
    'a deadline without sense',
    keys('progressDeadline: ▶soon'),
    rollout('progressDeadline'),
    /must be a duration/,
    /5m, 1h30m or 300/,
  ],
  [
    'a deadline of nothing',
    keys('progressDeadline: ▶0s'),
    rollout('progressDeadline'),
    /from 1s/,
    /1s or more/,
  ],
  [
    'a window below zero',
    keys('rollbackWindow: { revisions: ▶-1 }'),
    rollout('rollbackWindow.revisions'),
    /from 0 to 50/,
    /0 or more/,
  ],
  [
    'a background analysis that never starts',
    withTemplate(
      'metrics: [{ name: m, provider: { coalmine: { measure: rate } } }]',
      'analysis: { templates: [t], startingStep: ▶1 }',
    ),
    rollout('analysis.startingStep'),
    /after the last step/,
    /from 0 to 0/,
  ],
  [
    'a folder of state that is none',
    `state: { dir: ▶"" }\n${withKeys('')}`,
    'state.dir',
    /must not be empty/,
    /./,
  ],
]);

refused('webhooks and notifications', [
  [
    'a webhook without URL',
    keys('webhooks:\n  - ▶{ name: x }').replace('▶{', '{').replace('- {', '- ▶{'),
    rollout('webhooks[0].url'),
    /missing/,
    /what is called/,
  ],
  [
    'a URL without scheme',
    keys('webhooks: [{ name: x, url: ▶hooks:8080 }]'),
    rollout('webhooks[0].url'),
    /begin with http/,
    /http:\/\/host/,
  ],
  [
    'a URL with a password',
    keys('webhooks: [{ name: x, url: "▶http://u:hunter2@h" }]').replace('"▶', '▶"'),
    rollout('webhooks[0].url'),
    /must not hold credentials/,
    /header/,
  ],
  [
    'a type that is none',
    keys('webhooks: [{ name: x, url: http://h, type: ▶pre-rolout }]'),
    rollout('webhooks[0].type'),
    /confirm-rollout/,
    /did you mean pre-rollout/,
  ],
  [
    'a name twice',
    keys('webhooks: [{ name: x, url: http://h }, { name: ▶x, url: http://h }]'),
    rollout('webhooks[1].name'),
    /name of another webhook/,
    /another name/,
  ],
  [
    'a name that is taken',
    keys('webhooks: [{ name: ▶"requires[0]", url: http://h }]'),
    rollout('webhooks[0].name'),
    /begins with requires/,
    /taken/,
  ],
  [
    'a name of a metric',
    withTemplate(
      'metrics: [{ name: m, provider: { coalmine: { measure: rate } } }]',
      'analysis: { templates: [t] }\nwebhooks: [{ name: ▶m, url: http://h }]',
    ),
    rollout('webhooks[0].name'),
    /name of a metric/,
    /another name/,
  ],
  [
    'failures of a gate',
    keys('webhooks: [{ name: x, type: confirm-rollout, url: http://h, ▶failureLimit: 1 }]'),
    rollout('webhooks[0].failureLimit'),
    /types rollout and pre-rollout/,
    /remove/,
  ],
  [
    'a header that is none',
    keys('webhooks: [{ name: x, url: http://h, headers: { ▶"a b": c } }]'),
    rollout('webhooks[0].headers["a b"]'),
    /header name/,
    /x-user-id/,
  ],
  [
    'metadata that is no text',
    keys('webhooks: [{ name: x, url: http://h, metadata: { a: ▶5 } }]'),
    rollout('webhooks[0].metadata.a'),
    /must be text/,
    /in quotes/,
  ],
  [
    'a condition without webhook',
    keys('requires: [▶http://h]'),
    rollout('requires[0]'),
    /mapping of keys, not text/,
    /\{ webhook: URL \}/,
  ],
  [
    'a condition with a bad URL',
    keys('requires: [{ webhook: ▶ftp://h }]'),
    rollout('requires[0].webhook'),
    /begin with http/,
    /./,
  ],
  [
    'a format that is none',
    keys('notifications: [{ url: http://h, format: ▶teams }]'),
    rollout('notifications[0].format'),
    /plain, slack or cloudevents/,
    /./,
  ],
  [
    'an event that is none',
    keys('notifications: [{ url: http://h, on: [▶finished] }]'),
    rollout('notifications[0].on[0]'),
    /started, step/,
    /./,
  ],
  [
    'an event twice',
    keys('notifications: [{ url: http://h, on: [step, ▶step] }]'),
    rollout('notifications[0].on[1]'),
    /twice/,
    /remove/,
  ],
]);

t.test('too many of anything is refused', async (t) => {
  const many = (count: number, item: (i: number) => string) =>
    `[${Array.from({ length: count }, (_, i) => item(i)).join(', ')}]`;
  const cases: [text: string, path: string][] = [
    [withRollout(`steps: ${many(201, () => '{ setWeight: 5 }')}`), rollout('steps')],
    [keys(`webhooks: ${many(51, (i) => `{ name: n${i}, url: http://h }`)}`), rollout('webhooks')],
    [keys(`requires: ${many(51, () => '{ webhook: http://h }')}`), rollout('requires')],
    [keys(`notifications: ${many(51, () => '{ url: http://h }')}`), rollout('notifications')],
    [
      withTemplate(
        `metrics: ${many(101, (i) => `{ name: n${i}, provider: { coalmine: { measure: rate } } }`)}`,
      ),
      'analysisTemplates.t.metrics',
    ],
  ];
  for (const [text, at] of cases) {
    const { issues } = inspect(text);
    t.match(issues, [{ path: at, message: /has more than \d+ entries/ }], at);
    t.equal(issues.length, 1);
  }
});

t.test('a secret in a header is never shown', async (t) => {
  for (const value of ['[hunter2]', '{ hunter2: x }', '12345678', '"hunter2\\n"']) {
    const { issues } = inspect(keys(`webhooks: [{ name: x, url: http://h, headers: { a: ${value} } }]`));
    t.equal(issues.length, 1, value);
    t.notMatch(JSON.stringify(issues), /hunter2|12345678/);
  }
});

t.test('what works and is seldom meant is a warning', async (t) => {
  const { warnings, issues } = inspect(withStep('setCanaryScale: { replicas: 3 }', '', 'weight: 5\n'));
  t.strictSame(issues, []);
  t.match(warnings, [
    { path: 'services.a.weight', message: /no effect beside a rollout/ },
    { path: 'services.a.rollout.steps[0].setCanaryScale', message: /no effect/ },
  ]);
});

t.test('everything wrong with a rollout is told at once', async (t) => {
  const { issues } = inspect(`services:
  a:
    versions: { v1: { url: http://a }, v2: { url: htp://b } }
    stable: v1
    canary: v2
    rollout:
      steps:
        - { setWeight: 500 }
        - { analysis: { templates: [nope] } }
        - { setScope: { cohort: nobody } }
        - { pause: { duration: soon } }
      analysis: { templates: [t], startingStep: 9 }
      webhooks: [{ name: x, url: h }, { name: y, url: http://h, type: event, failureLimit: 3 }]
analysisTemplates:
  t: { metrics: [{ name: m, successCondition: "result >", ${'provider: { coalmine: { measure: rate } }'} }] }
  unused: { metrics: [{ name: m, provider: {} }, { name: o, count: 5, provider: { coalmine: { measure: rate } } }] }
`);
  t.strictSame(
    issues.map((issue) => issue.path),
    [
      'services.a.versions.v2.url',
      'services.a.rollout.steps[0].setWeight',
      'services.a.rollout.steps[1].analysis.templates[0]',
      'services.a.rollout.steps[2].setScope.cohort',
      'services.a.rollout.steps[3].pause.duration',
      'services.a.rollout.analysis.startingStep',
      'services.a.rollout.webhooks[0].url',
      'services.a.rollout.webhooks[1].failureLimit',
      'analysisTemplates.t.metrics[0].successCondition',
      'analysisTemplates.unused.metrics[0].provider',
      'analysisTemplates.unused.metrics[1].count',
    ],
  );
});
