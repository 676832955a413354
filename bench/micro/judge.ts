import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { carryStages } from '../../src/config/diff.ts';
import { type Config, loadConfig } from '../../src/config/load.ts';
import { Board } from '../../src/control/judge/board.ts';
import { gateReadings, judgedView } from '../../src/control/judge/view.ts';
import { createWindows } from '../../src/control/windows.ts';
import { ARM, PAIR } from '../../src/core/arms.ts';
import { termsOf } from '../../src/core/comparison.ts';
import type { Service, Split } from '../../src/core/model.ts';
import { requestSlot, type Tally } from '../../src/core/tally.ts';
import { ArmBook, type OpenArms } from '../../src/tally/arms.ts';
import { Recorder } from '../../src/tally/recorder.ts';
import type { Bench } from '../lib/bench.ts';
import { percentile } from '../lib/stats.ts';
import { number, type Section } from '../lib/table.ts';

/** What judging costs: a board of many services with every gate, at work as in a gateway, on a clock of its own. */

const SERVICES = 100;
const SECONDS = 60;
/** As the control loop ticks. */
const TICKS_A_SECOND = 20;
/** How often somebody asks for all verdicts, in seconds: as Prometheus scrapes. */
const VIEWED_EVERY = 15;
const TARGET_MS = 5;
const SECRET = 'a secret that is long enough for the bench';

interface Case {
  readonly name: string;
  /** Compared requests a second, each service. */
  readonly perSecond: number;
  /** Canary's weight in basis points, and how many minutes it has been so; the last goes on. */
  readonly stages: readonly { readonly weightBp: number; readonly minutes: number }[];
  /** Of every second's clicks half are about requests of the first stage. */
  readonly lateClicks?: boolean;
  /** Services that have requests at all. */
  readonly busy?: number;
}

const CASES: readonly Case[] = [
  { name: 'just begun, 10 rps', perSecond: 10, stages: [{ weightBp: 500, minutes: 1 }] },
  {
    name: '3 hours in, 10 rps',
    perSecond: 10,
    stages: [
      { weightBp: 100, minutes: 60 },
      { weightBp: 500, minutes: 60 },
      { weightBp: 2_500, minutes: 60 },
    ],
  },
  {
    name: '3 hours in, 1,000 rps',
    perSecond: 1_000,
    stages: [
      { weightBp: 100, minutes: 60 },
      { weightBp: 500, minutes: 60 },
      { weightBp: 2_500, minutes: 60 },
    ],
  },
  {
    name: '3 hours in, 1,000 rps, half of the clicks late',
    perSecond: 1_000,
    lateClicks: true,
    stages: [
      { weightBp: 100, minutes: 60 },
      { weightBp: 500, minutes: 60 },
      { weightBp: 2_500, minutes: 60 },
    ],
  },
  { name: 'a day in, 100 rps', perSecond: 100, stages: [{ weightBp: 5_000, minutes: 1_440 }] },
  {
    name: '3 hours in, nobody comes',
    perSecond: 100,
    busy: 0,
    stages: [{ weightBp: 2_500, minutes: 180 }],
  },
];

const GATES = {
  successRate: { atLeast: 0.99 },
  latency: { p99: '200ms' },
  predictionShift: { atMost: 0.1 },
  confidence: { mean: 0.7 },
  agreement: { atLeast: 0.95 },
  ctr: { kpi: 'click', within: '5%' },
};

