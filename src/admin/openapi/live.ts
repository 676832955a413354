import Type from 'typebox';
import type {
  ExperimentTimelineView,
  ExperimentView,
  IntervalColumns,
  LiveEvent,
  OverviewService,
  OverviewView,
  RolloutSummary,
  TimelinePoint,
  TimelineVersion,
  TimelineView,
  VariantView,
} from '../../control/api.ts';
import type {
  ErrorBody,
  ExperimentsBody,
  FeedbackBody,
  FeedbackSummaryBody,
  ReadyBody,
} from '../contract.ts';
import { column, component, count, flag, list, number, orNull, text, time, word } from './build.ts';
import { estimate, evidence, GATE_STATES, historyEntry, rollout, rolloutHead } from './rollouts.ts';
import { ROLES } from './services.ts';

/** Experiments, what a page that is left open reads, and what is asked of the process itself. */

const EXPERIMENT_STATES = ['winner', 'equivalent', 'continue', 'error', 'idle'] as const;
const VARIANT_STATES = ['better', 'worse', 'equivalent', 'continue', 'control', 'stopped', 'off'] as const;
const PHASES = ['starting', 'ready', 'draining'] as const;

const variant = component<VariantView>(
  'Variant',
  'A version in an experiment.',
)(
  Type.Object({
    name: text(),
    weight: number('Percent.'),
    requests: number(),
    users: number(),
    converted: number('Users with the event at least once.'),
    events: number(),
    conversion: orNull(estimate.ref),
    state: word(VARIANT_STATES, 'Against stable. `stopped`: a guardrail took it from its users.'),
    ratio: orNull(
      estimate.ref,
      'How often the event happens for an equal number of users, in relation to stable’s.',
    ),
    remainingMs: orNull(number()),
    text: text(),
    guardrails: orNull(Type.Object({ state: word(GATE_STATES), text: text() })),
    stopped: orNull(Type.Object({ at: time(), because: text() })),
  }),
);

export const experiment = component<ExperimentView>(
  'Experiment',
  'An A/B test and what it has found.',
)(
  Type.Object({
    service: text(),
    kpi: text(),
    alpha: number('Greatest probability of any wrong conclusion, over all pairs of versions.'),
    began: time('Nothing from before is counted.'),
    elapsedMs: number(),
    state: word(EXPERIMENT_STATES, '`equivalent`: the leaders are; others may be behind.'),
    winner: orNull(text()),
    leaders: list(text(), 'No other is known to be better than these; the best is one of them.'),
    remainingMs: orNull(number(), '0: decided; null: not foreseeable.'),
    text: text(),
    sampleRatio: orNull(evidence.ref, 'That users are not dealt as the weights say.'),
    problems: list(text()),
    variants: list(variant.ref, 'Stable first.'),
  }),
);

export const experimentsBody = component<ExperimentsBody>(
  'Experiments',
  'All experiments.',
)(Type.Object({ revision: count(), experiments: list(experiment.ref) }));

const timelineVersion = component<TimelineVersion>(
  'TimelineVersion',
  'A version over time, in columns.',
)(
  Type.Object({
    name: text(),
    weight: column('Percent, at the end of the step.'),
    ratePerS: column(),
    errorShare: column('Share of 5xx, 0 to 1.'),
    p50Ms: column(),
    p99Ms: column(),
    confidence: column('Mean of the step’s answers.'),
    classes: list(
      Type.Object({ name: text(), counts: column() }),
      'Answers of each class that were read in the step; those beyond the first 8 are `other`.',
    ),
  }),
);

export const timeline = component<TimelineView>(
  'Timeline',
  'A service over time, in columns of equal length, oldest first. A null is a time of which nothing is known, or in which there was nothing to measure.',
)(
  Type.Object({
    service: text(),
    kept: flag('False: more services are configured than histories are kept.'),
    stepMs: number(),
    atMs: list(number(), 'Wall clock at the end of each step, ms since the epoch.'),
    versions: list(timelineVersion.ref),
    pairs: Type.Object({ agree: column(), disagree: column() }),
  }),
);

const intervals = component<IntervalColumns>(
  'IntervalColumns',
  'An interval over time.',
)(Type.Object({ value: column(), low: column(), high: column() }));

export const experimentTimeline = component<ExperimentTimelineView>(
  'ExperimentTimeline',
  'An experiment over time: intervals that hold at all times at once.',
)(
  Type.Object({
    service: text(),
    kpi: text(),
    stepMs: number(),
    atMs: list(number()),
    variants: list(Type.Object({ name: text(), conversion: intervals.ref, ratio: intervals.ref })),
  }),
);

const point = component<TimelinePoint>(
  'TimelinePoint',
  'One step of a timeline, as it ends.',
)(
  Type.Object({
    service: text(),
    atMs: number(),
    versions: list(
      Type.Object({
        name: text(),
        weight: orNull(number()),
        ratePerS: orNull(number()),
        errorShare: orNull(number()),
        p50Ms: orNull(number()),
        p99Ms: orNull(number()),
        confidence: orNull(number()),
        classes: Type.Unsafe<Readonly<Record<string, number>>>({
          type: 'object',
          additionalProperties: { type: 'number' },
        }),
      }),
    ),
    pairs: Type.Object({ agree: orNull(number()), disagree: orNull(number()) }),
  }),
);

