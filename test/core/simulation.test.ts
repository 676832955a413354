import fc from 'fast-check';
import t from 'tap';
import type { TallyRead } from '../../src/core/analysis/plan.ts';
import type { Webhook } from '../../src/core/rollout/plan.ts';
import type { Fault } from '../../src/core/simulation/behaviour.ts';
import {
  analysis,
  condition,
  MINUTE,
  metric,
  pause,
  plan,
  played,
  prometheus,
  TEXTBOOK_QUERY,
  told,
  weight,
} from './simulation-support.ts';

const failing = (share: number, minute: number): Fault => ({ kind: '5xx', share, atMs: minute * MINUTE });

function background(...metrics: Parameters<typeof analysis>) {
  return plan({ background: { analysis: analysis(...metrics), startingStep: 1 } });
}

const tally = (read: Partial<TallyRead>) =>
  ({
    kind: 'coalmine',
    read: { measure: 'successRate', quantile: 0.99, of: 'canary', relative: null, windowMs: MINUTE, ...read },
  }) as const;

t.test('a good canary reaches everyone, step by step', async (t) => {
  const result = played();
  t.match(result.end, { status: 'completed', phase: 'Healthy', weight: 100, atMs: 30 * MINUTE });
  const steps = result.events.filter(({ kind }) => kind === 'step');
  t.strictSame(
    steps.map(({ atMs, weight: at }) => [atMs / MINUTE, at]),
    [
      [0, 5],
      [5, 25],
      [15, 50],
      [30, 100],
    ],
  );
  // 5 % of 5 minutes, 25 % of 10 and 50 % of 15, at 6000 requests a minute.
  const expected = 6_000 * (0.05 * 5 + 0.25 * 10 + 0.5 * 15);
  t.ok(Math.abs(result.exposed - expected) < 0.02 * expected, String(result.exposed));
  t.ok(Math.abs(result.requests - 180_000) < 2_500);
  t.equal(result.failed, 0);
  t.strictSame(result.unsimulated, []);
  t.strictSame(result.assumptions, []);
});

t.test('a canary that begins to fail is taken back at its fourth failed measurement', async (t) => {
  const result = played({ faults: [failing(0.05, 10)] });
  t.match(result.end, { status: 'aborted', phase: 'Degraded', weight: 0 });
  const bad = result.events.filter(({ cause }) => cause.startsWith('success-rate Failed'));
  t.equal(bad.length, 4);
  t.ok(bad.every(({ atMs, weight: at }) => atMs > 10 * MINUTE && at === 25));
  t.equal(result.end.atMs, bad[3]?.atMs, 'at once');
  t.ok(result.end.atMs < 15 * MINUTE);
  const last = result.events.at(-1);
  t.match(last, { kind: 'aborted', weight: 0, exposed: result.exposed, failed: result.failed });
  t.match(last?.evidence[0], /success-rate: Failed, failed \(4\) > failureLimit \(3\)/);
  t.match(
    result.events.find(({ kind }) => kind === 'fault'),
    { atMs: 10 * MINUTE, weight: 25, failed: 0, cause: 'v2: 5 % of its answers are 5xx from here on' },
  );
  t.ok(result.failed > 0 && result.failed < 0.07 * result.exposed);
});

t.test('over all versions a canary of 5 % hides its failures; the play shows that', async (t) => {
  const metrics = metric(prometheus(TEXTBOOK_QUERY));
  const steps = [weight(5), pause(20), weight(100)];
  const hidden = played({
    plan: { ...background(metrics), steps },
    faults: [failing(0.1, 0)],
  });
  t.equal(hidden.end.status, 'completed', '10 % of 5 % is below the 1 % of the condition');
  const seen = played({ plan: { ...background(metrics), steps }, faults: [failing(0.5, 0)] });
  t.equal(seen.end.status, 'aborted');
});

t.test('equal seeds give equal plays, others give others', async (t) => {
  const faults = [failing(0.03, 6)];
  t.strictSame(played({ faults, seed: 4 }), played({ faults, seed: 4 }));
  t.not(played({ faults, seed: 4 }).exposed, played({ faults, seed: 5 }).exposed);
});

t.test('the gateway’s own counters are read without any query', async (t) => {
  const success = metric(tally({}), { successCondition: condition('result >= 0.99') });
  t.equal(played({ plan: background(success) }).end.status, 'completed');
  t.equal(played({ plan: background(success), faults: [failing(0.05, 2)] }).end.status, 'aborted');

  const slow = metric(tally({ measure: 'latency', relative: 'ratio' }), {
    name: 'p99',
    successCondition: condition('result <= 1.5'),
  });
  t.equal(played({ plan: background(slow) }).end.status, 'completed', 'as fast as stable');
  const late: Fault = { kind: 'latency', addMs: 500, atMs: 6 * MINUTE };
  const result = played({ plan: background(slow), faults: [late] });
  t.equal(result.end.status, 'aborted');
  t.equal(result.failed, 0, 'slow is not failed');
});

