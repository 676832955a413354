import type { Socket } from 'node:net';

const HEAD_END = Buffer.from('\r\n\r\n');
const INTERIM = Buffer.from('HTTP/1.1 1');
const STATUS_AT = 'HTTP/1.1 '.length;
const DIGIT_ZERO = 0x30;
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
 * ask for; undici takes a 100 for a broken connection. Only what comes after a
 * request was written is looked at, up to its final answer, so a body that looks
 * like an answer is never touched.
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
    if (!awaitingHead || chunk === null) return chunk;
    /** Other interim answers, which are for undici; a 100 may yet follow them. */
    let passed: Buffer | null = null;
    while (awaitingHead && chunk !== null) {
      if (held !== null) chunk = Buffer.concat([held, chunk]);
      held = null;
      const end = interimEnd(chunk);
      if (end === FINAL) {
        awaitingHead = false;
      } else if (end === SHORT) {
        held = chunk;
        chunk = read();
      } else {
        if (!isContinue(chunk)) passed = joined(passed, chunk.subarray(0, end));
        else if (++dropped > MAX_DROPPED) {
          awaitingHead = false;
          break;
        }
        chunk = end < chunk.length ? chunk.subarray(end) : read();
      }
    }
    return joined(passed, chunk);
  }) as typeof socket.read;
}

/** Not an interim answer, or one that is left to the parser. */
const FINAL = -1;
/** Cannot be told yet. */
const SHORT = 0;

/** Where the interim answer at the front ends; FINAL, or SHORT. */
function interimEnd(chunk: Buffer): number {
  // Nearly every answer is told apart by the first digit of its status.
  if (chunk.length > STATUS_AT && chunk[STATUS_AT] !== DIGIT_ONE) return FINAL;
  const known = Math.min(chunk.length, INTERIM.length);
  if (chunk.compare(INTERIM, 0, known, 0, known) !== 0) return FINAL;
  if (chunk.length < STATUS_AT + 3) return SHORT;
  // A 101 is the last answer of its connection.
  if (chunk[STATUS_AT + 1] === DIGIT_ZERO && chunk[STATUS_AT + 2] === DIGIT_ONE) return FINAL;
  const end = chunk.indexOf(HEAD_END);
  if (end < 0) return chunk.length > MAX_INTERIM_BYTES ? FINAL : SHORT;
  return end + HEAD_END.length;
}

function isContinue(chunk: Buffer): boolean {
  return chunk[STATUS_AT + 1] === DIGIT_ZERO && chunk[STATUS_AT + 2] === DIGIT_ZERO;
}

function joined(front: Buffer | null, back: Buffer | null): Buffer | null {
  if (front === null || back === null) return front ?? back;
  return Buffer.concat([front, back]);
}
