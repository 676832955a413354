import { number, renderTable, renderVerdicts, type Table, type Verdict } from '../lib/table.ts';
import type { CellResult, RuleResult } from './cell.ts';
import { RULES, type RuleName } from './rules/index.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';
import { percent, resultOf, upperLimit } from './targets.ts';

/** The figures as Markdown. */
export function renderReport(results: readonly CellResult[], targets: readonly Verdict[]): string {
  const sections = SCENARIOS.flatMap((scenario) => {
    const cells = results.filter((one) => one.scenario === scenario.name).sort(byWeightAndRate);
    return cells.length === 0 ? [] : [renderScenario(scenario, cells)];
  });
  return [...(targets.length > 0 ? [renderVerdicts(targets)] : []), ...sections].join('\n');
}

/** Ramps last. */
function byWeightAndRate(a: CellResult, b: CellResult): number {
  return (a.weight ?? 101) - (b.weight ?? 101) || a.ratePerS - b.ratePerS;
}

function renderScenario(scenario: Scenario, cells: readonly CellResult[]): string {
  const runs = cells[0]?.runs ?? 0;
  const tables =
    scenario.truth === 'good'
      ? [
          `Rolled back, wrongly. With 0 of ${runs} the true share is at most ${percent(upperLimit(0, runs))} with 95 % confidence.`,
          renderTable(shares(cells, ({ rolledBack }) => rolledBack)),
          'Until it may be promoted (median), and runs that held until the end.',
          renderTable(promotions(cells)),
        ]
      : [
          'Canary requests until rollback, p50 / p95; `–`: not rolled back in time.',
          renderTable(byRule(cells, exposure)),
          'Promoted, wrongly; of coalmine also how many held without a verdict.',
          renderTable(withHeld(cells)),
          ...(scenario.badFromS > 0
            ? [
                'Rolled back while it was still good.',
                renderTable(shares(cells, (one) => one.rolledBackTooSoon)),
              ]
            : []),
        ];
  return `### ${scenario.title}\n\n\`${scenario.name}\`, ${runs} runs a cell.\n\n${tables.join('\n\n')}\n`;
}

function shares(cells: readonly CellResult[], count: (result: RuleResult) => number): Table {
  return byRule(cells, (one) => percent(count(one) / one.runs));
}

function withHeld(cells: readonly CellResult[]): Table {
  const { head, rows } = shares(cells, ({ promoted }) => promoted);
  return { head: [...head, 'coalmine held'], rows: rows.map((row, i) => [...row, heldShare(cells[i])]) };
}

function promotions(cells: readonly CellResult[]): Table {
  const ramps = cells.filter(({ weight }) => weight === null);
  const names = presentRules(ramps);
  return {
    head: ['cell', 'coalmine', ...names.filter((name) => name !== 'coalmine'), 'coalmine held'],
    rows: cells.map((cell) => [
      label(cell),
      span(resultOf(cell, 'coalmine')?.readyP50S),
      ...names
        .filter((name) => name !== 'coalmine')
        .map((name) => (cell.weight === null ? span(resultOf(cell, name)?.readyP50S) : '60 min')),
      heldShare(cell),
    ]),
  };
}

function byRule(cells: readonly CellResult[], text: (result: RuleResult) => string): Table {
  const names = presentRules(cells);
  return {
    head: ['cell', ...names],
    rows: cells.map((cell) => [
      label(cell),
      ...names.map((name) => {
        const result = resultOf(cell, name);
        return result === undefined ? '' : text(result);
      }),
    ]),
  };
}

function presentRules(cells: readonly CellResult[]): readonly RuleName[] {
  return RULES.filter((name) => cells.some((cell) => resultOf(cell, name) !== undefined));
}

function label({ weight, ratePerS }: CellResult): string {
  return `${weight === null ? 'ramp' : `${weight} %`} of ${number(ratePerS)} rps`;
}

function exposure({ exposedP50, exposedP95 }: RuleResult): string {
  const text = (value: number | null) => (value === null ? '–' : number(value));
  return exposedP50 === null && exposedP95 === null ? '–' : `${text(exposedP50)} / ${text(exposedP95)}`;
}

function heldShare(cell: CellResult | undefined): string {
  const ours = cell === undefined ? undefined : resultOf(cell, 'coalmine');
  return ours === undefined ? '' : percent(ours.held / ours.runs);
}

function span(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return '–';
  return seconds < 120 ? `${number(seconds)} s` : `${number(seconds / 60, seconds < 1200 ? 1 : 0)} min`;
}

const BEGIN = '<!-- bench:judge begins -->';
const END = '<!-- bench:judge ends -->';

/** The page with what stands between its marks replaced. Throws when it has none. */
export function putBetweenMarks(page: string, tables: string): string {
  const from = page.indexOf(BEGIN);
  const to = page.indexOf(END);
  if (from < 0 || to < from) throw new Error(`the page needs the lines ${BEGIN} and ${END}`);
  return `${page.slice(0, from + BEGIN.length)}\n\n${tables.trim()}\n\n${page.slice(to)}`;
}
