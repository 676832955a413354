import { readFileSync } from 'node:fs';
import t from 'tap';
import { LATENCY_EDGES_MS } from '../../src/config/defaults.ts';
import { ARM, type Judged, PAIR } from '../../src/core/arms.ts';
import type { Split } from '../../src/core/model.ts';
import { SCALAR, type Tally } from '../../src/core/tally.ts';
import { ArmBook, countArm, countObservations, countPair, type OpenArms } from '../../src/tally/arms.ts';
import { ArmsLifetime } from '../../src/tally/arms-lifetime.ts';
import { createExposition } from '../../src/tally/exposition.ts';
import { METRICS, type MetricSpec } from '../../src/tally/names.ts';
import {
  beginMirror,
  beginRequest,
  countScalar,
  dropMirror,
  endMirror,
  Recorder,
} from '../../src/tally/recorder.ts';
import {
  type GateReading,
  ROLLOUT_STATUSES,
  type RolloutReading,
  type VerdictReading,
} from '../../src/tally/samples.ts';
import { mirror, split } from '../support/split.ts';
import {
  EDGES,
  judgedOf,
  outcome,
  parseExposition,
  reason,
  request,
  serviceOf,
  startingWith,
} from './support.ts';

function gateReading(changes: Partial<GateReading> = {}): GateReading {
  return {
    app: 'iris-api',
    gate: 'successRate',
    state: 'PASS',
    harm: 0,
    pass: 1,
    canary: { value: 0, low: 0, high: 0.01 },
    stable: null,
    samples: { have: 50, need: 50 },
    decisionInS: 0,
    ...changes,
  };
}

/** A recorder and an exposition around one Split that can be swapped, as app.ts wires them. */
function world(first: Split) {
  const recorder = new Recorder();
  const book = new ArmBook();
  const answers = new ArmsLifetime(book);
  const gates: GateReading[] = [];
  const verdicts: VerdictReading[] = [];
  const tracing = { on: false, spans: { exported: 3, failed: 0 }, requests: { recorded: 1, limited: 2 } };
  const feedback = {
    kpis: [{ app: 'iris-api', version: 'v1', kpi: 'click', count: 3 }],
    refused: { forged: 2, expired: 0 },
    forgotten: { service: 3, total: 0 },
  };
  let current = first;
  const reloads = { ok: 0, failed: 0 };
  const rollouts: RolloutReading[] = [];
  let arms: (OpenArms | null)[] = [];
  const swap = (next: Split): Tally[][] => {
    const opened = next.services.map((service) => recorder.open(service));
    current = next;
    recorder.retain(next);
    arms = next.services.map((service) => book.open(service));
    book.retain(next);
    answers.retain(next);
    return opened;
  };
  const exposition = createExposition({
    recorder,
    split: () => current,
    reloads: () => reloads,
    rollouts: () => rollouts,
    answers,
    gates: (services) => gates.filter(({ app }) => services.has(app)),
    verdicts: (services) => verdicts.filter(({ app }) => services.has(app)),
    feedback: () => feedback,
    tracing: () => (tracing.on ? tracing : null),
  });
  return {
    recorder,
    gates,
    verdicts,
    tracing,
    reloads,
    rollouts,
    swap,
    opened: swap(first),
    /** Of the first service. */
    arms: () => arms[0] as OpenArms,
    exposition,
    text: async () => parseExposition(await exposition.render(false)),
    open: async () => parseExposition(await exposition.render(true)),
  };
}

const IRIS = serviceOf('iris-api', ['v1', 'v2'], { shares: [{ version: 1, weightBp: 525 }] });

