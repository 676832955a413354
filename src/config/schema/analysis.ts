import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import { argoDuration, count, countOrArgs, flag, mapOf, section, text } from './build.ts';
import { providerSchema } from './provider.ts';

/** Analysis templates, with Argo's keys, and how rollouts name them. */

const metric = DEFAULTS.metric;
const KUBERNETES = 'it has no meaning outside Kubernetes; remove it';
const REF = 'services.NAME.rollout.analysis';

const argName = (description: string) => text('argName', 'a name', { description });

const argValue = (description: string) =>
  Type.String({ description, maxLength: 4_096, 'x-type': 'text', 'x-default': 'none' });

/** `value`, or where it comes from. */
function argsSchema(description: string, valueDescription: string, same: string) {
  return Type.Array(
    section(
      {
        value: argValue(valueDescription),
        valueFrom: section(
          {
            podTemplateHashValue: Type.Unsafe<'Latest' | 'Stable'>({
              type: 'string',
              enum: ['Latest', 'Stable'],
              description: '`Latest`: the name of the canary version. `Stable`: that of the stable one.',
              'x-type': '`Latest` or `Stable`',
              'x-default': 'none',
            }),
            fieldRef: section(
              {},
              {
                description: 'For Argo’s manifests: the service’s name stands for the Rollout’s.',
                'x-default': 'none',
              },
              {
                fieldPath: text('fieldPath', 'a field', {
                  description: '`metadata.name` or one of `metadata.labels`.',
                }),
              },
            ),
          },
          {
            description: 'Where the value comes from; one of the two.',
            minProperties: 1,
            maxProperties: 1,
            'x-default': 'none',
            'x-refused': {
              secretKeyRef: 'take it from an environment variable: value: "$' + '{NAME}"',
            },
          },
        ),
      },
      { description: 'An argument.', 'x-hint': 'write { name: …, value: … }' },
      { name: argName('Its name, as in `{{args.NAME}}`.') },
    ),
    {
      description,
      default: [],
      maxItems: 100,
      'x-type': 'a list of arguments',
      'x-same-as': same,
      'x-hint': 'write a list of { name: …, value: … }',
    },
  );
}

export const argumentsSchema = argsSchema(
  'Values for the arguments of the templates.',
  'Its value; text, so numbers stand in quotes.',
  `${REF}.args`,
);

export const templatesSchema = Type.Array(
  Type.Union(
    [
      text('name', 'a template', { description: 'The name of an analysis template.' }),
      section(
        {},
        {
          description: 'A template as Argo names it.',
          'x-refused': { clusterScope: KUBERNETES },
        },
        { templateName: text('name', 'a template', { description: 'The name of an analysis template.' }) },
      ),
    ],
    { description: 'A template.', 'x-type': 'a name or `{ templateName: NAME }`' },
  ),
  {
    description: 'The templates whose metrics are measured, by name or as `{ templateName: NAME }`.',
    minItems: 1,
    maxItems: 100,
    'x-type': 'a list of templates',
    'x-same-as': `${REF}.templates`,
    'x-hint': 'write a list of names of analysisTemplates',
  },
);

const metricPattern = () =>
  text('metricPattern', 'an RE2 pattern', {
    description: 'The metrics by name; found anywhere unless anchored, `.*` for all.',
  });

export const dryRunSchema = Type.Array(
  section(
    {},
    { description: 'Some metrics.', 'x-hint': 'write { metricName: … }' },
    { metricName: metricPattern() },
  ),
  {
    description: 'Metrics that are measured and shown, and decide nothing.',
    default: [],
    maxItems: 100,
    'x-type': 'a list of `{ metricName: PATTERN }`',
    'x-same-as': `${REF}.dryRun`,
  },
);

export const retentionSchema = Type.Array(
  section(
    {},
    { description: 'Some metrics.', 'x-hint': 'write { metricName: …, limit: 20 }' },
    {
      metricName: metricPattern(),
      limit: count(1, 1_000, { description: 'How many measurements are kept.' }),
    },
  ),
  {
    description: 'How many measurements are kept of which metrics; 10 of all others.',
    default: [],
    maxItems: 100,
    'x-type': 'a list of `{ metricName: PATTERN, limit: N }`',
    'x-same-as': `${REF}.measurementRetention`,
  },
);

const condition = (description: string) =>
  Type.String({
    description,
    minLength: 1,
    maxLength: 4_096,
    'x-type': 'an expression',
    'x-default': 'none',
  });

