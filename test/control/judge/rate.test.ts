import t from 'tap';
import { Board } from '../../../src/control/judge/board.ts';
import type { ArmTally } from '../../../src/core/arms.ts';
import { split } from '../../support/split.ts';
import { iris, memoryLog } from '../support.ts';
import { answer, EDGES, serviceJudge, tally } from './support.ts';

t.test('requests that a rule sends to stable let nobody expect more of the canary', async (t) => {
  const clock = { ms: 0 };
  const arms: ArmTally[] = [];
  const texts: string[] = [];
  // 1,000 requests a second by a rule to stable, and 2 a second that are compared, a tenth of them the canary's.
  const counts = (_s: string, version: string) => ({
    requests: version === 'v1' ? 60_108 : 12,
    errors: 0,
    durationsByBucket: new Float64Array(EDGES.length),
    edgesMs: Float64Array.from(EDGES),
    spanMs: 60_000,
  });
  let service = iris(1_000, { latencyEdgesMs: EDGES });
  const board: Board = new Board({
    armsOf: () => arms,
    pairsOf: () => [],
    capped: () => [],
    windows: { look: () => undefined, counts, traffic: counts },
    clock: { nowMs: () => clock.ms, wallMs: () => clock.ms },
    log: memoryLog(),
    split: () => split([service]),
    position: () => ({ number: 1, underWay: true, nextW: 0.5, notBeforeMs: 0 }),
    tell: (_s, verdict) => texts.push(`${verdict.state} ${verdict.why}`),
    redress: () => undefined,
  });
  board.adopt([serviceJudge()]);
  service = { ...board.dress(service, null), stage: 1 };
  board.follow(split([service]));
  const [stable, canary] = [tally('v1', 1), tally('v2', 1)];
  arms.push(stable, canary);
  for (let s = 0; s < 5; s++) {
    clock.ms += 1_000;
    answer(stable, 2);
    board.tick();
  }
  t.notOk(
    texts.some((text) => text.startsWith('ERROR')),
    texts.at(-1) ?? '',
  );
  answer(canary, 1);
  clock.ms += 1_000;
  board.tick();
  t.ok(
    (board.verdict('iris-api')?.gates[0]?.etaMs ?? 0) > 60_000,
    'half a thousand canary requests at 0.2 a second',
  );
});