t.test('counters and gauges are told exactly', async (t) => {
  const { opened, text, reloads } = world(split([IRIS]));
  const [[v1, v2]] = opened as [[Tally, Tally]];
  for (let i = 0; i < 7; i++) request(v1);
  request(v1, { method: 'POST', status: 503 });
  request(v1, { method: 'PROPFIND', status: 207 });
  request(v2, { reason: 'rule', status: 499, ttfbMs: -1 });
  beginRequest(v2, reason('random'));
  countScalar(v1, SCALAR.retries);
  countScalar(v2, SCALAR.failovers);
  countScalar(v2, SCALAR.timeouts);
  countScalar(v2, SCALAR.timeouts);
  countScalar(v2, SCALAR.clientGone);
  reloads.ok = 3;
  reloads.failed = 2;

  const told = await text();
  t.strictSame(startingWith(told, 'http_requests_total'), {
    'http_requests_total{app="iris-api",method="GET",status="200",version="v1"}': 7,
    'http_requests_total{app="iris-api",method="POST",status="503",version="v1"}': 1,
    'http_requests_total{app="iris-api",method="other",status="207",version="v1"}': 1,
    'http_requests_total{app="iris-api",method="GET",status="499",version="v2"}': 1,
  });
  t.strictSame(startingWith(told, 'http_requests_in_flight'), {
    'http_requests_in_flight{app="iris-api",version="v1"}': 0,
    'http_requests_in_flight{app="iris-api",version="v2"}': 1,
  });
  t.strictSame(startingWith(told, 'coalmine_weight'), {
    'coalmine_weight{app="iris-api",version="v1"}': 94.75,
    'coalmine_weight{app="iris-api",version="v2"}': 5.25,
  });
  const assigned = (version: string, why: string) =>
    told.samples.get(`coalmine_assignments_total{app="iris-api",reason="${why}",version="${version}"}`);
  t.equal(assigned('v1', 'hash'), 9);
  t.equal(assigned('v2', 'rule'), 1);
  t.equal(assigned('v2', 'random'), 1);
  t.equal(assigned('v2', 'session'), 0, 'a reason not seen yet is told as 0');
  const scalar = (metric: string, version: string) =>
    told.samples.get(`${metric}{app="iris-api",version="${version}"}`);
  t.equal(scalar('coalmine_retries_total', 'v1'), 1);
  t.equal(scalar('coalmine_retries_total', 'v2'), 0);
  t.equal(scalar('coalmine_failovers_total', 'v2'), 1);
  t.equal(scalar('coalmine_upstream_timeouts_total', 'v2'), 2);
  t.equal(scalar('coalmine_client_gone_total', 'v2'), 1);
  t.equal(told.samples.get('coalmine_config_reloads_total'), 5, 'attempts, failed ones included');
  t.equal(told.samples.get('coalmine_config_reload_failures_total'), 2);
});

t.test('histograms are cumulative, in seconds, and end at +Inf', async (t) => {
  const { opened, text, open } = world(split([serviceOf('iris-api', ['v1'])]));
  const [[v1]] = opened as [[Tally]];
  for (const durationMs of [0.25, 1, 1.5, 10, 999, 1_000, 1_000.5]) request(v1, { durationMs, ttfbMs: 0.25 });
  request(v1, { durationMs: 70_000, ttfbMs: -1 });
  const labels = 'app="iris-api"';
  const expected = {
    [`http_request_duration_seconds_bucket{${labels},le="0.001",version="v1"}`]: 2,
    [`http_request_duration_seconds_bucket{${labels},le="0.01",version="v1"}`]: 4,
    [`http_request_duration_seconds_bucket{${labels},le="0.1",version="v1"}`]: 4,
    [`http_request_duration_seconds_bucket{${labels},le="1",version="v1"}`]: 6,
    [`http_request_duration_seconds_bucket{${labels},le="+Inf",version="v1"}`]: 8,
    [`http_request_duration_seconds_sum{${labels},version="v1"}`]: 73.01225,
    [`http_request_duration_seconds_count{${labels},version="v1"}`]: 8,
    [`http_request_ttfb_seconds_bucket{${labels},le="0.001",version="v1"}`]: 7,
    [`http_request_ttfb_seconds_bucket{${labels},le="0.01",version="v1"}`]: 7,
    [`http_request_ttfb_seconds_bucket{${labels},le="0.1",version="v1"}`]: 7,
    [`http_request_ttfb_seconds_bucket{${labels},le="1",version="v1"}`]: 7,
    [`http_request_ttfb_seconds_bucket{${labels},le="+Inf",version="v1"}`]: 7,
    [`http_request_ttfb_seconds_sum{${labels},version="v1"}`]: 0.00175,
    [`http_request_ttfb_seconds_count{${labels},version="v1"}`]: 7,
  };
  for (const told of [await text(), await open()]) {
    t.strictSame(
      { ...startingWith(told, 'http_request_duration'), ...startingWith(told, 'http_request_ttfb') },
      expected,
    );
  }
});

