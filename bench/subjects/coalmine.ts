import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Bench } from '../lib/bench.ts';
import { buildProduct } from '../lib/build.ts';
import { freePort, launch } from '../lib/process.ts';
import { type RunningSubject, type Subject, startOn, type Upstreams } from './subject.ts';

/** What varies between the measured gateways; everything else is the product's default. */
export interface CoalmineVariant {
  /** Share of requests copied to the shadow, in percent. */
  readonly mirrorPercent?: number;
  /** So many services, each with a host `svc-N.bench.local`; left out: one for every host. */
  readonly services?: number;
  readonly rules?: readonly object[];
  /** Reads every answer's prediction, and counts for the judge. */
  readonly observe?: boolean;
}

/** Of every answer, with room for all that a core can serve. */
const PREDICTIONS = {
  class: '/prediction',
  confidence: '/confidence',
  sample: { share: 1, perSecond: 100_000, cpu: 1 },
};

function serviceConfig(upstreams: Upstreams, variant: CoalmineVariant, host: string | null): object {
  const url = (port: number) => ({ url: `http://127.0.0.1:${port}` });
  const percent = variant.mirrorPercent ?? 0;
  return {
    match: host === null ? { path: '/' } : { host, path: '/' },
    versions: {
      v1: url(upstreams.stable),
      v2: url(upstreams.canary),
      ...(percent > 0 ? { shadow: url(upstreams.shadow) } : {}),
    },
    stable: 'v1',
    canary: 'v2',
    weight: 5,
    maxBody: '1GiB',
    sticky: { by: ['header:x-user-id'] },
    ...(variant.rules === undefined ? {} : { rules: variant.rules }),
    ...(variant.observe === true ? { predictions: PREDICTIONS } : {}),
    ...(percent > 0 ? { mirror: { to: 'shadow', percent } } : {}),
  };
}

export function serviceHost(index: number | '%d'): string {
  return `svc-${index}.bench.local`;
}

export function coalmineConfig(
  ports: { port: number; adminPort: number },
  upstreams: Upstreams,
  variant: CoalmineVariant,
): object {
  const hosts = Array.from({ length: variant.services ?? 1 }, (_, i) =>
    variant.services === undefined ? null : serviceHost(i),
  );
  return {
    listen: `127.0.0.1:${ports.port}`,
    admin: { listen: `127.0.0.1:${ports.adminPort}` },
    // Room for the rows with 10,000 connections and with large bodies; neither changes the cost of a request.
    limits: { maxConnections: 20_000 },
    services: Object.fromEntries(
      hosts.map((host, i) => [
        host === null ? 'iris-api' : `svc-${i}`,
        serviceConfig(upstreams, variant, host),
      ]),
    ),
  };
}

export async function startCoalmine(
  bench: Bench,
  upstreams: Upstreams,
  name: string,
  variant: CoalmineVariant,
): Promise<RunningSubject> {
  const entry = buildProduct();
  const adminPort = await freePort();
  const begin = (port: number) => {
    const file = join(bench.folder, `coalmine-${port}.yaml`);
    writeFileSync(file, stringify(coalmineConfig({ port, adminPort }, upstreams, variant)));
    return launch({
      name,
      command: process.execPath,
      args: [entry, 'run', '--config', file],
      cpus: bench.pinning.proxy,
    });
  };
  const running = await startOn(name, begin, variant.services === undefined ? undefined : serviceHost(0));
  return variant.observe === true ? { ...running, observed: () => observedAt(adminPort) } : running;
}

const OBSERVED = /^coalmine_observed_total\{.*\boutcome="([a-z_]+)".*\} (\S+)$/gm;

/** As its own metrics tell: a figure for reading answers means nothing where they were shed. */
async function observedAt(adminPort: number): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const counts = new Map<string, number>();
  for (const [, outcome = '', count] of text.matchAll(OBSERVED)) {
    counts.set(outcome, (counts.get(outcome) ?? 0) + Number(count));
  }
  return counts;
}

function coalmineSubject(name: string, variant: CoalmineVariant): Subject {
  return {
    name,
    missing: () => null,
    start: (bench, upstreams) => startCoalmine(bench, upstreams, name, variant),
  };
}

export const coalmine = coalmineSubject('coalmine', {});
export const coalmineMirror = coalmineSubject('coalmine+mirror', { mirrorPercent: 10 });
export const coalmineObserve = coalmineSubject('coalmine+observe', { observe: true });
export const coalmineFullMirror = coalmineSubject('coalmine+mirror', { mirrorPercent: 100 });
