import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** How often connections are looked at within the limit. */
const SWEEPS_PER_LIMIT = 6;
const MIN_SWEEP_MS = 50;

interface Reader {
  readonly socket: Socket;
  /** Bytes that the kernel had taken at the last look. */
  takenBytes: number;
  /** Monotonic, ms: since when nothing was taken of what waits; -1 while nothing waits. */
  sinceMs: number;
}

/**
 * Clients' connections, looked at for those that take nothing of what they are
 * sent: such a client would hold its upstream connection, which waits for it, for
 * ever. One sweep over all connections, so that a request costs nothing for it.
 *
 * It also ends the last bytes of an answer that is over, refusals, and WebSockets.
 */
export class Readers {
  readonly #readers = new Set<Reader>();
  readonly #timer: NodeJS.Timeout;

  constructor(limitMs: number, nowMs: () => number) {
    const everyMs = Math.max(MIN_SWEEP_MS, limitMs / SWEEPS_PER_LIMIT);
    this.#timer = setInterval(() => this.#sweep(limitMs, nowMs()), everyMs);
    this.#timer.unref();
  }

  /** From here to its close; of TLS the encrypted socket, for only that one knows what waits. */
  watch(socket: Socket): void {
    const reader: Reader = { socket, takenBytes: 0, sinceMs: -1 };
    this.#readers.add(reader);
    socket.once('close', () => this.#readers.delete(reader));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #sweep(limitMs: number, nowMs: number): void {
    for (const reader of this.#readers) {
      const { socket } = reader;
      if (socket.writableLength === 0) {
        reader.sinceMs = -1;
        continue;
      }
      const takenBytes = socket.bytesWritten - waitingBytes(socket);
      if (reader.sinceMs < 0 || takenBytes !== reader.takenBytes) {
        reader.takenBytes = takenBytes;
        reader.sinceMs = nowMs;
      } else if (nowMs - reader.sinceMs >= limitMs) {
        cut(socket);
      }
    }
  }
}

interface Handle {
  readonly writeQueueSize?: number;
  /** Of TLS: the connection under it. */
  readonly _parent?: Handle;
}

/**
 * What the kernel has not taken. Node counts a write as waiting until it is out whole, and
 * a WebSocket's message of many megabytes is one write; how much of it is left only libuv
 * knows. Node's own time-out for sockets asks the same field.
 */
function waitingBytes(socket: Socket): number {
  const { _handle: handle } = socket as Socket & { _handle?: Handle | null };
  return (handle?._parent ?? handle)?.writeQueueSize ?? socket.writableLength;
}

/** A reset, so that a cut answer is never taken for a whole one; the request on it then counts as left by its client. */
function cut(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}
