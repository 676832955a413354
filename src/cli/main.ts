import { Command, CommanderError } from 'commander';
import { addDemo } from './commands/demo.ts';
import { addExperiment } from './commands/experiment.ts';
import { addExplain } from './commands/explain.ts';
import { addGet } from './commands/get.ts';
import { addHistory } from './commands/history.ts';
import { addImport } from './commands/import.ts';
import { addVerbs } from './commands/rollout.ts';
import { addRun } from './commands/run.ts';
import { addSchema } from './commands/schema.ts';
import { addList, addSetWeight } from './commands/services.ts';
import { addSimulate } from './commands/simulate.ts';
import { addStatus } from './commands/status.ts';
import { addValidate } from './commands/validate.ts';
import type { CommandContext, LongCommands } from './context.ts';
import { CliError, EXIT, type Io } from './io.ts';

/** Runs one command line (without node and script); resolves with the exit code and never rejects. */
export async function runCli(args: readonly string[], io: Io, long: LongCommands): Promise<number> {
  let exitCode: number = EXIT.done;
  const context: CommandContext = {
    ...long,
    io,
    action:
      (work) =>
      async (...args) => {
        exitCode = await work(...args);
      },
  };
  try {
    await buildProgram(context).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    return exitCodeOf(error, io);
  }
}

function buildProgram(context: CommandContext): Command {
  const { io } = context;
  const program = new Command('coalmine');
  program
    .description('A canary gateway for model services.')
    .version(io.version, '-V, --version', 'print the version')
    // So that an option after a command is that command's: set-weight has a --version of its own.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.err })
    .showHelpAfterError('(add --help for the options)')
    .addHelpText('after', '\nExit codes: 0 done, 1 the answer is no, 2 wrong usage.');
  for (const add of COMMANDS) add(program, context);
  return program;
}

const COMMANDS = [
  addRun,
  addDemo,
  addSimulate,
  addValidate,
  addImport,
  addExplain,
  addList,
  addGet,
  addStatus,
  addExperiment,
  addVerbs,
  addSetWeight,
  addHistory,
  addSchema,
];

/** Commander ends with 1 on wrong usage; here that is 2, and 1 is an answer. */
function exitCodeOf(error: unknown, io: Io): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (error instanceof CliError) {
    io.err(`coalmine: ${error.message}\n`);
    return error.exitCode;
  }
  io.err(`coalmine: unexpected error\n${error instanceof Error ? error.stack : String(error)}\n`);
  return EXIT.no;
}
