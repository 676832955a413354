import fc from 'fast-check';
import t from 'tap';
import { Board, type Position } from '../../../src/control/judge/board.ts';
import type { WindowCounts } from '../../../src/core/analysis/tally-read.ts';
import type { ArmTally } from '../../../src/core/arms.ts';
import type { ServiceJudge } from '../../../src/core/judge/service.ts';
import type { Service } from '../../../src/core/model.ts';
import type { VerdictState } from '../../../src/core/rollout/state.ts';
import { split } from '../../support/split.ts';
import { iris, memoryLog } from '../support.ts';
import { answer, EDGES, SUCCESS, serviceJudge, tally } from './support.ts';

interface Told {
  readonly verdict: VerdictState;
  readonly text: string;
  readonly evidence: readonly string[];
}

/** A board over arm tallies in the test's hand, and a rollout that a FAIL ends. */
function world(
  judges: readonly ServiceJudge[] = [serviceJudge()],
  options: { readonly failEnds?: boolean } = {},
) {
  const clock = { ms: 5_000, wall: 1_700_000_000_000 };
  const arms: ArmTally[] = [];
  const told: Told[] = [];
  const redressed: string[] = [];
  const capped: string[] = [];
  const log = memoryLog();
  let service: Service = iris(1_000, { latencyEdgesMs: EDGES });
  let counts: WindowCounts | null = null;
  let position: Position | null = { number: 1, underWay: true, nextW: 0.5, notBeforeMs: 0 };
  const board: Board = new Board({
    armsOf: () => arms,
    pairsOf: () => [],
    capped: () => capped,
    windows: { look: () => undefined, counts: () => counts, traffic: () => counts },
    clock: { nowMs: () => clock.ms, wallMs: () => clock.wall },
    log,
    split: () => split([service]),
    position: () => position,
    tell(name, verdict, text, evidence) {
      t.equal(name, 'iris-api');
      told.push({ verdict, text, evidence });
      if (verdict.state === 'FAIL' && options.failEnds !== false && position !== null) {
        position = { ...position, underWay: false };
      }
    },
    redress: (name) => redressed.push(name),
  });
  board.adopt(judges);
  /** Another stage of the service, dressed as the manager does it. */
  const stage = (changes: Partial<Service> = {}) => {
    service = { ...board.dress({ ...service, ...changes }, null), stage: service.stage + 1 };
    board.follow(split([service]));
    const opened = [tally('v1', service.stage), tally('v2', service.stage)] as const;
    arms.push(...opened);
    return { stable: opened[0], canary: opened[1] };
  };
  return {
    board,
    clock,
    log,
    told,
    redressed,
    capped,
    stage,
    service: () => service,
    move: (next: Position | null) => {
      position = next;
    },
    window: (next: WindowCounts | null) => {
      counts = next;
    },
    /** A second, and a look. */
    second(times = 1) {
      for (let i = 0; i < times; i++) {
        clock.ms += 1_000;
        board.tick();
      }
    },
    states: () => told.map(({ verdict }) => verdict.state),
  };
}

t.test('it looks once a second, however often it is asked', async (t) => {
  const { board, clock, told, stage } = world();
  stage();
  for (let i = 0; i < 100; i++) {
    clock.ms += 50;
    board.tick();
  }
  t.equal(told.length, 5);
});

t.test('a bad canary fails, once, with the numbers', async (t) => {
  const { stage, second, told, states, board } = world();
  const { stable, canary } = stage();
  second();
  t.strictSame(states(), ['CONTINUE'], 'silence is no verdict');
  t.match(board.verdict('iris-api'), { M: 1, holdRamp: false });
  answer(stable, 2_000);
  answer(stable, 4, { failed: true });
  answer(canary, 180);
  answer(canary, 20, { failed: true });
  second();
  t.strictSame(states(), ['CONTINUE', 'FAIL']);
  const { verdict, text, evidence } = told.at(-1) as Told;
  t.strictSame(verdict.failed, ['successRate']);
  t.match(text, /v2 failed 20 of 200 first requests \(10 %\), v1 4 of 2,004/);
  t.match(evidence, [/^successRate FAIL: v2 failed 20/]);
  answer(canary, 50, { failed: true });
  second(5);
  t.equal(told.length, 2, 'the rollout is over: nothing more is told');
  t.match(board.verdict('iris-api'), { state: 'FAIL' }, 'the verdict stays to be read');
  t.equal(board.verdict('iris-api')?.gates[0]?.samples.have, 200, 'as it was then');
});

t.test('a gate that failed stays failed while its rollout goes on', async (t) => {
  const { stage, second, states, told } = world(undefined, { failEnds: false });
  const { stable, canary } = stage();
  second();
  answer(stable, 180);
  answer(canary, 20, { failed: true });
  second();
  answer(stable, 9_000, { failed: true });
  answer(canary, 1_000);
  second(3);
  t.strictSame(states(), ['CONTINUE', 'FAIL', 'FAIL', 'FAIL', 'FAIL']);
  t.match(told.at(-1)?.text, /failed before/);
});

