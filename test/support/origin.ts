import type { AddressInfo } from 'node:net';
import net from 'node:net';
import tls from 'node:tls';
import type { Test } from 'tap';
import { bodyOf, MessageReader, type WireMessage } from './http1.ts';
import { Bell, sleep } from './wait.ts';

/** A scriptable upstream on bare sockets: it records every byte and request, and answers with any bytes. */

export interface OriginConnection {
  readonly id: number;
  readonly socket: net.Socket;
  readonly received: Buffer[];
  readonly requests: OriginRequest[];
  readonly reader: MessageReader;
  closedBy: 'open' | 'end' | 'reset';
}

export interface OriginRequest {
  readonly message: WireMessage;
  readonly connection: OriginConnection;
}

/** One request as its script sees it; called when the head has come. */
export interface Call extends OriginRequest {
  /** Number of the request over the whole origin, from 0. */
  readonly nth: number;
  /** The whole request body; rejects when the connection is lost before its end. */
  body(): Promise<Buffer>;
  /** Bytes in latin1, or as they are; resolves when they are handed to the kernel. */
  write(bytes: string | Buffer): Promise<void>;
  /** Each piece in a segment of its own. */
  pieces(parts: Iterable<string | Buffer>, gapMs: number): Promise<void>;
  /** Ends the sending side. */
  end(): void;
  /** RST, or under TLS an end without the close alert. */
  reset(): void;
  /** Resolves when the peer has gone. */
  gone(): Promise<void>;
}

export type Script = (call: Call) => unknown;

export interface Origin {
  readonly port: number;
  readonly url: string;
  readonly connections: OriginConnection[];
  readonly requests: OriginRequest[];
  /** Replaces the script for the requests to come. */
  script: Script;
  /** Called with every new connection before anything is read from it. */
  greet: ((connection: OriginConnection) => void) | null;
  /** What no sound gateway would have sent, over all connections. */
  violations(): string[];
  /** Requests whose body has come to its end. */
  whole(): OriginRequest[];
  until(holds: () => boolean, what: string, timeoutMs?: number): Promise<void>;
  arrived(count: number): Promise<void>;
  /** Open connections. */
  open(): OriginConnection[];
  forget(): void;
  close(): Promise<void>;
}

/** An answer with its length stated. */
export function answer(status: number, body = '', ...lines: readonly string[]): string {
  const length = status === 204 || status === 304 ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return `${[`HTTP/1.1 ${status} Test`, ...length, ...lines].join('\r\n')}\r\n\r\n${body}`;
}

export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Reads the whole body and answers 200 with the target as its body. */
export const polite: Script = async (call) => {
  await call.body();
  await call.write(answer(200, `served ${call.message.target}`));
};

export interface OriginOptions {
  readonly tls?: tls.TlsOptions;
  readonly discardBody?: boolean;
  readonly port?: number;
}

export async function startOrigin(
  t: Test,
  script: Script = polite,
  options: OriginOptions = {},
): Promise<Origin> {
  const bell = new Bell();
  const connections: OriginConnection[] = [];
  const requests: OriginRequest[] = [];
  const failures: string[] = [];

  const accept = (socket: net.Socket): void => {
    const connection = adopt(socket);
    connections.push(connection);
    origin.greet?.(connection);
    socket.on('data', (bytes: Buffer) => {
      if (options.discardBody !== true) connection.received.push(bytes);
      connection.reader.push(bytes);
      bell.ring();
    });
    const closed = (by: 'end' | 'reset') => {
      if (connection.closedBy === 'open') {
        connection.closedBy = by;
        if (by === 'end') connection.reader.finish();
      }
      bell.ring();
    };
    socket.on('end', () => {
      closed('end');
      socket.end();
    });
    socket.on('error', () => closed('reset'));
    socket.on('close', () => closed('reset'));
  };

  const adopt = (socket: net.Socket): OriginConnection => {
    const reader = new MessageReader({
      kind: 'request',
      discardBody: options.discardBody ?? false,
      onHead: (message) => {
        const request = { message, connection };
        connection.requests.push(request);
        const call = makeCall(request, requests.push(request) - 1, bell);
        // After this turn, so that a script sees the body that came with the head.
        queueMicrotask(() => run(call));
      },
      onEnd: () => bell.ring(),
    });
    const connection: OriginConnection = {
      id: connections.length,
      socket,
      received: [],
      requests: [],
      reader,
      closedBy: 'open',
    };
    return connection;
  };

  const run = async (call: Call): Promise<void> => {
    try {
      await origin.script(call);
    } catch (error) {
      // A peer that left is the test's business; anything else is a fault of the script.
      if (!(error instanceof PeerGone)) failures.push(String(error));
    }
  };

  const server =
    options.tls === undefined
      ? net.createServer({ allowHalfOpen: true, noDelay: true }, accept)
      : tls.createServer(options.tls, accept);
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  const origin: Origin = {
    port,
    url: `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    connections,
    requests,
    script,
    greet: null,
    violations: () => [
      ...connections.flatMap(({ id, reader }) =>
        reader.violation === null ? [] : [`#${id}: ${reader.violation}`],
      ),
      ...failures,
    ],
    whole: () => requests.filter(({ message }) => message.complete),
    until: (holds, what, timeoutMs) =>
      bell.until(
        holds,
        () => `${what}; ${requests.length} requests, ${connections.length} connections`,
        timeoutMs,
      ),
    arrived: (count) => origin.until(() => requests.length >= count, `${count} requests at the origin`),
    open: () => connections.filter(({ closedBy }) => closedBy === 'open'),
    forget: () => {
      requests.length = 0;
      for (const connection of connections) connection.requests.length = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const { socket } of connections) socket.destroy();
      }),
  };
  t.teardown(() => origin.close());
  return origin;
}

class PeerGone extends Error {}

function makeCall(request: OriginRequest, nth: number, bell: Bell): Call {
  const { connection, message } = request;
  const { socket } = connection;
  const lost = () => connection.closedBy !== 'open' || connection.reader.violation !== null;
  const write = (bytes: string | Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      if (socket.destroyed || !socket.writable) {
        reject(new PeerGone('write to a closed connection'));
        return;
      }
      const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
      socket.write(data, (error) => (error ? reject(new PeerGone(error.message)) : resolve()));
    });
  return {
    ...request,
    nth,
    write,
    async body() {
      await bell.until(
        () => message.complete || lost(),
        () => 'the end of a request body',
        60_000,
      );
      if (!message.complete) throw new PeerGone('the body was cut');
      return bodyOf(message);
    },
    async pieces(parts, gapMs) {
      for (const part of parts) {
        await write(part);
        await sleep(gapMs);
      }
    },
    end: () => void socket.end(),
    // A TLS socket cannot be reset; destroyed, it ends without the close alert, which is as abrupt.
    reset: () => void (socket instanceof tls.TLSSocket ? socket.destroy() : socket.resetAndDestroy()),
    gone: () =>
      bell.until(
        () => connection.closedBy !== 'open',
        () => 'the peer to leave',
        60_000,
      ),
  };
}

/** An address where nobody listens. */
export async function refusedUrl(): Promise<string> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
