import fc from 'fast-check';
import t from 'tap';
import { Collector } from '../../../src/control/judge/collector.ts';
import type { ArmNames } from '../../../src/control/judge/counts.ts';
import { type ArmTally, BINS, MAX_CLASSES, PAIR } from '../../../src/core/arms.ts';
import { addEvidence, type Evidence } from '../../../src/core/judge/evidence.ts';
import { answer, EDGES, pairs, tally } from './support.ts';

const NAMES: ArmNames = {
  stable: 'v1',
  canary: 'v2',
  slow: ['latency'],
  unsure: ['confidence'],
  edgesMs: EDGES,
};

/** Shares by stage: a tenth in stage 1, a half in stage 2, a shadow alone in stage 3. */
const shareOf = (stage: number) => [null, 0.1, 0.5, 0][stage] ?? null;

function look(collector: Collector, arms: readonly ArmTally[], stage: number, nowMs: number, pair = pairs()) {
  collector.look(arms, [pair], NAMES, shareOf, stage, nowMs);
  return collector.evidence;
}

const brief = ({ slices }: Evidence) =>
  slices.map(({ stage, index, w, spanMs, canary, stable }) => ({
    stage,
    index,
    w,
    spanMs,
    canary: canary.requests,
    stable: stable.requests,
  }));

t.test('what was added since the last look goes into the slice of its stage', async (t) => {
  const collector = new Collector();
  const [stable, canary] = [tally('v1'), tally('v2')];
  answer(stable, 9, { class: 'a', confidence: 0.9 });
  answer(canary, 1, { failed: true, ms: 500, class: 'b', confidence: 0.1 });
  look(collector, [stable, canary, tally('v3')], 1, 0);
  answer(canary, 2, { class: 'b' });
  const { slices, edgesMs, problems } = look(collector, [stable, canary], 1, 1_000);
  t.strictSame(edgesMs, EDGES);
  t.strictSame(problems, []);
  t.equal(slices.length, 1);
  t.match(slices[0], { stage: 1, index: 0, w: 0.1, spanMs: 1_000 });
  const confidence = Array.from({ length: BINS }, (_, i) => (i === 25 ? 1 : 0));
  t.strictSame(slices[0]?.canary, {
    requests: 3,
    errors: 1,
    firstErrors: 1,
    keys: 3,
    latency: [2, 0, 1, 0],
    firstSlow: { latency: 1 },
    slowBursts: {},
    classes: { b: 3 },
    scores: [],
    confidence,
    firstUnsure: { confidence: 1 },
    kpis: {},
  });
  t.match(slices[0]?.stable, { requests: 9, errors: 0, classes: { a: 9 }, firstUnsure: {} });
});

t.test('a look at which nothing happened changes no counts', async (t) => {
  const collector = new Collector();
  const arms = [tally('v1'), tally('v2')];
  answer(arms[1]!, 3);
  const before = look(collector, arms, 1, 0);
  for (let s = 1; s < 5; s++) look(collector, arms, 1, s * 1_000);
  t.strictSame(collector.evidence.slices[0]?.canary, before.slices[0]?.canary);
  t.equal(collector.evidence.slices[0]?.spanMs, 4_000, 'but silence lasts');
});

t.test('requests that passed an arm by are known at every look', async (t) => {
  const collector = new Collector();
  const [stable, canary] = [tally('v1'), tally('v2')];
  const passed = (nowMs: number) => look(collector, [stable, canary], 1, nowMs).slices.at(-1)?.passed;
  t.strictSame(passed(0), { canary: 0, stable: 0 });
  answer(stable, 7);
  answer(canary, 1);
  t.strictSame(passed(1_000), { canary: 0, stable: 0 });
  answer(stable, 5);
  t.strictSame(passed(2_000), { canary: 5, stable: 0 });
  t.strictSame(passed(3_000), { canary: 5, stable: 0 });
  answer(stable, 4);
  t.strictSame(passed(4_000), { canary: 9, stable: 0 });
  answer(canary, 2);
  t.strictSame(passed(5_000), { canary: 0, stable: 2 });
});