const rolloutSummary = component<RolloutSummary>(
  'RolloutSummary',
  'A rollout at a glance.',
)(
  Type.Object({
    ...rolloutHead,
    stable: text(),
    canary: text(),
    userPaused: flag(),
    steps: count('How many there are.'),
    verdict: orNull(Type.Object({ state: word(GATE_STATES), holdRamp: flag(), text: text() })),
  }),
);

const overviewService = component<OverviewService>(
  'OverviewService',
  'A service at a glance.',
)(
  Type.Object({
    name: text(),
    match: Type.Object({ host: orNull(text()), path: text() }),
    versions: list(
      Type.Object({
        name: text(),
        role: word(ROLES),
        weight: number('Percent.'),
        endpoints: Type.Object({ healthy: count(), total: count() }),
        ratePerS: number(),
        errorShare: orNull(number()),
        p99Ms: orNull(number()),
      }),
    ),
    mirror: orNull(text()),
    weightSetByHand: flag(),
    rollout: orNull(rolloutSummary.ref),
    experiment: orNull(Type.Object({ state: word(EXPERIMENT_STATES), text: text() })),
  }),
);

const overview = component<OverviewView>(
  'Overview',
  'Everything at a glance.',
)(
  Type.Object({
    atMs: number('Wall clock of the gateway, ms since the epoch.'),
    revision: count(),
    phase: word(PHASES),
    reloadFailure: orNull(Type.Object({ atMs: number(), message: text() })),
    services: list(overviewService.ref),
  }),
);

type Data<Kind extends LiveEvent['kind']> = Omit<Extract<LiveEvent, { kind: Kind }>, 'kind'>;

/** The data of each event of the stream, by the event's name. */
export const EVENTS = {
  overview: component<Data<'overview'>>(
    'OverviewEvent',
    'At once, and then every second.',
  )(Type.Object({ overview: overview.ref })),
  rollout: component<Data<'rollout'>>(
    'RolloutEvent',
    'Every second, and at once when it changed.',
  )(Type.Object({ rollout: rollout.ref })),
  history: component<Data<'history'>>(
    'HistoryEvent',
    'New entries, oldest first.',
  )(Type.Object({ service: text(), entries: list(historyEntry.ref) })),
  point: component<Data<'point'>>(
    'PointEvent',
    'A step of the timeline that has ended.',
  )(Type.Object({ point: point.ref })),
  experiment: component<Data<'experiment'>>(
    'ExperimentEvent',
    'How the experiment stands.',
  )(Type.Object({ experiment: experiment.ref })),
} satisfies Record<LiveEvent['kind'], unknown>;

const event = {
  kpi: text('As a gate or an experiment names it.'),
  value: number('Above 0 is an event.'),
};

export const feedbackItem = component<FeedbackBody>(
  'Feedback',
  'What became of one answer.',
)(
  Type.Union([
    Type.Object({ ...event, id: text('The answer’s `x-prediction-id`.') }),
    Type.Object({ ...event, service: text(), key: text('The user’s sticky key.') }),
  ]),
);

export const feedbackSummary = component<FeedbackSummaryBody>(
  'FeedbackSummary',
  'What became of the items.',
)(
  Type.Object({
    accepted: count(),
    duplicate: count('Counted before.'),
    forged: count('Not signed by us.'),
    expired: count(),
    malformed: count(),
    unknown: count('A KPI that nobody asks for, or a version or stage that cannot be told.'),
  }),
);

const issue = Type.Object({
  file: text(),
  line: count('From 1.'),
  column: count('From 1.'),
  path: text('Of the key.'),
  message: text(),
  fix: text('What to write instead.'),
});

export const readyBody = component<ReadyBody>(
  'Readiness',
  'Those who would not be let in elsewhere get `status` alone.',
)(
  Type.Object({
    status: word(PHASES),
    revision: Type.Optional(count()),
    reload: Type.Optional(
      Type.Object({
        ok: count(),
        failed: count(),
        failure: orNull(
          Type.Object({ at: time(), message: text(), issues: list(issue) }),
          'The last reload, if it failed.',
        ),
        restartNeeded: list(text(), 'Config keys whose change waits for a restart.'),
      }),
    ),
    services: Type.Optional(
      list(
        Type.Object({
          name: text(),
          versions: list(Type.Object({ name: text(), healthy: count(), total: count() })),
        }),
      ),
    ),
  }),
);

export const errorBody = component<ErrorBody>(
  'Error',
  'Every answer that is not 2xx.',
)(Type.Object({ error: text('Stable, for programs.'), message: text('For people: what to do.') }));

export const LIVE_COMPONENTS = [
  variant,
  experiment,
  experimentsBody,
  timelineVersion,
  timeline,
  intervals,
  experimentTimeline,
  point,
  rolloutSummary,
  overviewService,
  overview,
  ...Object.values(EVENTS),
  feedbackItem,
  feedbackSummary,
  readyBody,
  errorBody,
];
