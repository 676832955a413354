import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { type Arm, armOf, EMPTY_ARM, type LateKpis, type Slice } from '../../../src/core/judge/evidence.ts';
import type { JudgePlan, Verdict } from '../../../src/core/judge/gates.ts';
import { type JudgeMemo, judge, judgeWith } from '../../../src/core/judge/judge.ts';
import { AGREE, ALL_GATES, CLICKS, contextOf, EDGES_MS, planOf, SHIFT, SUCCESS, SURE } from './stream.ts';

/** Whatever happens to evidence between two looks, also what no collector would do: a memo must not matter. */

const CLASSES = [
  'a',
  'b',
  '__proto__',
  'constructor',
  ...Array.from({ length: 61 }, (_, i) => `c${i}`),
  'other',
];
const PLANS: readonly JudgePlan[] = [
  planOf(...ALL_GATES),
  planOf(SHIFT, { ...SHIFT, name: 'strict', atMost: 0.01 }),
  planOf(SUCCESS, SURE, CLICKS),
  planOf(AGREE),
  planOf(),
];
const EDGES: readonly (readonly number[])[] = [EDGES_MS, [...EDGES_MS], [100, 200], []];

const few = fc.oneof(fc.constant(0), fc.nat(3), fc.nat(400));
const named = <T>(names: readonly string[], of: fc.Arbitrary<T>) =>
  fc
    .array(fc.tuple(fc.constantFrom(...names), of), { maxLength: 6 })
    .map((members) => Object.fromEntries(members) as Record<string, T>);
const clicks = named(['click', '__proto__'], fc.record({ events: few, firsts: few }));
const confidence = fc
  .array(fc.tuple(fc.nat(255), few), { maxLength: 4 })
  .map((bins) => bins.reduce<number[]>((sum, [bin, n]) => sum.with(bin, n), Array(256).fill(0)));
const counted: fc.Arbitrary<Arm> = fc
  .record({
    requests: few,
    errors: few,
    firstErrors: few,
    keys: few,
    latency: fc.array(few, { maxLength: EDGES_MS.length + 1 }),
    firstSlow: named(['p99', 'p99/frozen'], few),
    slowBursts: named(['p99', 'p99/frozen'], fc.record({ events: few, bursts: few, wide: few })),
    classes: named(CLASSES, few),
    scores: fc.array(few, { maxLength: 10 }),
    confidence: fc.oneof(fc.constant([]), confidence),
    firstUnsure: named(['sure'], few),
    kpis: clicks,
  })
  .map((counts) => {
    const errors = counts.errors + counts.firstErrors;
    const keys = counts.keys + counts.firstErrors;
    return armOf({ ...counts, errors, keys, requests: counts.requests + errors + keys });
  });
const arm = fc.oneof(fc.constant(EMPTY_ARM), counted);
const share = fc.constantFrom(1, 0.9999, 0.5, 0.05, 0.0001, 1e-9);
const slice = fc.record({
  stage: fc.nat(3),
  w: share,
  spanMs: fc.nat(90_000),
  canary: arm,
  stable: arm,
  passed: fc.option(fc.record({ canary: few, stable: few })),
});
const late: fc.Arbitrary<readonly LateKpis[]> = fc.uniqueArray(
  fc.record({ w: share, canary: clicks, stable: clicks }),
  { maxLength: 3, selector: ({ w }) => w },
);

type Drawn = Omit<Slice, 'index' | 'passed'> & { readonly passed: Slice['passed'] | null };

type Change =
  | { readonly kind: 'add'; readonly slice: Drawn }
  | { readonly kind: 'count'; readonly at: number; readonly canary: Arm; readonly stable: Arm }
  | { readonly kind: 'cut'; readonly left: number }
  | { readonly kind: 'late'; readonly late: readonly LateKpis[] }
  | { readonly kind: 'edges'; readonly edges: number }
  | { readonly kind: 'plan'; readonly plan: number }
  | {
      readonly kind: 'pairs';
      readonly agree: number;
      readonly disagree: number;
      readonly incomparable: number;
    }
  | { readonly kind: 'none' };

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('add' as const), slice }) },
  // Mostly the newest slice changes.
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('count' as const),
      at: fc.oneof(fc.constant(0), fc.constant(0), fc.nat(5)),
      canary: arm,
      stable: arm,
    }),
  },
  fc.record({ kind: fc.constant('cut' as const), left: fc.nat(6) }),
  fc.record({ kind: fc.constant('late' as const), late }),
  fc.record({ kind: fc.constant('edges' as const), edges: fc.nat(EDGES.length - 1) }),
  fc.record({ kind: fc.constant('plan' as const), plan: fc.nat(PLANS.length - 1) }),
  fc.record({ kind: fc.constant('pairs' as const), agree: few, disagree: few, incomparable: few }),
  fc.record({ kind: fc.constant('none' as const) }),
);