t.test('a slice lasts a minute, and indexes grow over stages', async (t) => {
  const collector = new Collector();
  const arms = [tally('v1'), tally('v2'), tally('v1', 2), tally('v2', 2)];
  for (let s = 0; s <= 90; s++) {
    answer(arms[s < 70 ? 1 : 3]!);
    look(collector, arms, s < 70 ? 1 : 2, s * 1_000);
  }
  t.strictSame(brief(collector.evidence), [
    { stage: 1, index: 0, w: 0.1, spanMs: 60_000, canary: 61, stable: 0 },
    { stage: 1, index: 1, w: 0.1, spanMs: 9_000, canary: 9, stable: 0 },
    { stage: 2, index: 2, w: 0.5, spanMs: 20_000, canary: 21, stable: 0 },
  ]);
});

t.test('what ends late goes to its stage', async (t) => {
  const collector = new Collector();
  const [stable, canary, now] = [tally('v1'), tally('v2'), tally('v2', 2)];
  const arms = [stable, canary, now];
  answer(canary, 5);
  look(collector, arms, 1, 0);
  look(collector, arms, 1, 61_000);
  answer(now, 1);
  look(collector, arms, 2, 62_000);
  answer(canary, 1, { failed: true });
  answer(stable, 7);
  answer(now, 2);
  look(collector, arms, 2, 63_000);
  t.strictSame(brief(collector.evidence), [
    { stage: 1, index: 0, w: 0.1, spanMs: 61_000, canary: 5, stable: 0 },
    { stage: 1, index: 1, w: 0.1, spanMs: 0, canary: 1, stable: 7 },
    { stage: 2, index: 2, w: 0.5, spanMs: 1_000, canary: 3, stable: 0 },
  ]);
  t.equal(collector.evidence.slices[1]?.canary.errors, 1, 'counted with the share of then');
});

t.test('a stage that is over has no further slices, however long ago it began', async (t) => {
  const collector = new Collector();
  const arms = [tally('v1'), tally('v2'), tally('v1', 2), tally('v2', 2)];
  answer(arms[1]!, 5);
  look(collector, arms, 1, 0);
  look(collector, arms, 2, 90_000);
  answer(arms[1]!, 1);
  look(collector, arms, 2, 200_000);
  t.strictSame(
    brief(collector.evidence).map(({ stage, index, canary }) => [stage, index, canary]),
    [
      [1, 0, 6],
      [2, 1, 0],
      [2, 2, 0],
    ],
  );
});

t.test('a stage that came and went between two looks has a slice of its own', async (t) => {
  const collector = new Collector();
  const arms = [tally('v2'), tally('v2', 2)];
  answer(arms[0]!, 4);
  answer(arms[1]!, 5);
  for (const ms of [0, 1_000, 2_000]) look(collector, arms, 2, ms);
  t.strictSame(
    brief(collector.evidence).map(({ stage, canary }) => [stage, canary]),
    [
      [1, 4],
      [2, 5],
    ],
  );
});

t.test(
  'a stage that turns out late to have had users does not end the slice of the one in force',
  async (t) => {
    const collector = new Collector();
    const [late, now] = [tally('v2'), tally('v2', 2)];
    for (let s = 0; s <= 40; s++) {
      answer(now);
      if (s === 30) answer(late);
      look(collector, [late, now], 2, s * 1_000);
    }
    t.strictSame(brief(collector.evidence), [
      { stage: 1, index: 1, w: 0.1, spanMs: 0, canary: 1, stable: 0 },
      { stage: 2, index: 0, w: 0.5, spanMs: 40_000, canary: 41, stable: 0 },
    ]);
  },
);

