import { once } from 'node:events';
import t from 'tap';
import type { HistoryBody, RolloutBody, RolloutsBody } from '../../src/admin/contract.ts';
import type { RolloutState } from '../../src/core/rollout/state.ts';
import { configOf, type Product, startProduct } from '../support/process.ts';
import { builtProgram, freePort, storedState, tempFolder } from '../support/rollout-files.ts';
import {
  api,
  ask,
  firstAnswers,
  historyOf,
  KEYS,
  rolloutOf,
  startModel,
  Users,
} from '../support/rollout-fleet.ts';
import {
  isUnderWay,
  type Life,
  lostBetween,
  lostHistory,
  lostOfView,
  positionOf,
  remainingMs,
  textOf,
  unexplained,
  watchedMs,
} from '../support/rollout-kill.ts';
import { sleep, until } from '../support/wait.ts';

/**
 * kill -9 at many random moments, each time with the same state folder: what was
 * shown or served had been stored, what was stored goes on, and in the end the
 * rollouts complete. Times are on the rollout's clock unless they are called real.
 */

const KILLS = 20;
/** On a machine that is too busy for all of them in this time, real, half of them must do. */
const KILLING_MS = 60_000;
const SEED = Number(process.env.COALMINE_TEST_SEED ?? 3_141);
const SCALE = 15;
/** As the product promises it, and how much later a busy machine may keep that promise; real. */
const HEARTBEAT_MS = 2_000;
const LATE_MS = 2_000;

type StepConfig =
  | { setWeight: number }
  | { pause: { duration?: string } }
  | { analysis: { templates: string[] } };

const seconds = (duration: number): StepConfig => ({ pause: { duration: `${duration}s` } });

/** Walks through pauses alone, and waits for a person at the end. */
const pausing: readonly StepConfig[] = [
  { setWeight: 10 },
  // Longer than the long life: nothing but the heartbeat saves its clock.
  seconds(110),
  { setWeight: 35 },
  seconds(60),
  { setWeight: 60 },
  seconds(50),
  { setWeight: 80 },
  { pause: {} },
  { setWeight: 90 },
];
/** Is measured all the time, and twice counted measurements decide. */
const measured: readonly StepConfig[] = [
  { setWeight: 20 },
  seconds(60),
  { analysis: { templates: ['counted'] } },
  { setWeight: 50 },
  seconds(90),
  { analysis: { templates: ['counted'] } },
  { setWeight: 75 },
  seconds(60),
];
const SERVICES = {
  pausing: { steps: pausing },
  measured: { steps: measured, analysis: { templates: ['steady'], startingStep: 1 } },
  /** Is aborted by hand under way, and stays so. */
  refused: { steps: pausing, analysis: { templates: ['steady'], startingStep: 0 } },
} as const;
type Name = keyof typeof SERVICES;
const NAMES = Object.keys(SERVICES) as Name[];
const ABORT_AFTER = 7;
/** Of one process that lives long enough for a missing heartbeat to show. */
const LONG_LIFE = 2;

const successRate = (more: object) => ({
  metrics: [
    {
      name: 'success-rate',
      successCondition: 'result >= 0.9',
      minSamples: 3,
      provider: { coalmine: { measure: 'successRate', window: '40s' } },
      ...more,
    },
  ],
});

function config(port: number, v1: string, v2: string): object {
  const services = NAMES.map((name) => [
    name,
    {
      match: { host: name },
      versions: { v1: { url: v1 }, v2: { url: v2 } },
      stable: 'v1',
      canary: 'v2',
      sticky: { by: ['header:x-user-id'] },
      rollout: SERVICES[name],
    },
  ]);
  return configOf(Object.fromEntries(services), {
    listen: `127.0.0.1:${port}`,
    analysisTemplates: {
      counted: successRate({ interval: '10s', count: 6 }),
      steady: successRate({ interval: '5s' }),
    },
  });
}

/** Percent, as the steps say it. */
function weightOf(name: Name, { progress }: RolloutState): number {
  if (progress.kind === 'completed') return 100;
  if (progress.kind !== 'stepping') return 0;
  const set = SERVICES[name].steps.slice(0, progress.index + 1).findLast((step) => 'setWeight' in step);
  return set !== undefined && 'setWeight' in set ? set.setWeight : 0;
}

function pausesOf(name: Name): (number | null)[] {
  return SERVICES[name].steps.map((step) =>
    'pause' in step && step.pause.duration !== undefined
      ? Number.parseInt(step.pause.duration, 10) * 1_000
      : null,
  );
}

type States = Readonly<Record<Name, RolloutState>>;

