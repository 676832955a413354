import type { Command } from 'commander';
import type { ExperimentBody, VariantView } from '../../admin/contract.ts';
import { duration } from '../../core/judge/words.ts';
import { createClient, type ServerOptions } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { json, type OutputFormat, percent, table } from '../format.ts';
import { EXIT } from '../io.ts';
import { addOutput, addServer } from '../options.ts';
import { plain } from '../terminal.ts';

interface ExperimentOptions extends ServerOptions {
  readonly output: OutputFormat;
}

export function addExperiment(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('experiment')
    .description('show the A/B test of a service: its verdict, its variants, and when it will be decided')
    .argument('<service>', 'name of the service');
  addOutput(addServer(command)).action(
    action(async (name: string, options: ExperimentOptions) => {
      const path = `/experiments/${encodeURIComponent(name)}`;
      const view = await createClient(options, io).get<ExperimentBody>(path);
      io.out(options.output === 'json' ? json(view) : textOf(view).split('\n').map(plain).join('\n'));
      return EXIT.done;
    }),
  );
}

const STATES: Readonly<Record<ExperimentBody['state'], string>> = {
  winner: 'winner',
  equivalent: 'equivalent',
  continue: 'undecided, go on',
  error: 'the counts cannot be believed',
  idle: 'nothing is compared',
};

function verdictOf({ state, winner, leaders, variants }: ExperimentBody): string {
  const compared = variants.filter((one) => one.state !== 'off' && one.state !== 'stopped');
  const isOpen = leaders.length === compared.length;
  switch (state) {
    case 'winner':
      return `${STATES[state]} ${winner}`;
    case 'equivalent':
      return `${STATES[state]}: ${isOpen ? 'no variant matters' : `${leaders.join(', ')}; the others are behind`}`;
    case 'continue':
      return `${STATES[state]}${isOpen ? '' : `; the best is one of ${leaders.join(', ')}`}`;
    default:
      return STATES[state];
  }
}

function textOf(view: ExperimentBody): string {
  const { service, kpi, alpha, state, remainingMs, problems, variants } = view;
  const began = view.began.replace('T', ' ').replace(/\.\d+Z$/, 'Z');
  const facts = [
    ['Experiment:', `${service}, ${kpi}, alpha ${alpha}`],
    ['Began:', `${began}, ${duration(view.elapsedMs)} ago`],
    ['Verdict:', verdictOf(view)],
    ...(state === 'continue'
      ? [['Remaining:', remainingMs === null ? 'not foreseeable' : `about ${duration(remainingMs)}`]]
      : []),
    ...problems.map((problem) => ['Problem:', problem]),
  ];
  const rows = variants.map((one) => [
    one.name,
    percent(one.weight),
    String(one.users),
    String(one.converted),
    shareText(one.conversion),
    ratioText(one.ratio),
    one.state,
    one.guardrails === null ? '-' : one.guardrails.state,
  ]);
  const head = ['VARIANT', 'WEIGHT', 'USERS', 'WITH EVENT', 'SHARE', 'AGAINST STABLE', 'STATE', 'GATES'];
  return `${table(facts)}\n${table([head, ...rows])}${notesOf(view, variants)}`;
}

function notesOf({ text }: ExperimentBody, variants: readonly VariantView[]): string {
  const stops = variants.flatMap(({ name, stopped }) =>
    stopped === null ? [] : [`${name} was stopped by a guardrail at ${stopped.at}: ${stopped.because}`],
  );
  return `\n${[text, ...stops].filter((line) => line !== '').join('\n')}\n`;
}

function shareText(estimate: VariantView['conversion']): string {
  if (estimate === null || estimate.value === null) return '-';
  const part = (share: number | null) => (share === null ? '?' : (share * 100).toFixed(2));
  return `${part(estimate.value)} % (${part(estimate.low)} to ${part(estimate.high)})`;
}

function ratioText(ratio: VariantView['ratio']): string {
  if (ratio === null || ratio.value === null) return '-';
  const part = (value: number | null) => (value === null ? 'any' : value.toFixed(3));
  return `x ${part(ratio.value)} (${part(ratio.low)} to ${part(ratio.high)})`;
}