t.test('a new rollout begins anew', async (t) => {
  const { stage, second, states, move, board } = world();
  const { stable, canary } = stage();
  second();
  answer(stable, 180);
  answer(canary, 20, { failed: true });
  second();
  t.strictSame(states(), ['CONTINUE', 'FAIL']);
  move({ number: 2, underWay: true, nextW: 0.5, notBeforeMs: 0 });
  second();
  t.strictSame(
    states(),
    ['CONTINUE', 'FAIL', 'CONTINUE'],
    'neither the failures nor the failed gate are held against it',
  );
  t.equal(
    board.evidence('iris-api')?.slices.reduce((sum, { canary }) => sum + canary.requests, 0),
    0,
  );
  answer(canary, 1);
  answer(stage().canary, 2);
  second();
  t.equal(
    board.evidence('iris-api')?.slices.reduce((sum, { canary }) => sum + canary.requests, 0),
    3,
  );
});

t.test('once a rollout is over nobody is told what its gates still need, nor when', async (t) => {
  const { stage, second, move, told, board } = world();
  const { stable, canary } = stage();
  second();
  answer(stable, 95);
  answer(canary, 5);
  second();
  const [before] = board.verdict('iris-api')?.gates ?? [];
  t.match(before, { state: 'CONTINUE', text: /more first requests are needed/ });
  move({ number: 1, underWay: false, nextW: null, notBeforeMs: 0 });
  second();
  const { gates = [], text = '' } = board.verdict('iris-api') ?? {};
  t.match(gates[0], { state: 'CONTINUE', etaMs: null, samples: { have: 5 } });
  t.match(
    gates[0]?.text,
    /^v2 failed 0 of 5 .*undecided until the end; evidence \S+ against the 100 needed for a rollback$/,
  );
  t.notMatch(text, /Next step|needed,/);
  t.equal(told.length, 2, 'and the rollout is told nothing more');
});

t.test('other latency buckets begin the evidence anew, and are no error', async (t) => {
  const { stage, second, board } = world();
  const first = stage();
  second();
  answer(first.canary, 30);
  second();
  const next = stage({ latencyEdgesMs: [20, 200] });
  answer(next.canary, 4);
  answer(next.stable, 36);
  second();
  t.strictSame(board.verdict('iris-api')?.problems, []);
  t.strictSame(
    board.evidence('iris-api')?.slices.map(({ canary }) => canary.requests),
    [4],
  );
});

t.test('nothing is judged while no rollout is under way', async (t) => {
  const { stage, second, told, move, board } = world();
  const { canary } = stage();
  move({ number: 1, underWay: false, nextW: null, notBeforeMs: 0 });
  answer(canary, 500, { failed: true });
  second(3);
  t.strictSame(told, []);
  t.equal(board.verdict('iris-api'), null);
});

t.test('late answers of the stage before are judged with its share', async (t) => {
  const { stage, second, board } = world();
  const first = stage();
  second();
  answer(first.canary, 10);
  second();
  const next = stage({ shares: [{ version: 1, weightBp: 5_000 }] });
  answer(next.canary, 3);
  second();
  answer(first.canary, 2, { failed: true });
  second();
  const slices = board.evidence('iris-api')?.slices ?? [];
  t.strictSame(
    slices.map(({ stage: of, w, canary }) => [of, w, canary.requests, canary.errors]),
    [
      [1, 0.1, 12, 2],
      [2, 0.5, 3, 0],
    ],
  );
});

t.test('stable’s own latency is frozen once there is enough of it, and once only', async (t) => {
  const gates = [
    SUCCESS,
    { kind: 'latency', name: 'latency', quantile: 0.5, thresholdMs: 100, delta: 0.25 },
  ] as const;
  const { stage, second, window, redressed, board, service } = world([serviceJudge({}, gates)]);
  stage();
  const slow = () => board.dress(service(), null).judged?.slow;
  const counted = (requests: number, at: number): WindowCounts => ({
    requests,
    errors: 0,
    durationsByBucket: Float64Array.from(EDGES, (_, i) => (i === at ? requests : 0)),
    edgesMs: Float64Array.from(EDGES),
    spanMs: 600_000,
  });
  window(counted(999, 0));
  second(2);
  t.strictSame(redressed, [], 'too few');
  t.strictSame(slow(), [{ gate: 'latency', thresholdMs: 100 }]);
  window(counted(1_000, 0));
  second();
  t.strictSame(redressed, ['iris-api']);
  t.strictSame(slow(), [
    { gate: 'latency', thresholdMs: 100 },
    { gate: 'latency/frozen', thresholdMs: 5 * 1.25 },
  ]);
  window(counted(5_000, 2));
  second(3);
  t.strictSame(redressed, ['iris-api']);
  t.equal(slow()?.[1]?.thresholdMs, 6.25, 'slower since: that is what it is compared with');
});

