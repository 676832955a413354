import { path, refused } from './refused.ts';
import { PROVIDER, withRollout, withStep } from './rollouts.ts';

const step = (rest: string, i = 0) => path(`rollout.steps[${i}]${rest === '' ? '' : `.${rest}`}`);
const TEMPLATE = `t: { metrics: [{ name: m, ${PROVIDER} }] }`;
const cohorts = 'cohorts: { internal: { header: { x: y } } }\n';
const two = (first: string, second: string) => withRollout(`steps:\n  - ${first}\n  - ${second}`, TEMPLATE);
const experiment = (text: string) => withStep(`experiment: ${text}`, TEMPLATE);

refused('steps', [
  ['a step of nothing', withStep('▶{}'), step(''), /must not be empty/, /add an entry/],
  [
    'two kinds in one step',
    withStep('▶{ setWeight: 5, pause: {} }'),
    step(''),
    /several keys/,
    /keep one of .*setWeight, pause/,
  ],
  ['a step as word', withStep('▶pause'), step(''), /mapping of keys, not text/, /setWeight: 5/],
  [
    'a misspelt step',
    withStep('▶setWieght: 5'),
    step('setWieght'),
    /not a known key/,
    /did you mean setWeight/,
  ],
  ['a plugin', withStep('▶plugin: { name: x }'), step('plugin'), /not supported/, /web provider/],
  ['a weight over 100', withStep('setWeight: ▶101'), step('setWeight'), /from 0 to 100/, /./],
  ['a weight with a third decimal', withStep('setWeight: ▶0.001'), step('setWeight'), /two decimals/, /./],
  [
    'a pause without unit of its own',
    withStep('pause: { duration: ▶5x }'),
    step('pause.duration'),
    /duration/,
    /5m/,
  ],
  [
    'a pause below zero',
    withStep('pause: { duration: ▶-5 }'),
    step('pause.duration'),
    /from 0 to/,
    /0 or more/,
  ],
  [
    'a pause of a fraction',
    withStep('pause: { duration: ▶1.5 }'),
    step('pause.duration'),
    /number of seconds, not a number/,
    /5m, 1h30m or 300/,
  ],
  [
    'an empty pause',
    withStep('▶pause:').replace('▶pause:', 'pause: ▶~'),
    step('pause'),
    /is empty/,
    /duration: 5m/,
  ],
  [
    'a template that does not exist',
    withStep('analysis: { templates: [▶tt] }', TEMPLATE),
    step('analysis.templates[0]'),
    /not an analysis template/,
    /the templates are t/,
  ],
  [
    'a template where there is none',
    withStep('analysis: { templates: [{ templateName: ▶x }] }'),
    step('analysis.templates[0].templateName'),
    /not an analysis template/,
    /top level/,
  ],
  [
    'a template twice',
    withStep('analysis: { templates: [t, ▶t] }', TEMPLATE),
    step('analysis.templates[1]'),
    /twice/,
    /remove/,
  ],
  [
    'a template of the cluster',
    withStep('analysis: { templates: [{ templateName: t, ▶clusterScope: true }] }', TEMPLATE),
    step('analysis.templates[0].clusterScope'),
    /not supported/,
    /outside Kubernetes/,
  ],
  [
    'a dry run of nothing',
    withStep('analysis: { templates: [t], dryRun: [{ metricName: ▶^x }] }', TEMPLATE),
    step('analysis.dryRun[0].metricName'),
    /matches no metric/,
    /the metrics are m/,
  ],
  [
    'a retention of nothing',
    withStep('analysis: { templates: [t], measurementRetention: [{ metricName: ▶x, limit: 3 }] }', TEMPLATE),
    step('analysis.measurementRetention[0].metricName'),
    /matches no metric/,
    /./,
  ],
]);

