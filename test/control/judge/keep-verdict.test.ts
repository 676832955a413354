import fc from 'fast-check';
import t from 'tap';
import { Board } from '../../../src/control/judge/board.ts';
import { Keep } from '../../../src/control/judge/keep.ts';
import type { WindowCounts } from '../../../src/core/analysis/tally-read.ts';
import { type ArmTally, PAIR, type PairTally } from '../../../src/core/arms.ts';
import { termsOf } from '../../../src/core/comparison.ts';
import type { GateSpec, Verdict } from '../../../src/core/judge/gates.ts';
import type { Service } from '../../../src/core/model.ts';
import { createEvidenceStore } from '../../support/evidence-store.ts';
import { split } from '../../support/split.ts';
import { iris, memoryLog } from '../support.ts';
import { answer, EDGES, type FakeAnswer, pairs, SUCCESS, serviceJudge, tally } from './support.ts';

/** A rollout that is judged by all gates, in one process or in several after each other. */

const GATES: readonly GateSpec[] = [
  SUCCESS,
  { kind: 'latency', name: 'latency', quantile: 0.99, thresholdMs: 100, delta: 0.25 },
  { kind: 'predictionShift', name: 'shift', atMost: 0.1 },
  { kind: 'confidence', name: 'confidence', mean: 0.7 },
  { kind: 'agreement', name: 'agreement', atLeast: 0.95 },
  { kind: 'kpi', name: 'ctr', kpi: 'click', within: 0.05 },
];
const NAME = 'iris-api';
const ROLLOUT = { number: 4, underWay: true, nextW: 0.5, notBeforeMs: 0, beganWallMs: 1_700_000_000_000 };

type Store = ReturnType<typeof createEvidenceStore>;

/** A process, in stage 0 of its own; `clock` goes on over processes. */
function startProcess(store: Store, clock: { ms: number }, gates = GATES) {
  const arms: ArmTally[] = [];
  const copies: PairTally[] = [];
  const log = memoryLog();
  let window: WindowCounts | null = null;
  let service: Service = iris(1_000, { latencyEdgesMs: EDGES });
  const time = { nowMs: () => clock.ms, wallMs: () => 1_700_000_000_000 + clock.ms };
  const board: Board = new Board({
    armsOf: () => arms,
    pairsOf: () => copies,
    capped: () => [],
    windows: { look: () => undefined, counts: () => window, traffic: () => window },
    clock: time,
    log,
    split: () => split([service]),
    position: () => ROLLOUT,
    tell: () => undefined,
    redress: () => stage(),
    recall: (...about) => keep.recall(...about),
  });
  const keep: Keep = new Keep({
    store,
    board,
    experiments: { course: () => null, recall: () => undefined },
    feedback: { counted: () => [], forget: () => undefined, recall: () => undefined },
    services: () => [NAME],
    split: () => split([service]),
    rollout: () => ({ beganWallMs: ROLLOUT.beganWallMs, isOver: false, isBlocked: false }),
    clock: time,
    log,
  });
  const open = () => {
    board.follow(split([service]));
    arms.push(tally('v1', service.stage), tally('v2', service.stage));
    copies.push(pairs(service.stage));
  };
  function stage(): void {
    service = { ...board.dress(service, null), stage: service.stage + 1 };
    open();
  }
  return {
    board,
    keep,
    log,
    stage,
    service: () => service,
    window: (next: WindowCounts) => {
      window = next;
    },
    async begin() {
      await keep.load([NAME]);
      board.adopt([serviceJudge({}, gates)]);
      service = { ...board.dress(service, null), stage: 0 };
      open();
    },
    answer(version: 'v1' | 'v2', times: number, one: FakeAnswer) {
      const arm = arms.findLast((each) => each.version === version);
      if (arm !== undefined) answer(arm, times, one);
    },
    copy(agree: number, disagree: number) {
      const counts = copies.at(-1)?.counts;
      if (counts === undefined) return;
      counts[PAIR.agree]! += agree;
      counts[PAIR.disagree]! += disagree;
    },
    click(version: 'v1' | 'v2', events: number) {
      board.addKpi(NAME, version, termsOf(service) ?? '', 'click', { events, firsts: events });
    },
    second(ms = 1_000) {
      clock.ms += ms;
      board.tick();
    },
  };
}

