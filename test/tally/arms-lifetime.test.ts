import fc from 'fast-check';
import t from 'tap';
import { ARM, MAX_CLASSES, OTHER_CLASS, PAIR } from '../../src/core/arms.ts';
import type { Service } from '../../src/core/model.ts';
import { ArmBook, countArm, countObservations, countPair, type OpenArms } from '../../src/tally/arms.ts';
import { ArmsLifetime } from '../../src/tally/arms-lifetime.ts';
import type { ServiceOptions } from '../support/split.ts';
import { split } from '../support/split.ts';
import { judgedOf, serviceOf } from './support.ts';

const iris = (options: ServiceOptions = {}) =>
  serviceOf('iris-api', ['v1', 'v2'], { judged: judgedOf(), ...options });

/** A book and its lifetime around a Split, as app.ts wires them. */
function world(first: readonly Service[]) {
  const book = new ArmBook();
  const lifetime = new ArmsLifetime(book);
  const swap = (services: readonly Service[]): (OpenArms | null)[] => {
    const opened = services.map((service) => book.open(service));
    book.retain(split(services));
    lifetime.retain(split(services));
    return opened;
  };
  const opened = swap(first);
  const of = (version: string, service = 'iris-api') =>
    lifetime.arms().find((one) => one.service === service && one.version === version);
  return { book, lifetime, swap, arms: opened[0] as OpenArms, of };
}

const says = (name: string, confidence = 0.5) => [{ class: name, confidence, score: null }];

t.test('counts go on when the book has forgotten their stage', async (t) => {
  const { swap, of, lifetime, book } = world([iris({ stage: 0 })]);
  for (let stage = 1; stage <= 12; stage++) {
    const [arms] = swap([iris({ stage })]) as [OpenArms];
    countArm(arms, 1, ARM.observed);
    countPair(arms, PAIR.disagree);
    countObservations(arms, 1, -1, says(stage % 2 === 0 ? 'even' : 'odd'));
  }
  t.equal(book.arms().length, 8, 'the book keeps four stages');
  t.equal(of('v2')?.scalars[ARM.observed], 12);
  t.strictSame([...(of('v2')?.classes ?? [])].sort(), [
    ['even', 6],
    ['odd', 6],
  ]);
  t.equal(of('v2')?.confidence[128], 12);
  t.equal(of('v1')?.scalars[ARM.observed], 0);
  t.strictSame(
    lifetime.pairs().map(({ service, counts }) => [service, counts[PAIR.disagree]]),
    [['iris-api', 12]],
  );
});

t.test('they go on while nothing is judged, and when slots mean something else', async (t) => {
  const { arms, swap, of } = world([iris()]);
  countArm(arms, 0, ARM.shed);
  swap([iris({ judged: null, stage: 1 })]);
  t.equal(of('v1')?.scalars[ARM.shed], 1, 'between two rollouts');
  const slow = [{ gate: 'latency', thresholdMs: 10 }];
  const [again] = swap([iris({ stage: 2, judged: judgedOf({ slow }) })]) as [OpenArms];
  countArm(again, 0, ARM.shed);
  t.equal(of('v1')?.scalars[ARM.shed], 2);
});

t.test('what the config no longer names is forgotten, and begins at 0 should it come back', async (t) => {
  const { arms, swap, of, lifetime } = world([iris(), serviceOf('other', ['v1'], { judged: judgedOf() })]);
  countArm(arms, 1, ARM.observed);
  countArm(arms, 0, ARM.observed);
  countPair(arms, PAIR.agree);
  swap([serviceOf('iris-api', ['v1'], { stage: 1 })]);
  t.equal(of('v2'), undefined);
  t.equal(of('v1', 'other'), undefined);
  t.equal(of('v1')?.scalars[ARM.observed], 1);
  swap([]);
  t.strictSame(lifetime.arms(), []);
  t.strictSame(lifetime.pairs(), []);
  swap([iris({ stage: 2 })]);
  t.equal(of('v2')?.scalars[ARM.observed], 0);
});

