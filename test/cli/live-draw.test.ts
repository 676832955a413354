import t from 'tap';
import { changeKey, drawRollout, measuredText, summaryText } from '../../src/cli/live-draw.ts';
import { paint } from '../../src/cli/live-line.ts';
import type { AnalysisView, MetricView, RolloutView, VersionTraffic } from '../../src/control/api.ts';
import { historyView, rolloutView } from '../control/support.ts';

function traffic(changes: Partial<VersionTraffic> = {}): VersionTraffic {
  return {
    name: 'v1',
    role: 'stable',
    weight: 95,
    windowMs: 60_000,
    requests: 2280,
    ratePerS: 38,
    errorShare: 0,
    p50Ms: 12.04,
    p99Ms: 145.2,
    ...changes,
  };
}

function metric(changes: Partial<MetricView> = {}): MetricView {
  return {
    name: 'success-rate',
    provider: 'prometheus',
    dryRun: false,
    phase: 'Running',
    message: '',
    successCondition: 'result[0] >= 0.99',
    failureCondition: '',
    failureLimit: 3,
    successful: 4,
    failed: 1,
    inconclusive: 0,
    error: 0,
    noData: 2,
    last: { phase: 'Successful', value: '[0.9987]', message: '', at: '2026-01-02T03:08:05.000Z' },
    ...changes,
  };
}

function run(changes: Partial<AnalysisView> = {}): AnalysisView {
  return { label: 'background', phase: 'Running', message: '', metrics: [metric()], ...changes };
}

function text(changes: Partial<RolloutView> = {}): string {
  return drawRollout(rolloutView(changes), [])
    .map((line) => `${line.text}\n`)
    .join('');
}

t.test('a pause between two steps, whole', async (t) => {
  const view = rolloutView({
    versions: [
      traffic(),
      traffic({ name: 'v2', role: 'canary', weight: 5, ratePerS: 2, errorShare: 0.0125, p50Ms: 9 }),
      traffic({
        name: 'v3',
        role: 'other',
        weight: 0,
        ratePerS: 0,
        errorShare: null,
        p50Ms: null,
        p99Ms: null,
      }),
    ],
    analyses: [run()],
  });
  const history = [historyView(), historyView({ kind: 'resumed', actor: 'cli:ann', cause: 'by hand' })];
  t.equal(
    drawRollout(view, history)
      .map((line) => line.text)
      .join('\n'),
    `\
Rollout:   iris-api 3, began 2026-01-02 03:04:05Z
Status:    ‖ Paused
Message:   step 2 pauses for 5m
Versions:  v1 stable, v2 canary
Weight:    5 %
Step:      2/3
Next step: 3m12s

Steps
  ✔  1  setWeight 5
  ▶  2  pause 5m  (3m12s left)
  ·  3  setWeight 100

Traffic of the last 1m
  VERSION  ROLE    WEIGHT    RATE     5XX      P50     P99
  v1       stable    95 %  38.0/s  0.00 %  12.0 ms  145 ms
  v2       canary     5 %   2.0/s  1.25 %   9.0 ms  145 ms
  v3       other      0 %   0.0/s       -        -       -

Analysis background  ◌ Running
  METRIC          LAST        AT        OK  FAILED  UNCLEAR  ERRORS  NO DATA
  ◌ success-rate  [0.9987] ✔  03:08:05   4     1/3        0       0        2
      ok if result[0] >= 0.99, from prometheus

History
  2026-01-02 03:04:05Z  started  coalmine  v2 is new
  2026-01-02 03:04:05Z  resumed  cli:ann   by hand`,
  );
});

