import type { Bench } from '../lib/bench.ts';
import { calmNote } from '../lib/calm.ts';
import {
  type OpenLoad,
  openLoop,
  type Saturation,
  saturateByAutocannon,
  saturateByWrk,
  type Target,
  warmUp,
} from '../lib/load.ts';
import { peakRssBytes } from '../lib/proc.ts';
import { ratios, spread } from '../lib/stats.ts';
import { mib, number, type Section, type Verdict, withSpread } from '../lib/table.ts';
import { presentSubjects, startAll } from '../subjects/index.ts';
import { type RunningSubject, smallUpstreams } from '../subjects/subject.ts';

/** A proxy that used (or waited for) less of its processor than this was not what limited the rate. */
const BUSY_ENOUGH = 0.9;

const TARGETS = [
  { of: 'coalmine', over: 'bare-pipe', atMost: 1.15 },
  { of: 'coalmine', over: 'bare-pipe+flags', atMost: 1.15 },
  { of: 'coalmine', over: 'http-proxy', atMost: 0.65 },
  { of: 'coalmine+observe', over: 'coalmine', atMost: 1.35 },
] as const;

interface Measured {
  readonly name: string;
  readonly wrk: Saturation[];
  readonly autocannon: Saturation[];
  readonly fixed: OpenLoad[];
  peakRssBytes: number;
  /** Shares of its requests that the canary's and the shadow's port saw, in percent. */
  canaryPercent: number;
  shadowPercent: number;
  /** Answers that were to be read by what became of them; null: none were. */
  observed: ReadonlyMap<string, number> | null;
}

/** Every proxy under the same load in turn, round after round; the order moves on by one each round. */
export async function loadRow(bench: Bench): Promise<Section> {
  const subjects = await startAll(bench, presentSubjects(bench), smallUpstreams(bench));
  const direct: Target & { name: string } = {
    name: 'origin, no proxy',
    port: bench.origin.stable,
    pid: bench.origin.pid,
  };
  const measured = new Map(
    [...subjects, direct].map(({ name }): [string, Measured] => [
      name,
      {
        name,
        wrk: [],
        autocannon: [],
        fixed: [],
        peakRssBytes: 0,
        canaryPercent: 0,
        shadowPercent: 0,
        observed: null,
      },
    ]),
  );
  try {
    const half = await halfOfSlowest(bench, subjects);
    const rate = bench.options.rate ?? half;
    for (let round = 0; round < bench.options.rounds; round++) {
      bench.say(`load: round ${round + 1} of ${bench.options.rounds}`);
      const order = [...subjects, direct];
      for (let i = 0; i < order.length; i++) {
        const one = order[(i + round) % order.length] as Target & { name: string };
        await measureOnce(bench, one, measured.get(one.name) as Measured, rate, one !== direct);
      }
    }
    for (const one of subjects) {
      const into = measured.get(one.name) as Measured;
      into.peakRssBytes = peakRssBytes(one.pid);
      into.observed = (await one.observed?.()) ?? null;
    }
    return report(bench, [...measured.values()], rate);
  } finally {
    for (const one of subjects) await one.stop();
  }
}

/** Warms every proxy up; half of what the slowest then does is a rate that all can hold. */
async function halfOfSlowest(bench: Bench, subjects: readonly RunningSubject[]): Promise<number> {
  let slowest = Number.POSITIVE_INFINITY;
  for (const one of subjects) {
    bench.say(`load: warming up ${one.name}`);
    slowest = Math.min(slowest, await warmUp(bench, one));
  }
  return Math.max(100, Math.round(slowest / 2 / 100) * 100);
}

async function measureOnce(
  bench: Bench,
  target: Target,
  into: Measured,
  rate: number,
  split: boolean,
): Promise<void> {
  const { seconds } = bench.options;
  const before = await bench.origin.counts();
  if (bench.tools.wrk) into.wrk.push(await saturateByWrk(bench, target, seconds));
  into.autocannon.push(await saturateByAutocannon(bench, target, seconds));
  into.fixed.push(await openLoop(bench, target, { rate, seconds }));
  if (!split) return;
  const after = await bench.origin.counts();
  const [stable = 0, canary = 0, shadow = 0] = after.map((count, i) => count - (before[i] ?? 0));
  into.canaryPercent = (canary / (stable + canary)) * 100;
  into.shadowPercent = (shadow / (stable + canary)) * 100;
}

/** The full-speed measurements that costs are taken from. */
function fullSpeed(one: Measured): Saturation[] {
  return one.wrk.length > 0 ? one.wrk : one.autocannon;
}

function costs(one: Measured): number[] {
  return fullSpeed(one).map((result) => result.cpuUsPerRequest);
}

