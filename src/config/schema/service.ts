import Type from 'typebox';
import { DEFAULTS, LATENCY_EDGES_MS } from '../defaults.ts';
import { count, duration, flag, mapOf, percent, section, size, text, word } from './build.ts';
import { cohortSchema, whenSchema } from './condition.ts';
import { gatesSchema } from './gates.ts';
import { experimentSchema } from './kpi.ts';
import { predictionsSchema, shadowSchema } from './observe.ts';
import { rolloutSchema } from './rollout.ts';
import { stickySchema } from './sticky.ts';
import { upstreamKeys, upstreamSchema } from './upstream.ts';

/** One service: what it answers, its versions, and how its users are split. */

const urlExample = 'such as http://iris-v1:8080';
const origin = (description: string) => text('origin', 'a URL', { description });
const versionName = (description: string) => text('name', 'a version', { description });

const matchSchema = section(
  {
    host: text('matchHost', 'a host', {
      description:
        'Host of the requests, without a port; `*.example.com` for every name below. An exact host goes before a wildcard, that before any host.',
      'x-default': 'any host',
    }),
    path: text('pathPrefix', 'a path prefix', {
      description:
        'Prefix of the path, on segment bounds: `/predict` matches `/predict` and `/predict/x`, not `/predictor`. The longest wins.',
      default: DEFAULTS.matchPath,
    }),
  },
  { description: 'Which requests the service answers. No two services may match the same ones.' },
);

const versionSchema = section(
  {
    url: origin(`Its only endpoint: scheme, host and port, ${urlExample}. Either \`url\` or \`urls\`.`),
    urls: Type.Array(origin(`An endpoint, ${urlExample}.`), {
      description: 'Its endpoints; each request goes to the one with the fewest requests waiting.',
      minItems: 1,
      maxItems: 256,
      'x-type': 'a list of URLs',
      'x-hint': 'write a list of URLs, or `url` for a single one',
    }),
    revision: Type.String({
      description:
        'What is deployed there, such as an image’s tag: a new text begins a new rollout though the URL stays.',
      minLength: 1,
      maxLength: 256,
      'x-type': 'text',
      'x-default': 'none',
    }),
    ...upstreamKeys,
  },
  { description: 'A version.', 'x-hint': `write its endpoint, { url: … }, ${urlExample}` },
);

const canarySchema = section(
  {
    weight: percent({ description: 'Percent of the users.', default: DEFAULTS.weight }),
  },
  { description: 'A canary.', 'x-hint': 'write { version: v2, weight: 5 }' },
  { version: versionName('A version other than stable.') },
);

const ruleSchema = section(
  {
    use: versionName('Forces a version: `stable`, `canary` (when there is one canary), or a version’s name.'),
    weight: percent({
      description:
        'Percent of the group that gets the canary, or `version`; the rest gets stable. By the same buckets as everybody. Either `use` or `weight`.',
    }),
    version: versionName('Which version `weight` is for; needed when there are several canaries.'),
  },
  { description: 'A rule.', 'x-hint': 'write { when: { … }, use: canary } or { when: { … }, weight: 20 }' },
  { when: whenSchema },
);

const mirrorDefaults = DEFAULTS.mirror;
const mirrorSchema = section(
  {
    percent: percent({
      description: 'Percent of the requests that are copied.',
      default: mirrorDefaults.percent,
    }),
    by: word(['sticky', 'random'], {
      description: '`sticky`: the same users always, by their bucket. `random`: each request on its own.',
      default: mirrorDefaults.by,
    }),
    methods: Type.Array(text('method', 'a method', { description: 'A method, in capital letters.' }), {
      description: 'Methods that are copied. Add others only where a second execution does no harm.',
      default: [...mirrorDefaults.methods],
      minItems: 1,
      maxItems: 32,
      uniqueItems: true,
      'x-type': 'a list of methods',
    }),
    timeout: duration(
      { min: '1ms', max: '1h' },
      { description: 'When a copy is given up.', default: mirrorDefaults.timeout },
    ),
    maxInFlight: count(1, 100_000, {
      description: 'Copies under way at one time; more are dropped and counted.',
      default: mirrorDefaults.maxInFlight,
    }),
    maxBody: size(
      { min: '0B', max: '1GiB' },
      {
        description: 'Largest body that is copied; larger requests are not mirrored.',
        default: mirrorDefaults.maxBody,
      },
    ),
    maxAnswer: size(
      { min: '0B', max: '1GiB' },
      {
        description:
          'How much of the shadow’s answer is read (or `predictions.sample.maxBody`, if that is more); a longer one is given up.',
        default: mirrorDefaults.maxAnswer,
      },
    ),
    maxBuffered: size(
      { min: '0B', max: '16GiB' },
      {
        description: 'Bodies held for the shadow at one time, all together; beyond it copies are dropped.',
        default: mirrorDefaults.maxBuffered,
      },
    ),
    keepCredentials: flag({
      description: 'Copies Authorization, Cookie and API keys too.',
      default: mirrorDefaults.keepCredentials,
    }),
  },
  {
    description:
      'Sends copies of requests to a shadow version and throws its answers away. Clients never wait for it.',
    'x-default': 'none',
    'x-hint': 'write { to: v2, percent: 100 }',
  },
  { to: versionName('The shadow: a version other than stable. Requests assigned to it are not copied.') },
);

