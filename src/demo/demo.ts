import { randomBytes } from 'node:crypto';
import { basename, extname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Crowd, startCrowd } from './crowd.ts';
import { CrowdStats } from './crowd-stats.ts';
import { interrupted } from './interrupt.ts';
import { introduction } from './introduction.ts';
import { fetchMirrorCounts } from './mirror-counts.ts';
import { type ModelProcess, startModelProcess } from './model-process.ts';
import { type DemoLog, Notices } from './notices.ts';
import { type DemoOptions, type RawDemoOptions, readDemoOptions } from './options.ts';
import { choosePort } from './ports.ts';
import { fetchRollout, type Rollout } from './rollout.ts';
import { createScreen, type Output, type Screen } from './screen.ts';
import { makeStateFolder } from './state-folder.ts';
import type { MirrorCounts, Picture } from './view.ts';

/** The running gateway, as far as the demo needs it. */
export interface DemoApp {
  readonly gatewayUrl: string;
  readonly adminUrl: string;
  close(): Promise<void>;
}

/** Starts the gateway; the caller hands it in, so that the demo depends on none of it. */
export type StartApp = (options: {
  configFile: string;
  env: Record<string, string | undefined>;
  log: DemoLog;
}) => Promise<DemoApp>;

/** What the demo knows of the process it runs in. */
export interface DemoIo {
  readonly output: Output;
  /** Takes what is wrong with the options, or with the start. */
  complain(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly startApp: StartApp;
}

const HOST = '127.0.0.1';
const USUAL_PORT = 8080;
const USUAL_ADMIN_PORT = 9090;
const SERVICE = 'iris-api';
const ROLES: ReadonlyMap<string, string> = new Map([
  ['v1', 'stable'],
  ['v2', 'canary'],
]);
const CONFIG_FILE = shortPath(fileURLToPath(new URL('../../config/demo.yaml', import.meta.url)));

/** `coalmine demo` with its options as typed; resolves with the exit code, 2 for wrong usage. */
export async function demoCommand(raw: RawDemoOptions, io: DemoIo): Promise<number> {
  const read = readDemoOptions(raw);
  if (read.ok) return runDemo(read.options, io);
  for (const problem of read.problems) io.complain(`coalmine demo: ${problem}\n`);
  return 2;
}

/**
 * Two model services as processes, the gateway in front of them, and a crowd of users, shown live. Ends
 * after the given time or on Ctrl-C. Resolves, when everything is gone, with the exit code: 0, or 1 when
 * something could not start.
 */
export async function runDemo(options: DemoOptions, io: DemoIo): Promise<number> {
  const screen = createScreen(io.output, io.env);
  const stop = interrupted(() => screen.end(null));
  const parts = new Parts();
  try {
    await play({ options, io, screen, stop: stop.signal, parts });
    return 0;
  } catch (error) {
    // Ctrl-C while the models start takes them along, which is no failure.
    if (stop.signal.aborted) return 0;
    io.complain(`coalmine demo: ${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  } finally {
    await parts.close();
    stop.release();
  }
}

interface Stage {
  readonly options: DemoOptions;
  readonly io: DemoIo;
  readonly screen: Screen;
  readonly stop: AbortSignal;
  readonly parts: Parts;
}

/** What has been started, ended in reverse order. */
class Parts {
  readonly #closers: (() => Promise<void>)[] = [];

  add<T extends { close(): Promise<void> }>(part: T): T {
    this.#closers.push(() => part.close());
    return part;
  }

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

async function play(stage: Stage): Promise<void> {
  const { options, io, screen, parts } = stage;
  const notices = new Notices(screen.say, nowMs);
  const state = parts.add(await makeStateFolder());
  const [v1, v2] = await startModels(options, notices, parts);
  const app = parts.add(
    await io.startApp({
      configFile: CONFIG_FILE,
      env: { ...io.env, ...(await configEnv(options, v1, v2)), DEMO_STATE_DIR: state.path },
      log: notices.log(),
    }),
  );
  const about = {
    gatewayUrl: app.gatewayUrl,
    adminUrl: app.adminUrl,
    service: SERVICE,
    configFile: CONFIG_FILE,
    canaryUrl: v2.url,
    users: options.users,
    durationMs: options.durationMs,
    command: commandName(process.argv[1]),
  };
  for (const line of introduction(about)) screen.say(line);
  const stats = new CrowdStats();
  const crowd = startCrowd({
    plan: { ratePerS: options.ratePerS, users: options.users, anonymousShare: 0.2, seed: 1936 },
    url: `${app.gatewayUrl}/predict`,
    stats,
    maxInFlight: 256,
    timeoutMs: 10_000,
    nowMs,
  });
  await watch(stage, crowd, stats, app);
}

/** Draws until the time is up; then lets the crowd go home before the gateway closes. */
async function watch(
  { options, screen, stop }: Stage,
  crowd: Crowd,
  stats: CrowdStats,
  app: DemoApp,
): Promise<void> {
  const beganMs = nowMs();
  let mirror: MirrorCounts | null = null;
  let rollout: Rollout | null = null;
  const picture = (): Picture => ({
    elapsedMs: nowMs() - beganMs,
    reports: stats.report(nowMs()),
    heldBack: stats.heldBack,
    roles: ROLES,
    mirror,
    rollout,
  });
  const lookAtMirror = async () => {
    mirror = (await fetchMirrorCounts(app.adminUrl)) ?? mirror;
  };
  const lookAtRollout = async () => {
    rollout = await fetchRollout(app.adminUrl, SERVICE, rollout);
  };
  const look = () => Promise.all([lookAtMirror(), lookAtRollout()]);
  await look();
  const looking = [setInterval(lookAtMirror, 2000), setInterval(lookAtRollout, 1000)];
  const drawing = setInterval(() => screen.show(picture()), screen.everyMs);
  await until(options.durationMs, stop);
  for (const timer of looking) clearInterval(timer);
  clearInterval(drawing);
  await crowd.stop();
  await look();
  screen.end(picture());
}

function nowMs(): number {
  return performance.now();
}

async function startModels(
  options: DemoOptions,
  notices: Notices,
  parts: Parts,
): Promise<[ModelProcess, ModelProcess]> {
  const start = async (version: string, fault: DemoOptions['fault']) =>
    parts.add(
      await startModelProcess({
        version,
        fault,
        onDeath: (how) => notices.tell(`model service ${version}: ${how}; its users get 502 from now on`),
        onComplaint: (line) => notices.tell(`model service ${version}: ${line}`),
      }),
    );
  // Both are waited for also when one fails, so that none is left behind.
  const [v1, v2] = await Promise.allSettled([start('v1', 'good'), start('v2', options.fault)]);
  if (v1.status === 'rejected') throw v1.reason;
  if (v2.status === 'rejected') throw v2.reason;
  return [v1.value, v2.value];
}

/** What config/demo.yaml takes from its environment. */
async function configEnv(
  options: DemoOptions,
  v1: ModelProcess,
  v2: ModelProcess,
): Promise<Record<string, string>> {
  return {
    IRIS_V1_URL: v1.url,
    IRIS_V2_URL: v2.url,
    DEMO_LISTEN: `${HOST}:${await choosePort(options.port, USUAL_PORT, HOST)}`,
    DEMO_ADMIN_LISTEN: `${HOST}:${await choosePort(options.adminPort, USUAL_ADMIN_PORT, HOST)}`,
    // Signs the cookies of one run; the next run's users are strangers anyway.
    DEMO_COOKIE_SECRET: randomBytes(32).toString('hex'),
  };
}

/** How a further command is called by whoever called `script`: by its link on the PATH, or as it was. */
export function commandName(script: string | undefined): string {
  if (script === undefined || extname(script) === '') return basename(script ?? 'coalmine');
  return `node ${shortPath(script)}`;
}

/** People read it, and it stands in messages: below the working directory, what leads there is left out. */
function shortPath(path: string): string {
  const below = relative(process.cwd(), path);
  return below.startsWith('..') ? path : below;
}

/** Resolves when `ms` have passed or `signal` fires. */
function until(ms: number | null, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = ms === null ? null : setTimeout(resolve, ms);
    const end = () => {
      if (timer) clearTimeout(timer);
      resolve();
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
