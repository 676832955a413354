import t from 'tap';
import { Random } from '../../bench/judge/random.ts';
import { ArgoRule } from '../../bench/judge/rules/argo.ts';
import { FlaggerRule } from '../../bench/judge/rules/flagger.ts';
import { KayentaRule } from '../../bench/judge/rules/kayenta.ts';
import { mannWhitney, normalQuantile } from '../../bench/judge/rules/mann-whitney.ts';
import { ERRORS } from '../../bench/judge/rules/metric.ts';
import { OurRule } from '../../bench/judge/rules/ours.ts';
import type { Decision, Look, Rule } from '../../bench/judge/rules/rule.ts';
import { ZTestRule } from '../../bench/judge/rules/z-test.ts';
import { SCENARIOS } from '../../bench/judge/scenarios.ts';
import { emptyMinute, type Minute } from '../../bench/judge/traffic.ts';

/** The peers' rules do what their documents say, on minutes written by hand. */

const WATCHED = { latency: false, classes: false, confidence: false, clicks: false };

function minute(index: number, canary: [errors: number, requests: number], stable = [1, 1000]): Minute {
  const one = emptyMinute(0, index, 0.05, WATCHED);
  one.spanMs = 60_000;
  [one.canary.errors, one.canary.requests] = canary;
  one.canary.firstErrors = one.canary.errors;
  [one.stable.errors, one.stable.requests] = stable as [number, number];
  return one;
}

/** What a rule decides after each of these minutes, when it looks. */
function decisions(rule: Rule, minutes: readonly Minute[]): Decision[] {
  return minutes.flatMap((_, i) => {
    const atS = (i + 1) * 60;
    if (atS % rule.everyS !== 0) return [];
    const look: Look = {
      mode: 'fixed',
      atS,
      stageS: atS,
      stage: 0,
      minutes: minutes.slice(0, i + 1),
      ratePerS: 10,
      nextW: null,
    };
    return [rule.decide(look)];
  });
}

const GOOD: [number, number] = [0, 50];
const BAD: [number, number] = [1, 50];
const EMPTY: [number, number] = [0, 0];

t.test('Argo: failureLimit 3 is the fourth failed measurement', async (t) => {
  const minutes = [BAD, GOOD, BAD, BAD, GOOD, BAD].map((counts, i) => minute(i, counts));
  t.equal(decisions(new ArgoRule([ERRORS], 1, false), minutes).indexOf('rollback'), 5);
});

t.test('Argo: 99 % is good enough, 0/0 is not, unless empty minutes are forgiven', async (t) => {
  const at = (counts: [number, number], skip: boolean) =>
    decisions(
      new ArgoRule([ERRORS], 1, skip),
      [0, 1, 2, 3].map((i) => minute(i, counts)),
    ).includes('rollback');
  t.notOk(at([1, 100], false));
  t.ok(at([2, 199], false));
  t.ok(at(EMPTY, false));
  t.notOk(at(EMPTY, true));
});

t.test('Argo: every five minutes over five minutes', async (t) => {
  const minutes = Array.from({ length: 20 }, (_, i) => minute(i, i % 5 === 0 ? [3, 50] : GOOD));
  t.strictSame(decisions(new ArgoRule([ERRORS], 5, false), minutes), [
    'advance',
    'advance',
    'advance',
    'rollback',
  ]);
});

t.test('Flagger: the minute after the fifth failed check; a failed one does not advance', async (t) => {
  const minutes = [GOOD, BAD, BAD, GOOD, BAD, EMPTY, BAD, GOOD].map((counts, i) => minute(i, counts));
  t.strictSame(decisions(new FlaggerRule([ERRORS], false), minutes), [
    'advance',
    'stay',
    'stay',
    'advance',
    'stay',
    'stay',
    'stay',
    'rollback',
  ]);
});

