import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import net from 'node:net';
import Fastify, { type FastifyInstance } from 'fastify';
import type { ListenerSettings, Split } from '../core/model.ts';
import type { Clock, Log, PatternCompiler, Random, SpanSink } from '../ports.ts';
import { ArmBook } from '../tally/arms.ts';
import type { Recorder } from '../tally/recorder.ts';
import { DownstreamRequest, isWebSocket } from './downstream.ts';
import { ERRORS, type ErrorCode, rawErrorAnswer } from './errors.ts';
import type { Gate } from './gate.ts';
import { cutStalled, handle } from './handler.ts';
import { newInstanceId } from './ids.ts';
import { Judging } from './judging.ts';
import type { Disagreement } from './observe/kept.ts';
import { Readers } from './readers.ts';
import { type Table, TableMaker } from './table.ts';
import { parseTarget } from './target.ts';
import { Uploads } from './uploads.ts';
import { UpstreamRegistry } from './upstreams/registry.ts';
import { WebSockets } from './websocket.ts';

export interface GatewayDeps {
  readonly recorder: Recorder;
  /** What the judge reads; without it the counting is for nobody. */
  readonly arms?: ArmBook;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly compilePattern: PatternCompiler;
  /** Left out: nothing is traced until `setSpans` says otherwise. */
  readonly spans?: SpanSink;
}

export interface EndpointStatus {
  readonly service: string;
  readonly version: string;
  readonly endpoint: string;
  readonly healthy: boolean;
  /** Monotonic, ms: when an ejected endpoint is tried again; null while it is not ejected. */
  readonly ejectedUntilMs: number | null;
  readonly pending: number;
}

type HttpServer = http.Server | https.Server;

/** How often a closing gateway looks whether its last request is over. */
const IDLE_CHECK_MS = 20;
/** What WebSockets get of the grace to close in good order. */
const GOODBYE_MS = 1_000;
/** Node looks for slow heads this often; the default of 30 s would make its limits vague. */
const CONNECTIONS_CHECK_MS = 1_000;

/** The data path. Starts listening; the caller decides when requests get which Split. */
export async function startGateway(
  settings: ListenerSettings,
  split: Split,
  deps: GatewayDeps,
): Promise<Gateway> {
  const registry = new UpstreamRegistry(deps.log);
  const judging = new Judging(deps.arms ?? new ArmBook(), deps.clock, deps.log);
  const tables = new TableMaker(deps.recorder, registry, deps.compilePattern, judging);
  const table = tables.make(split);
  tables.commit(table);
  const nowMs = () => deps.clock.nowMs();
  const gate: Gate = {
    table,
    settings,
    clock: deps.clock,
    random: deps.random,
    log: deps.log,
    instance: newInstanceId(),
    countRefused: (code) => deps.recorder.countRefused(code),
    uploads: new Uploads(settings.limits, nowMs, cutStalled),
    readers: new Readers(settings.limits.answerIdleTimeoutMs, nowMs),
    spans: deps.spans ?? null,
    draining: false,
    inFlight: 0,
  };
  const sockets = new WebSockets(gate);
  for (const code of REFUSALS) deps.recorder.countRefused(code, 0);
  const app = await buildApp(gate, sockets);
  try {
    await app.listen({ host: settings.host, port: settings.port });
  } catch (error) {
    gate.uploads.stop();
    gate.readers.stop();
    await registry.close();
    throw error;
  }
  return new Gateway({ gate, app, tables, registry, judging, sockets });
}

/** What a request can be refused with before it has a version; told as 0 from the start, so that the first shows as an increase. */
const REFUSALS = (Object.keys(ERRORS) as ErrorCode[]).filter((code) => ERRORS[code].side !== 'upstream');

interface Parts {
  readonly gate: Gate;
  readonly app: FastifyInstance;
  readonly tables: TableMaker;
  readonly registry: UpstreamRegistry;
  readonly judging: Judging;
  readonly sockets: WebSockets;
}

export class Gateway {
  readonly url: string;
  readonly #gate: Gate;
  readonly #app: FastifyInstance;
  readonly #tables: TableMaker;
  readonly #registry: UpstreamRegistry;
  readonly #judging: Judging;
  readonly #sockets: WebSockets;

