import t from 'tap';
import type { AnalysisView, MetricView, RolloutView } from '../../src/admin/contract.ts';
import { decisionInMs, harmOf, nextOf, sentence } from '../../src/dashboard/logic/standing.ts';
import { GATES, rollout, steps, summaryOf } from '../support/dashboard/scenes.ts';

const verdict = (more: object) => ({ verdict: { ...rollout().verdict!, ...more } });

function analysis(more: Partial<MetricView>): AnalysisView {
  const metric: MetricView = {
    name: 'success-rate',
    provider: 'coalmine successRate',
    dryRun: false,
    phase: 'Running',
    message: '',
    successCondition: 'result >= 0.95',
    failureCondition: '',
    failureLimit: 2,
    successful: 0,
    failed: 0,
    inconclusive: 0,
    error: 0,
    noData: 0,
    last: null,
    ...more,
  };
  return { label: 'background', phase: 'Running', message: '', metrics: [metric] };
}

const last = (phase: 'Successful' | 'Failed') => ({ phase, value: '0.7', message: '', at: '' });
const unjudged = { verdict: null, gates: [] };

t.test('is it harming anyone', async (t) => {
  const table: readonly [string, Partial<RolloutView>, string, RegExp][] = [
    ['nothing new', { status: 'idle' }, 'calm', /Nothing new is out/],
    ['not yet', { status: 'starting' }, 'calm', /Nobody has it yet/],
    ['judged, undecided', {}, 'calm', /No sign of harm so far/],
    ['proven good', verdict({ state: 'PASS' }), 'good', /all gates pass/],
    ['proven bad', verdict({ state: 'FAIL' }), 'harm', /v2 does harm/],
    ['evidence grows', verdict({ holdRamp: true }), 'watch', /nobody more gets it/],
    ['not to be told', verdict({ state: 'ERROR' }), 'unknown', /Cannot be told/],
    ['a metric fails', { analyses: [analysis({ failed: 1, last: last('Failed') })] }, 'watch', /It may be/],
    [
      'a dry run fails',
      { analyses: [analysis({ failed: 1, last: last('Failed'), dryRun: true })] },
      'calm',
      /No sign/,
    ],
    [
      'metrics hold',
      { ...unjudged, analyses: [analysis({ successful: 3, last: last('Successful') })] },
      'calm',
      /No sign/,
    ],
    ['not measured', { ...unjudged, analyses: [analysis({ noData: 2 })] }, 'unknown', /Not measured yet/],
    ['nobody judges', unjudged, 'unknown', /Nothing judges it now/],
    ['late', { ...unjudged, phase: 'Degraded', message: 'no progress for 10m' }, 'watch', /does not get on/],
    [
      'taken back by itself',
      { status: 'aborted', message: 'metric x Failed' },
      'harm',
      /v2 failed, and was taken back/,
    ],
    [
      'taken back by hand',
      { status: 'aborted', message: 'aborted by hand: odd answers' },
      'watch',
      /by hand/,
    ],
    ['done', { status: 'completed' }, 'good', /v2 is the new version/],
    ['undone', { status: 'undone' }, 'calm', /was taken back/],
    ['blocked', { status: 'blocked', message: 'its state is damaged' }, 'unknown', /Cannot be told/],
  ];
  for (const [name, more, tone, head] of table) {
    const told = harmOf(rollout(more));
    t.equal(told.tone, tone, name);
    t.match(told.head, head, name);
  }
});

t.test('the list of services says the same, as far as it knows', async (t) => {
  t.match(harmOf(summaryOf(rollout())), { tone: 'calm' });
  t.match(harmOf(summaryOf(rollout(unjudged))), { tone: 'unknown', head: 'No gate has judged it' });
});

t.test('how far a failing metric is from the end', async (t) => {
  const { text } = harmOf(rollout({ analyses: [analysis({ failed: 2, last: last('Failed') })] }));
  t.equal(text, 'success-rate failed twice; 2 are forgiven.');
});

t.test('what happens next', async (t) => {
  const at = (index: number, texts?: readonly string[]) => ({ step: index, steps: steps(index, texts) });
  const table: readonly [string, Partial<RolloutView>, number | null, RegExp, RegExp][] = [
    ['a timed pause', {}, 12_000, /^$/, /^Then v2 gets 50 %\.$/],
    ['the last one', at(6), 3_000, /^$/, /^Then v2 gets 100 %\.$/],
    ['held', { hold: 'few samples' }, 0, /held/, /^Few samples\.$/],
    ['paused by hand', { userPaused: true }, null, /until someone resumes/, /by hand/],
    [
      'a pause without end',
      at(1, ['setWeight 5', 'pause', 'setWeight 50', 'pause 5s']),
      null,
      /Waits for a person/,
      /Promote goes on\. Then v2 gets 50 %\./,
    ],
    [
      'until evidence',
      at(1, ['setWeight 5', 'pause until evidence, at least 60s']),
      null,
      /gates have seen enough/,
      /^Waits: the failure rate/,
    ],
    ['a step', { ...at(0), phase: 'Progressing' }, null, /goes on/, /v2 gets 5 %/],
    [
      'a hook says no',
      { ...at(0), message: 'load-test says not yet' },
      null,
      /It waits/,
      /^Load-test says|^load-test says/,
    ],
    ['idle', { status: 'idle' }, null, /Nothing by itself/, /starts a rollout of v2/],
    ['aborted', { status: 'aborted' }, null, /Nothing by itself/, /retries/],
    ['completed', { status: 'completed' }, null, /it is done/, /stable version/],
    ['blocked', { status: 'blocked' }, null, /blocked/, /v1 serves everyone/],
  ];
  for (const [name, more, leftMs, head, text] of table) {
    const told = nextOf(rollout(more), leftMs);
    t.match(told.head, head, name);
    t.match(told.text, text, name);
  }
});

t.test('when the gates will have decided', async (t) => {
  t.equal(decisionInMs(rollout()), null, 'one of them is not foreseeable');
  t.equal(decisionInMs(rollout({ gates: GATES.slice(0, 2) })), 72_000);
  t.equal(decisionInMs(rollout({ gates: [] })), null);
});

t.test('sentences keep the letters of names', async (t) => {
  t.equal(sentence('paused by hand'), 'Paused by hand.');
  t.equal(sentence('v2 serves everyone'), 'v2 serves everyone.');
  t.equal(sentence('success-rate has failed'), 'success-rate has failed.');
  t.equal(sentence('ranked wins', ['ranked']), 'ranked wins.');
  t.equal(sentence('is it? '), 'Is it?');
  t.equal(sentence(''), '');
});
