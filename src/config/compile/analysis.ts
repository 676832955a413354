import type { MetricPlan } from '../../core/analysis/plan.ts';
import { readMetricPattern } from '../forms/patterns.ts';
import { taken } from '../forms/reading.ts';
import { formatPath, type Path } from '../issue.ts';
import { pointerOf } from '../parse/source.ts';
import { compilePattern } from '../pattern.ts';
import type { RawArgs, RawMetric, RawTemplate } from '../schema.ts';
import { argValues, type PlacedTemplate, type Rolled } from './arguments.ts';
import { type Budget, Filler } from './filler.ts';
import { compileMetric } from './metric.ts';
import type { Problems } from './problems.ts';
import type { ResolveFile } from './provider.ts';

/** Metrics of one analysis. */
export const MAX_METRICS = 100;
/** What one metric costs beside its texts; with the budget it bounds how many a file can ask for. */
const METRIC_COST = 1_000;
export const RESOLVE_BUDGET = 20_000_000;

export interface DryRunRule {
  readonly metricName: string;
}
export interface RetentionRule extends DryRunRule {
  readonly limit: number;
}

/** A place that asks for an analysis. */
export interface AnalysisUse {
  readonly path: Path;
  readonly templates: readonly { readonly name: string; readonly path: Path }[];
  readonly args: RawArgs | undefined;
  readonly dryRun: readonly DryRunRule[] | undefined;
  readonly measurementRetention: readonly RetentionRule[] | undefined;
  /** Null: nobody asks, a template is looked at by itself. */
  readonly rolled: Rolled | null;
}

export interface Resolver {
  /** Those that can be used; others have been told about. */
  readonly templates: ReadonlyMap<string, RawTemplate>;
  /** Pointers of their parts that must not be looked at; what they are part of has no metrics then. */
  readonly unusable: ReadonlySet<string>;
  readonly problems: Problems;
  readonly budget: Budget;
  readonly resolveFile: ResolveFile;
}

/** The metrics of an analysis with templates and arguments resolved; null when something is wrong or unknown. */
export function resolveMetrics(use: AnalysisUse, resolver: Resolver): MetricPlan[] | null {
  const placed = withNested(use, resolver.templates);
  if (placed === null) return null;
  const { problems, budget, resolveFile } = resolver;
  const total = placed.reduce((sum, { raw }) => sum + (raw.metrics?.length ?? 0), 0);
  budget.left -= total * METRIC_COST;
  if (!isWithin(use, total, resolver)) return null;
  const args = argValues(placed, use, problems);
  const by = use.rolled === null ? '' : formatPath(use.path);
  const names = new Set<string>();
  let whole = placed.every(({ path }) => RULES.every((key) => !isUnusable([...path, key], resolver)));
  const metrics = metricsIn(placed).flatMap(({ raw, at }) => {
    const filler = new Filler(args, problems, budget, by);
    const skipped = isUnusable(at, resolver);
    const made = skipped ? null : compileMetric(raw, at, filler, resolveFile);
    if (made === null || filler.failed) {
      whole = false;
      return [];
    }
    if (names.has(made.name)) {
      const fix = 'give every metric of an analysis a name of its own';
      filler.error([...at, 'name'], 'is the name of another metric of the same analysis', fix);
      whole = false;
    }
    names.add(made.name);
    return [made];
  });
  return whole ? withRules(metrics, use, placed, problems) : null;
}

const RULES = ['dryRun', 'measurementRetention'] as const;

function isUnusable(path: Path, { unusable }: Resolver): boolean {
  return unusable.has(pointerOf(path));
}

function metricsIn(placed: readonly PlacedTemplate[]): { raw: RawMetric; at: Path }[] {
  return placed.flatMap(({ path, raw }) =>
    (raw.metrics ?? []).map((metric, i) => ({ raw: metric, at: [...path, 'metrics', i] })),
  );
}

function isWithin(use: AnalysisUse, total: number, { budget, problems }: Resolver): boolean {
  if (total === 0) {
    const at = use.templates[0]?.path ?? use.path;
    problems.error(at, 'has no metrics', 'add metrics to the template');
  } else if (total > MAX_METRICS) {
    problems.error(use.path, `has more than ${MAX_METRICS} metrics`, 'use fewer templates', 'key');
  } else if (budget.left < 0) {
    const fix = 'use fewer or smaller templates, or several gateways';
    problems.error(use.path, 'makes the analyses of this file too large together', fix, 'key');
  } else return true;
  return false;
}

/** The templates and those inside them, each once, in order; null when one of them is not to be used. */
function withNested(
  use: AnalysisUse,
  templates: ReadonlyMap<string, RawTemplate>,
): readonly PlacedTemplate[] | null {
  const found = new Map<string, PlacedTemplate>();
  const visit = (name: string): boolean => {
    if (found.has(name)) return true;
    const raw = templates.get(name);
    if (raw === undefined) return false;
    found.set(name, { path: ['analysisTemplates', name], raw });
    return (raw.templates ?? []).every(({ templateName }) => visit(templateName));
  };
  return use.templates.every(({ name }) => visit(name)) ? [...found.values()] : null;
}

/** Dry runs and retention, of the templates and of the analysis, for all of its metrics. */
function withRules(
  metrics: readonly MetricPlan[],
  use: AnalysisUse,
  placed: readonly PlacedTemplate[],
  problems: Problems,
): MetricPlan[] {
  const sources = [...placed.map(({ path, raw }) => ({ path, rules: raw })), { path: use.path, rules: use }];
  let ruled = [...metrics];
  for (const { path, rules } of sources) {
    [ruled = []] = applyDryRun([ruled], rules.dryRun, path, problems);
    for (const [i, { metricName, limit }] of (rules.measurementRetention ?? []).entries()) {
      const at = [...path, 'measurementRetention', i, 'metricName'];
      const matches = matcher(metricName, ruled, at, problems);
      ruled = ruled.map((metric) => (matches(metric) ? { ...metric, retention: limit } : metric));
    }
  }
  return ruled;
}

/** Marks the metrics that the rules name, over several analyses; a rule that names none is told. */
export function applyDryRun(
  analyses: readonly (readonly MetricPlan[])[],
  rules: readonly DryRunRule[] | undefined,
  path: Path,
  problems: Problems,
): MetricPlan[][] {
  const all = analyses.flat();
  const matchers = (rules ?? []).map(({ metricName }, i) =>
    matcher(metricName, all, [...path, 'dryRun', i, 'metricName'], problems),
  );
  return analyses.map((metrics) =>
    metrics.map((metric) =>
      matchers.some((matches) => matches(metric)) ? { ...metric, dryRun: true } : metric,
    ),
  );
}

function matcher(
  metricName: string,
  metrics: readonly MetricPlan[],
  path: Path,
  problems: Problems,
): (metric: MetricPlan) => boolean {
  const test = compilePattern(taken(readMetricPattern(metricName)));
  const matches = ({ name }: MetricPlan) => test(name);
  if (!metrics.some(matches)) {
    const names = metrics.slice(0, 10).map(({ name }) => name);
    problems.error(path, 'matches no metric', `the metrics are ${names.join(', ')}`);
  }
  return matches;
}
