import t, { type Test } from 'tap';
import { seeded } from '../../src/core/simulation/draws.ts';
import { evaluatePromql } from '../../src/core/simulation/promql/evaluate.ts';
import { Unsupported } from '../../src/core/simulation/promql/lex.ts';
import { parsePromql } from '../../src/core/simulation/promql/parse.ts';
import { quantile } from '../../src/core/simulation/promql/quantile.ts';
import type { Scraped } from '../../src/core/simulation/promql/series.ts';
import { Traffic } from '../../src/core/simulation/traffic.ts';
import { compileWithRegExp } from './facts.ts';
import { EDGES, TEXTBOOK_QUERY } from './simulation-support.ts';

/** Ten minutes at 100 requests a second, 20 % of them the canary's, half of which fail. */
function world(): Scraped & { readonly foreign: string[] } {
  const traffic = new Traffic({
    ratePerS: 100,
    medianMs: 20,
    errorShare: 0,
    faults: [{ kind: '5xx', share: 0.5, atMs: 0 }],
    random: seeded(1),
    edgesMs: EDGES,
    tickMs: 1_000,
  });
  traffic.advance(600_000, 0.2, 0.8);
  const foreign: string[] = [];
  return {
    app: 'iris-api',
    versions: { canary: 'v2', stable: 'v1' },
    traffic,
    edgesMs: EDGES,
    compile: compileWithRegExp,
    foreign,
    foreignLabel: (label) => foreign.push(label),
  };
}

const W = world();

function ask(query: string): number | number[] {
  const value = evaluatePromql(parsePromql(query), W, 600_000);
  return value.kind === 'scalar' ? value.value : value.samples.map((sample) => sample.value);
}

/** The single number that a query gives. */
function one(query: string): number {
  const value = ask(query);
  if (Array.isArray(value) && value.length === 1) return value[0] as number;
  throw new Error(`${query} gives ${JSON.stringify(value)}`);
}

const near = (t: Test, found: number, wanted: number, part: number, what: string) =>
  t.ok(Math.abs(found - wanted) <= part * Math.abs(wanted), `${what}: ${found}, wanted ${wanted}`);

t.test('arithmetic, precedence and literals', async (t) => {
  for (const [query, value] of [
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['-2 - -3', 1],
    ['10 / 4 / 5', 0.5],
    ['1e3 - .5', 999.5],
    ['Inf', Number.POSITIVE_INFINITY],
    ['0 / 0', Number.NaN],
    ['scalar(vector(3)) + 1 # a comment', 4],
  ] as const) {
    t.ok(Object.is(ask(query), value), query);
  }
  t.strictSame(ask('vector(2) * 3'), [6]);
  t.strictSame(ask('3 - vector(2)'), [1]);
  t.strictSame(ask('abs(vector(-2))'), [2]);
  t.strictSame(ask('clamp_max(clamp_min(vector(5), 6), 5.5)'), [5.5]);
});

t.test('the textbook’s success rate', async (t) => {
  near(t, one(TEXTBOOK_QUERY), 0.9, 0.02, 'over all versions');
  near(t, one(TEXTBOOK_QUERY.replaceAll('{', '{version="v2",')), 0.5, 0.05, 'of the canary');
});

t.test('matchers select, and patterns match the whole value', async (t) => {
  const rate = (matchers: string) => ask(`sum(rate(http_requests_total{${matchers}}[5m]))`);
  near(t, one('sum(rate(http_requests_total[5m]))'), 100, 0.05, 'all');
  near(t, one('sum(rate(http_requests_total{version="v1"}[5m]))'), 80, 0.05, 'stable');
  near(t, one('sum(increase(http_requests_total{version!="v1"}[5m]))'), 6_000, 0.05, 'an increase');
  near(t, one("sum(rate(http_requests_total{version=~'v2|v3', status=~`5..`,}[5m]))"), 10, 0.1, 'both');
  t.strictSame(rate('version=~"v"'), [], 'anchored');
  t.strictSame(rate('app="other"'), []);
  t.strictSame(rate('version="v1",status=~"5.."'), [], 'no series before the first such request');
  t.strictSame(ask('sum(rate(http_requests_total{status="418"}[5m])) or vector(0)'), [0]);
  t.equal(
    (ask('sum(rate(http_requests_total[5m])) or vector(0)') as number[]).length,
    1,
    'the left one stays',
  );
  t.strictSame(W.foreign, []);
  near(
    t,
    one('sum(rate(http_requests_total{job="gate",namespace!="x",version="v1"}[5m]))'),
    80,
    0.05,
    'foreign',
  );
  t.strictSame(W.foreign, ['job', 'namespace'], 'and it is told');
});

