import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import type { HistoryView, RolloutView } from '../../src/admin/contract.ts';
import { CrowdStats } from '../../src/demo/crowd-stats.ts';
import {
  fetchRollout,
  type HistoryPart,
  type Metric,
  type Rollout,
  type RolloutPart,
} from '../../src/demo/rollout.ts';
import { drawRollout, rolloutText } from '../../src/demo/rollout-lines.ts';
import { drawLine, drawTables, type Picture } from '../../src/demo/view.ts';

/** What the admin API gives is what the demo takes; tsc refuses this file where it is not. */
export const taken = (view: RolloutView, entry: HistoryView): [RolloutPart, HistoryPart] => [view, entry];

const TEXTS = [
  'setMirror 20',
  'setWeight 5',
  'pause 25s',
  'setWeight 25',
  'pause 25s',
  'setWeight 50',
  'pause 25s',
  'setWeight 100',
];

function rolloutAt(step: number | null, more: Partial<Rollout> = {}): Rollout {
  return {
    phase: 'Progressing',
    status: 'stepping',
    message: 'a sentence',
    weight: 25,
    step,
    steps: TEXTS.map((text, i) => ({
      text,
      state: step === null || i > step ? 'pending' : i === step ? 'current' : 'done',
    })),
    nextInMs: null,
    userPaused: false,
    hold: null,
    analyses: [],
    evidence: [],
    ...more,
  };
}

function metric(more: Partial<Metric> = {}): Metric {
  return {
    name: 'success-rate',
    successCondition: 'result >= 0.95',
    failureCondition: '',
    failureLimit: 2,
    successful: 3,
    failed: 1,
    error: 0,
    noData: 4,
    last: { phase: 'Successful', value: '0.9876543209876543', message: '' },
    ...more,
  };
}

const withMetrics = (...metrics: Metric[]) => ({ analyses: [{ label: 'background', metrics }] });

const textsOf = (rollout: Rollout) => drawRollout(rollout).map(({ text }) => text);

const STATES: readonly (readonly [name: string, rollout: Rollout, lines: readonly string[], line: string])[] =
  [
    [
      'a step is being taken',
      rolloutAt(3),
      ['  rollout         ◌ Progressing at 25 %', '  step 4 of 8     ✔✔✔▶····  setWeight 25'],
      'rollout: Progressing 25 % step 4/8',
    ],
    [
      'a timed pause',
      rolloutAt(4, { phase: 'Paused', nextInMs: 11_001 }),
      ['  rollout         ‖ Paused at 25 %, next step in 12 s', '  step 5 of 8     ✔✔✔✔▶···  pause 25s'],
      'rollout: Paused 25 % step 5/8',
    ],
    [
      'a pause without an end says whom it waits for',
      rolloutAt(4, { phase: 'Paused', message: 'paused until someone promotes' }),
      [
        '  rollout         ‖ Paused at 25 %',
        '  step 5 of 8     ✔✔✔✔▶···  pause 25s',
        '  because         paused until someone promotes',
      ],
      'rollout: Paused 25 % step 5/8',
    ],
    [
      'paused by hand',
      rolloutAt(4, { phase: 'Paused', userPaused: true, message: 'paused by hand' }),
      [
        '  rollout         ‖ Paused (by hand) at 25 %',
        '  step 5 of 8     ✔✔✔✔▶···  pause 25s',
        '  because         paused by hand',
      ],
      'rollout: Paused (by hand) 25 % step 5/8',
    ],
    [
      'held for want of data, and the pause is not over either',
      rolloutAt(2, { weight: 5, nextInMs: 20_000, hold: 'success-rate has no data: 12 of 20 samples' }),
      [
        '  rollout         ◌ Progressing at 5 %, next step in 20 s',
        '  step 3 of 8     ✔✔▶·····  pause 25s',
        '  held            success-rate has no data: 12 of 20 samples',
      ],
      'rollout: Progressing 5 % step 3/8 held',
    ],
    [
      'held beyond the end of the pause: no time is promised',
      rolloutAt(2, { weight: 5, nextInMs: 0, hold: 'no data' }),
      [
        '  rollout         ◌ Progressing at 5 %',
        '  step 3 of 8     ✔✔▶·····  pause 25s',
        '  held            no data',
      ],
      'rollout: Progressing 5 % step 3/8 held',
    ],
    [
      'done',
      rolloutAt(null, {
        phase: 'Healthy',
        status: 'completed',
        weight: 100,
        message: 'v2 serves everyone (Promoted)',
      }),
      ['  rollout         ✔ Healthy at 100 %', '  because         v2 serves everyone (Promoted)'],
      'rollout: Healthy 100 %',
    ],
    [
      'taken back: the cause and the measurements that led to it, worst first, with their digits cut',
      rolloutAt(null, {
        phase: 'Degraded',
        status: 'aborted',
        weight: 0,
        message: 'success-rate Failed: failed (3) > failureLimit (2)',
        evidence: [
          'a: Successful; values 1',
          'success-rate: Failed; values 0.5714285714285714 0.6',
          'c: Failed',
        ],
      }),
      [
        '  rollout         ✖ Degraded at 0 %',
        '  because         success-rate Failed: failed (3) > failureLimit (2)',
        '                  success-rate: Failed; values 0.571 0.6',
        '                  c: Failed',
      ],
      'rollout: Degraded 0 %',
    ],
  ];