t.test('of any number of stages every request and pair counts once', async (t) => {
  const collector = new Collector();
  const kept: { arm: ArmTally; pair: ReturnType<typeof pairs> }[] = [];
  for (let stage = 0; stage < 100; stage++) {
    kept.push({ arm: tally('v2', stage), pair: pairs(stage) });
    if (kept.length > 4) kept.shift();
    for (let s = 0; s < 2; s++) {
      for (const { arm, pair } of kept) {
        answer(arm);
        pair.counts[PAIR.agree]!++;
      }
      collector.look(
        kept.map(({ arm }) => arm),
        kept.map(({ pair }) => pair),
        NAMES,
        () => 0.5,
        stage,
        stage * 2_000 + s * 1_000,
      );
    }
  }
  const { slices, shadow } = collector.evidence;
  // Each stage is there for as long as it is one of four; the first ones have no more before them.
  const wanted = 2 * (4 * 100 - 3 - 2 - 1);
  t.equal(
    slices.reduce((sum, { canary }) => sum + canary.requests, 0),
    wanted,
  );
  t.equal(shadow.agree, wanted);
});

t.test('what was there before the rollout says nothing of it', async (t) => {
  const collector = new Collector();
  const [arms, pair] = [[tally('v1'), tally('v2')], pairs()];
  answer(arms[0]!, 100);
  answer(arms[1]!, 50, { failed: true, class: 'a', score: 0.4, confidence: 0.2, ms: 900 });
  pair.counts[PAIR.disagree] = 9;
  collector.skip(arms, [pair]);
  answer(arms[1]!, 2);
  pair.counts[PAIR.agree] = 1;
  const { slices, shadow } = look(collector, arms, 1, 0, pair);
  t.match(slices[0]?.canary, { requests: 2, errors: 0, keys: 2, firstSlow: {}, classes: {}, confidence: [] });
  t.equal(slices[0]?.stable.requests, 0);
  t.strictSame(shadow, { agree: 1, disagree: 0, refused: 0, incomparable: 0 });
});

t.test('pairs that can be compared have a rate, once there was one', async (t) => {
  const collector = new Collector();
  const pair = pairs(3);
  const perS = (nowMs: number) => {
    look(collector, [tally('v1', 3)], 3, nowMs, pair);
    return collector.pairsPerS;
  };
  pair.counts[PAIR.incomparable] = 50;
  t.equal(perS(0), null);
  t.equal(perS(1_000), null, 'none of them tells anything');
  for (let s = 2; s <= 200; s++) {
    pair.counts[PAIR.agree]! += 4;
    pair.counts[PAIR.disagree]! += 1;
    t.equal(perS(s * 1_000), 5);
  }
  for (let s = 201; s <= 400; s++) perS(s * 1_000);
  t.ok((collector.pairsPerS ?? 1) < 0.01, 'and forgets what is over');
});

t.test('a stage without users is no slice, but its pairs count', async (t) => {
  const collector = new Collector();
  const [stable, pair] = [tally('v1', 3), pairs(3)];
  answer(stable, 100);
  pair.counts.set([4, 3, 2, 1, 1, 0, 2]);
  const { slices, shadow } = look(collector, [stable], 3, 0, pair);
  t.strictSame(slices, []);
  t.strictSame(shadow, { agree: 4, disagree: 3, refused: 2, incomparable: 2 });
  t.strictSame(look(collector, [stable], 3, 1_000, pair).shadow, shadow, 'once');
});

t.test('classes that found no room are told as other', async (t) => {
  const collector = new Collector();
  const canary = tally('v2');
  answer(canary, 1, { class: '__proto__' });
  canary.classCounts[MAX_CLASSES - 1] = 5;
  const { slices } = look(collector, [canary], 1, 0);
  t.strictSame(Object.entries(slices[0]?.canary.classes ?? {}), [
    ['__proto__', 1],
    ['other', 5],
  ]);
});

t.test('scores are counted once stable has deciles, and in those for good', async (t) => {
  const collector = new Collector();
  const [stable, canary] = [tally('v1'), tally('v2')];
  const arms = [stable, canary];
  for (let i = 0; i < 40; i++) answer(stable, 10, { score: i / 40 });
  answer(canary, 5, { score: 0.99 });
  look(collector, arms, 1, 0);
  t.strictSame(collector.evidence.slices[0]?.canary.scores, [], 'too few answers of stable');
  for (let i = 0; i < 40; i++) answer(stable, 10, { score: i / 40 });
  look(collector, arms, 1, 1_000);
  answer(canary, 7, { score: 0.99 });
  look(collector, arms, 1, 2_000);
  const before = collector.evidence.slices[0]?.canary.scores ?? [];
  t.equal(before.at(-1), 7);
  t.equal(before.length, 10);
  answer(stable, 10_000, { score: 0.99 });
  answer(canary, 1, { score: 0.99 });
  look(collector, arms, 1, 3_000);
  t.strictSame(
    collector.evidence.slices[0]?.canary.scores,
    [...before.slice(0, -1), 8],
    'what stable does later moves no bin',
  );
});

