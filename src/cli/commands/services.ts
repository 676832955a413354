import { type Command, InvalidArgumentError } from 'commander';
import type { ServiceSummary, ServicesBody, SetWeightBody, WeightSetBody } from '../../admin/contract.ts';
import { actorOf, createClient, type ServerOptions, servicePath } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { json, type OutputFormat, percent, table } from '../format.ts';
import { EXIT } from '../io.ts';
import { addOutput, addServer } from '../options.ts';

interface CommonOptions extends ServerOptions {
  readonly output: OutputFormat;
}

export function addList(program: Command, { io, action }: CommandContext): void {
  const command = program.command('list').description('list the services of a running gateway');
  addOutput(addServer(command)).action(
    action(async (options: CommonOptions) => {
      const body = await createClient(options, io).get<ServicesBody>('/services');
      io.out(options.output === 'json' ? json(body) : listText(body.services));
      return EXIT.done;
    }),
  );
}

export function addSetWeight(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('set-weight')
    .description("set a canary's weight in a running gateway, until its config or its rollout sets another")
    .argument('<service>', 'name of the service')
    .argument('<weight>', 'percent of the users, two decimals', parseWeight)
    .option('--version <name>', 'which canary, where there are several');
  addOutput(addServer(command)).action(
    action(async (name: string, weight: number, options: CommonOptions & { version?: string }) => {
      const wanted: SetWeightBody = {
        weight,
        actor: actorOf(io),
        ...(options.version === undefined ? {} : { version: options.version }),
      };
      const done = await createClient(options, io).put<WeightSetBody>(`${servicePath(name)}/weight`, wanted);
      io.out(options.output === 'json' ? json(done) : doneText(done));
      return EXIT.done;
    }),
  );
}

function parseWeight(text: string): number {
  const weight = Number(text);
  if (!/^\d{1,3}(\.\d{1,2})?$/.test(text) || weight > 100) {
    throw new InvalidArgumentError('It must be a number from 0 to 100 with two decimals at most.');
  }
  return weight;
}

function listText(services: readonly ServiceSummary[]): string {
  const rows = services.map((service) => [
    service.name,
    `${service.match.host ?? '*'}${service.match.path}`,
    service.versions.map(({ name, role, weight }) => `${name} ${percent(weight)} (${role})`).join(', '),
    service.mirror ?? '-',
    service.versions.map(({ endpoints }) => `${endpoints.healthy}/${endpoints.total}`).join(' '),
  ]);
  return table([['SERVICE', 'MATCH', 'VERSIONS', 'MIRROR', 'HEALTHY'], ...rows]);
}

function doneText(done: WeightSetBody): string {
  const change = `${percent(done.previousWeight)} -> ${percent(done.weight)}`;
  return `${done.service}: ${done.version} ${change} (stage ${done.stage})\n${done.note}\n`;
}