t.test('classes without end meet in one, and none that was told loses its count', async (t) => {
  const { arms, swap, of } = world([iris({ stage: 0 })]);
  const later = swap([iris({ stage: 1 })])[0] as OpenArms;
  const told = () => new Map(of('v2')?.classes);
  for (let i = 0; i < 40; i++) countObservations(later, 1, -1, says(`late ${i}`));
  const before = told();
  // An answer of the stage before comes late: its classes stand in front of the others' now.
  for (let i = 0; i < 40; i++) countObservations(arms, 1, -1, says(`early ${i}`));
  const after = told();
  t.equal(after.size, MAX_CLASSES);
  t.equal(after.get(OTHER_CLASS), 80 - (MAX_CLASSES - 1));
  for (const [name, count] of before) t.equal(after.get(name), count, name);
});

t.test('a class that is called other is counted with the others', async (t) => {
  const { arms, of } = world([iris()]);
  for (let i = 0; i < 70; i++) countObservations(arms, 1, -1, says(i === 0 ? OTHER_CLASS : `c${i}`));
  t.equal(of('v2')?.classes.get(OTHER_CLASS), 1 + 69 - (MAX_CLASSES - 1));
  t.equal(of('v2')?.classes.size, MAX_CLASSES, 'it takes none of the places in the book');
});

t.test('of some services only theirs is read, however many there are', async (t) => {
  const names = ['a', 'b', 'c'];
  const services = (stage: number) =>
    names.map((name) => serviceOf(name, ['v1', 'v2'], { judged: judgedOf(), stage }));
  const { book, swap, lifetime } = world(services(0));
  for (let stage = 1; stage <= 9; stage++) {
    for (const [i, arms] of swap(services(stage)).entries()) {
      for (let n = 0; n <= i; n++) countArm(arms as OpenArms, 1, ARM.observed);
      countPair(arms as OpenArms, PAIR.agree);
    }
    // Some in between, as a scrape does.
    lifetime.arms(new Set(['b']));
  }
  const all = { arms: lifetime.arms(), pairs: lifetime.pairs() };
  const refuse = () => t.fail('all services were read');
  Object.assign(book, { arms: refuse, pairs: refuse });
  const apart = names.map((name) => new Set([name]));
  t.strictSame(
    apart.flatMap((one) => lifetime.arms(one)),
    all.arms,
  );
  t.strictSame(
    apart.flatMap((one) => lifetime.pairs(one)),
    all.pairs,
  );
  t.strictSame(
    all.arms.filter(({ version }) => version === 'v2').map(({ scalars }) => scalars[ARM.observed]),
    [9, 18, 27],
  );
  t.strictSame(lifetime.arms(new Set(['nobody'])), []);
});

t.test('whatever is swapped and counted, nothing falls and nothing is lost', async () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('count'), version: fc.integer({ min: 0, max: 1 }), name: fc.string() }),
    fc.record({ kind: fc.constant('swap'), slow: fc.boolean() }),
    fc.record({ kind: fc.constant('read') }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { swap, of, ...rest } = world([iris()]);
      let arms = rest.arms;
      let stage = 0;
      let counted = 0;
      let last: ReadonlyMap<string, number> = new Map();
      for (const each of steps) {
        if (each.kind === 'count' && 'version' in each) {
          countObservations(arms, each.version, -1, says(each.name));
          counted++;
        } else if (each.kind === 'swap' && 'slow' in each) {
          const slow = each.slow ? [{ gate: 'latency', thresholdMs: 10 }] : [];
          arms = swap([iris({ stage: ++stage, judged: judgedOf({ slow }) })])[0] as OpenArms;
        } else {
          const now = new Map(
            ['v1', 'v2'].flatMap((version) =>
              [...(of(version)?.classes ?? [])].map(([name, count]): [string, number] => [
                `${version} ${name}`,
                count,
              ]),
            ),
          );
          for (const [key, count] of last) if ((now.get(key) ?? 0) < count) return false;
          last = now;
        }
      }
      const sum = (version: string) =>
        of(version)?.confidence.reduce((total, count) => total + count, 0) ?? 0;
      return sum('v1') + sum('v2') === counted;
    }),
  );
});