type Process = ReturnType<typeof startProcess>;

interface Beat {
  readonly waitMs: number;
  readonly answers: readonly {
    readonly times: number;
    readonly isCanary: boolean;
    readonly one: FakeAnswer;
  }[];
  readonly agree: number;
  readonly disagree: number;
  readonly clicks: number;
  readonly isNewStage: boolean;
}

const one: fc.Arbitrary<FakeAnswer> = fc.record({
  failed: fc.constantFrom(false, false, false, true),
  ms: fc.constantFrom(5, 50, 500),
  class: fc.constantFrom('setosa', 'virginica', '__proto__'),
  confidence: fc.constantFrom(0.95, 0.8, 0.4),
});
const beats: fc.Arbitrary<readonly Beat[]> = fc.array(
  fc.record({
    waitMs: fc.integer({ min: 1_000, max: 70_000 }),
    answers: fc.array(fc.record({ times: fc.nat(80), isCanary: fc.boolean(), one }), { maxLength: 6 }),
    agree: fc.nat(30),
    disagree: fc.nat(2),
    clicks: fc.nat(8),
    isNewStage: fc.nat(5).map((n) => n === 0),
  }),
  { minLength: 1, maxLength: 25 },
);

function live(process: Process, { waitMs, answers, agree, disagree, clicks, isNewStage }: Beat): void {
  for (const { times, isCanary, one } of answers) process.answer(isCanary ? 'v2' : 'v1', times, one);
  process.copy(agree, disagree);
  process.second(waitMs);
  process.click('v1', clicks);
  process.click('v2', Math.floor(clicks / 2));
  process.second();
  if (isNewStage) process.stage();
}

const verdictOf = ({ board }: Process): Verdict => {
  const verdict = board.verdict(NAME);
  if (verdict === null) throw new Error('nothing was judged');
  // How many copies come a second is learnt anew: with it how long those that are missing will take, and whether
  // that is too long.
  const timeless = (text: string) =>
    text.replaceAll(/, about \d[\d.,]* [a-z]+ at this traffic|; mirroring a greater share would help/g, '');
  const { gates, text, advance } = verdict;
  return {
    ...verdict,
    gates: gates.map((gate) =>
      gate.kind === 'agreement' ? { ...gate, etaMs: null, text: timeless(gate.text) } : gate,
    ),
    text: timeless(text),
    advance: { ...advance, why: timeless(advance.why) },
  };
};

t.test('a process that goes on says what one that never ended says', async (t) => {
  await fc.assert(
    fc.asyncProperty(beats, fc.array(fc.nat(25), { minLength: 1, maxLength: 3 }), async (lived, ends) => {
      const steady = startProcess(createEvidenceStore(), { ms: 5_000 });
      await steady.begin();
      const store = createEvidenceStore();
      const clock = { ms: 5_000 };
      let current = startProcess(store, clock);
      await current.begin();
      for (const process of [steady, current]) {
        process.second();
        // Of nothing there is nothing to keep.
        process.answer('v1', 9, {});
        process.answer('v2', 1, {});
        process.second();
      }
      for (const [i, beat] of lived.entries()) {
        if (ends.includes(i)) {
          // The end looks once more, and what begins has a stage of its own.
          steady.board.collect();
          steady.stage();
          await current.keep.close(1_000);
          current = startProcess(store, clock);
          await current.begin();
        }
        for (const process of [steady, current]) live(process, beat);
        t.strictSame(verdictOf(current), verdictOf(steady), `after ${i} of ${lived.length}`);
      }
    }),
    { numRuns: 60 },
  );
});