t.test('feedback goes to the newest slice of a stage, and to none that is not known', async (t) => {
  const collector = new Collector();
  const arms = [tally('v2'), tally('v2', 2)];
  answer(arms[0]!, 5);
  look(collector, arms, 1, 0);
  answer(arms[1]!, 5);
  look(collector, arms, 2, 1_000);
  t.ok(collector.addKpi(1, true, 'click', { events: 2, firsts: 1 }));
  t.ok(collector.addKpi(1, true, 'click', { events: 1, firsts: 0 }));
  t.ok(collector.addKpi(2, false, 'click', { events: 1, firsts: 1 }));
  t.notOk(collector.addKpi(7, true, 'click', { events: 1, firsts: 1 }));
  const [first, second] = collector.evidence.slices;
  t.strictSame(first?.canary.kpis, { click: { events: 3, firsts: 1 } });
  t.equal(first?.canary.requests, 5);
  t.strictSame(first?.stable.kpis, {});
  t.strictSame(second?.stable.kpis, { click: { events: 1, firsts: 1 } });
});

t.test('slow answers that come together are told as a burst, in the slice of their look', async (t) => {
  const collector = new Collector();
  const [stable, canary] = [tally('v1'), tally('v2')];
  for (let second = 0; second < 70; second++) {
    answer(stable, 90);
    answer(canary, 10);
    if (second === 20 || second === 65) answer(canary, 8, { ms: 500 });
    if (second % 10 === 0) answer(stable, 1, { ms: 500 });
    look(collector, [stable, canary], 1, second * 1_000);
  }
  const bursts = collector.evidence.slices.map((slice) => [slice.canary.slowBursts, slice.stable.slowBursts]);
  const burst = { latency: { events: 8, bursts: 1, wide: 1 } };
  t.strictSame(bursts, [
    [burst, {}],
    [burst, {}],
  ]);
});

t.test('a burst that a slice’s end cuts in two is one, and none of it counts one by one', async (t) => {
  const collector = new Collector();
  const [stable, canary] = [tally('v1'), tally('v2')];
  for (let second = 0; second < 70; second++) {
    answer(stable, 90);
    answer(canary, 10);
    // The look of second 60 ends the slice.
    if (second === 60 || second === 61) answer(canary, 8, { ms: 500 });
    look(collector, [stable, canary], 1, second * 1_000);
  }
  const bursts = collector.evidence.slices.map((slice) => slice.canary.slowBursts);
  t.strictSame(bursts, [
    { latency: { events: 8, bursts: 1, wide: 1 } },
    { latency: { events: 8, bursts: 0, wide: 0 } },
  ]);
});

t.test('feedback at shares of its own stands beside the slices, in bounds', async (t) => {
  const collector = new Collector();
  const { slices } = collector.evidence;
  for (let i = 0; i < 256; i++) t.ok(collector.addLate((256 - i) / 1_000, i % 2 === 0, 'click', ONE));
  t.notOk(collector.hasRoom(0.5));
  t.notOk(collector.addLate(0.5, true, 'click', ONE), 'one share too many');
  t.ok(collector.addLate(0.001, false, 'click', ONE), 'one that is there');
  const { late } = collector.evidence;
  t.equal(late.length, 256);
  t.strictSame(late[0], { w: 0.001, canary: {}, stable: { click: { events: 2, firsts: 2 } } });
  t.strictSame(late[1], { w: 0.002, canary: { click: ONE }, stable: {} });
  t.equal(collector.evidence.slices, slices);
});

const ONE = { events: 1, firsts: 1 };

