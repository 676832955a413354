import Type from 'typebox';
import {
  type AnalysisView,
  type EstimateView,
  type EvidenceView,
  GATE_ASKS,
  type GateView,
  type HistoryView,
  type MetricView,
  type RolloutView,
  type VerdictView,
  type VersionTraffic,
} from '../../control/api.ts';
import { MEASUREMENT_PHASES } from '../../core/analysis/state.ts';
import { HISTORY_KINDS } from '../../core/rollout/state.ts';
import type { GateBody, HistoryBody, RolloutCommandBody, RolloutsBody, VerdictBody } from '../contract.ts';
import { component, count, flag, list, number, orNull, text, time, word } from './build.ts';
import { actor } from './services.ts';

/** Rollouts: where they are, what was measured, and what the gates say. */

const STATUSES = ['idle', 'starting', 'stepping', 'completed', 'aborted', 'undone', 'blocked'] as const;
const ANALYSIS_PHASES = ['Pending', 'Running', 'Successful', 'Failed', 'Inconclusive', 'Error'] as const;
export const GATE_STATES = ['PASS', 'FAIL', 'CONTINUE', 'ERROR'] as const;
const GATE_KINDS = ['successRate', 'latency', 'predictionShift', 'confidence', 'agreement', 'kpi'] as const;
const UNITS = ['failures', 'ms', 'totalVariation', 'mean', 'disagreements', 'conversions'] as const;

export const estimate = component<EstimateView>(
  'Estimate',
  'A number between bounds that hold at all times at once, over `n` samples; null where no number can say it.',
)(Type.Object({ value: orNull(number()), low: orNull(number()), high: orNull(number()), n: number() }));

export const evidence = component<EvidenceView>(
  'Evidence',
  'How far it has come towards a decision.',
)(
  Type.Object({
    evidence: orNull(number(), 'How many times likelier than without; null: more than a number can say.'),
    needed: orNull(number(), 'At how much of it the gate decides.'),
    share: orNull(number(), 'Of 1, on a scale of logarithms.'),
  }),
);

export const gate = component<GateView>(
  'Gate',
  'What one gate has found.',
)(
  Type.Object({
    name: text(),
    kind: word(GATE_KINDS),
    state: word(GATE_STATES),
    unit: word(UNITS, 'Of the estimates: milliseconds for `ms`, else 0 to 1.'),
    canary: orNull(estimate.ref),
    stable: orNull(estimate.ref),
    harm: evidence.ref,
    pass: evidence.ref,
    samples: Type.Object({
      have: number(),
      need: orNull(
        number(),
        'At how many it would be decided if they go on like this; null: not foreseeable.',
      ),
    }),
    decisionInMs: orNull(number(), '0: decided; null: not foreseeable.'),
    environment: flag('Both versions are beyond the threshold.'),
    text: text(),
  }),
);

export const verdict = component<VerdictView>(
  'Verdict',
  'What all gates say together.',
)(
  Type.Object({
    state: word(GATE_STATES),
    M: orNull(number(), 'Evidence of harm over all gates.'),
    needed: orNull(number(), 'At how much of it the canary is taken back.'),
    holdRamp: flag('Evidence of harm grows: nobody more is exposed meanwhile.'),
    ready: flag('Whether the canary’s share may grow.'),
    why: text(),
    text: text(),
  }),
);

const metric = component<MetricView>(
  'Metric',
  'A metric of an analysis.',
)(
  Type.Object({
    name: text(),
    provider: text(),
    dryRun: flag(),
    phase: word(ANALYSIS_PHASES),
    message: text(),
    successCondition: text('As written; empty for none.'),
    failureCondition: text('As written; empty for none.'),
    failureLimit: number(),
    successful: count(),
    failed: count(),
    inconclusive: count(),
    error: count(),
    noData: count(),
    last: orNull(
      Type.Object({ phase: word(MEASUREMENT_PHASES), value: text(), message: text(), at: time() }),
      'The last measurement.',
    ),
  }),
);

const analysis = component<AnalysisView>(
  'Analysis',
  'An analysis with its metrics.',
)(Type.Object({ label: text(), phase: word(ANALYSIS_PHASES), message: text(), metrics: list(metric.ref) }));

const traffic = component<VersionTraffic>(
  'VersionTraffic',
  'What a version was sent within the last `windowMs`.',
)(
  Type.Object({
    name: text(),
    role: word(['stable', 'canary', 'other']),
    weight: number('Percent.'),
    windowMs: number(),
    requests: number(),
    ratePerS: number(),
    errorShare: orNull(number(), 'Share of 5xx, 0 to 1; null without requests.'),
    p50Ms: orNull(number()),
    p99Ms: orNull(number()),
  }),
);

