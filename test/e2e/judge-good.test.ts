import t from 'tap';
import { failedGates, RUNS, requestsOf, rolloutWith, shadowedRollout, tell } from '../support/judged.ts';

for (let run = 1; run <= RUNS; run++) {
  t.test(`a good version is promoted on evidence (run ${run})`, async (t) => {
    const played = await rolloutWith(t, 'good');
    const { end } = played;
    tell(t, 'good', played);
    t.equal(end.status, 'completed', end.message);
  });

  t.test(`a mistrained model is caught in the shadow alone (run ${run})`, async (t) => {
    const played = await shadowedRollout(t);
    const { product, end } = played;
    tell(t, 'shadow', played);
    t.equal(end.status, 'aborted', end.message);
    t.strictSame(failedGates(end), ['agreement']);
    t.equal(await requestsOf(product, 'v2'), 0, 'no user ever saw it');
  });
}
