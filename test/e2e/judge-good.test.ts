import t from 'tap';
import { failedGates, RUNS, requestsOf, rolloutWith, shadowedRollout } from '../support/judged.ts';

for (let run = 1; run <= RUNS; run++) {
  t.test(`a good version is promoted on evidence (run ${run})`, async (t) => {
    const { end } = await rolloutWith(t, 'good');
    t.equal(end.status, 'completed', end.message);
  });

  t.test(`a mistrained model is caught in the shadow alone (run ${run})`, async (t) => {
    const { product, end } = await shadowedRollout(t);
    t.equal(end.status, 'aborted', end.message);
    t.strictSame(failedGates(end), ['agreement']);
    t.equal(await requestsOf(product, 'v2'), 0, 'no user ever saw it');
  });
}
