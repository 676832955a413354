import { type Command, InvalidArgumentError } from 'commander';
import type { HistoryBody, HistoryView } from '../../admin/contract.ts';
import { createClient, rolloutPath, type ServerOptions } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { json, type OutputFormat, percent } from '../format.ts';
import { EXIT } from '../io.ts';
import { timeText } from '../live-draw.ts';
import { line, type Row, rows } from '../live-line.ts';
import { addOutput, addServer } from '../options.ts';

interface HistoryOptions extends ServerOptions {
  readonly output: OutputFormat;
  readonly limit?: number;
}

export function addHistory(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('history')
    .description('what happened to the rollouts of a service: when, by whom, why, and on what evidence')
    .argument('<service>', 'name of the service')
    .option('--limit <number>', 'the newest only, so many', parseLimit);
  addOutput(addServer(command)).action(
    action(async (name: string, options: HistoryOptions) => {
      const query = options.limit === undefined ? '' : `?limit=${options.limit}`;
      const path = `${rolloutPath(name)}/history${query}`;
      const { history } = await createClient(options, io).get<HistoryBody>(path);
      io.out(options.output === 'json' ? json(history) : textOf(history));
      return EXIT.done;
    }),
  );
}

function parseLimit(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 up.');
  return Number(text);
}

const HEAD: Row = { cells: ['TIME', 'ROLLOUT', 'STEP', 'WEIGHT', 'EVENT', 'ACTOR', 'CAUSE'] };
const NUMBERS = new Set([1, 2, 3]);

/** Newest last, the evidence under what it led to. */
function textOf(history: readonly HistoryView[]): string {
  if (history.length === 0) return 'nothing has happened yet\n';
  const table = history.map(
    ({ at, number, step, weight, kind, actor, cause, evidence }): Row => ({
      cells: [
        timeText(at),
        String(number),
        step === null ? '-' : String(step + 1),
        percent(weight),
        kind,
        actor,
        cause,
      ],
      below: evidence.map((text) => line(`    ${text}`)),
    }),
  );
  return rows(0, NUMBERS, [HEAD, ...table])
    .map(({ text }) => `${text}\n`)
    .join('');
}