t.test('aggregations group and reduce', async (t) => {
  const by = evaluatePromql(parsePromql('sum by (version) (rate(http_requests_total[5m]))'), W, 600_000);
  t.match(by, { kind: 'vector', samples: [{ labels: { version: 'v2' } }, { labels: { version: 'v1' } }] });
  t.strictSame(ask('count(http_requests_total)'), [3], 'v2 200, v2 500, v1 200');
  t.equal((ask('sum(rate(http_requests_total[5m])) by (version, status)') as number[]).length, 3);
  t.equal((ask('max without (status, app) (http_requests_total)') as number[]).length, 2);
  const [low, mean, high] = ['min', 'avg', 'max'].map((op) =>
    one(`${op}(http_requests_total{version="v2"})`),
  );
  t.ok((low as number) < (mean as number) && (mean as number) < (high as number));
  t.strictSame(
    ask('sum by (version) (http_requests_total) - sum by (version) (http_requests_total)'),
    [0, 0],
    'one to one by labels',
  );
});

t.test('latency: quantiles, the mean, and shares below a bound', async (t) => {
  const buckets = 'rate(http_request_duration_seconds_bucket{version="v1"}[5m])';
  near(t, one(`histogram_quantile(0.5, sum by (le) (${buckets}))`), 0.02, 0.05, 'the median');
  near(t, one(`histogram_quantile(0.99, sum by (le) (${buckets}))`), 0.0635, 0.15, 'the 99th percentile');
  const of = (suffix: string) => `sum(rate(http_request_duration_seconds_${suffix}{version="v1"}[5m]))`;
  near(t, one(`${of('sum')} / ${of('count')}`), 0.02266, 0.05, 'the mean');
  near(
    t,
    one(`sum(rate(http_request_duration_seconds_bucket{version="v1",le="0.025"}[5m])) / ${of('count')}`),
    0.672,
    0.05,
    'within 25 ms',
  );
  t.strictSame(
    ask('histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{app="x"}[5m])))'),
    [],
  );
});

t.test('quantiles as Prometheus computes them', async (t) => {
  const histogram = (counts: Record<string, number>) =>
    Object.entries(counts).map(([le, value]) => ({ labels: { le }, value }));
  const at = (q: number, counts: Record<string, number>) => quantile(q, histogram(counts))[0]?.value;
  const plain = { '1': 10, '2': 30, '+Inf': 40 };
  t.equal(at(0.5, plain), 1.5);
  t.equal(at(0.125, plain), 0.5);
  t.equal(at(0.99, plain), 2, 'above the last bound: that bound');
  t.ok(Number.isNaN(at(0.5, { '1': 0, '+Inf': 0 })), 'of nothing');
  t.ok(Number.isNaN(at(0.5, { '1': 3 })), 'without +Inf');
  t.equal(at(2, plain), Number.POSITIVE_INFINITY);
  t.equal(at(-1, plain), Number.NEGATIVE_INFINITY);
  t.strictSame(quantile(0.5, [{ labels: { version: 'v1' }, value: 1 }]), []);
});

t.test('what is outside the subset is refused by name', async (t) => {
  for (const [query, reason] of [
    ['up', /no metric up/],
    ['sum(rate(istio_requests_total[1m]))', /istio_requests_total/],
    ['rate(http_requests_total[5m:1m])', /subqueries/],
    ['rate(http_requests_total[5m] offset 1h)', /offset/],
    ['http_requests_total @ 0', /@/],
    ['http_requests_total[5m]', /range/],
    ['rate(http_requests_total)', /rate\(\)/],
    ['rate(sum(http_requests_total))', /rate\(\)/],
    ['topk(3, http_requests_total)', /topk\(\)/],
    ['http_requests_total > 1', />/],
    ['a and b', /and/],
    ['sum(http_requests_total) / on(app) sum(http_requests_total)', /on/],
    ['http_requests_total{version=v1}', /matcher/],
    ['{app="x"}', /without a name/],
    ['"text"', /text/],
    ['sum(1)', /vector/],
    ['vector(http_requests_total)', /scalar/],
    ['histogram_quantile(0.9)', /2 arguments/],
    ['http_requests_total{version=~"("}', /pattern/],
    ['1 +', /the end/],
    ['§', /cannot be read/],
    ['', /the end/],
    ['('.repeat(500), /too deeply/],
  ] as const) {
    t.throws(() => evaluatePromql(parsePromql(query), W, 600_000), new Unsupported(''), query);
    try {
      evaluatePromql(parsePromql(query), W, 600_000);
    } catch (error) {
      t.match((error as Error).message, reason, query.slice(0, 40));
    }
  }
});
