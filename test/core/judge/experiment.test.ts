import fc from 'fast-check';
import t from 'tap';
import { type ExperimentPlan, judgeExperiment, ratioInterval } from '../../../src/core/judge/experiment.ts';
import { betaLn } from '../../../src/core/judge/kernels/logs.ts';
import { binomial, randomFrom } from './stream.ts';

const HOUR_MS = 3_600_000;
const PLAN: ExperimentPlan = {
  kpi: 'click',
  alpha: 0.05,
  within: 0.05,
  control: 'v1',
  variants: [
    { name: 'v1', share: 0.5 },
    { name: 'v2', share: 0.5 },
  ],
};

function verdict(v1: number, v2: number, keys = 100_000) {
  return judgeExperiment(PLAN, { v1: { keys, firsts: v1 }, v2: { keys, firsts: v2 } }, HOUR_MS);
}

t.test('winner, equivalent or continue', async (t) => {
  t.match(verdict(5000, 5600), { state: 'winner', winner: 'v2', remainingMs: 0 });
  t.match(verdict(5600, 5000), { state: 'winner', winner: 'v1' });
  t.match(verdict(20_000, 20_050), { state: 'equivalent', winner: null });
  const open = verdict(1000, 1030, 20_000);
  t.match(open, { state: 'continue', winner: null });
  t.ok(open.remainingMs !== null && open.remainingMs > HOUR_MS, 'says for how long');
  t.match(open.text, /click with v2 1\.030 times as often as with v1 .*undecided, about/);
  t.match(verdict(0, 0), { state: 'continue', remainingMs: null, variants: [{ ratio: null }] });
});

t.test('the interval is the formula: at its ends the evidence is 1/alpha', async (t) => {
  const [kv, kc, w] = [300, 900, 0.2];
  const logE = (theta: number) =>
    betaLn(100 * w + kv, 100 * (1 - w) + kc) -
    betaLn(100 * w, 100 * (1 - w)) -
    kv * Math.log(theta) -
    kc * Math.log(1 - theta);
  const { low, high } = ratioInterval(kv, kc, w, 0.05);
  for (const rho of [low, high]) {
    const theta = (w * rho) / (w * rho + 1 - w);
    t.ok(Math.abs(logE(theta) - Math.log(20)) < 1e-6, `at ${rho}`);
  }
  t.ok(low < 4 / 3 && 4 / 3 < high, 'the ratio itself is inside');
});

t.test('a sample ratio mismatch is an error, whatever the clicks say', async (t) => {
  const skewed = judgeExperiment(
    PLAN,
    { v1: { keys: 52_000, firsts: 2000 }, v2: { keys: 48_000, firsts: 4000 } },
    HOUR_MS,
  );
  t.match(skewed, { state: 'ERROR', winner: null, text: /sample ratio mismatch/ });
});

/** Shares and rates of an event, with so many keys: what is expected to be counted, to the unit. */
function mix(rates: Readonly<Record<string, number>>, keys = 300_000) {
  const names = Object.keys(rates);
  const variants = names.map((name) => ({ name, share: 1 / names.length }));
  const each = Math.round(keys / names.length);
  const counts = Object.fromEntries(
    names.map((name) => [name, { keys: each, firsts: Math.round(each * (rates[name] ?? 0)) }]),
  );
  return judgeExperiment({ ...PLAN, variants }, counts, HOUR_MS);
}

