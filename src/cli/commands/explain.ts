import type { Command } from 'commander';
import { type ComingStep, describeRequest, type ExplainBody } from '../../admin/contract.ts';
import { carryStages } from '../../config/diff.ts';
import { formatIssue } from '../../config/issue.ts';
import { loadConfig } from '../../config/load.ts';
import { compilePattern } from '../../config/pattern.ts';
import { comingFromStart } from '../../core/rollout/coming.ts';
import { explain } from '../../core/split/explain.ts';
import { createClient, type ServerOptions, servicePath } from '../client.ts';
import type { CommandContext } from '../context.ts';
import { json, type OutputFormat, percent, table } from '../format.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { addOutput, addServer, collect } from '../options.ts';

interface ExplainOptions extends ServerOptions {
  readonly config?: string;
  readonly key?: string;
  readonly header: readonly string[];
  readonly cookie: readonly string[];
  readonly method?: string;
  readonly path?: string;
  readonly ip?: string;
  readonly region?: string;
  readonly output: OutputFormat;
}

export function addExplain(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('explain')
    .description('say which version a request gets and why, from a config file or a running gateway')
    .argument('<service>', 'name of the service')
    .option('-c, --config <file>', 'answer from this file instead of a running gateway')
    .option('-k, --key <key>', 'the sticky key, e.g. a user id: stands for the first of sticky.by')
    .option('--header <header>', 'a header, "name: value" (repeatable)', collect, [])
    .option('--cookie <cookie>', 'a cookie, "name=value" (repeatable)', collect, [])
    .option('--method <method>', 'the method (GET if not given)')
    .option('--path <path>', 'the path, with its query (the one the service is matched by if not given)')
    .option('--ip <address>', "the client's address")
    .option('--region <region>', 'the region');
  addOutput(addServer(command)).action(
    action(async (service: string, options: ExplainOptions) => {
      if (options.config !== undefined && options.server !== undefined) {
        throw new CliError(EXIT.usage, 'give --config or --server, not both');
      }
      const params = paramsOf(options);
      const answer =
        options.config === undefined
          ? await createClient(options, io).get<ExplainBody>(`${servicePath(service)}/explain?${params}`)
          : await explainFromFile(options.config, service, params, io);
      const title = options.config === undefined ? AHEAD : FROM_START;
      io.out(options.output === 'json' ? json(answer) : textOf(answer, title));
      return EXIT.done;
    }),
  );
}

/** Both ways of answering get the question in this one form. */
function paramsOf(options: ExplainOptions): URLSearchParams {
  const params = new URLSearchParams();
  for (const name of ['key', 'method', 'path', 'ip', 'region'] as const) {
    const value = options[name];
    if (value !== undefined) params.set(name, value);
  }
  for (const header of options.header) params.append('header', header);
  for (const cookie of options.cookie) params.append('cookie', cookie);
  return params;
}

async function explainFromFile(
  file: string,
  name: string,
  params: URLSearchParams,
  io: Io,
): Promise<ExplainBody> {
  const described = describeRequest(params);
  if (!described.ok) throw new CliError(EXIT.usage, described.message);
  const loaded = await loadConfig(file, io.env);
  if (!loaded.ok)
    throw new CliError(EXIT.no, ['the config is not sound', ...loaded.issues.map(formatIssue)].join('\n'));
  const split = carryStages(null, loaded.config.split);
  const service = split.services.find((one) => one.name === name);
  if (service === undefined) {
    const names = split.services.map((one) => one.name).join(', ');
    throw new CliError(EXIT.no, `there is no service ${name}; there are: ${names}`);
  }
  const { request } = described;
  const plan = loaded.config.rollouts.find((one) => one.service === name);
  return {
    ...explain(split, service, request, compilePattern),
    coming:
      plan === undefined ? [] : comingFromStart({ split, service, plan, request, compile: compilePattern }),
  };
}

function textOf(answer: ExplainBody, comingTitle: string): string {
  const rows = [
    ['service', answer.service],
    ['version', answer.version ?? 'left to chance'],
    ['because', answer.because],
    ['reason', answer.reason],
    ['rule', answer.rule === null ? 'none holds' : answer.rule.id],
    ['key', answer.key === null ? 'none' : `${answer.key.value} (${answer.key.source})`],
    ['bucket', answer.bucket === null ? 'none' : String(answer.bucket)],
    ...answer.ranges.map((range, index) => [
      index === 0 ? 'ranges' : '',
      `${percent(range.weight)} ${range.version} in ${range.from}..${range.to - 1}`,
    ]),
    ...answer.notes.map((note) => ['note', note]),
  ];
  return table(rows) + comingText(answer.coming, comingTitle);
}

/** Nothing where nothing is ahead. */
function comingText(coming: readonly ComingStep[], title: string): string {
  if (coming.length === 0) return '';
  const head = ['STEP', 'WHAT', 'VERSION', 'BECAUSE'];
  const rows = coming.map(({ step, text, version, because }) => [
    text === 'promotion' ? '' : String(step + 1),
    text,
    version ?? 'left to chance',
    because,
  ]);
  return `\n${title}\n${table([head, ...rows])}`;
}

const AHEAD = 'ahead, as the rollout goes on';
const FROM_START = 'once its rollout begins';
