import { spawnSync } from 'node:child_process';
import t from 'tap';
import { ARM, PAIR } from '../../src/core/arms.ts';
import type { Tally } from '../../src/core/tally.ts';
import { ArmBook, countArm, countObservations, countPair, type OpenArms } from '../../src/tally/arms.ts';
import { ArmsLifetime } from '../../src/tally/arms-lifetime.ts';
import { createExposition } from '../../src/tally/exposition.ts';
import { beginMirror, endMirror, Recorder } from '../../src/tally/recorder.ts';
import { requireTool } from '../support/requireTool.ts';
import { mirror, split } from '../support/split.ts';
import { judgedOf, outcome, request, serviceOf } from './support.ts';

t.test('promtool finds nothing to say about the metrics', requireTool('promtool'), async (t) => {
  const recorder = new Recorder();
  const current = split([
    serviceOf('iris-api', ['v1', 'v2'], { mirror: mirror(1), judged: judgedOf() }),
    serviceOf('q"\\\n', ['v1']),
  ]);
  const [[v1, v2]] = current.services.map((service) => recorder.open(service)) as [[Tally, Tally]];
  request(v1);
  request(v1, { method: 'BREW', status: 503 });
  beginMirror(v2);
  endMirror(v2, outcome('ok'), 12);
  const book = new ArmBook();
  const arms = book.open(current.services[0]!) as OpenArms;
  countObservations(arms, 1, -1, [{ class: 'q"\\\n', confidence: 0.9, score: null }]);
  countArm(arms, 1, ARM.observed);
  countPair(arms, PAIR.agree);
  const exposition = createExposition({
    recorder,
    split: () => current,
    reloads: () => ({ ok: 1, failed: 1 }),
    answers: new ArmsLifetime(book),
    gates: () => [
      {
        app: 'iris-api',
        gate: 'successRate',
        state: 'FAIL',
        harm: 1.5,
        pass: 0,
        canary: { value: 0.1, low: 0.05, high: 0.2 },
        stable: { value: 0.01, low: 0.005, high: 0.02 },
        samples: { have: 212, need: 543 },
        decisionInS: 12.5,
      },
    ],
    verdicts: () => [{ app: 'iris-api', state: 'FAIL' }],
    rollouts: () => [{ app: 'iris-api', phase: 'Paused', step: '1', ended: new Map([['Promoted', 1]]) }],
  });
  const { status, stdout, stderr, error } = spawnSync('promtool', ['check', 'metrics'], {
    input: await exposition.render(false),
    encoding: 'utf8',
  });
  t.equal(error, undefined);
  t.equal(stdout + stderr, '', 'no complaint');
  t.equal(status, 0);
});