for (const [name, rollout, lines, line] of STATES) {
  t.test(`a rollout: ${name}`, (t) => {
    t.same(textsOf(rollout), ['', ...lines]);
    t.equal(rolloutText(rollout), line);
    t.end();
  });
}

t.test('the phase stands out', (t) => {
  const toneOf = (more: Partial<Rollout>) => drawRollout(rolloutAt(null, more))[1]!.tone;
  t.equal(toneOf({ phase: 'Healthy' }), 'good');
  t.equal(toneOf({ phase: 'Degraded' }), 'bad');
  t.equal(toneOf({ phase: 'Progressing' }), 'bold');
  t.end();
});

const MEASUREMENTS: readonly (readonly [
  name: string,
  metric: Metric,
  cells: readonly string[],
  tone: string,
])[] = [
  ['a success', metric(), ['✔ success-rate', '0.988', 'result >= 0.95', '3', '1, max 2', '4'], 'plain'],
  [
    'a failure',
    metric({ last: { phase: 'Failed', value: '0.5', message: '' }, failed: 2 }),
    ['✖ success-rate', '0.5', 'result >= 0.95', '3', '2, max 2', '4'],
    'bad',
  ],
  [
    'too little data, though there is a value',
    metric({ last: { phase: 'NoData', value: '1', message: '3 of 20 samples' } }),
    ['∅ success-rate', 'no data', 'result >= 0.95', '3', '1, max 2', '4'],
    'dim',
  ],
  [
    'an error, which has no value',
    metric({ last: { phase: 'Error', value: '', message: 'refused' }, failureLimit: -1 }),
    ['⚠ success-rate', 'error', 'result >= 0.95', '3', '1', '4'],
    'bad',
  ],
  [
    'nothing yet, with a condition for failure',
    metric({ last: null, successCondition: '', failureCondition: 'result > 100' }),
    ['· success-rate', '-', 'result > 100', '3', '1, max 2', '4'],
    'dim',
  ],
];

for (const [name, measured, cells, tone] of MEASUREMENTS) {
  t.test(`a measurement: ${name}`, (t) => {
    const row = drawRollout(rolloutAt(2, withMetrics(measured))).at(-1)!;
    t.same(row.text.trim().split(/\s{2,}/), cells);
    t.equal(row.tone, tone);
    t.end();
  });
}

const LONG = Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ');

function pictureOf(rollout: Rollout | null): Picture {
  const stats = new CrowdStats();
  const answer = { prediction: 'setosa', confidence: 0.9, right: true } as const;
  for (const version of ['v1', 'v2']) stats.record({ version, status: 200, durationMs: 2, answer }, 1000);
  const roles = new Map([['v1', 'stable']]);
  return { elapsedMs: 1000, reports: stats.report(1000), heldBack: 0, roles, mirror: null, rollout };
}

t.test('the whole picture fits into a terminal of 80 by 24, whatever is told', (t) => {
  const most = [
    rolloutAt(2, { hold: LONG, ...withMetrics(metric({ name: 'x'.repeat(60) }), metric()) }),
    rolloutAt(null, { phase: 'Degraded', status: 'aborted', message: LONG, evidence: [LONG, LONG, LONG] }),
    rolloutAt(2, { hold: LONG.replaceAll(' ', '') }),
  ];
  for (const rollout of most) {
    const lines = drawTables(pictureOf(rollout)).map(({ text }) => text);
    t.ok(lines.length < 24, `${lines.length} lines`);
    const widest = Math.max(...lines.map((line) => line.length));
    t.ok(widest < 80, `${widest} columns`);
  }
  t.end();
});

t.test('without a rollout nothing of it is drawn', (t) => {
  t.same(drawRollout(null), []);
  t.notMatch(
    drawTables(pictureOf(null))
      .map(({ text }) => text)
      .join('\n'),
    /rollout/,
  );
  t.match(drawLine(pictureOf(null)), /^00:01 {2}v1: 1 /);
  t.match(
    drawLine(pictureOf(rolloutAt(3))),
    /^00:01 {2}rollout: Progressing 25 % step 4\/8 {2}\| {2}v1: 1 .* {2}\| {2}v2: 1 /,
  );
  t.end();
});

t.test('it is asked for over HTTP: with the evidence of an abort, null where there is none', async (t) => {
  let answers: Record<string, unknown> = {};
  const server = createServer(({ url }, response) => {
    const body = answers[url ?? ''];
    response.writeHead(body === undefined ? 404 : 200).end(JSON.stringify(body ?? { error: 'no_rollout' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const admin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = (before: Rollout | null) => fetchRollout(admin, 'iris-api', before);
  const { evidence: _, ...part } = rolloutAt(2);

  t.equal(await ask(rolloutAt(1)), null, 'the service has none any more');
  answers = { '/api/v1/rollouts/iris-api': part };
  t.same(await ask(null), { ...part, evidence: [] });
  answers = {
    '/api/v1/rollouts/iris-api': { ...part, status: 'aborted' },
    '/api/v1/rollouts/iris-api/history': {
      history: [
        { kind: 'aborted', evidence: ['an earlier one'] },
        { kind: 'aborted', evidence: ['success-rate: Failed'] },
        { kind: 'other', evidence: [] },
      ],
    },
  };
  t.same((await ask(null))?.evidence, ['success-rate: Failed']);
  server.close();
  server.closeAllConnections();
  const before = rolloutAt(2);
  t.equal(await ask(before), before, 'the last picture stays while nobody answers');
});
