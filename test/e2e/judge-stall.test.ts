import t from 'tap';
import { RUNS, stalledRollout } from '../support/judged.ts';

for (let run = 1; run <= RUNS; run++) {
  t.test(`a good version whose process stands still once is not taken back (run ${run})`, async (t) => {
    const { status, message, gates } = await stalledRollout(t);
    const text = gates.find(({ kind }) => kind === 'latency')?.text ?? '';
    t.comment(text);
    t.not(status, 'aborted', message);
    const [, burst] = /; ([\d,]+) of v2's came in (?:a burst|\d+ bursts), which/.exec(text) ?? [];
    t.ok(Number(burst) >= 8, text);
  });
}
