import { type Command, Option } from 'commander';
import { DEFAULT_SERVER } from './client.ts';

/** Options that several commands share. */

export function addOutput(command: Command): Command {
  return command.addOption(
    new Option('-o, --output <format>', 'how to print the answer').choices(['text', 'json']).default('text'),
  );
}

export function addServer(command: Command): Command {
  return command
    .option(
      '--server <url>',
      `admin address of a running gateway (or COALMINE_ADMIN; else ${DEFAULT_SERVER})`,
    )
    .option(
      '--token-file <file>',
      'file that holds the admin token (or COALMINE_TOKEN holds the token itself)',
    );
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
