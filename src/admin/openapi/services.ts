import Type from 'typebox';
import type {
  RuleView,
  ServiceDetail,
  ServiceSummary,
  VersionDetail,
  VersionSummary,
} from '../../control/api.ts';
import { ASSIGN_REASONS, type Condition, type TextMatch } from '../../core/model.ts';
import type {
  DisagreementsBody,
  ExplainBody,
  ServicesBody,
  SetWeightBody,
  WeightSetBody,
} from '../contract.ts';
import { component, count, flag, list, number, orNull, refTo, text, time, word } from './build.ts';

/** Services: what they are, who gets what, and why. */

const endpoints = Type.Object({ healthy: count(), total: count() });
const match = Type.Object({
  host: orNull(text(), 'Null: any host.'),
  path: text('A prefix on segment bounds.'),
});

/** What a version is in its service at the moment. */
export const ROLES = ['stable', 'canary', 'shadow', 'idle'] as const;

const place = {
  name: text(),
  role: word(ROLES),
  weight: number('Percent of the users whom no rule decides for.'),
};

const versionSummary = component<VersionSummary>(
  'VersionSummary',
  'A version of a service, in short.',
)(Type.Object({ ...place, endpoints }));

export const serviceSummary = component<ServiceSummary>(
  'ServiceSummary',
  'A service, in short.',
)(
  Type.Object({
    name: text(),
    match,
    stage: count('A stretch of time with one set of weights.'),
    versions: list(versionSummary.ref),
    mirror: orNull(text(), 'The shadow version.'),
    rules: count('How many.'),
    weightSetByHand: flag('A weight was set at run time and differs from the file’s.'),
  }),
);

const textMatch = component<TextMatch>(
  'TextMatch',
  'What a text must be.',
)(
  Type.Union([
    Type.Object({ kind: Type.Literal('present') }),
    Type.Object({ kind: Type.Literal('oneOf'), values: list(text()) }),
    Type.Object({ kind: Type.Literal('prefix'), value: text() }),
    Type.Object({ kind: Type.Literal('pattern'), source: text('RE2 syntax.') }),
  ]),
);

const named = { name: text(), match: textMatch.ref };
const inner = refTo<Condition>('Condition');

const condition = component<Condition>(
  'Condition',
  'When a rule holds. Values of credentials are hidden.',
)(
  Type.Union([
    Type.Object({ kind: Type.Literal('header'), ...named }),
    Type.Object({ kind: Type.Literal('cookie'), ...named }),
    Type.Object({ kind: Type.Literal('query'), ...named }),
    Type.Object({ kind: Type.Literal('path'), match: textMatch.ref }),
    Type.Object({ kind: Type.Literal('method'), oneOf: list(text()) }),
    Type.Object({ kind: Type.Literal('region'), oneOf: list(text()) }),
    Type.Object({ kind: Type.Literal('all'), of: list(inner) }),
    Type.Object({ kind: Type.Literal('any'), of: list(inner) }),
  ]),
);

const rule = component<RuleView>(
  'Rule',
  'Has either `use` or `weights`.',
)(
  Type.Object({
    id: text('Where it stands in the config, such as `rules[2]`.'),
    when: condition.ref,
    use: orNull(text(), 'The version that it forces.'),
    weights: orNull(list(Type.Object({ version: text(), weight: number('Percent.') }))),
  }),
);

const versionDetail = component<VersionDetail>(
  'VersionDetail',
  'A version with its endpoints and its limits.',
)(
  Type.Object({
    ...place,
    endpoints: list(Type.Object({ url: text(), healthy: flag(), ejected: flag(), pending: count() })),
    timeouts: Type.Object({
      connectMs: number(),
      firstByteMs: number(),
      idleMs: number(),
      totalMs: orNull(number(), 'Null: no limit.'),
    }),
    pool: Type.Object({
      connections: count(),
      pending: count(),
      keepAliveMs: number(),
      connectionTtlMs: number(),
    }),
    retry: Type.Object({
      retries: Type.Union([Type.Literal(0), Type.Literal(1)]),
      budgetShare: number(),
      budgetMin: number(),
    }),
    health: orNull(
      Type.Object({
        path: text(),
        intervalMs: number(),
        timeoutMs: number(),
        healthyThreshold: count(),
        unhealthyThreshold: count(),
      }),
      'The active check.',
    ),
    ejection: orNull(Type.Object({ consecutiveFailures: count(), baseMs: number(), maxMs: number() })),
    tls: orNull(
      Type.Object({
        ownCa: flag(),
        clientCertificate: flag(),
        serverName: orNull(text()),
        verify: flag(),
      }),
    ),
  }),
);

