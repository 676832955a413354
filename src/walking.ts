import { join } from 'node:path';
import type { Config } from './config/load.ts';
import { compilePattern } from './config/pattern.ts';
import type { Holder } from './control/holder.ts';
import { createHookCaller } from './control/hooks.ts';
import { Board } from './control/judge/board.ts';
import { Experiments } from './control/judge/experiments.ts';
import { Feedback } from './control/judge/feedback.ts';
import { Keep } from './control/judge/keep.ts';
import { redress } from './control/judge/redress.ts';
import { createNotifier } from './control/notify.ts';
import { createRollouts, type Rollouts } from './control/rollouts/manager.ts';
import { WatchClock } from './control/rollouts/watch-clock.ts';
import { createMetricSource } from './control/sources/create.ts';
import { evidenceCodec } from './control/store/evidence-codec.ts';
import { createFileStore, createRecordStore } from './control/store/file-store.ts';
import { createWindows } from './control/windows.ts';
import type { Clock, Log } from './ports.ts';
import type { ArmBook } from './tally/arms.ts';
import type { Recorder } from './tally/recorder.ts';

/** What is left to tell when the process ends may take so long. */
const NOTIFY_GRACE_MS = 2_000;
/** The same for evidence that is not saved yet. */
const KEEP_GRACE_MS = 3_000;
/** In the state folder; no service's state file is called so. */
const EVIDENCE_FOLDER = 'evidence';

export interface WalkingDeps {
  readonly recorder: Recorder;
  readonly arms: ArmBook;
  readonly log: Log;
  readonly clock: Clock;
  holder(): Holder;
}

export interface Walking {
  readonly rollouts: Rollouts;
  readonly board: Board;
  readonly experiments: Experiments;
  readonly feedback: Feedback;
  /** Reads what is stored; resolves with the config's Split as that wants it. Nothing is written yet. */
  open(config: Config): Promise<Config['split']>;
  /** From now on rollouts walk, and their evidence is kept. */
  start(): void;
  /** After the rollouts have stopped. */
  close(): Promise<void>;
}

/** What makes rollouts walk: their clock, their store, what they measure with and whom they tell. */
export function createWalking(
  config: Config,
  timeScale: number,
  { recorder, arms, log, clock, holder }: WalkingDeps,
): Walking {
  const watched = () => {
    const { rollouts: walked, judges } = holder().config();
    return [...new Set([...walked, ...judges].map(({ service }) => service))];
  };
  const windows = createWindows((services) => recorder.lifetimeTotals(services), clock, timeScale, watched);
  const source = createMetricSource({
    windows,
    clock,
    callHook: (name, context, signal) => rollouts.callHook(name, context, signal),
  });
  const notify = createNotifier({ log });
  const board = new Board({
    armsOf: (service) => arms.armsOf(service),
    pairsOf: (service) => arms.pairsOf(service),
    capped: () => [...arms.capped(), ...feedback.capped()],
    log,
    windows,
    clock,
    split: () => holder().split(),
    position: (service) => rollouts.position(service),
    tell: (...told) => rollouts.judged(...told),
    redress: (service) => {
      if (rollouts.rollout(service) === null) redress(holder(), board, service);
      else rollouts.redress(service);
    },
    recall: (...about) => keep.recall(...about),
  });
  const experiments = new Experiments({ board, holder, clock, log });
  const feedback = new Feedback({
    config: () => holder().config(),
    split: () => holder().split(),
    board,
    clock,
    compilePattern,
  });
  const keep = new Keep({
    store: createRecordStore(join(config.stateDir, EVIDENCE_FOLDER), evidenceCodec),
    board,
    experiments,
    feedback,
    services: () =>
      holder()
        .config()
        .judges.map(({ service }) => service),
    split: () => holder().split(),
    rollout(service) {
      const shown = rollouts.shown(service);
      if (shown === null) return null;
      const { beganWallMs, progress } = shown.state;
      const isOver = ['completed', 'aborted', 'undone'].includes(progress.kind);
      return { beganWallMs, isOver, isBlocked: shown.blocked !== null };
    },
    clock,
    log,
  });
  const rollouts = createRollouts({
    judge: {
      adopt: (judges) => board.adopt(judges),
      dress: (service, scope) => board.dress(service, scope),
      verdict: (service) => board.verdict(service),
      tick() {
        board.tick();
        experiments.tick();
      },
    },
    store: createFileStore(config.stateDir),
    clock: new WatchClock(clock, timeScale, log),
    windows,
    source,
    callHook: createHookCaller({ random: Math.random }),
    notify,
    log,
    compilePattern,
    holder,
  });
  return {
    rollouts,
    board,
    experiments,
    feedback,
    async open(first) {
      await keep.load(first.judges.map(({ service }) => service));
      return rollouts.open(first);
    },
    start() {
      rollouts.start();
      keep.start();
    },
    async close() {
      await Promise.all([keep.close(KEEP_GRACE_MS), source.close(), notify.close(NOTIFY_GRACE_MS)]);
    },
  };
}