t.test('any mix of better, worse, equal and undecided', async (t) => {
  const [v1, far] = [0.05, 30_000_000];
  const cases: readonly [string, ReturnType<typeof mix>, object][] = [
    ['one better, one worse', mix({ v1, v2: 0.06, v3: 0.04 }), { state: 'winner', winner: 'v2' }],
    ['one better, one equal', mix({ v1, v2: 0.06, v3: 0.05 }), { state: 'winner', winner: 'v2' }],
    ['all worse', mix({ v1, v2: 0.04, v3: 0.042 }), { state: 'winner', winner: 'v1' }],
    [
      'one worse, one equal',
      mix({ v1, v2: 0.04, v3: 0.05 }, far),
      {
        state: 'equivalent',
        winner: null,
        leaders: ['v1', 'v3'],
        remainingMs: 0,
        text: /^v1 and v3 are equal within 5 %, the others are behind; click with v2 .*: worse; click with v3/,
      },
    ],
    [
      'all equal',
      mix({ v1, v2: 0.05, v3: 0.05 }, far),
      { state: 'equivalent', leaders: ['v1', 'v2', 'v3'], text: /^all are equal within 5 %; / },
    ],
    [
      'two better, which equal each other',
      mix({ v1, v2: 0.06, v3: 0.06 }, far),
      { state: 'equivalent', winner: null, leaders: ['v2', 'v3'], text: /^v2 and v3 are equal within 5 %/ },
    ],
    [
      'two better, one of them by far',
      mix({ v1, v2: 0.06, v3: 0.08 }),
      {
        state: 'winner',
        winner: 'v3',
        leaders: ['v3'],
        text: /^v3 is better than all others; .*click with v3 1\.333 times as often as with v2 \(.*: better$/,
      },
    ],
    [
      'two better, and nobody knows which is the best',
      mix({ v1, v2: 0.06, v3: 0.0615 }),
      {
        state: 'continue',
        winner: null,
        leaders: ['v2', 'v3'],
        text: /^the best is one of v2 and v3; .*click with v3 1\.025 times as often as with v2 .*undecided, about/,
      },
    ],
    [
      'one worse, one undecided',
      mix({ v1, v2: 0.04, v3: 0.0515 }),
      { state: 'continue', leaders: ['v1', 'v3'], text: /^the best is one of v1 and v3/ },
    ],
    [
      'one undecided against control, and beaten by the best',
      mix({ v1, v2: 0.0515, v3: 0.06 }),
      { state: 'winner', winner: 'v3', variants: [{ state: 'continue' }, { state: 'better' }] },
    ],
    ['nothing counted', mix({ v1: 0, v2: 0, v3: 0 }), { state: 'continue', remainingMs: null }],
    ['nobody beside control', mix({ v1 }), { state: 'continue', winner: null, remainingMs: null }],
  ];
  for (const [name, found, wanted] of cases) t.match(found, wanted, name);
});

t.test('who is left in doubt is left until it is known, and that is foreseen', async (t) => {
  const open = mix({ v1: 0.05, v2: 0.06, v3: 0.0615 });
  const { remainingMs } = open;
  t.ok(remainingMs !== null && remainingMs > 0);
  const growth = 1 + (remainingMs ?? 0) / HOUR_MS;
  t.equal(mix({ v1: 0.05, v2: 0.06, v3: 0.0615 }, 300_000 * growth * 0.95).state, 'continue');
  t.not(mix({ v1: 0.05, v2: 0.06, v3: 0.0615 }, 300_000 * growth * 1.05).state, 'continue');
});

t.test('all pairs share alpha', async (t) => {
  const [ratio] = mix({ v1: 0.05, v2: 0.06, v3: 0.07, v4: 0.05 }).variants.map((one) => one.ratio);
  const wanted = ratioInterval(4_500, 3_750, 0.5, 0.05 / 6);
  t.match(ratio, { low: wanted.low, high: wanted.high });
});

const draws = fc
  .array(fc.record({ weight: fc.integer({ min: 1, max: 9 }), firsts: fc.nat(20_000) }), {
    minLength: 2,
    maxLength: 5,
  })
  .map((drawn) => {
    const sum = drawn.reduce((total, { weight }) => total + weight, 0);
    return drawn.map(({ weight, firsts }, i) => ({ name: `v${i}`, share: weight / sum, firsts }));
  });

type Drawn = readonly { readonly name: string; readonly share: number; readonly firsts: number }[];

function judged(drawn: Drawn, control = drawn[0]?.name ?? '') {
  const counts = Object.fromEntries(
    drawn.map(({ name, share, firsts }) => [name, { keys: Math.round(1_000_000 * share), firsts }]),
  );
  const variants = drawn.map(({ name, share }) => ({ name, share }));
  return judgeExperiment({ ...PLAN, control, variants }, counts, HOUR_MS);
}

t.test('a conclusion follows from the intervals of all pairs, and from nothing else', async (t) => {
  fc.assert(
    fc.property(draws, (drawn) => {
      const { state, winner, leaders, variants, remainingMs } = judged(drawn);
      const alpha = 0.05 / ((drawn.length * (drawn.length - 1)) / 2);
      const beats = (a: Drawn[number], b: Drawn[number]) => {
        const { low, high } = ratioInterval(a.firsts, b.firsts, a.share / (a.share + b.share), alpha);
        return low > 1 && high > 1.06;
      };
      const most = Math.max(...drawn.map(({ firsts, share }) => firsts / share));
      const first = drawn.filter(({ firsts, share }) => firsts / share === most).map(({ name }) => name);
      t.ok(
        leaders.some((name) => first.includes(name)),
        'who is ahead is never out',
      );
      for (const own of drawn) {
        if (drawn.some((other) => beats(other, own))) t.notOk(leaders.includes(own.name), 'beaten is out');
      }
      t.equal(winner, state === 'winner' ? leaders[0] : null);
      t.equal(leaders.length === 1, state === 'winner');
      if (state !== 'continue') t.equal(remainingMs, 0);
      for (const one of variants) {
        if (one.state === 'better') t.notOk(leaders.includes('v0'), 'control is beaten');
        if (one.state === 'worse') t.notOk(leaders.includes(one.name));
      }
    }),
  );
});

t.test('the order in which variants are named changes nothing', async (t) => {
  fc.assert(
    fc.property(draws, (drawn) => {
      const one = judged(drawn);
      const other = judged(drawn.toReversed(), 'v0');
      t.match({ ...other, leaders: other.leaders.toReversed() }, { state: one.state, leaders: one.leaders });
    }),
  );
});

t.test('looked at all the time, equals rarely get a winner', async (t) => {
  const runs = 200;
  let wrong = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomFrom(run);
    const [v1, v2] = [
      { keys: 0, firsts: 0 },
      { keys: 0, firsts: 0 },
    ];
    for (let look = 0; look < 60; look++) {
      const split = binomial(random, 2000, 0.5);
      v1.keys += split;
      v2.keys += 2000 - split;
      v1.firsts += binomial(random, split, 0.05);
      v2.firsts += binomial(random, 2000 - split, 0.05);
      if (judgeExperiment(PLAN, { v1, v2 }, (look + 1) * HOUR_MS).state !== 'winner') continue;
      wrong++;
      break;
    }
  }
  t.ok(wrong <= 18, `${wrong} of ${runs} at alpha 0.05`);
});

