import type { Command } from 'commander';
import type { RolloutBody, RolloutCommandBody, RolloutVerb } from '../../admin/contract.ts';
import { actorOf, createClient, rolloutPath, type ServerOptions } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { json, type OutputFormat } from '../format.ts';
import { EXIT } from '../io.ts';
import { summaryText } from '../live-draw.ts';
import { addOutput, addServer } from '../options.ts';
import { plain } from '../terminal.ts';

/** What a person tells a rollout; each command prints what is the case after it. */

interface VerbOptions extends ServerOptions {
  readonly output: OutputFormat;
  readonly full?: boolean;
  readonly reason?: string;
}

const DESCRIPTIONS: Readonly<Record<RolloutVerb, string>> = {
  start: 'begin the rollout of a service, or begin it anew',
  promote: 'go on: end the pause under way, or else the current step',
  pause: 'hold a rollout where it is, until resume',
  resume: 'let a paused rollout go on',
  abort: 'take a rollout back: everyone gets stable at once',
  retry: 'begin an aborted rollout again, from its first step',
  undo: 'go back to the version before: everyone gets stable, also after the rollout is done',
};

export function addVerbs(program: Command, context: CommandContext): void {
  for (const verb of Object.keys(DESCRIPTIONS) as RolloutVerb[]) addVerb(program, context, verb);
}

function addVerb(program: Command, { io, action }: CommandContext, verb: RolloutVerb): void {
  const command = program
    .command(verb)
    .description(DESCRIPTIONS[verb])
    .argument('<service>', 'name of the service');
  if (verb === 'promote') command.option('--full', 'skip all steps and analyses that are left');
  if (verb === 'abort') command.option('--reason <text>', 'why, for the history');
  addOutput(addServer(command)).action(
    action(async (name: string, { full, reason, ...options }: VerbOptions) => {
      const asked: RolloutCommandBody = {
        actor: actorOf(io),
        ...(full === undefined ? {} : { full }),
        ...(reason === undefined ? {} : { reason }),
      };
      const view = await createClient(options, io).post<RolloutBody>(`${rolloutPath(name)}/${verb}`, asked);
      io.out(options.output === 'json' ? json(view) : `${name}: ${plain(summaryText(view))}\n`);
      return EXIT.done;
    }),
  );
}
