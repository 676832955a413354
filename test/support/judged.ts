import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { request } from 'undici';
import type { HistoryBody } from '../../src/admin/contract.ts';
import type { RolloutView } from '../../src/control/api.ts';
import type { FaultMode } from '../../src/demo/faults.ts';
import { startModelProcess } from '../../src/demo/model-process.ts';
import { configOf, type Product, startProduct } from './process.ts';
import { until } from './wait.ts';
import { Witness } from './witness.ts';

/** Gates before real model services: one fault of the second one at 5 % of the traffic. */

/** COALMINE_JUDGE_RUNS plays each case so many times. */
export const RUNS = Number(process.env.COALMINE_JUDGE_RUNS ?? 1);
const PER_SECOND = 300;

/** Above what a full machine adds to the answers of both versions, and below what `slow` adds. */
const SLOW = { p95: '1s', faultMs: 1_250 };

const GATES = {
  successRate: { atLeast: 0.95 },
  latency: { p95: SLOW.p95 },
  // A retrained model is sure of other answers: the good v2's confidence is spread otherwise by 17 %.
  predictionShift: { atMost: 0.35 },
  confidence: { mean: 0.6 },
};

/** Five percent until there is evidence, then everyone. */
const STEPS = [{ setWeight: 5 }, { pause: { until: 'evidence', atLeast: '3s' } }, { setWeight: 100 }];

/** Faults of the model itself; switching them on keeps the service busy, so that happens before anyone is there. */
const MODEL_FAULTS: readonly FaultMode[] = ['shifted', 'overconfident'];

export interface Played {
  readonly product: Product;
  readonly end: RolloutView;
  readonly witness: Witness;
  /** Wall clock, ms: when the fault was there, and when the rollout was over. */
  readonly faultMs: number;
  readonly endMs: number;
}

/** The rollout's end with that fault in v2; a fault of the service appears under way, as in life. */
export async function rolloutWith(t: Test, fault: FaultMode): Promise<Played> {
  const played = await play(t, { gates: GATES, rollout: { start: 'manual', steps: STEPS } });
  const { product, v2 } = played;
  if (MODEL_FAULTS.includes(fault)) await setFault(v2, fault);
  let faultMs = Date.now();
  await post(product, '/rollouts/iris-api/start');
  if (!MODEL_FAULTS.includes(fault)) {
    await until(async () => (await requestsOf(product, 'v2')) >= 20, 'v2 to serve', 60_000);
    faultMs = Date.now();
    await setFault(v2, fault);
  }
  return toEnd(played, faultMs);
}

/** Users of a faulty v2 from the fault on, and what the history says of when it ended. */
async function toEnd({ product, witness }: Scene, faultMs: number): Promise<Played> {
  const end = await ended(product);
  const { history } = (await get(product, '/rollouts/iris-api/history')) as HistoryBody;
  const last = history.findLast(({ kind }) => kind === 'aborted' || kind === 'completed');
  return { product, end, witness, faultMs, endMs: Date.parse(last?.at ?? '') };
}

/** One line a run, for the table in docs/gates.md. */
export function tell(t: Test, fault: string, played: Played): void {
  const { end, witness, faultMs, endMs } = played;
  const errors = end.gates.find(({ kind }) => kind === 'successRate');
  const needed = errors?.harm.needed ?? null;
  const provenMs = fault !== 'errors' || needed === null ? null : witness.provenMs('v2', 0.05, needed);
  const facts = {
    fault,
    status: end.status,
    failed: failedGates(end),
    exposed: witness.answersOf('v2', faultMs),
    fromFaultMs: endMs - faultMs,
    fromProofMs: provenMs === null ? null : endMs - provenMs,
  };
  t.comment(`run ${JSON.stringify(facts)}`);
}

/** Plays a fault: one of these gates takes the canary back, and stable serves everyone. */
export function testTakenBack(t: Test, fault: FaultMode, gates: readonly string[]): void {
  for (let run = 1; run <= RUNS; run++) {
    t.test(`${fault} at 5 %: taken back by the gate that should see it (run ${run})`, async (t) => {
      const played = await rolloutWith(t, fault);
      const { product, end } = played;
      tell(t, fault, played);
      t.equal(end.status, 'aborted', end.message);
      const failed = failedGates(end);
      t.ok(
        failed.some((gate) => gates.includes(gate)),
        failed.join(),
      );
      t.match(end.message, /v2/, 'in plain words');
      const answers = await Promise.all(Array.from({ length: 30 }, () => ask(product, played.witness)));
      t.strictSame(new Set(answers), new Set(['v1']), 'stable serves all');
    });
  }
}

/** The rollout of a model that answers differently, beginning with copies alone. */
export async function shadowedRollout(t: Test): Promise<Played> {
  const steps = [{ setMirror: 100 }, { pause: { until: 'evidence', atLeast: '3s' } }, ...STEPS];
  const played = await play(t, {
    gates: { ...GATES, agreement: { atLeast: 0.9 } },
    mirror: { to: 'v2', percent: 0, methods: ['POST'] },
    shadow: { compare: 'class' },
    rollout: { start: 'manual', steps },
  });
  await setFault(played.v2, 'shifted');
  const faultMs = Date.now();
  await post(played.product, '/rollouts/iris-api/start');
  return toEnd(played, faultMs);
}

