import { carryStages } from '../../src/config/diff.ts';
import type { Config } from '../../src/config/load.ts';
import { compilePattern } from '../../src/config/pattern.ts';
import { createHolder, type Holder } from '../../src/control/holder.ts';
import { Board, type Position } from '../../src/control/judge/board.ts';
import { Experiments } from '../../src/control/judge/experiments.ts';
import { Feedback } from '../../src/control/judge/feedback.ts';
import { Keep, type KeptRollout } from '../../src/control/judge/keep.ts';
import { redress } from '../../src/control/judge/redress.ts';
import { keepSetWeights } from '../../src/control/weights.ts';
import { termsOf } from '../../src/core/comparison.ts';
import type { GateSpec } from '../../src/core/judge/gates.ts';
import type { SavedJudge } from '../../src/core/judge/saved.ts';
import type { ServiceJudge } from '../../src/core/judge/service.ts';
import type { Service } from '../../src/core/model.ts';
import { bucketOfKey, fnv1a32 } from '../../src/core/split/hash.ts';
import { versionOfBucket } from '../../src/core/split/shares.ts';
import { signPrediction } from '../../src/kpi/token.ts';
import type { SpareStore } from '../../src/ports.ts';
import { ArmBook, countOutcome } from '../../src/tally/arms.ts';
import { split } from '../support/split.ts';
import { config, iris, type MemoryLog, memoryLog } from './support.ts';

/** Feedback and experiments over the real board, on a clock that a test moves; users in place of a gateway. */
export interface JudgeScene {
  readonly now: { ms: number };
  readonly log: MemoryLog;
  readonly holder: Holder;
  readonly board: Board;
  readonly experiments: Experiments;
  readonly feedback: Feedback;
  readonly keep: Keep;
  service(): Service;
  /** A request of a user: which version served it, and its prediction id. */
  visit(
    key: string,
    options?: { readonly failed?: boolean },
  ): { readonly version: string; readonly id: string };
  /** Moves on by a second and looks. */
  second(): void;
  /** Takes a config over as a reload does. */
  reload(services: readonly Service[], judges: readonly ServiceJudge[], secret?: string): void;
}

const EPOCH_MS = Date.parse('2026-01-02T03:04:05Z');
export const SECRET = 'a secret of tests';

export function serviceJudge(changes: Partial<ServiceJudge> = {}): ServiceJudge {
  return {
    service: 'iris-api',
    plan: { gates: [], alpha: 0.01, beta: 0.01, minSamples: 50 },
    judged: { canary: 1, slow: [], unsure: [], observe: null, predictionSecret: SECRET },
    scoreRange: [0, 1],
    experiment: { kpi: 'click', alpha: 0.05, variants: ['v1', 'v2'] },
    revisions: {},
    ...changes,
  };
}

export const successRate: GateSpec = { kind: 'successRate', name: 'successRate', atLeast: 0.99, tolerate: 1 };

export function plan(...gates: GateSpec[]): ServiceJudge['plan'] {
  return { gates, alpha: 0.01, beta: 0.01, minSamples: 50 };
}

/** What outlives the process, and how its rollout stands; without, there is none and nothing is kept. */
export interface SceneOptions {
  readonly store?: SpareStore<SavedJudge>;
  readonly rollout?: () => (KeptRollout & Position) | null;
  readonly startMs?: number;
}

const NO_STORE: SpareStore<SavedJudge> = {
  load: async () => ({ kind: 'none' }),
  save: async (_service, _saved, expected) => expected + 1,
  setAside: async () => undefined,
  remove: async () => undefined,
};

export function judgeScene(
  services: readonly Service[] = [iris(5_000)],
  judges: readonly ServiceJudge[] = [serviceJudge()],
  { store = NO_STORE, rollout = () => null, startMs = 0 }: SceneOptions = {},
): JudgeScene {
  const now = { ms: startMs };
  const clock = { nowMs: () => now.ms, wallMs: () => EPOCH_MS + now.ms };
  const log = memoryLog();
  const book = new ArmBook();
  const configOf = (of: readonly Service[], by: readonly ServiceJudge[], secret = SECRET): Config =>
    config({ services: of, judges: by, kpi: { secret, expiresMs: 86_400_000 } });
  let open: ReturnType<ArmBook['open']> = null;
  const board: Board = new Board({
    armsOf: (service) => book.armsOf(service),
    pairsOf: (service) => book.pairsOf(service),
    capped: () => [...book.capped(), ...feedback.capped()],
    log,
    windows: { look: () => undefined, counts: () => null, traffic: () => null },
    clock,
    split: () => holder.split(),
    position: rollout,
    tell: () => undefined,
    redress: (name) => redress(holder, board, name),
    recall: (...about) => keep.recall(...about),
  });
  board.adopt(judges);
  const dressed = (of: readonly Service[]) => of.map((service) => board.dress(service, null));
  const holder = createHolder(split(dressed(services)), configOf(services, judges));
  const service = () => holder.split().services[0] as Service;
  const follow = () => {
    open = book.open(service());
    book.retain(holder.split());
  };
  follow();
  board.follow(holder.split());
  holder.subscribe((next) => {
    open = next.services[0] === undefined ? null : book.open(next.services[0]);
    book.retain(next);
    board.follow(next);
  });
  const experiments = new Experiments({ board, holder: () => holder, clock, log });
  const feedback: Feedback = new Feedback({
    config: () => holder.config(),
    split: () => holder.split(),
    board,
    clock,
    compilePattern,
  });
  const keep: Keep = new Keep({
    store,
    board,
    experiments,
    feedback,
    services: () => holder.config().judges.map((judge) => judge.service),
    split: () => holder.split(),
    rollout,
    clock,
    log,
  });
  return {
    now,
    log,
    holder,
    board,
    experiments,
    feedback,
    keep,
    service,
    visit(key, { failed = false } = {}) {
      const { name, salt, shares, stable, versions } = service();
      const terms = termsOf(service()) ?? '';
      const version = versionOfBucket(shares, stable, bucketOfKey(salt, key));
      if (open !== null) countOutcome(open, version, fnv1a32(key), failed, 5);
      const told = versions[version]?.name ?? '';
      const atS = Math.floor(clock.wallMs() / 1_000);
      const { secret } = holder.config().kpi;
      const id = signPrediction(secret, { service: name, version: told, terms, keyHash: fnv1a32(key), atS });
      return { version: told, id };
    },
    second() {
      now.ms += 1_000;
      board.tick();
      experiments.tick();
    },
    reload(next, by, secret) {
      board.adopt(by);
      const wanted = configOf(next, by, secret);
      const kept = keepSetWeights(holder.split(), holder.config().split, wanted.split);
      const dress = { ...kept, services: dressed(kept.services) };
      holder.swap(carryStages(holder.split(), dress), wanted);
    },
  };
}
