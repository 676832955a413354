/**
 * Every metric of ours by name, kind, labels and help: a public contract, because
 * dashboards, alerts and recording rules of others are written against it.
 *
 * Label values come from the config (`app`, `version`, `gate`, `kpi`) or from closed lists
 * (`method`, `status`, `reason`, `outcome`, …), never from a request as it came; but
 * for `class`, which is what a version's own answers say, and bounded.
 */
export interface MetricSpec {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

export const METRICS = {
  requests: {
    name: 'http_requests_total',
    kind: 'counter',
    labels: ['app', 'version', 'method', 'status'],
    help: 'Requests answered, by the version they were assigned to.',
  },
  duration: {
    name: 'http_request_duration_seconds',
    kind: 'histogram',
    labels: ['app', 'version'],
    help: 'Time from the head of a request parsed to the last byte of its answer handed to the socket.',
  },
  ttfb: {
    name: 'http_request_ttfb_seconds',
    kind: 'histogram',
    labels: ['app', 'version'],
    help: 'Time from the head of a request parsed to the first byte of its answer handed to the socket.',
  },
  inFlight: {
    name: 'http_requests_in_flight',
    kind: 'gauge',
    labels: ['app', 'version'],
    help: 'Requests assigned and not yet answered to the end.',
  },
  weight: {
    name: 'coalmine_weight',
    kind: 'gauge',
    labels: ['app', 'version'],
    help: 'Percent of users that a version gets where no rule decides.',
  },
  assignments: {
    name: 'coalmine_assignments_total',
    kind: 'counter',
    labels: ['app', 'version', 'reason'],
    help: 'Requests assigned to a version, by what decided it.',
  },
  retries: {
    name: 'coalmine_retries_total',
    kind: 'counter',
    labels: ['app', 'version'],
    help: 'Second attempts at an upstream; the request itself counts once.',
  },
  failovers: {
    name: 'coalmine_failovers_total',
    kind: 'counter',
    labels: ['app', 'version'],
    help: 'Requests of this version that failed and were answered by the stable version instead.',
  },
  clientGone: {
    name: 'coalmine_client_gone_total',
    kind: 'counter',
    labels: ['app', 'version'],
    help: 'Requests whose client went away before the end of the answer.',
  },
  timeouts: {
    name: 'coalmine_upstream_timeouts_total',
    kind: 'counter',
    labels: ['app', 'version'],
    help: 'Attempts given up because the upstream took too long to connect, begin or end an answer.',
  },
  mirrored: {
    name: 'coalmine_mirror_requests_total',
    kind: 'counter',
    labels: ['app', 'version', 'outcome'],
    help: 'Copies that were due to a shadow version, by what became of them.',
  },
  mirrorDuration: {
    name: 'coalmine_mirror_duration_seconds',
    kind: 'histogram',
    labels: ['app', 'version'],
    help: 'Time a shadow version took for a copy that was sent to it.',
  },
  mirrorInFlight: {
    name: 'coalmine_mirror_requests_in_flight',
    kind: 'gauge',
    labels: ['app', 'version'],
    help: 'Copies sent to a shadow version and not yet done.',
  },
  refused: {
    name: 'coalmine_refused_total',
    kind: 'counter',
    labels: ['reason'],
    help: 'Requests refused before they had a version, by error code; they count nowhere else.',
  },
  rolloutInfo: {
    name: 'coalmine_rollout_info',
    kind: 'gauge',
    labels: ['app', 'phase', 'step'],
    help: 'Always 1: the phase a rollout is in, and its step counted from 0 (empty outside the steps).',
  },
  rollouts: {
    name: 'coalmine_rollouts_total',
    kind: 'counter',
    labels: ['app', 'status'],
    help: 'Rollouts that ended since this process began, by how.',
  },
  gateState: {
    name: 'coalmine_gate_state',
    kind: 'gauge',
    labels: ['app', 'gate'],
    help: 'What a gate says of the canary: 1 PASS, 0 CONTINUE, -1 FAIL, -2 ERROR.',
  },
  gateEvidence: {
    name: 'coalmine_gate_evidence',
    kind: 'gauge',
    labels: ['app', 'gate', 'side'],
    help: 'How far the evidence has come towards a rollback or towards passing; decided from 1 on.',
  },
  gateEstimate: {
    name: 'coalmine_gate_estimate',
    kind: 'gauge',
    labels: ['app', 'gate', 'arm', 'bound'],
    help: 'What a gate measures of the canary and of stable, with the bounds that hold at all times: seconds for a latency, else 0 to 1.',
  },
  gateSamples: {
    name: 'coalmine_gate_samples',
    kind: 'gauge',
    labels: ['app', 'gate', 'samples'],
    help: 'Samples of the canary: those that a gate has, and those at which it passes if they go on like this.',
  },
  gateDecision: {
    name: 'coalmine_gate_decision_seconds',
    kind: 'gauge',
    labels: ['app', 'gate'],
    help: 'Until a gate is expected to pass at this traffic; 0: decided. Absent: not foreseeable.',
  },
  verdictState: {
    name: 'coalmine_verdict_state',
    kind: 'gauge',
    labels: ['app'],
    help: 'What all gates of a service say together: 1 PASS, 0 CONTINUE, -1 FAIL, -2 ERROR, also where the counts cannot be believed.',
  },
  observed: {
    name: 'coalmine_observed_total',
    kind: 'counter',
    labels: ['app', 'version', 'outcome'],
    help: 'Answers chosen to be read, by what became of that.',
  },
  predictions: {
    name: 'coalmine_predictions_total',
    kind: 'counter',
    labels: ['app', 'version', 'class'],
    help: 'Predictions read from answers, by class; each item of a batch counts.',
  },
  confidence: {
    name: 'coalmine_prediction_confidence',
    kind: 'histogram',
    labels: ['app', 'version'],
    help: 'Confidence of the predictions read from answers, 0 to 1.',
  },
  shadowPairs: {
    name: 'coalmine_shadow_pairs_total',
    kind: 'counter',
    labels: ['app', 'agree'],
    help: 'Answers of stable and of the shadow to the same request, by whether they agree.',
  },
  shadowTimes: {
    name: 'coalmine_shadow_times_total',
    kind: 'counter',
    labels: ['app', 'shadow'],
    help: 'Requests that both stable and the shadow answered, by which took longer to the head of its answer: a tenth more, or about alike.',
  },
  kpi: {
    name: 'coalmine_kpi_total',
    kind: 'counter',
    labels: ['app', 'version', 'kpi'],
    help: 'Events reported of what a version answered, by KPI; each is counted once.',
  },
  feedbackRefused: {
    name: 'coalmine_feedback_refused_total',
    kind: 'counter',
    labels: ['reason'],
    help: 'Reported items that were not counted, by why.',
  },
  feedbackForgotten: {
    name: 'coalmine_feedback_forgotten_total',
    kind: 'counter',
    labels: ['bound'],
    help: 'Counted feedback that a process after this one would count again, for newer took its place, by which bound.',
  },
  traceSpans: {
    name: 'coalmine_trace_spans_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Spans recorded for traces, by what became of them.',
  },
  traces: {
    name: 'coalmine_traced_requests_total',
    kind: 'counter',
    labels: ['outcome'],
    help: 'Requests that were to be traced, by whether they were.',
  },
  reloads: {
    name: 'coalmine_config_reloads_total',
    kind: 'counter',
    labels: [],
    help: 'Attempts to take over a changed config, refused ones included.',
  },
  reloadFailures: {
    name: 'coalmine_config_reload_failures_total',
    kind: 'counter',
    labels: [],
    help: 'Changed configs that were refused; the one before stays in force.',
  },
  eventStreams: {
    name: 'coalmine_event_streams',
    kind: 'gauge',
    labels: [],
    help: 'Open streams of events on the admin port, such as those of dashboards.',
  },
  eventStreamsDropped: {
    name: 'coalmine_event_streams_dropped_total',
    kind: 'counter',
    labels: [],
    help: 'Streams of events that were ended because their reader was too slow.',
  },
} as const satisfies Record<string, MetricSpec>;

export type MetricKey = keyof typeof METRICS;

export type HistogramKey = {
  [Key in MetricKey]: (typeof METRICS)[Key]['kind'] extends 'histogram' ? Key : never;
}[MetricKey];
