import t from 'tap';
import { LATENCY_EDGES_MS } from '../../src/config/defaults.ts';
import { formatIssue } from '../../src/config/issue.ts';
import { planOf, withRollout, withStep } from './rollouts.ts';
import { compiled, type InspectOptions, indent, inspect, TWO_VERSIONS } from './support.ts';

const ROLLOUT = 'rollout: { steps: [{ setWeight: 5 }] }\n';
const text = (keys: string) => `services:\n  a:\n${indent(TWO_VERSIONS + keys, 4)}`;

/** What is judged of the one service with these keys. */
function judgeOf(keys: string, options: InspectOptions = {}) {
  const { judges, split } = compiled(text(keys), options);
  const [judge] = judges;
  const [service] = split.services;
  if (judge === undefined || service === undefined) throw new Error('nothing is judged');
  return { judge, service };
}

const warningsOf = (config: string) =>
  inspect(config).warnings.map(({ path, message }) => `${path}: ${message}`);

t.test('the six lines of the design', async (t) => {
  const { judge, service } = judgeOf(`weight: 5
predictions: { class: /prediction, confidence: /confidence }
mirror: { to: v2 }
gates:
  successRate: { atLeast: 0.99 }
  latency: { p99: 200ms }
  predictionShift: { atMost: 0.10 }
  confidence: { mean: 0.7 }
  agreement: { atLeast: 0.95 }
  ctr: { kpi: click, within: 5% }
${ROLLOUT}`);
  const judged = {
    canary: 1,
    slow: [{ gate: 'latency', thresholdMs: 200 }],
    unsure: [{ gate: 'confidence', below: 0.7 }],
    observe: {
      format: 'json',
      class: ['prediction'],
      confidence: ['confidence'],
      score: null,
      scoreRange: [0, 1],
      labels: [],
      share: 1,
      maxPerSecond: 200,
      maxBytes: 262_144,
      cpuShare: 0.05,
      pairs: { by: 'class', tolerance: 0.01, ignore: [], keep: 0, redact: [] },
    },
    predictionSecret: 'made at start for kpis',
  };
  t.strictSame(judge, {
    service: 'a',
    plan: {
      gates: [
        { kind: 'successRate', name: 'successRate', atLeast: 0.99, tolerate: 1 },
        { kind: 'latency', name: 'latency', quantile: 0.99, thresholdMs: 200, delta: 0.25 },
        { kind: 'predictionShift', name: 'predictionShift', atMost: 0.1 },
        { kind: 'confidence', name: 'confidence', mean: 0.7 },
        { kind: 'agreement', name: 'agreement', atLeast: 0.95 },
        { kind: 'kpi', name: 'ctr', kpi: 'click', within: 0.05 },
      ],
      alpha: 0.01,
      beta: 0.01,
      minSamples: 50,
    },
    judged,
    scoreRange: [0, 1],
    experiment: null,
    revisions: {},
  });
  t.strictSame(service.judged, { rule: -1, ...judged }, 'the data path counts just that');
});

