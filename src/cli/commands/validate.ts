import type { Command } from 'commander';
import { type ConfigIssue, formatIssue } from '../../config/issue.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import type { CommandContext } from '../context.ts';
import { count, json, type OutputFormat } from '../format.ts';
import { EXIT, type Io } from '../io.ts';
import { addOutput } from '../options.ts';

interface Checked {
  readonly file: string;
  readonly ok: boolean;
  readonly issues: readonly ConfigIssue[];
  /** What works but is seldom meant. */
  readonly warnings: readonly ConfigIssue[];
  readonly config: Config | null;
}

export function addValidate(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('validate')
    .alias('lint')
    .description('check config files; exit code 1 and every problem with its place if one is not sound')
    .argument('<files...>', 'YAML config files');
  addOutput(command).action(
    action(async (files: string[], options: { output: OutputFormat }) => {
      const checked: Checked[] = [];
      for (const file of files) checked.push(await check(file, io));
      io.out(options.output === 'json' ? json(checked.map(wireOf)) : checked.map(textOf).join(''));
      return checked.every(({ ok }) => ok) ? EXIT.done : EXIT.no;
    }),
  );
}

async function check(file: string, io: Io): Promise<Checked> {
  const loaded = await loadConfig(file, io.env);
  return loaded.ok
    ? { file, ok: true, issues: [], warnings: loaded.warnings ?? [], config: loaded.config }
    : { file, ok: false, issues: loaded.issues, warnings: [], config: null };
}

function textOf({ file, issues, warnings, config }: Checked): string {
  if (config === null) return issues.map((issue) => `${formatIssue(issue)}\n`).join('');
  const versions = config.split.services.reduce((sum, service) => sum + service.versions.length, 0);
  const summary = `${file}: ok (${count(config.split.services.length, 'service')}, ${count(versions, 'version')})\n`;
  return warnings.map((warning) => `${formatIssue(warning)} (warning)\n`).join('') + summary;
}

function wireOf({ file, ok, issues, warnings }: Checked): object {
  return { file, ok, issues, warnings };
}
