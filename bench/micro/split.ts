import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { compilePattern } from '../../src/config/pattern.ts';
import type { Service } from '../../src/core/model.ts';
import { type Chooser, choose, makeChooser } from '../../src/core/split/choose.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { buildRoutes, findRoute } from '../../src/core/split/route.ts';
import type { RequestFacts } from '../../src/core/split/rules.ts';
import type { Bench } from '../lib/bench.ts';
import { userId } from '../lib/request.ts';
import { spread } from '../lib/stats.ts';
import { type Section, withSpread } from '../lib/table.ts';
import { type CoalmineVariant, coalmineConfig, serviceHost } from '../subjects/coalmine.ts';

const MANY = 1000;
const KEYS = Array.from({ length: MANY }, (_, i) => userId(i));
const HOSTS = Array.from({ length: MANY }, (_, i) => serviceHost(i));

/** One operation; its number comes back so that nothing is optimised away. */
type Operation = (i: number) => number;

async function servicesOf(bench: Bench, variant: CoalmineVariant): Promise<readonly Service[]> {
  const file = join(bench.folder, 'micro.yaml');
  writeFileSync(file, stringify(coalmineConfig({ port: 8080, adminPort: 9090 }, bench.origin, variant)));
  const loaded = await loadConfig(file, {});
  if (!loaded.ok) throw new Error(loaded.issues.map((issue) => issue.message).join('; '));
  return loaded.config.split.services;
}

function chooserOf([service]: readonly Service[]): Chooser {
  if (service === undefined) throw new Error('the config holds no service');
  return makeChooser(service, compilePattern);
}

/** A prediction by a user whose tenant no rule names. */
function factsOf(user: string): RequestFacts {
  const headers = new Map([
    ['x-user-id', user],
    ['x-tenant', 'nobody-in-particular'],
  ]);
  return {
    method: 'POST',
    path: '/predict',
    header: (name) => headers.get(name),
    cookie: () => undefined,
    query: () => undefined,
    ip: () => '127.0.0.1',
    region: () => '',
  };
}

const INPUTS = { issuedId: () => '', pinned: () => -1, random: Math.random };

function choosing(chooser: Chooser): Operation {
  const facts = KEYS.map(factsOf);
  return (i) => choose(chooser, facts[i % MANY] as RequestFacts, INPUTS).version;
}

function routing(services: readonly Service[]): Operation {
  const table = buildRoutes(services.map(({ match }, value) => ({ match, value })));
  return (i) => findRoute(table, HOSTS[i % services.length] as string, '/predict') ?? -1;
}

async function operations(bench: Bench): Promise<Map<string, Operation>> {
  const rules = Array.from({ length: MANY }, (_, i) => ({
    when: { header: { 'x-tenant': `tenant-${i}` } },
    use: 'canary',
  }));
  const one = await servicesOf(bench, { services: 1 });
  return new Map<string, Operation>([
    ['bucket of a key', (i) => bucketOfKey('iris-api', KEYS[i % MANY] as string)],
    ['choose, no rule', choosing(chooserOf(one))],
    ['choose, 1,000 rules, none holds', choosing(chooserOf(await servicesOf(bench, { rules })))],
    ['route, 1 service', routing(one)],
    ['route, 1,000 services', routing(await servicesOf(bench, { services: MANY }))],
  ]);
}

/** Nanoseconds an operation takes in a loop that lasts about `forMs`. */
function timeNs(operation: Operation, forMs: number): number {
  const endMs = performance.now() + forMs;
  const startMs = performance.now();
  let count = 0;
  let sum = 0;
  while (performance.now() < endMs) {
    for (let i = 0; i < MANY; i++) sum += operation(count + i);
    count += MANY;
  }
  if (Number.isNaN(sum)) throw new Error('an operation gave no number');
  return ((performance.now() - startMs) * 1e6) / count;
}

/** The pure parts of a decision on their own, inside this process. */
export async function microRow(bench: Bench): Promise<Section> {
  const results: { name: string; ns: number[] }[] = [];
  for (const [name, operation] of await operations(bench)) {
    timeNs(operation, 200);
    const ns = Array.from({ length: bench.options.rounds }, () => timeNs(operation, 100));
    results.push({ name, ns });
  }
  return {
    title: 'The decision alone',
    table: {
      head: ['operation', 'ns (min–max)'],
      rows: results.map(({ name, ns }) => [name, withSpread(spread(ns))]),
    },
    notes: [],
    verdicts: [],
    data: results,
  };
}
