import fc from 'fast-check';
import t from 'tap';
import {
  ARM,
  ARM_SCALARS,
  type ArmTally,
  BINS,
  type Judged,
  MAX_CLASSES,
  PAIR,
} from '../../src/core/arms.ts';
import type { Observation, ObserveSpec } from '../../src/core/observe/spec.ts';
import {
  ArmBook,
  countArm,
  countObservations,
  countOutcome,
  countPair,
  type OpenArms,
} from '../../src/tally/arms.ts';
import { KeySet, SeenKeys } from '../../src/tally/key-set.ts';
import { type ServiceOptions, service, split, version } from '../support/split.ts';

const SPEC: ObserveSpec = {
  format: 'json',
  class: ['c'],
  confidence: null,
  score: null,
  scoreRange: [-10, 10],
  labels: [],
  share: 1,
  maxPerSecond: 1_000,
  maxBytes: 1_000,
  cpuShare: 1,
  pairs: null,
};
const JUDGED: Judged = {
  rule: -1,
  canary: 1,
  slow: [
    { gate: 'p99', thresholdMs: 200 },
    { gate: 'p50', thresholdMs: 20 },
  ],
  unsure: [{ gate: 'confidence', below: 0.7 }],
  observe: SPEC,
  predictionSecret: null,
};

function serviceOf(options: ServiceOptions = {}) {
  return service([version('v1', 'http://a'), version('v2', 'http://b')], { judged: JUDGED, ...options });
}

function opened(book = new ArmBook(), options: ServiceOptions = {}): OpenArms {
  const arms = book.open(serviceOf(options));
  if (arms === null) throw new Error('nothing is judged');
  return arms;
}

function scalars(tally: ArmTally | undefined): Record<string, number> {
  const found: Record<string, number> = {};
  ARM_SCALARS.forEach((name, i) => {
    const count = tally?.scalars[i] ?? Number.NaN;
    if (count !== 0) found[name] = count;
  });
  return found;
}

function says(one: Partial<Observation>): Observation {
  return { class: null, confidence: null, score: null, ...one };
}

t.test('a service that is not judged has no arms', async (t) => {
  const book = new ArmBook();
  t.equal(book.open(service([version('v1', 'http://a')])), null);
  t.strictSame(book.arms(), []);
});

t.test('a key’s first failure, first slow answer and first sight count once', async (t) => {
  const arms = opened();
  for (const [key, failed, ms] of [
    [1, false, 5],
    [1, true, 300],
    [1, true, 300],
    [2, true, 30],
    [2, false, 200],
  ] as const) {
    countOutcome(arms, 1, key, failed, ms);
  }
  const [stable, canary] = arms.tallies;
  t.strictSame(scalars(canary), { requests: 5, errors: 3, firstErrors: 2, keys: 2 });
  t.strictSame([...canary!.firstSlow], [1, 2], 'above, not at, the threshold');
  t.strictSame([...canary!.latency], [0, 1, 1, 3, 0, 0], 'by the service’s edges');
  t.strictSame(scalars(stable), {});
});

t.test('without a key every request is a first one', async (t) => {
  const arms = opened();
  for (let i = 0; i < 3; i++) countOutcome(arms, 0, -1, true, 300);
  t.strictSame(scalars(arms.tallies[0]), { requests: 3, errors: 3, firstErrors: 3, keys: 3 });
  t.strictSame([...arms.tallies[0]!.firstSlow], [3, 3]);
});

t.test('odd durations cannot spoil the counts', async (t) => {
  const arms = opened();
  for (const ms of [Number.NaN, -5, Number.POSITIVE_INFINITY]) countOutcome(arms, 0, 1, false, ms);
  t.strictSame([...arms.tallies[0]!.latency], [2, 0, 0, 0, 0, 1]);
});

t.test('who is first is remembered per stage, over its versions', async (t) => {
  const book = new ArmBook();
  const one = opened(book, { stage: 1 });
  const two = opened(book, { stage: 2 });
  countOutcome(one, 0, 7, true, 1);
  countOutcome(one, 1, 7, true, 1);
  countOutcome(two, 0, 7, true, 1);
  t.strictSame(
    [one, two].map(({ tallies }) => tallies.map(({ scalars }) => scalars[ARM.firstErrors])),
    [
      [1, 0],
      [1, 0],
    ],
  );
});

