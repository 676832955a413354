import { type Field, keys, listOf, lost, manifest } from '../fields.ts';

/** Every field of an AnalysisTemplate, and what becomes of it. Providers that cannot be carried over are refused elsewhere. */

const INSECURE = lost(
  'certificates are always checked; give the provider one that Node trusts (NODE_EXTRA_CA_CERTS)',
);

const prometheus = keys({
  address: 'kept',
  query: 'kept',
  headers: listOf(keys({ key: 'kept', value: 'kept' })),
  timeout: 'kept',
  rangeQuery: keys({ start: 'kept', end: 'kept', step: 'kept' }),
  insecure: INSECURE,
  authentication: 'kept',
});

const web = keys({
  url: 'kept',
  method: 'kept',
  headers: listOf(keys({ key: 'kept', value: 'kept' })),
  body: 'kept',
  jsonBody: 'kept',
  jsonPath: 'kept',
  timeoutSeconds: 'kept',
  insecure: INSECURE,
  authentication: 'kept',
});

const OTHER_PROVIDERS = [
  'kayenta',
  'datadog',
  'wavefront',
  'newRelic',
  'job',
  'cloudWatch',
  'graphite',
  'influxdb',
  'skywalking',
  'plugin',
] as const;

const metric = keys({
  name: 'kept',
  interval: 'kept',
  initialDelay: 'kept',
  count: 'kept',
  successCondition: 'kept',
  failureCondition: 'kept',
  failureLimit: 'kept',
  inconclusiveLimit: 'kept',
  consecutiveErrorLimit: 'kept',
  consecutiveSuccessLimit: 'kept',
  provider: keys({
    prometheus,
    web,
    ...Object.fromEntries(OTHER_PROVIDERS.map((name) => [name, 'kept' as const])),
  }),
});

export const ANALYSIS: Field = manifest(
  keys({
    args: 'kept',
    metrics: listOf(metric),
    dryRun: listOf(keys({ metricName: 'kept' })),
    measurementRetention: listOf(keys({ metricName: 'kept', limit: 'kept' })),
    templates: listOf(keys({ templateName: 'kept', clusterScope: 'kept' })),
  }),
);
