import { RULES, type RuleName } from './rules/index.ts';
import { type Ending, runFixed, runRamp, type Setting } from './run.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

/** One row of a table: a scenario at one weight (null: a ramp) and one rate. */
export interface Cell {
  readonly scenario: string;
  /** In percent; null: a ramp of 1, 5, 25, 50 %. */
  readonly weight: number | null;
  readonly ratePerS: number;
  readonly runs: number;
  /** These rules only; missing: all. */
  readonly only?: readonly RuleName[];
}

/** What a rule did in the runs of a cell. */
export interface RuleResult {
  readonly rule: RuleName;
  readonly runs: number;
  readonly rolledBack: number;
  /** Rollbacks before a version turned bad. */
  readonly rolledBackTooSoon: number;
  readonly promoted: number;
  readonly held: number;
  /** Exposed requests until rollback; null: most (p95: a twentieth) were never rolled back. */
  readonly exposedP50: number | null;
  readonly exposedP95: number | null;
  /** Seconds until it could be promoted, over those that could; null: none could. */
  readonly readyP50S: number | null;
}

export interface CellResult extends Cell {
  readonly rules: readonly RuleResult[];
  /** Processor time. */
  readonly cpuMs: number;
}

export const WEIGHTS = [1, 5, 10, 25] as const;
export const RATES = [1, 10, 100, 1000] as const;

/** All cells of these scenarios, most expensive first so that two processes end together. */
export function cellsOf(names: readonly string[], runs: number): Cell[] {
  const cells = SCENARIOS.filter(({ name }) => names.includes(name)).flatMap((scenario) => {
    const counted = { scenario: scenario.name, runs: Math.max(1, Math.round(runs * scenario.effort)) };
    const fixed = WEIGHTS.flatMap((weight) => RATES.map((ratePerS) => ({ ...counted, weight, ratePerS })));
    const ramps = scenario.ramps ? RATES.map((ratePerS) => ({ ...counted, weight: null, ratePerS })) : [];
    return [...fixed, ...ramps];
  });
  return cells.sort((a, b) => b.ratePerS - a.ratePerS || (b.weight ?? 0) - (a.weight ?? 0));
}

/** The same cell and seed give the same result, in whatever process and order. */
export function runCell(cell: Cell, seed: string, skipEmpty: boolean): CellResult {
  const before = process.cpuUsage();
  const scenario = SCENARIOS.find(({ name }) => name === cell.scenario);
  if (scenario === undefined) throw new Error(`there is no scenario ${cell.scenario}`);
  const endings = new Map<RuleName, Ending[]>();
  for (let run = 0; run < cell.runs; run++) {
    const runSeed = [seed, cell.scenario, cell.weight ?? 'ramp', cell.ratePerS, run].join('/');
    const setting = { scenario, ratePerS: cell.ratePerS, seed: runSeed, skipEmpty };
    for (const [rule, ending] of runOnce(cell, setting)) {
      const list = endings.get(rule) ?? [];
      list.push(ending);
      endings.set(rule, list);
    }
  }
  const rules = [...endings].map(([rule, list]) => summarize(rule, list, scenario));
  const { user, system } = process.cpuUsage(before);
  return { ...cell, rules, cpuMs: Math.round((user + system) / 1000) };
}

function runOnce({ weight, only = RULES }: Cell, setting: Setting): Map<RuleName, Ending> {
  if (weight !== null) return runFixed(setting, weight / 100, only);
  return new Map(
    only.flatMap((rule) => {
      const ending = runRamp(setting, rule);
      return ending === null ? [] : [[rule, ending] as const];
    }),
  );
}

function summarize(rule: RuleName, endings: readonly Ending[], scenario: Scenario): RuleResult {
  const count = (kind: Ending['kind']) => endings.filter((one) => one.kind === kind).length;
  const tooSoon = (one: Ending) => one.kind === 'rolledBack' && one.atS <= scenario.badFromS;
  // Whoever was rolled back before it was bad exposed nobody and says nothing about exposure.
  const exposed = endings
    .filter((one) => !tooSoon(one))
    .map((one) => (one.kind === 'rolledBack' ? one.exposed : Number.POSITIVE_INFINITY));
  const ready = endings.flatMap(({ readyAtS }) => (readyAtS === null ? [] : [readyAtS]));
  return {
    rule,
    runs: endings.length,
    rolledBack: count('rolledBack'),
    rolledBackTooSoon: scenario.badFromS > 0 ? endings.filter(tooSoon).length : 0,
    promoted: count('promoted'),
    held: count('held'),
    exposedP50: quantile(exposed, 0.5),
    exposedP95: quantile(exposed, 0.95),
    readyP50S: quantile(ready, 0.5),
  };
}

/** Null when it is infinite or when there is nothing. */
function quantile(values: readonly number[], share: number): number | null {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)];
  return value === undefined || value === Number.POSITIVE_INFINITY ? null : value;
}
