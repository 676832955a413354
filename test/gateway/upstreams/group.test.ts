import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Ejection } from '../../../src/core/model.ts';
import type { Endpoint } from '../../../src/gateway/upstreams/endpoint.ts';
import { EndpointGroup } from '../../../src/gateway/upstreams/group.ts';
import { type UpstreamOptions, upstream } from '../../support/split.ts';

const EJECTION: Ejection = { consecutiveFailures: 3, baseMs: 1_000, maxMs: 5_000 };

/** Nothing is dialled here: the choice alone is looked at. */
function groupOf(t: Test, count: number, options: UpstreamOptions = {}): EndpointGroup {
  const endpoints = Array.from({ length: count }, (_, i) => `http://127.0.0.1:${i + 1}`);
  const group = new EndpointGroup(upstream(endpoints, options));
  t.teardown(() => group.destroy());
  return group;
}

function at(group: EndpointGroup, index: number): Endpoint {
  return group.endpoints[index] as Endpoint;
}

function fail(group: EndpointGroup, index: number, times: number, nowMs: number): void {
  for (let i = 0; i < times; i++) group.note(at(group, index), false, nowMs);
}

/** Which endpoints are out, by index. */
function out(group: EndpointGroup, nowMs: number): number[] {
  return group.endpoints.flatMap((endpoint, i) => (endpoint.available(nowMs) ? [] : [i]));
}

t.test('the endpoint with the fewest requests under way is taken', async (t) => {
  const group = groupOf(t, 3);
  at(group, 0).pending = 5;
  at(group, 1).pending = 2;
  at(group, 2).pending = 3;
  for (let i = 0; i < 6; i++) t.equal(group.pick(0, null), at(group, 1));
  t.equal(group.pick(0, at(group, 1)), at(group, 2), 'but not the one that just failed');
});

t.test('ties go round', async (t) => {
  const group = groupOf(t, 4);
  const picked = Array.from({ length: 12 }, () => group.endpoints.indexOf(group.pick(0, null) as Endpoint));
  for (let index = 0; index < 4; index++)
    t.equal(picked.filter((one) => one === index).length, 3, `#${index}`);
});

t.test('ties go round where none is fit, and whatever is tried again in between', async (t) => {
  const group = groupOf(t, 2);
  const round = () =>
    Array.from({ length: 10 }, () => {
      const first = group.pick(0, null) as Endpoint;
      group.pick(0, first);
      return group.endpoints.indexOf(first);
    }).filter((index) => index === 0).length;
  t.equal(round(), 5, 'each request retried');
  for (const endpoint of group.endpoints) endpoint.healthy = false;
  t.equal(round(), 5, 'none fit');
});

t.test('under load the requests spread evenly', async (t) => {
  const group = groupOf(t, 3);
  for (let i = 0; i < 30; i++) (group.pick(0, null) as Endpoint).pending++;
  t.strictSame(
    group.endpoints.map(({ pending }) => pending),
    [10, 10, 10],
  );
});

t.test('a single endpoint has no other', async (t) => {
  const group = groupOf(t, 1);
  t.equal(group.pick(0, null), at(group, 0));
  t.equal(group.pick(0, at(group, 0)), null);
  at(group, 0).healthy = false;
  t.equal(group.pick(0, null), at(group, 0), 'unfit, and still the only one');
});

t.test('a full endpoint is no choice', async (t) => {
  const pool = { connections: 2, pending: 1 };
  const one = groupOf(t, 1, { pool });
  at(one, 0).pending = 2;
  t.not(one.pick(0, null), null);
  at(one, 0).pending = 3;
  t.equal(one.pick(0, null), null);
  const two = groupOf(t, 2, { pool });
  at(two, 0).pending = 3;
  t.equal(two.pick(0, null), at(two, 1));
  at(two, 1).pending = 3;
  t.equal(two.pick(0, null), null);
});

t.test('an unfit endpoint is passed over; where none is fit all are tried', async (t) => {
  const group = groupOf(t, 3, { ejection: EJECTION });
  at(group, 0).healthy = false;
  at(group, 1).pending = 9;
  at(group, 2).pending = 10;
  t.equal(group.pick(0, null), at(group, 1));
  at(group, 1).healthy = false;
  t.equal(group.pick(0, null), at(group, 2));
  t.equal(
    group.pick(0, at(group, 2)),
    at(group, 0),
    'the last fit one failed: better a doubtful one than none',
  );
  at(group, 2).healthy = false;
  t.equal(group.pick(0, null), at(group, 0), 'none is fit');
});

t.test('failures in a row eject, a success between them starts anew', async (t) => {
  const group = groupOf(t, 2, { ejection: EJECTION });
  fail(group, 0, 2, 100);
  group.note(at(group, 0), true, 100);
  fail(group, 0, 2, 100);
  t.strictSame(out(group, 100), []);
  fail(group, 0, 1, 100);
  t.strictSame(out(group, 100), [0]);
  for (let i = 0; i < 4; i++) t.equal(group.pick(100, null), at(group, 1));
  t.strictSame(out(group, 1_099), [0]);
  t.strictSame(out(group, 1_100), [], 'for the base time');
});

