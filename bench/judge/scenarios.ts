import type { GateSpec } from '../../src/core/judge/gates.ts';
import { Law, Random } from './random.ts';
import { CTR, ERRORS, LATENCY, type Metric, SHIFT, UNSURE } from './rules/metric.ts';
import { type Stalls, StallTraffic } from './stalls.ts';
import {
  type Behaviour,
  betaConfidence,
  logNormalLatency,
  PlainTraffic,
  type Traffic,
  type Watched,
} from './traffic.ts';
import { StickyTraffic } from './users.ts';

/** What may happen to a canary, and which gates and which of the peers' metrics should notice. */
export interface Scenario {
  readonly name: string;
  /** For the head of its table. */
  readonly title: string;
  /** `good`: a rollback is wrong. `bad`: a promotion is wrong. */
  readonly truth: 'good' | 'bad';
  /** When it turns bad, in seconds after the start; exposure counts from here. */
  readonly badFromS: number;
  readonly gates: readonly GateSpec[];
  /** What is drawn beside failures. */
  readonly watched: Watched;
  /** What the peers' rules read. */
  readonly metrics: readonly Metric[];
  /** Whether a ramp makes sense: not if it would be over before anything happens. */
  readonly ramps: boolean;
  /** Runs a cell in relation to `--runs`: the expensive ones get fewer. */
  readonly effort: number;
  traffic(seed: string, ratePerS: number, mode: Mode): Traffic;
}

export type Mode = 'fixed' | 'ramp';

export const GATES = {
  successRate: { kind: 'successRate', name: 'successRate', atLeast: 0.99, tolerate: 1 },
  latency: { kind: 'latency', name: 'latency', quantile: 0.99, thresholdMs: 200, delta: 0.25 },
  predictionShift: { kind: 'predictionShift', name: 'predictionShift', atMost: 0.1 },
  confidence: { kind: 'confidence', name: 'confidence', mean: 0.7 },
  ctr: { kind: 'kpi', name: 'ctr', kpi: 'click', within: 0.05 },
} as const satisfies Record<string, GateSpec>;

const GOOD: Behaviour = {
  errorRate: 0.001,
  // p99 142 ms; times 1.5 it is 214 ms.
  latency: logNormalLatency(50, 0.45),
  classes: new Law([1, 1, 1, 1, 1]),
  confidence: betaConfidence(0.85, 10),
  clickRate: 0.05,
};
const SLOW = logNormalLatency(75, 0.45);
/** One class of five is answered as its neighbour: a total variation of .2. */
const FLIPPED = new Law([1, 1, 1, 2, 0]);
const UNSURE_ANSWERS = betaConfidence(0.65, 10);

const MINUTE_S = 60;
const HOUR_S = 3600;

type At = (atS: number, mode: Mode) => { canary: Behaviour; stable: Behaviour };

interface Given extends Partial<Omit<Scenario, 'traffic'>> {
  readonly name: string;
  readonly title: string;
  readonly at: At;
}

function scenario({ at, ...given }: Given): Scenario {
  const gates = given.gates ?? [GATES.successRate];
  const has = (kind: GateSpec['kind']) => gates.some((gate) => gate.kind === kind);
  const watched = {
    latency: has('latency'),
    classes: has('predictionShift'),
    confidence: has('confidence'),
    clicks: has('kpi'),
  };
  return {
    truth: 'good',
    badFromS: 0,
    metrics: [ERRORS],
    ramps: true,
    effort: 1,
    ...given,
    gates,
    watched,
    traffic: (seed, ratePerS, mode) =>
      new PlainTraffic(new Random(seed), watched, ratePerS, (atS) => at(atS, mode)),
  };
}

function always(stable: Partial<Behaviour>, canary: Partial<Behaviour>): At {
  const both = { stable: { ...GOOD, ...stable }, canary: { ...GOOD, ...canary } };
  return () => both;
}

const NORMAL = { canary: GOOD, stable: GOOD };
const OUTAGE = { canary: { ...GOOD, errorRate: 0.3 }, stable: { ...GOOD, errorRate: 0.3 } };
const LATE = { canary: { ...GOOD, errorRate: 0.05 }, stable: GOOD };
const ALL_GATES = Object.values(GATES);
/** By minute of the hour, up and down between .1 % and .9 %. */
const WAVE = Array.from({ length: 60 }, (_, minute) => {
  const how = { ...GOOD, errorRate: 0.005 - 0.004 * Math.cos((2 * Math.PI * minute) / 60) };
  return { canary: how, stable: how };
});

/** Seconds of the outage: early enough for the fastest ramp to be in it. */
function inOutage(atS: number, mode: Mode): boolean {
  const fromS = (mode === 'ramp' ? 2 : 20) * MINUTE_S;
  return atS >= fromS && atS < fromS + (mode === 'ramp' ? 2 : 5) * MINUTE_S;
}

