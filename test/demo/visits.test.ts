import fc from 'fast-check';
import t from 'tap';
import { seededRandom } from '../../src/demo/random.ts';
import { type Visit, type VisitPlan, visits } from '../../src/demo/visits.ts';

const PLAN: VisitPlan = { ratePerS: 50, users: 200, anonymousShare: 0.25, seed: 1936 };

function take(plan: VisitPlan, count: number): Visit[] {
  const all = visits(plan);
  return Array.from({ length: count }, () => all.next().value);
}

t.test('a seed decides everything', (t) => {
  t.same(take(PLAN, 100), take(PLAN, 100));
  t.notSame(take(PLAN, 100), take({ ...PLAN, seed: 1937 }, 100));
  t.end();
});

t.test('arrivals are a Poisson process of the given rate', (t) => {
  const n = 20_000;
  const gaps = take(PLAN, n).map((visit) => visit.gapMs);
  const mean = gaps.reduce((a, b) => a + b, 0) / n;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / n;
  // Exponential gaps: the standard deviation is the mean, 20 ms; five standard errors of room.
  t.ok(Math.abs(mean - 20) < (5 * 20) / Math.sqrt(n), `mean ${mean}`);
  t.ok(Math.abs(Math.sqrt(variance) / mean - 1) < 0.05, `deviation ${Math.sqrt(variance)}`);
  t.end();
});

t.test('users are stable, come about equally often, and the given share is anonymous', (t) => {
  const all = take(PLAN, 20_000);
  const idOf = new Map<number, string | null>();
  for (const visit of all) {
    if (!idOf.has(visit.user)) idOf.set(visit.user, visit.userId);
    if (idOf.get(visit.user) !== visit.userId) t.fail(`user ${visit.user} changed`);
  }
  t.equal(idOf.size, PLAN.users);
  const ids = [...idOf.values()];
  t.equal(ids.filter((id) => id === null).length, 50);
  t.equal(new Set(ids.filter((id) => id !== null)).size, 150);
  const anonymousVisits = all.filter((visit) => visit.userId === null).length / all.length;
  t.ok(Math.abs(anonymousVisits - 0.25) < 0.02, `${anonymousVisits}`);
  t.end();
});

t.test('flowers are real ones, measured to the millimetre', (t) => {
  for (const { flower } of take(PLAN, 2000)) {
    if (!flower.every((cm) => cm > 0 && cm < 10 && Number(cm.toFixed(1)) === cm)) t.fail(String(flower));
  }
  const setosaPetals = take(PLAN, 5000)
    .filter((visit) => visit.label === 0)
    .map((visit) => visit.flower[2]!);
  const mean = setosaPetals.reduce((a, b) => a + b, 0) / setosaPetals.length;
  t.ok(Math.abs(mean - 1.462) < 0.02, `mean petal length ${mean}`);
  t.end();
});

t.test('random numbers lie in [0, 1), from any seed', (t) => {
  const inRange = fc.property(fc.integer(), (seed) => {
    const random = seededRandom(seed);
    return Array.from({ length: 50 }, random).every((x) => x >= 0 && x < 1);
  });
  t.doesNotThrow(() => fc.assert(inRange));
  t.end();
});