interface Scene {
  readonly plan: JudgePlan;
  readonly edgesMs: readonly number[];
  readonly slices: readonly Slice[];
  readonly late: readonly LateKpis[];
  readonly shadow: { agree: number; disagree: number; refused: number; incomparable: number };
  readonly index: number;
}

function changed(scene: Scene, by: Change): Scene {
  switch (by.kind) {
    case 'add': {
      const { passed, ...rest } = by.slice;
      const made: Slice = { ...rest, index: scene.index, ...(passed == null ? {} : { passed }) };
      const slices = [...scene.slices, made].sort((a, b) => a.stage - b.stage || a.index - b.index);
      return { ...scene, slices, index: scene.index + 1 };
    }
    case 'count': {
      const at = scene.slices.length - 1 - by.at;
      const held = scene.slices[at];
      const { canary, stable } = by;
      return held === undefined
        ? scene
        : { ...scene, slices: scene.slices.with(at, { ...held, canary, stable }) };
    }
    case 'cut':
      return { ...scene, slices: scene.slices.slice(0, by.left) };
    case 'late':
      return { ...scene, late: by.late };
    case 'edges':
      return { ...scene, edgesMs: EDGES[by.edges] ?? [] };
    case 'plan':
      return { ...scene, plan: PLANS[by.plan] ?? planOf() };
    case 'pairs':
      return { ...scene, shadow: { ...by, refused: 0 } };
    default:
      return scene;
  }
}

/** All of a verdict that is there before anybody reads it. */
function decisionOf({ state, M, briefs, advance, sampleRatio, problems, holdRamp }: Verdict) {
  return { state, M, briefs, advance, sampleRatio, problems, holdRamp };
}

const looks = fc.array(
  fc.record({
    changes: fc.array(change, { maxLength: 3 }),
    nextW: fc.constantFrom(null, 0.01, 0.25, 1),
    latched: fc.subarray(['success', 'strict', 'nobody']),
    ratePerS: fc.constantFrom(0, 0.001, 100),
    over: fc.boolean(),
    /** Which of the memos so far it goes on from: 0: the newest. */
    from: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.nat(4)),
    isRead: fc.boolean(),
  }),
  { maxLength: 14 },
);

t.test('neither the memo nor the hour at which a verdict is read changes it', async () => {
  fc.assert(
    fc.property(looks, (made) => {
      const memos: JudgeMemo[] = [];
      const verdicts: { readonly found: Verdict; readonly wanted: Verdict }[] = [];
      let scene: Scene = {
        plan: PLANS[0]!,
        edgesMs: EDGES_MS,
        slices: [],
        late: [],
        shadow: { agree: 0, disagree: 0, refused: 0, incomparable: 0 },
        index: 0,
      };
      for (const { changes, from, isRead, ...rest } of made) {
        scene = changes.reduce(changed, scene);
        const { plan, edgesMs, slices, late, shadow } = scene;
        const evidence = { edgesMs, slices, late, shadow, problems: [] };
        const context = contextOf(rest);
        const { verdict: found, memo } = judgeWith(plan, evidence, context, memos.at(-1 - from) ?? null);
        const wanted = judge(plan, evidence, context);
        memos.push(memo);
        verdicts.push({ found, wanted });
        assert.deepStrictEqual(decisionOf(found), decisionOf(wanted));
        assert.ok(Number.isFinite(found.M), `M ${found.M}`);
        if (isRead) assert.deepStrictEqual(found, wanted);
      }
      for (const { found, wanted } of verdicts) {
        assert.deepStrictEqual(found.gates, wanted.gates);
        assert.equal(found.text, wanted.text);
        assert.doesNotMatch(JSON.stringify(found), /NaN|undefined|Infinity/);
        assert.deepStrictEqual(JSON.parse(JSON.stringify(found)), found, 'without holes');
      }
    }),
    { numRuns: 200 },
  );
});
