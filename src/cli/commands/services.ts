import { type Command, InvalidArgumentError } from 'commander';
import type {
  ServiceDetail,
  ServiceSummary,
  ServicesBody,
  SetWeightBody,
  WeightSetBody,
} from '../../admin/contract.ts';
import { createClient, type ServerOptions, servicePath } from '../client.ts';
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

export function addGet(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('get')
    .description('show the weights and endpoints of a service of a running gateway')
    .argument('<service>', 'name of the service');
  addOutput(addServer(command)).action(
    action(async (name: string, options: CommonOptions) => {
      const detail = await createClient(options, io).get<ServiceDetail>(servicePath(name));
      io.out(options.output === 'json' ? json(detail) : detailText(detail));
      return EXIT.done;
    }),
  );
}

export function addSetWeight(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('set-weight')
    .description("set a canary's weight in a running gateway, until the config of the service changes")
    .argument('<service>', 'name of the service')
    .argument('<weight>', 'percent of the users, two decimals', parseWeight)
    .option('--version <name>', 'which canary, where there are several');
  addOutput(addServer(command)).action(
    action(async (name: string, weight: number, options: CommonOptions & { version?: string }) => {
      const wanted: SetWeightBody = {
        weight,
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

function detailText(detail: ServiceDetail): string {
  const facts = [
    ['service', detail.name],
    ['match', `${detail.match.host ?? '*'}${detail.match.path}`],
    ['stage', String(detail.stage)],
    ['revision', String(detail.revision)],
    ['sticky', detail.sticky.by.join(', ') || detail.sticky.issueCookie?.name || 'no'],
    ['rules', String(detail.rules.length)],
    ['mirror', detail.mirror === null ? 'none' : `${percent(detail.mirror.percent)} to ${detail.mirror.to}`],
    ...(detail.weightSetByHand
      ? [['note', "the weight was set by hand and differs from the config file's"]]
      : []),
  ];
  const rows = detail.versions.flatMap((version) =>
    version.endpoints.map((endpoint, index) => [
      index === 0 ? version.name : '',
      index === 0 ? version.role : '',
      index === 0 ? percent(version.weight) : '',
      endpoint.url,
      endpoint.ejected ? 'ejected' : endpoint.healthy ? 'healthy' : 'unhealthy',
      String(endpoint.pending),
    ]),
  );
  return `${table(facts)}\n${table([['VERSION', 'ROLE', 'WEIGHT', 'ENDPOINT', 'HEALTH', 'PENDING'], ...rows])}`;
}

function doneText(done: WeightSetBody): string {
  const change = `${percent(done.previousWeight)} -> ${percent(done.weight)}`;
  return `${done.service}: ${done.version} ${change} (stage ${done.stage})\n${done.note}\n`;
}
