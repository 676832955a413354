import t from 'tap';
import { changeKey, drawRollout, measuredText } from '../../src/cli/live-draw.ts';
import { drawGates } from '../../src/cli/live-gates.ts';
import { wrap } from '../../src/cli/live-line.ts';
import { judgedView } from '../../src/control/judge/view.ts';
import type { GateVerdict, Verdict } from '../../src/core/judge/gates.ts';
import { gate, verdict } from '../control/judge/support.ts';
import { rolloutView } from '../control/support.ts';

const SLOW = gate({
  name: 'latency',
  kind: 'latency',
  state: 'PASS',
  unit: 'ms',
  canary: { value: 131, low: 100, high: 200, n: 1_212 },
  stable: { value: 145, low: 100, high: 150, n: 14_031 },
  harm: { logE: Math.log(0.32), needed: Math.log(202) },
  pass: { logE: Math.log(134), needed: Math.log(100) },
  samples: { have: 1_212, need: 1_212 },
  etaMs: 0,
});

function draw(changes: Partial<Verdict>) {
  const { verdict: shown, gates } = judgedView(verdict(changes));
  return drawGates(shown, gates);
}

const text = (changes: Partial<Verdict>) =>
  draw(changes)
    .map((one) => `${one.text}\n`)
    .join('');

const one = (changes: Partial<GateVerdict>, rest: Partial<Verdict> = {}) =>
  text({ gates: [gate(changes)], ...rest });

t.test('gates on their way, whole', async (t) => {
  t.equal(
    text({ gates: [gate(), SLOW] }),
    `
Gates  ◌ CONTINUE, evidence of harm 1.2 of 101
  Next step waits: successRate needs 146 more first requests, about 3 min at
  this traffic
  ◌ successRate  CONTINUE  failures, 212 of 358 samples, about 3 min left
    canary  0.47 %  0.02 % to 4.1 %   harm  [#---------]  2.1 of 202
    stable  0.22 %  0.1 % to 0.41 %   pass  [#####-----]  11 of 100
  ✔ latency      PASS      1,212 samples
    canary  131 ms  100 ms to 200 ms  harm  [----------]  0.32 of 202
    stable  145 ms  100 ms to 150 ms  pass  [##########]  134 of 100
`,
  );
});

