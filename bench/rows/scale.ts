import type { Bench } from '../lib/bench.ts';
import { calmNote } from '../lib/calm.ts';
import { type Load, type Saturation, saturate, warmUp } from '../lib/load.ts';
import { ratios, type Spread, spread } from '../lib/stats.ts';
import { number, type Section, type Verdict, withSpread } from '../lib/table.ts';
import { type CoalmineVariant, serviceHost, startCoalmine } from '../subjects/coalmine.ts';
import { type RunningSubject, smallUpstreams } from '../subjects/subject.ts';

const MANY = 1000;
const AT_MOST = 1.1;

/** One gateway under one load, compared with the case named `base`. */
interface Case {
  readonly name: string;
  readonly gateway: string;
  readonly load: Load;
  readonly base: string | null;
  readonly target: boolean;
}

/** Rules that the load matches none of, so that each of them must be ruled out. */
function equalityRules(count: number): object[] {
  return Array.from({ length: count }, (_, i) => ({
    when: { header: { 'x-tenant': `tenant-${i}` } },
    use: 'canary',
  }));
}

function mixedRules(count: number): object[] {
  const kinds = [
    (i: number) => ({ header: { 'x-tenant': [`tenant-${i}`, `guest-${i}`] } }),
    (i: number) => ({ cookie: { plan: `plan-${i}` } }),
    (i: number) => ({ query: { experiment: `e${i}` } }),
    (i: number) => ({ header: { 'x-tenant': { prefix: `team-${i}-` } } }),
  ];
  return Array.from({ length: count }, (_, i) => ({ when: kinds[i % kinds.length]?.(i), use: 'canary' }));
}

const TENANT = 'x-tenant: nobody-in-particular';
const GATEWAYS: Record<string, CoalmineVariant> = {
  services1: { services: 1 },
  services1000: { services: MANY },
  rules1: { rules: equalityRules(1) },
  rules1000: { rules: equalityRules(MANY) },
  mixed1000: { rules: mixedRules(MANY) },
};
const CASES: readonly Case[] = [
  { name: '1 service', gateway: 'services1', load: { host: serviceHost(0) }, base: null, target: false },
  {
    name: '1,000 services, load on one',
    gateway: 'services1000',
    load: { host: serviceHost(MANY / 2) },
    base: '1 service',
    target: true,
  },
  {
    name: '1,000 services, load on all',
    gateway: 'services1000',
    load: { host: serviceHost('%d'), services: MANY },
    base: '1 service',
    target: false,
  },
  { name: '1 rule', gateway: 'rules1', load: { header: TENANT }, base: null, target: false },
  {
    name: '1,000 rules, none holds',
    gateway: 'rules1000',
    load: { header: TENANT },
    base: '1 rule',
    target: true,
  },
  {
    name: '1,000 rules of four kinds, none holds',
    gateway: 'mixed1000',
    load: { header: TENANT },
    base: '1 rule',
    target: false,
  },
];

/** What a thousand services or rules add to a request. */
export async function scaleRow(bench: Bench): Promise<Section> {
  const gateways = new Map<string, RunningSubject>();
  const runs = new Map(CASES.map(({ name }): [string, Saturation[]] => [name, []]));
  try {
    for (const [name, variant] of Object.entries(GATEWAYS)) {
      gateways.set(name, await startCoalmine(bench, smallUpstreams(bench), name, variant));
    }
    for (const one of CASES) await warmUp(bench, gatewayOf(gateways, one), one.load);
    for (let round = 0; round < bench.options.rounds; round++) {
      bench.say(`scale: round ${round + 1} of ${bench.options.rounds}`);
      for (const one of CASES) {
        runs
          .get(one.name)
          ?.push(await saturate(bench, gatewayOf(gateways, one), bench.options.seconds, one.load));
      }
    }
  } finally {
    for (const gateway of gateways.values()) await gateway.stop();
  }
  return report(runs);
}

function gatewayOf(gateways: ReadonlyMap<string, RunningSubject>, one: Case): RunningSubject {
  return gateways.get(one.gateway) as RunningSubject;
}

function report(runs: ReadonlyMap<string, readonly Saturation[]>): Section {
  const costs = (name: string) => (runs.get(name) ?? []).map((run) => run.cpuUsPerRequest);
  const ratioOf = (one: Case): Spread | null =>
    one.base === null ? null : ratios(costs(one.name), costs(one.base));
  const rows = CASES.map((one) => {
    const ratio = ratioOf(one);
    const failed = (runs.get(one.name) ?? []).reduce((sum, run) => sum + run.errors, 0);
    return [
      one.name,
      withSpread(spread(costs(one.name)), 1),
      ratio === null ? '–' : withSpread(ratio, 2),
      number(failed),
    ];
  });
  return {
    title: '1 to 1,000 services and rules (coalmine)',
    table: { head: ['config', 'CPU µs/request (min–max)', '× one (min–max)', 'failed'], rows },
    notes: [
      calmNote([...runs.values()].flat()),
      'with the load on all services the requests also go over a thousand upstream pools',
    ],
    verdicts: CASES.filter((one) => one.target).map((one) => verdict(one.name, ratioOf(one) as Spread)),
    data: Object.fromEntries(runs),
  };
}

function verdict(what: string, ratio: Spread): Verdict {
  return {
    what: `${what}: CPU a request against one`,
    target: `≤ ${AT_MOST} ×`,
    measured: `${withSpread(ratio, 2)} ×`,
    met: ratio.median <= AT_MOST,
  };
}