export const serviceDetail = component<ServiceDetail>(
  'ServiceDetail',
  'A service in full, without keys, certificates, secrets and the values of rules that match credentials.',
)(
  Type.Object({
    name: text(),
    match,
    stage: count(),
    revision: count('Rises with every change of who gets what; also the ETag.'),
    weightSetByHand: flag(),
    versions: list(versionDetail.ref),
    sticky: Type.Object({
      by: list(text('Such as `header:x-user-id`.')),
      mode: word(['hash', 'session']),
      issueCookie: orNull(Type.Object({ name: text(), maxAgeS: number(), domain: orNull(text()) })),
    }),
    salt: text(),
    rules: list(rule.ref),
    regionHeader: orNull(text()),
    mirror: orNull(
      Type.Object({
        to: text(),
        percent: number(),
        routes: list(
          Type.Object({
            name: text(),
            percentBp: count('Hundredths of a percent.'),
            when: orNull(condition.ref),
          }),
        ),
        by: word(['sticky', 'random']),
        methods: list(text()),
        timeoutMs: number(),
        maxInFlight: count(),
        maxBodyBytes: count(),
        maxAnswerBytes: count(),
        maxBufferedBytes: count(),
        keepCredentials: flag(),
      }),
    ),
    failover: word(['none', 'stable']),
    maxBodyBytes: number(),
  }),
);

export const servicesBody = component<ServicesBody>(
  'Services',
  'All services.',
)(Type.Object({ revision: count(), services: list(serviceSummary.ref) }));

export const disagreementsBody = component<DisagreementsBody>(
  'Disagreements',
  'Mirrored requests whose two answers differ, oldest first, redacted; empty where `shadow.keep` is 0.',
)(
  Type.Object({
    service: text(),
    disagreements: list(
      Type.Object({
        at: time(),
        requestId: text(),
        clientVersion: text(),
        shadowVersion: text(),
        client: Type.Unknown({ description: 'What was compared of the client’s answer.' }),
        shadow: Type.Unknown({ description: 'The same of the shadow’s.' }),
      }),
    ),
  }),
);

const ranges = list(
  Type.Object({
    version: text(),
    from: count('The first bucket.'),
    to: count('The bucket after the last.'),
    weight: number('Percent of the users.'),
  }),
  'The shares in force for this request; empty where a rule forces a version.',
);

export const explainBody = component<ExplainBody>(
  'Explanation',
  'Which version a request gets, and why.',
)(
  Type.Object({
    service: text(),
    stage: count(),
    revision: count(),
    version: orNull(text(), 'Null: left to chance, in the shares of `ranges`.'),
    reason: word(ASSIGN_REASONS),
    rule: orNull(Type.Object({ index: count(), id: text() })),
    key: orNull(Type.Object({ source: text(), value: text() })),
    bucket: orNull(
      Type.Integer({ minimum: 0, maximum: 9_999 }),
      'Null: none was needed, or there is no key.',
    ),
    ranges,
    because: text('One sentence for people.'),
    notes: list(text()),
    coming: list(
      Type.Object({
        step: count('0-based; as many as there are steps: the promotion that follows them.'),
        text: text('Such as `setWeight 25`.'),
        weight: number('Percent in force for the canary then.'),
        version: orNull(text(), 'Null: left to chance.'),
        because: text(),
      }),
      'The steps ahead of a rollout under way that change who gets what; empty without one.',
    ),
  }),
);

/** For the history of a rollout. */
export const actor = Type.String({
  description: 'Who asks, for the history; recorded as given and not checked. `admin API` if left out.',
  minLength: 1,
  maxLength: 100,
});

export const setWeightBody = component<SetWeightBody>(
  'SetWeight',
  'The weight that a canary is to have.',
)(
  Type.Object(
    {
      weight: Type.Number({ description: 'Percent, two decimals at most.', minimum: 0, maximum: 100 }),
      version: Type.Optional(text('Needed only where a service has several canaries.')),
      actor: Type.Optional(actor),
    },
    { additionalProperties: false },
  ),
);

export const weightSetBody = component<WeightSetBody>(
  'WeightSet',
  'A weight that is in force.',
)(
  Type.Object({
    service: text(),
    version: text(),
    weight: number('Percent.'),
    previousWeight: number('Percent.'),
    stage: count(),
    revision: count(),
    until: word(
      ['config', 'step'],
      'What ends it: a new config of the service, or the next step that sets a weight.',
    ),
    note: text(),
  }),
);

export const SERVICE_COMPONENTS = [
  versionSummary,
  serviceSummary,
  textMatch,
  condition,
  rule,
  versionDetail,
  serviceDetail,
  servicesBody,
  disagreementsBody,
  explainBody,
  setWeightBody,
  weightSetBody,
];
