import {
  type AnalysisPhase,
  MEASUREMENT_PHASES,
  type Measurement,
  type MetricState,
  type RunState,
} from '../../core/analysis/state.ts';
import { WHOLE_BP } from '../../core/model.ts';
import {
  type Gate,
  HISTORY_KINDS,
  type HistoryEntry,
  type Hold,
  type Progress,
  type RolloutState,
  type Stepping,
  type VerdictState,
} from '../../core/rollout/state.ts';
import {
  among,
  count,
  finite,
  flag,
  list,
  nullable,
  oneOf,
  type Reader,
  record,
  tagged,
  text,
  whole,
  within,
} from './shape.ts';

/** The shape of a RolloutState, field by field. */

const analysisPhase = oneOf<AnalysisPhase>({
  Pending: true,
  Running: true,
  Successful: true,
  Failed: true,
  Inconclusive: true,
  Error: true,
});

const measurement = record<Measurement>({
  phase: among(MEASUREMENT_PHASES),
  value: text,
  message: text,
  atMs: finite,
  wallMs: finite,
});

const metric = record<MetricState>({
  name: text,
  phase: analysisPhase,
  message: text,
  successful: count,
  failed: count,
  inconclusive: count,
  error: count,
  noData: count,
  consecutiveError: count,
  consecutiveSuccess: count,
  consecutiveNoData: count,
  measurements: list(measurement),
  nextAtMs: nullable(finite),
  inFlight: flag,
});

const run = record<RunState>({
  id: count,
  label: text,
  startedAtMs: finite,
  phase: analysisPhase,
  message: text,
  metrics: list(metric),
});

const progress = tagged<Progress>({
  idle: record({ kind: among(['idle']) }),
  starting: record({ kind: among(['starting']) }),
  stepping: record<Stepping>({
    kind: among(['stepping']),
    // -1: before the first step.
    index: whole(-1),
    enteredAtMs: finite,
    runs: list(run),
    stuck: nullable(text),
  }),
  completed: record({
    kind: among(['completed']),
    status: among(['Promoted', 'FastPromoted', 'RolledBack']),
  }),
  aborted: record({ kind: among(['aborted']), cause: text }),
  undone: record({ kind: among(['undone']) }),
});

const hold = record<Hold>({ reason: text, sinceMs: finite, told: flag });

const gate = record<Gate>({
  point: oneOf<Gate['point']>({ start: true, traffic: true, promotion: true }),
  index: count,
  inFlight: flag,
  nextAtMs: finite,
  refusal: text,
  refusals: count,
});

const verdict = record<VerdictState>({
  state: oneOf<VerdictState['state']>({ PASS: true, FAIL: true, CONTINUE: true, ERROR: true }),
  holdRamp: flag,
  ready: flag,
  why: text,
  failed: list(text),
});

const entry = record<HistoryEntry>({
  wallMs: finite,
  number: count,
  kind: among(HISTORY_KINDS),
  actor: text,
  cause: text,
  step: nullable(whole(-1)),
  weight: within(0, 100),
  evidence: list(text),
});

export const readState: Reader<RolloutState> = record<RolloutState>({
  service: text,
  stable: text,
  canary: text,
  canaryDefinition: text,
  stepsDefinition: text,
  number: count,
  clockMs: finite,
  progress,
  userPaused: flag,
  weightOverrideBp: nullable(within(0, WHOLE_BP)),
  background: nullable(run),
  verdict: nullable(verdict),
  hold: nullable(hold),
  gate: nullable(gate),
  rollbackPollAtMs: nullable(finite),
  progressedAtMs: finite,
  deadlineTold: flag,
  nextRunId: count,
  beganWallMs: finite,
  completed: list(text),
  history: list(entry),
});
