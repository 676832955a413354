import t from 'tap';
import { Stages } from '../../../src/control/judge/stages.ts';
import { split } from '../../support/split.ts';
import { serviceJudge } from '../judge-scene.ts';
import { iris } from '../support.ts';

/** A tenth, a half, a tenth, … to the canary. */
const serviceIn = (stage: number) => ({
  ...iris(stage % 2 === 0 ? 1_000 : 5_000),
  stage,
  judged: { ...serviceJudge().judged, rule: -1 },
});

t.test('shares of the latest stages are known, of any number of them', async (t) => {
  const stages = new Stages();
  for (let stage = 0; stage < 1_000; stage++) stages.follow(split([serviceIn(stage)]), stage);
  const now = serviceIn(999);
  stages.follow(split([now]), 5_000);
  t.equal(stages.beganMs(now), 999, 'it began when it came into force first');
  t.strictSame(
    [999, 998, 997, 996, 500, 0].map((stage) => stages.shareOf(now, stage, 'v2')),
    [0.5, 0.1, 0.5, 0.1, null, null],
  );
});

t.test('a service that left and came back has stages of its own', async (t) => {
  const stages = new Stages();
  stages.follow(split([serviceIn(0)]), 0);
  stages.follow(split([]), 1_000);
  t.equal(stages.shareOf(serviceIn(0), 0, 'v2'), null);
  stages.follow(split([serviceIn(0)]), 2_000);
  t.equal(stages.beganMs(serviceIn(0)), 2_000);
});
