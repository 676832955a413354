import type { ExplainBody, GateView, RolloutView } from '../../../src/admin/contract.ts';
import type { MockData } from './mock.ts';
import {
  experiment,
  experimentTimeline,
  history,
  NOW_MS,
  overview,
  quiet,
  rollout,
  service,
  steps,
  summaryOf,
  timeline,
} from './scenes.ts';

const SHOWN_TEXT =
  "undecided: v2's predictions differ from v1's by 2.4 % over 162 predictions against 1,076; 347 more are needed, about 52 s at this traffic";

const proven = (needed: number) => ({
  harm: { evidence: 0.6, needed: 444, share: 0 },
  pass: { evidence: 3e7, needed: 100, share: 3.7 },
  state: 'PASS' as const,
  samples: { have: 479, need: needed },
  decisionInMs: 0,
  environment: false,
});

/** As the demo has them in its middle. */
const SHOWN_GATES: readonly GateView[] = [
  {
    ...proven(110),
    name: 'successRate',
    kind: 'successRate',
    unit: 'failures',
    canary: { value: 0, low: 0, high: 0.014, n: 479 },
    stable: { value: 0, low: 0, high: 0.0027, n: 2_777 },
    text: 'v2 failed 0 of 479 first requests (0 %), v1 0 of 2,777 (0 %); passed with evidence 10^9 of the 100 needed',
  },
  {
    ...proven(130),
    name: 'latency',
    kind: 'latency',
    unit: 'ms',
    canary: { value: 9.24, low: 5, high: 50, n: 479 },
    stable: { value: 9.09, low: 5, high: 25, n: 2_777 },
    text: 'v2 was slow on 2 of 479 first requests (above 100 ms, 0.42 %), v1 10 of 2,777 (0.36 %)',
  },
  {
    ...proven(509),
    name: 'predictionShift',
    kind: 'predictionShift',
    state: 'CONTINUE',
    unit: 'totalVariation',
    canary: { value: 0.024, low: 0, high: 0.2, n: 162 },
    stable: null,
    harm: { evidence: 1.6, needed: 1_000, share: 0.07 },
    pass: { evidence: 4.1, needed: 100, share: 0.31 },
    samples: { have: 162, need: 509 },
    decisionInMs: 52_000,
    text: "v2's predictions differ from v1's by 2.4 % over 162 predictions against 1,076; most in class setosa",
  },
  {
    ...proven(80),
    name: 'confidence',
    kind: 'confidence',
    unit: 'mean',
    canary: { value: 0.954, low: 0.931, high: 0.977, n: 162 },
    stable: { value: 0.948, low: 0.939, high: 0.957, n: 1_076 },
    text: "v2's mean confidence is 0.954 over 162, v1's 0.948 over 1,076, asked is 0.8",
  },
  {
    ...proven(90),
    name: 'agreement',
    kind: 'agreement',
    unit: 'disagreements',
    canary: { value: 0.021, low: 0.01, high: 0.04, n: 665 },
    stable: null,
    text: 'v2 answered 14 of 665 mirrored requests (2.1 %) differently from v1',
  },
];

/** Rollouts in every state that looks different. */
export const ROLLOUTS: Readonly<Record<string, RolloutView>> = {
  good: rollout(),
  showcase: rollout({ gates: SHOWN_GATES, verdict: { ...rollout().verdict!, text: SHOWN_TEXT } }),
  held: rollout({
    hold: 'success-rate has 12 samples of v2 and needs 20',
    verdict: {
      ...rollout().verdict!,
      holdRamp: true,
      text: 'evidence grows that v2 fails more often than v1: 31 of 100',
    },
  }),
  harmful: rollout({
    verdict: {
      ...rollout().verdict!,
      state: 'FAIL',
      text: 'v2 fails more often than v1: 6.6 % against 0.1 %',
    },
  }),
  paused: rollout({ userPaused: true, nextInMs: null, message: 'paused by hand' }),
  aborted: rollout({
    phase: 'Degraded',
    status: 'aborted',
    message: 'metric success-rate Failed: failed (3) > failureLimit (2)',
    weight: 0,
    step: null,
    steps: steps(null),
    nextInMs: null,
  }),
  completed: rollout({
    phase: 'Healthy',
    status: 'completed',
    message: 'v2 serves everyone (Promoted)',
    weight: 100,
    step: null,
    steps: steps(8),
    nextInMs: null,
  }),
  idle: rollout({
    phase: 'Healthy',
    status: 'idle',
    number: 0,
    weight: 0,
    step: null,
    steps: steps(null),
    nextInMs: null,
    gates: [],
    verdict: null,
    analyses: [],
    began: null,
  }),
  blocked: rollout({
    phase: 'Degraded',
    status: 'blocked',
    message: 'its state in state/iris-api.json is damaged',
    step: null,
    steps: steps(null),
    nextInMs: null,
  }),
  long: rollout({
    step: 20,
    steps: steps(
      20,
      Array.from({ length: 40 }, (_, i) =>
        i % 2 === 0 ? `setWeight ${i * 2.5}` : 'pause until evidence, at least 1m, at most 2h',
      ),
    ),
    nextInMs: null,
    scope: 'region eu-west',
  }),
};