function statesIn(folder: string): States {
  const entries = NAMES.map((name) => [name, storedState(folder, name).state]);
  return Object.fromEntries(entries) as States;
}

/** What the API said last, and when (real, monotonic). */
interface Shown {
  readonly askedMs: number;
  readonly gotMs: number;
  readonly views: readonly RolloutBody[];
  readonly history: Readonly<Partial<Record<Name, HistoryBody['history']>>>;
}

/** Asks all the time until the process is gone. */
class Watcher {
  first: Shown | null = null;
  last: Shown | null = null;
  readonly done: Promise<void>;

  constructor(product: Product) {
    this.done = this.#watch(product);
  }

  async #watch({ adminUrl, child }: Product): Promise<void> {
    while (child.exitCode === null && child.signalCode === null) {
      try {
        const askedMs = performance.now();
        const { body } = await api<RolloutsBody>(adminUrl, '/rollouts');
        const gotMs = performance.now();
        const histories = await Promise.all(
          NAMES.map(async (name) => [name, await historyOf(adminUrl, name)] as const),
        );
        this.last = { askedMs, gotMs, views: body.rollouts, history: Object.fromEntries(histories) };
        this.first ??= this.last;
      } catch {
        // It was killed meanwhile; what was shown before counts.
      }
      await sleep(50);
    }
  }
}

