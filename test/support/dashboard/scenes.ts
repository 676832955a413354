import type {
  ExperimentTimelineBody,
  ExperimentView,
  GateView,
  HistoryView,
  OverviewService,
  OverviewView,
  RolloutView,
  TimelineBody,
} from '../../../src/admin/contract.ts';

/** Made-up data of the dashboard, each as the gateway would tell it. */

export const NOW_MS = Date.UTC(2026, 10, 27, 2, 41, 7);

const STEPS = [
  'setMirror 20',
  'setWeight 5',
  'pause 25s',
  'setWeight 25',
  'pause 25s',
  'setWeight 50',
  'pause 25s',
  'setWeight 100',
];

/** `index`: the current step; null: none. */
export function steps(index: number | null, texts: readonly string[] = STEPS): RolloutView['steps'] {
  return texts.map((text, i) => ({
    text,
    state: index === null || i > index ? 'pending' : i === index ? 'current' : 'done',
  }));
}

export function rollout(more: Partial<RolloutView> = {}): RolloutView {
  return {
    service: 'iris-api',
    number: 3,
    phase: 'Paused',
    status: 'stepping',
    message: 'step 5 of 8: paused for 25s',
    stable: 'v1',
    canary: 'v2',
    weight: 25,
    scope: null,
    scopes: [],
    step: 4,
    steps: steps(4),
    nextInMs: 12_000,
    userPaused: false,
    hold: null,
    analyses: [],
    gates: GATES,
    verdict: {
      state: 'CONTINUE',
      M: 0.6,
      needed: 100,
      holdRamp: false,
      ready: true,
      why: 'the failure rate at 25 % bears 50 %',
      text: 'nothing speaks against v2: success-rate needs 358 samples of v2 and has 212',
    },
    versions: [
      {
        name: 'v1',
        role: 'stable',
        weight: 75,
        windowMs: 60_000,
        requests: 3_600,
        ratePerS: 60,
        errorShare: 0,
        p50Ms: 3.1,
        p99Ms: 18,
      },
      {
        name: 'v2',
        role: 'canary',
        weight: 25,
        windowMs: 60_000,
        requests: 1_200,
        ratePerS: 20,
        errorShare: 0.0008,
        p50Ms: 3.4,
        p99Ms: 21,
      },
    ],
    revision: 14,
    timeScale: 1,
    began: new Date(NOW_MS - 70_000).toISOString(),
    ...more,
  };
}

const none = { evidence: 0.42, needed: 100, share: 0 };

export const GATES: readonly GateView[] = [
  {
    name: 'success-rate',
    kind: 'successRate',
    state: 'CONTINUE',
    unit: 'failures',
    canary: { value: 0.0008, low: 0.0001, high: 0.014, n: 212 },
    stable: { value: 0.0006, low: 0.0002, high: 0.003, n: 1_822 },
    harm: { evidence: 0.8, needed: 100, share: 0 },
    pass: { evidence: 12, needed: 100, share: 0.54 },
    samples: { have: 212, need: 358 },
    decisionInMs: 72_000,
    environment: false,
    text: '0.08 % of 212 requests of v2 failed; 99 % are proven at about 358',
  },
  {
    name: 'p99',
    kind: 'latency',
    state: 'PASS',
    unit: 'ms',
    canary: { value: 21, low: 17, high: 44, n: 212 },
    stable: { value: 18, low: 16, high: 21, n: 1_822 },
    harm: none,
    pass: { evidence: 140, needed: 100, share: 1.07 },
    samples: { have: 212, need: 180 },
    decisionInMs: 0,
    environment: false,
    text: 'less than 1 % of the answers of v2 are slower than 200 ms',
  },
  {
    name: 'prediction-shift',
    kind: 'predictionShift',
    state: 'CONTINUE',
    unit: 'totalVariation',
    canary: { value: 0.061, low: 0.01, high: 0.19, n: 208 },
    stable: null,
    harm: { evidence: 5.1, needed: 100, share: 0.35 },
    pass: { evidence: 1.4, needed: 100, share: 0.07 },
    samples: { have: 208, need: null },
    decisionInMs: null,
    environment: false,
    text: 'the classes differ by 6.1 %; between 1 % and 19 % is not excluded',
  },
  {
    name: 'confidence',
    kind: 'confidence',
    state: 'ERROR',
    unit: 'mean',
    canary: null,
    stable: { value: 0.944, low: 0.93, high: 0.96, n: 1_700 },
    harm: none,
    pass: none,
    samples: { have: 0, need: 360 },
    decisionInMs: 720_000,
    environment: true,
    text: 'no answer of v2 was read yet',
  },
];