/** Answers of v2 before that: from a hundred on the gate may pass, and everyone would get v2. */
const BEFORE = 40;
/** So long stands the second model still: whoever asked it in the first part of that waits longer than the gate allows. */
const STALL_MS = 2_500;
/** Answers of v2 that are waited for after that. */
const AFTERWARDS = 150;

/** The rollout of a good model whose only process stands still once, some time after that. */
export async function stalledRollout(t: Test): Promise<RolloutView> {
  const { product, process: model } = await play(t, {
    gates: { latency: GATES.latency },
    rollout: { start: 'manual', steps: STEPS },
  });
  await post(product, '/rollouts/iris-api/start');
  await until(async () => (await requestsOf(product, 'v2')) >= BEFORE, 'v2 to serve', 60_000);
  model.kill('SIGSTOP');
  await delay(STALL_MS);
  model.kill('SIGCONT');
  const before = await requestsOf(product, 'v2');
  await until(async () => (await requestsOf(product, 'v2')) >= before + AFTERWARDS, 'v2 to go on', 60_000);
  return (await get(product, '/rollouts/iris-api')) as RolloutView;
}

interface Scene {
  readonly product: Product;
  /** Where the second model listens. */
  readonly v2: string;
  readonly process: { kill(signal: NodeJS.Signals): void };
  readonly witness: Witness;
}

async function play(t: Test, service: object): Promise<Scene> {
  const model = async (version: string) => {
    const started = await startModelProcess({
      version,
      fault: 'good',
      onDeath: (how) => t.fail(`${version} ${how}`),
      onComplaint: (line) => t.comment(line),
    });
    t.teardown(() => started.close());
    return started;
  };
  const [{ url: v1 }, { url: v2, pid }] = [await model('v1'), await model('v2')];
  const product = await startProduct(
    t,
    configOf(
      {
        'iris-api': {
          versions: { v1: { url: v1 }, v2: { url: v2 } },
          stable: 'v1',
          canary: 'v2',
          sticky: { by: ['header:x-user-id'] },
          predictions: {
            class: '/prediction',
            confidence: '/confidence',
            score: '/confidence',
            sample: { perSecond: 1_000, cpu: 0.3 },
          },
          ...service,
        },
      },
      { drain: { delay: '0s' }, state: { dir: './state' } },
    ),
  );
  const witness = new Witness();
  const crowd = setInterval(() => {
    for (let i = 0; i < PER_SECOND / 20; i++) void ask(product, witness).catch(() => undefined);
  }, 50);
  t.teardown(() => clearInterval(crowd));
  return { product, v2, process: { kill: (signal) => process.kill(pid, signal) }, witness };
}

/** Flowers of all three kinds. */
const FLOWERS = [
  [5.1, 3.5, 1.4, 0.2],
  [4.9, 3.1, 1.5, 0.1],
  [6.1, 2.8, 4.7, 1.2],
  [5.6, 2.7, 4.2, 1.3],
  [6.3, 3.3, 6.0, 2.5],
  [5.8, 2.7, 5.1, 1.9],
];
let asked = 0;

/** One request of one of many users; who answered. */
async function ask({ gatewayUrl }: Product, witness: Witness): Promise<string> {
  const n = asked++;
  const { statusCode, headers, body } = await request(`${gatewayUrl}/predict`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-user-id': `user-${n}` },
    body: JSON.stringify({ features: FLOWERS[n % FLOWERS.length] }),
  });
  await body.dump();
  const version = String(headers['x-coalmine-version']);
  witness.add(version, statusCode);
  return version;
}

async function ended(product: Product): Promise<RolloutView> {
  const view = async () => (await get(product, '/rollouts/iris-api')) as RolloutView;
  let last = await view();
  await until(
    async () => {
      last = await view();
      return ['completed', 'aborted'].includes(last.status);
    },
    'the rollout to end',
    100_000,
  ).catch((error: Error) => {
    const { message, hold, verdict, gates } = last;
    const texts = gates.map(({ name, state, text }) => `${name} ${state}: ${text}`);
    throw new Error(`${error.message}: ${JSON.stringify({ message, hold, M: verdict?.M, texts }, null, 1)}`);
  });
  return last;
}

export function failedGates({ gates }: RolloutView): string[] {
  return gates.filter(({ state }) => state === 'FAIL').map(({ name }) => name);
}

/** What the gateway has answered for a version, from its own counters. */
export async function requestsOf(product: Product, version: string): Promise<number> {
  return (await product.metrics())
    .split('\n')
    .filter((line) => line.startsWith('http_requests_total{') && line.includes(`version="${version}"`))
    .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

async function setFault(url: string, mode: FaultMode): Promise<void> {
  const answer = await request(`${url}/faults`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(mode === 'slow' ? { mode, latencyMs: SLOW.faultMs } : { mode }),
  });
  await answer.body.dump();
}

async function get({ adminUrl }: Product, path: string): Promise<unknown> {
  return (await fetch(`${adminUrl}/api/v1${path}`)).json();
}

async function post({ adminUrl }: Product, path: string): Promise<void> {
  await (await fetch(`${adminUrl}/api/v1${path}`, { method: 'POST' })).text();
}
