import t from 'tap';
import type { ExperimentView } from '../../src/control/api.ts';
import { experimentView, fakeKpis, fakeRollouts, iris } from '../control/support.ts';
import { cli, startServer } from './support.ts';

type Test = Parameters<typeof startServer>[0];

async function setup(t: Test, ...views: ExperimentView[]) {
  const { url } = await startServer(t, [iris(5_000)], {}, fakeRollouts(), fakeKpis(...views));
  return (...args: string[]) => cli(['experiment', ...args], { COALMINE_ADMIN: url });
}

t.test('an experiment under way', async (t) => {
  const experiment = await setup(t, experimentView());
  const { code, out } = await experiment('iris-api');
  t.equal(code, 0);
  t.equal(
    out,
    `Experiment:  iris-api, click, alpha 0.05
Began:       2026-01-02 03:04:05Z, 2 h ago
Verdict:     undecided, go on
Remaining:   about 3.2 h

VARIANT  WEIGHT  USERS  WITH EVENT  SHARE                  AGAINST STABLE            STATE     GATES
v1       50 %    12100  590         4.88 % (4.30 to 5.50)  -                         control   -
v2       50 %    12080  640         5.30 % (4.70 to 5.95)  x 1.085 (0.962 to 1.224)  continue  CONTINUE

click with v2 1.085 times as often as with v1 (0.962 to 1.224, 1,230 events): undecided
`,
  );
  t.strictSame(JSON.parse((await experiment('iris-api', '-o', 'json')).out), experimentView());
});

t.test('what else there is to tell', async (t) => {
  const [control, variant] = experimentView().variants;
  if (control === undefined || variant === undefined) throw new Error('the view has two variants');
  const stopped = {
    at: '2026-01-02T04:00:00.000Z',
    because: 'v2 failed 14 of 212\u001b[2J\n first requests',
  };
  const view = experimentView({
    state: 'idle',
    remainingMs: null,
    text: 'fewer than two variants have users, nothing is compared',
    problems: ['no requests for 90 s'],
    variants: [
      control,
      {
        ...variant,
        weight: 0,
        state: 'stopped',
        stopped,
        ratio: { value: 9, low: 1.5, high: null, n: 10 },
      },
    ],
  });
  const { out } = await (await setup(t, view))('iris-api');
  t.match(out, /^Verdict: +nothing is compared$/m);
  t.match(out, /^Problem: +no requests for 90 s$/m);
  t.notMatch(out, /Remaining/);
  t.match(out, /x 9\.000 \(1\.500 to any\) +stopped/);
  t.match(out, /v2 was stopped by a guardrail at 2026-01-02T04:00:00\.000Z: v2 failed 14 of 212/);
  t.notOk(out.includes('\u001b'), 'what others wrote moves no cursor');

  const winner = await setup(t, experimentView({ state: 'winner', winner: 'v2', remainingMs: 0 }));
  t.match((await winner('iris-api')).out, /^Verdict: +winner v2$/m);
  const none = await setup(t, experimentView({ state: 'equivalent', remainingMs: 0 }));
  t.match((await none('iris-api')).out, /^Verdict: +equivalent: no variant matters$/m);
  const third = { ...variant, name: 'v3' };
  const variants = [control, variant, third];
  const behind = await setup(t, experimentView({ state: 'equivalent', leaders: ['v1', 'v3'], variants }));
  t.match((await behind('iris-api')).out, /^Verdict: +equivalent: v1, v3; the others are behind$/m);
  const race = await setup(t, experimentView({ leaders: ['v2', 'v3'], variants }));
  t.match((await race('iris-api')).out, /^Verdict: +undecided, go on; the best is one of v2, v3$/m);
  const open = await setup(t, experimentView({ remainingMs: null }));
  t.match((await open('iris-api')).out, /^Remaining: +not foreseeable$/m);
});

t.test('what there is not', async (t) => {
  const experiment = await setup(t);
  const none = await experiment('iris-api');
  t.equal(none.code, 1);
  t.match(none.err, /iris-api has no experiment; write services\.iris-api\.experiment/);
  t.match(await experiment('nobody'), { code: 1, err: /there is no service nobody/ });
  t.equal((await experiment()).code, 2, 'a service must be named');
});