t.test('a config that asks the same goes on, another one begins anew', async (t) => {
  const { stage, second, board } = world();
  const { canary } = stage();
  second();
  answer(canary, 30);
  second();
  const have = () => board.verdict('iris-api')?.gates[0]?.samples.have;
  t.equal(have(), 30);
  board.adopt([serviceJudge()]);
  t.equal(have(), 30);
  board.adopt([serviceJudge({ plan: { gates: [SUCCESS], alpha: 0.02, beta: 0.01, minSamples: 50 } })]);
  t.equal(have(), undefined);
  board.adopt([]);
  second();
  t.equal(board.verdict('iris-api'), null);
});

t.test('without gates there is nothing to tell', async (t) => {
  const { stage, second, told, board } = world([serviceJudge({}, [])]);
  const { canary } = stage();
  second();
  answer(canary, 30);
  second();
  t.strictSame(told, []);
  t.equal(board.evidence('iris-api')?.slices[0]?.canary.requests, 30, 'but it is counted');
});

t.test('a full set of users is told once and holds nothing', async (t) => {
  const { stage, second, told, capped, log } = world();
  stage();
  capped.push('iris-api stage 1: more users than can be told apart');
  second();
  second();
  t.equal(told.at(-1)?.verdict.state, 'CONTINUE');
  t.equal(log.lines.filter(({ level }) => level === 'warn').length, 1);
});

t.test('the wall clock is none of its business', async (t) => {
  const beat = fc.record({
    waitMs: fc.nat({ max: 3_000 }),
    wallMs: fc.integer({ min: -1e9, max: 1e9 }),
    good: fc.nat({ max: 20 }),
    bad: fc.nat({ max: 2 }),
    again: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(beat, { maxLength: 30 }), (beats) => {
      const run = (steady: boolean) => {
        const { stage, board, clock, told } = world(undefined, { failEnds: false });
        let { stable, canary } = stage();
        clock.ms += 1_000;
        board.tick();
        for (const { waitMs, wallMs, good, bad, again } of beats) {
          clock.ms += waitMs;
          clock.wall += steady ? waitMs : wallMs;
          answer(stable, good);
          answer(canary, good);
          answer(canary, bad, { failed: true });
          board.tick();
          if (again) ({ stable, canary } = stage());
        }
        return { told, verdict: board.verdict('iris-api') };
      };
      t.strictSame(run(true), run(false));
      return true;
    }),
    { numRuns: 40 },
  );
});

t.test(
  'without a rollout the evidence is about what is deployed, and begins anew with another revision',
  async (t) => {
    const judge = serviceJudge({ revisions: { v2: '2.1.0' } });
    const { stage, second, board, move } = world([judge]);
    move(null);
    const { stable, canary } = stage();
    second();
    answer(stable, 500);
    answer(canary, 50, { failed: true });
    second(2);
    t.equal(board.verdict('iris-api')?.state, 'FAIL');
    board.adopt([serviceJudge({ revisions: { v2: '2.1.0' } })]);
    second();
    t.equal(board.verdict('iris-api')?.state, 'FAIL', 'the same revision');
    board.adopt([serviceJudge({ revisions: { v2: '2.2.0' } })]);
    t.equal(board.verdict('iris-api'), null, 'nothing was said of the new one yet');
    second();
    t.not(board.verdict('iris-api')?.state, 'FAIL', 'what was counted says nothing of the new one');
    answer(stable, 500);
    answer(canary, 500);
    second(2);
    t.equal(board.verdict('iris-api')?.gates[0]?.samples.have, 500);
  },
);

t.test('a rollout that has just begun has no verdict, until it was looked at', async (t) => {
  const { stage, second, board, move } = world([serviceJudge()], { failEnds: false });
  const { stable, canary } = stage();
  second();
  answer(stable, 500);
  answer(canary, 50, { failed: true });
  second(2);
  t.equal(board.verdict('iris-api')?.state, 'FAIL');
  move({ number: 2, underWay: true, nextW: 0.5, notBeforeMs: 0 });
  t.equal(board.verdict('iris-api'), null, 'the other one failed, not this');
  second();
  t.equal(board.verdict('iris-api')?.state, 'CONTINUE');
});

t.test('a tick is short, however long looks take, and nobody is passed over', async (t) => {
  const clock = { ms: 5_000 };
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const looked: string[] = [];
  const services = names.map((name) => ({ ...iris(1_000, { latencyEdgesMs: EDGES }), name }));
  const board: Board = new Board({
    armsOf(name) {
      looked.push(name);
      clock.ms += 3;
      return [];
    },
    pairsOf: () => [],
    capped: () => [],
    windows: { look: () => undefined, counts: () => null, traffic: () => null },
    clock: { nowMs: () => clock.ms, wallMs: () => clock.ms },
    log: memoryLog(),
    split: () => split(services.map((service) => board.dress(service, null))),
    position: () => null,
    tell: () => undefined,
    redress: () => undefined,
  });
  board.adopt(names.map((service) => serviceJudge({ service })));
  const tick = () => {
    looked.length = 0;
    clock.ms += 50;
    board.tick();
    return looked.join('');
  };
  t.strictSame(Array.from(names, tick), names, 'one slow look a tick');
  t.equal(tick(), '', 'until the second is over');
  clock.ms += 1_000;
  t.strictSame(Array.from(names, tick), names);
});
