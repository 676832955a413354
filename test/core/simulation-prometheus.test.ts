import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { seeded } from '../../src/core/simulation/draws.ts';
import { evaluatePromql } from '../../src/core/simulation/promql/evaluate.ts';
import { parsePromql } from '../../src/core/simulation/promql/parse.ts';
import { type Scraped, type Series, select } from '../../src/core/simulation/promql/series.ts';
import { Traffic } from '../../src/core/simulation/traffic.ts';
import { requireTool } from '../support/requireTool.ts';
import { compileWithRegExp } from './facts.ts';
import { EDGES, TEXTBOOK_QUERY } from './simulation-support.ts';

/** The queries of plays are answered as Prometheus itself answers them over the very same series. */

const END_S = 600;
const BUCKETS = 'http_request_duration_seconds_bucket';
const QUERIES = [
  TEXTBOOK_QUERY,
  TEXTBOOK_QUERY.replaceAll('2m', '5m').replaceAll('{', '{version="v2",'),
  'sum(increase(http_requests_total{version=~"v1|v9"}[3m]))',
  'sum by (version) (rate(http_requests_total[2m]))',
  'max without (status) (http_requests_total{version!~"v1"})',
  'avg(rate(http_requests_total{version="v2"}[4m])) * 60 - 1',
  `histogram_quantile(0.99, sum by (le) (rate(${BUCKETS}[5m])))`,
  `histogram_quantile(0.5, sum by (le, version) (rate(${BUCKETS}[5m])))`,
  'sum(rate(http_request_duration_seconds_sum{version="v2"}[5m])) / sum(rate(http_request_duration_seconds_count{version="v2"}[5m]))',
  'histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket{app="other"}[5m])))',
  'sum(rate(http_requests_total{status="418"}[5m])) or vector(0)',
  'sum by (version) (rate(http_requests_total[2m])) or vector(7)',
  'sum(rate(http_requests_total{status="418"}[5m])) / sum(rate(http_requests_total[5m]))',
  'vector(1) - 2 * -3 / 4',
  '1 - clamp_max(sum(rate(http_requests_total{status=~"5.."}[5m])), 2)',
];

function world(): Scraped {
  const traffic = new Traffic({
    ratePerS: 100,
    medianMs: 40,
    errorShare: 0.01,
    faults: [{ kind: '5xx', share: 0.3, atMs: 120_000 }],
    random: seeded(11),
    edgesMs: EDGES,
    tickMs: 1_000,
  });
  traffic.advance(END_S * 1_000, 0.2, 0.8);
  return {
    app: 'iris-api',
    versions: { canary: 'v2', stable: 'v1' },
    traffic,
    edgesMs: EDGES,
    compile: compileWithRegExp,
    foreignLabel: () => undefined,
  };
}

/** The input of `promtool test rules`: every series scraped each second, and no sample expected. */
function rulesTest(scraped: Scraped): object {
  const names = [
    'http_requests_total',
    ...['_bucket', '_sum', '_count'].map((end) => `http_request_duration_seconds${end}`),
  ];
  const input = names.flatMap((name) =>
    select(name, [], scraped).map((series) => ({
      series: seriesText(name, series),
      values: valuesText(series),
    })),
  );
  const asked = QUERIES.map((expr) => ({
    expr,
    eval_time: `${END_S}s`,
    exp_samples: [{ labels: 'none{}', value: -1 }],
  }));
  return {
    rule_files: [],
    evaluation_interval: '1s',
    tests: [{ interval: '1s', input_series: input, promql_expr_test: asked }],
  };
}

function seriesText(name: string, { labels }: Series): string {
  return `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;
}

function valuesText({ at }: Series): string {
  return Array.from({ length: END_S + 1 }, (_, s) => at(s * 1_000) ?? '_').join(' ');
}

/** What promtool says it got, a list of values for each query, sorted. */
function valuesGot(output: string): number[][] {
  return [...output.matchAll(/got: (.*)/g)].map(([, got = '']) =>
    [...got.matchAll(/ ([-+]?(?:[\d.]+E[-+]\d+|Inf)|NaN)(?=, |$)/g)]
      .map(([, value]) => Number((value as string).replace('Inf', 'Infinity')))
      .sort((a, b) => a - b),
  );
}

t.test('queries give what Prometheus gives', requireTool('promtool'), async (t) => {
  const scraped = world();
  const file = join(t.testdir(), 'test.yaml');
  writeFileSync(file, JSON.stringify(rulesTest(scraped)));
  const { stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  const got = valuesGot(stdout + stderr);
  t.equal(got.length, QUERIES.length, `every query was evaluated: ${(stdout + stderr).slice(0, 500)}`);
  for (const [i, query] of QUERIES.entries()) {
    const value = evaluatePromql(parsePromql(query), scraped, END_S * 1_000);
    const ours = value.kind === 'scalar' ? [value.value] : value.samples.map((sample) => sample.value);
    const theirs = got[i] ?? [];
    t.equal(ours.length, theirs.length, `${query}: as many values`);
    // Newer releases leave the range's first sample out and extrapolate instead.
    for (const [j, mine] of ours.sort((a, b) => a - b).entries()) {
      const wanted = theirs[j] as number;
      const equal = Object.is(mine, wanted) || Math.abs(mine - wanted) <= 0.01 * Math.abs(wanted);
      t.ok(equal, `${query}: ${mine}, Prometheus has ${wanted}`);
    }
  }
});
