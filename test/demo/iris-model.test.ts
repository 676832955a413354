import { readFileSync } from 'node:fs';
import t from 'tap';
import { FLOWERS, LABELS, SPECIES } from '../../src/demo/iris-data.ts';
import {
  type LabelledFlowers,
  PROFILES,
  type Profile,
  type Training,
  trainIris,
} from '../../src/demo/iris-model.ts';

const FOLDS = 10;
const GOOD: Training = { kind: 'good' };

interface Judged {
  readonly accuracy: number;
  readonly meanConfidence: number;
  /** Of all 150 flowers, by species. */
  readonly shares: readonly number[];
}

/** Ten-fold: every flower is judged once, by a model that has not seen it. */
function crossValidate(profile: Profile, training: Training): Judged {
  let right = 0;
  let confidence = 0;
  const counts = SPECIES.map(() => 0);
  for (let fold = 0; fold < FOLDS; fold++) {
    const model = trainIris(profile, training, withoutFold(fold));
    for (let row = fold; row < FLOWERS.length; row += FOLDS) {
      const answer = model(FLOWERS[row]!);
      const label = SPECIES.indexOf(answer.prediction);
      counts[label]! += 1;
      confidence += answer.confidence;
      if (label === LABELS[row]) right += 1;
    }
  }
  const n = FLOWERS.length;
  return { accuracy: right / n, meanConfidence: confidence / n, shares: counts.map((count) => count / n) };
}

function withoutFold(fold: number): LabelledFlowers {
  const kept = (_: unknown, row: number) => row % FOLDS !== fold;
  return { flowers: FLOWERS.filter(kept), labels: LABELS.filter(kept) };
}

const good = { v1: crossValidate('v1', GOOD), v2: crossValidate('v2', GOOD) };

for (const profile of PROFILES) {
  t.test(`${profile} is a good model: right on at least 95 % of flowers it has not seen`, (t) => {
    t.ok(good[profile].accuracy >= 0.95, `accuracy ${good[profile].accuracy}`);
    t.ok(good[profile].meanConfidence <= good[profile].accuracy, 'and not surer of itself than that');
    t.end();
  });
}

t.test('v2 is another model than v1, with the same shares of predictions', (t) => {
  const [v1, v2] = [trainIris('v1', GOOD), trainIris('v2', GOOD)];
  t.notSame(v1([6, 2.7, 5, 1.7]), v2([6, 2.7, 5, 1.7]));
  for (const [k, share] of good.v1.shares.entries()) t.ok(Math.abs(share - good.v2.shares[k]!) <= 0.02);
  const agreed = FLOWERS.filter((flower) => v1(flower).prediction === v2(flower).prediction).length;
  t.ok(agreed / FLOWERS.length >= 0.97, `${agreed} of 150 alike`);
  t.end();
});

t.test('an answer is consistent with itself', (t) => {
  const { prediction, confidence, probabilities } = trainIris('v1', GOOD)([5.1, 3.5, 1.4, 0.2]);
  t.equal(prediction, 'setosa');
  t.equal(confidence, probabilities.setosa);
  t.same(Object.keys(probabilities), SPECIES);
  t.ok(Math.abs(Object.values(probabilities).reduce((a, b) => a + b, 0) - 1) < 1e-5);
  t.end();
});

t.test('overconfident: surer than the good model, and not more often right', (t) => {
  for (const profile of PROFILES) {
    const judged = crossValidate(profile, { kind: 'overconfident' });
    t.ok(judged.meanConfidence > good[profile].meanConfidence + 0.03, `confidence ${judged.meanConfidence}`);
    t.ok(judged.accuracy <= good[profile].accuracy, `accuracy ${judged.accuracy}`);
    t.ok(judged.meanConfidence > judged.accuracy + 0.02, 'it claims more than it can');
  }
  t.end();
});

t.test('shifted: calls versicolor virginica, the more so the more labels were wrong', (t) => {
  const half = crossValidate('v2', { kind: 'shifted', rate: 0.5 });
  const most = crossValidate('v2', { kind: 'shifted', rate: 0.8 });
  const virginica = SPECIES.indexOf('virginica');
  t.ok(half.shares[virginica]! > good.v2.shares[virginica]! + 0.1, `share ${half.shares[virginica]}`);
  t.ok(most.shares[virginica]! > half.shares[virginica]!);
  t.ok(half.accuracy < 0.9 && most.accuracy < half.accuracy);
  t.ok(Math.abs(half.shares[0]! - good.v2.shares[0]!) < 0.02, 'setosa is left alone');
  t.same(crossValidate('v2', { kind: 'shifted', rate: 0 }), good.v2, 'no wrong label, no shift');
  t.end();
});

t.test('the figures in docs/demo.md are these', (t) => {
  const page = readFileSync(new URL('../../docs/demo.md', import.meta.url), 'utf8');
  const rows: [string, Judged][] = [
    ['v1: four measurements', good.v1],
    ["v2: also the petal's area, other penalty", good.v2],
    ['v2 `overconfident`', crossValidate('v2', { kind: 'overconfident' })],
    ['v2 `shifted` (rate 0.6)', crossValidate('v2', { kind: 'shifted', rate: 0.6 })],
  ];
  for (const [name, { accuracy, meanConfidence, shares }] of rows) {
    const counts = shares.map((share) => Math.round(share * FLOWERS.length)).join(' / ');
    const row = `| ${name} | ${percent(accuracy)} | ${percent(meanConfidence)} | ${counts} |`;
    t.ok(page.includes(row), row);
  }
  t.end();
});

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
