import type { Command } from 'commander';
import type { RolloutView, ServiceDetail } from '../../admin/contract.ts';
import {
  type Client,
  createClient,
  RefusedError,
  rolloutPath,
  type ServerOptions,
  servicePath,
} from '../client.ts';
import type { CommandContext } from '../context.ts';
import { json, type OutputFormat, percent, table } from '../format.ts';
import { EXIT } from '../io.ts';
import { watchRollout } from '../live.ts';
import { drawRollout } from '../live-draw.ts';
import { addOutput, addServer } from '../options.ts';

interface GetOptions extends ServerOptions {
  readonly output: OutputFormat;
  readonly watch?: boolean;
}

export function addGet(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('get')
    .description('show the weights, endpoints and rollout of a service of a running gateway')
    .argument('<service>', 'name of the service')
    .option('-w, --watch', 'show its rollout live, until Ctrl-C; in a pipe a line for each change');
  addOutput(addServer(command)).action(
    action(async (name: string, options: GetOptions) => {
      const client = createClient(options, io);
      if (options.watch === true) return watchRollout(client, name, io, options.output);
      const detail = await client.get<ServiceDetail>(servicePath(name));
      const rollout = await rolloutOf(client, name);
      io.out(options.output === 'json' ? json({ ...detail, rollout }) : textOf(detail, rollout));
      return EXIT.done;
    }),
  );
}

/** Null: the service has none. */
async function rolloutOf(client: Client, name: string): Promise<RolloutView | null> {
  try {
    return await client.get<RolloutView>(rolloutPath(name));
  } catch (error) {
    if (error instanceof RefusedError && error.code === 'no_rollout') return null;
    throw error;
  }
}

function textOf(detail: ServiceDetail, rollout: RolloutView | null): string {
  if (rollout === null) return detailText(detail);
  const lines = drawRollout(rollout, []).map(({ text }) => `${text}\n`);
  return `${detailText(detail)}\n${lines.join('')}`;
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