/** mulberry32: the same moments at every run. */
function randomOf(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let x = Math.imul(a ^ (a >>> 15), 1 | a);
    x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x;
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Most die young, and some only after their heartbeat, or no pause would ever end. Real. */
function lifeMs(random: () => number): number {
  return random() < 0.78 ? 20 + random() * 600 : HEARTBEAT_MS + 100 + random() * 500;
}

// The runner's own limit is for tests that start one process.
t.setTimeout(240_000);

t.test(`${KILLS} kills at random moments, seed ${SEED}`, { timeout: 240_000 }, async (t) => {
  const folder = tempFolder(t);
  const program = builtProgram(t);
  const [v1, v2] = await Promise.all([startModel(t), startModel(t)]);
  const port = await freePort();
  const text = config(port, v1.url, v2.url);
  const options = { folder, program, args: ['--time-scale', String(SCALE)] };
  const users = new Users(t, () => port, NAMES, 25);
  const random = randomOf(SEED);
  const lives: Life[] = [];
  let before: States | null = null;

  /** Starts it anew, and compares what it serves and shows at once with what was stored. */
  const start = async (round: string) => {
    const spawnedMs = performance.now();
    const spawnedWallMs = Date.now();
    let starting = true;
    const answers = Promise.all(NAMES.map((name) => firstAnswers(port, name, () => starting)));
    const product = await startProduct(t, text, options).finally(() => {
      starting = false;
    });
    const readyMs = performance.now();
    const first = await answers;
    const now = statesIn(folder);
    NAMES.forEach((name, i) => {
      const was = before?.[name];
      const since = now[name].history.slice(was?.history.length ?? 0).map(({ weight }) => weight);
      const weights = was === undefined ? [0, ...since] : [weightOf(name, was), ...since];
      t.strictSame(unexplained(name, first[i] ?? [], weights), [], `${round}: first answers of ${name}`);
    });
    return { product, watcher: new Watcher(product), spawnedMs, spawnedWallMs, readyMs };
  };

  type Started = Awaited<ReturnType<typeof start>>;

  /** Compares what is stored after the end of a process with all that was seen of it. */
  const compare = async (
    round: string,
    { watcher, spawnedMs, readyMs, spawnedWallMs }: Started,
    killedMs: number,
  ) => {
    const goneMs = performance.now();
    lives.push({ fromWallMs: spawnedWallMs, toWallMs: Date.now() });
    await watcher.done;
    const after = statesIn(folder);
    for (const name of NAMES) {
      const faults: string[] = [];
      const check = (holds: boolean, what: string) => (holds ? 0 : faults.push(what));
      const [was, is] = [before?.[name], after[name]];
      if (was !== undefined) {
        faults.push(...lostBetween(was, is));
        const ranMs = is.clockMs - was.clockMs;
        check(ranMs <= (goneMs - spawnedMs) * SCALE, `its clock ran ${ranMs} ms in ${goneMs - spawnedMs}`);
        const dueMs = (killedMs - readyMs - HEARTBEAT_MS - LATE_MS) * SCALE;
        check(!isUnderWay(is) || ranMs >= dueMs, `its clock ran ${ranMs} ms, ${dueMs} were due`);
      }
      for (const shown of [watcher.first, watcher.last]) {
        if (shown === null) continue;
        const view = shown.views.find(({ service }) => service === name);
        if (view !== undefined) faults.push(...lostOfView(view, is));
        faults.push(...lostHistory((shown.history[name] ?? []).map(textOf), is.history.map(textOf)));
        if (view?.nextInMs == null || view.step !== positionOf(is)) continue;
        const shownMs = view.nextInMs * SCALE;
        const left = remainingMs(is, pausesOf(name)) ?? Number.NaN;
        check(left >= shownMs - (goneMs - shown.askedMs + 1) * SCALE, `${left} left, ${shownMs} was shown`);
        // Of the last one only, for the first may have been long ago.
        if (shown !== watcher.last) continue;
        const mostMs = shownMs + (HEARTBEAT_MS + LATE_MS) * SCALE;
        check(left <= mostMs, `${left} left again, ${shownMs} was shown`);
      }
      const firstView = watcher.first?.views.find(({ service }) => service === name);
      const left = was === undefined ? null : remainingMs(was, pausesOf(name));
      if (
        firstView?.nextInMs != null &&
        was !== undefined &&
        left !== null &&
        firstView.step === positionOf(was)
      ) {
        const ranMs = ((watcher.first?.gotMs ?? 0) - spawnedMs + 1) * SCALE;
        const shownMs = firstView.nextInMs * SCALE;
        check(shownMs <= left + SCALE && shownMs >= left - ranMs, `${left} was stored, ${shownMs} is shown`);
      }
      t.strictSame(faults, [], `${round}: ${name}, ${JSON.stringify(is.progress).slice(0, 60)}`);
    }
    before = after;
  };

  const beganMs = performance.now();
  const maySuffice = (kill: number) => kill > KILLS / 2 && performance.now() - beganMs > KILLING_MS;
  for (let kill = 1; kill <= KILLS && !maySuffice(kill); kill++) {
    const started = await start(`kill ${kill}`);
    const { product } = started;
    if (kill === ABORT_AFTER) {
      const aborted = await api<RolloutBody>(product.adminUrl, '/rollouts/refused/abort', {});
      t.match(aborted, { status: 200, body: { status: 'aborted' } });
    } else {
      await sleep(kill === LONG_LIFE ? HEARTBEAT_MS + LATE_MS + 1_500 : lifeMs(random));
    }
    const killedMs = performance.now();
    product.child.kill('SIGKILL');
    if (product.child.signalCode === null) await once(product.child, 'exit');
    await compare(`kill ${kill}`, started, killedMs);
  }

  const started = await start('the last start');
  const { product } = started;
  const view = (name: Name) => rolloutOf(product.adminUrl, name);
  await until(async () => (await view('pausing')).step === 7, 'the pause that a person ends', 60_000);
  t.match(await api<RolloutBody>(product.adminUrl, '/rollouts/pausing/promote', {}), { status: 200 });
  for (const name of ['pausing', 'measured'] as const) {
    await until(async () => (await view(name)).status === 'completed', `${name} to complete`, 60_000);
  }
  t.equal((await view('refused')).status, 'aborted');
  const answers = await Promise.all(
    NAMES.map((name) => Promise.all(KEYS.map((key) => ask(port, name, key)))),
  );
  const servedBy = answers.map((asked) => new Set(asked.map(({ version }) => version)));
  t.strictSame(servedBy, [new Set(['v2']), new Set(['v2']), new Set(['v1'])]);
  t.strictSame(await product.stop(), { code: 0, signal: null });
  await compare('the end', started, performance.now());
  const asked = await users.stop();
  t.comment(
    `${lives.length - 1} kills, ${asked.length} requests, ${asked.filter(({ status }) => status === 0).length} while it was dead`,
  );

  const end = statesIn(folder);
  for (const name of ['pausing', 'measured'] as const) {
    const { history } = end[name];
    const entered = history.filter(({ kind }) => kind === 'step' || kind === 'paused');
    t.strictSame(
      entered.map(({ step }) => step),
      SERVICES[name].steps.map((_, i) => i),
      `every step of ${name} was taken once`,
    );
    t.equal(history.filter(({ kind }) => kind === 'started').length, 1);
    const leftAt = [...entered.slice(1), history.at(-1)].map((entry) => entry?.wallMs ?? 0);
    pausesOf(name).forEach((lasts, i) => {
      if (lasts === null) return;
      const watched = watchedMs(lives, entered[i]?.wallMs ?? 0, leftAt[i] ?? 0);
      // Wall times are whole milliseconds.
      t.ok(
        (watched + 2) * SCALE >= lasts,
        `${name}, step ${i}: ${lasts} ms in ${watched} real ms of watching`,
      );
    });
  }
});
