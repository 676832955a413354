import type { Command } from 'commander';
import { configReference } from '../../config/reference.ts';
import { configSchema } from '../../config/schema.ts';
import type { CommandContext } from '../context.ts';
import { json } from '../format.ts';
import { EXIT } from '../io.ts';

export function addSchema(program: Command, { io, action }: CommandContext): void {
  program
    .command('schema')
    .description('print the JSON Schema of the config, which editors complete from')
    .option('--markdown', 'print it as the reference for people instead')
    .action(
      action((options: { markdown?: boolean }) => {
        io.out(options.markdown === true ? configReference() : json(configSchema()));
        return EXIT.done;
      }),
    );
}