t.test('what answers say: classes, scores, confidence', async (t) => {
  const arms = opened();
  countObservations(arms, 1, 5, [
    says({ class: 'a', score: -10, confidence: 0 }),
    says({ class: 'b', score: 0, confidence: 0.5 }),
    says({ class: 'a', score: 10, confidence: 1 }),
    says({ score: 99, confidence: Number.NaN }),
    says({ score: Number.NaN }),
  ]);
  const tally = arms.tallies[1] as ArmTally;
  t.strictSame(tally.classNames, ['a', 'b']);
  t.strictSame([...tally.classCounts.slice(0, 3)], [2, 1, 0]);
  const filled = (bins: Float64Array) => [...bins.entries()].filter(([, count]) => count > 0);
  t.strictSame(filled(tally.scores), [
    [0, 1],
    [BINS / 2, 1],
    [BINS - 1, 2],
  ]);
  t.strictSame(filled(tally.confidence), [
    [0, 1],
    [BINS / 2, 1],
    [BINS - 1, 1],
  ]);
});

t.test('a batch is as unsure as its items on average, and a key once', async (t) => {
  const arms = opened();
  const unsure = () => arms.tallies[0]!.firstUnsure[0];
  countObservations(arms, 0, 1, [
    says({ confidence: 0.1 }),
    says({ confidence: 1 }),
    says({ confidence: 1 }),
  ]);
  t.equal(unsure(), 0, 'exactly at the threshold');
  countObservations(arms, 0, 1, [says({ confidence: 0.1 }), says({ confidence: 1 })]);
  countObservations(arms, 0, 1, [says({ confidence: 0.1 })]);
  t.equal(unsure(), 1);
  for (let i = 0; i < 2; i++) countObservations(arms, 0, -1, [says({ confidence: 0.1 })]);
  t.equal(unsure(), 3);
  countObservations(arms, 0, 2, [says({ class: 'a' })]);
  t.equal(unsure(), 3, 'an answer without a confidence says nothing of it');
});

t.test('classes without end meet in the last slot', async (t) => {
  const arms = opened();
  for (let i = 0; i < 100; i++) countObservations(arms, 0, -1, [says({ class: `c${i}` })]);
  countObservations(arms, 0, -1, [says({ class: 'c0' })]);
  const { classNames, classCounts } = arms.tallies[0] as ArmTally;
  t.equal(classNames.length, MAX_CLASSES - 1);
  t.equal(classCounts[0], 2);
  t.equal(classCounts[MAX_CLASSES - 1], 100 - (MAX_CLASSES - 1));
});

t.test('a class that is called other is one of the others', async (t) => {
  const arms = opened();
  for (let i = 0; i < 70; i++) countObservations(arms, 0, -1, [says({ class: `c${i}` })]);
  for (let i = 0; i < 5; i++) countObservations(arms, 0, -1, [says({ class: 'other' })]);
  const { classNames, classCounts } = arms.tallies[0] as ArmTally;
  t.notOk(classNames.includes('other'), 'or one of the two counts would be lost with its name');
  t.equal(classCounts[MAX_CLASSES - 1], 70 - (MAX_CLASSES - 1) + 5);
});

t.test('the classes that find room are the same ones on every version', async (t) => {
  const arms = opened();
  const [stable, canary] = arms.tallies as readonly [ArmTally, ArmTally];
  const last = MAX_CLASSES - 1;
  for (let i = 0; i < 100; i++) countObservations(arms, 0, -1, [says({ class: `c${i}` })]);
  for (let i = 99; i >= 0; i--) countObservations(arms, 1, -1, [says({ class: `c${i}` })]);
  t.strictSame(canary.classNames, stable.classNames);
  t.strictSame(canary.classCounts, stable.classCounts, 'alike answers are counted alike');
  t.equal(canary.classCounts[last], 100 - last);
  const next = opened(new ArmBook(), { stage: 2 });
  countObservations(next, 1, -1, [says({ class: 'c99' })]);
  countObservations(next, 0, -1, [says({ class: 'c98' })]);
  t.strictSame(next.tallies[0]?.classNames, ['c99', 'c98'], 'whoever names one first');
  t.strictSame([next.tallies[0]?.classCounts[0], next.tallies[0]?.classCounts[1]], [0, 1]);
});

t.test(
  'the same service, stage and version give the same objects, wherever the version stands',
  async (t) => {
    const book = new ArmBook();
    const before = opened(book, { stage: 3 });
    countOutcome(before, 1, 9, true, 1);
    countPair(before, PAIR.disagree);
    const moved = {
      ...serviceOf({ stage: 3 }),
      versions: [version('v2', 'http://b'), version('v1', 'http://a')],
    };
    const after = book.open(moved) as OpenArms;
    t.equal(after.tallies[0], before.tallies[1]);
    t.equal(after.tallies[1], before.tallies[0]);
    t.equal(after.pairs, before.pairs);
    countOutcome(after, 0, 9, true, 1);
    t.equal(after.tallies[0]?.scalars[ARM.firstErrors], 1, 'and the same memory of users');
    t.equal(book.pairs()[0]?.counts[PAIR.disagree], 1);
    t.equal(book.arms().length, 2);
  },
);

