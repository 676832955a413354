import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from '../context.ts';

interface TypedOptions {
  readonly config: string;
  readonly timeScale?: number;
}

export function addRun(program: Command, { run, action }: CommandContext): void {
  program
    .command('run')
    .description('run the gateway until SIGTERM or Ctrl-C; SIGHUP reads the config again')
    .requiredOption('-c, --config <file>', 'the YAML config; edits are taken over while running')
    .option(
      '--time-scale <factor>',
      "let the rollouts' clock run so many times as fast, for tests and demos",
      parseFactor,
    )
    .action(
      action(({ config, timeScale }: TypedOptions) =>
        run({ configFile: config, ...(timeScale === undefined ? {} : { timeScale }) }),
      ),
    );
}

function parseFactor(text: string): number {
  const factor = Number(text);
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || factor <= 0) {
    throw new InvalidArgumentError('It must be a number above 0, such as 60.');
  }
  return factor;
}