t.test('what each state shows of itself', async (t) => {
  const failed = {
    state: 'FAIL',
    M: 311,
    text: 'v2 failed 14 of 212 first requests (6.6 %), v1 9 of 4,031 (0.2 %); evidence 311 against the 100 needed.',
  } as const;
  const table: readonly (readonly [string, string, readonly RegExp[], RegExp | null])[] = [
    [
      'a rollback in plain words',
      one({ state: 'FAIL', harm: { logE: Math.log(311), needed: Math.log(100) } }, failed),
      [
        /^Gates {2}✖ FAIL, evidence of harm 311 of 101$/m,
        /^ {2}v2 failed 14 of 212 .*\n {2}.* the 100 needed\.$/m,
        /^ {2}✖ successRate {2}FAIL {2}failures, 212 samples$/m,
        /harm {2}\[##########\] {2}311 of 100$/m,
      ],
      /Next step/,
    ],
    [
      'a gate that another one was quicker than',
      one({}, { ...failed, gates: [gate(), gate({ name: 'latency', state: 'FAIL' })] }),
      [/^ {2}◌ successRate {2}CONTINUE {2}failures, 212 samples$/m],
      /left/,
    ],
    [
      'what forbids any verdict',
      one(
        { state: 'ERROR', samples: { have: 0, need: null } },
        { state: 'ERROR', text: 'Held: no requests.' },
      ),
      [/⚠ ERROR,/, /^ {2}Held: no requests\.$/m, /⚠ successRate {2}ERROR {2}failures, 0 samples$/m],
      /Next step/,
    ],
    [
      'ready to go on',
      one({}, { advance: { toleratedRate: 0.02, ready: true, why: 'no evidence of harm' } }),
      [/^ {2}Next step: nothing against it, no evidence of harm$/m],
      /waits/,
    ],
    [
      'a decision that cannot be foreseen',
      one({ samples: { have: 212, need: null }, etaMs: null }),
      [/212 samples, no decision in sight$/m],
      /left/,
    ],
    ['no traffic', one({ etaMs: null }), [/212 of 358 samples, none coming in$/m], /left/],
    ['both beyond the threshold', one({ environment: true }), [/; stable is beyond it too$/m], null],
    [
      'enough, and yet no decision',
      one({ samples: { have: 400, need: 400 }, etaMs: 0 }),
      [/failures, 400 samples$/m],
      /left/,
    ],
    [
      'nothing to compare with',
      one({ unit: 'disagreements', stable: null }),
      [/^ {4}stable {7}- .* pass/m, /differing, 212 of/],
      null,
    ],
    [
      'a mean and a number that is none',
      one({ unit: 'mean', canary: { value: 0.70312, low: Number.NaN, high: 0.75, n: 9 } }),
      [/canary {2}0\.703 {2}\? to 0\.75 /],
      /failures/,
    ],
    [
      'evidence that no number can say',
      one({ harm: { logE: 2_302.585, needed: Math.log(100) } }),
      [/\[##########\] {2}10\^\d{3} of 100/],
      /null|NaN|Infinity/,
    ],
    [
      'not quite enough',
      one({ pass: { logE: Math.log(99), needed: Math.log(100) } }),
      [/\[#########-\]/],
      null,
    ],
    ['evidence for the opposite', one({ harm: { logE: -9, needed: 5 } }), [/\[-{10}\] {2}below 0\.01/], null],
  ];
  for (const [name, drawn, there, absent] of table) {
    for (const pattern of there) t.match(drawn, pattern, name);
    if (absent !== null) t.notMatch(drawn, absent, name);
  }
  t.strictSame(drawGates(null, []), [], 'no gates, nothing told');
});

t.test('it fits into 80 columns', async (t) => {
  const kinds = ['failures', 'ms', 'totalVariation', 'mean', 'disagreements', 'conversions'] as const;
  const wide = { value: 0.000_123_4, low: 0.000_012_34, high: 0.9987, n: 1_234_567 };
  const gates = kinds.map((unit) =>
    gate({
      name: 'predictionShift',
      unit,
      canary: wide,
      stable: wide,
      harm: { logE: Math.log(123_456), needed: Math.log(5_555) },
      samples: { have: 212, need: 358 },
    }),
  );
  const words = 'the requests that a canary has failed ';
  for (const state of ['CONTINUE', 'FAIL'] as const) {
    for (const { text } of draw({ gates, state, text: words.repeat(9), M: 123_456 })) {
      t.ok(text.length < 80, `${text.length}: ${text}`);
    }
  }
});

t.test('tones tell good from bad', async (t) => {
  const tone = (start: string, changes: Partial<Verdict>) =>
    draw(changes).find(({ text }) => text.trim().startsWith(start))?.tone;
  t.equal(tone('Gates', {}), 'bold');
  t.equal(tone('Gates', { state: 'FAIL' }), 'bad');
  t.equal(tone('Undecided', { state: 'FAIL' }), 'bad');
  t.equal(tone('Gates', { state: 'PASS' }), 'good');
  t.equal(tone('Gates', { state: 'ERROR' }), 'warn');
  t.equal(tone('Next', {}), 'plain');
  t.equal(tone('Next', { holdRamp: true }), 'warn');
  t.equal(tone('✔', { gates: [SLOW] }), 'good');
});

t.test('gates stand between traffic and analyses, and their changes are changes', async (t) => {
  const base = { ...rolloutView(), ...judgedView(verdict()) };
  const drawn = drawRollout(base, []).map((each) => each.text);
  t.ok(drawn.includes('Gates  ◌ CONTINUE, evidence of harm 1.2 of 101'));
  t.equal(measuredText(base), 'successRate CONTINUE');
  const same = [{ M: 2 }, { text: 'x' }, { gates: [gate({ text: 'x', etaMs: 7 })] }];
  const advance = { toleratedRate: 1, ready: true, why: 'no evidence of harm' };
  const other = [
    { state: 'PASS' as const },
    { holdRamp: true },
    { advance },
    { gates: [gate({ state: 'PASS' })] },
  ];
  const key = (changes: Partial<Verdict>) => changeKey({ ...base, ...judgedView(verdict(changes)) });
  for (const changes of same) t.equal(key(changes), changeKey(base), JSON.stringify(changes));
  for (const changes of other) t.not(key(changes), changeKey(base), JSON.stringify(changes));
});

t.test('what others wrote moves no cursor', async (t) => {
  const evil = 'a\x1b[2Jb\nc\u009b1md\u202ee';
  const advance = { toleratedRate: 1, ready: false, why: evil };
  for (const state of ['CONTINUE', 'FAIL'] as const) {
    for (const { text } of draw({ state, text: evil, advance, gates: [gate({ name: evil })] })) {
      t.notMatch(text, /[\p{Cc}\p{Bidi_Control}]/u, JSON.stringify(text));
    }
  }
});

t.test('a paragraph is broken between words', async (t) => {
  const texts = (width: number, text: string) => wrap(2, width, text).map((each) => each.text);
  t.strictSame(texts(10, 'aa bb cc dd'), ['  aa bb cc', '  dd']);
  t.strictSame(texts(5, 'aaaaaaaa b'), ['  aaaaaaaa', '  b'], 'a long word stays whole');
  t.strictSame(texts(80, 'short'), ['  short']);
});
