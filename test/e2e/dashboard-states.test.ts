import t from 'tap';
import { NEEDS_BROWSER } from '../support/browser.ts';
import { ROLLOUTS } from '../support/dashboard/cast.ts';
import { checkViews, LOOKS } from '../support/dashboard/looked.ts';

/** The page of a service in every state that its rollout can be in. */

t.test('a rollout in every state', { ...NEEDS_BROWSER, timeout: 110_000 }, async (t) => {
  const views = Object.keys(ROLLOUTS).map((state) => ({
    name: state,
    state,
    hash: '#/services/iris-api',
    sign: '.plot canvas',
  }));
  const looks = LOOKS.filter(({ label }) => label === 'light' || label === 'a phone, dark');
  await checkViews(t, views, looks);
});
