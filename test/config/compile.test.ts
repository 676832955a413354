import t from 'tap';
import { DEFAULTS, LATENCY_EDGES_MS } from '../../src/config/defaults.ts';
import type { Condition } from '../../src/core/model.ts';
import { compiled, inspect, service, TWO_VERSIONS } from './support.ts';

t.test('the defaults of a config that names only an endpoint', async (t) => {
  const config = compiled('services: { iris-api: { versions: { v1: { url: http://a:1 } } } }\n');
  t.strictSame(config, {
    listener: {
      host: '0.0.0.0',
      port: 8080,
      tls: null,
      limits: {
        maxHeaderBytes: 16_384,
        maxHeaders: 100,
        headersTimeoutMs: 10_000,
        bodyIdleTimeoutMs: 30_000,
        minBodyBytesPerSecond: 240,
        answerIdleTimeoutMs: 60_000,
        keepAliveMs: 65_000,
        maxConnections: 10_000,
      },
      drain: { delayMs: 5_000, timeoutMs: 20_000 },
    },
    admin: { host: '127.0.0.1', port: 9090, token: null, allowedHosts: [] },
    log: { level: 'info' },
    split: {
      region: null,
      trustProxy: [],
      accessLogShare: 0,
      services: [
        {
          name: 'iris-api',
          stage: 0,
          match: { host: null, path: '/' },
          versions: [
            {
              name: 'v1',
              definition: 'b1901473bf564535',
              upstream: {
                endpoints: ['http://a:1'],
                timeouts: { connectMs: 2_000, firstByteMs: 60_000, idleMs: 60_000, totalMs: null },
                pool: { connections: 256, pending: 256, keepAliveMs: 4_000, connectionTtlMs: 60_000 },
                retry: { retries: 1, budgetShare: 0.2, budgetMin: 3 },
                health: null,
                ejection: { consecutiveFailures: 5, baseMs: 30_000, maxMs: 300_000 },
                tls: null,
              },
            },
          ],
          stable: 0,
          shares: [],
          salt: 'iris-api',
          sticky: { by: [], mode: 'hash', sessionTtlMs: 3_600_000, sessionMax: 100_000, issueCookie: null },
          rules: [],
          precedence: 'coalmine',
          regionHeader: null,
          mirror: null,
          failover: 'none',
          maxBodyBytes: 10_485_760,
          exposeVersion: true,
          latencyEdgesMs: LATENCY_EDGES_MS,
          judged: null,
        },
      ],
    },
    rollouts: [],
    judges: [],
    kpi: { secret: 'made at start for kpis', expiresMs: 2_592_000_000 },
    tracing: null,
    stateDir: '/var/lib/coalmine',
  });
});

t.test('traces: what is left out is the default, and headers have two forms', async (t) => {
  const tracing = (keys: string) =>
    compiled(
      `tracing: { endpoint: "http://otel:4318/v1/traces"${keys} }\nservices: { a: { versions: { v1: { url: http://a:1 } } } }\n`,
    ).tracing;
  const plain = {
    endpoint: 'http://otel:4318/v1/traces',
    share: 0.01,
    perSecond: 100,
    serviceName: 'coalmine',
    headers: [],
    timeoutMs: 10_000,
  };
  t.strictSame(tracing(''), plain);
  const { sample, perSecond, serviceName, timeout } = DEFAULTS.tracing;
  t.strictSame(
    tracing(
      `, sample: ${sample}, perSecond: ${perSecond}, serviceName: ${serviceName}, timeout: ${timeout}, headers: {}`,
    ),
    plain,
    'as they are shown',
  );
  t.equal(tracing(', sample: 0.05%')?.share, 0.0005);
  t.equal(tracing(', sample: 100%')?.share, 1);
  t.equal(tracing(', sample: 0%')?.share, 0);
  const headers = [{ name: 'x-key', value: 'k' }];
  t.strictSame(tracing(', headers: { X-Key: k }')?.headers, headers);
  t.strictSame(tracing(', headers: [{ key: X-Key, value: k }]')?.headers, headers);
});

t.test('drain fits into the grace period that Kubernetes grants by default', async (t) => {
  const { drain } = compiled('services: { a: { versions: { v1: { url: http://a:1 } } } }\n').listener;
  t.ok(drain.delayMs + drain.timeoutMs < 30_000);
});