t.test('each service has the buckets of its own thresholds, written as a person would', async (t) => {
  const odd = serviceOf('odd', ['v1'], { latencyEdgesMs: [0.3, 0.7, 1.1, 2.3, 33.3, 1234.5678, 60_000] });
  const { text } = world(split([odd, IRIS]));
  const told = await text();
  const bounds = (app: string) =>
    [...told.samples.keys()].flatMap((series) => {
      const found = /^http_request_ttfb_seconds_bucket\{app="([^"]+)",le="([^"]+)",version="v1"\}$/.exec(
        series,
      );
      return found?.[1] === app ? [found[2]] : [];
    });
  t.strictSame(bounds('odd'), ['0.0003', '0.0007', '0.0011', '0.0023', '0.0333', '1.2345678', '60', '+Inf']);
  t.strictSame(bounds('iris-api'), ['0.001', '0.01', '0.1', '1', '+Inf']);
});

t.test(
  'a (method, status) pair has no series before it is seen; histograms have theirs at once',
  async (t) => {
    const { opened, text } = world(split([IRIS]));
    const before = await text();
    t.strictSame(startingWith(before, 'http_requests_total'), {});
    t.equal(before.samples.get('http_request_duration_seconds_count{app="iris-api",version="v2"}'), 0);
    t.notOk(
      [...before.samples.values()].some((value) => value === undefined),
      'every sample has a value',
    );
    request((opened as [[Tally, Tally]])[0][1], { status: 418 });
    t.strictSame(startingWith(await text(), 'http_requests_total'), {
      'http_requests_total{app="iris-api",method="GET",status="418",version="v2"}': 1,
    });
  },
);

t.test('only a version that is or was a shadow has mirror metrics', async (t) => {
  const shadowed = serviceOf('iris-api', ['v1', 'v2', 'v3'], { mirror: mirror(2) });
  const { opened, text, swap } = world(split([shadowed, serviceOf('plain', ['v1'])]));
  const [[, , v3]] = opened as [[Tally, Tally, Tally]];
  const isMirror = (series: string) => series.startsWith('coalmine_mirror');
  const first = await text();
  t.ok([...first.samples.keys()].filter(isMirror).every((series) => series.includes('version="v3"')));
  t.equal(
    first.samples.get('coalmine_mirror_requests_total{app="iris-api",outcome="dropped_full",version="v3"}'),
    0,
  );

  beginMirror(v3);
  beginMirror(v3);
  endMirror(v3, outcome('ok'), 250);
  dropMirror(v3, outcome('dropped_bytes'));
  const check = async (what: string) => {
    const told = await text();
    const count = (name: string) =>
      told.samples.get(`coalmine_mirror_requests_total{app="iris-api",outcome="${name}",version="v3"}`);
    t.equal(count('ok'), 1, what);
    t.equal(count('dropped_bytes'), 1, what);
    t.equal(count('timeout'), 0, what);
    t.equal(told.samples.get('coalmine_mirror_duration_seconds_sum{app="iris-api",version="v3"}'), 0.25);
    t.equal(told.samples.get('coalmine_mirror_duration_seconds_count{app="iris-api",version="v3"}'), 1);
    t.equal(told.samples.get('coalmine_mirror_requests_in_flight{app="iris-api",version="v3"}'), 1);
    t.equal([...told.samples.keys()].filter((s) => s.startsWith('http_requests_total')).length, 0);
  };
  await check('while it is the shadow');
  swap(split([{ ...shadowed, mirror: null, stage: 1 }]));
  await check('after the mirror was turned off');
});

t.test('feedback', async (t) => {
  const told = await world(split([IRIS])).text();
  t.strictSame(startingWith(told, 'coalmine_kpi'), {
    'coalmine_kpi_total{app="iris-api",kpi="click",version="v1"}': 3,
  });
  t.strictSame(startingWith(told, 'coalmine_feedback'), {
    'coalmine_feedback_forgotten_total{bound="service"}': 3,
    'coalmine_feedback_forgotten_total{bound="total"}': 0,
    'coalmine_feedback_refused_total{reason="forged"}': 2,
    'coalmine_feedback_refused_total{reason="expired"}': 0,
  });
});

