import t from 'tap';
import { Board, type Position } from '../../../src/control/judge/board.ts';
import type { Service } from '../../../src/core/model.ts';
import { ArmBook, countOutcome, type OpenArms } from '../../../src/tally/arms.ts';
import { split } from '../../support/split.ts';
import { iris, memoryLog } from '../support.ts';
import { EDGES, serviceJudge } from './support.ts';

/** A rollout whose first users come before the judge has looked at it. */
function world() {
  const clock = { ms: 10_000 };
  const book = new ArmBook();
  const states: string[] = [];
  let service: Service = iris(0, { latencyEdgesMs: EDGES });
  let position: Position = { number: 1, underWay: false, nextW: null, notBeforeMs: 0 };
  const board: Board = new Board({
    armsOf: (name) => book.armsOf(name),
    pairsOf: (name) => book.pairsOf(name),
    capped: () => [],
    windows: { look: () => undefined, counts: () => null, traffic: () => null },
    clock: { nowMs: () => clock.ms, wallMs: () => clock.ms },
    log: memoryLog(),
    split: () => split([service]),
    position: () => position,
    tell: (_name, verdict) => void states.push(verdict.state),
    redress: () => undefined,
  });
  board.adopt([serviceJudge()]);
  let open: OpenArms | null = null;
  const stage = (changes: Partial<Service>, next: Position) => {
    position = next;
    service = { ...board.dress({ ...service, ...changes }, null), stage: service.stage + 1 };
    board.follow(split([service]));
    open = book.open(service);
    book.retain(split([service]));
  };
  /** Thirty users of each version, those of the canary in vain. */
  const everybody = () => {
    for (let user = 0; user < 30; user++) {
      countOutcome(open as OpenArms, 0, user, false, 1);
      countOutcome(open as OpenArms, 1, 1_000 + user, true, 1);
    }
  };
  const second = () => {
    clock.ms += 1_000;
    board.tick();
  };
  return { stage, everybody, second, states };
}

const HALF = { shares: [{ version: 1, weightBp: 5_000 }] };

t.test('users who come before the first look count, and go on counting', async (t) => {
  const { stage, everybody, second, states } = world();
  stage({}, { number: 1, underWay: false, nextW: null, notBeforeMs: 0 });
  second();
  stage(HALF, { number: 2, underWay: true, nextW: 1, notBeforeMs: 0 });
  everybody();
  second();
  t.equal(states.at(-1), 'FAIL');
  for (let i = 0; i < 10; i++) {
    everybody();
    second();
  }
  t.equal(states.at(-1), 'FAIL', 'sixty of sixty, and then three hundred');
});

t.test('what the rollout before counted in its stage counts no more', async (t) => {
  const { stage, everybody, second, states } = world();
  stage(HALF, { number: 1, underWay: true, nextW: 1, notBeforeMs: 0 });
  everybody();
  stage(
    { shares: [{ version: 1, weightBp: 2_500 }] },
    { number: 2, underWay: true, nextW: 1, notBeforeMs: 0 },
  );
  second();
  t.equal(states.at(-1), 'CONTINUE');
});