  constructor({ gate, app, tables, registry, judging, sockets }: Parts) {
    this.#gate = gate;
    this.#app = app;
    this.#tables = tables;
    this.#registry = registry;
    this.#judging = judging;
    this.#sockets = sockets;
    const { address, port, family } = app.server.address() as AddressInfo;
    const scheme = gate.settings.tls === null ? 'http' : 'https';
    this.url = `${scheme}://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Requests that arrive from now on see `split`; those under way finish on theirs. Throws, and changes nothing, where it cannot be served. */
  swap(split: Split): void {
    const table: Table = this.#tables.make(split);
    this.#tables.commit(table);
    this.#gate.table = table;
  }

  /** New connections get the new certificate; open ones keep theirs. */
  setTls(tls: { cert: string; key: string }): void {
    const { server } = this.#app;
    if (server instanceof https.Server) server.setSecureContext(tlsContext(tls));
  }

  /** Requests that arrive from now on are traced there; null: not traced. */
  setSpans(sink: SpanSink | null): void {
    this.#gate.spans = sink;
  }

  endpoints(): EndpointStatus[] {
    const now = this.#gate.clock.nowMs();
    return this.#registry.all().flatMap(({ group, service, version }) =>
      group.endpoints.map((endpoint) => ({
        service,
        version,
        endpoint: endpoint.origin,
        healthy: endpoint.healthy,
        ejectedUntilMs: now < endpoint.ejectedUntilMs ? endpoint.ejectedUntilMs : null,
        pending: endpoint.pending,
      })),
    );
  }

  /** The newest pairs of a client's answer and the shadow's that did not agree, oldest first. */
  disagreements(service: string): readonly Disagreement[] {
    return this.#judging.disagreements(service);
  }

  /** Clients are asked, answer by answer, to close their connections. */
  beginDrain(): void {
    this.#gate.draining = true;
  }

  /**
   * Stops listening and waits up to `graceMs` for requests in flight; what is not
   * over then is cut. Resolves with how many that were. WebSockets, which have no
   * end of their own, are told shortly before.
   */
  async close(graceMs: number): Promise<number> {
    const { server } = this.#app;
    this.beginDrain();
    // Node's own close would also end idle connections at once, some of them under a request on its way.
    net.Server.prototype.close.call(server);
    const deadline = performance.now() + graceMs;
    await this.#untilIdle(deadline - Math.min(GOODBYE_MS, graceMs / 2));
    this.#sockets.sayGoodbye();
    await this.#untilIdle(deadline);
    const cut = this.#gate.inFlight;
    server.closeIdleConnections();
    server.closeAllConnections();
    this.#sockets.cut();
    this.#gate.uploads.stop();
    this.#gate.readers.stop();
    await this.#app.close();
    await this.#registry.close();
    return cut;
  }

  async #untilIdle(deadlineMs: number): Promise<void> {
    while (this.#gate.inFlight > 0 && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, IDLE_CHECK_MS));
    }
  }
}

async function buildApp(gate: Gate, sockets: WebSockets): Promise<FastifyInstance> {
  const app = Fastify({
    serverFactory: (handler) => buildServer(gate, handler as http.RequestListener),
    // Only WebSockets come here, with the path that @fastify/http-proxy forwards.
    rewriteUrl: (req) => webSocketUrl(req.url as string),
    clientErrorHandler: (error, socket) => onClientError(gate, error, socket),
    requestIdHeader: false,
    genReqId: () => '',
    childLoggerFactory: (logger) => logger,
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: true,
  }) as unknown as FastifyInstance;
  app.setErrorHandler((error, request, reply) => {
    gate.log.warn({ cause: (error as Error).message, path: request.url }, 'a WebSocket request was refused');
    return reply.code(400).send({ error: 'bad_target' });
  });
  await sockets.register(app);
  return app;
}

declare module 'node:http' {
  interface IncomingMessage {
    /** Set by Fastify's `rewriteUrl`: the request target as it came. */
    originalUrl?: string;
  }
}

/** The normalised target; one that is none goes to `/`, where admission refuses the original. */
function webSocketUrl(url: string): string {
  const target = parseTarget(url);
  return target === null ? '/' : target.path + target.query;
}

/**
 * The server of the Fastify instance, which listens, closes and speaks WebSocket.
 * Plain requests go straight to the handler: Fastify's routing, hooks and its own
 * request and reply, none of which they need, cost a twentieth of a request.
 */
function buildServer(gate: Gate, webSocket: http.RequestListener): HttpServer {
  const { limits, tls } = gate.settings;
  const options = {
    IncomingMessage: DownstreamRequest,
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersTimeoutMs,
    // The body has a time-out of its own, for silence; a long upload is no fault.
    requestTimeout: 0,
    connectionsCheckingInterval: CONNECTIONS_CHECK_MS,
    keepAliveTimeout: limits.keepAliveMs,
    requireHostHeader: false,
    insecureHTTPParser: false,
    noDelay: true,
    shouldUpgradeCallback: isWebSocket,
  };
  const handler: http.RequestListener = (req, res) => {
    if (isWebSocket(req)) webSocket(req, res);
    else handle(gate, req, res, false);
  };
  const server: HttpServer =
    tls === null
      ? http.createServer(options, handler)
      : https.createServer(
          {
            ...options,
            ...tlsContext(tls),
            ALPNProtocols: ['http/1.1'],
            handshakeTimeout: limits.headersTimeoutMs,
          },
          handler,
        );
  server.maxConnections = limits.maxConnections;
  // Node would drop headers beyond 2,000 in silence; admission counts them instead.
  server.maxHeadersCount = 0;
  const onExpect: http.RequestListener = (req, res) => handle(gate, req, res, true);
  server.on('checkContinue', onExpect);
  server.on('checkExpectation', onExpect);
  server.on(tls === null ? 'connection' : 'secureConnection', (socket: Socket) => gate.readers.watch(socket));
  server.on('connect', (_req, socket) => {
    gate.countRefused('method_not_allowed');
    socket.end(rawErrorAnswer('method_not_allowed'));
  });
  return server;
}

function tlsContext(tls: { cert: string; key: string }): https.ServerOptions {
  return { cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' };
}

/** What Node's parser refuses never becomes a request; it is answered here and its connection closed. */
function onClientError(gate: Gate, error: NodeJS.ErrnoException, socket: Socket): void {
  const busy = socket as Socket & { _httpMessage?: { headersSent: boolean } | null };
  // Nobody who did not finish the TLS handshake could read an answer.
  if (error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return void socket.destroy();
  // Bytes behind a last request are nothing to its answer, which closes the connection.
  if (error.code === 'HPE_CLOSED_CONNECTION' && busy._httpMessage) return;
  // An answer that has begun must not get another one in its middle.
  if (error.code === 'ECONNRESET' || !socket.writable || busy._httpMessage?.headersSent) {
    socket.destroy(error);
    return;
  }
  const code = clientErrorCode(error.code);
  gate.countRefused(code);
  socket.end(rawErrorAnswer(code));
}

function clientErrorCode(code: string | undefined): ErrorCode {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return 'headers_too_large';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'body_too_large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'body_timeout';
    default:
      return 'bad_request';
  }
}
