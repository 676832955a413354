import type { IncomingMessage } from 'node:http';
import { connect as netConnect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as tlsConnect } from 'node:tls';
import httpProxy from '@fastify/http-proxy';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { WebSocket, type WebSocketServer } from 'ws';
import { admit } from './admission.ts';
import { refuse, settle } from './answer.ts';
import { isWebSocket } from './downstream.ts';
import { ERRORS } from './errors.ts';
import { Exchange } from './exchange.ts';
import type { Gate } from './gate.ts';
import { assign, route } from './handler.ts';
import { upstreamHeaders } from './headers.ts';
import { requestIdOf } from './ids.ts';
import type { ServiceRuntime } from './table.ts';
import { type AttemptSpan, beginTrace } from './trace.ts';
import { tlsOptions, verifiedName } from './upstreams/connect.ts';
import type { Endpoint } from './upstreams/endpoint.ts';
import type { EndpointGroup } from './upstreams/group.ts';

const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;
/** What may wait for a slow reader before the other side is no longer read from. */
const HIGH_WATER_BYTES = 1024 * 1024;
const HANDSHAKE_TIMEOUT_MS = 10_000;
const GOING_AWAY = 1001;
/** Of the client's handshake: ws makes its own towards the upstream. */
const HANDSHAKE_HEADERS = /^(?:sec-websocket-(?:key|version|extensions|protocol)|content-length)$/;

/**
 * A client's side, unread from the start: what it sends before its upstream is
 * there would be kept in memory without end, for there is nobody to hand it to.
 */
class HeldWebSocket extends WebSocket {
  constructor(...args: ConstructorParameters<typeof WebSocket>) {
    super(...args);
    this.once('open', () => this.pause());
  }

  /** From now on only its answer to our close frame is read for; what else it says is for nobody. */
  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason);
    for (const event of ['message', 'ping', 'pong']) this.removeAllListeners(event);
    this.resume();
  }
}

interface Tunnel {
  readonly x: Exchange;
  readonly group: EndpointGroup;
  readonly endpoint: Endpoint;
  /** Of the handshakes. Null unless the request is traced. */
  readonly span: AttemptSpan | null;
  open: boolean;
}

/**
 * WebSockets, through @fastify/http-proxy: its message pump, our route, version,
 * endpoint and headers. The client's handshake is completed before the
 * upstream's; where that then fails the client gets a close frame 1011. Until the
 * upstream's is completed nothing is read from the client.
 */
export class WebSockets {
  readonly #gate: Gate;
  #server: WebSocketServer | null = null;
  readonly #tunnels = new WeakMap<IncomingMessage, Tunnel>();
  readonly #bySocket = new WeakMap<Socket, Tunnel>();
  readonly #byWebSocket = new WeakMap<WebSocket, Tunnel>();

  constructor(gate: Gate) {
    this.#gate = gate;
  }

  async register(app: FastifyInstance): Promise<void> {
    await app.register(httpProxy, {
      // An empty upstream makes the plugin ask `getUpstream` for each request.
      upstream: '',
      websocket: true,
      httpMethods: ['GET'],
      preHandler: (request, reply, done) => this.#admit(request, reply, done),
      replyOptions: {
        getUpstream: (request) => this.#tunnelOf(request.raw as IncomingMessage).endpoint.origin,
      },
      wsServerOptions: {
        maxPayload: MAX_MESSAGE_BYTES,
        perMessageDeflate: false,
        clientTracking: true,
        WebSocket: HeldWebSocket,
      },
      wsClientOptions: {
        maxPayload: MAX_MESSAGE_BYTES,
        perMessageDeflate: false,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
        rewriteRequestHeaders: (_headers: object, request: FastifyRequest) => this.#headers(request.raw),
        createConnection: (options: DialOptions) => this.#dial(options),
      },
      wsHooks: {
        onConnect: (_context, source, target) => this.#opened(source, target),
        onDisconnect: (_context, source) => this.#ended(source),
        onIncomingMessage: (_context, source, target) => holdBack(source, target),
        onOutgoingMessage: (_context, source, target) => holdBack(target, source),
      },
    } as Parameters<typeof httpProxy>[1] & object);
  }

