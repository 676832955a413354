import fc from 'fast-check';
import t from 'tap';
import {
  bucketOf,
  METHODS,
  methodIndex,
  methodOfKey,
  newTally,
  REQUEST_SLOTS,
  requestSlot,
  SCALAR,
  SCALARS,
  statusOfKey,
} from '../../src/core/tally.ts';

const slotKeys = () => newTally('svc', 0, 'v1', [1]).slotKeys;

t.test('a value falls into the first bucket whose bound is not below it', async (t) => {
  const edges = Float64Array.of(0.5, 1, 5, 100);
  const table: readonly (readonly [number, number])[] = [
    [0, 0],
    [0.5, 0],
    [0.500001, 1],
    [1, 1],
    [4.999, 2],
    [5, 2],
    [100, 3],
    [100.1, 4],
    [Number.POSITIVE_INFINITY, 4],
  ];
  for (const [value, bucket] of table) t.equal(bucketOf(edges, value), bucket, `${value} ms`);
  t.equal(bucketOf(new Float64Array(0), 3), 0, 'without edges there is one bucket');
});

t.test('the bucket is the one a plain search finds', async () => {
  const value = fc.double({ min: 0, max: 1e5, noNaN: true });
  fc.assert(
    fc.property(fc.uniqueArray(value, { maxLength: 40 }), value, fc.nat(), (bounds, random, pick) => {
      const edges = Float64Array.from(bounds).sort();
      // Half the time the value is a bound itself: that is where it goes wrong.
      const asked = pick % 2 === 0 && edges.length > 0 ? (edges[pick % edges.length] as number) : random;
      const found = edges.findIndex((edge) => asked <= edge);
      return bucketOf(edges, asked) === (found < 0 ? edges.length : found);
    }),
  );
});

t.test('a pair keeps its slot, and different pairs have different ones', async (t) => {
  const keys = slotKeys();
  const get200 = requestSlot(keys, methodIndex('GET'), 200);
  const post200 = requestSlot(keys, methodIndex('POST'), 200);
  const get503 = requestSlot(keys, methodIndex('GET'), 503);
  t.equal(new Set([get200, post200, get503]).size, 3);
  t.equal(requestSlot(keys, methodIndex('GET'), 200), get200);
  t.equal(methodOfKey(keys[post200] as number), 'POST');
  t.equal(statusOfKey(keys[get503] as number), 503);
});

t.test('`other` with a round status has one slot, the one its class overflows into', async (t) => {
  const keys = slotKeys();
  for (let status = 100; status <= 500; status += 100) {
    t.equal(requestSlot(keys, 0, status), status / 100 - 1, String(status));
  }
  t.equal(keys.filter((key) => key > 0).length, 5, 'no slot was taken');
});

t.test('when no slot is free a request counts under `other` and its own status class', async (t) => {
  const keys = slotKeys();
  for (let status = 100; status < 100 + REQUEST_SLOTS; status++) requestSlot(keys, 1, status);
  t.ok(
    keys.every((key) => key > 0),
    'all are taken',
  );
  for (const status of [199, 204, 302, 429, 503]) {
    const key = keys[requestSlot(keys, 2, status)] as number;
    t.equal(methodOfKey(key), 'other', `POST ${status}`);
    t.equal(statusOfKey(key), Math.floor(status / 100) * 100, `POST ${status}`);
  }
  t.equal(statusOfKey(keys[requestSlot(keys, 1, 100)] as number), 100, 'who has a slot keeps it');
});

t.test('a status that no HTTP answer has counts as a 5xx', async (t) => {
  for (const status of [0, 99, 600, 999, -1, Number.NaN]) {
    const keys = slotKeys();
    const key = keys[requestSlot(keys, 1, status)] as number;
    t.equal(statusOfKey(key), 500, String(status));
  }
});

t.test('no pair ever has two slots, and no request changes its status class', async () => {
  const request = fc.tuple(fc.nat(METHODS.length - 1), fc.integer({ min: 100, max: 599 }));
  fc.assert(
    fc.property(fc.array(request, { maxLength: 300 }), (requests) => {
      const keys = slotKeys();
      for (const [method, status] of requests) {
        const key = keys[requestSlot(keys, method, status)] as number;
        if (Math.floor(statusOfKey(key) / 100) !== Math.floor(status / 100)) return false;
      }
      const taken = keys.filter((key) => key > 0);
      return new Set(taken).size === taken.length;
    }),
  );
});

t.test('only the well-known methods have a name of their own', async (t) => {
  for (const [index, name] of METHODS.entries()) t.equal(methodIndex(name), index, name);
  for (const name of ['get', 'PROPFIND', '', 'constructor', '__proto__', 'toString']) {
    t.equal(METHODS[methodIndex(name)], 'other', name);
  }
});

t.test('the scalars have the indexes they are listed at', async (t) => {
  for (const [index, name] of SCALARS.entries()) t.equal(SCALAR[name], index, name);
  t.equal(newTally('svc', 0, 'v1', []).scalars.length, SCALARS.length);
});

t.test('a tally survives a structured clone, and the clone is its own', async (t) => {
  const tally = newTally('svc', 3, 'v1', [1, 10]);
  tally.duration[2] = 7;
  const clone = structuredClone(tally);
  t.same(clone, tally);
  tally.duration[2] = 8;
  t.equal(clone.duration[2], 7);
  t.equal(tally.duration.length, 3, 'one bucket more than bounds');
});

t.test('the counters of a tally do not run into each other', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 100 }), { maxLength: 30 }), (bounds) => {
      const edges = bounds.sort((a, b) => a - b);
      const tally = newTally('svc', 0, 'v1', edges);
      const { edgesMs, slotKeys, requests, duration, ttfb, assigned, mirrored, mirrorDuration, scalars } =
        tally;
      const counters = [requests, duration, ttfb, assigned, mirrored, mirrorDuration, scalars];
      if (counters.some((array) => array.some((count) => count !== 0))) return false;
      const keys = [...slotKeys];
      for (const [i, array] of counters.entries()) array.fill(i + 1);
      return (
        counters.every((array, i) => array.every((count) => count === i + 1)) &&
        isSame(edgesMs, edges) &&
        isSame(slotKeys, keys) &&
        duration.length === edges.length + 1 &&
        ttfb.length === edges.length + 1 &&
        mirrorDuration.length === edges.length + 1 &&
        requests.length === REQUEST_SLOTS &&
        scalars.length === SCALARS.length
      );
    }),
  );
});

function isSame(a: ArrayLike<number>, b: readonly number[]): boolean {
  return a.length === b.length && b.every((value, i) => a[i] === value);
}
