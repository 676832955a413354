import t from 'tap';
import type { Verdict } from '../../../src/core/judge/gates.ts';
import type { VerdictState } from '../../../src/core/rollout/state.ts';
import { pause, weight } from '../../core/rollout/walk.ts';
import { gate, verdict } from '../judge/support.ts';
import { createMemoryStore, irisPlan, scene } from './scene.ts';

t.test('a rollout shows what its gates say, and nothing before they say anything', async (t) => {
  let judged: Verdict | null = null;
  const asked = new Set<string>();
  const s = await scene(t, {
    plans: [irisPlan({ steps: [weight(5), pause(60)] })],
    verdict(service) {
      asked.add(service);
      return judged;
    },
  });
  t.match(s.rollouts.rollout('iris-api'), { verdict: null, gates: [] });
  judged = verdict({ gates: [gate(), gate({ name: 'latency', state: 'PASS' })] });
  const view = s.rollouts.rollout('iris-api');
  t.match(view?.verdict, { state: 'CONTINUE', M: 1.2, needed: 101.01, ready: false });
  t.strictSame(
    view?.gates.map(({ name, state }) => [name, state]),
    [
      ['successRate', 'CONTINUE'],
      ['latency', 'PASS'],
    ],
  );
  t.strictSame(s.rollouts.rollouts()[0]?.gates, view?.gates);
  t.strictSame([...asked], ['iris-api']);
});

t.test('a verdict in other words is shown, and written with the next that says something else', async (t) => {
  const store = createMemoryStore();
  const s = await scene(t, { store, plans: [irisPlan({ steps: [weight(5), pause(60)] })] });
  const judged = async (changes: Partial<VerdictState>) => {
    const before = { state: 'CONTINUE', holdRamp: false, ready: false, why: '', failed: [] } as const;
    s.rollouts.judged('iris-api', { ...before, ...changes }, '', []);
    await s.pass(0.001);
  };
  await judged({ why: '200 more are needed' });
  const saves = store.saved.length;
  const swaps = s.splits.length;
  for (let left = 199; left > 0; left--) await judged({ why: `${left} more are needed` });
  t.equal(store.saved.length, saves, 'the store was left alone');
  t.equal(s.splits.length, swaps);
  await judged({ ready: true, why: 'none is needed' });
  t.equal(store.saved.length, saves + 1);
  t.equal(store.peek('iris-api')?.verdict?.why, 'none is needed');
  await judged({ ready: true, holdRamp: true, why: 'harm of 6' });
  t.equal(store.saved.length, saves + 2);
  await judged({ ready: true, holdRamp: true, why: 'harm of 7' });
  t.equal(store.saved.length, saves + 2, 'so with what holds it');
  t.match(s.rollouts.rollout('iris-api')?.hold, /harm of 7/, 'which is shown as it is');
  await s.pass(3);
  t.match(store.peek('iris-api')?.hold?.reason, /harm of 7/, 'and saved with the clock');
});