const MAX_COUNT = 1_000_000;

const metricSchema = section(
  {
    interval: argoDuration(
      { min: '100ms', max: '30d' },
      {
        description:
          'Time between two measurements. With it and without `count` the metric goes on to the end.',
        'x-default': 'one measurement only',
      },
      true,
    ),
    initialDelay: argoDuration(
      { min: '0s', max: '30d' },
      { description: 'Before the first measurement.', default: metric.initialDelay },
      true,
    ),
    count: countOrArgs(0, MAX_COUNT, {
      description:
        'Measurements after which the metric is done; those without data or with an error do not count.',
      'x-default': '1 without `interval`, else no end',
    }),
    successCondition: condition(
      'When a measurement is a success, over `result`. Without a failureCondition anything else is a failure.',
    ),
    failureCondition: condition(
      'When a measurement is a failure; it goes before successCondition. What is neither is inconclusive.',
    ),
    failureLimit: countOrArgs(-1, MAX_COUNT, {
      description: 'Failures that are borne; one more ends the analysis. -1: no limit.',
      default: metric.failureLimit,
    }),
    inconclusiveLimit: countOrArgs(0, MAX_COUNT, {
      description: 'Inconclusive measurements that are borne.',
      default: metric.inconclusiveLimit,
    }),
    consecutiveErrorLimit: countOrArgs(0, MAX_COUNT, {
      description: 'Errors in a row that are borne.',
      default: metric.consecutiveErrorLimit,
    }),
    consecutiveSuccessLimit: countOrArgs(0, MAX_COUNT, {
      description: 'Successes in a row that end the metric as successful; 0: off.',
      default: metric.consecutiveSuccessLimit,
    }),
    minSamples: Type.Union(
      [
        Type.Integer({ minimum: 1, maximum: 1_000_000_000 }),
        section(
          {
            query: Type.String({
              description: 'For prometheus: a query whose first value is the number of samples.',
              minLength: 1,
              maxLength: 10_000,
              'x-type': 'text',
              'x-default': 'the canary’s own requests are counted',
            }),
          },
          { description: 'A number of samples.' },
          { count: count(1, 1_000_000_000, { description: 'Samples at least.' }) },
        ),
      ],
      {
        description:
          'With fewer samples a measurement is “no data”. A number alone counts the canary’s requests since the analysis began.',
        'x-type': 'a number or a mapping of keys',
        'x-default': 'none needed',
      },
    ),
  },
  { description: 'A metric.', 'x-hint': 'write { name: …, provider: { … } }' },
  {
    name: text('label', 'a name', { description: 'Its name; no two of one analysis may be equal.' }),
    provider: providerSchema,
  },
);

const templateSchema = section(
  {
    args: argsSchema(
      'Arguments that `{{args.NAME}}` in names, addresses, queries, conditions, headers, URLs, bodies, intervals, counts and limits stands for.',
      'What it is where the analysis gives no other; text, so numbers stand in quotes.',
      'analysisTemplates.NAME.args',
    ),
    templates: Type.Array(
      section(
        {},
        {
          description: 'Another template.',
          'x-hint': 'write { templateName: NAME }',
          'x-refused': { clusterScope: KUBERNETES },
        },
        { templateName: text('name', 'a template', { description: 'Its name.' }) },
      ),
      {
        description: 'Other templates whose metrics and arguments are taken over.',
        default: [],
        maxItems: 100,
        'x-type': 'a list of `{ templateName: NAME }`',
      },
    ),
    metrics: Type.Array(metricSchema, {
      description: 'What is measured.',
      default: [],
      maxItems: 100,
      'x-type': 'a list of mappings',
      'x-hint': 'write a list, each item beginning with “- name:”',
    }),
    dryRun: dryRunSchema,
    measurementRetention: retentionSchema,
  },
  {
    description: 'A template with the keys of an Argo AnalysisTemplate’s `spec`.',
    'x-hint': 'write { metrics: [ … ] }',
  },
);

export const analysisTemplatesSchema = mapOf('name', templateSchema, {
  description: 'What rollouts measure, by name; the keys of Argo’s AnalysisTemplate.',
  maxProperties: 1_000,
  'x-type': 'a mapping from names to templates',
  'x-default': 'none',
});

export const requiredForCompletionSchema = flag({
  description: 'Whether the step waits for it, also beyond `duration`.',
  default: false,
});
