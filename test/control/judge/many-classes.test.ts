import t from 'tap';
import { Collector } from '../../../src/control/judge/collector.ts';
import { judge } from '../../../src/core/judge/judge.ts';
import { ArmBook, countObservations, countOutcome, type OpenArms } from '../../../src/tally/arms.ts';
import { contextOf, planOf, randomFrom, SHIFT } from '../../core/judge/stream.ts';
import { service, version } from '../../support/split.ts';

/** More classes than are told apart, from the data path to the verdict. */

const JUDGED = { rule: -1, canary: 1, slow: [], unsure: [], observe: null, predictionSecret: null };
const NAMES = { stable: 'v1', canary: 'v2', slow: [], unsure: [], edgesMs: [] };
const W = 0.05;
const PER_LOOK = 6_000;

/** States that the shift gate had, a look a minute. */
function statesOf(classes: number, seed: number, canaryClass: (name: number) => number): string[] {
  const random = randomFrom(seed);
  const versions = [version('v1', 'http://a'), version('v2', 'http://b')];
  const book = new ArmBook();
  const open = book.open(service(versions, { stage: 1, judged: JUDGED, latencyEdgesMs: [] })) as OpenArms;
  const collector = new Collector();
  return Array.from({ length: 20 }, (_, minute) => {
    for (let i = 0; i < PER_LOOK; i++) {
      const at = random() < W ? 1 : 0;
      const drawn = Math.floor(classes * random());
      countOutcome(open, at, -1, false, 1);
      const name = `c${at === 1 ? canaryClass(drawn) : drawn}`;
      countObservations(open, at, -1, [{ class: name, confidence: null, score: null }]);
    }
    collector.look(book.arms(), [], NAMES, () => W, 1, minute * 60_000);
    return judge(planOf(SHIFT), collector.evidence, contextOf()).state;
  });
}

t.test('one model of more classes than are told apart is no drift', async (t) => {
  for (const classes of [64, 100, 200, 1_000]) {
    for (let seed = 0; seed < 3; seed++) {
      const states = statesOf(classes, seed, (name) => name);
      t.notOk(states.includes('FAIL'), `${classes} classes, seed ${seed}: ${states.join()}`);
      t.equal(states.at(-1), 'PASS', `${classes} classes, seed ${seed}`);
    }
  }
});

t.test('among as many, a canary that has a favourite is found', async (t) => {
  const states = statesOf(200, 1, (name) => (name % 3 === 0 ? 0 : name));
  t.ok(states.includes('FAIL'), states.join());
});