t.test('each ejection lasts longer, up to the most; a long good time forgets', async (t) => {
  const group = groupOf(t, 2, { ejection: EJECTION });
  let now = 10_000;
  for (const lastsMs of [1_000, 2_000, 3_000, 4_000, 5_000, 5_000, 5_000]) {
    fail(group, 0, 3, now);
    t.equal(at(group, 0).ejectedUntilMs - now, lastsMs);
    now += lastsMs;
  }
  now += 5_000;
  fail(group, 0, 3, now);
  t.equal(at(group, 0).ejectedUntilMs - now, 5_000, 'not long enough');
  now += 5_000 + 5_001;
  fail(group, 0, 3, now);
  t.equal(at(group, 0).ejectedUntilMs - now, 1_000, 'longer than the longest ejection');
});

t.test('late failures of an ejected endpoint do not prolong its time', async (t) => {
  const group = groupOf(t, 2, { ejection: EJECTION });
  fail(group, 0, 3, 0);
  fail(group, 0, 50, 500);
  t.equal(at(group, 0).ejectedUntilMs, 1_000);
});

t.test('without ejection nothing is ever ejected', async (t) => {
  const group = groupOf(t, 2);
  fail(group, 0, 1_000, 0);
  t.strictSame(out(group, 0), []);
});

t.test('never more than half are ejected', async (t) => {
  for (const [count, most] of [
    [1, 0],
    [2, 1],
    [3, 1],
    [4, 2],
    [5, 2],
    [8, 4],
  ] as const) {
    const group = groupOf(t, count, { ejection: EJECTION });
    for (let index = 0; index < count; index++) fail(group, index, 10, 0);
    t.equal(out(group, 0).length, most, `of ${count}`);
  }
});

t.test(
  'whatever is noted in whatever order, at least half stay in, and a pick is never refused',
  async (t) => {
    const step = fc.record({
      index: fc.nat({ max: 4 }),
      ok: fc.boolean(),
      times: fc.integer({ min: 1, max: 4 }),
      laterMs: fc.nat({ max: 2_000 }),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step, { maxLength: 40 }), (count, steps) => {
        const group = groupOf(t, count, { ejection: EJECTION });
        let now = 0;
        for (const { index, ok, times, laterMs } of steps) {
          for (let i = 0; i < times; i++) group.note(at(group, index % count), ok, now);
          if (out(group, now).length > Math.floor(count / 2)) return false;
          const picked = group.pick(now, null);
          if (picked === null || !picked.available(now)) return false;
          now += laterMs;
        }
        return true;
      }),
      { numRuns: 50 },
    );
  },
);

t.test('the retry budget is a share of what is in flight, and a few at least', async (t) => {
  const group = groupOf(t, 2, { retry: { retries: 1, budgetShare: 0.2, budgetMin: 3 } });
  spend(group);
  const allowed = (inFlight: number, retriesInFlight: number) => {
    group.inFlight = inFlight;
    group.retriesInFlight = retriesInFlight;
    return group.mayRetry(true);
  };
  t.equal(allowed(1, 0), true);
  t.equal(allowed(1, 2), true, 'three at least');
  t.equal(allowed(1, 3), false);
  t.equal(allowed(100, 19), true, '20 of 100');
  t.equal(allowed(100, 20), false);
  t.equal(allowed(104, 20), false, 'rounded down');
  t.equal(allowed(105, 20), true);
});

t.test('what requests have saved up pays for the moment in which an endpoint dies', async (t) => {
  const group = groupOf(t, 2, { retry: { retries: 1, budgetShare: 0.2, budgetMin: 3 } });
  t.equal(spend(group), 20, 'at first for as much as 100 requests pay');
  for (let i = 0; i < 52; i++) group.begin();
  t.equal(spend(group), 10, 'a fifth of the requests since');
  for (let i = 0; i < 10_000; i++) group.begin();
  t.equal(spend(group), 100, 'bounded');
});

t.test('a request that reached no endpoint is always tried a second time', async (t) => {
  const group = groupOf(t, 2, { retry: { retries: 1, budgetShare: 0, budgetMin: 0 } });
  t.equal(group.mayRetry(false), true);
  t.equal(group.mayRetry(true), false);
});

t.test('retries can be turned off', async (t) => {
  t.equal(groupOf(t, 2, { retry: { retries: 0 } }).mayRetry(false), false);
  t.equal(groupOf(t, 2, { retry: { budgetShare: 0, budgetMin: 0 } }).mayRetry(true), false);
});

/** Retries until the savings are gone, with nothing in flight but retries; how many there were. */
function spend(group: EndpointGroup): number {
  group.inFlight = 0;
  group.retriesInFlight = 3;
  let spent = 0;
  while (group.mayRetry(true)) spent++;
  return spent;
}

t.test('a group is idle when nothing is under way at any endpoint', async (t) => {
  const group = groupOf(t, 2);
  t.equal(group.idle, true);
  at(group, 1).pending = 1;
  t.equal(group.idle, false);
});
