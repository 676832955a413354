import type { Test } from 'tap';
import { compilePattern } from '../../src/config/pattern.ts';
import { ARM_SCALARS, type ArmTally, type Judged, PAIR } from '../../src/core/arms.ts';
import type { Split } from '../../src/core/model.ts';
import type { ObserveSpec, PairSpec } from '../../src/core/observe/spec.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { startGateway } from '../../src/gateway/server.ts';
import { ArmBook } from '../../src/tally/arms.ts';
import { Recorder } from '../../src/tally/recorder.ts';
import { answer, type Origin, type Script, startOrigin } from '../support/origin.ts';
import { canary, listener, type ServiceOptions, type UpstreamOptions } from '../support/split.ts';
import { until } from '../support/wait.ts';
import { type Client, clientOf } from './client.ts';

/** A service under judgement: v1 is stable, v2 the canary with half the users, and what is counted of them. */

export const WEIGHT_BP = 5_000;

export const SPEC: ObserveSpec = {
  format: 'json',
  class: ['class'],
  confidence: ['confidence'],
  score: null,
  scoreRange: [0, 1],
  labels: [],
  share: 1,
  maxPerSecond: 100_000,
  maxBytes: 1 << 20,
  cpuShare: 1,
  pairs: null,
};

export const PAIRS: PairSpec = { by: 'class', tolerance: 0, ignore: [], keep: 0, redact: [] };

export const JUDGED: Judged = {
  rule: -1,
  canary: 1,
  slow: [],
  unsure: [],
  observe: null,
  predictionSecret: null,
};

export interface SceneOptions extends Omit<ServiceOptions, 'judged' | 'stable'> {
  readonly judged?: Partial<Judged>;
  /** Turns observation on, with what differs from SPEC. */
  readonly observe?: Partial<ObserveSpec>;
  readonly stable?: Script;
  readonly canary?: Script;
  readonly weightBp?: number;
  readonly upstream?: UpstreamOptions;
}

export interface Scene {
  readonly stable: Origin;
  readonly canary: Origin;
  readonly book: ArmBook;
  readonly port: number;
  readonly url: string;
  readonly client: Client;
  disagreements(): readonly unknown[];
  /** Other settings for the same origins, in this stage. */
  swap(stage: number, changed?: Partial<Judged> | null): void;
  swapTo(split: Split): void;
  at(stage?: number, changed?: Partial<Judged> | null): Split;
  /** Without zeros. */
  counts(version: 'v1' | 'v2', stage?: number): Record<string, number>;
  tally(version: 'v1' | 'v2', stage?: number): ArmTally;
  /** Waits until so many sampled answers are read or given up, over both versions. */
  read(samples: number): Promise<void>;
  /** Over all stages, without zeros. */
  pairs(): Record<string, number>;
}

/** An answer of the model. */
export function says(name: string, confidence = 0.9, ...lines: readonly string[]): string {
  const body = JSON.stringify({ class: name, confidence });
  return answer(200, body, 'Content-Type: application/json', ...lines);
}

export function saying(text: string): Script {
  return async (call) => {
    await call.body();
    await call.write(text);
  };
}

/** Keys of users of one version. */
export function usersOf(version: 'v1' | 'v2', count: number, weightBp = WEIGHT_BP): string[] {
  const found: string[] = [];
  for (let i = 0; found.length < count; i++) {
    if (bucketOfKey('svc', `u${i}`) < weightBp === (version === 'v2')) found.push(`u${i}`);
  }
  return found;
}

export function as(user: string) {
  return { headers: { 'x-user-id': user } };
}

export async function scene(t: Test, options: SceneOptions = {}): Promise<Scene> {
  const {
    judged,
    observe,
    stable: stableScript,
    canary: canaryScript,
    weightBp = WEIGHT_BP,
    ...rest
  } = options;
  const stable = await startOrigin(t, stableScript ?? saying(says('a')));
  const other = await startOrigin(t, canaryScript ?? saying(says('b')));
  const base: Judged = {
    ...JUDGED,
    observe: observe === undefined ? null : { ...SPEC, ...observe },
    ...judged,
  };
  const at: Scene['at'] = (stage = 0, changed = {}) =>
    canary(stable.url, other.url, weightBp, {
      stage,
      judged: changed === null ? null : { ...base, ...changed },
      ...rest,
    });
  const book = new ArmBook();
  const gateway = await startGateway(listener(), at(), {
    recorder: new Recorder(),
    arms: book,
    clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
    random: Math.random,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    compilePattern,
  });
  t.teardown(() => gateway.close(0));

  const tally: Scene['tally'] = (version, stage = 0) => {
    const found = book.arms().find((arm) => arm.version === version && arm.stage === stage);
    if (found === undefined) throw new Error(`no arm of ${version} in stage ${stage}`);
    return found;
  };
  const counts: Scene['counts'] = (version, stage = 0) => {
    const { scalars } = tally(version, stage);
    return Object.fromEntries(
      ARM_SCALARS.flatMap((name, i) => (scalars[i] === 0 ? [] : [[name, scalars[i] as number]])),
    );
  };
  const sampled = () => (counts('v1').sampled ?? 0) + (counts('v2').sampled ?? 0);
  return {
    stable,
    canary: other,
    book,
    url: gateway.url,
    port: Number(new URL(gateway.url).port),
    client: clientOf(t, gateway.url),
    disagreements: () => gateway.disagreements('svc'),
    swap: (stage, changed) => gateway.swap(at(stage, changed)),
    swapTo: (split) => gateway.swap(split),
    at,
    counts,
    tally,
    read: (samples) => until(() => sampled() >= samples, `${samples} samples to be read`),
    pairs: () => {
      const sum = (i: number) => book.pairs().reduce((total, { counts }) => total + (counts[i] as number), 0);
      return Object.fromEntries(
        Object.entries(PAIR).flatMap(([name, i]) => (sum(i) === 0 ? [] : [[name, sum(i)]])),
      );
    },
  };
}

/** Classes as counted: name → answers, of those that this version gave. */
export function classesOf({ classNames, allClasses }: ArmTally): Record<string, number> {
  const counted = classNames.map((name, i): [string, number] => [name, allClasses[i] as number]);
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}
