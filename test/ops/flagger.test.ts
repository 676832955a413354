import t, { type Test } from 'tap';
import type { RolloutView } from '../../src/control/api.ts';
import { judgedView } from '../../src/control/judge/view.ts';
import type { GateState } from '../../src/core/judge/gates.ts';
import { startTestAdmin } from '../admin/support.ts';
import { verdict } from '../control/judge/support.ts';
import { rolloutView } from '../control/support.ts';
import { at, type Data, kustomization, type Manifest, manifestsOf } from './manifests.ts';

/** config/kubernetes/flagger: its Canary, and its webhooks called as Flagger calls them. */

const [canary] = manifestsOf(kustomization('flagger')) as [Manifest];
const hooks = at(canary.data, 'spec.analysis.webhooks') as readonly Data[];

t.test('the Canary has what the CRD knows', async (t) => {
  const keys = (place: string) => Object.keys(at(canary.data, place) as object).sort();
  t.match(canary, { apiVersion: 'flagger.app/v1beta1', kind: 'Canary' });
  t.strictSame(keys('spec'), ['analysis', 'provider', 'service', 'targetRef']);
  t.strictSame(keys('spec.targetRef'), ['apiVersion', 'kind', 'name']);
  t.strictSame(keys('spec.service'), ['port', 'targetPort']);
  t.strictSame(keys('spec.analysis'), ['interval', 'iterations', 'threshold', 'webhooks']);
  const kinds = hooks.map(({ type }) => type);
  t.strictSame(kinds, ['pre-rollout', 'rollback', 'confirm-promotion', 'post-rollout']);
  for (const hook of hooks) t.strictSame(Object.keys(hook), ['name', 'type', 'url', 'timeout']);
});

const TOKEN = 'a-token-of-tests';

async function setup(t: Test) {
  const { admin, ask, control } = await startTestAdmin(t, { token: TOKEN });
  /** As Go's client does it: what stands before the @ becomes Basic; 200 to 202 is a yes. */
  const call = async (type: string) => {
    const hook = hooks.find((one) => one.type === type);
    const url = new URL(String(hook?.url).replace('COALMINE_TOKEN', TOKEN));
    const authorization = `Basic ${Buffer.from(`${url.username}:${url.password}`).toString('base64')}`;
    const { status } = await ask(url.pathname + url.search, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization },
      body: '{"name":"iris","namespace":"models","phase":"Progressing","checksum":"85d557f47b"}',
    });
    return status >= 200 && status <= 202;
  };
  const set = (state: GateState | null, changes: Partial<RolloutView> = {}) => {
    const told = state === null ? null : verdict({ state, text: state });
    control.fake.views.set('iris-api', rolloutView({ step: 2, ...judgedView(told), ...changes }));
  };
  return { admin, control, call, set };
}

t.test('a release that is good, and one that is not', async (t) => {
  const { call, set, control } = await setup(t);
  const answers = async () => [await call('rollback'), await call('confirm-promotion')];
  set(null, { status: 'undone', step: null });
  t.strictSame(await answers(), [false, false], 'before it begins nothing is taken back');
  t.equal(await call('pre-rollout'), true);
  set('CONTINUE', { step: 0 });
  t.strictSame(await answers(), [false, false], 'it waits');
  set('PASS', { step: 1 });
  t.strictSame(await answers(), [false, false], 'a step is still to come');
  set('ERROR');
  t.strictSame(await answers(), [false, false]);
  set('PASS');
  t.strictSame(await answers(), [false, true], 'promoted');
  t.equal(await call('post-rollout'), true);
  set('FAIL', { status: 'aborted', step: null });
  t.strictSame(await answers(), [true, false], 'rolled back');
  t.strictSame(
    control.fake.asked.map(({ command, actor }) => `${actor}: ${command.kind}`),
    ['flagger models/iris: start', 'flagger models/iris: undo'],
  );
});
