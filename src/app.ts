import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type PageFiles, readPageFiles } from './admin/page-files.ts';
import { type Admin, startAdmin } from './admin/server.ts';
import { Streams } from './admin/streams.ts';
import { carryStages } from './config/diff.ts';
import { formatIssue } from './config/issue.ts';
import { type LoadResult, loadConfig } from './config/load.ts';
import { compilePattern } from './config/pattern.ts';
import { watchFiles } from './config/watch.ts';
import { createControlApi, type Phase } from './control/api.ts';
import { createHolder, type Holder } from './control/holder.ts';
import { gateReadings, verdictReadings } from './control/judge/view.ts';
import { Live } from './control/live/live.ts';
import { createReloader, logWarnings } from './control/reload.ts';
import { type Gateway, startGateway } from './gateway/server.ts';
import { createLog, type LeveledLog } from './log.ts';
import type { Clock, Log } from './ports.ts';
import { ArmBook } from './tally/arms.ts';
import { ArmsLifetime } from './tally/arms-lifetime.ts';
import { createExposition } from './tally/exposition.ts';
import { Recorder } from './tally/recorder.ts';
import { createTracing, type Tracing } from './tracing/tracing.ts';
import { createWalking, type Walking } from './walking.ts';

export interface App {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  readonly log: Log;
  /** Reads the config again now, whether or not the file was seen to change. */
  reload(): Promise<void>;
  /** Drains: readiness fails, the listeners close, requests in flight finish. Once, however often called. */
  close(): Promise<void>;
}

export interface AppOptions {
  readonly configFile: string;
  readonly env?: Record<string, string | undefined>;
  /** Instead of JSON lines on stderr. */
  readonly log?: Log;
  /** How much faster than the wall's the clock of rollouts runs; for demos and tests. */
  readonly timeScale?: number;
}

/** What keeps a gateway from starting and is for its operator to mend; the message is complete. */
export class StartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'StartError';
  }
}

/** What is left to send of traces when the process ends may take so long. */
const TRACES_GRACE_MS = 2_000;
/** The same for `src/app.ts` and for what is built of it. */
const PAGE_FOLDER = fileURLToPath(new URL('../dist/dashboard/', import.meta.url));

const clock: Clock = { nowMs: () => performance.now(), wallMs: () => Date.now() };

/** Everything that runs, built and wired; throws a StartError with nothing left running. */
export async function startApp(options: AppOptions): Promise<App> {
  const load = () => loadConfig(options.configFile, options.env ?? process.env);
  const loaded = configOrThrow(await load());
  const { config } = loaded;
  const log = options.log === undefined ? createLog(config.log.level) : fixedLevel(options.log);
  logWarnings(log, loaded.warnings);
  const recorder = new Recorder();
  const arms = new ArmBook();
  const walking = createWalking(config, options.timeScale ?? 1, {
    recorder,
    arms,
    log,
    clock,
    holder: () => holder,
  });
  const { rollouts, board, experiments, feedback } = walking;
  const page = readPage(log);
  const holder: Holder = createHolder(carryStages(null, await walking.open(config)), config);

  let phase: Phase = 'starting';
  let gateway: Gateway | null = null;
  const tracing = createTracing({ use: (sink) => gateway?.setSpans(sink), random: Math.random, log });
  const reloader = createReloader({
    load,
    holder,
    setTls: (tls) => gateway?.setTls(tls),
    setLogLevel: log.setLevel,
    setTracing: (settings) => tracing.adopt(settings),
    prepareRollouts: (next) => rollouts.prepare(next),
    log,
    clock,
  });
  const answers = new ArmsLifetime(arms);
  const live = new Live({
    recorder,
    answers,
    rollouts,
    board,
    experiments,
    holder,
    clock,
    timeScale: options.timeScale ?? 1,
    compilePattern,
    log,
    phase: () => phase,
    reloadState: reloader.state,
    endpoints: () => gateway?.endpoints() ?? [],
  });
  const control = createControlApi({
    holder,
    phase: () => phase,
    reloadState: reloader.state,
    endpoints: () => gateway?.endpoints() ?? [],
    disagreements: (service) => gateway?.disagreements(service) ?? [],
    compilePattern,
    rollouts,
    kpis: {
      feedback: (items) => feedback.take(items),
      experiments: () => experiments.experiments(),
      experiment: (name) => experiments.experiment(name),
    },
    judge: board,
    live,
    log,
  });
  const streams = new Streams(log);
  const metrics = createExposition({
    recorder,
    answers,
    split: holder.split,
    reloads: reloader.state,
    rollouts: () => rollouts.infos(),
    gates: (services) => [...services].flatMap((name) => gateReadings(name, board.verdict(name))),
    verdicts: (services) => [...services].flatMap((name) => verdictReadings(name, board.verdict(name))),
    feedback: () => feedback.counts(),
    tracing: () => tracing.counts(),
    streams: () => streams.counts(),
  });

  // First, so that whoever asks is told "starting" and not refused.
  const admin = await listening('admin.listen', config.admin, async () =>
    startAdmin(config.admin, { control, metrics, page: await page, streams, log }),
  );
  try {
    gateway = await listening('listen', config.listener, () =>
      startGateway(config.listener, holder.split(), {
        recorder,
        arms,
        clock,
        random: Math.random,
        log,
        compilePattern,
      }),
    );
  } catch (error) {
    await admin.close();
    throw error;
  }
  if (config.tracing !== null) await tracing.adopt(config.tracing);
  holder.subscribe((split) => gateway?.swap(split));
  // After the gateway, which opens and forgets what is counted in.
  holder.subscribe((split) => answers.retain(split));
  answers.retain(holder.split());
  holder.subscribe((split) => board.follow(split));
  board.follow(holder.split());
  // Only now, with both ports ours: a second process started by mistake has ended before it wrote anything.
  walking.start();
  live.start();
  const watcher = watchFiles(reloader.files, () => void reloader.request());
  // What changed between the first reading and the watching; nothing happens if nothing did.
  void reloader.request();
  phase = 'ready';
  log.info({ gateway: gateway.url, admin: admin.url, services: config.split.services.length }, 'ready');

  let closing: Promise<void> | null = null;
  const stopWatching = () => watcher.close();
  const running: Running = { gateway, admin, holder, log, walking, live, tracing, stopWatching };
  return {
    gatewayUrl: gateway.url,
    adminUrl: admin.url,
    log,
    reload: () => reloader.request(),
    close() {
      phase = 'draining';
      closing ??= drain(running);
      return closing;
    },
  };
}

