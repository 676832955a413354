import Type from 'typebox';
import { NOTIFY_KINDS, WEBHOOK_TYPES } from '../../core/rollout/plan.ts';
import { DEFAULTS } from '../defaults.ts';
import { argumentsSchema, dryRunSchema, retentionSchema, templatesSchema } from './analysis.ts';
import { argoDuration, count, flag, mapOf, section, text, word } from './build.ts';
import { headersSchema } from './headers.ts';
import { stepSchema } from './steps.ts';

/** How a service's canary is rolled out. */

const base = DEFAULTS.rollout;
const WEBHOOK = 'services.NAME.rollout.webhooks[]';

const url = (description: string) => text('httpUrl', 'a URL', { description });

const metadata = mapOf(
  'label',
  Type.String({ description: 'A value.', maxLength: 4_096, 'x-type': 'text' }),
  {
    description: 'Sent along with every call.',
    maxProperties: 64,
    'x-type': 'a mapping from names to texts',
    'x-default': 'none',
  },
);

const hookTimeout = argoDuration(
  { min: '100ms', max: '10m' },
  { description: 'When a call is given up.', default: base.webhook.timeout },
);

const webhookSchema = section(
  {
    type: word(WEBHOOK_TYPES, {
      description:
        'When it is called, as in Flagger. `confirm-rollout`, `pre-rollout`: before the first step. `rollout`: over and over while steps run, as a metric. `confirm-traffic-increase`: before a greater weight. `confirm-promotion`: before the canary gets everything. `post-rollout`: at the end. `rollback`: a yes aborts. `event`: told of everything.',
      default: base.webhook.type,
    }),
    timeout: hookTimeout,
    retries: count(0, 10, {
      description: 'Further attempts of a call after a connection that failed or a 5xx.',
      default: base.webhook.retries,
    }),
    interval: argoDuration(
      { min: '100ms', max: '1d' },
      {
        description: 'Time between two calls of one that is asked repeatedly.',
        default: base.webhook.interval,
      },
    ),
    headers: headersSchema('Headers of the call.'),
    metadata,
    failureLimit: count(0, 1_000_000, {
      description: 'For `rollout`: failed calls that are borne.',
      default: base.webhook.failureLimit,
    }),
  },
  {
    description: 'A webhook: POST with JSON; 2xx means yes.',
    'x-hint': 'write { name: …, type: …, url: … }',
  },
  {
    name: text('label', 'a name', { description: 'Its name.' }),
    url: url('What is called.'),
  },
);

const requireSchema = section(
  {},
  { description: 'A condition.', 'x-hint': 'write { webhook: URL }' },
  {
    webhook: Type.Union(
      [
        url('What is asked.'),
        section(
          {
            timeout: hookTimeout,
            headers: headersSchema('Headers of the call.'),
            metadata,
          },
          { description: 'A webhook.', 'x-same-as': WEBHOOK },
          { url: url('What is asked.') },
        ),
      ],
      {
        description: 'Asked before the rollout starts; anything but 2xx refuses it.',
        'x-type': 'a URL, or a mapping with `url`, `timeout`, `headers`, `metadata`',
        'x-same-as': WEBHOOK,
        'x-hint': 'write a URL, or { url: …, timeout: 10s }',
      },
    ),
  },
);

const notificationSchema = section(
  {
    format: word(['plain', 'slack', 'cloudevents'], {
      description: 'The form of the body.',
      default: base.notification.format,
    }),
    on: Type.Array(word(NOTIFY_KINDS, { description: 'An event.' }), {
      description: 'What is told.',
      default: [...NOTIFY_KINDS],
      minItems: 1,
      maxItems: NOTIFY_KINDS.length,
      uniqueItems: true,
      'x-type': 'a list of `started`, `step`, `paused`, `aborted`, `completed`',
    }),
    headers: headersSchema('Headers of the call.'),
    timeout: argoDuration(
      { min: '100ms', max: '10m' },
      { description: 'When a call is given up.', default: base.notification.timeout },
    ),
  },
  { description: 'A notification.', 'x-hint': 'write { url: …, format: slack }' },
  { url: url('Where it is sent.') },
);

