import { createHash } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { type WebSocket, WebSocketServer } from 'ws';
import { bodyOf } from './http1.ts';
import { head, type RawClient } from './raw.ts';

/** WebSocket upstreams and hand-made frames. */

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';

/** The opening request, byte for byte. */
export function handshake(target: string, ...lines: readonly string[]): string {
  const own = (name: string) => lines.some((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  const standard = [
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${KEY}`,
  ];
  const kept = standard.filter((line) => !own(line.slice(0, line.indexOf(':'))));
  return head(`GET ${target} HTTP/1.1`, ...kept, ...lines);
}

/** The answer that opens the tunnel for a request's key (RFC 6455 section 4.2.2). */
export function opening(key: string): string {
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** One frame; a client's is masked (with zeros, which leaves its payload readable). */
export function frame(
  opcode: number,
  payload: Buffer,
  options: { fin?: boolean; masked?: boolean } = {},
): Buffer {
  const { fin = true, masked = false } = options;
  const first = (fin ? 0x80 : 0) | opcode;
  const mask = masked ? 0x80 : 0;
  const { length } = payload;
  let header: Buffer;
  if (length < 126) header = Buffer.from([first, mask | length]);
  else if (length < 65_536) header = Buffer.from([first, mask | 126, length >> 8, length & 255]);
  else {
    header = Buffer.alloc(10);
    header[0] = first;
    header[1] = mask | 127;
    header.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([header, masked ? Buffer.alloc(4) : Buffer.alloc(0), payload]);
}

/** The code of the close frame among a server's (small) frames; null where there is none yet. */
export function closeCode(client: RawClient): number | null {
  const [opened] = client.answers;
  if (opened === undefined) return null;
  const bytes = bodyOf(opened);
  for (let at = 0; at + 4 <= bytes.length; at += 2 + (bytes[at + 1] as number)) {
    if (bytes[at] === 0x88) return bytes.readUInt16BE(at + 2);
  }
  return null;
}

export interface SocketOrigin {
  readonly port: number;
  readonly url: string;
  /** Opened connections with the target and headers of their request. */
  readonly opened: { socket: WebSocket; target: string; headers: NodeJS.Dict<string | string[]> }[];
}

/** A WebSocket upstream; `serve` gets every connection. */
export async function startSocketOrigin(t: Test, serve: (socket: WebSocket) => void): Promise<SocketOrigin> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise<void>((resolve) => server.once('listening', resolve));
  const opened: SocketOrigin['opened'] = [];
  server.on('connection', (socket, request) => {
    socket.on('error', () => {});
    opened.push({ socket, target: request.url ?? '', headers: request.headers });
    serve(socket);
  });
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        for (const client of server.clients) client.terminate();
        server.close(() => resolve());
      }),
  );
  const { port } = server.address() as AddressInfo;
  return { port, url: `http://127.0.0.1:${port}`, opened };
}