t.test('every key reaches its setting', async (t) => {
  const { judge } = judgeOf(`predictions:
  format: tensorflow
  class: /predictions/*/a~1b
  score: ""
  scoreRange: [-1, 5.5]
  labels: [x, constructor]
  sample: { share: 0.25, perSecond: 7, maxBody: 1MiB, cpu: 0.5 }
mirror: { to: v2 }
shadow: { compare: json, ignore: [/t, /items/*/id], keep: 3, redact: [/user] }
gates:
  alpha: 0.05
  beta: 0.02
  minSamples: 9
  constructor: { kpi: sale, within: 0.5% }
  latency: { p50: 33ms, delta: 1 }
  successRate: { atLeast: 0.9, tolerate: 1.5 }
${ROLLOUT}`);
  t.strictSame(judge.plan, {
    gates: [
      { kind: 'kpi', name: 'constructor', kpi: 'sale', within: 0.005 },
      { kind: 'latency', name: 'latency', quantile: 0.5, thresholdMs: 33, delta: 1 },
      { kind: 'successRate', name: 'successRate', atLeast: 0.9, tolerate: 1.5 },
    ],
    alpha: 0.05,
    beta: 0.02,
    minSamples: 9,
  });
  t.strictSame(judge.judged.observe, {
    format: 'tensorflow',
    class: ['predictions', '*', 'a/b'],
    confidence: null,
    score: [],
    scoreRange: [-1, 5.5],
    labels: ['x', 'constructor'],
    share: 0.25,
    maxPerSecond: 7,
    maxBytes: 1_048_576,
    cpuShare: 0.5,
    pairs: {
      by: 'json',
      tolerance: 0.01,
      ignore: [['t'], ['items', '*', 'id']],
      keep: 3,
      redact: [['user']],
    },
  });
  t.strictSame(judge.scoreRange, [-1, 5.5]);
});

t.test('an output of v2 is named as it is', async (t) => {
  const { judge } = judgeOf('predictions: { format: v2, class: /model/out:0, score: y }\n');
  t.match(judge.judged.observe, { class: ['/model/out:0'], confidence: null, score: ['y'] });
});

t.test('scores of openai are tokens', async (t) => {
  const range = (keys: string) => judgeOf(`predictions: { format: openai${keys} }\n`).judge.scoreRange;
  t.strictSame(range(''), [0, 4_096]);
  t.strictSame(range(', score: /ttfbMs, scoreRange: [0, 500]'), [0, 500]);
});

t.test('formats that speak for themselves bear gates without pointers', async (t) => {
  const gates = (list: string, format: string) =>
    inspect(text(`predictions: { format: ${format} }\ngates: ${list}\n${ROLLOUT}`)).issues.map(formatIssue);
  const all = '{ predictionShift: { atMost: 0.1 }, confidence: { mean: 0.7 } }';
  t.strictSame(gates(all, 'tensorflow'), []);
  t.strictSame(gates(all, 'v2'), []);
  t.strictSame(gates(all, 'v2, class: probabilities'), [], 'an output of probabilities');
  t.strictSame(gates('{ predictionShift: { atMost: 0.1 } }', 'openai'), []);
});

