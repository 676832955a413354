import t from 'tap';
import { armOf } from '../../../src/core/judge/evidence.ts';
import { judge } from '../../../src/core/judge/judge.ts';
import { contextOf, evidenceOf, planOf, SHIFT, sliceOf } from './stream.ts';

/** Answers that give a class and a score, as completions do: the finish reason and the tokens. */
function shiftOf(canaryA: number, canaryLow: number) {
  const arm = (n: number, a: number, low: number) =>
    armOf({
      requests: n,
      keys: n,
      classes: { a: n * a, b: n * (1 - a) },
      scores: [n * low, n * (1 - low)],
    });
  const slice = sliceOf(arm(50_000, canaryA, canaryLow), arm(950_000, 0.5, 0.5));
  const gate = judge(planOf(SHIFT), evidenceOf(slice), contextOf()).gates[0];
  return { state: gate?.state, value: gate?.canary?.value ?? 0, have: gate?.samples.have };
}

t.test('what differs is not watered down by what does not', async (t) => {
  for (const shifted of [shiftOf(0.35, 0.5), shiftOf(0.5, 0.35)]) {
    t.equal(shifted.state, 'FAIL', 'fifteen in a hundred');
    t.ok(Math.abs(shifted.value - 0.15) < 1e-9, `shown as ${shifted.value}`);
    t.equal(shifted.have, 50_000, 'an answer is one sample');
  }
  t.equal(shiftOf(0.5, 0.5).state, 'PASS');
  t.equal(shiftOf(0.45, 0.46).state, 'PASS', 'both within a tenth');
});
