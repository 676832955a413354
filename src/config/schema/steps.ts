import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import type { PlainForm } from '../forms/form.ts';
import {
  argumentsSchema,
  dryRunSchema,
  requiredForCompletionSchema,
  retentionSchema,
  templatesSchema,
} from './analysis.ts';
import { argoDuration, count, mapOf, oneOrMany, percent, section, text, word } from './build.ts';

/** The steps of a rollout, with Argo's keys and ours. */

const KUBERNETES = 'it has no meaning outside Kubernetes; remove it';
const STEP = 'services.NAME.rollout.steps[]';

const routeName = () => text('name', 'a name', { description: 'Name of the route.' });

/** Exactly one comparison of Argo's; `form` restricts the texts that are compared. */
function argoMatch(form: PlainForm | null, description: string, same: string) {
  const value = (meaning: string) =>
    form === null
      ? Type.String({ description: meaning, maxLength: 1_024, 'x-type': 'text', 'x-default': 'none' })
      : text(form, 'text', { description: meaning, 'x-default': 'none' });
  return section(
    {
      exact: value('Equal to this.'),
      prefix: value('Beginning with this.'),
      regex: text('wholePattern', 'an RE2 pattern', {
        description: 'Matched by this pattern as a whole.',
        'x-default': 'none',
      }),
    },
    {
      description,
      minProperties: 1,
      maxProperties: 1,
      'x-same-as': same,
      'x-default': 'anything',
      'x-hint': 'write one of { exact: … }, { prefix: … } or { regex: … }',
    },
  );
}

const HEADER_MATCH = `${STEP}.setHeaderRoute.match[].headerValue`;

const headerRouteSchema = section(
  {
    match: Type.Array(
      section(
        {},
        { description: 'A header.', 'x-hint': 'write { headerName: …, headerValue: { exact: … } }' },
        {
          headerName: text('header', 'a header name', { description: 'The header.' }),
          headerValue: argoMatch(null, 'What its value must be; exactly one of them.', HEADER_MATCH),
        },
      ),
      {
        description: 'Requests with one of these headers get the canary. Without any the route is removed.',
        default: [],
        maxItems: 100,
        'x-type': 'a list of headers',
      },
    ),
  },
  {
    description: 'Sends requests with certain headers to the canary, whatever the weight.',
    'x-default': 'none',
  },
  { name: routeName() },
);

const mirrorRouteSchema = section(
  {
    percentage: percent({ description: 'Percent of the matching requests that are copied.', default: 100 }),
    match: Type.Array(
      section(
        {
          method: argoMatch(null, 'The request’s method.', HEADER_MATCH),
          path: argoMatch(null, 'The request’s normalised path, without the query.', HEADER_MATCH),
          headers: mapOf('header', argoMatch(null, 'The header’s value.', HEADER_MATCH), {
            description: 'Headers and what their values must be; all of them must hold.',
            maxProperties: 32,
            'x-type': 'a mapping from headers to `{ exact: … }`, `{ prefix: … }` or `{ regex: … }`',
            'x-default': 'any',
          }),
        },
        { description: 'All that is given must hold.' },
      ),
      {
        description:
          'Requests that match one of these are copied to the canary. Without any the route is removed.',
        default: [],
        maxItems: 100,
        'x-type': 'a list of mappings',
      },
    ),
  },
  { description: 'Sends copies of certain requests to the canary.', 'x-default': 'none' },
  { name: routeName() },
);

const experimentSchema = section(
  {
    duration: argoDuration(
      { min: '0s', max: '365d' },
      { description: 'How long it lasts.', 'x-default': 'until its required analyses are done' },
    ),
    analyses: Type.Array(
      section(
        { args: argumentsSchema, requiredForCompletion: requiredForCompletionSchema },
        {
          description: 'An analysis.',
          'x-hint': 'write { name: …, templateName: … }',
          'x-refused': { clusterScope: KUBERNETES },
        },
        {
          name: text('label', 'a name', { description: 'Its name within the step.' }),
          templateName: text('name', 'a template', { description: 'The name of an analysis template.' }),
        },
      ),
      {
        description: 'Analyses that run while it lasts; a failed one aborts the rollout.',
        default: [],
        maxItems: 20,
        'x-type': 'a list of mappings',
      },
    ),
    dryRun: dryRunSchema,
  },
  {
    description: 'Gives versions shares of their own for a time, taken from stable’s.',
    'x-default': 'none',
    'x-refused': { analysisRunMetadata: KUBERNETES },
  },
  {
    templates: Type.Array(
      section(
        {
          version: text('name', 'a version', {
            description: 'The version, by its name; either this or `specRef`.',
            'x-default': 'none',
          }),
          specRef: word(['stable', 'canary'], {
            description: 'The version, by its part.',
            'x-default': 'none',
          }),
          weight: percent({ description: 'Percent of the users who get it.', default: 0 }),
        },
        {
          description: 'A version on trial.',
          'x-hint': 'write { name: …, version: …, weight: 5 }',
          'x-refused': {
            replicas: KUBERNETES,
            metadata: KUBERNETES,
            selector: KUBERNETES,
            service: KUBERNETES,
          },
        },
        { name: text('label', 'a name', { description: 'Its name within the step.' }) },
      ),
      {
        description: 'The versions that take part.',
        minItems: 1,
        maxItems: 16,
        'x-type': 'a list of mappings',
        'x-hint': 'write a list of { name: …, version: …, weight: 5 }',
      },
    ),
  },
);

