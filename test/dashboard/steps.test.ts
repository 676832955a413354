import t from 'tap';
import type { RolloutView } from '../../src/admin/contract.ts';
import { describeStep } from '../../src/core/rollout/describe.ts';
import { comingText, pauseShare, readStep, stepLabel, trackOf } from '../../src/dashboard/logic/steps.ts';
import { history, rollout, steps } from '../support/dashboard/scenes.ts';

t.test('steps are read as they are told', async (t) => {
  const table: [string, object, string][] = [
    ['setWeight 12.5', { kind: 'weight', percent: 12.5 }, 'to 12.5 %'],
    ['setMirror 20', { kind: 'mirror', percent: 20 }, 'copy 20 %'],
    ['setMirror 0', { kind: 'mirror', percent: 0 }, 'stop copying'],
    ['pause', { kind: 'pause', durationMs: null }, 'wait for a person'],
    ['pause 1h30m', { kind: 'pause', durationMs: 5_400_000 }, 'wait 1h30m'],
    ['pause 250ms', { kind: 'pause', durationMs: 250 }, 'wait 250ms'],
    ['pause until evidence, at most 1h', { kind: 'evidence' }, 'wait for evidence, at most 1h'],
    ['setScope region eu', { kind: 'scope', label: 'region eu' }, 'for region eu'],
    ['analysis success-rate', { kind: 'analysis' }, 'analysis success-rate'],
    ['somethingNew 5', { kind: 'other' }, 'somethingNew 5'],
  ];
  for (const [text, read, label] of table) {
    t.match(readStep(text), read, text);
    t.equal(stepLabel(text), label, text);
  }
});

t.test('and the core tells them so', async (t) => {
  t.match(readStep(describeStep({ kind: 'setWeight', weightBp: 2_550 })), { kind: 'weight', percent: 25.5 });
  t.match(readStep(describeStep({ kind: 'pause', durationMs: 90_000 })), {
    kind: 'pause',
    durationMs: 90_000,
  });
  t.match(readStep(describeStep({ kind: 'pause', durationMs: null })), { kind: 'pause', durationMs: null });
  t.match(readStep(describeStep({ kind: 'setMirror', percentBp: 2_000 })), { kind: 'mirror', percent: 20 });
});

function treads(texts: readonly string[], index: number | null, more: Partial<RolloutView> = {}) {
  return trackOf(rollout({ steps: steps(index, texts), step: index, ...more }), []).treads.map(
    ({ weight, scope, state, steps: own }) => [weight, scope, state, own.map((step) => step.index)],
  );
}

t.test('steps at one weight are one tread', async (t) => {
  t.strictSame(
    treads(
      rollout().steps.map(({ text }) => text),
      4,
    ),
    [
      [0, null, 'done', [0]],
      [5, null, 'done', [1, 2]],
      [25, null, 'current', [3, 4]],
      [50, null, 'pending', [5, 6]],
      [100, null, 'pending', [7]],
    ],
  );
});

t.test('behind the last step everyone has it', async (t) => {
  t.strictSame(treads(['setWeight 5', 'pause'], 1), [
    [5, null, 'current', [0, 1]],
    [100, null, 'pending', []],
  ]);
  t.strictSame(treads(['setWeight 5', 'pause'], 2, { status: 'completed' }), [
    [5, null, 'done', [0, 1]],
    [100, null, 'current', []],
  ]);
});

t.test('scopes have treads of their own', async (t) => {
  t.strictSame(
    treads(['setScope region eu', 'setWeight 50', 'pause', 'setScope everyone', 'setWeight 100'], 0),
    [
      [50, 'region eu', 'current', [0, 1, 2]],
      [100, null, 'pending', [3, 4]],
    ],
  );
  t.strictSame(treads(['setScope region eu', 'pause', 'setWeight 50'], null), [
    [0, 'region eu', 'pending', [0, 1]],
    [50, 'region eu', 'pending', [2]],
    [100, null, 'pending', []],
  ]);
});

t.test('where a rollout was taken back', async (t) => {
  const aborted = rollout({ status: 'aborted', step: null, steps: steps(null) });
  t.equal(trackOf(aborted, history()).stopped, 3);
  t.equal(trackOf({ ...aborted, number: 9 }, history()).stopped, null, 'another one');
  t.equal(trackOf(rollout(), history()).stopped, null);
});

t.test('how much of a pause is over', async (t) => {
  t.equal(pauseShare({ timeScale: 1 }, 'pause 20s', 5_000), 0.75);
  t.equal(pauseShare({ timeScale: 10 }, 'pause 200s', 5_000), 0.75, 'the clock of the rollout runs faster');
  t.equal(pauseShare({ timeScale: 1 }, 'pause 20s', -100), 1);
  t.equal(pauseShare({ timeScale: 1 }, 'pause', 5_000), null);
});

t.test('what comes when the current step is over', async (t) => {
  const coming = (texts: readonly string[], index: number) =>
    comingText(rollout({ steps: steps(index, texts), step: index }));
  t.equal(coming(['pause', 'setMirror 0', 'setWeight 9', 'pause'], 0), 'copying ends, then v2 gets 9 %');
  t.equal(coming(['pause', 'analysis rate', 'setWeight 9'], 0), 'analysis rate is run');
  t.equal(coming(['pause', 'setWeight 9'], 0), 'v2 gets 9 %, then v2 serves everyone');
  t.equal(coming(['setWeight 9', 'pause'], 1), 'v2 serves everyone');
});