t.test('Kayenta: one judgement of an hour', async (t) => {
  const hour = (canary: (i: number) => [number, number]) =>
    decisions(
      new KayentaRule([ERRORS]),
      Array.from({ length: 60 }, (_, i) => minute(i, canary(i), [i % 3, 1000])),
    );
  t.strictSame(
    hour((i) => [i % 3, 1000]),
    ['advance'],
  );
  t.strictSame(
    hour((i) => [8 + (i % 3), 1000]),
    ['rollback'],
  );
  t.strictSame(
    hour(() => EMPTY),
    ['rollback'],
    'no data is no pass',
  );
  t.strictSame(
    hour((i) => (i % 2 === 0 ? EMPTY : [i % 3, 1000])),
    ['advance'],
    'minutes without data are left out',
  );
});

t.test('the naive test rolls back on the first significant minute', async (t) => {
  const minutes = [
    minute(0, [0, 100], [1, 1000]),
    minute(1, [1, 100], [1, 1000]),
    minute(2, [1, 100], [1, 1000]),
  ];
  // 2 of 300 against 3 of 3000: z = 2.41; 1 of 200 against 2 of 2000: 1.45.
  t.strictSame(decisions(new ZTestRule([ERRORS], 0.05), minutes), ['stay', 'stay', 'rollback']);
  t.notOk(decisions(new ZTestRule([ERRORS], 0.001), minutes).includes('rollback'));
});

t.test("Mann-Whitney's shift is the median of all differences, and its interval covers", async (t) => {
  t.ok(Math.abs(normalQuantile(0.99) - 2.3263478740408408) < 1e-8);
  t.ok(Math.abs(normalQuantile(0.0005) + 3.2905267314919255) < 1e-7);
  const random = new Random('mann-whitney');
  let covered = 0;
  for (let i = 0; i < 200; i++) {
    const x = Array.from({ length: 41 }, () => random.exponential() + 2);
    const y = Array.from({ length: 33 }, () => random.exponential());
    const { low, estimate, high } = mannWhitney(x, y, 0.9);
    const differences = x.flatMap((a) => y.map((b) => a - b)).sort((a, b) => a - b);
    const median = differences[Math.floor(differences.length / 2)] as number;
    if (Math.abs(estimate - median) > 1e-6) t.fail(`${estimate} against ${median}`);
    if (low <= 2 && 2 <= high) covered++;
  }
  t.ok(covered >= 165 && covered <= 195, `the 90 % interval covered in ${covered} of 200`);
  const mostlyNone = Array.from({ length: 60 }, (_, i) => (i % 7 === 0 ? 0.0067 : 0));
  const oftenSome = Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 0.0022 : 0));
  t.equal(mannWhitney(mostlyNone, oftenSome, 0.98).low, 0, 'ties are no shift');
  t.strictSame(mannWhitney([1, 1], [1, 1], 0.98), { low: 0, estimate: 0, high: 0 });
});

t.test('the looks that are left out would have changed nothing', async (t) => {
  let rollbacks = 0;
  for (const name of ['same-0.5', 'errors-1', 'errors-5', 'outage', 'latency']) {
    const scenario = SCENARIOS.find((one) => one.name === name);
    if (scenario === undefined) throw new Error(name);
    for (const w of [0.01, 0.25]) {
      for (let run = 0; run < 4; run++) {
        const traffic = scenario.traffic(`looks/${name}/${run}`, 100, 'fixed');
        traffic.stage(w);
        const rules = [new OurRule(scenario.gates), new OurRule(scenario.gates, true)];
        const ends: (number | null)[] = [null, null];
        const minutes: Minute[] = [];
        for (let atS = 1; atS <= 1500 && ends.includes(null); atS++) {
          if (atS % 60 === 1) minutes.push(emptyMinute(0, minutes.length, w, scenario.watched));
          traffic.advance(atS - 1, 1, minutes.at(-1) as Minute);
          const look: Look = {
            mode: 'fixed',
            atS,
            stageS: atS,
            stage: 0,
            minutes,
            ratePerS: 100,
            nextW: null,
          };
          rules.forEach((rule, i) => {
            if (ends[i] === null && rule.decide(look) === 'rollback') ends[i] = atS;
          });
        }
        t.equal(ends[0], ends[1], `${name} at ${w}, run ${run}`);
        if (ends[0] !== null) rollbacks++;
      }
    }
  }
  t.ok(rollbacks > 10, `${rollbacks} of them rolled back`);
});
