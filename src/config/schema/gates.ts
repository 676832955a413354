import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import { count, duration, openSection, percentText, section, share, text, word } from './build.ts';

/** What a canary must hold against stable. */

const base = DEFAULTS.gates;

/** Beyond these a gate would need more requests than anybody has, or none. */
const RATE = { min: 0.5, max: 0.99999 } as const;
/** One in ten thousand: below it no rollout would ever end. */
const LEAST_ERROR = 0.0001;
const MOST_ERROR = 0.2;

const successRateSchema = section(
  {
    tolerate: Type.Unsafe<1 | 1.25 | 1.5>({
      type: 'number',
      enum: [1, 1.25, 1.5],
      description: 'How many times as often as stable the canary may fail before it is rolled back.',
      default: base.successRate.tolerate,
      'x-type': '`1`, `1.25` or `1.5`',
    }),
  },
  {
    description:
      'Rolls back when the canary fails more often than stable; promotes when its success rate is proven. Failures are 5xx and time-outs of first attempts.',
    'x-default': 'none',
    'x-hint': 'write { atLeast: 0.99 }',
  },
  { atLeast: share(RATE.min, RATE.max, { description: 'Success rate that it must have to be promoted.' }) },
);

const threshold = (percent: number) =>
  duration(
    { min: '0.1ms', max: '1h' },
    {
      description: `Below this ${percent} percent of its answers must be. Becomes a bucket of the latency histograms.`,
      'x-default': 'none',
    },
  );

const latencySchema = section(
  {
    p50: threshold(50),
    p90: threshold(90),
    p95: threshold(95),
    p99: threshold(99),
    delta: Type.Number({
      description:
        'Rolls back, too, when more of the canary’s answers than of stable’s are slower than 1 + this times what stable’s quantile was before.',
      default: base.latency.delta,
      minimum: 0.01,
      maximum: 10,
      'x-type': 'a number (0.01 to 10)',
    }),
  },
  {
    description:
      'Rolls back when more of the canary’s answers than of stable’s are above the threshold. Exactly one of `p50`, `p90`, `p95`, `p99`.',
    'x-default': 'none',
    'x-hint': 'write { p99: 200ms }',
  },
);

const predictionShiftSchema = section(
  {},
  {
    description:
      'Rolls back when the canary’s answers are distributed otherwise than stable’s: total variation of the class shares, or of the scores in ten bins. Needs `predictions`.',
    'x-default': 'none',
    'x-hint': 'write { atMost: 0.10 }',
  },
  { atMost: share(0.001, 0.99, { description: 'Shift that is tolerated.' }) },
);

const confidenceSchema = section(
  {},
  {
    description: 'Rolls back when the canary is less sure of itself than stable. Needs `predictions`.',
    'x-default': 'none',
    'x-hint': 'write { mean: 0.7 }',
  },
  { mean: share(0.01, 0.99, { description: 'Mean confidence that it must have to be promoted.' }) },
);

const agreementSchema = section(
  {},
  {
    description:
      'Rolls back when too few of the shadow’s answers agree with stable’s to the same requests; no user is exposed. Needs a mirror to the canary, and `shadow` or `predictions`.',
    'x-default': 'none',
    'x-hint': 'write { atLeast: 0.95 }',
  },
  { atLeast: share(RATE.min, RATE.max, { description: 'Share of the pairs that must agree.' }) },
);

const known = {
  alpha: share(LEAST_ERROR, MOST_ERROR, {
    description:
      'Greatest probability of rolling back a version that is as good as stable, for a whole rollout and all gates together.',
    default: base.alpha,
  }),
  beta: share(LEAST_ERROR, MOST_ERROR, {
    description: 'Greatest probability of promoting a version that violates a gate.',
    default: base.beta,
  }),
  minSamples: count(1, 1_000_000, {
    description: 'Fewest samples of the canary that a gate may pass on.',
    default: base.minSamples,
  }),
  onFailure: word(['report'], {
    description:
      'Without a rollout: Coalmine does nothing about a failed gate, the verdict is for a controller that asks for it.',
    'x-default': 'none',
  }),
  successRate: successRateSchema,
  latency: latencySchema,
  predictionShift: predictionShiftSchema,
  confidence: confidenceSchema,
  agreement: agreementSchema,
};

/** The gates that have names of their own; any other name is that of a KPI gate. */
export const GATE_NAMES = ['successRate', 'latency', 'predictionShift', 'confidence', 'agreement'] as const;
const KNOWN_KEYS: ReadonlySet<string> = new Set(Object.keys(known));

const kpiGateSchema = section(
  {},
  {
    description:
      'Any other name: a gate on a KPI, reported with `POST /api/v1/feedback`. Rolls back when the canary’s rate is proven to be lower than stable’s by more than `within`.',
    'x-default': 'none',
    'x-hint': 'write { kpi: click, within: 5% }',
    'x-known': GATE_NAMES,
  },
  {
    kpi: text('name', 'a name', { description: 'The KPI, as feedback names it.' }),
    within: percentText({ description: 'How far below stable’s rate it may be.' }),
  },
);
export type RawKpiGate = Type.Static<typeof kpiGateSchema>;

export const gatesSchema = openSection(known, 'name', kpiGateSchema, {
  description:
    'What a canary is judged by, against stable, every second. A rollout is taken back as soon as a gate fails.',
  maxProperties: 40,
  'x-default': 'none',
  'x-hint': 'write gates such as { successRate: { atLeast: 0.99 } }',
});

/** The gates under names of the user's choice, in the order of the file. */
export function kpiGatesOf(gates: object): (readonly [name: string, gate: RawKpiGate])[] {
  return Object.entries(gates).filter(([name]) => !KNOWN_KEYS.has(name));
}
