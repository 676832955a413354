import t from 'tap';
import { ask, failedGates, RUNS, requestsOf, rolloutWith } from '../support/judged.ts';

for (let run = 1; run <= RUNS; run++) {
  t.test(`errors at 5 %: taken back by the gate that should see it (run ${run})`, async (t) => {
    const { product, end } = await rolloutWith(t, 'errors');
    t.equal(end.status, 'aborted', end.message);
    t.ok(
      failedGates(end).some((gate) => ['successRate'].includes(gate)),
      failedGates(end).join(),
    );
    t.match(end.message, /v2/, 'in plain words');
    t.comment(`${await requestsOf(product, 'v2')} requests at v2 in all`);
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(product)));
    t.strictSame(new Set(answers), new Set(['v1']), 'stable serves all');
  });
}

for (let run = 1; run <= RUNS; run++) {
  t.test(`slow at 5 %: taken back by the gate that should see it (run ${run})`, async (t) => {
    const { product, end } = await rolloutWith(t, 'slow');
    t.equal(end.status, 'aborted', end.message);
    t.ok(
      failedGates(end).some((gate) => ['latency'].includes(gate)),
      failedGates(end).join(),
    );
    t.match(end.message, /v2/, 'in plain words');
    t.comment(`${await requestsOf(product, 'v2')} requests at v2 in all`);
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(product)));
    t.strictSame(new Set(answers), new Set(['v1']), 'stable serves all');
  });
}
