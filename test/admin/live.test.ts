import t from 'tap';
import { experimentView } from '../control/support.ts';
import { startTestAdmin } from './support.ts';

const TIMELINE = {
  service: 'iris-api',
  kept: true,
  stepMs: 1_000,
  atMs: [1],
  versions: [],
  pairs: { agree: [null], disagree: [null] },
};

t.test('a timeline, in the step that is asked for', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const asked: unknown[] = [];
  control.timeline = (name, step) => {
    asked.push([name, step]);
    return name === 'iris-api' ? TIMELINE : null;
  };
  const path = '/api/v1/services/iris-api/timeline';
  t.strictSame((await ask(path)).json(), TIMELINE);
  await ask(`${path}?step=1s`);
  await ask(`${path}?step=15s`);
  t.strictSame(asked, [
    ['iris-api', '1s'],
    ['iris-api', '1s'],
    ['iris-api', '15s'],
  ]);
  for (const query of ['?step=2s', '?step=', '?stpe=1s', '?step=1s&step=1s', '?step=toString']) {
    const answer = await ask(path + query);
    t.equal(answer.status, 400, query);
    t.equal(answer.json().error, 'bad_request');
  }
  t.match((await ask('/api/v1/services/nobody/timeline')).json(), { error: 'unknown_service' });
});

t.test('the timeline of an experiment', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const path = '/api/v1/experiments/iris-api/timeline';
  t.match((await ask(path)).json(), { error: 'no_experiment' });
  control.kpis.views.set('iris-api', experimentView());
  t.strictSame((await ask(path)).json(), {
    service: 'iris-api',
    kpi: 'click',
    stepMs: 1_000,
    atMs: [],
    variants: [],
  });
  const view = { service: 'iris-api', kpi: 'click', stepMs: 4_000, atMs: [1, 2], variants: [] };
  control.live.experimentTimelines.set('iris-api', view);
  t.strictSame((await ask(path)).json(), view);
  t.equal((await ask(`${path}?step=1s`)).status, 400);
  t.match((await ask('/api/v1/experiments/nobody/timeline')).json(), { error: 'unknown_service' });
});

t.test('explain tells what is coming', async (t) => {
  const { ask, control } = await startTestAdmin(t);
  const step = { step: 2, text: 'setWeight 25', weight: 25, version: 'v2', because: 'so' };
  control.live.ahead = [step];
  t.strictSame((await ask('/api/v1/services/iris-api/explain?key=u')).json(), {
    version: 'v2',
    coming: [step],
  });
});