function report(bench: Bench, all: readonly Measured[], rate: number): Section {
  const client = bench.tools.wrk ? 'wrk' : 'autocannon';
  const find = (name: string) => all.find((one) => one.name === name);
  const times = (one: Measured, name: string) => {
    const under = find(name);
    return under === undefined ? '–' : number(ratios(costs(one), costs(under)).median, 2);
  };
  const rows = all.map((one) => [
    one.name,
    withSpread(spread(costs(one)), 1),
    times(one, 'bare-pipe'),
    times(one, 'bare-pipe+flags'),
    times(one, 'http-proxy'),
    ...speedCells(bench, one),
    ...latencyCells(one),
    one.peakRssBytes === 0 ? '–' : mib(one.peakRssBytes),
  ]);
  const head = [
    'proxy',
    'CPU µs/request (min–max)',
    '× bare-pipe',
    '× bare-pipe+flags',
    '× http-proxy',
    `requests/s, ${client}`,
    'core used',
    ...(bench.tools.wrk ? ['requests/s, autocannon'] : []),
    'p50 / p99 ms, full speed',
    `p50 / p99 ms at ${number(rate)}/s`,
    'peak RSS MiB',
  ];
  return {
    title: 'Small requests (100 bytes up, 270 down)',
    table: { head, rows },
    notes: notes(bench, all),
    verdicts: TARGETS.flatMap(({ of, over, atMost }) =>
      verdict(find(of), find(over), `${of}: CPU a request against ${over}`, atMost),
    ),
    data: { rate, subjects: all },
  };
}

function speedCells(bench: Bench, one: Measured): string[] {
  const full = fullSpeed(one);
  const busy = spread(full.map((result) => result.proxyBusy)).median;
  const occupied = spread(full.map((result) => result.proxyBusy + result.proxyWaited)).median;
  return [
    number(spread(full.map((result) => result.perSecond)).median),
    `${number(busy * 100)} %${occupied < BUSY_ENOUGH ? ' *' : ''}`,
    ...(bench.tools.wrk ? [number(spread(one.autocannon.map((result) => result.perSecond)).median)] : []),
  ];
}

function latencyCells(one: Measured): string[] {
  const pair = (results: readonly { p50Ms: number; p99Ms: number }[]) =>
    `${number(spread(results.map((r) => r.p50Ms)).median, 2)} / ${number(spread(results.map((r) => r.p99Ms)).median, 2)}`;
  return [pair(fullSpeed(one)), pair(one.fixed)];
}

function notes(bench: Bench, all: readonly Measured[]): string[] {
  const errors = all
    .map((one) => ({
      name: one.name,
      count: [...one.wrk, ...one.autocannon, ...one.fixed].reduce((n, r) => n + r.errors, 0),
    }))
    .filter(({ count }) => count > 0);
  const shares = all.flatMap(({ name, canaryPercent, shadowPercent }) => [
    ...(canaryPercent > 0 ? [`${name} ${number(canaryPercent, 1)} % canary`] : []),
    ...(shadowPercent > 0 ? [`${name} ${number(shadowPercent, 1)} % copied to the shadow`] : []),
  ]);
  return [
    `median of ${bench.options.rounds} interleaved rounds of ${bench.options.seconds} s, ${bench.options.connections} connections; ratios are taken round by round`,
    '`*`: the proxy had processor time to spare, so client or origin set the requests/s; its CPU per request still holds',
    calmNote(all.flatMap(fullSpeed)),
    ...all.flatMap(readNote),
    ...(shares.length > 0 ? [`seen at the origin: ${shares.join(', ')}`] : []),
    errors.length === 0
      ? 'no request failed'
      : `**failed requests**: ${errors.map(({ name, count }) => `${name} ${count}`).join(', ')}`,
  ];
}

/** How many answers were read: shed ones cost nothing, and the row would flatter. */
function readNote({ name, observed }: Measured): string[] {
  if (observed === null) return [];
  const total = [...observed.values()].reduce((sum, count) => sum + count, 0);
  const shed = (observed.get('shed') ?? 0) / Math.max(1, total);
  const parts = [...observed].map(([outcome, count]) => `${number(count)} ${outcome}`).join(', ');
  const mark = shed > 0.01 ? '**' : '';
  return [
    `${name}, over the whole run: ${mark}${number(shed * 100, 1)} % of the answers were shed${mark} (${parts})`,
  ];
}

function verdict(
  one: Measured | undefined,
  under: Measured | undefined,
  what: string,
  atMost: number,
): Verdict[] {
  if (one === undefined || under === undefined) return [];
  const ratio = ratios(costs(one), costs(under));
  return [
    {
      what,
      target: `≤ ${atMost} ×`,
      measured: `${withSpread(ratio, 2)} ×`,
      met: ratio.median <= atMost,
    },
  ];
}
