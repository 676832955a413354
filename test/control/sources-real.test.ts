import t from 'tap';
import { startPrometheus } from '../support/prometheus.ts';
import { requireTool } from '../support/requireTool.ts';
import { until } from '../support/wait.ts';
import { metric, type Prometheus, prometheus, startSource, value } from './sources-support.ts';

t.test('a real Prometheus', requireTool('prometheus'), async (t) => {
  const { url, stop } = await startPrometheus('{}');
  t.teardown(stop);
  const { source, measure } = startSource(t, { clock: { nowMs: () => 0, wallMs: () => Date.now() } });
  const query = (text: string, options: Partial<Prometheus> = {}) =>
    measure(metric(prometheus(url, { query: text, ...options })));
  // 503 while it starts, which is no data.
  await until(async () => (await query('scalar(vector(1))')).kind === 'value', 'it is ready', 30_000);

  t.same(await query('vector(0.5)'), value([0.5]), 'a vector');
  const two = 'label_replace(vector(1), "a", "x", "", "") or label_replace(vector(2), "a", "y", "", "")';
  t.same(await query(two), value([1, 2]), 'a vector of two');
  t.same(await query('scalar(vector(7)) * 6'), value(42), 'a scalar');
  t.strictSame(await query('vector(0) / 0'), value([Number.NaN]), 'NaN');
  t.strictSame(await query('-1 / 0'), value(Number.NEGATIVE_INFINITY), 'an infinity');
  t.strictSame(await query('vector(1) / 0'), value([Number.POSITIVE_INFINITY]), 'the other one');
  t.same(await query('vector(3)[4s:1s]'), value([3, 3, 3, 3]), 'a matrix');
  const range = { startBeforeMs: 60_000, endBeforeMs: 30_000, stepMs: 10_000 };
  t.same(await query('vector(3)', { range }), value([3, 3, 3, 3]), 'a range');
  const times = await query('time()', { range });
  const [first] = times.kind === 'value' ? (times.value as number[]) : [];
  t.ok(Math.abs((first ?? 0) - (Date.now() / 1_000 - 60)) < 20, `${first}: a minute ago`);

  t.match(await query('absent_metric'), { kind: 'value', value: [] }, 'an empty vector');
  t.match(await query('absent_metric', { range }), { kind: 'value', value: [] }, 'an empty matrix');
  t.match(await query('"text"'), { kind: 'error', reason: /type string cannot be judged/ }, 'a string');
  t.match(
    await query('sum('),
    { kind: 'error', reason: /it answered 400, bad_data: .*parse error/ },
    'a query with a typo, in its own words',
  );
  t.match(
    await query('vector(1)', { range: { ...range, stepMs: 0 } }),
    { kind: 'error', reason: /bad_data: .*step/ },
    'a bad range',
  );
  t.match(await query('x', { address: `${url}/nowhere` }), { kind: 'error', reason: /it answered 404/ });

  const minSamples = { count: 100, query: 'vector(41)' };
  t.same(await measure(metric(prometheus(url, { query: 'vector(1)' }), { minSamples })), value([1], 41));

  await stop();
  t.match(
    await query('vector(1)'),
    { kind: 'noData', reason: `prometheus at ${url} cannot be reached` },
    'when it is gone',
  );
  await source.close();
});
