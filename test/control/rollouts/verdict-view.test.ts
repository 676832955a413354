import t from 'tap';
import type { Verdict } from '../../../src/core/judge/gates.ts';
import { pause, weight } from '../../core/rollout/walk.ts';
import { gate, verdict } from '../judge/support.ts';
import { irisPlan, scene } from './scene.ts';

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