const backgroundSchema = section(
  {
    args: argumentsSchema,
    startingStep: count(0, 199, {
      description: 'Step from which on it runs, from 0.',
      default: base.startingStep,
    }),
    dryRun: dryRunSchema,
    measurementRetention: retentionSchema,
  },
  {
    description: 'An analysis beside the steps: a failed one aborts the rollout.',
    'x-default': 'none',
    'x-hint': 'write { templates: [NAME], startingStep: 1 }',
    'x-refused': { analysisRunMetadata: 'it has no meaning outside Kubernetes; remove it' },
  },
  { templates: templatesSchema },
);

export const rolloutSchema = section(
  {
    start: word(['auto', 'manual'], {
      description: '`auto`: whenever the canary’s definition is new. `manual`: by `coalmine start`.',
      default: base.start,
    }),
    analysis: backgroundSchema,
    onFailure: word(['abort', 'pause'], {
      description: 'What follows on a failed analysis, or one with errors.',
      default: base.onFailure,
    }),
    onInconclusive: word(['pause', 'abort'], {
      description: 'What follows on an inconclusive analysis.',
      default: base.onInconclusive,
    }),
    onNoData: word(['hold', 'abort'], {
      description:
        'What an empty result and a provider that cannot be reached mean. `hold`: the rollout waits for data. `abort`: they are errors, as in Argo.',
      default: base.onNoData,
    }),
    compat: word(['coalmine', 'argo'], {
      description: '`argo`: where the two differ, as Argo Rollouts does it; the same as `onNoData: abort`.',
      default: base.compat,
    }),
    progressDeadline: argoDuration(
      { min: '1s', max: '365d' },
      {
        description:
          'How long hooks may say no, or data be missing, before the rollout counts as Degraded. Steps that may take any time have no deadline.',
        default: base.progressDeadline,
      },
    ),
    progressDeadlineSeconds: count(1, 31_536_000, {
      description: 'The same, as Argo writes it.',
      'x-default': '`progressDeadline`',
    }),
    progressDeadlineAbort: flag({
      description: 'Whether it then aborts, and not only says so.',
      default: base.progressDeadlineAbort,
    }),
    rollbackWindow: section(
      {
        revisions: count(0, 50, {
          description: 'So many definitions are remembered.',
          default: base.rollbackWindow,
        }),
      },
      { description: 'A definition that was completed lately is promoted without its steps.' },
    ),
    managedRoutes: Type.Array(
      Type.Union(
        [
          text('name', 'a name', { description: 'A route.' }),
          section(
            {},
            { description: 'A route.' },
            { name: text('name', 'a name', { description: 'Its name.' }) },
          ),
        ],
        { description: 'A route.', 'x-type': 'a name or `{ name: NAME }`' },
      ),
      {
        description: 'Routes that the steps may set, in their order of precedence.',
        maxItems: 100,
        'x-type': 'a list of names, or of `{ name: NAME }`',
        'x-default': 'those of the steps, in their order',
      },
    ),
    requires: Type.Array(requireSchema, {
      description:
        'What must say yes before a rollout starts, such as a check that the database was migrated.',
      default: [],
      maxItems: 50,
      'x-type': 'a list of `{ webhook: URL }`',
    }),
    webhooks: Type.Array(webhookSchema, {
      description: 'Webhooks as Flagger has them.',
      default: [],
      maxItems: 50,
      'x-type': 'a list of mappings',
    }),
    notifications: Type.Array(notificationSchema, {
      description: 'Who is told what happened.',
      default: [],
      maxItems: 50,
      'x-type': 'a list of mappings',
    }),
  },
  {
    description:
      'Widens the canary’s share step by step, and takes it back when an analysis fails. `weight` has no effect beside it.',
    'x-default': 'none',
    'x-hint': 'write { steps: [ … ] }',
  },
  {
    steps: Type.Array(stepSchema, {
      description: 'The steps, in order. After the last one everybody gets the canary.',
      minItems: 1,
      maxItems: 200,
      'x-type': 'a list of steps',
      'x-hint': 'write a list such as [{ setWeight: 5 }, { pause: { duration: 5m } }]',
    }),
  },
);