/** A gateway with one service in the given state, an experiment, and a crowd of quiet ones. */
export function castOf(which: string): MockData {
  const view = ROLLOUTS[which] as RolloutView;
  const gone = view.weight === 0;
  const main = service({
    rollout: summaryOf(view),
    versions: service().versions.map((version) => ({
      ...version,
      weight: version.role === 'stable' ? 100 - view.weight : view.weight,
      role: version.role === 'canary' && gone ? 'shadow' : version.role,
    })),
  });
  const search = service({
    name: 'search',
    match: { host: 'api.example.com', path: '/search' },
    rollout: null,
    mirror: null,
    experiment: { state: 'continue', text: 'ranked converts 4 % more often than plain' },
    versions: service().versions.map((version, i) => ({
      ...version,
      name: i === 0 ? 'plain' : 'ranked',
      weight: 50,
    })),
  });
  return {
    overview: overview(
      [quiet('embedder'), main, search, ...Array.from({ length: 8 }, (_, i) => quiet(`ranker-${i}`))],
      {
        reloadFailure:
          which === 'held'
            ? { atMs: NOW_MS, message: 'coalmine.yaml:12:7 services.iris-api.weight: must be at most 100' }
            : null,
      },
    ),
    rollouts: { 'iris-api': view },
    history: history(),
    timeline: timeline(300, 1_000, which === 'good' || which === 'showcase' ? 0 : 0.2),
    experiments: { search: experiment() },
    experimentTimeline: experimentTimeline(),
    disagreements: [
      {
        at: new Date(NOW_MS).toISOString(),
        requestId: '0f3a',
        clientVersion: 'v1',
        shadowVersion: 'v2',
        client: { prediction: 'setosa', confidence: 0.93 },
        shadow: { prediction: 'virginica', confidence: 0.51 },
      },
    ],
    explain,
    post: () => ({ status: 409, body: { error: 'refused', message: 'it is paused already' } }),
  };
}

function explain(params: URLSearchParams): ExplainBody {
  const value = params.get('key') ?? '';
  const keyed = value !== '';
  return {
    service: 'iris-api',
    stage: 4,
    revision: 14,
    version: keyed ? 'v1' : null,
    reason: keyed ? 'hash' : 'random',
    rule: null,
    key: keyed ? { source: 'header:x-user-id', value } : null,
    bucket: keyed ? 3_127 : null,
    ranges: [
      { version: 'v2', from: 0, to: 2_500, weight: 25 },
      { version: 'v1', from: 2_500, to: 10_000, weight: 75 },
    ],
    because: keyed
      ? `key "${value}" from header:x-user-id has bucket 3127 in 2500..9999, the 75 % of v1 (the weights of the service)`
      : 'no key, so every request is drawn anew, by the weights of the service: 25 % v2, 75 % v1',
    notes: ['the cookie coalmine_id is not looked at'],
    coming: [
      {
        step: 5,
        text: 'setWeight 50',
        weight: 50,
        version: keyed ? 'v2' : null,
        because: 'bucket 3127 in 0..4999, the 50 % of v2',
      },
      { step: 7, text: 'setWeight 100', weight: 100, version: 'v2', because: 'v2 serves everyone' },
    ],
  };
}
