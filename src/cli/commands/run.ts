import type { Command } from 'commander';
import type { CommandContext } from '../context.ts';

export function addRun(program: Command, { run, action }: CommandContext): void {
  program
    .command('run')
    .description('run the gateway until SIGTERM or Ctrl-C; SIGHUP reads the config again')
    .requiredOption('-c, --config <file>', 'the YAML config; edits are taken over while running')
    .action(action((options: { config: string }) => run({ configFile: options.config })));
}
