import t from 'tap';
import type { RolloutView } from '../../src/admin/contract.ts';
import { offersOf, takeBackOffer } from '../../src/dashboard/logic/offers.ts';
import { rollout, steps } from '../support/dashboard/scenes.ts';

/** Which buttons there are in which state, as people read them. */
const TABLE: readonly [string, Partial<RolloutView>, readonly string[]][] = [
  ['idle', { status: 'idle', number: 0, step: null }, ['Start the rollout of v2']],
  ['starting', { status: 'starting', step: null }, ['Take v2 back', 'Pause', 'Promote to everyone']],
  [
    'starting, paused',
    { status: 'starting', step: null, userPaused: true },
    ['Take v2 back', 'Resume', 'Promote to everyone'],
  ],
  ['stepping', {}, ['Take v2 back', 'Pause', 'Promote', 'Promote to everyone']],
  ['stepping, paused', { userPaused: true }, ['Take v2 back', 'Resume', 'Promote', 'Promote to everyone']],
  ['held', { hold: 'few samples' }, ['Take v2 back', 'Pause', 'Promote', 'Promote to everyone']],
  ['completed', { status: 'completed', step: null }, ['Take v2 back']],
  ['aborted', { status: 'aborted', step: null }, ['Retry', 'Accept the abort']],
  ['undone', { status: 'undone', step: null }, ['Start the rollout of v2']],
  ['blocked', { status: 'blocked', step: null }, []],
];

t.test('only what makes sense is offered', async (t) => {
  for (const [name, more, labels] of TABLE) {
    t.strictSame(
      offersOf(rollout(more)).map(({ label }) => label),
      labels,
      name,
    );
  }
  const told = new Set(TABLE.map(([, { status = 'stepping' }]) => status));
  t.equal(told.size, 7, 'every status is in the table');
});

t.test('taking back comes first, and is the only one of its kind', async (t) => {
  for (const [name, more] of TABLE) {
    const kinds = offersOf(rollout(more)).map(({ kind }) => kind);
    t.ok(kinds.lastIndexOf('back') <= 0, name);
  }
});

t.test('what is offered says what will happen', async (t) => {
  const told = (more: Partial<RolloutView>, label: string) =>
    offersOf(rollout(more)).find((offer) => offer.label === label)?.consequence ?? '';
  t.match(told({}, 'Take v2 back'), /^v1 serves everyone at once\./);
  t.match(told({ weight: 0 }, 'Take v2 back'), /^v1 goes on serving everyone\./);
  t.match(told({}, 'Promote'), /^It waits no longer: v2 gets 50 %\.$/);
  t.match(told({ step: 6, steps: steps(6) }, 'Promote'), /v2 gets 100 %\.$/);
  t.match(
    told({ step: 2, steps: steps(2, ['setWeight 5', 'analysis rate', 'pause']) }, 'Promote'),
    /v2 serves everyone/,
  );
  t.match(
    told({ userPaused: true, step: 1, steps: steps(1, ['pause', 'analysis a', 'setWeight 9']) }, 'Promote'),
    /The pause by hand is over/,
  );
  t.match(told({}, 'Promote to everyone'), /^v2 serves everyone at once\. .*skipped/);
  t.match(told({}, 'Pause'), /go on judging/);
  t.match(told({ status: 'completed' }, 'Take v2 back'), /^v1 serves everyone at once/);
  t.match(told({ status: 'aborted' }, 'Retry'), /first step/);
});

t.test('a list of services offers to take back, too', async (t) => {
  t.match(takeBackOffer(rollout()), { verb: 'abort', full: false });
  t.match(takeBackOffer(rollout({ status: 'starting' })), { verb: 'abort' });
  t.match(takeBackOffer(rollout({ status: 'completed' })), { verb: 'undo' });
  t.equal(takeBackOffer(rollout({ status: 'aborted' })), null);
});
