import type { Static } from 'typebox';
import { analysisTemplatesSchema } from './schema/analysis.ts';
import { mapOf, OWN_KEYWORDS, section } from './schema/build.ts';
import { kpiSchema } from './schema/kpi.ts';
import {
  adminSchema,
  drainSchema,
  limitsSchema,
  listenSchema,
  logSchema,
  regionSchema,
  stateSchema,
  tlsSchema,
  trustProxySchema,
} from './schema/listener.ts';
import { serviceSchema } from './schema/service.ts';
import { tracingSchema } from './schema/tracing.ts';

/** The whole config file. */
export const rootSchema = section(
  {
    listen: listenSchema,
    admin: adminSchema,
    tls: tlsSchema,
    region: regionSchema,
    trustProxy: trustProxySchema,
    limits: limitsSchema,
    drain: drainSchema,
    log: logSchema,
    state: stateSchema,
    kpi: kpiSchema,
    tracing: tracingSchema,
    analysisTemplates: analysisTemplatesSchema,
  },
  { description: 'Configuration of a Coalmine gateway.' },
  {
    services: mapOf('name', serviceSchema, {
      description: 'The services by name; a name becomes the `app` label of the metrics.',
      minProperties: 1,
      maxProperties: 10_000,
      'x-type': 'a mapping from names to services',
      'x-hint': 'write each service by name',
    }),
  },
);

/** A config file that the schema has passed. Mappings from names are read with Object.entries only. */
export type RawConfig = Static<typeof rootSchema>;
export type RawTracing = NonNullable<RawConfig['tracing']>;
export type RawService = RawConfig['services'][string];
export type RawVersion = RawService['versions'][string];
export type RawUpstream = NonNullable<RawService['upstream']>;
export type RawTemplate = NonNullable<RawConfig['analysisTemplates']>[string];
export type RawMetric = NonNullable<RawTemplate['metrics']>[number];
export type RawProvider = RawMetric['provider'];
export type RawArgs = NonNullable<RawTemplate['args']>;
export type RawHeaders = NonNullable<NonNullable<RawProvider['web']>['headers']>;
export type RawPredictions = NonNullable<RawService['predictions']>;
export type RawShadow = NonNullable<RawService['shadow']>;
export type RawGates = NonNullable<RawService['gates']>;
export type RawExperiment = NonNullable<RawService['experiment']>;
export type RawRollout = NonNullable<RawService['rollout']>;
export type RawStep = RawRollout['steps'][number];
export type RawRule = NonNullable<RawService['rules']>[number];
export type RawWhen = RawRule['when'];
export type RawTextMatch = NonNullable<RawWhen['path']>;

/** JSON Schema (draft 7) for editors, without the keywords that only validation here knows. */
export function configSchema(): object {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Coalmine configuration',
    ...(published(rootSchema) as object),
  };
}

const OWN: ReadonlySet<string> = new Set(OWN_KEYWORDS);

function published(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(published);
  if (typeof node !== 'object' || node === null) return node;
  const kept = Object.entries(node).filter(([key]) => !OWN.has(key));
  return Object.fromEntries(kept.map(([key, value]) => [key, published(value)]));
}
