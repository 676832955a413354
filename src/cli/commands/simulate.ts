import { type Command, InvalidArgumentError, Option } from 'commander';
import { formatIssue } from '../../config/issue.ts';
import { type Config, loadConfig } from '../../config/load.ts';
import { compilePattern } from '../../config/pattern.ts';
import { argoDurationMs } from '../../config/quantity.ts';
import { durationText } from '../../core/rollout/describe.ts';
import type { RolloutPlan } from '../../core/rollout/plan.ts';
import type { Fault } from '../../core/simulation/behaviour.ts';
import { seeded } from '../../core/simulation/draws.ts';
import { type Play, type PlayEvent, play } from '../../core/simulation/play.ts';
import type { CommandContext } from '../context.ts';
import { json, type OutputFormat, percent, table } from '../format.ts';
import { CliError, EXIT, type Io } from '../io.ts';
import { addOutput } from '../options.ts';

interface SimulateOptions {
  readonly service?: string;
  readonly traffic: number;
  readonly fault: readonly Fault[];
  readonly latency: number;
  readonly errors: number;
  readonly until: number;
  readonly seed: number;
  readonly measure: ReadonlyMap<string, unknown>;
  /** True: given without a time. */
  readonly promote?: number | true;
  readonly expect?: 'completed' | 'aborted';
  readonly output: OutputFormat;
}

const DEFAULT_PROMOTE_MS = 60_000;
/** A play's cost rises with its requests and its length; both are far beyond what is needed. */
const MAX_TRAFFIC = 1_000_000;
const MAX_UNTIL_MS = 30 * 86_400_000;

export function addSimulate(program: Command, { io, action }: CommandContext): void {
  const command = program
    .command('simulate')
    .description('play a rollout in virtual time and say what would happen when, before anyone is exposed')
    .argument('<file>', 'YAML config file')
    .option('--service <name>', 'which service (the only one with a rollout if not given)')
    .option('--traffic <rps>', 'requests a second of the whole service', parseTraffic, 100)
    .option(
      '--fault <fault>',
      'what goes wrong with the canary and from when on: 5xx=0.05@10m, latency=500ms@5m (repeatable)',
      parseFault,
      [],
    )
    .option('--latency <time>', 'median time of the answers of both versions', parseDuration, 20)
    .option('--errors <share>', 'share of 5xx of both versions without a fault, such as 0.001', parseShare, 0)
    .option(
      '--measure <name=value>',
      'value of a metric, instead of a simulated one (repeatable)',
      parseMeasure,
      new Map(),
    )
    .option('--promote [after]', 'promote indefinite pauses after this time (1m if not given)', parseDuration)
    .option('--until <time>', 'how long to play at most', parseUntil, 86_400_000)
    .option('--seed <number>', 'of the drawn requests: equal seeds, equal plays', parseSeed, 1)
    .addOption(
      new Option('--expect <end>', 'exit code 1 unless it ends so').choices(['completed', 'aborted']),
    );
  addOutput(command).action(
    action(async (file: string, options: SimulateOptions) => simulate(file, options, io)),
  );
}

async function simulate(file: string, options: SimulateOptions, io: Io): Promise<number> {
  const loaded = await loadConfig(file, io.env);
  if (!loaded.ok) {
    throw new CliError(EXIT.no, ['the config is not sound', ...loaded.issues.map(formatIssue)].join('\n'));
  }
  const plan = planOf(loaded.config, options.service);
  const service = loaded.config.split.services.find(({ name }) => name === plan.service);
  const played = play({
    plan,
    ratePerS: options.traffic,
    medianMs: options.latency,
    errorShare: options.errors,
    faults: options.fault,
    random: seeded(options.seed),
    edgesMs: service?.latencyEdgesMs ?? [],
    untilMs: options.until,
    given: options.measure,
    promoteAfterMs: promoteAfterMs(options.promote),
    compile: compilePattern,
  });
  warn(played, options, io);
  io.out(options.output === 'json' ? json(wireOf(plan, options, played)) : textOf(plan, options, played));
  return options.expect === undefined || options.expect === played.end.status ? EXIT.done : EXIT.no;
}

function planOf({ rollouts }: Config, name: string | undefined): RolloutPlan {
  const names = rollouts.map(({ service }) => service).join(', ');
  if (rollouts.length === 0) throw new CliError(EXIT.no, 'no service of the config has a rollout');
  if (name === undefined) {
    const [only] = rollouts;
    if (only !== undefined && rollouts.length === 1) return only;
    throw new CliError(EXIT.usage, `give --service: there are ${names}`);
  }
  const plan = rollouts.find(({ service }) => service === name);
  if (plan === undefined) throw new CliError(EXIT.no, `${name} has no rollout; there are: ${names}`);
  return plan;
}

function promoteAfterMs(given: number | true | undefined): number | null {
  return given === true ? DEFAULT_PROMOTE_MS : (given ?? null);
}

