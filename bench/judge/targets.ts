import { number, type Verdict } from '../lib/table.ts';
import type { CellResult, RuleResult } from './cell.ts';
import type { RuleName } from './rules/index.ts';
import { SCENARIOS } from './scenarios.ts';

/** What the judge should reach, cell by cell, against what came out. */

const ALPHA = 0.01;
const MOST_PROMOTED = 0.02;
const EXPOSURE_TARGETS = { 'errors-1': 600, 'errors-5': 80 } as const;
/** A canary with as many requests a second should cost a tenth of what Argo's rule costs. */
const BUSY_CANARY_PER_S = 25;
const LEAST_GAIN = 10;

interface Row {
  readonly cell: CellResult;
  readonly ours: RuleResult;
}

export function targetsOf(results: readonly CellResult[]): Verdict[] {
  const rows = rowsOf(results);
  const good = goodRows(results);
  const bad = rows.filter(({ cell }) => truthOf(cell.scenario) === 'bad');
  return [
    ...(good.length > 0 ? [falseRollbacks(good), pooledRollbacks(good)] : []),
    ...(bad.length > 0 ? [badPromoted(bad)] : []),
    ...exposures(bad),
    ...[...new Set(bad.map(({ cell }) => cell.scenario))].flatMap((name) =>
      gains(bad.filter(({ cell }) => cell.scenario === name)),
    ),
  ];
}

function rowsOf(results: readonly CellResult[]): Row[] {
  return results.flatMap((cell) => {
    const ours = resultOf(cell, 'coalmine');
    return ours === undefined ? [] : [{ cell, ours }];
  });
}

function goodRows(results: readonly CellResult[]): Row[] {
  return rowsOf(results).filter(({ cell }) => truthOf(cell.scenario) === 'good' || cell.scenario === 'late');
}

export function resultOf(cell: CellResult, name: RuleName): RuleResult | undefined {
  return cell.rules.find(({ rule }) => rule === name);
}

export function truthOf(name: string): 'good' | 'bad' {
  return SCENARIOS.find((one) => one.name === name)?.truth ?? 'good';
}

export function cellName({ scenario, weight, ratePerS }: CellResult): string {
  return `${scenario}, ${weight === null ? 'ramp' : `${weight} %`} of ${ratePerS} rps`;
}

/** The worst of a hundred cells is above alpha by chance: missed is what chance does not do. */
function falseRollbacks(rows: readonly Row[]): Verdict {
  const worst = most(rows, (row) => -chanceOf(row));
  return {
    what: `good versions rolled back, worst of ${rows.length} cells`,
    target: `≤ ${percent(ALPHA)}`,
    measured: `${wrongly(worst)} of ${worst.ours.runs} (${cellName(worst.cell)}); by chance if ${percent(ALPHA)} is true: p = ${chanceOf(worst).toFixed(2)}, times ${rows.length} cells`,
    met: chanceOf(worst) >= 0.05 / rows.length,
  };
}

/** Probability of as many false rollbacks, or more, if alpha is true. */
function chanceOf(row: Row): number {
  return 1 - cumulativeBinomial(wrongly(row) - 1, row.ours.runs, ALPHA);
}

/** The cells with the most false rollbacks, those that chance explains least first; none where there was none. */
export function worstOfGood(results: readonly CellResult[], most: number): CellResult[] {
  return goodRows(results)
    .filter((row) => wrongly(row) > 0)
    .sort((a, b) => chanceOf(a) - chanceOf(b))
    .slice(0, most)
    .map(({ cell }) => cell);
}

/** Fresh runs of cells that were chosen for being bad say how bad they are. */
export function againTarget(results: readonly CellResult[]): Verdict {
  const limit = (row: Row) => upperLimit(wrongly(row), row.ours.runs);
  const worst = most(goodRows(results), limit);
  return {
    what: `good versions rolled back, the ${results.length} worst cells again with fresh runs, worst`,
    target: `≤ ${percent(ALPHA)}`,
    measured: `${wrongly(worst)} of ${number(worst.ours.runs)} (${cellName(worst.cell)}); at most ${percent(limit(worst))} with 95 % confidence`,
    met: limit(worst) <= ALPHA,
  };
}

/** Also a version that turns bad later was good until then. */
function wrongly({ cell, ours }: Row): number {
  return truthOf(cell.scenario) === 'good' ? ours.rolledBack : ours.rolledBackTooSoon;
}