t.test('every key of the process reaches its setting', async (t) => {
  const config = compiled(
    `listen: "[::1]:0"
admin: { listen: 0.0.0.0:9, token: 0123456789abcdef, allowedHosts: [Gate.example.com] }
region: EU-West
trustProxy: [10.0.0.1, loopback, 127.0.0.0/8]
tls: { cert: c.pem, key: k.pem }
limits: { maxHeaderBytes: 8KiB, maxHeaders: 50, headersTimeout: 1s, bodyIdleTimeout: 2s, minBodyBytesPerSecond: 0, answerIdleTimeout: 6s, keepAlive: 3s, maxConnections: 4 }
drain: { delay: 0s, timeout: 1m }
log: { level: debug, accessLog: 0.25 }
services: { a: { versions: { v1: { url: http://a:1 } } } }
`,
    { files: { 'c.pem': 'CERT', 'k.pem': 'KEY' } },
  );
  t.match(config, {
    listener: {
      host: '::1',
      port: 0,
      tls: { cert: 'CERT', key: 'KEY' },
      limits: {
        maxHeaderBytes: 8_192,
        maxHeaders: 50,
        headersTimeoutMs: 1_000,
        bodyIdleTimeoutMs: 2_000,
        minBodyBytesPerSecond: 0,
        answerIdleTimeoutMs: 6_000,
        keepAliveMs: 3_000,
        maxConnections: 4,
      },
      drain: { delayMs: 0, timeoutMs: 60_000 },
    },
    admin: { host: '0.0.0.0', port: 9, token: '0123456789abcdef', allowedHosts: ['gate.example.com'] },
    log: { level: 'debug' },
    split: { region: 'eu-west', accessLogShare: 0.25 },
  });
  t.strictSame(config.split.trustProxy, ['10.0.0.1/32', '127.0.0.0/8', '::1/128'], 'ranges without repeats');
});

t.test('every key of a service reaches its setting', async (t) => {
  const one = service(
    `match: { host: "*.Example.com", path: /p/ }
${TWO_VERSIONS}weight: 12.34
salt: pepper
sticky:
  by: [header:X-User, cookie:uid, query:u, ip]
  mode: session
  session: { ttl: 1m, max: 10 }
  issueCookie: { name: id, maxAge: 1h, secret: 0123456789abcdef, domain: .example.com }
precedence: nginx
regionHeader: X-Region
mirror: { to: v2, percent: 0.5, by: random, methods: [PUT], timeout: 1s, maxInFlight: 2, maxBody: 1KiB, maxAnswer: 3KiB, maxBuffered: 2KiB, keepCredentials: true }
failover: stable
maxBody: unlimited
exposeVersion: false
latencyEdges: [120ms, 100ms, 0.75ms]
`.replace('domain: .example.com', 'domain: example.com'),
  );
  t.match(one, {
    match: { host: '*.example.com', path: '/p' },
    stable: 0,
    shares: [{ version: 1, weightBp: 1_234 }],
    salt: 'pepper',
    sticky: {
      by: [
        { kind: 'header', name: 'x-user' },
        { kind: 'cookie', name: 'uid' },
        { kind: 'query', name: 'u' },
        { kind: 'ip' },
      ],
      mode: 'session',
      sessionTtlMs: 60_000,
      sessionMax: 10,
      issueCookie: { name: 'id', maxAgeS: 3_600, secret: '0123456789abcdef', domain: 'example.com' },
    },
    precedence: 'nginx',
    regionHeader: 'x-region',
    mirror: {
      to: 1,
      percentBp: 50,
      by: 'random',
      methods: ['PUT'],
      timeoutMs: 1_000,
      maxInFlight: 2,
      maxBodyBytes: 1_024,
      maxAnswerBytes: 3_072,
      maxBufferedBytes: 2_048,
      keepCredentials: true,
    },
    failover: 'stable',
    exposeVersion: false,
  });
  t.equal(one.maxBodyBytes, Number.MAX_SAFE_INTEGER, 'no limit that a body could reach, and JSON keeps it');
  t.strictSame(
    one.latencyEdgesMs,
    [...LATENCY_EDGES_MS, 0.75, 120].toSorted((a, b) => a - b),
    'edges are added, sorted and not repeated',
  );
});

t.test('the built-in edges ascend and hold the usual thresholds', async (t) => {
  t.strictSame(
    [...LATENCY_EDGES_MS],
    [...new Set(LATENCY_EDGES_MS)].toSorted((a, b) => a - b),
  );
  for (const edge of [0.5, 100, 200, 250, 500, 1_000, 60_000])
    t.ok(LATENCY_EDGES_MS.includes(edge), String(edge));
});

