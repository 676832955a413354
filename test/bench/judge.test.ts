import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { type Cell, type CellResult, RATES, runCell, WEIGHTS } from '../../bench/judge/cell.ts';
import { parseOptions } from '../../bench/judge/options.ts';
import { putBetweenMarks } from '../../bench/judge/report.ts';
import type { RuleName } from '../../bench/judge/rules/index.ts';
import { SCENARIOS } from '../../bench/judge/scenarios.ts';
import { resultOf, targetsOf, upperLimit } from '../../bench/judge/targets.ts';

/** The simulation of docs/statistics.md in ten seconds, with a fixed seed: what it says cannot fail by chance. */

const ROOT = path.resolve(import.meta.dirname, '../..');

function run(cell: Cell, seed = 'ci'): CellResult {
  return runCell(cell, seed, false);
}

function of(cell: CellResult, rule: RuleName) {
  const result = resultOf(cell, rule);
  if (result === undefined) throw new Error(`${cell.scenario} has no ${rule}`);
  return result;
}

const BUSY = { weight: 5, ratePerS: 100 };

t.test('the same seed gives the same figures', async (t) => {
  const cell = { ...BUSY, scenario: 'errors-1', runs: 3 };
  const { rules } = run(cell);
  t.strictSame(run(cell).rules, rules);
  t.notSame(run(cell, 'another').rules, rules);
});

t.test("the peers' rules show what is known of them", async (t) => {
  const quiet = run({ scenario: 'same-0.1', weight: 1, ratePerS: 100, runs: 60 });
  // A failure among about 60 requests is a failed minute: Poisson with mean 3.5, more than 3 and more than 4.
  const argo = of(quiet, 'argo 1m').rolledBack / 60;
  t.ok(argo > 0.3 && argo < 0.65, `Argo rolls back ${argo} of identical versions`);
  const flagger = of(quiet, 'flagger').rolledBack / 60;
  t.ok(flagger > 0.15 && flagger < 0.45, `Flagger ${flagger}`);
  const bad = run({ ...BUSY, scenario: 'errors-5', runs: 10 });
  // Four, six and sixty minutes of five requests a second.
  for (const [rule, requests] of [
    ['argo 1m', 1200],
    ['flagger', 1800],
    ['kayenta', 18_000],
  ] as const) {
    const { exposedP50 } = of(bad, rule);
    t.ok(exposedP50 !== null && Math.abs(exposedP50 / requests - 1) < 0.1, `${rule}: ${exposedP50}`);
  }
});

t.test('the judge rolls no good version back', async (t) => {
  let rolledBack = 0;
  let runs = 0;
  for (const { name, truth, effort } of SCENARIOS) {
    if (truth !== 'good') continue;
    for (const weight of [1, 25]) {
      const cell = run({ scenario: name, weight, ratePerS: 100, runs: Math.ceil(8 * effort) });
      rolledBack += of(cell, 'coalmine').rolledBack;
      runs += cell.runs;
    }
  }
  // One is what chance may do at alpha .01.
  t.ok(rolledBack <= 1, `${rolledBack} of ${runs}`);
});

t.test('the judge rolls bad versions back, soon, and promotes none', async (t) => {
  const most: Record<string, number> = {
    'errors-1': 600,
    'errors-5': 80,
    'errors-5-all-gates': 120,
    latency: 300,
    flipped: 300,
    confidence: 50,
    late: 200,
  };
  for (const [scenario, requests] of Object.entries(most)) {
    const ours = of(run({ ...BUSY, scenario, runs: scenario === 'errors-1' ? 80 : 20 }), 'coalmine');
    t.equal(ours.promoted, 0, `${scenario}: none promoted`);
    t.ok(
      ours.exposedP50 !== null && ours.exposedP50 <= requests,
      `${scenario}: ${ours.exposedP50} of ${requests}`,
    );
  }
});

t.test('in a ramp it promotes the good and takes back the bad', async (t) => {
  const good = of(run({ scenario: 'same-0.1', weight: null, ratePerS: 1000, runs: 5 }), 'coalmine');
  t.equal(good.promoted, 5);
  t.ok(good.readyP50S !== null && good.readyP50S <= 600, `in ${good.readyP50S} s`);
  const bad = of(run({ scenario: 'errors-5', weight: null, ratePerS: 1000, runs: 5 }), 'coalmine');
  t.equal(bad.rolledBack, 5);
});

t.test('every weight and rate that is asked for has a cell', async (t) => {
  t.strictSame([...WEIGHTS], [1, 5, 10, 25]);
  t.strictSame([...RATES], [1, 10, 100, 1000]);
});

t.test('the limit of a share', async (t) => {
  // The rule of three, exactly: 1 - .05^(1/n).
  t.ok(Math.abs(upperLimit(0, 300) - (1 - 0.05 ** (1 / 300))) < 1e-9);
  t.ok(Math.abs(upperLimit(2, 100) - 0.0616) < 0.0001);
  t.equal(upperLimit(5, 5), 1);
});

t.test('a target that is missed is told', async (t) => {
  const cell = run({ scenario: 'same-0.1', weight: 5, ratePerS: 1, runs: 1 });
  const [ours] = cell.rules;
  if (ours === undefined) throw new Error('no rule');
  const told = (rolledBack: number) =>
    targetsOf([{ ...cell, rules: [{ ...ours, runs: 400, rolledBack }] }]).map(({ met }) => met);
  t.strictSame(told(0), [true, true]);
  t.strictSame(told(12), [false, false]);
});

t.test('wrong options are refused', async (t) => {
  t.throws(() => parseOptions(['--only', 'nothing']), /unknown scenario nothing; there are same-0.1/);
  t.throws(() => parseOptions(['--runs', '1.5']), /--runs must be a whole number/);
  t.equal(parseOptions(['--help']), 'help');
});

t.test('the page has the marks between which the tables go', async (t) => {
  const page = readFileSync(path.join(ROOT, 'docs/statistics.md'), 'utf8');
  const written = putBetweenMarks(page, 'TABLES');
  t.match(written, /begins -->\n\nTABLES\n\n<!-- bench:judge ends/);
  t.equal(putBetweenMarks(written, 'TABLES'), written);
  t.throws(() => putBetweenMarks('nothing', ''), /needs the lines/);
  for (const { title } of SCENARIOS) t.ok(page.includes(`### ${title}\n`), title);
});

t.test('the command runs, in two processes, and writes its figures', async (t) => {
  const json = path.join(t.testdir(), 'figures.json');
  const flags = ['--quick', '--runs', '1', '--only', 'same-0.1', '--processes', '2', '--json', json];
  const command = ['--import', 'tsx', 'bench/judge/main.ts', ...flags];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: ROOT, encoding: 'utf8' });
  t.equal(status, 0, stderr);
  t.match(stdout, /### Identical versions, 0\.1 % errors/);
  const { cells } = JSON.parse(readFileSync(json, 'utf8')) as { cells: CellResult[] };
  t.equal(cells.length, 3);
  const [first] = cells;
  if (first === undefined) throw new Error('no cell');
  const { scenario, weight, ratePerS, runs } = first;
  t.strictSame(
    runCell({ scenario, weight, ratePerS, runs }, 'coalmine', false).rules,
    first.rules,
    'as in this process',
  );
});