export const serviceSchema = section(
  {
    match: matchSchema,
    upstream: upstreamSchema,
    stable: text('name', 'a version', {
      description: 'The version that everybody gets who gets no other.',
      'x-default': 'the only version, where there is one',
    }),
    canary: text('name', 'a version', { description: 'The version on trial.', 'x-default': 'none' }),
    weight: percent({
      description: 'Percent of the users that get the canary. Raising it moves nobody off the canary.',
      default: DEFAULTS.weight,
    }),
    canaries: Type.Array(canarySchema, {
      description:
        'Several versions on trial, instead of `canary` and `weight`; they take consecutive ranges of the buckets.',
      minItems: 1,
      maxItems: 16,
      'x-type': 'a list of mappings',
      'x-default': 'none',
      'x-hint': 'write a list such as [{ version: v2, weight: 5 }, { version: v3, weight: 5 }]',
    }),
    salt: Type.String({
      description:
        'Put before the key when it is hashed. Services with equal salts give a user equal buckets; a new salt deals the users anew.',
      minLength: 1,
      maxLength: 128,
      'x-type': 'text',
      'x-default': 'the service’s name',
    }),
    sticky: stickySchema,
    cohorts: mapOf('name', cohortSchema, {
      description: 'Named conditions for the rules; each has the keys of a rule’s `when` except `cohort`.',
      maxProperties: 1_000,
      'x-type': 'a mapping from names to conditions',
      'x-default': 'none',
    }),
    rules: Type.Array(ruleSchema, {
      description: 'In order, above stickiness: the first whose `when` holds decides.',
      default: [],
      maxItems: 10_000,
      'x-type': 'a list of mappings',
      'x-hint': 'write a list, each item beginning with “- when:”',
    }),
    precedence: word(['coalmine', 'nginx'], {
      description:
        '`coalmine`: the rules stand above a pinned session. `nginx`: a pinned session (`sticky.mode: session`) stands above the rules, and what a rule decides is pinned too, as NGINX Ingress has it.',
      default: DEFAULTS.precedence,
    }),
    regionHeader: text('header', 'a header name', {
      description:
        'Header that holds a request’s region. Set it only where a trusted proxy writes that header.',
      'x-default': 'none: the gateway’s own region',
    }),
    mirror: mirrorSchema,
    predictions: predictionsSchema,
    shadow: shadowSchema,
    gates: gatesSchema,
    experiment: experimentSchema,
    rollout: rolloutSchema,
    failover: word(['none', 'stable'], {
      description:
        '`stable`: a canary request that got no answer is answered by stable, counted as a failure of the canary.',
      default: DEFAULTS.failover,
    }),
    maxBody: size(
      { min: '0B', max: '1024GiB', words: ['unlimited'] },
      {
        description:
          'Largest request body; beyond it 413. Bodies are streamed, so this bounds what an endpoint must take, not the gateway’s memory.',
        default: DEFAULTS.maxBody,
      },
    ),
    exposeVersion: flag({
      description: 'Adds `x-coalmine-version` to the answers.',
      default: DEFAULTS.exposeVersion,
    }),
    latencyEdges: Type.Array(duration({ min: '0.1ms', max: '1h' }, { description: 'An upper bound.' }), {
      description: `Upper bounds of the latency histograms’ buckets, added to the built-in ones (${LATENCY_EDGES_MS.join(', ')} ms). Add the thresholds you alert on.`,
      default: [],
      maxItems: 32,
      'x-type': 'a list of durations',
    }),
  },
  { description: 'A service.', 'x-hint': 'write at least { versions: { v1: { url: … } } }' },
  {
    versions: mapOf('name', versionSchema, {
      description: 'The versions by name; a name becomes the `version` label of the metrics.',
      minProperties: 1,
      maxProperties: 64,
      'x-type': 'a mapping from names to versions',
      'x-hint': `write each version by name, such as v1: { url: … }`,
    }),
  },
);
