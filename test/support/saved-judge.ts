import fc from 'fast-check';
import { type Arm, armOf, EMPTY_ARM, type Evidence, type Slice } from '../../src/core/judge/evidence.ts';
import type { SavedJudge, SavedSide } from '../../src/core/judge/saved.ts';
import type { Samples } from '../contract/store.ts';

/** Evidence as a store gets it. */

const NOTHING: SavedSide = {
  variant: null,
  evidence: {
    edgesMs: [],
    slices: [],
    late: [],
    shadow: { agree: 0, disagree: 0, refused: 0, incomparable: 0 },
    problems: [],
  },
  bins: null,
  failed: [],
  notBeforeMs: 0,
};

/** With something in every field. */
export function savedJudge(
  over: Partial<SavedJudge> = {},
  slices: readonly Slice[] = [someSlice()],
): SavedJudge {
  return {
    about: {
      epoch: '3',
      beganWallMs: 1_700_000_000_000,
      question: '[“gates”]',
      versions: '[["v1","a1"],["v2","b2"]]',
    },
    frozen: { latency: 6.25, ['__proto__']: 3 },
    sides: [
      {
        variant: null,
        evidence: {
          edgesMs: [10, 100, 1_000],
          slices,
          late: [{ w: 0.1, canary: { click: { events: 4, firsts: 3 } }, stable: {} }],
          shadow: { agree: 40, disagree: 2, refused: 1, incomparable: 1 },
          problems: ['parts of the evidence have different latency buckets'],
        },
        bins: [12, 80, 256],
        failed: ['latency'],
        notBeforeMs: 1_700_000_000_001.5,
      },
    ],
    course: {
      about: 'v1 against v2',
      shares: { v1: 0.5, v2: 0.5 },
      firstStage: 1,
      elapsedMs: 90_000.25,
      beganWallMs: 1_700_000_000_000,
      stops: { v3: { at: '2026-01-02T03:04:05.000Z', because: 'v3 failed 20 of 200\n\ud83d' } },
      told: 'continue',
    },
    counted: [{ text: 'AAAAAAAB' }],
    ...over,
  };
}

export function someSlice(over: Partial<Slice> = {}): Slice {
  const canary = armOf({
    requests: 20,
    errors: 2,
    firstErrors: 1,
    keys: 18,
    latency: [0, 0, 20, 0],
    firstSlow: { latency: 3, 'latency/frozen': 4 },
    classes: { setosa: 12, ['__proto__']: 8 },
    scores: [0, 5, 15],
    confidence: [...Array(200).fill(0), 7, 0, 13, ...Array(53).fill(0)],
    slowBursts: { latency: { events: 3, bursts: 1, wide: 1 } },
    firstUnsure: { confidence: 2 },
    kpis: { click: { events: 5, firsts: 4 } },
  });
  return { stage: 1, index: 0, w: 0.05, spanMs: 60_000.125, canary, stable: EMPTY_ARM, ...over };
}

/** With the prototype that objects have. */
const record = <T extends object>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record<T>(model, { noNullPrototype: true });

const counts = (maxLength: number) => fc.array(fc.oneof(fc.constant(0), fc.nat()), { maxLength });
const names = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'toString', '\ud800'));
const named = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<Readonly<Record<string, T>>> =>
  fc.array(fc.tuple(names, of), { maxLength: 4 }).map((members) => Object.fromEntries(members));
const kpis = named(record({ events: fc.nat(), firsts: fc.nat() }));
const share = fc.double({ min: 0, max: 1, noNaN: true }).map((w) => w + 0);

const arm: fc.Arbitrary<Arm> = record({
  requests: fc.nat(),
  errors: fc.nat(),
  firstErrors: fc.nat(),
  keys: fc.nat(),
  latency: counts(20),
  firstSlow: named(fc.nat()),
  slowBursts: named(record({ events: fc.nat(), bursts: fc.nat(), wide: fc.nat() })),
  classes: named(fc.nat()),
  scores: counts(10),
  confidence: counts(256),
  firstUnsure: named(fc.nat()),
  kpis,
});

const slices: fc.Arbitrary<readonly Slice[]> = fc
  .array(fc.tuple(fc.nat(1), fc.nat(2), share, fc.nat(60_000), fc.oneof(arm, fc.constant(EMPTY_ARM)), arm), {
    maxLength: 5,
  })
  .map((drawn) => {
    let stage = -2;
    return drawn.map(([step, skip, w, spanMs, canary, stable], i) => {
      stage += step;
      return { stage, index: 3 * i + skip, w, spanMs, canary, stable };
    });
  });

const evidence: fc.Arbitrary<Evidence> = record({
  edgesMs: fc.array(fc.nat().map(Number), { maxLength: 5 }),
  slices,
  late: fc.array(record({ w: share, canary: kpis, stable: kpis }), { maxLength: 3 }),
  shadow: record({ agree: fc.nat(), disagree: fc.nat(), refused: fc.nat(), incomparable: fc.nat() }),
  problems: fc.array(fc.string(), { maxLength: 2 }),
});

const side: fc.Arbitrary<SavedSide> = record({
  variant: fc.option(fc.string()),
  evidence,
  bins: fc.option(fc.array(fc.nat(256))),
  failed: fc.array(fc.string(), { maxLength: 3 }),
  notBeforeMs: fc.nat(),
});

export const savedJudges: fc.Arbitrary<SavedJudge> = record({
  about: record({
    epoch: fc.string(),
    beganWallMs: fc.option(fc.nat()),
    question: fc.string(),
    versions: fc.string(),
  }),
  frozen: named(fc.nat()),
  sides: fc.array(side, { maxLength: 3 }),
  course: fc.option(
    record({
      about: fc.string(),
      shares: named(share),
      firstStage: fc.integer(),
      elapsedMs: fc.nat(),
      beganWallMs: fc.nat(),
      stops: named(record({ at: fc.string(), because: fc.string() })),
      told: fc.string(),
    }),
  ),
  counted: fc.array(
    fc.base64String().map((text) => ({ text })),
    { maxLength: 3 },
  ),
});

/** For the contract of stores. */
export const evidences: Samples<SavedJudge> = {
  one: (_service, number) => savedJudge({ about: { ...savedJudge().about, epoch: String(number) } }),
  numberOf: ({ about }) => Number(about.epoch),
  any: () => savedJudges,
  large: (_service, chars) => savedJudge({ sides: [{ ...NOTHING, failed: ['x'.repeat(chars)] }] }),
  spoil: (saved) => Object.assign(saved, { about: { ...saved.about, epoch: '99' } }),
};
