import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import { count, duration, flag, orOff, section, text } from './build.ts';

/** How a version's endpoints are talked to: the same keys for a service's `upstream` and for each version. */

const base = DEFAULTS.upstream;
const SAME = 'services.NAME.upstream';

const timeouts = section(
  {
    connect: duration(
      { min: '1ms', max: '10m' },
      {
        description: 'To open a connection; then the next endpoint is tried, or 504.',
        default: base.timeouts.connect,
      },
    ),
    firstByte: duration(
      { min: '1ms', max: '24h' },
      {
        description: 'From the request sent to the head of the answer; then 504.',
        default: base.timeouts.firstByte,
      },
    ),
    idle: duration(
      { min: '1ms', max: '24h' },
      {
        description: 'Longest silence inside an answer’s body; then the client’s connection is reset.',
        default: base.timeouts.idle,
      },
    ),
    total: duration(
      { min: '1ms', max: '24h', words: ['none'] },
      {
        description: 'From assignment to the last byte of the answer.',
        default: base.timeouts.total,
      },
    ),
  },
  { description: 'Time-outs towards the endpoints.', 'x-same-as': `${SAME}.timeouts` },
);

const pool = section(
  {
    connections: count(1, 65_535, {
      description: 'Connections to one endpoint.',
      default: base.pool.connections,
    }),
    pending: count(0, 1_000_000, {
      description: 'Requests that may wait for a connection to one endpoint; beyond it 503 with Retry-After.',
      default: base.pool.pending,
    }),
    keepAlive: duration(
      { min: '0s', max: '1h' },
      {
        description:
          'How long an idle connection is kept; keep it below the endpoint’s own limit, or reused connections are found closed.',
        default: base.pool.keepAlive,
      },
    ),
    ttl: duration(
      { min: '1s', max: '24h' },
      {
        description: 'Age at which a connection is replaced, so that changes in DNS are seen.',
        default: base.pool.ttl,
      },
    ),
  },
  { description: 'Connections to the endpoints.', 'x-same-as': `${SAME}.pool` },
);

const retry = section(
  {
    retries: count(0, 1, {
      description:
        'One retry at most, on another endpoint where there is one: when nothing was sent yet, or nothing was answered and the method is idempotent and the body can be sent again.',
      default: base.retry.retries,
    }),
    budgetShare: Type.Number({
      description:
        'Retries in flight at most, as a share of the requests in flight; beyond it those that earlier requests saved up, this share each, 500 requests’ worth at most. A request that reached no endpoint does not count.',
      default: base.retry.budgetShare,
      minimum: 0,
      maximum: 1,
      'x-type': 'a share (0 to 1)',
    }),
    budgetMin: count(0, 1_000, {
      description: 'Retries in flight that are always allowed.',
      default: base.retry.budgetMin,
    }),
  },
  { description: 'A second attempt, never at another version.', 'x-same-as': `${SAME}.retry` },
);

const healthCheck = orOff(
  section(
    {
      path: text('probePath', 'a path', {
        description: 'Asked for with GET; 2xx and 3xx are healthy.',
        default: base.healthCheck.path,
      }),
      interval: duration(
        { min: '100ms', max: '1h' },
        { description: 'Time between two checks of one endpoint.', default: base.healthCheck.interval },
      ),
      timeout: duration(
        { min: '10ms', max: '10m' },
        {
          description: 'When a check counts as failed; not above `interval`.',
          default: base.healthCheck.timeout,
        },
      ),
      healthyThreshold: count(1, 100, {
        description: 'Good checks in a row that bring an endpoint back.',
        default: base.healthCheck.healthyThreshold,
      }),
      unhealthyThreshold: count(1, 100, {
        description: 'Failed checks in a row that take an endpoint out.',
        default: base.healthCheck.unhealthyThreshold,
      }),
    },
    { description: 'Active checks; `{}` turns them on with every default.' },
  ),
  {
    description: 'Active checks of every endpoint; `{}` turns them on with every default.',
    default: 'off',
    'x-same-as': `${SAME}.healthCheck`,
    'x-hint': 'write off, or keys such as { path: /healthz, interval: 5s }',
  },
);

const ejection = orOff(
  section(
    {
      consecutiveFailures: count(1, 1_000, {
        description: 'Connect errors, resets, time-outs or 5xx in a row that eject an endpoint.',
        default: base.ejection.consecutiveFailures,
      }),
      base: duration(
        { min: '100ms', max: '24h' },
        {
          description: 'How long the first ejection lasts; the n-th in a row lasts n times as long.',
          default: base.ejection.base,
        },
      ),
      max: duration(
        { min: '100ms', max: '24h' },
        { description: 'Longest ejection; not below `base`.', default: base.ejection.max },
      ),
    },
    { description: 'Passive checks.' },
  ),
  {
    description:
      'Passive checks: endpoints that fail in a row rest for a while; never more than half of them.',
    'x-default': 'on, with the defaults of its keys',
    'x-same-as': `${SAME}.ejection`,
    'x-hint': 'write off, or keys such as { consecutiveFailures: 5, base: 30s }',
  },
);

const file = (description: string) =>
  Type.String({ description, minLength: 1, 'x-type': 'a file name', 'x-default': 'none' });

const tls = section(
  {
    ca: Type.String({
      description: 'PEM file with the certificate authorities to believe instead of the system’s.',
      minLength: 1,
      'x-type': 'a file name',
      'x-default': 'the system’s',
    }),
    cert: file('PEM file with a client certificate and its chain; together with `key`.'),
    key: file('PEM file with the client certificate’s private key.'),
    serverName: text('host', 'a host', {
      description: 'Name to ask for (SNI) and to verify, when it is not the URL’s host.',
      'x-default': 'the URL’s host',
    }),
    verify: flag({
      description: 'Whether the endpoint’s certificate must be valid. Turn it off for tests only.',
      default: true,
    }),
  },
  {
    description: 'For https:// endpoints. Files are relative to this file and read again when they change.',
    'x-same-as': `${SAME}.tls`,
    'x-default': 'verified against the system’s authorities',
  },
);

export const upstreamKeys = { tls, timeouts, pool, retry, healthCheck, ejection };

export const upstreamSchema = section(upstreamKeys, {
  description: 'Defaults for every version of the service; a version’s own keys override them one by one.',
});