t.test('a version overrides what the service’s versions share, key by key', async (t) => {
  const { versions } = service(
    `upstream:
  timeouts: { connect: 1s, firstByte: 5s, total: 1m }
  pool: { connections: 10 }
  retry: { retries: 0 }
  healthCheck: { path: /up, interval: 10s }
  ejection: off
  tls: { ca: ca.pem }
versions:
  v1: { url: https://a }
  v2:
    url: https://b
    timeouts: { firstByte: 9s, total: none }
    pool: { pending: 0, ttl: 5m, keepAlive: 1s }
    retry: { retries: 1, budgetShare: 0.5, budgetMin: 0 }
    healthCheck: { timeout: 3s, healthyThreshold: 1, unhealthyThreshold: 9 }
    ejection: { consecutiveFailures: 2, base: 1s, max: 2s }
    tls: { serverName: B.internal, verify: false, cert: c.pem, key: k.pem }
  v3: { url: http://c, healthCheck: off }
stable: v1
`,
    { files: { 'ca.pem': 'CA', 'c.pem': 'C', 'k.pem': 'K' } },
  );
  const [v1, v2, v3] = versions.map((version) => version.upstream);
  t.match(v1, {
    timeouts: { connectMs: 1_000, firstByteMs: 5_000, idleMs: 60_000, totalMs: 60_000 },
    pool: { connections: 10, pending: 256 },
    retry: { retries: 0 },
    health: { path: '/up', intervalMs: 10_000, timeoutMs: 2_000, healthyThreshold: 2, unhealthyThreshold: 3 },
    ejection: null,
    tls: { ca: 'CA', cert: null, key: null, serverName: null, verify: true },
  });
  t.match(v2, {
    timeouts: { connectMs: 1_000, firstByteMs: 9_000, idleMs: 60_000, totalMs: null },
    pool: { connections: 10, pending: 0, keepAliveMs: 1_000, connectionTtlMs: 300_000 },
    retry: { retries: 1, budgetShare: 0.5, budgetMin: 0 },
    health: { path: '/up', intervalMs: 10_000, timeoutMs: 3_000, healthyThreshold: 1, unhealthyThreshold: 9 },
    ejection: { consecutiveFailures: 2, baseMs: 1_000, maxMs: 2_000 },
    tls: { ca: 'CA', cert: 'C', key: 'K', serverName: 'b.internal', verify: false },
  });
  t.equal(v3?.health, null);
  t.equal(v3?.tls, null, 'plain http has no TLS settings, also where the service shares some');
});

t.test('several endpoints', async (t) => {
  const { versions } = service('versions: { v1: { urls: [http://a:1, "HTTP://B:2/"] } }\n');
  t.strictSame(versions[0]?.upstream.endpoints, ['http://a:1', 'http://b:2']);
});

t.test('several canaries take their shares in order', async (t) => {
  const one = service(`versions: { v1: { url: http://a }, v2: { url: http://b }, v3: { url: http://c } }
stable: v2
canaries: [{ version: v3, weight: 1.5 }, { version: v1 }]
rules: [{ when: { method: GET }, weight: 50, version: v1 }]
`);
  t.equal(one.stable, 1);
  t.strictSame(one.shares, [
    { version: 2, weightBp: 150 },
    { version: 0, weightBp: 0 },
  ]);
  t.match(one.rules, [{ then: { kind: 'split', shares: [{ version: 0, weightBp: 5_000 }] } }]);
});

t.test('what rules do', async (t) => {
  const { rules } = service(`${TWO_VERSIONS}rules:
  - { when: { method: GET }, use: canary }
  - { when: { method: GET }, use: stable }
  - { when: { method: GET }, use: v2 }
  - { when: { method: GET }, weight: 20 }
  - { when: { method: GET }, weight: 0.01, version: v2 }
`);
  t.strictSame(
    rules.map((rule) => [rule.id, rule.then]),
    [
      ['rules[0]', { kind: 'use', version: 1 }],
      ['rules[1]', { kind: 'use', version: 0 }],
      ['rules[2]', { kind: 'use', version: 1 }],
      ['rules[3]', { kind: 'split', shares: [{ version: 1, weightBp: 2_000 }] }],
      ['rules[4]', { kind: 'split', shares: [{ version: 1, weightBp: 1 }] }],
    ],
  );
});

t.test('versions may be called stable and canary where they are', async (t) => {
  const one = service(`versions: { canary: { url: http://a }, stable: { url: http://b } }
stable: stable
canary: canary
rules: [{ when: { method: GET }, use: canary }, { when: { method: GET }, use: stable }]
`);
  t.strictSame(
    one.rules.map((rule) => rule.then),
    [
      { kind: 'use', version: 0 },
      { kind: 'use', version: 1 },
    ],
  );
});

