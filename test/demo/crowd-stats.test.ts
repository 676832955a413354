import fc from 'fast-check';
import t from 'tap';
import { CrowdStats, type Sighting } from '../../src/demo/crowd-stats.ts';
import { LATENCY_BUCKETS, latencyBucket, latencyQuantile } from '../../src/demo/latency.ts';

const OK: Sighting = {
  version: 'v1',
  status: 200,
  durationMs: 2,
  answer: { prediction: 'setosa', confidence: 0.9, right: true },
};

t.test('counts by version, status class and lost answers', (t) => {
  const stats = new CrowdStats();
  const seen: [string | null, number | null][] = [
    ['v2', 500],
    ['v1', 200],
    [null, null],
    ['v1', 404],
    ['v2', null],
  ];
  for (const [version, status] of seen) stats.record({ version, status, durationMs: 1, answer: null }, 0);
  t.match(stats.report(0), [
    { version: 'v1', requests: 2, byClass: [0, 0, 1, 0, 1, 0], lost: 0, recent: { failures: 0 } },
    { version: 'v2', requests: 2, byClass: [0, 0, 0, 0, 0, 1], lost: 1, recent: { failures: 2 } },
    { version: null, requests: 1, lost: 1, recent: { failures: 1, shares: null, accuracy: null } },
  ]);
  t.end();
});

t.test('what is recent is forgotten after ten seconds, what is counted is not', (t) => {
  const stats = new CrowdStats();
  for (let i = 0; i < 10; i++) stats.record(OK, 500);
  const wrong: Sighting['answer'] = { prediction: 'virginica', confidence: 0.5, right: false };
  for (let i = 0; i < 10; i++) stats.record({ ...OK, durationMs: 100, answer: wrong }, 9_500);
  const both = stats.report(9_999)[0]!;
  t.same(both.recent.shares, [0.5, 0, 0.5]);
  t.equal(both.recent.meanConfidence?.toFixed(6), '0.700000');
  t.equal(both.recent.accuracy, 0.5);
  t.ok(both.recent.p50Ms! < 3 && both.recent.p99Ms! >= 100);
  const later = stats.report(10_500)[0]!;
  t.same(later.recent.shares, [0, 0, 1]);
  t.same([later.requests, later.recent.requests], [20, 10]);
  t.ok(later.recent.p50Ms! >= 100);
  const muchLater = stats.report(60_000)[0]!;
  t.same(muchLater.recent, {
    requests: 0,
    failures: 0,
    p50Ms: null,
    p99Ms: null,
    shares: null,
    meanConfidence: null,
    accuracy: null,
  });
  t.equal(muchLater.requests, 20);
  stats.record(OK, 60_000);
  t.same(stats.report(60_000)[0]!.recent.shares, [1, 0, 0], 'a used slot starts afresh');
  t.end();
});

t.test('an upstream that invents versions does not grow the table', (t) => {
  const stats = new CrowdStats();
  for (let i = 0; i < 100; i++) stats.record({ ...OK, version: `v${i}` }, 0);
  const report = stats.report(0);
  t.ok(report.length <= 17, `${report.length} rows`);
  t.equal(
    report.reduce((sum, row) => sum + row.requests, 0),
    100,
  );
  t.end();
});

t.test('a quantile is the exact one, at most 5 % above it', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.06, max: 50_000, noNaN: true }), { minLength: 1, maxLength: 200 }),
      fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1),
      (values, q) => {
        const counts = new Uint32Array(LATENCY_BUCKETS);
        for (const value of values) counts[latencyBucket(value)]! += 1;
        const exact = [...values].sort((a, b) => a - b)[Math.ceil(q * values.length) - 1]!;
        const found = latencyQuantile(counts, q)!;
        return found >= exact * (1 - 1e-9) && found <= exact * 1.05 * (1 + 1e-9);
      },
    ),
  );
  t.equal(latencyBucket(1e12), LATENCY_BUCKETS - 1);
  t.equal(latencyBucket(0), 0);
  t.end();
});