  /** Tells every client that this gateway goes away (RFC 6455 section 7.4.1); each takes its upstream along. */
  sayGoodbye(): void {
    for (const client of this.#server?.clients ?? []) client.close(GOING_AWAY);
  }

  /** Ends what is left at once; ws itself would wait 30 s for a close frame. */
  cut(): void {
    for (const client of this.#server?.clients ?? []) client.terminate();
  }

  #admit(request: FastifyRequest, reply: FastifyReply, done: () => void): void {
    const { raw } = request;
    const x = new Exchange(this.#gate, raw, reply.raw, false);
    x.requestId = requestIdOf(x.header('x-request-id'));
    const { spans } = this.#gate;
    if (spans !== null) x.trace = beginTrace(x, spans);
    const refused = isWebSocket(raw)
      ? admit(x, this.#gate.settings.limits, this.#gate.instance)
      : 'bad_request';
    const tunnel = refused === null && route(x) ? this.#choose(x) : null;
    if (tunnel === null) {
      reply.hijack();
      refuse(x, refused ?? (x.runtime === null ? 'no_route' : 'upstream_full'));
      return;
    }
    this.#tunnels.set(raw, tunnel);
    this.#bySocket.set(raw.socket, tunnel);
    this.#server ??= this.#adopt(reply);
    done();
  }

  /** The plugin's server, which only a request leads to. */
  #adopt(reply: FastifyReply): WebSocketServer {
    const { wss } = (reply as FastifyReply & { wsProxy: { wss: WebSocketServer } }).wsProxy;
    wss.on('headers', (lines: string[], request: IncomingMessage) =>
      announce(this.#tunnelOf(request), lines),
    );
    return wss;
  }

  #choose(x: Exchange): Tunnel | null {
    const { version } = assign(x);
    const group = (x.runtime as ServiceRuntime).groups[version] as EndpointGroup;
    const endpoint = group.pick(x.startMs, null);
    if (endpoint === null) return null;
    endpoint.pending++;
    group.inFlight++;
    this.#gate.inFlight++;
    const span = x.trace === null ? null : x.trace.attempt(x, endpoint.origin);
    const tunnel = { x, group, endpoint, span, open: false };
    // Whatever becomes of the handshakes, the client's socket ends it all.
    x.req.socket.once('close', () => this.#closed(tunnel));
    return tunnel;
  }

  #tunnelOf(raw: IncomingMessage): Tunnel {
    const tunnel = this.#tunnels.get(raw);
    if (tunnel === undefined) throw new Error('a WebSocket without an assignment');
    return tunnel;
  }

  #headers(raw: IncomingMessage): Record<string, string | string[]> {
    const { x, endpoint, span } = this.#tunnelOf(raw);
    const plain = upstreamHeaders({
      req: raw,
      peer: x.peer,
      authority: x.authority,
      secure: x.secure,
      requestId: x.requestId,
      instance: this.#gate.instance,
    });
    const flat = span === null ? plain : span.headers(plain);
    const out: Record<string, string | string[]> = Object.create(null);
    for (let i = 0; i < flat.length; i += 2) {
      const name = flat[i] as string;
      if (HANDSHAKE_HEADERS.test(name)) continue;
      const value = flat[i + 1] as string;
      const before = out[name];
      out[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
    }
    // How the dialler knows whose certificate rules apply; taken off again there.
    dialling = endpoint;
    return out;
  }

  #dial(options: DialOptions): Socket {
    const endpoint = dialling;
    dialling = null;
    if (endpoint === null || endpoint.servername === null) return netConnect(options);
    const servername = verifiedName(endpoint.tls, endpoint.servername);
    return tlsConnect({ ...options, ...tlsOptions(endpoint.tls), servername });
  }

  #opened(source: WebSocket, target: WebSocket): void {
    const tunnel = this.#find(source);
    if (tunnel === undefined || source.readyState !== source.OPEN) return target.terminate();
    this.#byWebSocket.set(source, tunnel);
    if (target.readyState !== target.OPEN) return;
    source.resume();
    tunnel.open = true;
    tunnel.group.note(tunnel.endpoint, true, this.#gate.clock.nowMs());
    tunnel.span?.end(101, '');
    tunnel.x.firstByteMs = this.#gate.clock.nowMs();
    settle(tunnel.x, 101);
  }

  #ended(source: WebSocket): void {
    const tunnel = this.#find(source);
    if (tunnel === undefined || tunnel.open || tunnel.x.settled) return;
    tunnel.group.note(tunnel.endpoint, false, this.#gate.clock.nowMs());
    tunnel.span?.end(0, 'upstream_refused');
    settle(tunnel.x, ERRORS.upstream_refused.status);
  }

  #closed(tunnel: Tunnel): void {
    tunnel.endpoint.pending--;
    tunnel.group.inFlight--;
    this.#gate.inFlight--;
    tunnel.span?.end(0, 'upstream_refused');
    settle(tunnel.x, ERRORS.upstream_refused.status);
  }

  #find(source: WebSocket): Tunnel | undefined {
    const known = this.#byWebSocket.get(source);
    if (known !== undefined) return known;
    const { _socket: socket } = source as WebSocket & { _socket: Socket | null };
    return socket === null ? undefined : this.#bySocket.get(socket);
  }
}

/** ws calls the header hook and the dialler in one tick, one connection at a time. */
let dialling: Endpoint | null = null;

type DialOptions = ConnectionOptions & TcpNetConnectOpts;

/** Stops reading one side while the other has not taken what it was sent (ws itself would buffer without end). */
function holdBack(from: WebSocket, to: WebSocket): void {
  // To a side that is closing nothing is sent any more: what `from` still says must be read to get to its end.
  if (to.readyState !== to.OPEN || to.bufferedAmount < HIGH_WATER_BYTES || from.isPaused) return;
  const { _socket: socket } = to as WebSocket & { _socket: Socket | null };
  if (socket === null) return;
  from.pause();
  const resume = () => {
    socket.off('drain', resume);
    socket.off('close', resume);
    from.resume();
  };
  socket.on('drain', resume);
  socket.on('close', resume);
}

/** Adds to the 101 what every other answer carries. */
function announce({ x }: Tunnel, lines: string[]): void {
  const { service, issuer } = x.runtime as ServiceRuntime;
  lines.push(`x-request-id: ${x.requestId}`);
  const version = service.versions[x.assignment?.version ?? service.stable];
  if (service.exposeVersion && version !== undefined) lines.push(`x-coalmine-version: ${version.name}`);
  if (x.newId !== '' && issuer !== null) lines.push(`set-cookie: ${issuer.setCookie(x.newId, x.secure)}`);
}