/** How many of so many experiments say at any look what `isWrong` knows to be wrong. */
function wrongIn(
  runs: number,
  rates: Readonly<Record<string, number>>,
  isWrong: (verdict: ReturnType<typeof judged>) => boolean,
): number {
  const names = Object.keys(rates);
  const variants = names.map((name) => ({ name, share: 1 / names.length }));
  let wrong = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomFrom(run);
    const counts = Object.fromEntries(names.map((name) => [name, { keys: 0, firsts: 0 }]));
    for (let look = 1; look <= 40; look++) {
      for (const [name, count] of Object.entries(counts)) {
        count.keys += 1_000;
        count.firsts += binomial(random, 1_000, rates[name] ?? 0);
      }
      if (!isWrong(judgeExperiment({ ...PLAN, variants }, counts, look * HOUR_MS))) continue;
      wrong++;
      break;
    }
  }
  return wrong;
}

t.test('looked at all the time, the best of several is rarely left out', async (t) => {
  // 18 of 200: beyond what chance does once in a hundred times at alpha .05.
  const equals = wrongIn(
    200,
    { v1: 0.05, v2: 0.05, v3: 0.05, v4: 0.05 },
    ({ leaders }) => leaders.length < 4,
  );
  t.ok(equals <= 18, `${equals} of 200 leave one of four equals out`);
  const two = wrongIn(
    200,
    { v1: 0.05, v2: 0.1, v3: 0.1 },
    ({ leaders }) => !leaders.includes('v2') || !leaders.includes('v3'),
  );
  t.ok(two <= 18, `${two} of 200 name one of two that are better alike`);
});