/** Seeded, so that every run judges the same counts. */
function drawer(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function configOf(bench: Bench): Promise<Config> {
  const url = (port: number) => ({ url: `http://127.0.0.1:${port}` });
  const service = (i: number) => ({
    match: { host: `svc-${i}.bench.local`, path: '/' },
    versions: { v1: url(8_001), v2: url(8_002) },
    stable: 'v1',
    canary: 'v2',
    sticky: { by: ['header:x-user-id'] },
    predictions: { class: '/prediction', confidence: '/confidence', score: '/confidence' },
    mirror: { to: 'v2', percent: 0 },
    gates: GATES,
    rollout: { steps: [{ setWeight: 1 }, { pause: { until: 'evidence' } }] },
  });
  const services = Object.fromEntries(Array.from({ length: SERVICES }, (_, i) => [`svc-${i}`, service(i)]));
  const file = join(bench.folder, 'judge.yaml');
  writeFileSync(file, stringify({ services, kpi: { secret: SECRET } }));
  const loaded = await loadConfig(file, {});
  if (!loaded.ok) throw new Error(loaded.issues.map((issue) => issue.message).join('; '));
  return loaded.config;
}

/** One service's counters in the stage in force. */
interface Opened {
  readonly arms: OpenArms;
  readonly tallies: readonly Tally[];
  /** The canary's share. */
  readonly w: number;
}

/** What the data path would hold: counters, and the Split they belong to. */
class World {
  readonly #config: Config;
  readonly #book = new ArmBook();
  readonly #recorder = new Recorder();
  readonly #random = drawer(1);
  readonly board: Board;
  nowMs = 0;
  #tickedAtMs: number | null = null;
  #split: Split;
  #open: readonly Opened[] = [];

  constructor(config: Config) {
    this.#config = config;
    this.#split = carryStages(null, config.split);
    // Time stands still between ticks and goes on in them, for a tick looks at the clock to be short.
    const nowMs = () => this.nowMs + (this.#tickedAtMs === null ? 0 : performance.now() - this.#tickedAtMs);
    const clock = { nowMs, wallMs: () => 1_790_000_000_000 + this.nowMs };
    const silent = () => undefined;
    const windows = createWindows((services) => this.#recorder.lifetimeTotals(services), clock, 1);
    this.board = new Board({
      armsOf: (service) => this.#book.armsOf(service),
      pairsOf: (service) => this.#book.pairsOf(service),
      capped: () => this.#book.capped(),
      windows,
      clock,
      log: { debug: silent, info: silent, warn: silent, error: silent },
      split: () => this.#split,
      position: () => ({ number: 1, underWay: true, nextW: 0.5, notBeforeMs: 0 }),
      tell: silent,
      redress: silent,
    });
    this.board.adopt(config.judges);
  }

  tick(): void {
    this.#tickedAtMs = performance.now();
    this.board.tick();
    this.#tickedAtMs = null;
  }

  get services(): readonly Service[] {
    return this.#split.services;
  }

  /** Everyone's canary gets another weight. */
  stage(weightBp: number): void {
    const services = this.#config.split.services.map((service) =>
      this.board.dress({ ...service, shares: [{ version: 1, weightBp }] }, null),
    );
    this.#split = carryStages(this.#split, { ...this.#config.split, services });
    this.#open = this.#split.services.map((service) => ({
      arms: this.#book.open(service) as OpenArms,
      tallies: this.#recorder.open(service),
      w: weightBp / 10_000,
    }));
    this.#book.retain(this.#split);
    this.#recorder.retain(this.#split);
    this.board.follow(this.#split);
  }

  /** So many seconds of requests at once. */
  serve(perSecond: number, seconds: number, busy: number): void {
    for (let i = 0; i < busy; i++) {
      const { arms, tallies, w } = this.#open[i] as Opened;
      const n = perSecond * seconds;
      const canaries = this.#round(n * w);
      for (const [version, requests] of [n - canaries, canaries].entries()) {
        this.#count(arms, version, requests);
        const tally = tallies[version] as Tally;
        tally.requests[requestSlot(tally.slotKeys, 2, 200)]! += requests;
        tally.duration[3]! += requests;
      }
      arms.pairs.counts[PAIR.agree]! += this.#round(n * 0.097);
      arms.pairs.counts[PAIR.disagree]! += this.#round(n * 0.003);
    }
  }

  /** Clicks on those requests, as the feedback brings them. */
  click(perSecond: number, terms: string | null): void {
    for (const [i, service] of this.#split.services.entries()) {
      const { w } = this.#open[i] as Opened;
      const under = terms ?? termsOf(service) ?? '';
      for (const [version, share] of [1 - w, w].entries()) {
        const firsts = this.#round(perSecond * share * 0.05);
        if (firsts > 0)
          this.board.addKpi(service.name, `v${version + 1}`, under, 'click', { events: firsts, firsts });
      }
    }
  }

  #round(n: number): number {
    return Math.floor(n + this.#random());
  }

  #count(arms: OpenArms, version: number, requests: number): void {
    const arm = arms.tallies[version];
    if (arm === undefined || requests === 0) return;
    const { scalars, latency, firstSlow, firstUnsure, classNames, classCounts, scores, confidence } = arm;
    if (classNames.length === 0) classNames.push('setosa', 'versicolor', 'virginica', 'none', 'other kinds');
    const errors = this.#round(requests * 0.001);
    scalars[ARM.requests]! += requests;
    scalars[ARM.keys]! += requests;
    scalars[ARM.errors]! += errors;
    scalars[ARM.firstErrors]! += errors;
    scalars[ARM.sampled]! += requests;
    scalars[ARM.observed]! += requests;
    for (let i = 0; i < firstSlow.length; i++) firstSlow[i]! += this.#round(requests * 0.003);
    for (let i = 0; i < firstUnsure.length; i++) firstUnsure[i]! += this.#round(requests * 0.1);
    for (let i = 0; i < 8; i++) latency[i + 2]! += this.#round(requests / 8);
    for (let i = 0; i < 5; i++) classCounts[i]! += this.#round(requests / 5);
    // Confidence is a beta-like hump over the upper half.
    for (let i = 0; i < 32; i++) confidence[220 + i]! += this.#round(requests / 32);
    for (let i = 0; i < 64; i++) scores[190 + i]! += this.#round(requests / 64);
  }
}