t.test('the metrics are those of the table, with their kind, help and labels', async (t) => {
  const everything = serviceOf('iris-api', ['v1'], { mirror: mirror(0), judged: judgedOf({ canary: 0 }) });
  const { opened, text, open, rollouts, gates, verdicts, arms, tracing, recorder } = world(
    split([everything]),
  );
  tracing.on = true;
  recorder.countRefused('no_route');
  gates.push(gateReading());
  verdicts.push({ app: 'iris-api', state: 'PASS' });
  countObservations(arms(), 0, -1, [{ class: 'setosa', confidence: 0.9, score: null }]);
  rollouts.push({ app: 'iris-api', phase: 'Healthy', step: '', ended: new Map() });
  request((opened as [[Tally]])[0][0]);
  const inText = await text();
  const inOpen = await open();
  for (const { name, kind, help, labels } of Object.values(METRICS) as MetricSpec[]) {
    t.equal(inText.types.get(name), kind, name);
    t.equal(inText.helps.get(name), help, name);
    const family = kind === 'counter' ? name.replace(/_total$/, '') : name;
    t.equal(inOpen.types.get(family), kind, `${family} in OpenMetrics`);
    const suffix = kind === 'histogram' ? '_count' : '';
    const series = [...inText.samples.keys()].filter((each) => each.split('{')[0] === name + suffix);
    t.ok(series.length > 0, `${name} has series`);
    for (const each of series) {
      const names = [...each.matchAll(/(\w+)="/g)].map((found) => found[1]);
      t.strictSame(names, [...labels].sort(), each);
    }
  }
});

t.test('traces are told from the first time they are on', async (t) => {
  const { text, tracing } = world(split([IRIS]));
  t.strictSame(startingWith(await text(), 'coalmine_trace'), {});
  tracing.on = true;
  t.strictSame(startingWith(await text(), 'coalmine_trace'), {
    'coalmine_trace_spans_total{outcome="exported"}': 3,
    'coalmine_trace_spans_total{outcome="failed"}': 0,
    'coalmine_traced_requests_total{outcome="recorded"}': 1,
    'coalmine_traced_requests_total{outcome="limited"}': 2,
  });
});

t.test('rollouts are told by phase and step, and how they ended', async (t) => {
  const { text, rollouts } = world(split([IRIS]));
  const none = await text();
  t.strictSame(startingWith(none, 'coalmine_rollout'), {});
  rollouts.push({ app: 'iris-api', phase: 'Progressing', step: '2', ended: new Map([['Aborted', 3]]) });
  rollouts.push({ app: 'other', phase: 'Healthy', step: '', ended: new Map() });
  const told = await text();
  t.strictSame(startingWith(told, 'coalmine_rollout_info'), {
    'coalmine_rollout_info{app="iris-api",phase="Progressing",step="2"}': 1,
    'coalmine_rollout_info{app="other",phase="Healthy",step=""}': 1,
  });
  const ended = (app: string, status: string) =>
    told.samples.get(`coalmine_rollouts_total{app="${app}",status="${status}"}`);
  t.equal(ended('iris-api', 'Aborted'), 3);
  for (const status of ROLLOUT_STATUSES) {
    t.equal(ended('other', status), 0, `${status}: told as 0 before the first`);
  }
  rollouts.length = 0;
  t.strictSame(startingWith(await text(), 'coalmine_rollout'), {}, 'the phase before is not left behind');
});

t.test('gates are told by their state and their evidence', async (t) => {
  const { text, gates } = world(split([IRIS]));
  t.strictSame(startingWith(await text(), 'coalmine_gate'), {});
  const states = { PASS: 1, CONTINUE: 0, FAIL: -1, ERROR: -2 } as const;
  for (const state of ['PASS', 'CONTINUE', 'FAIL', 'ERROR'] as const) {
    gates.push(gateReading({ gate: state.toLowerCase(), state, harm: 1.5, pass: null }));
  }
  const told = await text();
  for (const [state, number] of Object.entries(states)) {
    const labels = `app="iris-api",gate="${state.toLowerCase()}"`;
    t.equal(told.samples.get(`coalmine_gate_state{${labels}}`), number, state);
    t.equal(told.samples.get(`coalmine_gate_evidence{${labels},side="harm"}`), 1.5);
    t.notOk(
      told.samples.has(`coalmine_gate_evidence{${labels},side="pass"}`),
      'what is not known is not told',
    );
  }
  gates.length = 0;
  t.strictSame(startingWith(await text(), 'coalmine_gate'), {});
});

t.test('gates are told by what they measure, their samples and when they decide', async (t) => {
  const { text, gates, verdicts } = world(split([IRIS]));
  gates.push(
    gateReading({
      canary: { value: 0.02, low: 0.01, high: 0.05 },
      stable: { value: 0.002, low: 0.001, high: null },
      samples: { have: 212, need: 543 },
      decisionInS: 66.2,
    }),
    gateReading({ gate: 'confidence', canary: null, samples: { have: 0, need: null }, decisionInS: null }),
  );
  verdicts.push({ app: 'iris-api', state: 'ERROR' }, { app: 'gone', state: 'PASS' });
  const told = await text();
  const own = 'app="iris-api",gate="successRate"';
  t.strictSame(startingWith(told, 'coalmine_gate_estimate'), {
    'coalmine_gate_estimate{app="iris-api",arm="canary",bound="value",gate="successRate"}': 0.02,
    'coalmine_gate_estimate{app="iris-api",arm="canary",bound="low",gate="successRate"}': 0.01,
    'coalmine_gate_estimate{app="iris-api",arm="canary",bound="high",gate="successRate"}': 0.05,
    'coalmine_gate_estimate{app="iris-api",arm="stable",bound="value",gate="successRate"}': 0.002,
    'coalmine_gate_estimate{app="iris-api",arm="stable",bound="low",gate="successRate"}': 0.001,
  });
  t.strictSame(startingWith(told, 'coalmine_gate_samples'), {
    [`coalmine_gate_samples{${own},samples="have"}`]: 212,
    [`coalmine_gate_samples{${own},samples="need"}`]: 543,
    'coalmine_gate_samples{app="iris-api",gate="confidence",samples="have"}': 0,
  });
  t.strictSame(startingWith(told, 'coalmine_gate_decision'), {
    [`coalmine_gate_decision_seconds{${own}}`]: 66.2,
  });
  t.strictSame(startingWith(told, 'coalmine_verdict'), { 'coalmine_verdict_state{app="iris-api"}': -2 });
});

t.test('gates of many services are told, each once', async (t) => {
  const names = Array.from({ length: 25 }, (_, i) => `svc${i}`);
  const { text, gates, verdicts } = world(split(names.map((name) => serviceOf(name, ['v1']))));
  for (const app of names) gates.push(gateReading({ app }));
  for (const app of names) verdicts.push({ app, state: 'PASS' });
  const told = await text();
  t.equal(Object.keys(startingWith(told, 'coalmine_gate_state')).length, names.length);
  t.equal(Object.keys(startingWith(told, 'coalmine_verdict_state')).length, names.length);
});

const JUDGED = serviceOf('iris-api', ['v1', 'v2'], { judged: judgedOf() });

t.test('what answers say', async (t) => {
  const { text, arms } = world(split([JUDGED, serviceOf('plain', ['v1'])]));
  const first = await text();
  const ofAnswers = /^coalmine_(observed|prediction|shadow_pairs)/;
  const series = [...first.samples.keys()].filter((each) => ofAnswers.test(each));
  t.notOk(
    series.some((each) => each.includes('plain')),
    'nothing of a service whose answers are not read',
  );
  t.equal(series.length, 2 * 4 + 3, 'outcomes and pairs are told as 0');
  countObservations(arms(), 1, -1, [
    { class: 'setosa', confidence: 0.5, score: null },
    { class: 'setosa', confidence: 1, score: null },
    { class: 'a"b', confidence: null, score: 3 },
  ]);
  for (const scalar of [ARM.observed, ARM.observed, ARM.unreadable, ARM.tooLarge, ARM.shed]) {
    countArm(arms(), 1, scalar);
  }
  for (const pair of [PAIR.agree, PAIR.agree, PAIR.disagree, PAIR.incomparable]) countPair(arms(), pair);
  for (const pair of [PAIR.slower, PAIR.slower, PAIR.faster, PAIR.alike]) countPair(arms(), pair);
  const told = await text();
  const app = 'app="iris-api"';
  t.strictSame(startingWith(told, 'coalmine_predictions_total'), {
    [`coalmine_predictions_total{${app},class="setosa",version="v2"}`]: 2,
    [`coalmine_predictions_total{${app},class="a\\"b",version="v2"}`]: 1,
  });
  t.strictSame(startingWith(told, 'coalmine_shadow_pairs_total'), {
    [`coalmine_shadow_pairs_total{agree="yes",${app}}`]: 2,
    [`coalmine_shadow_pairs_total{agree="no",${app}}`]: 1,
    [`coalmine_shadow_pairs_total{agree="incomparable",${app}}`]: 1,
  });
  t.strictSame(startingWith(told, 'coalmine_shadow_times_total'), {
    [`coalmine_shadow_times_total{${app},shadow="slower"}`]: 2,
    [`coalmine_shadow_times_total{${app},shadow="faster"}`]: 1,
    [`coalmine_shadow_times_total{${app},shadow="alike"}`]: 1,
  });
  const outcomes = ['observed', 'unreadable', 'too_large', 'shed'].map((name) =>
    told.samples.get(`coalmine_observed_total{${app},outcome="${name}",version="v2"}`),
  );
  t.strictSame(outcomes, [2, 1, 1, 1]);
});

t.test('confidence has few buckets, which lie on the bins', async (t) => {
  const { text, open, arms } = world(split([JUDGED]));
  const confident = (confidence: number) => [{ class: null, confidence, score: null }];
  // Between two bounds, at one (which counts above it), and the ends.
  for (const confidence of [0, 0.06, 0.0625, 0.5, 0.97, 0.999, 1]) {
    countObservations(arms(), 1, -1, confident(confidence));
  }
  for (const told of [await text(), await open()]) {
    const buckets = new Map(
      [...told.samples].flatMap(([series, value]) => {
        const le = /^coalmine_prediction_confidence_bucket\{app="iris-api",le="([^"]+)",version="v2"\}$/.exec(
          series,
        )?.[1];
        return le === undefined ? [] : [[le, value] as const];
      }),
    );
    t.ok(buckets.size <= 20, `${buckets.size} buckets`);
    t.strictSame(
      ['0.0625', '0.125', '0.5', '0.5625', '0.96875', '0.984375', '0.9921875', '1', '+Inf'].map((le) =>
        buckets.get(le),
      ),
      [2, 3, 3, 4, 4, 5, 5, 7, 7],
    );
    const of = (what: string) =>
      told.samples.get(`coalmine_prediction_confidence_${what}{app="iris-api",version="v2"}`) ?? Number.NaN;
    t.equal(of('count'), 7);
    t.ok(Math.abs(of('sum') - (0.06 + 0.0625 + 0.5 + 0.97 + 0.999 + 1)) <= 7 / 512, 'to half a bin each');
    t.notOk(
      [...told.samples.keys()].some((each) => /confidence.*v1/.test(each)),
      'v1 told none',
    );
  }
});

