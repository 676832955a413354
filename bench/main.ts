/**
 * `npm run bench`: coalmine and its peers under the same load in one run.
 * docs/bench.md tells the method. Markdown on stdout, progress on stderr.
 */
import { writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { type Bench, prepare } from './lib/bench.ts';
import { type Options, parseOptions, USAGE } from './lib/options.ts';
import { type MachineTimes, machineTimes } from './lib/proc.ts';
import { number, renderSection, renderVerdicts, type Section } from './lib/table.ts';
import { ROW_FUNCTIONS } from './rows/index.ts';

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

async function measure(bench: Bench): Promise<Section[]> {
  const sections: Section[] = [];
  for (const name of bench.options.rows) {
    bench.say(`${name}:`);
    try {
      const section = await ROW_FUNCTIONS[name](bench);
      process.stdout.write(`\n${renderSection(section)}`);
      sections.push(section);
    } catch (error) {
      // One row that cannot run here must not cost the others.
      bench.say(`  row ${name} failed: ${(error as Error).stack}`);
      process.exitCode = 1;
    }
  }
  return sections;
}

/** The machine in one line, and how much of it the hypervisor took away meanwhile. */
function conditions(bench: Bench, before: MachineTimes): string {
  const after = machineTimes();
  const stolen = ((after.steal - before.steal) / Math.max(1, after.total - before.total)) * 100;
  const { proxy, load, warning } = bench.pinning;
  const pinned = warning ?? `proxy on processor ${proxy}, origin and load on ${load}`;
  return (
    `${cpus()[0]?.model ?? 'unknown processor'} × ${cpus().length}, Linux ${release()}, Node ${process.version}; ` +
    `${pinned}; stolen by the hypervisor: ${number(stolen, 1)} %; load client: ${bench.tools.wrk ? 'wrk' : 'autocannon'}`
  );
}

if (process.platform !== 'linux') {
  process.stderr.write('The bench reads /proc and runs on Linux only.\n');
  process.exit(2);
}
const options = readOptions();
const before = machineTimes();
const bench = await prepare(options);
if (bench.pinning.warning !== null) bench.say(`warning: ${bench.pinning.warning}`);
const sections = await measure(bench);
const verdicts = sections.flatMap((section) => section.verdicts);
const machine = conditions(bench, before);
process.stdout.write(`\n${verdicts.length > 0 ? renderVerdicts(verdicts) : ''}\n${machine}\n`);
if (options.json !== null) {
  const rows = sections.map(({ title, data, verdicts }) => ({ title, verdicts, data }));
  writeFileSync(options.json, `${JSON.stringify({ machine, options, rows }, null, 2)}\n`);
}
if (options.strict && verdicts.some((one) => !one.met)) process.exitCode = 1;
// The origin and whatever a failed row left behind end with this process.
process.exit();