t.test('each quantile, and its threshold a bucket edge', async (t) => {
  for (const [key, quantile] of [
    ['p50', 0.5],
    ['p90', 0.9],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    const { judge, service } = judgeOf(`gates: { latency: { ${key}: 120ms } }\n${ROLLOUT}`);
    t.match(judge.plan.gates, [{ kind: 'latency', quantile, thresholdMs: 120 }]);
    t.strictSame(
      service.latencyEdgesMs,
      [...LATENCY_EDGES_MS, 120].sort((a, b) => a - b),
    );
  }
  const { service } = judgeOf(`latencyEdges: [120ms]\ngates: { latency: { p99: 0.12s } }\n${ROLLOUT}`);
  t.equal(service.latencyEdgesMs.filter((edge) => edge === 120).length, 1);
});

t.test('what is compared of the copies', async (t) => {
  const by = (keys: string) => judgeOf(keys).judge.judged.observe?.pairs?.by ?? null;
  const mirror = 'mirror: { to: v2 }\n';
  t.equal(by(`${mirror}predictions: { class: /c, score: /s }\n`), 'class');
  t.equal(by(`${mirror}predictions: { score: /s }\n`), 'score');
  t.equal(by(`${mirror}predictions: { confidence: /s }\n`), 'json');
  t.equal(by(`${mirror}shadow: {}\n`), 'json');
  t.equal(by(`${mirror}predictions: { class: /c, score: /s }\nshadow: { compare: score }\n`), 'score');
  t.equal(by('predictions: { class: /c }\n'), null, 'without copies nothing');
  for (const step of ['setMirror: 100', 'setMirrorRoute: { name: r }']) {
    t.equal(by(`predictions: { class: /c }\nrollout: { steps: [{ ${step} }] }\n`), 'class', step);
  }
});

t.test(
  'only services of which something is read or judged are there, in the order of the file',
  async (t) => {
    const service = (name: string, more: string) =>
      `  ${name}: { match: { path: /${name} }, versions: { v1: { url: http://a }, v2: { url: http://b } }, stable: v1, canary: v2${more} }\n`;
    const config = compiled(
      `services:\n${service('z', ', predictions: { class: /c }')}${service('b', ', mirror: { to: v2 }')}${service(
        'a',
        ', gates: { successRate: { atLeast: 0.9 } }, rollout: { steps: [{ setWeight: 1 }] }',
      )}`,
    );
    t.strictSame(
      config.judges.map(({ service, plan, judged }) => [service, plan.gates.length, judged.observe !== null]),
      [
        ['z', 0, true],
        ['a', 1, false],
      ],
    );
    t.strictSame(
      config.split.services.map((one) => one.judged === null),
      [false, true, false],
    );
  },
);

t.test('between two rollouts stable goes on being read', async (t) => {
  const { judges } = compiled(
    'services: { s: { versions: { v1: { url: http://a } }, predictions: { class: /c }, gates: { predictionShift: { atMost: 0.1 } }, rollout: { steps: [{ setWeight: 1 }] } } }',
  );
  t.match(judges, [{ judged: { canary: -1, observe: { class: ['c'] } } }]);
});

t.test('an experiment', async (t) => {
  const config = (more: string) =>
    `services:\n  a:\n    versions: { v1: { url: http://a }, v2: { url: http://b }, v3: { url: http://c } }\n    stable: v2\n    canaries: [{ version: v1, weight: 30 }, { version: v3, weight: 30 }]\n    sticky: { by: [ip] }\n${indent(more, 4)}`;
  const planOfExperiment = (more: string) => compiled(config(more)).judges[0];
  t.match(planOfExperiment('experiment: { kpi: click }\n'), {
    plan: { gates: [] },
    judged: { canary: 0, predictionSecret: 'made at start for kpis' },
    experiment: { kpi: 'click', alpha: 0.05, variants: ['v2', 'v1', 'v3'] },
  });
  t.match(planOfExperiment('experiment: { kpi: click, alpha: 0.01, variants: [v3, v2] }\n'), {
    experiment: { alpha: 0.01, variants: ['v2', 'v3'] },
  });
  t.match(
    planOfExperiment('gates: { successRate: { atLeast: 0.9 } }\nexperiment: { kpi: click }\n'),
    { plan: { gates: [{ kind: 'successRate' }] } },
    'guardrails beside it',
  );
});

t.test('what signs prediction ids', async (t) => {
  const gates = `gates: { ctr: { kpi: click, within: 5% } }\n${ROLLOUT}`;
  const secret = '0123456789abcdef';
  const given = compiled(`kpi: { secret: ${secret}, expires: 2h }\n${text(gates)}`);
  t.strictSame(given.kpi, { secret, expiresMs: 7_200_000 });
  t.equal(given.split.services[0]?.judged?.predictionSecret, secret);
  t.strictSame(inspect(`kpi: { secret: ${secret} }\n${text(gates)}`).warnings, []);

  t.strictSame(compiled(text(gates)).kpi, { secret: 'made at start for kpis', expiresMs: 2_592_000_000 });
  t.match(inspect(text(gates)).warnings, [
    { path: 'services.a.gates.ctr', message: /this process only/, fix: /kpi: \{ secret/ },
  ]);
  t.equal(
    judgeOf(`gates: { successRate: { atLeast: 0.9 } }\n${ROLLOUT}`).judge.judged.predictionSecret,
    null,
  );
});

t.test('a secret of prediction ids is never shown', async (t) => {
  const { issues } = inspect(`kpi: { secret: hunter2 }\n${text(ROLLOUT)}`);
  t.equal(issues.length, 1);
  t.notMatch(issues.map(formatIssue).join(), /hunter2/);
});

t.test('what works but is seldom meant is a warning', async (t) => {
  const success = 'gates: { successRate: { atLeast: 0.9 } }\n';
  t.match(warningsOf(text(success)), [/services\.a\.gates: changes nothing/]);
  const reported = 'gates: { onFailure: report, successRate: { atLeast: 0.99 } }\n';
  t.strictSame(warningsOf(text(reported)), [], 'unless somebody else is to act');
  t.match(warningsOf(text('shadow: { compare: json }\n')), [/services\.a\.shadow: has nothing to compare/]);
  t.match(warningsOf(text('predictions: { class: /c, sample: { share: 0 } }\n')), [
    /sample\.share: reads no answer/,
  ]);
  const signed = 'kpi: { secret: 0123456789abcdef }\n';
  const experiment = (keys: string) => warningsOf(`${signed}${text(`${keys}experiment: { kpi: click }\n`)}`);
  t.strictSame(experiment('weight: 50\nsticky: { by: [ip] }\n'), []);
  t.match(experiment('sticky: { by: [ip] }\n'), [/experiment: compares what nobody gets: v2/]);
  t.match(experiment('weight: 100\nsticky: { by: [ip] }\n'), [/experiment: compares what nobody gets: v1/]);
  t.match(experiment('weight: 50\n'), [/experiment: deals every request anew/]);
});

t.test('pauses until evidence', async (t) => {
  const gates = 'gates: { successRate: { atLeast: 0.9 } }\n';
  const step = (pause: string) => planOf(withStep(`pause: ${pause}`, '', gates)).steps[0];
  t.strictSame(step('{ until: evidence }'), {
    kind: 'evidence',
    atLeastMs: 60_000,
    atMostMs: null,
    onTimeout: 'hold',
  });
  t.strictSame(step('{ until: evidence, atLeast: 0, atMost: 1h30m, onTimeout: promote }'), {
    kind: 'evidence',
    atLeastMs: 0,
    atMostMs: 5_400_000,
    onTimeout: 'promote',
  });
  const id = (pause: string) => planOf(withStep(`pause: ${pause}`, '', gates)).stepsDefinition;
  t.equal(id('{ until: evidence }'), id('{ until: evidence, atLeast: 1m }'));
  t.not(id('{ until: evidence }'), id('{ until: evidence, atMost: 1h }'));
  t.not(id('{ until: evidence }'), id('{}'));
});

t.test('gates are no part of what makes another rollout', async (t) => {
  const plan = (gates: string) => planOf(withRollout('steps: [{ setWeight: 5 }]', '', gates));
  t.strictSame(plan('gates: { successRate: { atLeast: 0.9 } }\n'), plan(''));
});

t.test('everything wrong with what is judged is told at once', async (t) => {
  const { issues } = inspect(
    text(`predictions: { class: prediction, sample: { share: 2 } }
shadow: { compare: score, redact: [user] }
gates:
  successRate: { atLeast: 2 }
  latency: {}
  confidense: { mean: 0.7 }
  agreement: { atLeast: 0.9 }
experiment: { kpi: "a b" }
rollout: { steps: [{ pause: { until: evidence, duration: 5m } }] }
`),
  );
  t.strictSame(
    issues.map((issue) => issue.path.replace('services.a.', '')),
    [
      'predictions.class',
      'predictions.sample.share',
      'shadow.redact[0]',
      'gates.successRate.atLeast',
      'gates.latency',
      'gates.confidense',
      'gates.agreement',
      'experiment',
      'experiment.kpi',
      'rollout.steps[0].pause.duration',
    ],
    issues.map(formatIssue).join('\n'),
  );
});
