import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import { count, duration, section, size, text, word } from './build.ts';

/** The listening side, as the whole process has it. */

const RESTART = 'A change takes effect at the next start.';

export const listenSchema = text('listen', 'an address and port', {
  description: `Where clients connect. Port 0 lets the system choose one. ${RESTART}`,
  default: DEFAULTS.listen,
});

export const tlsSchema = section(
  {},
  {
    description:
      'Serve HTTPS. Changed files are taken over without a restart; turning TLS on or off needs one.',
    'x-default': 'plain HTTP',
  },
  {
    cert: Type.String({
      description: 'PEM file with the certificate and its chain; relative to this file.',
      minLength: 1,
      'x-type': 'a file name',
    }),
    key: Type.String({
      description: 'PEM file with the private key; relative to this file.',
      minLength: 1,
      'x-type': 'a file name',
    }),
  },
);

const limitsDefaults = DEFAULTS.limits;

export const limitsSchema = section(
  {
    maxHeaderBytes: size(
      { min: '1KiB', max: '1MiB' },
      {
        description: 'Start line and headers of one request together; beyond it 431.',
        default: limitsDefaults.maxHeaderBytes,
      },
    ),
    maxHeaders: count(1, 2_000, {
      description: 'Header lines of one request; beyond it 431.',
      default: limitsDefaults.maxHeaders,
    }),
    headersTimeout: duration(
      { min: '100ms', max: '10m' },
      {
        description:
          'From a request’s first byte to the end of its headers, and for the TLS handshake; then the connection is closed.',
        default: limitsDefaults.headersTimeout,
      },
    ),
    bodyIdleTimeout: duration(
      { min: '100ms', max: '1h' },
      {
        description: 'Longest silence inside a request’s body; then the request is cut.',
        default: limitsDefaults.bodyIdleTimeout,
      },
    ),
    minBodyBytesPerSecond: count(0, 1_000_000, {
      description:
        'Slowest rate of a request’s body, as its client sends it, in the mean of about `bodyIdleTimeout`; then the request is cut. 0: as slow as it likes.',
      default: limitsDefaults.minBodyBytesPerSecond,
    }),
    answerIdleTimeout: duration(
      { min: '100ms', max: '1h' },
      {
        description:
          'Longest time in which a client takes nothing of what it is sent; then its connection is reset and the request to the version cancelled.',
        default: limitsDefaults.answerIdleTimeout,
      },
    ),
    keepAlive: duration(
      { min: '1s', max: '1h' },
      {
        description:
          'How long an idle client connection is kept. Keep it above the idle time-out of the load balancer in front.',
        default: limitsDefaults.keepAlive,
      },
    ),
    maxConnections: count(1, 1_000_000, {
      description: 'Client connections at one time; more are refused.',
      default: limitsDefaults.maxConnections,
    }),
  },
  { description: `What one client may ask of the gateway. ${RESTART}` },
);

export const drainSchema = section(
  {
    delay: duration(
      { min: '0s', max: '1h' },
      {
        description:
          'On SIGTERM: how long `/readyz` fails before the listeners close, so that load balancers stop sending.',
        default: DEFAULTS.drain.delay,
      },
    ),
    timeout: duration(
      { min: '0s', max: '1h' },
      {
        description:
          'How long requests in flight may take to finish after that. Delay and time-out together must stay below what the supervisor grants (Kubernetes: terminationGracePeriodSeconds, 30 s by default).',
        default: DEFAULTS.drain.timeout,
      },
    ),
  },
  { description: 'How the gateway leaves.' },
);

export const adminSchema = section(
  {
    listen: text('listen', 'an address and port', {
      description: 'Where probes, metrics and the admin API are served. Off loopback a token is required.',
      default: DEFAULTS.adminListen,
    }),
    token: Type.String({
      description:
        'Bearer token of the admin API, 16 characters at least. Take it from an environment variable rather than writing it here.',
      minLength: 16,
      maxLength: 1_024,
      'x-form': { kind: 'bearerToken' },
      'x-secret': true,
      'x-type': 'text (16 characters at least, none of them a space)',
      'x-default': 'none',
    }),
    allowedHosts: Type.Array(text('host', 'a host', { description: 'A host without a port.' }), {
      description:
        'Host names, without ports, that requests to the admin port may carry besides loopback’s own and the address it listens on; others are refused, against DNS rebinding.',
      default: [],
      maxItems: 100,
      uniqueItems: true,
      'x-type': 'a list of hosts',
    }),
  },
  { description: `The admin port: probes, metrics, API. ${RESTART}` },
);

export const logSchema = section(
  {
    level: word(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
      description: 'Least severe level that is written.',
      default: DEFAULTS.log.level,
    }),
    accessLog: Type.Number({
      description:
        'Share of requests that get a line in the access log: 0 none, 0.01 one in a hundred, 1 all.',
      default: DEFAULTS.log.accessLog,
      minimum: 0,
      maximum: 1,
      'x-type': 'a share (0 to 1)',
    }),
  },
  { description: 'Logs: one JSON object a line, on standard error.' },
);

export const regionSchema = text('region', 'a name', {
  description: 'The gateway’s own region, for rules on `region`. Case does not matter.',
  'x-default': 'the environment’s `COALMINE_REGION`, or none',
});

export const trustProxySchema = Type.Array(
  text('range', 'an address, a range or a name', {
    description: 'An address, a CIDR range, `loopback` or `private`.',
  }),
  {
    description:
      'Proxies in front of the gateway, by address: IP, CIDR range, `loopback` (127.0.0.0/8, ::1) or `private` (RFC 1918, fc00::/7). Only their X-Forwarded-* and Forwarded headers are believed; anybody else’s are replaced.',
    default: [],
    maxItems: 1_000,
    uniqueItems: true,
    'x-type': 'a list of addresses, CIDR ranges, `loopback`, `private`',
    'x-hint':
      'list the proxies by address, such as [10.0.0.0/8]; with true or a number of hops a client could forge its own address',
  },
);

export const stateSchema = section(
  {
    dir: Type.String({
      description: `Folder in which rollouts keep their state, and gates and experiments what they counted; relative to this file. ${RESTART}`,
      minLength: 1,
      maxLength: 4_096,
      'x-type': 'a folder',
      'x-default': 'the environment’s `COALMINE_STATE_DIR`, or `.coalmine` beside this file',
    }),
  },
  { description: 'What outlives a restart.' },
);