t.test('what each state shows of itself', async (t) => {
  const done = rolloutView().steps.map((step) => ({ ...step, state: 'done' as const }));
  const pending = rolloutView().steps.map((step) => ({ ...step, state: 'pending' as const }));
  const outside = { step: null, nextInMs: null, steps: pending };
  const table: readonly (readonly [string, Partial<RolloutView>, readonly RegExp[], RegExp | null])[] = [
    [
      'idle',
      { ...outside, status: 'idle', phase: 'Healthy', number: 0, began: null, weight: 0, message: '' },
      [/^Rollout: {3}iris-api, none begun yet$/m, /✔ Healthy \(idle\)/, /^Weight: {4}0 %$/m],
      /▶|began|Message|Next step|^Step:/m,
    ],
    [
      'starting',
      { ...outside, status: 'starting', phase: 'Progressing', message: 'asks whether it may start' },
      [/◌ Progressing \(starting\)/, /Message: {3}asks whether it may start/],
      /▶/,
    ],
    [
      'stepping',
      { phase: 'Progressing', nextInMs: null },
      [/^Status: {4}◌ Progressing$/m, /▶ {2}2 {2}pause 5m$/m],
      /left\)/,
    ],
    ['paused by hand', { userPaused: true, nextInMs: null }, [/‖ Paused \(by hand\)/], /Next step/],
    ['held', { phase: 'Progressing', hold: 'no data from success-rate' }, [/^Held: {6}no data from/m], null],
    [
      'waiting for the promotion',
      { phase: 'Progressing', step: 3, steps: done, nextInMs: null },
      [/^Step: {6}3\/3, done$/m],
      /▶/,
    ],
    [
      'aborted',
      { ...outside, status: 'aborted', phase: 'Degraded', weight: 0, message: 'success-rate failed' },
      [/✖ Degraded \(aborted\)/, /success-rate failed/, /^Weight: {4}0 %$/m],
      /▶/,
    ],
    [
      'completed',
      { ...outside, status: 'completed', phase: 'Healthy', weight: 100, steps: done },
      [/✔ Healthy \(completed\)/, /^Weight: {4}100 %$/m],
      /▶|·/,
    ],
    ['undone', { ...outside, status: 'undone', phase: 'Healthy', weight: 0 }, [/✔ Healthy \(undone\)/], /▶/],
    [
      'blocked',
      { ...outside, status: 'blocked', phase: 'Degraded', steps: [], message: 'iris-api.json is damaged' },
      [/✖ Degraded \(blocked\)/, /iris-api\.json is damaged/],
      /Steps|▶/,
    ],
    [
      'scopes',
      { scope: 'region eu-west', scopes: [{ label: 'cohort internal', weight: 100 }] },
      [/^Weight: {4}5 % of region eu-west\n {11}100 % of cohort internal$/m],
      null,
    ],
    [
      'a scope among those that were begun',
      { scope: 'region eu-west', scopes: [{ label: 'region eu-west', weight: 5 }] },
      [/5 % of region eu-west\nStep/],
      null,
    ],
    ['a hold that is the message', { message: 'held: no data', hold: 'no data' }, [/Message/], /^Held/m],
    ['scaled time', { timeScale: 60 }, [/^Clock: {5}runs 60 times as fast/m], null],
  ];
  for (const [name, changes, there, absent] of table) {
    const drawn = text(changes);
    for (const pattern of there) t.match(drawn, pattern, name);
    if (absent !== null) t.notMatch(drawn, absent, name);
  }
  t.notMatch(text(), /Clock|Held|Analysis|Traffic|History/, 'nothing to tell, nothing told');
});

t.test('analyses in all their phases', async (t) => {
  const last = { phase: 'Failed', value: '0.42', message: '', at: '2026-01-02T03:08:05.000Z' } as const;
  const table: readonly (readonly [Partial<MetricView>, RegExp])[] = [
    [{ phase: 'Pending', last: null, successful: 0, failed: 0 }, /· success-rate {2}- +- +0 +0\/3/],
    [{ last }, /◌ success-rate {2}0\.42 ✖ {2}03:08:05/],
    [
      { last: { ...last, phase: 'NoData', value: '', message: '41 of 100 samples' } },
      /no data .*\n.*\n {6}41 of 100/,
    ],
    [
      { last: { ...last, phase: 'Error', value: '', message: 'HTTP 422' } },
      /Error {2}03:08:05.*\n.*\n {6}HTTP 422/,
    ],
    [{ last: { ...last, value: 'x'.repeat(99) } }, / x{23}… ✖ /],
    [
      { phase: 'Failed', message: '4 failed, 3 at most', failed: 4 },
      /✖ success-rate.* 4\/3 [\s\S]*\n {6}4 failed, 3/,
    ],
    [{ phase: 'Inconclusive' }, /\? success-rate/],
    [{ phase: 'Error' }, /⚠ success-rate/],
    [{ phase: 'Successful' }, /✔ success-rate/],
    [{ failureLimit: -1, failed: 7 }, / 4 +7 +0 +0 +2\n/],
    [{ dryRun: true }, /success-rate \(dry run\)/],
    [
      { successCondition: '', failureCondition: 'result > 200' },
      /^ {6}failed if result > 200, from prometheus$/m,
    ],
    [{ failureCondition: 'isNaN(result)' }, /ok if result\[0\] >= 0\.99, failed if isNaN\(result\), from/],
    [{ successCondition: '' }, /^ {6}from prometheus$/m],
  ];
  for (const [changes, pattern] of table) {
    t.match(text({ analyses: [run({ metrics: [metric(changes)] })] }), pattern, JSON.stringify(changes));
  }
  t.match(
    text({
      analyses: [run({ label: 'step 2', phase: 'Failed', message: 'success-rate failed', metrics: [] })],
    }),
    /^Analysis step 2 {2}✖ Failed: success-rate failed\n$/m,
  );
});

