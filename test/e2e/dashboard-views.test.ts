import t from 'tap';
import { NEEDS_BROWSER } from '../support/browser.ts';
import { checkViews, LOOKS, type View } from '../support/dashboard/looked.ts';

/** Every view in both themes, wide and narrow. */

const IRIS = '#/services/iris-api';

const VIEWS: readonly View[] = [
  { name: 'the list', state: 'held', hash: '#/', sign: '.row' },
  { name: 'a rollout', state: 'held', hash: IRIS, sign: '.plot canvas' },
  { name: 'the last day', state: 'aborted', hash: `${IRIS}?range=24h`, sign: '.plot canvas' },
  { name: 'explain, a key', state: 'good', hash: `${IRIS}/explain?key=ada`, sign: '.line-bar i' },
  { name: 'explain, nobody', state: 'good', hash: `${IRIS}/explain`, sign: '.explain-version' },
  { name: 'an experiment', state: 'good', hash: '#/services/search/experiment', sign: '.plot canvas' },
  { name: 'no such service', state: 'good', hash: '#/services/nobody', sign: 'text=No such service' },
  {
    name: 'a question before an abort',
    state: 'good',
    hash: IRIS,
    sign: '.btn-back',
    arrange: (page) => page.getByRole('button', { name: 'Take v2 back' }).click(),
  },
];

t.test('every view, both themes, wide and narrow', { ...NEEDS_BROWSER, timeout: 110_000 }, (t) =>
  checkViews(t, VIEWS, LOOKS),
);
