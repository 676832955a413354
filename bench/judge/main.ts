/**
 * `npm run bench:judge`: coalmine's judge and the rules of its peers on the same simulated streams.
 * docs/statistics.md tells the method. Markdown on stdout, progress on stderr.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { type Cell, type CellResult, cellsOf } from './cell.ts';
import { type Options, parseOptions, USAGE } from './options.ts';
import { runCells } from './pool.ts';
import { quickCells } from './quick.ts';
import { putBetweenMarks, renderReport } from './report.ts';
import { SCENARIOS } from './scenarios.ts';
import { againTarget, cellName, targetsOf, worstOfGood } from './targets.ts';

function readOptions(): Options {
  try {
    const options = parseOptions(process.argv.slice(2));
    if (options !== 'help') return options;
    process.stdout.write(USAGE);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** So many cells are run again with `--again`. */
const WORST = 5;

/** As it was typed, without what does not change figures. */
function commandOf({ seed, runs, only, quick, again, skipEmpty }: Options, all: boolean): string {
  const flags = [
    `--seed ${seed}`,
    `--runs ${runs}`,
    ...(all ? [] : [`--only ${only.join(',')}`]),
    ...(quick ? ['--quick'] : []),
    ...(again > 0 ? [`--again ${again}`] : []),
    ...(skipEmpty ? ['--skip-empty'] : []),
  ];
  return `npm run bench:judge -- ${flags.join(' ')}`;
}

const options = readOptions();
const startedMs = performance.now();
const cells = options.quick ? quickCells(options.only, options.runs) : cellsOf(options.only, options.runs);
let ended = 0;
let expected = cells.length;
const tell = (result: CellResult) => {
  ended++;
  process.stderr.write(`${ended}/${expected} ${cellName(result)}: ${(result.cpuMs / 1000).toFixed(1)} s\n`);
};
const results = await runCells(cells, options, tell);
const repeated = worstOfGood(results, options.again > 0 ? WORST : 0).map(
  ({ scenario, weight, ratePerS }): Cell => ({
    scenario,
    weight,
    ratePerS,
    runs: options.again,
    only: ['coalmine'],
  }),
);
expected += repeated.length;
const again = await runCells(repeated, { ...options, seed: `${options.seed} again` }, tell);
const targets = [...targetsOf(results), ...(again.length > 0 ? [againTarget(again)] : [])];
const seconds = Math.round((performance.now() - startedMs) / 1000);
const simulated = [...cells, ...repeated].reduce((sum, { runs }) => sum + runs, 0);
const cpuS = Math.round([...results, ...again].reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000);
const command = commandOf(options, options.only.length === SCENARIOS.length);
const report = `${renderReport(results, targets)}\n\`${command}\`: ${simulated} rollouts in ${expected} cells, ${cpuS} s of processor time, ${seconds} s in ${options.processes} process${options.processes === 1 ? '' : 'es'}, Node ${process.version}.\n`;
process.stdout.write(report);
if (options.json !== null) {
  const figures = { command, seed: options.seed, seconds, cpuS, targets, cells: results, again };
  writeFileSync(options.json, `${JSON.stringify(figures, null, 2)}\n`);
}
if (options.write !== null) {
  writeFileSync(options.write, putBetweenMarks(readFileSync(options.write, 'utf8'), report));
}
if (options.strict && targets.some(({ met }) => !met)) process.exitCode = 1;
