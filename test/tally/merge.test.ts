import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { ASSIGN_REASONS, MIRROR_OUTCOMES } from '../../src/core/model.ts';
import { METHODS, newTally, SCALAR, SCALARS, type Tally } from '../../src/core/tally.ts';
import { ALL_STAGES, addTally, mergeTallies } from '../../src/tally/merge.ts';
import {
  beginMirror,
  beginRequest,
  countScalar,
  dropMirror,
  endMirror,
  endRequest,
} from '../../src/tally/recorder.ts';
import { EDGES, request, requestsOf } from './support.ts';

const tallyOf = (stage = 0) => newTally('iris-api', stage, 'v1', EDGES);

/** Everything a tally says, without where its slots lie. */
function said({ slotKeys: _, requests: __, ...rest }: Tally, requests: Record<string, number>) {
  return { ...rest, requests };
}
const sayingOf = (tally: Tally) => said(tally, requestsOf(tally));

type Event = (tally: Tally) => void;

/** Milliseconds in 64ths, so that their sums are exact whatever the order. */
const durationMs = fc.nat(200_000).map((n) => n / 64);

const event: fc.Arbitrary<Event> = fc.oneof(
  fc
    .tuple(
      fc.nat(METHODS.length - 1),
      fc.constantFrom(200, 201, 404, 499, 500, 503, 504),
      durationMs,
      fc.oneof(durationMs, fc.constant(-1)),
      fc.nat(ASSIGN_REASONS.length - 1),
    )
    .map(([method, status, duration, ttfb, reason]) => (tally: Tally) => {
      beginRequest(tally, reason);
      endRequest(tally, method, status, duration, ttfb);
    }),
  fc.nat(ASSIGN_REASONS.length - 1).map((reason) => (tally: Tally) => beginRequest(tally, reason)),
  fc.tuple(fc.nat(MIRROR_OUTCOMES.length - 1), durationMs).map(([outcome, duration]) => (tally: Tally) => {
    beginMirror(tally);
    endMirror(tally, outcome, duration);
  }),
  fc.nat(MIRROR_OUTCOMES.length - 1).map((outcome) => (tally: Tally) => dropMirror(tally, outcome)),
  fc
    .constantFrom(SCALAR.retries, SCALAR.failovers, SCALAR.timeouts, SCALAR.clientGone)
    .map((scalar) => (tally: Tally) => countScalar(tally, scalar)),
);

t.test('any partition of a stream adds up to the same tally, in any order', async () => {
  const stream = fc.array(fc.tuple(event, fc.nat(3)), { maxLength: 200 });
  fc.assert(
    fc.property(stream, fc.boolean(), (events, reversed) => {
      const whole = tallyOf();
      const parts = [tallyOf(), tallyOf(), tallyOf(), tallyOf()];
      for (const [happen, part] of events) {
        happen(whole);
        happen(parts[part] as Tally);
      }
      // As they would arrive from workers or other machines.
      const arrived = parts.map((part) => structuredClone(part));
      const merged = mergeTallies(reversed ? arrived.reverse() : arrived);
      return isDeepStrictEqual(sayingOf(merged), sayingOf(whole));
    }),
  );
});

t.test('it does not matter what is added first', async () => {
  const stream = fc.array(event, { maxLength: 60 });
  fc.assert(
    fc.property(stream, stream, stream, (...streams) => {
      const [a, b, c] = streams.map((events) => {
        const tally = tallyOf();
        for (const happen of events) happen(tally);
        return tally;
      }) as [Tally, Tally, Tally];
      const left = mergeTallies([mergeTallies([a, b]), c]);
      const right = mergeTallies([a, mergeTallies([b, c])]);
      return isDeepStrictEqual(sayingOf(left), sayingOf(right));
    }),
    { numRuns: 50 },
  );
});

t.test('slots are matched by what they count, not by where they lie', async (t) => {
  const a = tallyOf();
  const b = tallyOf();
  request(a, { status: 200 });
  request(a, { status: 503 });
  request(b, { method: 'POST', status: 503 });
  request(b, { status: 503 });
  request(b, { status: 200 });
  t.strictSame(requestsOf(mergeTallies([a, b])), { 'GET 200': 2, 'GET 503': 2, 'POST 503': 1 });
});

t.test('beyond the slots status classes still add up', async (t) => {
  const parts = [tallyOf(), tallyOf()];
  for (let status = 200; status < 300; status++) request(parts[0] as Tally, { status });
  for (let status = 500; status < 600; status++) request(parts[1] as Tally, { method: 'POST', status });
  const counts = requestsOf(mergeTallies(parts));
  const ofClass = (digit: string) =>
    Object.entries(counts).reduce(
      (sum, [pair, n]) => (pair.split(' ')[1]?.startsWith(digit) ? sum + n : sum),
      0,
    );
  t.equal(ofClass('2'), 100);
  t.equal(ofClass('5'), 100);
});

t.test('the parts are left as they were', async (t) => {
  const part = tallyOf();
  request(part);
  const before = structuredClone(part);
  const merged = mergeTallies([part, part]);
  t.strictSame(part, before);
  t.equal(
    merged.requests.reduce((sum, n) => sum + n, 0),
    2,
  );
  t.not(merged.edgesMs, part.edgesMs, 'no array is shared');
});

t.test('a sum is of a stage only if all its parts are', async (t) => {
  t.equal(mergeTallies([tallyOf(3), tallyOf(3)]).stage, 3);
  t.equal(mergeTallies([tallyOf(3), tallyOf(4)]).stage, ALL_STAGES);
});

t.test('what cannot be added is refused, and nothing is added', async (t) => {
  const into = tallyOf();
  request(into);
  const before = structuredClone(into);
  const refusals: readonly (readonly [Tally, RegExp])[] = [
    [
      newTally('iris-api', 0, 'v1', [1, 10, 100]),
      /iris-api\/v1 with different latency edges: \[1, 10, 100, 1000\] ms and \[1, 10, 100\] ms/,
    ],
    [newTally('iris-api', 0, 'v1', [1, 10, 100, 999]), /different latency edges/],
    [newTally('iris-api', 0, 'v2', EDGES), /the tally of iris-api\/v2 to that of iris-api\/v1/],
    [newTally('other', 0, 'v1', EDGES), /the tally of other\/v1 to that of iris-api\/v1/],
  ];
  for (const [from, message] of refusals) {
    request(from);
    t.throws(() => addTally(into, from), { message });
  }
  t.strictSame(into, before);
  t.throws(() => mergeTallies([]), /no tally/);
});

t.test('every scalar of a sum is the sum of the scalars', async (t) => {
  const a = tallyOf();
  const b = tallyOf();
  for (const [i] of SCALARS.entries()) {
    a.scalars[i] = i + 1;
    b.scalars[i] = 100;
  }
  t.strictSame(
    [...mergeTallies([a, b]).scalars],
    SCALARS.map((_, i) => i + 101),
  );
});
