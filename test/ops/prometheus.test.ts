import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { pageText, ROOT } from '../docs/pages.ts';
import { requireTool } from '../support/requireTool.ts';
import { startBusyGateway } from './busy-gateway.ts';
import { exposed, labelsIn, labelsOf, seriesIn } from './promql.ts';

/** config/prometheus: rules that Prometheus takes, that fire when they should, and that name what there is. */

const FOLDER = path.join(ROOT, 'config/prometheus');

interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly labels?: { readonly severity?: string };
  readonly annotations?: Readonly<Record<string, string>>;
}

const read = (name: string) => parse(readFileSync(path.join(FOLDER, name), 'utf8'));
const rules = (read('coalmine.rules.yaml') as { groups: { rules: Rule[] }[] }).groups.flatMap(
  (group) => group.rules,
);
const alerts = rules.filter(({ alert }) => alert !== undefined);
const records = new Set(rules.flatMap(({ record }) => record ?? []));

function promtool(t: Test, ...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, { cwd: FOLDER, encoding: 'utf8' });
  t.equal(error, undefined);
  t.equal(status, 0, stdout + stderr);
  return stdout;
}

t.test('promtool takes the files', requireTool('promtool'), async (t) => {
  t.match(promtool(t, 'check', 'rules', 'coalmine.rules.yaml'), /SUCCESS/);
  promtool(t, 'check', 'config', '--syntax-only', 'scrape.yaml');
});

t.test('every alert fires when it should, and not else', requireTool('promtool'), async (t) => {
  t.match(promtool(t, 'test', 'rules', 'coalmine.rules.test.yaml'), /SUCCESS/);
});

t.test('every alert is made to fire and to be silent', async (t) => {
  const { tests } = read('coalmine.rules.test.yaml') as {
    tests: { promql_expr_test?: { expr: string; exp_samples: unknown[] }[] }[];
  };
  const cases = tests.flatMap((one) => one.promql_expr_test ?? []);
  for (const { alert } of alerts) {
    const own = cases.filter(({ expr }) => expr.includes(`alertname="${alert}"`));
    t.ok(
      own.some(({ exp_samples }) => exp_samples.length > 0),
      `${alert} fires`,
    );
    t.ok(
      own.some(({ exp_samples }) => exp_samples.length === 0),
      `${alert} is silent`,
    );
  }
  for (const record of records) t.ok(JSON.stringify(rules).split(record).length > 1, record);
});

t.test('every alert says what is wrong, and where it is told what to do', async (t) => {
  const operations = pageText('docs/operations.md');
  for (const { alert = '', labels, annotations } of alerts) {
    t.match(labels?.severity, /^(critical|warning|info)$/, alert);
    t.match(annotations?.summary, /\w/, alert);
    t.match(annotations?.description, /\.$/, alert);
    t.equal(annotations?.runbook_url, `docs/operations.md#${alert.toLowerCase()}`, alert);
    t.ok(operations.includes(`\n### ${alert}\n`), `docs/operations.md has a heading ${alert}`);
  }
  const told = [...operations.matchAll(/^### (Coalmine\w+)$/gm)].map(([, name]) => name);
  t.strictSame(
    told,
    alerts.map(({ alert }) => alert),
    'and no other, in that order',
  );
});

t.test('every series that is named is in /metrics, with the labels asked for', async (t) => {
  const product = await startBusyGateway(t);
  const series = exposed(await product.metrics());
  for (const { expr, alert, record } of rules) {
    for (const name of seriesIn(expr).filter((name) => name !== 'up')) {
      t.ok(series.has(name) || records.has(name), `${alert ?? record}: ${name}`);
    }
    for (const { name, label } of labelsIn(expr)) {
      const labels = labelsOf(name);
      t.ok(labels === null || labels.includes(label), `${alert ?? record}: ${name}{${label}}`);
    }
  }
});