export function history(): HistoryView[] {
  const entry = (
    agoS: number,
    kind: HistoryView['kind'],
    cause: string,
    more: Partial<HistoryView> = {},
  ): HistoryView => ({
    at: new Date(NOW_MS - agoS * 1000).toISOString(),
    number: 3,
    kind,
    actor: 'coalmine',
    cause,
    step: null,
    weight: 0,
    evidence: [],
    ...more,
  });
  return [
    entry(86_000, 'aborted', 'metric success-rate Failed: failed (3) > failureLimit (2)', {
      number: 2,
      evidence: ['success-rate: Failed: values 0.71 0.69 0.7', 'extra-latency: Successful: values 0.4 0.3'],
    }),
    entry(70, 'started', 'started by hand: v2 against v1', { actor: 'ada (dashboard)' }),
    entry(69, 'step', 'step 2 of 8: setWeight 5', { step: 1, weight: 5 }),
    entry(44, 'held', 'success-rate has 12 samples of v2 and needs 20', { step: 2, weight: 5 }),
    entry(40, 'released', 'success-rate has enough samples', { step: 2, weight: 5 }),
    entry(13, 'step', 'step 4 of 8: setWeight 25', { step: 3, weight: 25 }),
  ];
}

/** Seconds up to NOW_MS; v2 has `faults` of its requests failing from the middle on. */
export function timeline(seconds = 300, stepMs = 1_000, faults = 0): TimelineBody {
  const at = Array.from({ length: seconds }, (_, i) => NOW_MS - (seconds - 1 - i) * stepMs);
  const noise = (i: number, salt: number) =>
    Math.abs(Math.sin(i * 12.9898 + salt * 78.233) * 43_758.5453) % 1;
  const weightAt = (i: number) => (i < seconds * 0.3 ? 0 : i < seconds * 0.7 ? 5 : 25);
  const column = (value: (i: number) => number | null) => at.map((_, i) => value(i));
  const version = (name: string, salt: number, shareAt: (i: number) => number, wrong: number) => ({
    name,
    weight: column((i) => shareAt(i) * 100),
    ratePerS: column((i) => 80 * shareAt(i) + noise(i, salt) * 6 * Math.sqrt(shareAt(i))),
    errorShare: column((i) =>
      shareAt(i) === 0 ? null : i > seconds / 2 && noise(i, salt + 1) < 0.3 ? wrong : 0,
    ),
    p50Ms: column((i) => (shareAt(i) === 0 ? null : 3 + noise(i, salt + 2) * 0.6)),
    p99Ms: column((i) => (shareAt(i) === 0 ? null : 14 + noise(i, salt + 3) * 12)),
    confidence: column((i) => (shareAt(i) === 0 ? null : 0.93 + noise(i, salt + 4) * 0.03)),
    classes: ['setosa', 'versicolor', 'virginica'].map((of, k) => ({
      name: of,
      counts: column((i) =>
        Math.round(
          80 * shareAt(i) * (0.33 + (k === 1 ? -wrong : k === 2 ? wrong : 0) * 0.4) + noise(i, salt + k),
        ),
      ),
    })),
  });
  return {
    service: 'iris-api',
    kept: true,
    stepMs,
    atMs: at,
    versions: [
      version('v1', 1, (i) => 1 - weightAt(i) / 100, 0),
      version('v2', 9, (i) => weightAt(i) / 100, faults),
    ],
    pairs: {
      agree: column((i) => Math.round(14 + noise(i, 5) * 3)),
      disagree: column((i) => (noise(i, 6) < 0.3 ? 1 : 0)),
    },
  };
}

