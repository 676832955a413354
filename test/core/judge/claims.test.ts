import t from 'tap';
import { armOf, emptyEvidence, type Slice } from '../../../src/core/judge/evidence.ts';
import type { GateSpec } from '../../../src/core/judge/gates.ts';
import { type JudgeMemo, judge, judgeWith } from '../../../src/core/judge/judge.ts';
import {
  ALL_GATES,
  binomial,
  CLICKS,
  contextOf,
  EDGES_MS,
  evidenceOf,
  failing,
  P99,
  planOf,
  randomFrom,
  SHIFT,
  SUCCESS,
  SURE,
  sliceOf,
} from './stream.ts';

/** What docs/gates.md promises and no other test holds the judge to. */

const clicks = (n: number, firsts: number) =>
  armOf({ ...failing(0, n), kpis: { click: { events: firsts, firsts } } });

t.test(
  'up to a tenth of the users a KPI gate fails what is worse at all, above only beyond within',
  async (t) => {
    // Three percent fewer clicks, of a million users on either side in proportion.
    const stateAt = (w: number) => {
      const [canary, stable] = [20_000_000 * w, 20_000_000 * (1 - w)];
      const slice = sliceOf(clicks(canary, canary * 0.0485), clicks(stable, stable * 0.05), { w });
      return judge(planOf(CLICKS), evidenceOf(slice), contextOf()).state;
    };
    t.strictSame([0.05, 0.1, 0.11, 0.5].map(stateAt), ['FAIL', 'FAIL', 'PASS', 'PASS']);
  },
);

t.test('a KPI gate rarely fails one of two equals, looked at all the time', async (t) => {
  const runs = 150;
  let failed = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomFrom(run);
    const slices: Slice[] = [];
    let memo: JudgeMemo | null = null;
    for (let minute = 0; minute < 60; minute++) {
      const canary = clicks(100, binomial(random, 100, 0.05));
      const stable = clicks(1_900, binomial(random, 1_900, 0.05));
      slices.push(sliceOf(canary, stable, { index: minute }));
      const now = judgeWith(planOf(CLICKS), evidenceOf(...slices), contextOf(), memo);
      memo = now.memo;
      if (now.verdict.state !== 'FAIL') continue;
      failed++;
      break;
    }
  }
  t.ok(failed <= 5, `${failed} of ${runs}`);
});

t.test('a shift that is likely holds the ramp alone, before it rolls back', async (t) => {
  const arm = (n: number, a: number) => armOf({ ...failing(0, n), classes: { a: n * a, b: n * (1 - a) } });
  const at = (share: number) =>
    judge(
      planOf(SUCCESS, SHIFT),
      evidenceOf(sliceOf(arm(1_000, share), arm(19_000, 0.5))),
      contextOf({ nextW: 0.25 }),
    );
  const likely = [0.67, 0.68, 0.69, 0.7, 0.71, 0.72].map(at).filter(({ state }) => state !== 'FAIL');
  const held = likely.filter(({ holdRamp }) => holdRamp);
  t.ok(held.length > 0 && held.length < likely.length, `${held.length} of ${likely.length} hold`);
  for (const { M, advance } of held) {
    t.equal(M, 1, 'nothing of it is in M');
    t.match(advance, { ready: false, why: /the ramp waits/ });
  }
});

t.test('with nobody on stable each gate has its threshold only, and a KPI none', async (t) => {
  const alone = (gate: GateSpec, counts: object) =>
    judge(
      planOf(gate),
      evidenceOf(sliceOf(armOf({ ...failing(0, 2_000), ...counts }), failing(0, 0), { w: 1 })),
      contextOf(),
    ).state;
  const confidence = (bin: number) => ({
    confidence: Array.from({ length: 256 }, (_, i) => (i === bin ? 2_000 : 0)),
  });
  t.equal(alone(P99, { latency: [1_900, 0, 0, 100, 0, 0], firstSlow: { p99: 100 } }), 'FAIL');
  t.equal(alone(P99, { latency: [2_000, 0, 0, 0, 0, 0] }), 'PASS');
  t.equal(alone(SURE, confidence(128)), 'FAIL');
  t.equal(alone(SURE, confidence(230)), 'PASS');
  t.equal(alone(CLICKS, { kpis: { click: { events: 0, firsts: 0 } } }), 'CONTINUE');
  t.equal(alone(CLICKS, { kpis: { click: { events: 900, firsts: 900 } } }), 'CONTINUE');
});

t.test('how many requests without a failure prove 99 %: 363 to go on, 543 to pass', async (t) => {
  const at = (n: number) => {
    const slice = sliceOf(failing(0, n), failing(0, 19 * n));
    return judge(planOf(SUCCESS), evidenceOf(slice), contextOf({ nextW: 0.5 }));
  };
  t.strictSame([at(362).advance.ready, at(363).advance.ready], [false, true]);
  t.strictSame([at(542).state, at(543).state], ['CONTINUE', 'PASS']);
});

t.test('names of classes and of KPIs are data, whatever they are', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', '0', '1', '10', '-1', '01', ' '];
  const classes = (n: number) => Object.fromEntries(names.map((name) => [name, n]));
  const kpi = { kind: 'kpi', name: 'constructor', kpi: '__proto__', within: 0.05 } as const;
  const arm = (n: number) =>
    armOf({
      ...failing(0, n * names.length),
      classes: classes(n),
      kpis: Object.fromEntries([['__proto__', { events: n, firsts: n }]]),
    });
  const slice = sliceOf(arm(1_000), arm(19_000));
  const { gates } = judge(planOf(SHIFT, kpi), evidenceOf(slice), contextOf());
  t.equal(gates[0]?.samples.have, 1_000 * names.length);
  t.equal(gates[0]?.canary?.value, 0);
  t.equal(gates[1]?.samples.have, 1_000);
});

t.test('nothing counted yet decides nothing, and can be shown', async (t) => {
  for (const evidence of [
    emptyEvidence(EDGES_MS),
    evidenceOf(sliceOf(failing(0, 0), failing(0, 0), { spanMs: 0 })),
  ]) {
    const verdict = judge(planOf(...ALL_GATES), evidence, contextOf({ ratePerS: 0 }));
    t.equal(verdict.state, 'CONTINUE');
    t.equal(verdict.M, 1);
    for (const { state, canary, samples } of verdict.gates)
      t.match({ state, canary, samples }, { state: 'CONTINUE', canary: null, samples: { have: 0 } });
  }
});