/** What the overview shows of a rollout as well. */
export const rolloutHead = {
  number: count('Rises with every rollout begun; 0: none yet.'),
  phase: word(['Progressing', 'Paused', 'Healthy', 'Degraded']),
  status: word(STATUSES),
  message: text('Why it is in that phase.'),
  step: orNull(count(), '0-based; null outside the steps.'),
  weight: number('Percent in force for the canary, inside the scope in force.'),
  nextInMs: orNull(number(), 'Until the pause under way ends; null: no timed pause.'),
  hold: orNull(text(), 'Why nothing moves although nothing is paused.'),
};

export const rollout = component<RolloutView>(
  'Rollout',
  'A rollout: where it is and why.',
)(
  Type.Object({
    service: text(),
    ...rolloutHead,
    stable: text(),
    canary: text(),
    scope: orNull(text(), 'Label of the scope in force; null: everyone.'),
    scopes: list(
      Type.Object({ label: text(), weight: number() }),
      'Earlier scopes that keep a weight of their own.',
    ),
    steps: list(
      Type.Object({ text: text('Such as `pause 5m`.'), state: word(['done', 'current', 'pending']) }),
    ),
    userPaused: flag(),
    analyses: list(analysis.ref),
    gates: list(gate.ref),
    verdict: orNull(verdict.ref),
    versions: list(traffic.ref),
    revision: count(),
    timeScale: number('How much faster than the wall’s the rollout’s clock runs.'),
    began: orNull(time(), 'Null: none has.'),
  }),
);

export const rolloutsBody = component<RolloutsBody>(
  'Rollouts',
  'All rollouts.',
)(Type.Object({ revision: count(), rollouts: list(rollout.ref) }));

export const historyEntry = component<HistoryView>(
  'HistoryEntry',
  'Something that happened to a rollout.',
)(
  Type.Object({
    at: time(),
    number: count('Of the rollout.'),
    kind: word(HISTORY_KINDS),
    actor: text('`coalmine`, or who asked.'),
    cause: text(),
    step: orNull(count()),
    weight: number('Percent in force after it.'),
    evidence: list(text(), 'The measurements or answers that led to it.'),
  }),
);

export const historyBody = component<HistoryBody>(
  'History',
  'What happened, newest last.',
)(Type.Object({ service: text(), history: list(historyEntry.ref) }));

const RESULTS = ['pass', 'continue', 'fail', 'error', 'none'] as const;
const result = word(
  RESULTS,
  'One word for other controllers; `none`: nothing was judged that the question is about.',
);

export const verdictBody = component<VerdictBody>(
  'VerdictReport',
  'What the gates say, also of a service without a rollout.',
)(
  Type.Object({
    service: text(),
    number: orNull(count(), 'Of the rollout that is judged; null: the service has none.'),
    status: orNull(word(STATUSES), 'Of the rollout; null as above.'),
    stepsLeft: orNull(count(), 'After the one under way, 0 once it is completed; null: it does not step.'),
    canary: orNull(text(), 'Null: there is none to judge.'),
    revision: orNull(text(), 'Of the canary, as the config in force has it; null: it has none.'),
    result,
    text: text('Why, in plain words.'),
    verdict: orNull(verdict.ref, 'Null: there are no gates, or nothing was judged yet.'),
    gates: list(gate.ref),
  }),
);

export const gateBody = component<GateBody>(
  'GateAnswer',
  'A yes; a no is an error with 409.',
)(Type.Object({ service: text(), ask: word(GATE_ASKS), result, message: text() }));

export const commandBody = component<RolloutCommandBody>(
  'RolloutCommand',
  'May be left out altogether.',
)(
  Type.Object(
    {
      full: Type.Optional(flag('`promote` only: skip the steps and analyses that are left.')),
      restart: Type.Optional(flag('`start` only: a rollout under way is undone first.')),
      reason: Type.Optional(
        Type.String({ description: '`abort` only: why, for the history.', maxLength: 500 }),
      ),
      actor: Type.Optional(actor),
    },
    { additionalProperties: false },
  ),
);

export const ROLLOUT_COMPONENTS = [
  estimate,
  evidence,
  gate,
  verdict,
  metric,
  analysis,
  traffic,
  rollout,
  rolloutsBody,
  historyEntry,
  historyBody,
  verdictBody,
  gateBody,
  commandBody,
];
