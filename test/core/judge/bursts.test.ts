import fc from 'fast-check';
import t from 'tap';
import { BurstMeter, NO_BURST, poissonTail } from '../../../src/core/judge/bursts.ts';
import { binomial, randomFrom } from './stream.ts';

/** Looks once a second, each with so many requests. */
function told(events: readonly number[], requests = 100): BurstMeter {
  const meter = new BurstMeter();
  for (const [second, n] of events.entries()) meter.add({ atMs: second * 1_000, requests, events: n });
  return meter;
}

const zeros = (n: number) => Array<number>(n).fill(0);

t.test('what comes together is a burst, what goes on is none', async (t) => {
  const count = (events: readonly number[], requests?: number) => told(events, requests).count;
  t.equal(count([]), NO_BURST);
  t.strictSame(count([0, 0, 25, 0, 0]), { events: 25, bursts: 1, wide: 1 }, 'a stall');
  t.strictSame(count([0, 0, 9, 0, 0]), { events: 9, bursts: 1, wide: 0 }, 'of a process among many');
  t.strictSame(count([0, 0, 12, 13, 0]), { events: 25, bursts: 1, wide: 1 }, 'seen by two looks');
  t.strictSame(count([25, 0, 0, 13, 0]), { events: 38, bursts: 1, wide: 1 }, 'two, one soon after the other');
  t.strictSame(count([25, ...zeros(9), 13]), { events: 38, bursts: 2, wide: 2 }, 'two');
  t.strictSame(count([1, 0, 0, 2, 0, 1, 1, 0, 2, 1]), NO_BURST, 'one by one');
  t.strictSame(count([0, 0, 0, 0, 0, 0, 2], 5), { events: 2, bursts: 1, wide: 1 }, 'two, and none around');
  t.strictSame(count([5, 6, 4, 7, 5, 3]), NO_BURST, 'always');
  t.strictSame(count([...zeros(30), ...Array<number>(9).fill(50)]), NO_BURST, 'for nine seconds');
});

t.test('whatever lasts is a burst for a few seconds only', async (t) => {
  for (const perS of [3, 10, 100]) {
    const meter = told(zeros(20), 400);
    const counted: number[] = [];
    for (let second = 20; second < 30; second++) {
      meter.add({ atMs: second * 1_000, requests: 400, events: perS });
      counted.push(perS * (second - 19) - meter.count.events);
    }
    t.equal(counted[0], 0, 'the first second tells nothing');
    t.ok(counted[6]! >= 6 * perS, `${counted} of ${perS} a second`);
  }
});

t.test('a burst does not go on for ever: late batches, one soon after the other, are many', async (t) => {
  for (const everyMs of [3_000, 4_000, 5_000, 6_000]) {
    const meter = new BurstMeter();
    for (let ms = 0; ms < 90_000; ms += everyMs) meter.add({ atMs: ms, requests: 20, events: 20 });
    const { bursts } = meter.count;
    t.ok(bursts >= 9, `${bursts} bursts in 90 s, a batch every ${everyMs} ms`);
  }
});

t.test('what a slice was told when it ended stays as it is', async (t) => {
  const meter = told([0, 0, 0, 0, 0, 9, 9]);
  t.strictSame(meter.count, { events: 18, bursts: 1, wide: 0 });
  meter.restart();
  t.equal(meter.count, NO_BURST);
  for (let second = 7; second < 12; second++) meter.add({ atMs: second * 1_000, requests: 100, events: 9 });
  t.equal(meter.count, NO_BURST, 'and what goes on is known by what was before');
});

t.test('a burst needs no more than the looks around it', async (t) => {
  const stall = told([...zeros(5_000), 25, ...zeros(5_000)]);
  t.strictSame(stall.count, { events: 25, bursts: 1, wide: 1 });
  const often = new BurstMeter();
  for (let i = 0; i < 10_000; i++) often.add({ atMs: i, requests: 1, events: i === 5_000 ? 25 : 0 });
  t.ok(often.count.events <= 25, 'looks that never end');
});

t.test('of events that come one by one few are taken for bursts, at any rate', async (t) => {
  const random = randomFrom(7);
  for (const perS of [0.02, 0.1, 0.25, 0.5, 1, 3, 10, 50]) {
    const requests = 5_000;
    const events = Array.from({ length: 4_000 }, () => binomial(random, requests, perS / requests));
    const total = events.reduce((sum, n) => sum + n, 0);
    const { events: taken } = told(events, requests).count;
    t.ok(taken <= 0.12 * total + 2, `${taken} of ${total} at ${perS}/s`);
  }
});

t.test('bursts are a part of the events, and wide ones of the bursts', async () => {
  const second = fc.record({
    requests: fc.integer({ min: 1, max: 300 }),
    share: fc.double({ min: 0, max: 1 }),
  });
  fc.assert(
    fc.property(fc.array(second, { maxLength: 60 }), fc.nat(60), (seconds, end) => {
      const meter = new BurstMeter();
      let events = 0;
      for (const [i, { requests, share }] of seconds.entries()) {
        if (i === end) {
          meter.restart();
          events = 0;
        }
        const n = Math.floor(requests * (Number.isNaN(share) ? 0 : share));
        events += n;
        meter.add({ atMs: i * 1_000, requests, events: n });
      }
      const { count } = meter;
      return count.events <= events && count.wide <= count.bursts && count.bursts * 2 <= count.events + 1;
    }),
  );
});

t.test('the tail of a Poisson law', async (t) => {
  const near = (got: number, expected: number, message: string) =>
    t.ok(Math.abs(got - expected) < 1e-6 + 0.05 * expected, `${message}: ${got}, ${expected}`);
  near(poissonTail(1, 1), 1, 'at the mean and below it is of no interest');
  near(poissonTail(3, 0.5), 1 - Math.exp(-0.5) * (1 + 0.5 + 0.125), 'in full');
  near(poissonTail(20, 10), 0.0034543, 'from a table');
  t.equal(poissonTail(2, 0), 1 - 1, 'of what cannot come');
  near(poissonTail(570, 500), 0.0012, 'of many');
  const [exact, bound] = [poissonTail(570, 500), poissonTail(571, 500.001)];
  t.ok(
    bound > 0.7 * exact && bound < 1.3 * exact,
    `the normal law goes on where it ends: ${exact}, ${bound}`,
  );
});
