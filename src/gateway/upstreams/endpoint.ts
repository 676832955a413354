import { type Client, Pool } from 'undici';
import type { Upstream, UpstreamTls } from '../../core/model.ts';
import { makeConnector } from './connect.ts';
import { ConnectionPool } from './pool.ts';

/** Answer heads above this are refused; peers allow 64 KiB as well. */
const MAX_ANSWER_HEAD_BYTES = 64 * 1024;

/** One address of a version: its connections, what is under way, and whether it is fit. */
export class Endpoint {
  readonly origin: string;
  readonly pool: ConnectionPool;
  /**
   * Of an https endpoint, to be given with each request: without it undici takes
   * the client's Host for the TLS name and reconnects whenever that changes.
   */
  readonly servername: string | null;
  readonly #upstream: Upstream;
  readonly #limit: number;
  #fresh: Pool | null = null;
  #probe: Pool | null = null;
  /** Requests under way or waiting for a connection. */
  pending = 0;
  /** What the active check says; true until it says otherwise. */
  healthy = true;
  /** Monotonic time until which the passive check keeps requests away. */
  ejectedUntilMs = 0;
  failuresInRow = 0;
  ejections = 0;

  constructor(origin: string, upstream: Upstream) {
    this.origin = origin;
    const { protocol, hostname } = new URL(origin);
    this.servername = protocol === 'https:' ? (upstream.tls?.serverName ?? hostname) : null;
    this.#upstream = upstream;
    this.#limit = upstream.pool.connections + upstream.pool.pending;
    const { connections, connectionTtlMs } = upstream.pool;
    this.pool = new ConnectionPool(origin, {
      connections,
      connectionTtlMs,
      client: { ...this.#clientOptions(), pipelining: 1 },
    });
  }

  get tls(): UpstreamTls | null {
    return this.#upstream.tls;
  }

  get full(): boolean {
    return this.pending >= this.#limit;
  }

  available(nowMs: number): boolean {
    return this.healthy && nowMs >= this.ejectedUntilMs;
  }

  /**
   * Connections that are used once, for a retry after a kept-alive connection
   * turned out to be dead: the other idle ones are as old and may be as dead.
   */
  fresh(): Pool {
    this.#fresh ??= new Pool(this.origin, { ...this.#clientOptions(), connections: 16, pipelining: 0 });
    return this.#fresh;
  }

  /** The active check's own connection: it must not wait behind the requests whose fate it is to tell. */
  probe(timeoutMs: number): Pool {
    this.#probe ??= new Pool(this.origin, { ...this.#clientOptions(timeoutMs), connections: 1 });
    return this.#probe;
  }

  async destroy(): Promise<void> {
    await Promise.all([this.pool.destroy(), this.#fresh?.destroy(), this.#probe?.destroy()]);
  }

  #clientOptions(connectMs = Number.POSITIVE_INFINITY): Client.Options {
    const { timeouts, tls, pool } = this.#upstream;
    return {
      connect: makeConnector(tls, Math.min(connectMs, timeouts.connectMs)),
      keepAliveTimeout: pool.keepAliveMs,
      // A `Keep-Alive: timeout=` hint of the upstream may shorten that, not lengthen it.
      keepAliveMaxTimeout: pool.keepAliveMs,
      headersTimeout: timeouts.firstByteMs,
      bodyTimeout: timeouts.idleMs,
      maxHeaderSize: MAX_ANSWER_HEAD_BYTES,
      allowH2: false,
    };
  }
}
