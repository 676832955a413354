import fc from 'fast-check';
import t from 'tap';
import { judge } from '../../../src/core/judge/judge.ts';
import { differenceOf, resumed } from '../../../src/core/judge/saved.ts';
import { savedJudge, savedJudges, someSlice } from '../../support/saved-judge.ts';
import { ALL_GATES, collect, contextOf, evidenceOf, happenings, planOf } from './stream.ts';

t.test('stages of an earlier process lie below all that are to come, apart and in order', async (t) => {
  fc.assert(
    fc.property(savedJudges, (saved) => {
      const after = resumed(saved);
      const stages = (of: typeof saved) =>
        of.sides.map(({ evidence }) => evidence.slices.map(({ stage }) => stage));
      const [before, moved] = [stages(saved).flat(), stages(after).flat()];
      t.ok(moved.every((stage) => stage < 0));
      const by = (moved[0] ?? 0) - (before[0] ?? 0);
      t.strictSame(
        moved,
        before.map((stage) => stage + by),
        'by the same number on every side',
      );
      t.strictSame(resumed(after).sides, after.sides, 'and a second time nothing moves');
    }),
  );
});

t.test('an experiment’s stretch begins where it began', async (t) => {
  const course = savedJudge().course as NonNullable<ReturnType<typeof savedJudge>['course']>;
  const firstOf = (firstStage: number, stages: readonly number[]) => {
    const slices = stages.map((stage, index) => someSlice({ stage, index }));
    return resumed(savedJudge({ course: { ...course, firstStage } }, slices)).course?.firstStage;
  };
  t.equal(firstOf(2, [0, 1, 2, 3]), -2, 'two stages of it');
  t.equal(firstOf(-7, [-9, -8, -7, 0]), -8);
  t.equal(firstOf(4, [0, 3]), 0, 'nobody was counted in it yet');
  t.equal(firstOf(5, []), 0);
});

t.test('no gate asks which number a stage has', async (t) => {
  const whole = collect(happenings(3, 900));
  const verdict = judge(planOf(...ALL_GATES), whole, contextOf());
  const slices = whole.slices.map((slice) => ({ ...slice, stage: slice.stage - 3 }));
  t.strictSame(judge(planOf(...ALL_GATES), { ...evidenceOf(), ...whole, slices }, contextOf()), verdict);
});

t.test('what differs is told', async (t) => {
  const { about } = savedJudge();
  t.equal(differenceOf(about, { ...about }), null);
  const cases = [
    [{ epoch: '4' }, 'it is of rollout 3, and this is 4'],
    [{ beganWallMs: 1 }, 'it is of rollout 3, and this is 3 of another beginning'],
    [{ beganWallMs: null, epoch: '["v1","v2"]' }, 'who is compared, or with what, has changed'],
    [{ versions: '' }, 'the versions have changed'],
    [{ question: '' }, 'what is asked of the canary has changed'],
  ] as const;
  for (const [changes, words] of cases) t.equal(differenceOf(about, { ...about, ...changes }), words);
});
