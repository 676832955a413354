/**
 * The upstream of every measurement, in its own process.
 *
 * Three small-message ports (stable, canary, shadow) answer about 200 bytes of
 * JSON to anything. They stand on node:net and read framing only, which costs
 * half of what node:http does, so that the origin is not the limit. A fourth
 * port on node:http serves the rows with large bodies:
 *   any method /bytes/N   drains the request, answers N bytes
 *   any method /slow/N    the same, but stops reading for a second after the first MiB
 *
 * Control over IPC: `{op: 'counts'}` is answered by the requests seen on each
 * small port; `{op: 'stall', port, ms}` makes one port hold its answers.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { MessageReader } from './lib/message.ts';

const NAMES = ['stable', 'canary', 'shadow'] as const;
const MIB = 1024 * 1024;
const PIECE = Buffer.alloc(64 * 1024, 'x');

const counts = [0, 0, 0];
const heldUntilMs = [0, 0, 0];

function smallAnswer(name: string): Buffer {
  const body = JSON.stringify({
    prediction: 'versicolor',
    confidence: 0.9431,
    probabilities: { setosa: 0.0102, versicolor: 0.9431, virginica: 0.0467 },
    modelVersion: name,
    trace: 'a'.repeat(60),
  });
  return Buffer.from(
    `HTTP/1.1 200 OK\r\nDate: ${new Date().toUTCString()}\r\ncontent-type: application/json\r\n` +
      `content-length: ${body.length}\r\n\r\n${body}`,
  );
}

function smallServer(index: number): Server {
  const answer = smallAnswer(NAMES[index] as string);
  return createTcpServer({ noDelay: true }, (socket) => {
    const reader = new MessageReader(() => {
      counts[index] = (counts[index] as number) + 1;
      const waitMs = (heldUntilMs[index] as number) - Date.now();
      if (waitMs <= 0) socket.write(answer);
      else setTimeout(() => socket.writable && socket.write(answer), waitMs);
    });
    socket.on('data', (bytes) => reader.feed(bytes));
    socket.on('error', () => socket.destroy());
  });
}

function drain(req: IncomingMessage, slow: boolean, done: () => void): void {
  let seen = 0;
  let paused = !slow;
  req.on('data', (bytes: Buffer) => {
    seen += bytes.length;
    if (paused || seen < MIB) return;
    paused = true;
    req.pause();
    setTimeout(() => req.resume(), 1000);
  });
  req.on('end', done);
}

function sendBytes(res: ServerResponse, total: number): void {
  let left = total;
  const push = () => {
    while (left > 0) {
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
      left -= piece.length;
      if (!res.write(piece)) {
        res.once('drain', push);
        return;
      }
    }
    res.end();
  };
  res.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': total });
  push();
}

const largeServer = createServer((req, res) => {
  const [, kind, size] = (req.url ?? '/').split('/');
  drain(req, kind === 'slow', () => sendBytes(res, Number(size ?? 0)));
  req.on('error', () => res.destroy());
});
largeServer.keepAliveTimeout = 75_000;
largeServer.requestTimeout = 0;

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', 4096, () => resolve((server.address() as AddressInfo).port));
  });
}

type Control = { op: 'counts' } | { op: 'stall'; port: number; ms: number };

process.on('message', (message: Control) => {
  if (message.op === 'counts') {
    process.send?.({ counts });
    return;
  }
  heldUntilMs[message.port] = Date.now() + message.ms;
  process.send?.({ stalled: message.port });
});
// The parent is gone, however it ended.
process.on('disconnect', () => process.exit());

const ports = await Promise.all([...NAMES.keys()].map((index) => listen(smallServer(index))));
process.send?.({ ports, largePort: await listen(largeServer) });
