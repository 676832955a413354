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

const POOL_TRACES = 128;
const TRACE_BYTES = 24;
const TRACEPARENT_LENGTH = 55;
let pool = '';
let poolAt = 0;

/** A new trace of one span, not sampled: nobody upstream asked for it to be recorded. All-zero ids do not come up. */
export function newTraceparent(): string {
  // One draw of randomness serves 128 requests; each byte is used once.
  if (poolAt >= pool.length) {
    pool = tracesOf(randomBytes(TRACE_BYTES * POOL_TRACES).toString('hex'));
    poolAt = 0;
  }
  const from = poolAt;
  poolAt += TRACEPARENT_LENGTH;
  return pool.slice(from, poolAt);
}

export function newTraceId(): string {
  return newTraceparent().slice(3, 35);
}

export function newSpanId(): string {
  return newTraceparent().slice(36, 52);
}

/** One flat text, so that a slice of it needs no putting together later. */
function tracesOf(hex: string): string {
  const traces: string[] = [];
  for (let i = 0; i < hex.length; i += 2 * TRACE_BYTES) {
    traces.push(`00-${hex.slice(i, i + 32)}-${hex.slice(i + 32, i + 48)}-00`);
  }
  return traces.join('');
}

/** Names this process in Via, so that a request that comes round again is known. */
export function newInstanceId(): string {
  return `coalmine-${randomBytes(6).toString('hex')}`;
}