const scopeSchema = section(
  {
    region: oneOrMany(text('region', 'a region', { description: 'A region.' }), 'a region', {
      description: 'Requests from these regions.',
      'x-default': 'none',
      'x-hint': 'write a region such as eu-west, or a list of them',
    }),
    cohort: oneOrMany(text('name', 'a cohort', { description: 'The name of a cohort.' }), 'a cohort', {
      description: 'Requests of one of these cohorts of the service.',
      'x-default': 'none',
      'x-hint': 'write the name of a cohort, or a list of them',
    }),
  },
  {
    description:
      'For whom the weights of the following steps are; `{}` for everyone. Earlier scopes keep the weight they have.',
    maxProperties: 1,
    'x-default': 'everyone',
  },
);

const pauseSchema = section(
  {
    duration: argoDuration(
      { min: '0s', max: '365d' },
      { description: 'How long.', 'x-default': 'until somebody promotes' },
    ),
    until: word(['evidence'], {
      description: '`evidence`: until the gates prove enough for the next share. Needs `gates`.',
      'x-default': 'none',
    }),
    atLeast: argoDuration(
      { min: '0s', max: '365d' },
      {
        description: 'With `until`: how long it waits however much is proven.',
        default: DEFAULTS.evidencePause.atLeast,
      },
    ),
    atMost: argoDuration(
      { min: '1s', max: '365d' },
      { description: 'With `until`: when `onTimeout` follows.', 'x-default': 'as long as it takes' },
    ),
    onTimeout: word(['hold', 'promote', 'abort'], {
      description:
        'What follows after `atMost`. `hold`: it waits on, and says so. `promote`: it goes on unproven, unless harm shows. `abort`: the canary is taken back.',
      default: DEFAULTS.evidencePause.onTimeout,
    }),
  },
  {
    description:
      'Waits: for a time, with `{}` for `coalmine promote`, or with `{ until: evidence }` for the gates.',
    'x-default': 'none',
    'x-hint': 'write {}, { duration: 5m } or { until: evidence }',
  },
);

const inlineAnalysisSchema = section(
  { args: argumentsSchema, dryRun: dryRunSchema, measurementRetention: retentionSchema },
  {
    description: 'Measures, and goes on when the analysis is successful.',
    'x-default': 'none',
    'x-hint': 'write { templates: [NAME] }',
    'x-refused': { analysisRunMetadata: KUBERNETES },
  },
  { templates: templatesSchema },
);

export const stepSchema = section(
  {
    setWeight: percent({
      description: 'Percent of the users in scope that get the canary.',
      'x-default': 'none',
    }),
    pause: pauseSchema,
    analysis: inlineAnalysisSchema,
    experiment: experimentSchema,
    setHeaderRoute: headerRouteSchema,
    setMirrorRoute: mirrorRouteSchema,
    setMirror: percent({
      description: 'Percent of the requests that are copied to the canary, whose answers are thrown away.',
      'x-default': 'none',
    }),
    setScope: scopeSchema,
    setCanaryScale: section(
      {
        replicas: count(0, 100_000, { description: 'Without effect.', 'x-default': 'none' }),
        weight: count(0, 100, { description: 'Without effect.', 'x-default': 'none' }),
        matchTrafficWeight: Type.Boolean({
          description: 'Without effect.',
          'x-type': '`true` or `false`',
          'x-default': 'none',
        }),
      },
      {
        description: 'Accepted for Argo’s manifests and without effect: the gateway starts no replicas.',
        'x-default': 'none',
      },
    ),
  },
  {
    description: 'A step: exactly one of the keys.',
    minProperties: 1,
    maxProperties: 1,
    'x-hint': 'write a step such as { setWeight: 5 } or { pause: { duration: 5m } }',
    'x-refused': {
      plugin: 'use a webhook, or an analysis with the web provider',
      replicaProgressThreshold: KUBERNETES,
    },
  },
);
