import fc from 'fast-check';
import { MEASUREMENT_PHASES, type MetricState, type RunState } from '../../src/core/analysis/state.ts';
import { HISTORY_KINDS, type Progress, type RolloutState } from '../../src/core/rollout/state.ts';

/** States of rollouts as a store gets them. */

export function metricState(over: Partial<MetricState> = {}): MetricState {
  return {
    name: 'success-rate',
    phase: 'Running',
    message: '',
    successful: 2,
    failed: 1,
    inconclusive: 0,
    error: 0,
    noData: 3,
    consecutiveError: 0,
    consecutiveSuccess: 1,
    consecutiveNoData: 0,
    measurements: [
      { phase: 'Failed', value: '[0.97]', message: '', atMs: 1000.25, wallMs: 1_700_000_000_000 },
      { phase: 'NoData', value: '', message: '41 of 100 samples', atMs: 2000, wallMs: 1_700_000_001_000 },
    ],
    nextAtMs: 3000.5,
    inFlight: true,
    ...over,
  };
}

export function runState(over: Partial<RunState> = {}): RunState {
  return {
    id: 1,
    label: 'background',
    startedAtMs: 500,
    phase: 'Running',
    message: '',
    metrics: [
      metricState(),
      metricState({ name: 'p99', phase: 'Pending', measurements: [], nextAtMs: null }),
    ],
    ...over,
  };
}

/** In the middle of its steps, with something in every field. */
export function rolloutState(service = 'iris-api', over: Partial<RolloutState> = {}): RolloutState {
  return {
    service,
    stable: 'v1',
    canary: 'v2',
    canaryDefinition: '{"urls":["http://iris-v2:80"]}',
    stepsDefinition: 'a1b2',
    number: 3,
    clockMs: 2500.125,
    progress: { kind: 'stepping', index: 1, enteredAtMs: 400, runs: [runState({ id: 2 })], stuck: null },
    userPaused: false,
    weightOverrideBp: 1250,
    background: runState(),
    verdict: { state: 'CONTINUE', holdRamp: false, ready: false, why: 'too few samples', failed: [] },
    hold: { reason: 'Prometheus “unreachable”\n\u2028', sinceMs: 2000, told: true },
    gate: { point: 'traffic', index: 0, inFlight: true, nextAtMs: 2600, refusal: '503: busy', refusals: 2 },
    rollbackPollAtMs: null,
    progressedAtMs: 400,
    deadlineTold: false,
    nextRunId: 3,
    beganWallMs: 1_700_000_000_000,
    completed: ['{"urls":["http://iris-v1:80"]}'],
    history: [
      {
        wallMs: 1_700_000_000_000,
        number: 3,
        kind: 'started',
        actor: 'coalmine',
        cause: 'the canary is new',
        step: null,
        weight: 0,
        evidence: ['half a character: \ud83d'],
      },
    ],
    ...over,
  };
}

/** A state whose history makes its text about `bytes` long. */
export function largeState(service: string, bytes: number): RolloutState {
  const [entry] = rolloutState().history;
  if (entry === undefined) throw new Error('the sample has no history');
  const line = 'success-rate [0.97] against result[0] >= 0.99, ünter'.repeat(20);
  const entries = Math.ceil(bytes / (line.length + 150));
  const history = Array.from({ length: entries }, (_, index) => ({
    ...entry,
    number: index,
    evidence: [line],
  }));
  return rolloutState(service, { history });
}

/** As JSON gives objects back. */
function plain<T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> {
  return fc.record<T>(shape, { noNullPrototype: true }) as fc.Arbitrary<T>;
}

const time = fc.double({ min: 0, max: 1e12, noNaN: true }).map((value) => value + 0);
const words = fc.string({ unit: 'binary', maxLength: 12 });
const integer = fc.nat();

const progresses: fc.Arbitrary<Progress> = fc.oneof(
  fc.constant<Progress>({ kind: 'idle' }),
  fc.constant<Progress>({ kind: 'starting' }),
  fc.constant<Progress>({ kind: 'undone' }),
  fc
    .constantFrom('Promoted' as const, 'FastPromoted' as const, 'RolledBack' as const)
    .map((status): Progress => ({ kind: 'completed', status })),
  words.map((cause): Progress => ({ kind: 'aborted', cause })),
  plain({ index: fc.integer({ min: -1, max: 99 }), enteredAtMs: time, stuck: fc.option(words) }).map(
    (stepping): Progress => ({ kind: 'stepping', runs: [runState()], ...stepping }),
  ),
);

const runs: fc.Arbitrary<RunState> = plain({
  phase: fc.constantFrom(...MEASUREMENT_PHASES),
  value: words,
  message: words,
  atMs: time,
  wallMs: integer,
}).map((measurement) => runState({ metrics: [metricState({ measurements: [measurement, measurement] })] }));

/** Any state of `service`. */
export function rolloutStates(service: string): fc.Arbitrary<RolloutState> {
  return plain({
    stable: words,
    canary: words,
    number: integer,
    clockMs: time,
    progress: progresses,
    userPaused: fc.boolean(),
    weightOverrideBp: fc.option(fc.integer({ min: 0, max: 10_000 })),
    background: fc.option(runs),
    rollbackPollAtMs: fc.option(time),
    completed: fc.array(words, { maxLength: 3 }),
    history: fc.array(
      plain({
        wallMs: integer,
        number: integer,
        kind: fc.constantFrom(...HISTORY_KINDS),
        actor: words,
        cause: words,
        step: fc.option(integer),
        weight: fc.double({ min: 0, max: 100, noNaN: true }).map((value) => value + 0),
        evidence: fc.array(words, { maxLength: 2 }),
      }),
      { maxLength: 3 },
    ),
  }).map((over) => rolloutState(service, over));
}