/** On stderr, whatever the format: without these the play says less than it seems to. */
function warn(played: Play, { measure }: SimulateOptions, io: Io): void {
  for (const { metric, reason } of played.unsimulated) {
    io.err(
      `coalmine: NOT SIMULATED: metric ${metric}: ${reason}. Its measurements brought no data; give --measure ${metric}=VALUE\n`,
    );
  }
  for (const name of measure.keys()) {
    if (!played.metrics.includes(name)) {
      io.err(
        `coalmine: --measure ${name}: there is no such metric; there are: ${played.metrics.join(', ')}\n`,
      );
    }
  }
}

function wireOf({ service, stable, canary }: RolloutPlan, options: SimulateOptions, played: Play): object {
  const { traffic, seed, fault } = options;
  return { service, stable, canary, traffic, seed, faults: fault, ...played };
}

function textOf(plan: RolloutPlan, { traffic, seed }: SimulateOptions, played: Play): string {
  const { end, requests, exposed, failed, assumptions } = played;
  const rows = played.events.flatMap(rowsOf);
  const lines = [
    `${plan.service}: ${plan.canary} against ${plan.stable}, ${traffic} requests a second, seed ${seed}`,
    '',
    table([['TIME', 'EVENT', 'WEIGHT', 'EXPOSED', 'FAILED', 'WHAT'], ...rows]),
    `${endText(end)} after ${timeText(end.atMs)} at ${percent(end.weight)}: ${end.message}`,
    `${requests} requests, ${exposed} of them to ${plan.canary} (${shareText(exposed, requests)}); ${failed} of those failed`,
    ...assumptions.map((note) => `note: ${note}`),
  ];
  return `${lines.join('\n')}\n`;
}

function endText({ status, why }: Play['end']): string {
  return status === 'completed' || status === 'aborted' ? status : `still ${status} (${why})`;
}

/** The evidence of an event stands below it, unless the event before has told it already. */
function rowsOf(event: PlayEvent, index: number, all: readonly PlayEvent[]): string[][] {
  const { atMs, kind, weight, exposed, failed, cause, evidence } = event;
  const before = all[index - 1]?.evidence ?? [];
  const fresh = evidence.filter((line) => !before.includes(line));
  return [
    [timeText(atMs), kind, percent(weight), String(exposed), String(failed), cause],
    ...fresh.map((line) => ['', '', '', '', '', `- ${line}`]),
  ];
}

function timeText(ms: number): string {
  return ms === 0 ? '0s' : durationText(ms);
}

function shareText(part: number, whole: number): string {
  return percent(whole === 0 ? 0 : Number(((part / whole) * 100).toFixed(2)));
}

function parseTraffic(text: string): number {
  const rate = Number(text);
  if (text.trim() === '' || !(rate > 0 && rate <= MAX_TRAFFIC)) {
    throw new InvalidArgumentError(`It must be a number over 0, at most ${MAX_TRAFFIC}.`);
  }
  return rate;
}

function parseShare(text: string): number {
  const share = shareOf(text);
  if (share === null) throw new InvalidArgumentError('It must be a share from 0 to 1, or a percentage.');
  return share;
}

/** `0.05` or `5%`. */
function shareOf(text: string): number | null {
  const found = /^(\d+\.?\d*|\.\d+)(%?)$/.exec(text);
  if (found === null) return null;
  const share = Number(found[1]) / (found[2] === '%' ? 100 : 1);
  return share <= 1 ? share : null;
}

function parseDuration(text: string): number {
  const ms = argoDurationMs(text);
  if (ms === null) throw new InvalidArgumentError('It must be a time such as 500ms, 90s, 10m or 1h30m.');
  return ms;
}

function parseUntil(text: string): number {
  const ms = parseDuration(text);
  if (ms < 1_000 || ms > MAX_UNTIL_MS) throw new InvalidArgumentError('It must be from 1s to 30d.');
  return ms;
}

function parseSeed(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}

function parseFault(text: string, before: readonly Fault[]): readonly Fault[] {
  const [, kind, amount = '', time] = /^(5xx|latency)=([^@]+)(?:@(.+))?$/.exec(text) ?? [];
  const atMs = time === undefined ? 0 : argoDurationMs(time);
  const share = kind === '5xx' ? shareOf(amount) : null;
  const addMs = kind === 'latency' ? argoDurationMs(amount) : null;
  if (atMs !== null && share !== null) return [...before, { kind: '5xx', share, atMs }];
  if (atMs !== null && addMs !== null) return [...before, { kind: 'latency', addMs, atMs }];
  throw new InvalidArgumentError('Write 5xx=0.05@10m or latency=500ms@5m.');
}

/** A value that is JSON is taken as that, anything else as text. */
function parseMeasure(text: string, before: ReadonlyMap<string, unknown>): ReadonlyMap<string, unknown> {
  const at = text.indexOf('=');
  if (at <= 0) throw new InvalidArgumentError('Write NAME=VALUE, such as success-rate=0.999.');
  return new Map([...before, [text.slice(0, at), parsedValue(text.slice(at + 1))]]);
}

function parsedValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