t.test('counters of answers do not fall, whatever stages come and go', async (t) => {
  const { text, arms, swap } = world(split([JUDGED]));
  let before = new Map<string, number>();
  for (let stage = 1; stage <= 9; stage++) {
    const judged: Judged | null = stage % 3 === 0 ? null : judgedOf();
    if (arms() !== null) {
      countObservations(arms(), 0, -1, [{ class: `c${stage}`, confidence: 0.9, score: null }]);
      countArm(arms(), 0, ARM.sampled);
      countArm(arms(), 0, ARM.observed);
      countPair(arms(), PAIR.agree);
    }
    swap(split([{ ...JUDGED, judged, stage }]));
    const { samples } = await text();
    const now = new Map([...samples].filter(([series]) => /^coalmine_(observed|pred|shadow)/.test(series)));
    for (const [series, value] of before) {
      // An arm that has counted nothing has nothing to tell while nothing is read.
      if (value > 0) t.ok((now.get(series) ?? -1) >= value, `${series} at stage ${stage}`);
    }
    before = now;
  }
  t.equal(before.get('coalmine_observed_total{app="iris-api",outcome="observed",version="v1"}'), 7);
});

t.test('both formats tell the same, in any order and at once', async (t) => {
  const { opened, exposition } = world(split([IRIS]));
  for (const tally of (opened as [Tally[]])[0]) request(tally);
  t.equal(exposition.contentType(false), 'text/plain; version=0.0.4; charset=utf-8');
  t.equal(exposition.contentType(true), 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  const formats = [true, false, true, true, false];
  const rendered = await Promise.all(formats.map((openMetrics) => exposition.render(openMetrics)));
  const ours = (text: string) =>
    [...parseExposition(text).samples].filter(([series]) => !/^(process|nodejs)_/.test(series));
  for (const [i, text] of rendered.entries()) {
    const openMetrics = formats[i] as boolean;
    t.equal(text.endsWith('# EOF\n'), openMetrics, `${openMetrics} ends`);
    t.equal(text.split('# EOF').length, openMetrics ? 2 : 1, 'once');
    t.ok(text.endsWith('\n'));
    t.match(text, openMetrics ? '# TYPE http_requests counter\n' : '# TYPE http_requests_total counter\n');
    t.strictSame(ours(text), ours(rendered[0] as string));
    t.match(text, /^http_requests_total\{/m);
    if (openMetrics) t.notMatch(text, /\n\n/, 'OpenMetrics has no empty lines');
  }
});

t.test('a scrape is of one moment', async (t) => {
  const { opened, exposition } = world(split([IRIS]));
  const [[v1]] = opened as [[Tally, Tally]];
  const scrapes: Promise<string>[] = [];
  for (let i = 0; i < 5; i++) {
    request(v1);
    scrapes.push(exposition.render(i % 2 === 0));
  }
  request(v1);
  for (const [i, text] of (await Promise.all(scrapes)).entries()) {
    const { samples } = parseExposition(text);
    const count =
      samples.get('http_requests_total{app="iris-api",method="GET",status="200",version="v1"}') ?? 0;
    t.ok(count > i, 'it knows what was counted before it was asked for');
    t.equal(samples.get('http_request_duration_seconds_count{app="iris-api",version="v1"}'), count);
    t.equal(samples.get('coalmine_assignments_total{app="iris-api",reason="hash",version="v1"}'), count);
  }
});

t.test('the series of what leaves the config end with it', async (t) => {
  const { swap, opened, text } = world(split([IRIS, serviceOf('other', ['v1'])]));
  for (const tally of (opened as [Tally[]])[0]) request(tally);
  t.ok([...(await text()).samples.keys()].some((series) => series.includes('version="v2"')));
  swap(split([serviceOf('iris-api', ['v1'])]));
  const after = [...(await text()).samples.keys()];
  t.notOk(
    after.some((series) => series.includes('version="v2"') || series.includes('app="other"')),
    'neither the version nor the service',
  );
  t.ok(after.includes('http_requests_total{app="iris-api",method="GET",status="200",version="v1"}'));
});

t.test('what was only opened, for a Split that was refused, is not told', async (t) => {
  const recorder = new Recorder();
  const current = split([serviceOf('iris-api', ['v1'])]);
  recorder.open(current.services[0] as (typeof current.services)[0]);
  recorder.open(serviceOf('iris-api', ['v1', 'v9']));
  recorder.open(serviceOf('never', ['v1']));
  const exposition = createExposition({
    recorder,
    split: () => current,
    reloads: () => ({ ok: 0, failed: 0 }),
  });
  t.notMatch(await exposition.render(false), /never|v9/);
});

t.test('names with quotes, backslashes and line ends are escaped', async (t) => {
  const name = 'a"b\\c\nd';
  const { text, open } = world(split([serviceOf(name, ['v1'])]));
  for (const told of [await text(), await open()]) {
    t.equal(told.samples.get('coalmine_weight{app="a\\"b\\\\c\\nd",version="v1"}'), 100);
  }
});

t.test('the metrics of the process are there, and shared by all expositions', async (t) => {
  const one = world(split([IRIS]));
  const cpuOf = (told: Awaited<ReturnType<typeof one.text>>) =>
    told.samples.get('process_cpu_seconds_total') ?? 0;
  // Each scrape takes some CPU time, so that a second set of metrics would begin visibly lower.
  for (let i = 0; i < 10; i++) await one.text();
  const before = cpuOf(await one.text());
  t.ok(before > 0);
  const two = world(split([IRIS]));
  for (const told of [await two.text(), await two.open()]) {
    t.ok(cpuOf(told) >= before, 'the CPU time goes on');
    t.ok((told.samples.get('process_resident_memory_bytes') ?? 0) > 1e6);
    t.ok(told.types.has('nodejs_eventloop_lag_p99_seconds'));
    t.equal(
      [...told.types].filter(([name, type]) => name.endsWith('_total') && type !== 'counter').length,
      0,
    );
  }
});

t.test('a scrape of 100 services is right to the last series', async (t) => {
  const services = Array.from({ length: 100 }, (_, i) =>
    serviceOf(`service-${i}`, ['stable', 'canary'], { shares: [{ version: 1, weightBp: i }] }),
  );
  const { opened, text } = world(split(services));
  for (const [i, [stable, canary]] of (opened as [Tally, Tally][]).entries()) {
    for (let n = 0; n <= i; n++) request(stable, { durationMs: 5 });
    request(canary, { status: 500, durationMs: i });
  }
  const told = await text();
  for (let i = 0; i < 100; i++) {
    const at = (metric: string, version: string, more = '') =>
      told.samples.get(`${metric}{app="service-${i}"${more},version="${version}"}`);
    const told200 = at('http_requests_total', 'stable', ',method="GET",status="200"');
    const right =
      told200 === i + 1 &&
      at('http_requests_total', 'canary', ',method="GET",status="500"') === 1 &&
      at('http_request_duration_seconds_count', 'stable') === i + 1 &&
      at('http_request_duration_seconds_sum', 'stable') === ((i + 1) * 5) / 1_000 &&
      at('http_request_duration_seconds_sum', 'canary') === i / 1_000 &&
      at('http_request_duration_seconds_bucket', 'canary', ',le="0.01"') === (i <= 10 ? 1 : 0) &&
      at('coalmine_weight', 'canary') === i / 100;
    if (!right)
      t.fail(`service-${i}: ${JSON.stringify(startingWith(told, `http_requests_total{app="service-${i}"`))}`);
  }
  const ours = [...told.samples.keys()].filter((series) => series.includes('app="service-'));
  // A version: a pair, 2 histograms of buckets, +Inf, sum and count, 5 reasons, 6 scalars and the weight.
  const perVersion = 1 + 2 * (EDGES.length + 3) + 5 + 6;
  t.equal(ours.length, 100 * 2 * perVersion);
});

t.test('docs/metrics.md names every metric with its kind and labels', async (t) => {
  const docs = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  for (const { name, kind, labels } of Object.values(METRICS) as MetricSpec[]) {
    const row = docs.split('\n').find((line) => line.startsWith(`| \`${name}\``));
    t.ok(row, `${name} has a row`);
    const [, , told = '', toldLabels = ''] = row?.split('|').map((cell) => cell.trim()) ?? [];
    t.equal(told, kind, name);
    t.equal(toldLabels, labels.map((label) => `\`${label}\``).join(', ') || '–', name);
  }
});

t.test('docs/metrics.md lists the built-in bounds', async (t) => {
  const docs = readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8');
  const line = docs.split('\n').find((each) => /^ {4}[\d., ]+$/.test(each)) ?? '';
  t.strictSame(line.trim().split(', ').map(Number), [...LATENCY_EDGES_MS]);
});

t.test('many services are rendered over many turns of the event loop, once for all who wait', async (t) => {
  const services = Array.from({ length: 200 }, (_, i) => ({ ...IRIS, name: `s${i}` }));
  const { exposition } = world(split(services));
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const first = exposition.render(false);
  await Promise.resolve();
  const [one, two, three] = [exposition.render(false), exposition.render(false), exposition.render(true)];
  t.equal(one, two, 'shared');
  t.not(one, three, 'another format');
  const text = await first;
  isOver = true;
  t.ok(turns >= 9, `${turns} turns`);
  const { samples } = parseExposition(text);
  for (const { name } of services) {
    t.equal(samples.get(`http_requests_in_flight{app="${name}",version="v1"}`), 0);
  }
  await Promise.all([one, two, three]);
});

t.test('one that failed does not fail the next', async (t) => {
  let fails = true;
  const recorder = new Recorder();
  const exposition = createExposition({
    recorder,
    split: () => split([]),
    reloads() {
      if (fails) throw new Error('no');
      return { ok: 1, failed: 0 };
    },
  });
  await t.rejects(exposition.render(false), { message: 'no' });
  fails = false;
  t.match(await exposition.render(false), /coalmine_config_reloads_total 1/);
});

t.test('label values are escaped', async (t) => {
  const { exposition, swap } = world(split([]));
  swap(split([{ ...IRIS, name: 'a\\b"c\nd' }]));
  t.match(await exposition.render(false), 'http_requests_in_flight{app="a\\\\b\\"c\\nd",version="v1"} 0');
});