t.test('Prometheus latency by quantile, in a range of measurements too', async (t) => {
  const query =
    'histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{version="v2"}[2m])))';
  const fast = (provider: ReturnType<typeof prometheus>, source: string) =>
    background(metric(provider, { successCondition: condition(source) }));
  const late: Fault = { kind: 'latency', addMs: 500, atMs: 6 * MINUTE };
  const single = fast(prometheus(query), 'result[0] < 0.2');
  t.equal(played({ plan: single }).end.status, 'completed');
  t.equal(played({ plan: single, faults: [late] }).end.status, 'aborted');
  const range = { startBeforeMs: 2 * MINUTE, endBeforeMs: 0, stepMs: MINUTE };
  const many = { ...prometheus(query), range } as ReturnType<typeof prometheus>;
  const all = fast(many, 'all(result, isNaN(#) or # < 0.2) and len(result) == 3');
  t.equal(played({ plan: all }).end.status, 'completed');
});

t.test('too few samples hold the rollout, and it goes on when there are enough', async (t) => {
  const few = metric(tally({ windowMs: 60 * MINUTE }), {
    successCondition: condition('result >= 0.99'),
    minSamples: { count: 600, query: null },
  });
  const result = played({ plan: background(few), ratePerS: 20 });
  // 5 % of 20 requests a second are 300 in the five minutes of the first pause.
  const step = result.events.find(({ kind, weight: at }) => kind === 'step' && at === 25);
  t.ok(step !== undefined && step.atMs > 9 * MINUTE && step.atMs < 12 * MINUTE, String(step?.atMs));
  t.match(told(result).join('\n'), /measured 5 success-rate NoData 1: \d+ of 600 samples/);
  t.match(told(result).join('\n'), /held 5 held: success-rate has no data/);
  t.equal(result.end.status, 'completed');

  const byQuery = { count: 600, query: 'sum(increase(http_requests_total{version="v2"}[1h]))' };
  const asked = played({
    plan: background(metric(prometheus(TEXTBOOK_QUERY), { minSamples: byQuery })),
    ratePerS: 20,
  });
  const second = asked.events.find(({ kind, weight: at }) => kind === 'step' && at === 25);
  t.ok(second !== undefined && second.atMs > 9 * MINUTE && second.atMs < 12 * MINUTE);
});

t.test('a query beyond the subset is no data, and is told; a given value stands for it', async (t) => {
  const strange = background(metric(prometheus('sum(rate(mesh_requests_total[1m]))')));
  const blind = played({ plan: strange });
  t.strictSame(blind.unsimulated, [
    { metric: 'success-rate', reason: 'a play has no metric mesh_requests_total' },
  ]);
  t.equal(blind.end.status, 'stepping', 'held, as it would be without data');
  t.equal(blind.end.weight, 5);
  t.equal(blind.end.why, 'the time of the play is up');

  const given = (value: unknown) => played({ plan: strange, given: new Map([['success-rate', value]]) });
  t.equal(given(1).end.status, 'completed', 'a number stands for a vector of one');
  t.equal(given([1]).end.status, 'completed');
  t.equal(given(0.5).end.status, 'aborted');
  t.strictSame(given(1).unsimulated, []);

  const web = metric(
    {
      kind: 'web',
      url: 'http://127.0.0.1:9',
      method: 'GET',
      headers: [],
      body: null,
      jsonPath: [],
      timeoutMs: 1_000,
    },
    { successCondition: condition('result == "good"') },
  );
  t.match(played({ plan: background(web) }).unsimulated, [{ metric: 'success-rate', reason: /web/ }]);
  t.equal(
    played({ plan: background(web), given: new Map([['success-rate', 'good']]) }).end.status,
    'completed',
  );
});

t.test('an indefinite pause waits for promote, unless it is to be promoted', async (t) => {
  const steps = [weight(5), pause(null), weight(100)];
  const waits = played({ plan: plan({ steps, background: null }) });
  t.match(waits.end, {
    status: 'stepping',
    phase: 'Paused',
    weight: 5,
    atMs: 0,
    why: 'it waits for promote',
  });
  const goes = played({ plan: plan({ steps, background: null }), promoteAfterMs: 3 * MINUTE });
  t.match(goes.end, { status: 'completed', atMs: 3 * MINUTE });
  t.match(told(goes).join('\n'), /3m promoted 5 promoted past pause/);

  const watched = played({ plan: plan({ steps }), faults: [failing(0.5, 30)] });
  t.equal(watched.end.status, 'aborted', 'the analysis goes on while it waits');
  t.ok(watched.end.atMs > 30 * MINUTE);
});