/** A scenario of p99 latency where processes stall now and then, and all they were asked meanwhile is late. */
function stalls(
  given: Pick<Scenario, 'name' | 'title' | 'truth'>,
  of: Pick<Stalls, 'processes' | 'canaryEveryS'>,
): Scenario {
  return {
    ...scenario({ ...given, gates: [GATES.latency], metrics: [LATENCY], effort: 0.5, at: () => NORMAL }),
    traffic: (seed, ratePerS) =>
      new StallTraffic(new Random(seed), {
        ratePerS,
        latency: GOOD.latency,
        stableEveryS: 10 * MINUTE_S,
        shortestS: 0.2,
        longestS: 0.8,
        ...of,
      }),
  };
}

const ONE_EACH = () => ({ canary: 1, stable: 1 });
const TWENTY = (w: number) => {
  const canary = Math.max(1, Math.round(20 * w));
  return { canary, stable: 20 - canary };
};

const sticky: Scenario = {
  ...scenario({
    name: 'sticky',
    title: 'Identical versions, sticky heavy-tailed users (2 % of them fail a quarter of the time)',
    at: () => NORMAL,
  }),
  traffic: (seed, ratePerS) =>
    new StickyTraffic(new Random(seed), {
      ratePerS,
      users: Math.min(20_000, ratePerS * 60),
      tail: 1.2,
      troubled: 0.02,
      troubledErrorRate: 0.25,
    }),
};

export const SCENARIOS: readonly Scenario[] = [
  scenario({ name: 'same-0.1', title: 'Identical versions, 0.1 % errors', at: () => NORMAL }),
  scenario({
    name: 'same-0.5',
    title: 'Identical versions, 0.5 % errors',
    at: always({ errorRate: 0.005 }, { errorRate: 0.005 }),
  }),
  scenario({
    name: 'same-all-gates',
    title: 'Identical versions, all five gates at once',
    gates: ALL_GATES,
    metrics: [ERRORS, LATENCY, UNSURE],
    effort: 0.5,
    at: () => NORMAL,
  }),
  scenario({
    name: 'same-classes',
    title: 'Identical versions, class shares',
    gates: [GATES.predictionShift],
    metrics: [SHIFT],
    effort: 0.5,
    at: () => NORMAL,
  }),
  scenario({
    name: 'same-ctr',
    title: 'Identical versions, CTR 5 %',
    gates: [GATES.ctr],
    metrics: [CTR],
    effort: 0.5,
    at: () => NORMAL,
  }),
  scenario({
    name: 'outage',
    title: 'Identical versions, an outage they share (30 % errors: 5 minutes, in ramps 2)',
    at: (atS, mode) => (inOutage(atS, mode) ? OUTAGE : NORMAL),
  }),
  scenario({
    name: 'wave',
    title: 'Identical versions, errors in a wave between 0.1 % and 0.9 % (a day in an hour)',
    at: (atS) => WAVE[Math.floor((atS % HOUR_S) / MINUTE_S)] as (typeof WAVE)[number],
  }),
  sticky,
  stalls(
    {
      name: 'stalls',
      title: 'Identical versions of one process each, which stall every 10 minutes',
      truth: 'good',
    },
    { processes: ONE_EACH, canaryEveryS: 10 * MINUTE_S },
  ),
  stalls(
    {
      name: 'stalls-20',
      title: 'Identical versions of twenty processes, which stall every 10 minutes',
      truth: 'good',
    },
    { processes: TWENTY, canaryEveryS: 10 * MINUTE_S },
  ),
  stalls(
    { name: 'stalling', title: 'Stalls every 30 seconds instead of every 10 minutes', truth: 'bad' },
    { processes: TWENTY, canaryEveryS: MINUTE_S / 2 },
  ),
  bad('errors-1', 'Errors 0.1 % to 1 %', { errorRate: 0.01 }),
  bad('errors-5', 'Errors 0.1 % to 5 %', { errorRate: 0.05 }),
  bad('errors-1-all-gates', 'Errors 0.1 % to 1 %, all five gates', { errorRate: 0.01 }, ALL_GATES),
  bad('errors-5-all-gates', 'Errors 0.1 % to 5 %, all five gates', { errorRate: 0.05 }, ALL_GATES),
  bad('latency', 'Latency × 1.5 (p99 142 ms to 214 ms)', { latency: SLOW }, [GATES.latency], [LATENCY]),
  bad('flipped', 'One class in five flipped', { classes: FLIPPED }, [GATES.predictionShift], [SHIFT]),
  bad('confidence', 'Confidence .85 to .65', { confidence: UNSURE_ANSWERS }, [GATES.confidence], [UNSURE]),
  bad('ctr', 'CTR 5 % to 4.5 %', { clickRate: 0.045 }, [GATES.ctr], [CTR]),
  scenario({
    name: 'late',
    title: 'Turning bad after 30 minutes (errors 0.1 % to 5 %)',
    truth: 'bad',
    badFromS: HOUR_S / 2,
    effort: 0.5,
    ramps: false,
    at: (atS) => (atS < HOUR_S / 2 ? NORMAL : LATE),
  }),
];

function bad(
  name: string,
  title: string,
  canary: Partial<Behaviour>,
  gates: readonly GateSpec[] = [GATES.successRate],
  metrics: readonly Metric[] = [ERRORS],
): Scenario {
  // Medians need fewer runs than rare mistakes.
  return scenario({ name, title, truth: 'bad', effort: 0.5, gates, metrics, at: always({}, canary) });
}