export function service(more: Partial<OverviewService> = {}): OverviewService {
  return {
    name: 'iris-api',
    match: { host: null, path: '/predict' },
    versions: [
      {
        name: 'v1',
        role: 'stable',
        weight: 75,
        endpoints: { healthy: 2, total: 2 },
        ratePerS: 60.2,
        errorShare: 0,
        p99Ms: 18,
      },
      {
        name: 'v2',
        role: 'canary',
        weight: 25,
        endpoints: { healthy: 1, total: 1 },
        ratePerS: 19.8,
        errorShare: 0.0008,
        p99Ms: 21,
      },
    ],
    mirror: 'v2',
    weightSetByHand: false,
    rollout: summaryOf(rollout()),
    experiment: null,
    ...more,
  };
}

export function summaryOf(view: RolloutView): NonNullable<OverviewService['rollout']> {
  const {
    number,
    phase,
    status,
    message,
    stable,
    canary,
    step,
    weight,
    nextInMs,
    hold,
    userPaused,
    verdict,
  } = view;
  return {
    number,
    phase,
    status,
    message,
    stable,
    canary,
    step,
    weight,
    nextInMs,
    hold,
    userPaused,
    steps: view.steps.length,
    verdict,
  };
}

export function overview(
  services: readonly OverviewService[],
  more: Partial<OverviewView> = {},
): OverviewView {
  return { atMs: NOW_MS, revision: 14, phase: 'ready', reloadFailure: null, services, ...more };
}

/** Quiet services, to be many. */
export function quiet(name: string): OverviewService {
  return service({
    name,
    match: { host: null, path: `/${name}` },
    versions: [
      {
        name: 'current',
        role: 'stable',
        weight: 100,
        endpoints: { healthy: 1, total: 1 },
        ratePerS: 4.2,
        errorShare: 0,
        p99Ms: 31,
      },
    ],
    mirror: null,
    rollout: null,
  });
}

export function experiment(more: Partial<ExperimentView> = {}): ExperimentView {
  return {
    service: 'search',
    kpi: 'conversion',
    alpha: 0.05,
    began: new Date(NOW_MS - 5_400_000).toISOString(),
    elapsedMs: 5_400_000,
    state: 'continue',
    winner: null,
    leaders: ['plain', 'ranked'],
    remainingMs: 9_000_000,
    text: 'ranked converts 4 % more often than plain, between -2 % and 11 %: go on',
    sampleRatio: { evidence: 0.7, needed: 100, share: 0 },
    problems: [],
    variants: [
      {
        name: 'plain',
        weight: 50,
        requests: 41_220,
        users: 10_120,
        converted: 1_204,
        events: 1_410,
        conversion: { value: 0.119, low: 0.111, high: 0.127, n: 10_120 },
        state: 'control',
        ratio: null,
        remainingMs: null,
        text: '',
        guardrails: null,
        stopped: null,
      },
      {
        name: 'ranked',
        weight: 50,
        requests: 40_870,
        users: 10_034,
        converted: 1_242,
        events: 1_466,
        conversion: { value: 0.1238, low: 0.1155, high: 0.132, n: 10_034 },
        state: 'continue',
        ratio: { value: 1.04, low: 0.98, high: 1.11, n: 10_034 },
        remainingMs: 9_000_000,
        text: 'between -2 % and 11 % is not excluded',
        guardrails: { state: 'CONTINUE', text: 'nothing speaks against ranked' },
        stopped: null,
      },
    ],
    ...more,
  };
}

export function experimentTimeline(): ExperimentTimelineBody {
  const at = Array.from({ length: 180 }, (_, i) => NOW_MS - (179 - i) * 30_000);
  const interval = (middle: number, width: number) => {
    const wide = (i: number) => width / Math.sqrt((i + 4) / 180);
    const value = at.map((_, i) => middle * (1 + 0.4 * wide(i) * Math.sin(i / 9)));
    return {
      value,
      low: value.map((v, i) => (i < 3 ? null : v * (1 - wide(i)))),
      high: value.map((v, i) => (i < 3 ? null : v * (1 + wide(i)))),
    };
  };
  const nothing = { value: [], low: [], high: [] };
  return {
    service: 'search',
    kpi: 'conversion',
    stepMs: 30_000,
    atMs: at,
    variants: [
      { name: 'plain', conversion: interval(0.119, 0.067), ratio: nothing },
      { name: 'ranked', conversion: interval(0.1238, 0.067), ratio: interval(1.04, 0.06) },
    ],
  };
}
