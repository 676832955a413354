import t from 'tap';
import {
  answerAsk,
  GATE_ASKS,
  type ReportFacts,
  reportOf,
  type VerdictReport,
} from '../../../src/control/judge/report.ts';
import { judgedView } from '../../../src/control/judge/view.ts';
import type { GateState, Verdict } from '../../../src/core/judge/gates.ts';
import { serviceJudge, verdict } from './support.ts';

const STATES: readonly GateState[] = ['PASS', 'CONTINUE', 'FAIL', 'ERROR'];
const STATUSES = ['idle', 'starting', 'stepping', 'completed', 'aborted', 'undone', 'blocked'] as const;

function report(told: Verdict | null, changes: Partial<ReportFacts> = {}): VerdictReport {
  return reportOf({
    service: 'iris-api',
    canary: 'v2',
    judge: serviceJudge({ revisions: { v2: '2.1.0' } }),
    rollout: null,
    judged: judgedView(told),
    revision: null,
    ...changes,
  });
}

function judged(state: GateState, ready = false): Verdict {
  const { advance } = verdict();
  return verdict({ state, text: `it is ${state}`, advance: { ...advance, ready, why: 'so it is' } });
}

function rollout(status: (typeof STATUSES)[number], left = 0): ReportFacts['rollout'] {
  const steps = Array.from({ length: 2 + left }, () => ({ text: 'a step', state: 'pending' }) as const);
  return { number: 4, status, message: `it is ${status}`, step: status === 'stepping' ? 1 : null, steps };
}

t.test('a state is one word, while the rollout is under way or there is none', async (t) => {
  const words = STATES.map((state) => report(judged(state)).result);
  t.strictSame(words, ['pass', 'continue', 'fail', 'error']);
  for (const state of STATES) {
    const own = report(judged(state), { rollout: rollout('stepping') });
    t.match(own, { result: state.toLowerCase(), text: `it is ${state}`, number: 4, status: 'stepping' });
  }
});

t.test('what the rollout came to goes before what its gates said', async (t) => {
  const table = STATUSES.map((status) => [
    status,
    ...STATES.map((state) => report(judged(state), { rollout: rollout(status) }).result),
  ]);
  t.strictSame(table, [
    ['idle', 'none', 'none', 'none', 'none'],
    ['starting', 'none', 'none', 'none', 'none'],
    ['stepping', 'pass', 'continue', 'fail', 'error'],
    ['completed', 'pass', 'continue', 'fail', 'error'],
    ['aborted', 'fail', 'fail', 'fail', 'fail'],
    ['undone', 'fail', 'fail', 'fail', 'fail'],
    ['blocked', 'error', 'error', 'error', 'error'],
  ]);
});

t.test('what was not judged is none', async (t) => {
  const gateless = serviceJudge({}, []);
  t.match(report(null), { result: 'none', text: /was judged yet/, verdict: null, gates: [] });
  t.match(report(null, { judge: null }), { result: 'none', text: /has no gates/ });
  t.match(report(null, { judge: gateless }), { result: 'none', text: /has no gates/ });
  t.match(report(judged('PASS'), { canary: null }), { canary: null, revision: null });
});

t.test('a question about another revision finds no answer, whatever the one before it came to', async (t) => {
  for (const status of STATUSES) {
    const own = report(judged('PASS'), { rollout: rollout(status), revision: '2.2.0' });
    t.match(own, { result: 'none', revision: '2.1.0', text: /2\.1\.0, not 2\.2\.0/ }, status);
    for (const ask of GATE_ASKS) t.notOk(answerAsk(own, ask).yes, `${status} ${ask}`);
  }
  t.equal(report(judged('PASS'), { revision: '2.1.0' }).result, 'pass');
  t.match(report(judged('PASS'), { judge: serviceJudge(), revision: '2.1.0' }), {
    result: 'none',
    text: /not in the config/,
  });
});

t.test('what is answered to which question', async (t) => {
  const yes = (state: GateState, ready: boolean, status: (typeof STATUSES)[number] | null) => {
    const own = report(judged(state, ready), { rollout: status === null ? null : rollout(status) });
    return GATE_ASKS.filter((ask) => answerAsk(own, ask).yes).join(' ');
  };
  for (const status of [null, 'stepping'] as const) {
    t.equal(yes('PASS', true, status), 'advance promote');
    t.equal(yes('CONTINUE', true, status), 'advance', 'enough for the next share, not for all');
    t.equal(yes('CONTINUE', false, status), '');
    t.equal(yes('PASS', false, status), 'promote');
    t.equal(yes('FAIL', true, status), 'rollback');
    t.equal(yes('ERROR', true, status), '', 'neither forward nor back');
  }
  t.equal(yes('PASS', false, 'completed'), 'advance promote');
  t.equal(yes('CONTINUE', true, 'completed'), '');
  t.equal(yes('PASS', true, 'aborted'), 'rollback');
  t.equal(yes('FAIL', true, 'blocked'), '');
  t.equal(yes('FAIL', true, 'idle'), '', 'of a rollout that is over');
  t.equal(yes('FAIL', true, 'undone'), '', 'nothing is to be taken back');
  const unjudged = report(null);
  for (const ask of GATE_ASKS) t.notOk(answerAsk(unjudged, ask).yes, ask);
});

t.test('an answer says why', async (t) => {
  const own = report(judged('CONTINUE'));
  t.equal(answerAsk(own, 'advance').why, 'so it is');
  t.equal(answerAsk(own, 'promote').why, 'it is CONTINUE');
  t.equal(answerAsk(own, 'rollback').why, 'it is CONTINUE');
  t.match(answerAsk(report(null), 'advance').why, /was judged yet/);
});

t.test('not everyone gets the canary before the steps are done', async (t) => {
  const own = (left: number) => report(judged('PASS', true), { rollout: rollout('stepping', left) });
  t.match([own(0), own(3)], [{ stepsLeft: 0 }, { stepsLeft: 3, result: 'pass' }]);
  t.ok(answerAsk(own(0), 'promote').yes);
  t.strictSame(answerAsk(own(3), 'promote'), {
    yes: false,
    why: '3 steps of the rollout are still to come; it is PASS',
  });
  t.ok(answerAsk(own(3), 'advance').yes);
  t.equal(report(judged('PASS'), { rollout: rollout('completed') }).stepsLeft, 0);
  t.equal(report(judged('PASS'), { rollout: rollout('aborted') }).stepsLeft, null);
  t.equal(report(judged('PASS')).stepsLeft, null);
});