interface Running {
  readonly gateway: Gateway;
  readonly admin: Admin;
  readonly holder: Holder;
  readonly log: Log;
  readonly walking: Walking;
  readonly tracing: Tracing;
  readonly live: Live;
  stopWatching(): Promise<void>;
}

/** Readiness has failed already: load balancers get `delay` to notice, then nothing new is taken. */
async function drain(running: Running): Promise<void> {
  const { gateway, admin, holder, log, walking, live, tracing, stopWatching } = running;
  const { delayMs, timeoutMs } = holder.config().listener.drain;
  gateway.beginDrain();
  // Nobody moves while the process goes: the next one goes on from what is saved.
  await Promise.all([stopWatching(), walking.rollouts.stop()]);
  await delay(delayMs);
  const cut = await gateway.close(timeoutMs);
  if (cut > 0) log.warn({ cut }, `${cut} requests did not finish within drain.timeout and were cut`);
  // Until now, so that those who watch see it go.
  live.stop();
  await admin.close();
  await Promise.all([walking.close(), tracing.close(TRACES_GRACE_MS)]);
  log.info({}, 'drained');
}

/** A page that cannot be read keeps no gateway from its users. */
async function readPage(log: Log): Promise<PageFiles> {
  try {
    return await readPageFiles(PAGE_FOLDER);
  } catch (error) {
    log.error({ err: error }, 'the dashboard cannot be read, so it is not served');
    return new Map();
  }
}

function configOrThrow(loaded: LoadResult): LoadResult & { readonly ok: true } {
  if (loaded.ok) return loaded;
  const lines = loaded.issues.map(formatIssue);
  throw new StartError(['the config is not sound, nothing was started', ...lines].join('\n'));
}

function fixedLevel(log: Log): LeveledLog {
  return {
    debug: (fields, message) => log.debug(fields, message),
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    setLevel: () => undefined,
  };
}

/** Turns the ways in which listening fails into what to do about it. */
async function listening<T>(
  key: string,
  { host, port }: { readonly host: string; readonly port: number },
  start: () => Promise<T>,
): Promise<T> {
  try {
    return await start();
  } catch (error) {
    const advice = LISTEN_ADVICE.get((error as NodeJS.ErrnoException).code ?? '');
    if (advice === undefined) throw error;
    const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    throw new StartError(`cannot listen on ${address}: ${advice}, or change ${key} in the config`);
  }
}

const LISTEN_ADVICE = new Map([
  ['EADDRINUSE', 'the address is in use; stop the process that has it'],
  ['EACCES', 'not permitted; ports below 1024 need privileges, so take a higher one'],
  ['EADDRNOTAVAIL', 'this machine does not have the address; use one of its own or 0.0.0.0'],
  ['ENOTFOUND', 'the name does not resolve; give an address'],
]);
