/**
 * One large exchange: sends `upBytes`, takes the answer; `slow` stops reading for
 * a second after the first MiB. argv: {port, path, upBytes, slow};
 * stdout: {status, received, ms} as JSON.
 */
import { type ClientRequest, request } from 'node:http';

interface Settings {
  readonly port: number;
  readonly path: string;
  readonly upBytes: number;
  readonly slow: boolean;
}

const PIECE = Buffer.alloc(64 * 1024, 'y');
const MIB = 1024 * 1024;
const settings = JSON.parse(process.argv[2] ?? '{}') as Settings;

function sendBytes(req: ClientRequest, total: number): void {
  let left = total;
  const push = () => {
    while (left > 0) {
      const piece = left >= PIECE.length ? PIECE : PIECE.subarray(0, left);
      left -= piece.length;
      if (!req.write(piece)) {
        req.once('drain', push);
        return;
      }
    }
    req.end();
  };
  push();
}

const startMs = performance.now();
const req = request({
  host: '127.0.0.1',
  port: settings.port,
  path: settings.path,
  method: 'POST',
  headers: {
    'x-user-id': 'u1',
    'content-type': 'application/octet-stream',
    'content-length': settings.upBytes,
  },
});
req.on('response', (res) => {
  let received = 0;
  let paused = !settings.slow;
  res.on('data', (bytes: Buffer) => {
    received += bytes.length;
    if (paused || received < MIB) return;
    paused = true;
    res.pause();
    setTimeout(() => res.resume(), 1000);
  });
  res.on('end', () => {
    const ms = performance.now() - startMs;
    process.stdout.write(`${JSON.stringify({ status: res.statusCode, received, ms })}\n`, () =>
      process.exit(),
    );
  });
});
sendBytes(req, settings.upBytes);