const conditionOf = (when: string): Condition | undefined =>
  service(`${TWO_VERSIONS}cohorts:
  staff: { header: { X-Group: staff } }
  qa: { cookie: { g: qa }, query: { q: { present: true } } }
rules: [{ when: ${when}, use: canary }]
`).rules[0]?.when;

t.test('conditions', async (t) => {
  const staff: Condition = { kind: 'header', name: 'x-group', match: { kind: 'oneOf', values: ['staff'] } };
  const qa: Condition = {
    kind: 'all',
    of: [
      { kind: 'cookie', name: 'g', match: { kind: 'oneOf', values: ['qa'] } },
      { kind: 'query', name: 'q', match: { kind: 'present' } },
    ],
  };
  const cases: [when: string, expected: Condition][] = [
    ['{ header: { X-A: b } }', { kind: 'header', name: 'x-a', match: { kind: 'oneOf', values: ['b'] } }],
    [
      '{ header: { a: [b, c] } }',
      { kind: 'header', name: 'a', match: { kind: 'oneOf', values: ['b', 'c'] } },
    ],
    [
      '{ header: { a: { prefix: b } } }',
      { kind: 'header', name: 'a', match: { kind: 'prefix', value: 'b' } },
    ],
    [
      '{ cookie: { A: { pattern: "^b$" } } }',
      { kind: 'cookie', name: 'A', match: { kind: 'pattern', source: '^b$' } },
    ],
    ['{ query: { "a b": "" } }', { kind: 'query', name: 'a b', match: { kind: 'oneOf', values: [''] } }],
    ['{ path: { prefix: /a } }', { kind: 'path', match: { kind: 'prefix', value: '/a' } }],
    ['{ path: /a }', { kind: 'path', match: { kind: 'oneOf', values: ['/a'] } }],
    ['{ method: GET }', { kind: 'method', oneOf: ['GET'] }],
    ['{ method: [GET, PUT] }', { kind: 'method', oneOf: ['GET', 'PUT'] }],
    ['{ region: [EU, us] }', { kind: 'region', oneOf: ['eu', 'us'] }],
    ['{ cohort: staff }', staff],
    ['{ cohort: [staff, qa] }', { kind: 'any', of: [staff, qa] }],
    ['{ cohort: staff, method: GET }', { kind: 'all', of: [{ kind: 'method', oneOf: ['GET'] }, staff] }],
    [
      '{ header: { a: b, c: d } }',
      {
        kind: 'all',
        of: [
          { kind: 'header', name: 'a', match: { kind: 'oneOf', values: ['b'] } },
          { kind: 'header', name: 'c', match: { kind: 'oneOf', values: ['d'] } },
        ],
      },
    ],
  ];
  for (const [when, expected] of cases) t.strictSame(conditionOf(when), expected, when);
});

t.test('names that mean something to JavaScript mean nothing here', async (t) => {
  const { services } = compiled(`services:
  constructor:
    versions:
      toString: { url: http://a }
      constructor: { url: http://b }
      hasOwnProperty: { url: http://c }
    stable: toString
    canary: constructor
    weight: 5
    cohorts: { valueOf: { header: { constructor: x } } }
    rules:
      - { when: { cohort: valueOf }, use: hasOwnProperty }
      - { when: { cookie: { toString: x }, query: { constructor: x } }, use: canary }
    mirror: { to: constructor }
`).split;
  const [one] = services;
  t.match(one, {
    name: 'constructor',
    stable: 0,
    shares: [{ version: 1, weightBp: 500 }],
    mirror: { to: 1 },
  });
  t.match(one?.rules[0], { when: { kind: 'header', name: 'constructor' }, then: { version: 2 } });
  for (const use of ['constructor', 'toString', '__proto__', 'hasOwnProperty']) {
    const { issues } = inspect(
      `services: { a: { versions: { v1: { url: http://a } }, rules: [{ when: { cohort: ${use} }, use: ${use} }] } }\n`,
    );
    t.match(issues, [{ path: 'services.a.rules[0].when.cohort' }, { path: 'services.a.rules[0].use' }], use);
  }
  t.equal(({} as Record<string, unknown>).url, undefined, 'nothing was polluted');
});

t.test('a config is plain data that survives a structured clone and JSON', async (t) => {
  const { split } = compiled(`services:
  a:
    versions: { v1: { url: http://a }, v2: { url: http://b } }
    stable: v1
    canary: v2
    maxBody: unlimited
    sticky: { by: [ip], issueCookie: {} }
    rules: [{ when: { header: { x: { present: true } } }, use: canary }]
    mirror: { to: v2 }
`);
  t.strictSame(structuredClone(split), split);
  t.strictSame(JSON.parse(JSON.stringify(split)), split);
});