t.test('what was counted since the last save is lost, and nothing else', async (t) => {
  const store = createEvidenceStore();
  const clock = { ms: 5_000 };
  const first = startProcess(store, clock);
  await first.begin();
  first.second();
  first.answer('v2', 100, {});
  first.answer('v1', 900, {});
  first.second();
  clock.ms += 5_000;
  first.keep.tick();
  await saved(store, 1);
  first.answer('v2', 7, { failed: true });
  first.second();
  // Killed: nothing is closed.
  const second = startProcess(store, clock);
  await second.begin();
  second.second();
  t.equal(verdictOf(second).gates[0]?.samples.have, 100);
  second.answer('v2', 11, {});
  second.second();
  t.equal(verdictOf(second).gates[0]?.samples.have, 111);
  t.match(second.log.lines, [
    { level: 'info', fields: { service: NAME, requests: 1_000 }, message: /gone on with/ },
  ]);
  const slices = second.board.evidence(NAME)?.slices ?? [];
  t.strictSame(
    slices.map(({ stage, index }) => [stage, index]),
    [
      [-1, 0],
      [0, 1],
    ],
  );
});

t.test('a gate that failed stays failed', async (t) => {
  const store = createEvidenceStore();
  const clock = { ms: 5_000 };
  const first = startProcess(store, clock, [SUCCESS]);
  await first.begin();
  first.second();
  first.answer('v1', 180, {});
  first.answer('v2', 20, { failed: true });
  first.second();
  t.equal(verdictOf(first).state, 'FAIL');
  await first.keep.close(1_000);
  const second = startProcess(store, clock, [SUCCESS]);
  await second.begin();
  second.answer('v1', 9_000, { failed: true });
  second.answer('v2', 1_000, {});
  second.second();
  t.equal(verdictOf(second).state, 'FAIL');
  t.match(verdictOf(second).text, /failed before/);
});

t.test('what was frozen stays frozen: stable’s latency, and the bins of scores', async (t) => {
  const store = createEvidenceStore();
  const clock = { ms: 5_000 };
  const first = startProcess(store, clock);
  await first.begin();
  first.window({
    requests: 1_000,
    errors: 0,
    durationsByBucket: Float64Array.of(1_000, 0, 0),
    edgesMs: Float64Array.from(EDGES),
    spanMs: 600_000,
  });
  first.second();
  const thresholds = ({ service }: Process) =>
    service().judged?.slow.map(({ gate, thresholdMs }) => [gate, thresholdMs]);
  const frozen = thresholds(first);
  t.equal(frozen?.[1]?.[0], 'latency/frozen');
  for (let i = 0; i < 100; i++) first.answer('v1', 6, { score: i / 100 });
  first.second();
  first.answer('v1', 10, { score: 0.05 });
  first.answer('v2', 10, { score: 0.55 });
  first.second();
  await first.keep.close(1_000);

  const second = startProcess(store, clock);
  await second.begin();
  second.second();
  t.strictSame(thresholds(second), frozen, 'in force from the first look on, without a window');
  second.answer('v1', 3, { score: 0.05 });
  second.answer('v2', 2, { score: 0.55 });
  second.second();
  const scores = (second.board.evidence(NAME)?.slices ?? []).flatMap(({ canary }) =>
    canary.scores.some((n) => n > 0) ? [canary.scores] : [],
  );
  t.equal(scores.length, 2);
  t.strictSame(
    scores.map((counts) => counts.findIndex((n) => n > 0)),
    [5, 5],
    'the same scores fall into the same bins, though nobody knows stable’s deciles yet',
  );
});

t.test('evidence of days stays a few hundred slices, however often the process ends', async (t) => {
  const store = createEvidenceStore();
  const clock = { ms: 5_000 };
  for (let restart = 0; restart < 6; restart++) {
    const process = startProcess(store, clock, [SUCCESS]);
    await process.begin();
    process.second();
    for (let minute = 0; minute < 12 * 60; minute++) {
      process.answer('v2', 1, {});
      process.answer('v1', 9, {});
      process.second(60_000);
    }
    await process.keep.close(1_000);
  }
  const slices = store.peek(NAME)?.sides[0]?.evidence.slices ?? [];
  t.ok(slices.length < 500, `${slices.length} slices in three days`);
  t.equal(
    slices.reduce((sum, { canary }) => sum + canary.requests, 0),
    6 * 12 * 60,
  );
});

/** Resolves when so many saves have been written. */
async function saved(store: Store, revision: number): Promise<void> {
  while (!store.texts.get(NAME)?.includes(`"revision":${revision},`)) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
