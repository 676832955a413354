/**
 * Every default, as a user would write it. The schema shows these values and
 * compile applies them, so that what the reference says is what happens.
 */
export const DEFAULTS = {
  listen: '0.0.0.0:8080',
  /** Loopback: whoever reaches the admin port can move traffic. */
  adminListen: '127.0.0.1:9090',
  limits: {
    /** Node's own and Apache's order of size; nginx allows four buffers of 8 KiB. */
    maxHeaderBytes: '16KiB',
    maxHeaders: 100,
    headersTimeout: '10s',
    bodyIdleTimeout: '30s',
    /** Kestrel's MinRequestBodyDataRate; Apache's mod_reqtimeout asks for 500. */
    minBodyBytesPerSecond: 240,
    /** nginx: send_timeout 60 s. */
    answerIdleTimeout: '60s',
    /** Above the 60 s idle time-out of the usual load balancers, so that they close first (nginx: 75 s). */
    keepAlive: '65s',
    maxConnections: 10_000,
  },
  drain: {
    /** Endpoints need a moment to leave the load balancers of a cluster. */
    delay: '5s',
    /** With the delay it stays inside Kubernetes' default grace period of 30 s. */
    timeout: '20s',
  },
  log: { level: 'info', accessLog: 0 },
  matchPath: '/',
  upstream: {
    timeouts: {
      /** HAProxy's and Envoy's examples use 5 s; inside one network 2 s is long. */
      connect: '2s',
      /** nginx: proxy_read_timeout 60 s. */
      firstByte: '60s',
      idle: '60s',
      total: 'none',
    },
    /** Envoy's circuit breakers stand at 1024 for the whole cluster; these are for each endpoint. */
    pool: { connections: 256, pending: 256, keepAlive: '4s', ttl: '60s' },
    /** Envoy's retry budget: 20 % of the active requests, at least 3. */
    retry: { retries: 1, budgetShare: 0.2, budgetMin: 3 },
    healthCheck: {
      path: '/healthz',
      interval: '5s',
      timeout: '2s',
      /** HAProxy: rise 2, fall 3. */
      healthyThreshold: 2,
      unhealthyThreshold: 3,
    },
    /** Envoy's outlier detection: 5 in a row, 30 s growing to 300 s. */
    ejection: { consecutiveFailures: 5, base: '30s', max: '300s' },
  },
  weight: 0,
  sticky: { mode: 'hash', sessionTtl: '1h', sessionMax: 100_000 },
  issueCookie: { name: 'coalmine_id', maxAge: '30d' },
  mirror: {
    percent: 100,
    by: 'sticky',
    methods: ['GET', 'HEAD', 'POST'],
    timeout: '2s',
    maxInFlight: 64,
    maxBody: '1MiB',
    maxAnswer: '1MiB',
    maxBuffered: '32MiB',
    keepCredentials: false,
  },
  failover: 'none',
  precedence: 'coalmine',
  /** nginx stops at 1 MiB, which images for a model exceed; Envoy and Traefik have no limit at all. */
  maxBody: '10MiB',
  exposeVersion: true,
  rollout: {
    start: 'auto',
    startingStep: 0,
    onFailure: 'abort',
    onInconclusive: 'pause',
    onNoData: 'hold',
    compat: 'coalmine',
    /** Argo: progressDeadlineSeconds 600. */
    progressDeadline: '600s',
    progressDeadlineAbort: false,
    rollbackWindow: 0,
    webhook: { type: 'rollout', timeout: '10s', retries: 0, interval: '10s', failureLimit: 0 },
    notification: { format: 'plain', timeout: '5s' },
  },
  /** A stage of less than a minute says little about how users take it. */
  evidencePause: { atLeast: '60s', onTimeout: 'hold' },
  predictions: {
    format: 'json',
    scoreRange: [0, 1],
    /** Of `openai`, whose scores are tokens. */
    tokenRange: [0, 4_096],
    sample: { share: 1, perSecond: 200, maxBody: '256KiB', cpu: 0.05 },
  },
  shadow: { tolerance: 0.01, keep: 0 },
  gates: {
    alpha: 0.01,
    beta: 0.01,
    minSamples: 50,
    successRate: { tolerate: 1 },
    latency: { delta: 0.25 },
  },
  experiment: { alpha: 0.05 },
  kpi: { expires: '30d' },
  tracing: {
    sample: '1%',
    perSecond: 100,
    serviceName: 'coalmine',
    /** OpenTelemetry: OTEL_EXPORTER_OTLP_TIMEOUT. */
    timeout: '10s',
  },
  /** Limits and time-outs are Argo's. */
  metric: {
    initialDelay: '0s',
    failureLimit: 0,
    inconclusiveLimit: 0,
    consecutiveErrorLimit: 4,
    consecutiveSuccessLimit: 0,
    retention: 10,
    provider: {
      prometheus: { timeout: '30s' },
      web: { method: 'GET', jsonPath: '{$}', timeoutSeconds: 10 },
      coalmine: { quantile: 0.99, of: 'canary', window: '1m' },
    },
  },
  stateFolder: '.coalmine',
} as const;

/** Bounds of the latency histograms in milliseconds, for services that answer in 1 ms up to a minute. */
export const LATENCY_EDGES_MS: readonly number[] = [
  0.5, 1, 2.5, 5, 10, 25, 50, 75, 100, 150, 200, 250, 350, 500, 750, 1_000, 2_000, 5_000, 10_000, 30_000,
  60_000,
];