t.test('counters whose slots mean something else begin anew, and only those in force are read', async (t) => {
  const book = new ArmBook();
  const before = opened(book);
  const other = { ...JUDGED, slow: [] };
  const after = opened(book, { judged: other });
  t.not(after.tallies[0], before.tallies[0]);
  t.equal(after.tallies[0]?.firstSlow.length, 0);
  book.retain(split([serviceOf({ judged: other })]));
  t.strictSame(book.arms(), after.tallies);
  t.equal(opened(book, { judged: { ...other, predictionSecret: 's' } }).tallies[0], after.tallies[0]);
});

t.test('what the Split no longer names or judges is forgotten, as are old stages', async (t) => {
  const book = new ArmBook();
  for (let stage = 0; stage < 10; stage++) opened(book, { stage });
  opened(book, { name: 'other' });
  opened(book, { name: 'unjudged' });
  const latest = serviceOf({ stage: 9 });
  const [v1] = latest.versions;
  book.retain(split([{ ...latest, versions: [v1!] }, serviceOf({ name: 'unjudged', judged: null })]));
  t.strictSame(
    book.arms().map((tally) => `${tally.service} ${tally.stage} ${tally.version}`),
    [6, 7, 8, 9].map((stage) => `svc ${stage} v1`),
  );
  t.strictSame(
    book.pairs().map(({ stage }) => stage),
    [6, 7, 8, 9],
  );
});

t.test('tallies are plain data', async (t) => {
  const arms = opened();
  countOutcome(arms, 0, 1, true, 1);
  countArm(arms, 0, ARM.shed);
  t.strictSame(structuredClone(arms.tallies[0]), arms.tallies[0]);
  t.strictSame(scalars(arms.tallies[0]), { requests: 1, errors: 1, firstErrors: 1, keys: 1, shed: 1 });
});

t.test('a full memory of users is told, and turns both versions away', async (t) => {
  const book = new ArmBook();
  const arms = opened(book, { stage: 4 });
  t.strictSame(book.capped(), []);
  for (let key = 0; key < 100_000; key++) countOutcome(arms, 0, (key + 2) * 40_503, true, 300);
  t.equal(arms.tallies[0]?.scalars[ARM.firstErrors], 100_000);
  t.strictSame(book.capped(), []);
  countOutcome(arms, 1, 1, true, 300);
  countOutcome(arms, 0, 1, true, 300);
  t.strictSame(
    arms.tallies.map(({ scalars }) => scalars[ARM.firstErrors]),
    [100_000, 0],
  );
  t.strictSame(book.capped(), [
    'svc stage 4: more than 100000 users with a failure',
    'svc stage 4: more than 100000 users with a slow answer for p99',
    'svc stage 4: more than 100000 users with a slow answer for p50',
  ]);
});

t.test('a set of keys is a set', async (t) => {
  const key = fc.oneof(fc.integer({ min: 0, max: 0xffffffff }), fc.integer({ min: 0, max: 20 }));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 500 }), (keys) => {
      const model = new Set<number>();
      const set = new KeySet(10_000);
      for (const each of keys) {
        // 0 marks a free slot, so it shares one with 1.
        const folded = each === 0 ? 1 : each;
        if (set.add(each) === model.has(folded)) return false;
        model.add(folded);
      }
      return set.size === model.size && !set.full;
    }),
  );
  const small = new KeySet(2);
  t.strictSame(
    [7, 7, 8, 9, 7].map((each) => small.add(each)),
    [true, false, true, false, false],
  );
  t.ok(small.full);
});

t.test(
  'users seen: few are taken for one another, and at half the bits nobody is counted any more',
  async (t) => {
    const seen = new SeenKeys();
    let counted = 0;
    for (let key = 0; key < 10_000; key++) if (seen.add(Math.imul(key, 0x9e3779b1) >>> 0)) counted++;
    t.ok(counted > 9_700 && counted <= 10_000, `${counted} of 10000`);
    t.notOk(seen.full);
    for (let key = 0; key < 1_000_000 && !seen.full; key++) if (seen.add(key)) counted++;
    t.ok(seen.full);
    t.equal(counted, 2 ** 17);
    t.notOk(seen.add(0xffffffff));
  },
);
