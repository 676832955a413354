import { randomBytes, randomUUID } from 'node:crypto';

/** Printable ASCII without quotes or spaces, short enough for every log. */
const REQUEST_ID = /^[A-Za-z0-9._:/+=@-]{1,128}$/;
// W3C Trace Context, section 3.2: version 00 exactly; all-zero ids are invalid.
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
const LATER_TRACEPARENT =
  /^(?!00|ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?$/;

/** The client's id where it is one, else a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
}

export function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text) || LATER_TRACEPARENT.test(text);
}

const POOL_BYTES = 24 * 128;
let pool = '';
let poolAt = 0;

/** A new trace of one span, not sampled: nobody upstream asked for it to be recorded. */
export function newTraceparent(): string {
  return `00-${newTraceId()}-${newSpanId()}-00`;
}

export function newTraceId(): string {
  return hexDigits(32);
}

export function newSpanId(): string {
  return hexDigits(16);
}

/** All zeros, which no id may be, do not come up. */
function hexDigits(count: number): string {
  // One draw of randomness serves 128 requests; each byte is used once.
  if (poolAt + count > pool.length) {
    pool = randomBytes(POOL_BYTES).toString('hex');
    poolAt = 0;
  }
  const digits = pool.slice(poolAt, poolAt + count);
  poolAt += count;
  return digits;
}

/** Names this process in Via, so that a request that comes round again is known. */
export function newInstanceId(): string {
  return `coalmine-${randomBytes(6).toString('hex')}`;
}