interface Measured {
  readonly name: string;
  /** CPU milliseconds of all looks of a second, and how long the longest tick of its twenty took; sorted. */
  readonly secondMs: readonly number[];
  readonly longestMs: readonly number[];
  /** Of one rendering of all verdicts for the surfaces. */
  readonly viewMs: readonly number[];
}

function measure(config: Config, one: Case): Measured {
  const world = new World(config);
  const busy = one.busy ?? SERVICES;
  let firstTerms: string | null = null;
  for (const { weightBp, minutes } of one.stages) {
    world.stage(weightBp);
    firstTerms ??= termsOf(world.services[0] as Service);
    for (let minute = 0; minute < minutes; minute++) {
      // A look a minute is enough to make every slice.
      world.serve(one.perSecond, 60, busy);
      world.nowMs += 59_000;
      for (let tick = 0; tick < TICKS_A_SECOND; tick++) {
        world.nowMs += 1_000 / TICKS_A_SECOND;
        world.tick();
      }
      if (busy > 0) world.click(one.perSecond * 60, null);
    }
  }
  const secondMs: number[] = [];
  const longestMs: number[] = [];
  const viewMs: number[] = [];
  for (let second = 0; second < SECONDS; second++) {
    world.serve(one.perSecond, 1, busy);
    if (busy > 0) world.click(one.perSecond, null);
    if (one.lateClicks === true) world.click(one.perSecond, firstTerms);
    const ticks = Array.from({ length: TICKS_A_SECOND }, () => {
      world.nowMs += 1_000 / TICKS_A_SECOND;
      return measured(() => world.tick());
    });
    secondMs.push(ticks.reduce((sum, { cpuMs }) => sum + cpuMs, 0));
    longestMs.push(Math.max(...ticks.map(({ tookMs }) => tookMs)));
    if (second % VIEWED_EVERY === 0) viewMs.push(measured(() => render(world)).cpuMs);
  }
  const sorted = (list: number[]) => list.sort((a, b) => a - b);
  return { name: one.name, secondMs: sorted(secondMs), longestMs: sorted(longestMs), viewMs: sorted(viewMs) };
}

function render({ board, services }: World): void {
  for (const { name } of services) {
    const verdict = board.verdict(name);
    if (verdict === null) throw new Error(`${name} was not judged`);
    judgedView(verdict);
    gateReadings(name, verdict);
  }
}

/** CPU is that of all threads: what the garbage collector and the compiler do beside is in it. */
function measured(run: () => void): { readonly cpuMs: number; readonly tookMs: number } {
  const before = process.cpuUsage();
  const startMs = performance.now();
  run();
  const tookMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  return { cpuMs: (user + system) / 1_000, tookMs };
}

/** A look of the judge at many services. It runs where the requests do, so a long one would be felt as latency. */
export async function judgeRow(bench: Bench): Promise<Section> {
  const config = await configOf(bench);
  const all = CASES.map((one) => {
    bench.say(`  ${one.name}`);
    return measure(config, one);
  });
  const at = (list: readonly number[], share: number) => number(percentile(list, share), 2);
  const worst = Math.max(...all.map(({ longestMs }) => percentile(longestMs, 0.5)));
  return {
    title: `Judging ${SERVICES} services with ${Object.keys(GATES).length} gates`,
    table: {
      head: [
        'rollouts',
        'CPU a second, ms p50',
        'p99',
        'longest tick, ms p50',
        'p99',
        'CPU of all views, ms p50',
      ],
      rows: all.map(({ name, secondMs, longestMs, viewMs }) => [
        name,
        at(secondMs, 0.5),
        at(secondMs, 0.99),
        at(longestMs, 0.5),
        at(longestMs, 0.99),
        at(viewMs, 0.5),
      ]),
    },
    notes: [
      `a second: one look at all ${SERVICES}, CPU time of all threads, those of the garbage collector and the compiler too; ${SECONDS} seconds of ${TICKS_A_SECOND} ticks each`,
      'longest tick: time that passed, which is what requests may have to wait for',
      `views: what the API, the dashboard and /metrics show of all verdicts; asked for every ${VIEWED_EVERY} s`,
    ],
    verdicts: [
      {
        what: `longest tick of a second with ${SERVICES} services, worst median`,
        target: `≤ ${TARGET_MS} ms`,
        measured: `${number(worst, 2)} ms`,
        met: worst <= TARGET_MS,
      },
    ],
    data: all,
  };
}