t.test('tones tell good from bad', async (t) => {
  const tones = (changes: Partial<RolloutView>, start: string) =>
    drawRollout(rolloutView(changes), []).find(({ text }) => text.trim().startsWith(start))?.tone;
  t.equal(tones({ phase: 'Degraded' }, 'Status'), 'bad');
  t.equal(tones({ phase: 'Healthy' }, 'Status'), 'good');
  t.equal(tones({ phase: 'Paused' }, 'Status'), 'warn');
  t.equal(tones({ hold: 'x' }, 'Held'), 'warn');
  t.equal(tones({}, '▶'), 'bold');
  t.equal(tones({ versions: [traffic({ errorShare: 0.1 })] }, 'v1'), 'bad');
  t.equal(tones({ versions: [traffic()] }, 'v1'), 'plain');
  const failing = metric({ last: { phase: 'Failed', value: '0', message: '', at: '' } });
  t.equal(tones({ analyses: [run({ metrics: [failing] })] }, '◌ success-rate'), 'bad');
  t.equal(tones({ analyses: [run()] }, '◌ success-rate'), 'plain');
});

t.test('what others wrote moves no cursor', async (t) => {
  const evil = 'a\x1b[2Jb\nc\u009b1md\u202ee';
  const lines = drawRollout(
    rolloutView({
      message: evil,
      hold: evil,
      steps: [{ text: evil, state: 'current' }],
      analyses: [run({ message: evil, metrics: [metric({ name: evil, message: evil })] })],
      versions: [traffic({ name: evil })],
    }),
    [historyView({ actor: evil, cause: evil })],
  );
  for (const { text } of lines) t.notMatch(text, /[\p{Cc}\p{Bidi_Control}]/u, JSON.stringify(text));
  t.match(lines.map(({ text }) => text).join('\n'), /a \[2Jb c 1md e/);
});

t.test('a line is cut to the width and coloured only where wanted', async (t) => {
  const line = { text: 'abcdefghij', tone: 'bad' } as const;
  t.equal(paint(line, 80, false), 'abcdefghij');
  t.equal(paint(line, 80, true), '\x1b[31mabcdefghij\x1b[0m');
  t.equal(paint(line, 11, false), 'abcdefghij');
  t.equal(paint(line, 10, false), 'abcdefgh…');
  t.equal(paint({ ...line, text: '😀😀😀' }, 3, false), '😀…', 'no letter is cut in two');
  t.equal(paint(line, 0, false), '');
  t.equal(paint({ text: '', tone: 'bad' }, 80, true), '');
});

t.test('one line of it', async (t) => {
  t.equal(summaryText(rolloutView()), 'Paused, step 2/3, weight 5 %: step 2 pauses for 5m');
  t.equal(
    summaryText(rolloutView({ step: null, status: 'aborted', phase: 'Degraded', weight: 0, message: '' })),
    'Degraded (aborted), weight 0 %',
  );
  t.equal(
    summaryText(rolloutView({ scope: 'region eu', message: '' })),
    'Paused, step 2/3, weight 5 % of region eu',
  );
  t.match(summaryText(rolloutView({ hold: 'no data' })), /pauses for 5m; held: no data$/);
  t.match(summaryText(rolloutView({ hold: 'no data', message: 'held: no data' })), /%: held: no data$/);
  t.equal(measuredText(rolloutView()), '');
  t.equal(measuredText(rolloutView({ analyses: [run()] })), 'success-rate [0.9987] Successful');
});

t.test('what is a change and what is none', async (t) => {
  const base = rolloutView({ analyses: [run()], versions: [traffic()] });
  const same: readonly Partial<RolloutView>[] = [
    { nextInMs: 3 },
    { versions: [traffic({ ratePerS: 1 })] },
    { message: 'step 2 pauses for 4m' },
  ];
  for (const changes of same) t.equal(changeKey({ ...base, ...changes }), changeKey(base));
  const later = { phase: 'Failed', value: '0', message: '', at: '2026-01-02T03:09:05.000Z' } as const;
  const other: readonly Partial<RolloutView>[] = [
    { number: 4 },
    { phase: 'Progressing' },
    { status: 'aborted' },
    { step: 2 },
    { weight: 6 },
    { scope: 'x' },
    { userPaused: true },
    { hold: 'no data' },
    { message: 'waits for resume' },
    { analyses: [run({ phase: 'Failed' })] },
    { analyses: [run({ metrics: [metric({ last: later })] })] },
  ];
  for (const changes of other) {
    t.not(changeKey({ ...base, ...changes }), changeKey(base), JSON.stringify(changes));
  }
});