t.test('what a person must decide is left to a person', async (t) => {
  const between = metric(prometheus('vector(0.5)'), {
    successCondition: condition('result[0] > 0.9'),
    failureCondition: condition('result[0] < 0.1'),
  });
  const result = played({ plan: background(between), promoteAfterMs: MINUTE });
  t.match(result.end, { status: 'stepping', phase: 'Paused', why: 'it waits for a person' });
});

t.test('webhooks say yes, those of a rollback do not ask for it, and both is told', async (t) => {
  const hook = (type: Webhook['type']): Webhook => ({
    name: `the-${type}`,
    type,
    url: 'http://127.0.0.1:9',
    timeoutMs: 1_000,
    retries: 0,
    intervalMs: 10_000,
    headers: [],
    metadata: {},
    failureLimit: 0,
  });
  const webhooks = (
    [
      'confirm-rollout',
      'pre-rollout',
      'confirm-traffic-increase',
      'confirm-promotion',
      'rollback',
      'post-rollout',
    ] as const
  ).map(hook);
  const result = played({ plan: plan({ webhooks, requires: [hook('requires')] }) });
  t.match(result.end, { status: 'completed', atMs: 30 * MINUTE });
  t.match(result.assumptions, [
    /say yes: the-requires, the-confirm-rollout/,
    /not to ask for it: the-rollback/,
  ]);
});

t.test('scopes count as equal parts of the requests', async (t) => {
  const when = { kind: 'region', oneOf: ['eu'] } as const;
  const steps = [
    { kind: 'setScope' as const, when, label: 'region eu' },
    weight(100),
    pause(10),
    { kind: 'setScope' as const, when: null, label: 'everyone' },
    weight(50),
    pause(10),
  ];
  const result = played({ plan: plan({ steps, background: null }) });
  t.equal(result.end.status, 'completed');
  const expected = 6_000 * (0.5 * 10 + (0.5 + 0.25) * 10);
  t.ok(Math.abs(result.exposed - expected) < 0.02 * expected, String(result.exposed));
  t.match(result.assumptions, [/each scope \(region eu\)/]);
});

t.test('an inline analysis and an experiment are played too', async (t) => {
  const canary = metric(tally({}), { count: 5, successCondition: condition('result >= 0.99') });
  const inline = plan({
    background: null,
    steps: [weight(20), { kind: 'analysis', analysis: analysis(canary) }, weight(100)],
  });
  t.equal(played({ plan: inline }).end.status, 'completed');
  t.equal(played({ plan: inline, faults: [failing(0.1, 0)] }).end.status, 'aborted');
  const experiment = plan({
    background: null,
    steps: [
      {
        kind: 'experiment',
        durationMs: 10 * MINUTE,
        templates: [{ name: 'try', version: 'v2', weightBp: 1_000 }],
        analyses: [{ name: 'watch', analysis: analysis(canary), requiredForCompletion: true }],
      },
    ],
  });
  const result = played({ plan: experiment });
  t.equal(result.end.status, 'completed');
  t.ok(Math.abs(result.exposed - 6_000) < 400, `10 % of ten minutes: ${result.exposed}`);
});

t.test('a start by hand is given by the play', async (t) => {
  const result = played({ plan: plan({ start: 'manual' }) });
  t.equal(result.end.status, 'completed');
  t.match(result.events[0], { kind: 'started', cause: /started by hand/ });
});

t.test('every play ends, with counts and times that only rise', async () => {
  const fault = fc.record({
    kind: fc.constant('5xx' as const),
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    atMs: fc.nat(60 * MINUTE),
  });
  const step = fc.oneof(
    fc.nat(100).map(weight),
    fc.option(fc.nat(20), { nil: null }).map((minutes) => pause(minutes)),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 6 }),
      fc.array(fault, { maxLength: 3 }),
      fc.nat(),
      fc.boolean(),
      (steps, faults, seed, promote) => {
        const promoteAfterMs = promote ? MINUTE : null;
        const result = played({ plan: plan({ steps }), faults, seed, ratePerS: 5, promoteAfterMs });
        let before = { atMs: 0, exposed: 0, failed: 0 };
        for (const event of result.events) {
          if (event.atMs < before.atMs || event.exposed < before.exposed || event.failed < before.failed) {
            return false;
          }
          if (event.failed > event.exposed) return false;
          before = event;
        }
        const { end, exposed, failed, requests } = result;
        const whole = end.status !== 'completed' || end.weight === 100;
        return end.atMs <= 120 * MINUTE && failed <= exposed && exposed <= requests && whole;
      },
    ),
    { numRuns: 40 },
  );
});
