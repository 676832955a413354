import type { Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const CONTINUE = Buffer.from('HTTP/1.1 100');
const STATUS_AT = 'HTTP/1.1 '.length;
const DIGIT_ONE = 0x31;
/** An interim answer larger than this is left to the parser, which refuses it. */
const MAX_INTERIM_BYTES = 16 * 1024;
/** More of them than this for one request are left to the parser too. */
const MAX_DROPPED = 64;

type Write = (data: unknown, encoding: unknown, done: unknown) => boolean;

/**
 * Takes `100 Continue` answers out of what an upstream's socket delivers.
 *
 * RFC 9110 section 15.2 obliges a client to accept 1xx answers that it did not
 * ask for; undici takes a 100 for a broken connection. Only the first bytes after
 * a request was written are looked at, so a body that looks like an answer is
 * never touched.
 */
export function dropContinue(socket: Socket): void {
  let awaitingHead = false;
  let held: Buffer | null = null;
  let dropped = 0;
  const write = socket.write.bind(socket) as Write;
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;

  // undici writes the head of a request as one string; bodies are buffers, and
  // the strings between chunks hold no version.
  socket.write = ((data: unknown, encoding: unknown, done: unknown) => {
    if (typeof data === 'string' && data.includes(' HTTP/1.1\r\n')) {
      awaitingHead = true;
      dropped = 0;
    }
    return write(data, encoding, done);
  }) as typeof socket.write;

  socket.read = ((size?: number) => {
    let chunk = read(size);
    while (awaitingHead && chunk !== null) {
      if (held !== null) chunk = Buffer.concat([held, chunk]);
      held = null;
      const verdict = inspect(chunk);
      if (verdict === 'head') {
        awaitingHead = false;
      } else if (verdict === 'short') {
        held = chunk;
        chunk = read();
      } else if (++dropped > MAX_DROPPED) {
        awaitingHead = false;
      } else {
        chunk = verdict.length > 0 ? verdict : read();
      }
    }
    return chunk;
  }) as typeof socket.read;
}

/** `head`: not a 100; `short`: cannot be told yet; otherwise what follows the 100. */
function inspect(chunk: Buffer): 'head' | 'short' | Buffer {
  // Nearly every answer is told apart by the first digit of its status.
  if (chunk.length > STATUS_AT && chunk[STATUS_AT] !== DIGIT_ONE) return 'head';
  const known = Math.min(chunk.length, CONTINUE.length);
  if (chunk.compare(CONTINUE, 0, known, 0, known) !== 0) return 'head';
  const end = chunk.indexOf(HEAD_END);
  if (end < 0) return chunk.length > MAX_INTERIM_BYTES ? 'head' : 'short';
  return chunk.subarray(end + HEAD_END.length);
}