refused('routes and scopes', [
  [
    'a route that is not managed',
    withRollout('managedRoutes: [{ name: first }]\nsteps: [{ setHeaderRoute: { name: ▶frist } }]'),
    step('setHeaderRoute.name'),
    /not in managedRoutes/,
    /did you mean first/,
  ],
  [
    'a mirror route that is not managed',
    withRollout('managedRoutes: []\nsteps: [{ setMirrorRoute: { name: ▶x } }]'),
    step('setMirrorRoute.name'),
    /not in managedRoutes/,
    /add it/,
  ],
  [
    'a managed route twice',
    withRollout('managedRoutes: [x, { name: x }]\nsteps: [{ setWeight: 5 }]').replace(
      '{ name: x }',
      '▶{ name: x }',
    ),
    path('rollout.managedRoutes[1]'),
    /twice/,
    /remove/,
  ],
  [
    'a header match of two kinds',
    withStep(
      'setHeaderRoute: { name: x, match: [{ headerName: h, headerValue: ▶{ exact: a, prefix: b } }] }',
    ),
    step('setHeaderRoute.match[0].headerValue'),
    /several keys/,
    /exact, prefix, regex/,
  ],
  [
    'a broken pattern',
    withStep('setHeaderRoute: { name: x, match: [{ headerName: h, headerValue: { regex: "ab▶[c" } }] }'),
    step('setHeaderRoute.match[0].headerValue.regex'),
    /not a valid pattern/,
    /RE2/,
  ],
  [
    'a look-ahead',
    withStep('setHeaderRoute: { name: x, match: [{ headerName: h, headerValue: { regex: ab▶(?=c) } }] }'),
    step('setHeaderRoute.match[0].headerValue.regex'),
    /not a valid pattern/,
    /look-around/,
  ],
  [
    'a method in small letters',
    withStep('setMirrorRoute: { name: x, match: [{ method: ▶{ prefix: p } }] }'),
    step('setMirrorRoute.match[0].method'),
    /matches no method/,
    /capital/,
  ],
  [
    'an unknown cohort',
    withStep('setScope: { cohort: ▶inernal }', '', cohorts),
    step('setScope.cohort'),
    /not a cohort/,
    /did you mean internal/,
  ],
  [
    'one unknown cohort of several',
    withStep('setScope: { cohort: [internal, ▶x] }', '', cohorts),
    step('setScope.cohort[1]'),
    /not a cohort/,
    /internal/,
  ],
  [
    'region and cohort',
    withStep('setScope: ▶{ region: eu, cohort: internal }', '', cohorts),
    step('setScope'),
    /several keys/,
    /keep one of region, cohort/,
  ],
]);

refused('experiments', [
  [
    'no version',
    experiment('{ duration: 5m, templates: [▶{ name: x }] }'),
    step('experiment.templates[0]'),
    /names no version/,
    /add version/,
  ],
  [
    'version and specRef',
    experiment('{ duration: 5m, templates: [{ name: x, version: v2, ▶specRef: canary }] }'),
    step('experiment.templates[0].specRef'),
    /beside `version`/,
    /keep one/,
  ],
  [
    'a version that does not exist',
    experiment('{ duration: 5m, templates: [{ name: x, version: ▶v3 }] }'),
    step('experiment.templates[0].version'),
    /not a version/,
    /v1, v2/,
  ],
  [
    'replicas',
    experiment('{ duration: 5m, templates: [{ name: x, specRef: canary, ▶replicas: 2 }] }'),
    step('experiment.templates[0].replicas'),
    /not supported/,
    /outside Kubernetes/,
  ],
  [
    'weights over 100 with the canary’s',
    two(
      'setWeight: 50',
      'experiment: { duration: 5m, templates: [{ name: x, version: v2, weight: 30 }, { name: y, version: v2, weight: ▶30 }] }',
    ),
    step('experiment.templates[1].weight', 1),
    /to 110 percent/,
    /100 or less/,
  ],
  [
    'a name twice',
    experiment('{ duration: 5m, templates: [{ name: x, version: v2 }, { name: ▶x, version: v1 }] }'),
    step('experiment.templates[1].name'),
    /another template/,
    /another name/,
  ],
  [
    'an analysis twice',
    experiment(
      '{ duration: 5m, templates: [{ name: x, version: v2 }], analyses: [{ name: y, templateName: t }, { name: ▶y, templateName: t }] }',
    ),
    step('experiment.analyses[1].name'),
    /another analysis/,
    /another name/,
  ],
  [
    'no end',
    withStep(
      '▶experiment: { templates: [{ name: x, version: v2 }], analyses: [{ name: y, templateName: t }] }',
      TEMPLATE,
    ),
    step('experiment'),
    /never ends/,
    /requiredForCompletion/,
  ],
  [
    'an unknown template',
    experiment(
      '{ duration: 5m, templates: [{ name: x, version: v2 }], analyses: [{ name: y, templateName: ▶z }] }',
    ),
    step('experiment.analyses[0].templateName'),
    /not an analysis template/,
    /./,
  ],
  [
    'a dry run of nothing',
    experiment(
      '{ duration: 5m, templates: [{ name: x, version: v2 }], analyses: [{ name: y, templateName: t }], dryRun: [{ metricName: ▶zz }] }',
    ),
    step('experiment.dryRun[0].metricName'),
    /matches no metric/,
    /the metrics are m/,
  ],
]);
