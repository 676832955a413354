import t from 'tap';
import type { ServiceJudge } from '../../../src/core/judge/service.ts';
import { type JudgeScene, judgeScene, plan, serviceJudge, successRate } from '../judge-scene.ts';
import { iris } from '../support.ts';

/** A reload that asks another question, while the same users come again and again. */

const asks = (alpha: number, changes: Partial<ServiceJudge> = {}) =>
  serviceJudge({ experiment: null, plan: { ...plan(successRate), alpha }, ...changes });

/** Each of a hundred users, of whom those of v2 fail. */
function everybody({ visit, second }: JudgeScene): void {
  for (let user = 0; user < 100; user++) {
    const key = `u${user}`;
    const { version } = visit(key);
    if (version === 'v2') visit(key, { failed: true });
  }
  second();
}

t.test('who failed before may be the first to fail again', async (t) => {
  const scene = judgeScene([iris(5_000)], [asks(0.0001)]);
  scene.second();
  everybody(scene);
  const failed = () => scene.board.verdict('iris-api')?.state;
  t.equal(failed(), 'FAIL');
  const { stage } = scene.service();
  scene.reload([iris(5_000)], [asks(0.0002)]);
  t.equal(scene.service().stage, stage + 1, 'another question is another stage');
  scene.second();
  t.not(failed(), 'FAIL', 'what was counted for the other question is none of its business');
  everybody(scene);
  t.equal(failed(), 'FAIL');
});

t.test('another model behind the same address may fail the same users again', async (t) => {
  const scene = judgeScene([iris(5_000)], [asks(0.01, { revisions: { v2: 'first' } })]);
  scene.second();
  everybody(scene);
  const failed = () => scene.board.verdict('iris-api')?.state;
  t.equal(failed(), 'FAIL');
  scene.reload([iris(5_000)], [asks(0.01, { revisions: { v2: 'second' } })]);
  scene.second();
  t.not(failed(), 'FAIL', 'that was another model');
  everybody(scene);
  t.equal(failed(), 'FAIL');
});

t.test('what asks nothing else is no stage', async (t) => {
  const scene = judgeScene([iris(5_000)], [asks(0.01)]);
  scene.second();
  const { stage } = scene.service();
  const { judged } = asks(0.01);
  scene.reload([iris(5_000)], [asks(0.01)]);
  scene.reload(
    [iris(5_000)],
    [asks(0.01, { judged: { ...judged, predictionSecret: 'another one of the tests' } })],
  );
  t.equal(scene.service().stage, stage);
});
