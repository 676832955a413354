import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import { argoDuration, count, duration, section, text, word } from './build.ts';
import { headersSchema } from './headers.ts';

/** Where a metric's value comes from. */

const { prometheus, web, coalmine } = DEFAULTS.metric.provider;
const OURS = 'use prometheus, web or coalmine';
const INSECURE = 'certificates are always verified; make the authority known with NODE_EXTRA_CA_CERTS';
const AUTHENTICATION = 'send a header, or use bearerTokenFile';

const prometheusSchema = section(
  {
    headers: headersSchema('Headers of the query, as a list as Argo has it or as a mapping.'),
    timeout: argoDuration(
      { min: '100ms', max: '10m' },
      {
        description: 'When a query is given up; a plain number is seconds, as in Argo.',
        default: prometheus.timeout,
      },
    ),
    bearerTokenFile: Type.String({
      description: 'File with a bearer token, relative to this file; read anew for every query.',
      minLength: 1,
      'x-type': 'a file name',
      'x-default': 'none',
    }),
    rangeQuery: section(
      {},
      {
        description: 'Makes it a range query; its value is the list of all samples.',
        'x-default': 'an instant query',
        'x-hint': `write { start: 'now() - duration("5m")', end: now(), step: 1m }`,
      },
      {
        start: text('queryTimeOrArgs', 'a time', {
          description: 'Its beginning: `now() - duration("1h")`.',
        }),
        end: text('queryTimeOrArgs', 'a time', { description: 'Its end: `now()`, or a time before it.' }),
        step: text('queryStepOrArgs', 'a duration', {
          description: 'Time between two samples, such as `1m`.',
        }),
      },
    ),
  },
  {
    description: 'A Prometheus server, or whatever speaks its query API.',
    'x-default': 'none',
    'x-hint': 'write { address: http://prometheus:9090, query: … }',
    'x-refused': { authentication: AUTHENTICATION, insecure: INSECURE },
  },
  {
    address: text('httpUrlOrArgs', 'a URL', {
      description: 'Its base URL, such as `http://prometheus:9090`.',
    }),
    query: Type.String({
      description: 'In PromQL. A vector’s values are a list in `result`, so that the first is `result[0]`.',
      minLength: 1,
      maxLength: 10_000,
      'x-type': 'text',
    }),
  },
);

const webSchema = section(
  {
    method: word(['GET', 'POST', 'PUT'], { description: 'The method.', default: web.method }),
    headers: headersSchema('Headers of the request.'),
    body: Type.String({
      description: 'Body of a POST or PUT, as text.',
      maxLength: 65_536,
      'x-type': 'text',
      'x-default': 'none',
    }),
    jsonBody: Type.Unknown({
      description: 'Body of a POST or PUT, as JSON.',
      'x-type': 'any value',
      'x-default': 'none',
    }),
    jsonPath: text('jsonPath', 'a path', {
      description:
        'Which part of a JSON answer is the `result`: names and positions, such as `{$.data.items[0].ok}`.',
      default: web.jsonPath,
    }),
    timeoutSeconds: count(1, 600, {
      description: 'Seconds after which a request is given up.',
      default: web.timeoutSeconds,
    }),
  },
  {
    description: 'An HTTP endpoint that answers with JSON or text.',
    'x-default': 'none',
    'x-hint': 'write { url: …, jsonPath: "{$.data.ok}" }',
    'x-refused': { authentication: 'send a header', insecure: INSECURE },
  },
  { url: text('httpUrlOrArgs', 'a URL', { description: 'What is asked.' }) },
);

const coalmineSchema = section(
  {
    quantile: Type.Number({
      description: 'For `latency`: the share of requests that were faster.',
      default: coalmine.quantile,
      minimum: 0,
      maximum: 1,
      'x-type': 'a share (0 to 1)',
    }),
    of: word(['canary', 'stable'], { description: 'Whose requests are counted.', default: coalmine.of }),
    relative: word(['ratio', 'difference'], {
      description:
        'Compares with stable over the same window: the canary’s value divided by stable’s, or stable’s subtracted from it.',
      'x-default': 'the plain value',
    }),
    window: duration(
      { min: '1s', max: '12h' },
      { description: 'Over which stretch of time.', default: coalmine.window },
    ),
  },
  {
    description: 'The gateway’s own counters; mirrored copies never count. Needs no Prometheus.',
    'x-default': 'none',
    'x-hint': 'write { measure: successRate, window: 1m }',
  },
  {
    measure: word(['successRate', 'errorRatio', 'latency', 'rate', 'requests'], {
      description:
        '`successRate`, `errorRatio`: shares from 0 to 1, an error is a 5xx. `latency`: milliseconds. `rate`: requests a second. `requests`: their number. `result` is that number.',
    }),
  },
);

export const providerSchema = section(
  { prometheus: prometheusSchema, web: webSchema, coalmine: coalmineSchema },
  {
    description: 'Where the value comes from; exactly one of them.',
    minProperties: 1,
    maxProperties: 1,
    'x-hint': 'write { coalmine: { measure: successRate } }, or { prometheus: { address: …, query: … } }',
    'x-refused': {
      datadog: `${OURS}; Datadog’s API can be asked with web`,
      newRelic: `${OURS}; New Relic’s API can be asked with web`,
      wavefront: `${OURS}; Wavefront’s API can be asked with web`,
      kayenta: `${OURS}; coalmine compares with stable by relative: ratio`,
      cloudWatch: `${OURS}; bring the metrics to Prometheus with an exporter`,
      graphite: `${OURS}; Graphite’s render API can be asked with web`,
      influxdb: `${OURS}; InfluxDB’s query API can be asked with web`,
      skywalking: `${OURS}; SkyWalking’s GraphQL API can be asked with web`,
      job: `${OURS}; run the job behind an HTTP endpoint and ask it with web, or by a webhook`,
      plugin: `${OURS}; put the plugin’s measurement behind an HTTP endpoint and ask it with web`,
    },
  },
);
