import { type Command, InvalidArgumentError } from 'commander';
import type { RolloutView } from '../../admin/contract.ts';
import { durationMs } from '../../config/quantity.ts';
import { createClient, type ServerOptions } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { follow } from '../follow.ts';
import type { OutputFormat } from '../format.ts';
import { EXIT, type Io } from '../io.ts';
import { changeKey, summaryText } from '../live-draw.ts';
import { addOutput, addServer } from '../options.ts';
import { plain } from '../terminal.ts';

interface StatusOptions extends ServerOptions {
  readonly output: OutputFormat;
  readonly timeout?: Timeout;
}

interface Timeout {
  readonly text: string;
  /** Null: never. */
  readonly ms: number | null;
}

/** Longest wait of a timer. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export function addStatus(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('status')
    .description('wait until the rollout of a service is Healthy (exit code 0) or Degraded (1)')
    .argument('<service>', 'name of the service')
    .option('--timeout <time>', 'give up with exit code 1 after so long; 0 for never', parseTimeout);
  addOutput(addServer(command)).action(
    action((name: string, options: StatusOptions) => awaitEnd(name, options, io)),
  );
}

async function awaitEnd(name: string, options: StatusOptions, io: Io): Promise<number> {
  const given = new AbortController();
  const { text: patience = '', ms = null } = options.timeout ?? {};
  const timer = ms === null ? undefined : setTimeout(() => given.abort(), ms);
  let last: RolloutView | null = null;
  let trouble = '';
  try {
    for await (const sight of follow(createClient(options, io), name, io, {
      entries: 0,
      atLeastOnce: true,
      signal: given.signal,
    })) {
      if (sight.kind === 'lost') {
        if (trouble === '') io.err(`coalmine: ${sight.message}; asking again\n`);
        trouble = sight.message;
        continue;
      }
      trouble = '';
      if (last === null || changeKey(withoutDetails(sight.view)) !== changeKey(withoutDetails(last))) {
        io.out(textOf(sight.view, options.output));
      }
      last = sight.view;
      if (last.phase === 'Healthy') return EXIT.done;
      if (last.phase === 'Degraded') return EXIT.no;
    }
  } finally {
    clearTimeout(timer);
  }
  io.err(`coalmine: ${lateText(name, last, trouble)} after ${patience}\n`);
  return EXIT.no;
}

/** Measurements and gates that change no phase are for `get -w`. */
function withoutDetails(view: RolloutView): RolloutView {
  return { ...view, analyses: [], gates: [], verdict: null };
}

function textOf(view: RolloutView, output: OutputFormat): string {
  if (output === 'json') return `${JSON.stringify(view)}\n`;
  return `${plain(summaryText(view))}\n`;
}

function lateText(name: string, last: RolloutView | null, trouble: string): string {
  if (last === null || trouble !== '') return `the gateway still does not tell the state of ${name}`;
  return `the rollout of ${name} is still ${last.phase}`;
}

function parseTimeout(text: string): Timeout {
  const ms = text === '0' ? 0 : durationMs(text);
  if (ms === null || ms > MAX_TIMEOUT_MS) {
    throw new InvalidArgumentError('It must be a time such as 90s, 10m or 2h, at most 24d.');
  }
  return { text, ms: ms === 0 ? null : ms };
}
