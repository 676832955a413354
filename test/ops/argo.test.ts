import t, { type Test } from 'tap';
import { compilePattern } from '../../src/config/pattern.ts';
import type { RolloutView } from '../../src/control/api.ts';
import { judgedView } from '../../src/control/judge/view.ts';
import type { AnalysisPlan } from '../../src/core/analysis/plan.ts';
import { dueMetrics, isOver, markAsked, recordOutcome, startRun } from '../../src/core/analysis/run.ts';
import type { RunState } from '../../src/core/analysis/state.ts';
import type { GateState } from '../../src/core/judge/gates.ts';
import { startTestAdmin } from '../admin/support.ts';
import { imported } from '../config/import-support.ts';
import { compiled } from '../config/support.ts';
import { verdict } from '../control/judge/support.ts';
import { startSource } from '../control/sources-support.ts';
import { rolloutView } from '../control/support.ts';
import { read } from './manifests.ts';

/**
 * config/kubernetes/argo against the real admin port: the templates as `coalmine import` reads them,
 * measured by our web source, judged by our copy of Argo's semantics.
 */

const TOKEN = 'a-token-of-at-least-16';

async function setup(t: Test) {
  const admin = await startTestAdmin(t, { token: TOKEN });
  const text = (file: string) =>
    read('argo', file).replaceAll('http://coalmine-admin.models.svc:9090', admin.admin.url);
  const files = ['templates.yaml', 'rollout.yaml', 'services.yaml'].map((name) => ({
    name,
    text: text(name),
  }));
  // Where import puts the value of the Secret.
  const env = { COALMINE_ADMIN_TOKEN: TOKEN };
  const { yaml } = imported(files, { env });
  const [plan] = compiled(yaml, { env }).rollouts;
  const analyses = (plan?.steps ?? []).flatMap((step) => (step.kind === 'analysis' ? [step.analysis] : []));
  const [begin, ask, finish] = analyses as [AnalysisPlan, AnalysisPlan, AnalysisPlan];
  t.equal(analyses.length, 3);
  const { measure } = startSource(t);
  const once = async (analysis: AnalysisPlan, before: RunState, nowMs: number): Promise<RunState> => {
    const [name] = dueMetrics(analysis, before, nowMs);
    const metric = analysis.metrics.find((one) => one.name === name);
    if (metric === undefined) throw new Error(`nothing is due at ${nowMs}`);
    const outcome = await measure(metric);
    const asked = markAsked(before, [metric.name]);
    return recordOutcome(analysis, asked, metric.name, outcome, { nowMs, wallMs: nowMs }, compilePattern);
  };
  const set = (state: GateState | null, changes: Partial<RolloutView> = {}) => {
    const told = state === null ? null : verdict({ state, text: state });
    admin.control.fake.views.set('iris-api', rolloutView({ step: 2, ...judgedView(told), ...changes }));
  };
  return { ...admin, begin, ask, finish, once, set };
}

t.test('each state is measured as Argo must take it', async (t) => {
  const { ask, once, set } = await setup(t);
  const phases = async (state: GateState | null, changes: Partial<RolloutView> = {}) => {
    set(state, changes);
    const run = await once(ask, startRun(ask, 1, 'verdict', 0), 0);
    return [run.metrics[0]?.measurements[0]?.phase, run.phase];
  };
  t.strictSame(await phases('PASS'), ['Successful', 'Successful'], 'the first yes ends it');
  t.strictSame(await phases('FAIL'), ['Failed', 'Failed'], 'so does the first no');
  t.strictSame(await phases('CONTINUE'), ['Inconclusive', 'Running'], 'it goes on');
  t.strictSame(await phases('ERROR'), ['Inconclusive', 'Running'], 'and waits');
  t.strictSame(await phases(null), ['Inconclusive', 'Running'], 'nothing was judged yet');
  t.strictSame(await phases('PASS', { step: 1 }), ['Inconclusive', 'Running'], 'steps are still to come');
  t.strictSame(
    await phases('CONTINUE', { status: 'aborted', step: null }),
    ['Failed', 'Failed'],
    'by a person',
  );
  t.strictSame(await phases('PASS', { status: 'blocked', step: null }), ['Inconclusive', 'Running']);
});

t.test('it waits through hours of not yet, and takes the yes then', async (t) => {
  const { ask, once, set } = await setup(t);
  set('CONTINUE');
  let run = startRun(ask, 1, 'verdict', 0);
  for (let n = 0; n < 200; n++) {
    if (n === 100) set('ERROR');
    run = await once(ask, run, n * 30_000);
    t.notOk(isOver(run), `measurement ${n}`);
  }
  set('PASS');
  run = await once(ask, run, 200 * 30_000);
  t.equal(run.phase, 'Successful', run.message);
});

t.test('a gateway that is not there for a while ends nothing', async (t) => {
  const { ask, once, set, admin } = await setup(t);
  set('CONTINUE');
  let run = await once(ask, startRun(ask, 1, 'verdict', 0), 0);
  await admin.close();
  for (let n = 1; n <= 10; n++) run = await once(ask, run, n * 60_000);
  t.notOk(isOver(run), run.message);
});

t.test('the rollout is begun and ended by Argo', async (t) => {
  const { begin, finish, once, set, control } = await setup(t);
  set(null, { status: 'starting', step: null });
  t.equal((await once(begin, startRun(begin, 1, 'begin', 0), 0)).phase, 'Successful');
  set('PASS', { status: 'undone', step: null });
  t.equal((await once(finish, startRun(finish, 2, 'finish', 0), 0)).phase, 'Successful');
  t.strictSame(
    control.fake.asked.map(({ command, actor }) => `${actor}: ${command.kind}`),
    ['argo: undo', 'argo: start', 'argo: undo'],
    'one that is under way is older than this release',
  );
  control.fake.answer = { ok: false, code: 'refused', message: 'a rollout is under way' };
  const refused = await once(begin, startRun(begin, 3, 'begin', 0), 0);
  t.not(refused.phase, 'Successful', 'a no is never taken for a yes');
});
