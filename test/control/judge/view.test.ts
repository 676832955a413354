import fc from 'fast-check';
import t from 'tap';
import { gateReadings, judgedView, verdictReadings } from '../../../src/control/judge/view.ts';
import { addEvidence, armOf, emptyEvidence } from '../../../src/core/judge/evidence.ts';
import type { GateSpec, JudgePlan } from '../../../src/core/judge/gates.ts';
import { judge } from '../../../src/core/judge/judge.ts';
import { gate, SUCCESS, verdict } from './support.ts';

t.test('a verdict as people and programs see it', async (t) => {
  const view = judgedView(verdict());
  t.strictSame(view, {
    verdict: {
      state: 'CONTINUE',
      M: 1.2,
      needed: 101.01,
      holdRamp: false,
      ready: false,
      why: 'successRate needs 146 more first requests, about 3 min at this traffic',
      text: 'Undecided: v2 failed 1 of 212 first requests. Next step: 146 more are needed.',
    },
    gates: [
      {
        name: 'successRate',
        kind: 'successRate',
        state: 'CONTINUE',
        unit: 'failures',
        canary: { value: 1 / 212, low: 0.0002, high: 0.0412, n: 212 },
        stable: { value: 9 / 4031, low: 0.001, high: 0.0041, n: 4_031 },
        harm: { evidence: 2.1, needed: 202, share: 0.13977 },
        pass: { evidence: 11, needed: 100, share: 0.520696 },
        samples: { have: 212, need: 358 },
        decisionInMs: 180_001,
        environment: false,
        text: 'v2 failed 1 of 212 first requests (0.47 %), v1 9 of 4,031 (0.22 %)',
      },
    ],
  });
  t.strictSame(JSON.parse(JSON.stringify(view)), view, 'JSON loses nothing of it');
});

t.test('nothing judged, and nothing to judge by, is nothing to show', async (t) => {
  t.strictSame(judgedView(null), { verdict: null, gates: [] });
  t.strictSame(judgedView(verdict({ gates: [] })), { verdict: null, gates: [] });
  t.strictSame(gateReadings('iris-api', null), []);
});

t.test('the share of evidence is that of its logarithm', async (t) => {
  const needed = Math.log(100);
  const table = [
    [Math.log(10), 10, 0.5],
    [needed, 100, 1],
    [2 * needed, 10_000, 2],
    [0, 1, 0],
    [-3, 0.0497871, 0],
    [Number.NEGATIVE_INFINITY, 0, 0],
    [2_000, null, 434.294],
    [Number.NaN, null, null],
  ] as const;
  for (const [logE, evidence, share] of table) {
    const shown = judgedView(verdict({ gates: [gate({ harm: { logE, needed } })] })).gates[0]?.harm;
    t.strictSame(shown, { evidence, needed: 100, share }, String(logE));
  }
});

t.test('what no number can say is null', async (t) => {
  const odd = { value: Number.NaN, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, n: 3 };
  const { gates, verdict: told } = judgedView(
    verdict({
      M: Number.POSITIVE_INFINITY,
      gates: [gate({ canary: odd, stable: null, etaMs: null, samples: { have: 3, need: null } })],
    }),
  );
  t.equal(told?.M, null);
  t.match(gates[0], {
    canary: { value: null, low: null, high: null, n: 3 },
    stable: null,
    decisionInMs: null,
    samples: { have: 3, need: null },
  });
});

t.test('gates for the metrics', async (t) => {
  const failed = gate({
    name: 'p',
    state: 'FAIL',
    unit: 'ms',
    canary: { value: 250, low: 200, high: 1_000, n: 212 },
    stable: null,
    harm: { logE: 6, needed: 3 },
    samples: { have: 212, need: null },
    etaMs: null,
  });
  t.strictSame(gateReadings('a', verdict({ gates: [gate(), failed] })), [
    {
      app: 'a',
      gate: 'successRate',
      state: 'CONTINUE',
      harm: 0.13977,
      pass: 0.520696,
      canary: { value: 1 / 212, low: 0.0002, high: 0.0412 },
      stable: { value: 9 / 4031, low: 0.001, high: 0.0041 },
      samples: { have: 212, need: 358 },
      decisionInS: 180.001,
    },
    {
      app: 'a',
      gate: 'p',
      state: 'FAIL',
      harm: 2,
      pass: 0.520696,
      canary: { value: 0.25, low: 0.2, high: 1 },
      stable: null,
      samples: { have: 212, need: null },
      decisionInS: null,
    },
  ]);
});

t.test('the verdict for the metrics, which knows what no gate does', async (t) => {
  t.strictSame(verdictReadings('a', null), []);
  t.strictSame(verdictReadings('a', verdict({ gates: [] })), [], 'nothing to judge by');
  const silent = verdict({ state: 'ERROR', problems: ['no requests for 60 s'] });
  t.strictSame(verdictReadings('a', silent), [{ app: 'a', state: 'ERROR' }]);
});

t.test('every number of every verdict is finite', async (t) => {
  const gates: readonly GateSpec[] = [
    SUCCESS,
    { kind: 'latency', name: 'latency', quantile: 0.99, thresholdMs: 100, delta: 0.25 },
    { kind: 'predictionShift', name: 'shift', atMost: 0.1 },
    { kind: 'confidence', name: 'confidence', mean: 0.7 },
    { kind: 'agreement', name: 'agreement', atLeast: 0.95 },
    { kind: 'kpi', name: 'ctr', kpi: 'click', within: 0.05 },
  ];
  const plan: JudgePlan = { gates, alpha: 0.01, beta: 0.01, minSamples: 50 };
  const few = fc.integer({ min: 0, max: 5_000 });
  const arm = fc.tuple(few, few, few, few).map(([a, b, c, d]) => {
    const [requests, errors] = [a + b, Math.min(b, a + b)];
    const confidence = Array.from({ length: 256 }, (_, i) => (i === c % 256 ? requests : 0));
    return armOf({
      requests,
      errors,
      firstErrors: errors,
      keys: requests,
      latency: [a, 0, 0, b],
      firstSlow: { latency: b, 'latency/frozen': b },
      classes: { x: c, y: d },
      confidence,
      firstUnsure: { confidence: c % 256 < 179 ? requests : 0 },
      kpis: { click: { events: c, firsts: Math.min(c, requests) } },
    });
  });
  const share = fc.constantFrom(0.01, 0.05, 0.5, 1);
  fc.assert(
    fc.property(fc.array(fc.tuple(arm, arm, share)), few, few, (slices, agree, disagree) => {
      const parts = slices.map(([canary, stable, w], index) => ({
        stage: index,
        index,
        w,
        spanMs: 60_000,
        canary,
        stable,
      }));
      const shadow = { agree, disagree, refused: 0, incomparable: 0 };
      const evidence = addEvidence(emptyEvidence([10, 100, 1_000]), {
        edgesMs: [],
        slices: parts,
        shadow,
        late: [],
        problems: [],
      });
      const context = { nowMs: 0, ratePerS: agree % 7, nextW: 0.05, latched: [] };
      const view = judgedView(judge(plan, evidence, context));
      // JSON writes NaN and Infinity as null, so whatever survives it unchanged has none.
      t.strictSame(JSON.parse(JSON.stringify(view)), view);
      return view.gates.length === gates.length;
    }),
    { numRuns: 60 },
  );
});