const happening = fc.record({
  worker: fc.nat({ max: 1 }),
  version: fc.constantFrom('v1', 'v2'),
  stage: fc.constantFrom(1, 2),
  failed: fc.boolean(),
  ms: fc.constantFrom(5, 50, 500, 5_000),
  class: fc.constantFrom('a', 'b', '__proto__'),
  confidence: fc.constantFrom(0.1, 0.5, 1),
  /** Whether a look comes after it, and how long after. */
  waitMs: fc.constantFrom(0, 0, 1_000, 40_000),
});

/** Arms of both versions and stages. */
const book = () => [tally('v1'), tally('v2'), tally('v1', 2), tally('v2', 2)];
const armIn = (arms: readonly ArmTally[], version: string, stage: number) =>
  arms.find((arm) => arm.version === version && arm.stage === stage) as ArmTally;

t.test('two workers’ evidence adds up to what one would have', async (t) => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (stream) => {
      const workers = [0, 1].map(() => ({ arms: book(), collector: new Collector(), pair: pairs() }));
      const alone = { arms: book(), collector: new Collector(), pair: pairs() };
      const all = [...workers, alone];
      let nowMs = 0;
      let stage = 1;
      const lookAll = () => {
        for (const { collector, arms, pair } of all) look(collector, arms, stage, nowMs, pair);
      };
      lookAll();
      for (const one of stream) {
        for (const { arms, pair } of [workers[one.worker]!, alone]) {
          answer(armIn(arms, one.version, one.stage), 1, one);
          pair.counts[one.failed ? PAIR.disagree : PAIR.agree]!++;
        }
        stage = Math.max(stage, one.stage);
        if (one.waitMs === 0) continue;
        nowMs += one.waitMs;
        lookAll();
      }
      nowMs += 1_000;
      lookAll();
      const sum = addEvidence(workers[0]!.collector.evidence, workers[1]!.collector.evidence);
      t.strictSame(plainOf(sum), plainOf(alone.collector.evidence));
      return true;
    }),
    { numRuns: 60 },
  );
});

/** Without the order of classes, and lists of zeros as none. */
function plainOf({ slices, ...rest }: Evidence) {
  const zeros = (list: readonly number[]) => (list.some((count) => count > 0) ? list : []);
  // Of a burst that several workers saw each knows its part.
  const arm = ({ slowBursts: _slowBursts, ...one }: Evidence['slices'][number]['canary']) => ({
    ...one,
    latency: zeros(one.latency),
    confidence: zeros(one.confidence),
    classes: Object.entries(one.classes).sort(),
  });
  // What passed an arm by is not known of several workers: their sum says the least that can have been.
  const told = slices.map(({ passed: _passed, ...slice }) => ({
    ...slice,
    canary: arm(slice.canary),
    stable: arm(slice.stable),
  }));
  return { ...rest, slices: told };
}

t.test('however often one looks, every request is counted once', async (t) => {
  fc.assert(
    fc.property(fc.array(happening, { maxLength: 40 }), (stream) => {
      const arms = book();
      const collector = new Collector();
      let nowMs = 0;
      for (const one of stream) {
        answer(armIn(arms, one.version, one.stage), 1, one);
        nowMs += one.waitMs;
        if (one.waitMs > 0) look(collector, arms, 2, nowMs);
      }
      look(collector, arms, 2, nowMs + 1);
      for (const version of ['canary', 'stable'] as const) {
        for (const stage of [1, 2]) {
          const own = collector.evidence.slices.filter((slice) => slice.stage === stage);
          const wanted = stream.filter(
            (one) => one.stage === stage && (one.version === 'v2') === (version === 'canary'),
          );
          const sum = (pick: (arm: (typeof own)[number]['canary']) => number) =>
            own.reduce((total, slice) => total + pick(slice[version]), 0);
          t.equal(
            sum(({ requests }) => requests),
            wanted.length,
          );
          t.equal(
            sum(({ errors }) => errors),
            wanted.filter(({ failed }) => failed).length,
          );
        }
      }
      return true;
    }),
    { numRuns: 60 },
  );
});
