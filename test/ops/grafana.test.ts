import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { ROOT } from '../docs/pages.ts';
import { scraping, startPrometheus } from '../support/prometheus.ts';
import { requireTool } from '../support/requireTool.ts';
import { until } from '../support/wait.ts';
import { startBusyGateway } from './busy-gateway.ts';
import { exposed, labelsIn, labelsOf, seriesIn } from './promql.ts';

/** config/grafana/coalmine.json: sound as Grafana reads it, and every question of it has an answer. */

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly datasource?: { readonly uid: string };
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly refId: string;
    readonly expr: string;
    readonly legendFormat: string;
  }[];
}

interface Dashboard {
  readonly uid: string;
  readonly schemaVersion: number;
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr?: string }[] };
}

const text = readFileSync(path.join(ROOT, 'config/grafana/coalmine.json'), 'utf8');
const dashboard = JSON.parse(text) as Dashboard;
const { panels } = dashboard;
const annotations = dashboard.annotations.list.flatMap(({ name, expr }) =>
  expr === undefined ? [] : [{ place: `annotation ${name}`, expr }],
);
const queries = [
  ...panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ refId, expr }) => ({ place: `${title} ${refId}`, expr })),
  ),
  ...annotations,
];

t.test('the model of Grafana', async (t) => {
  t.equal(dashboard.schemaVersion, 39);
  t.match(dashboard.uid, /^[\w-]{1,40}$/);
  const known = ['row', 'stat', 'bargauge', 'timeseries', 'state-timeline'];
  for (const { type, title, description, datasource, targets } of panels) {
    t.ok(known.includes(type), `${title}: ${type} is a panel of Grafana itself`);
    if (type === 'row') continue;
    t.match(description, /\w.*\.$/, `${title} says what it shows`);
    t.equal(datasource?.uid, '$' + '{datasource}', `${title} asks the chosen Prometheus`);
    const ids = targets?.map(({ refId }) => refId) ?? [];
    t.ok(ids.length > 0 && new Set(ids).size === ids.length, `${title}: ${ids.join()}`);
  }
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'ids are unique');
  t.equal(new Set(panels.map(({ title }) => title)).size, panels.length, 'titles as well');
});

t.test('panels fill the grid and do not overlap', async (t) => {
  const taken = new Map<string, string>();
  for (const { title, gridPos } of panels) {
    const { x, y, w, h } = gridPos;
    t.ok(x >= 0 && y >= 0 && w > 0 && h > 0 && x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        const cell = `${column}/${line}`;
        if (taken.has(cell)) t.fail(`${title} lies over ${taken.get(cell)}`);
        taken.set(cell, title);
      }
    }
  }
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h));
  t.equal(taken.size, 24 * height, 'no holes');
});

t.test('variables that are used are there, and those there are used', async (t) => {
  const own = dashboard.templating.list.map(({ name }) => name);
  t.strictSame(own, ['datasource', 'app', 'version']);
  const used = new Set([...text.matchAll(/\$\{?(\w+)/g)].map(([, name = '']) => name));
  const grafanas = ['__rate_interval', '__range', '__all'];
  for (const name of used) t.ok([...own, ...grafanas].includes(name), name);
  for (const name of own) t.ok(used.has(name), name);
});

t.test('every label that is asked for is one of its metric', async (t) => {
  for (const { place, expr } of queries) {
    for (const { name, label } of labelsIn(expr)) {
      const labels = labelsOf(name);
      t.ok(labels === null || labels.includes(label), `${place}: ${name}{${label}}`);
    }
  }
});

t.test('what the panels need is on the dashboard', async (t) => {
  const all = queries.map(({ expr }) => expr).join('\n');
  for (const name of [
    'http_requests_total',
    'http_request_duration_seconds_bucket',
    'http_request_ttfb_seconds_bucket',
    'http_requests_in_flight',
    'coalmine_weight',
    'coalmine_rollout_info',
    'coalmine_gate_state',
    'coalmine_gate_evidence',
    'coalmine_mirror_requests_total',
    'coalmine_predictions_total',
    'coalmine_prediction_confidence_bucket',
    'coalmine_shadow_pairs_total',
    'coalmine_kpi_total',
    'coalmine_config_reload_failures_total',
    'process_cpu_seconds_total',
    'process_resident_memory_bytes',
    'nodejs_eventloop_lag_p99_seconds',
  ]) {
    t.ok(all.includes(name), name);
  }
});

t.test('every query is answered, with data', requireTool('prometheus'), async (t) => {
  const product = await startBusyGateway(t);
  const prometheus = await startPrometheus(scraping(new URL(product.adminUrl).host));
  t.teardown(() => prometheus.stop());
  const series = exposed(await product.metrics());
  for (const { place, expr } of queries) {
    for (const name of seriesIn(expr)) t.ok(series.has(name), `${place}: ${name} is in /metrics`);
  }
  for (const { name, definition } of dashboard.templating.list.slice(1)) {
    const [, selector = '', label = ''] = /^label_values\((.+), (\w+)\)$/.exec(definition ?? '') ?? [];
    t.ok(
      series.has(seriesIn(selector)[0] ?? '') && labelsOf(seriesIn(selector)[0] ?? '')?.includes(label),
      name,
    );
  }
  for (const { place, expr } of queries.filter(({ place }) => place !== 'annotation Rollout ended')) {
    await until(async () => (await ask(prometheus.url, expr)).length > 0, `${place}: data`, 30_000);
    t.pass(place);
  }
  await fetch(`${product.adminUrl}/api/v1/rollouts/iris-api/abort`, { method: 'POST' });
  const ended = annotations.find(({ place }) => place === 'annotation Rollout ended')?.expr ?? '';
  await until(async () => (await ask(prometheus.url, ended)).length > 0, 'the end to be told', 30_000);
});

/** The result of an instant query, with the variables as Grafana would fill them. */
async function ask(url: string, expr: string): Promise<readonly unknown[]> {
  const query = expr
    .replaceAll('$app', 'iris-api')
    .replaceAll('$version', '(v1|v2)')
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', '1h');
  const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(query)}`);
  const { status, error, data } = (await answer.json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data?: { readonly result: readonly unknown[] };
  };
  if (status !== 'success' || data === undefined) throw new Error(`${query}: ${error}`);
  return data.result;
}