function pooledRollbacks(rows: readonly Row[]): Verdict {
  const runs = rows.reduce((sum, { ours }) => sum + ours.runs, 0);
  const rolledBack = rows.reduce((sum, row) => sum + wrongly(row), 0);
  const limit = upperLimit(rolledBack, runs);
  return {
    what: 'good versions rolled back, all cells together',
    target: `≤ ${percent(ALPHA)}`,
    measured: `${rolledBack} of ${number(runs)}; at most ${percent(limit)} with 95 % confidence`,
    met: limit <= ALPHA,
  };
}

function badPromoted(rows: readonly Row[]): Verdict {
  const worst = most(rows, ({ ours }) => ours.promoted / ours.runs);
  const { promoted, runs } = worst.ours;
  return {
    what: 'bad versions promoted, worst cell',
    target: `≤ ${percent(MOST_PROMOTED)}`,
    measured:
      promoted === 0 ? `none in ${rows.length} cells` : `${promoted} of ${runs} (${cellName(worst.cell)})`,
    met: promoted / runs <= MOST_PROMOTED,
  };
}

/** Where an hour has fewer requests than the target, reaching it is no merit: such cells are left out. */
function exposures(rows: readonly Row[]): Verdict[] {
  return Object.entries(EXPOSURE_TARGETS).flatMap(([scenario, most_]) => {
    const cells = rows.filter(
      ({ cell: { scenario: name, weight, ratePerS } }) =>
        name === scenario &&
        weight !== null &&
        weight <= 10 &&
        ratePerS <= 100 &&
        (weight / 100) * ratePerS * 3600 > 2 * most_,
    );
    if (cells.length === 0) return [];
    const worst = most(cells, ({ ours }) => ours.exposedP50 ?? Number.POSITIVE_INFINITY);
    const p50 = worst.ours.exposedP50;
    return [
      {
        what: `${scenario}: median exposure, worst cell up to 10 % and 100 rps`,
        target: `≤ ${most_}`,
        measured: `${p50 === null ? 'over an hour' : number(p50)} (${cellName(worst.cell)})`,
        met: p50 !== null && p50 <= most_,
      },
    ];
  });
}

function gains(rows: readonly Row[]): Verdict[] {
  const compared = rows.flatMap(({ cell, ours }) => {
    const canaryPerS = ((cell.weight ?? 0) / 100) * cell.ratePerS;
    const argo = resultOf(cell, 'argo 1m');
    if (canaryPerS < BUSY_CANARY_PER_S || argo === undefined || argo.exposedP50 === null) return [];
    return [{ cell, ours, gain: argo.exposedP50 / (ours.exposedP50 ?? Number.POSITIVE_INFINITY) }];
  });
  if (compared.length === 0) return [];
  const least = most(compared, ({ gain }) => -gain);
  return [
    {
      what: `${least.cell.scenario}: fewer exposed than under Argo's rule, worst cell from ${BUSY_CANARY_PER_S} canary requests a second`,
      target: `≥ ${LEAST_GAIN} ×`,
      measured: `${number(least.gain, 1)} × (${cellName(least.cell)})`,
      met: least.gain >= LEAST_GAIN,
    },
  ];
}

function most<T>(items: readonly T[], by: (item: T) => number): T {
  return items.reduce((best, one) => (by(one) > by(best) ? one : best));
}

export function percent(share: number): string {
  const value = share * 100;
  const digits = value >= 10 ? 0 : value >= 0.1 ? 1 : 3;
  return `${number(value, digits).replace(/\.0+$/, '')} %`;
}

/** Clopper and Pearson's one-sided upper limit at 95 % for a share of which `k` in `n` were seen. */
export function upperLimit(k: number, n: number): number {
  if (k >= n) return 1;
  let [low, high] = [k / n, 1];
  for (let i = 0; i < 60; i++) {
    const p = (low + high) / 2;
    if (cumulativeBinomial(k, n, p) > 0.05) low = p;
    else high = p;
  }
  return high;
}

/** Probability of at most `k` in `n`. */
function cumulativeBinomial(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  let logTerm = n * Math.log1p(-p);
  let sum = Math.exp(logTerm);
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i) + Math.log(p / (1 - p));
    sum += Math.exp(logTerm);
  }
  return sum;
}
