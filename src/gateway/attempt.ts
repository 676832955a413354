import type { Dispatcher } from 'undici';
import { CANCELLED_CODE } from '../core/trace/span.ts';
import { finish, sendHead } from './answer.ts';
import type { ErrorCode } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { downstreamHead, downstreamTrailers, InvalidAnswer } from './headers.ts';
import type { Capture } from './observe/capture.ts';
import { observe, observed } from './observe.ts';
import type { AttemptSpan } from './trace.ts';
import type { Endpoint } from './upstreams/endpoint.ts';
import type { EndpointGroup } from './upstreams/group.ts';

/** A whole body up to this size is sent with its head in one write. */
const ONE_WRITE_BYTES = 16 * 1024;

const TIMEOUTS = new Set([
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'ETIMEDOUT',
]);

/** What an attempt tells the forwarder when it ends without an answer. */
export type OnFailed = (x: Exchange, attempt: Attempt, code: ErrorCode) => void;

/** Time-outs for the head up to this are kept to the millisecond. */
const EXACT_TIMEOUT_MS = 10_000;
/** Interim answers that one request may get. */
const MAX_INTERIMS = 64;

class SlowHead extends Error {
  readonly code = 'UND_ERR_HEADERS_TIMEOUT';
}

class Cancelled extends Error {
  readonly code = 'COALMINE_CANCELLED';
}

/**
 * One try at one endpoint: undici's dispatch handler, in its callback form,
 * which hands over the answer's headers as the bytes that came.
 *
 * Contract of the callbacks: `onConnect` runs right before the request is
 * written, so until then nothing was sent and a retry is safe for any method;
 * `onError` or `onComplete` runs last, once.
 */
export class Attempt implements Dispatcher.DispatchHandler {
  readonly endpoint: Endpoint;
  readonly group: EndpointGroup;
  readonly isRetry: boolean;
  /** The request has been, or may have been, written to the upstream. */
  sent = false;
  /** Null unless the request is traced. */
  span: AttemptSpan | null = null;
  readonly #x: Exchange;
  readonly #onFailed: OnFailed;
  #abort: ((error?: Error) => void) | null = null;
  #cancelled = false;
  #reported = false;
  #status = 0;
  #firstInterimMs = 0;
  #interims = 0;
  #contentLength = -1;
  #headSent = false;
  #wroteBody = false;
  #held: Buffer | null = null;
  #resume: (() => void) | null = null;
  #headTimer: NodeJS.Timeout | null = null;
  #capture: Capture | null = null;

  constructor(x: Exchange, group: EndpointGroup, endpoint: Endpoint, isRetry: boolean, onFailed: OnFailed) {
    this.#x = x;
    this.group = group;
    this.endpoint = endpoint;
    this.isRetry = isRetry;
    this.#onFailed = onFailed;
    endpoint.pending++;
    group.inFlight++;
    if (isRetry) group.retriesInFlight++;
    else group.begin();
  }

  /** Gives the attempt up at once; the upstream's connection is closed under it. */
  cancel(): void {
    this.#cancelled = true;
    this.#abort?.(new Cancelled('nobody waits for this answer'));
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    if (this.#cancelled) abort(new Cancelled('nobody waits for this answer'));
    else this.sent = true;
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, reason: string): boolean {
    const x = this.#x;
    if (status < 200) {
      this.#boundInterim();
      passInterim(x, status, raw);
      return true;
    }
    this.#clearHeadTimer();
    x.upstreamHeadMs = x.gate.clock.nowMs();
    this.group.note(this.endpoint, status < 500, x.upstreamHeadMs);
    const head = downstreamHead(raw, status);
    this.#status = status;
    this.#contentLength = head.contentLength;
    this.#resume = resume;
    sendHead(x, status, reason, head);
    this.#headSent = true;
    this.#capture = observe(x, status, head.headers);
    // A short body comes with its head and takes it along; a stream's head must not wait for it.
    if (head.contentLength < 0 || head.contentLength > ONE_WRITE_BYTES) process.nextTick(flushHead, this);
    return true;
  }

  /** undici starts its time-out for the head anew with each interim answer. */
  #boundInterim(): void {
    const { timeouts } = this.group.upstream;
    const now = this.#x.gate.clock.nowMs();
    if (this.#interims === 0) this.#firstInterimMs = now;
    if (now - this.#firstInterimMs > timeouts.firstByteMs) throw new SlowHead('interim answers only');
    if (++this.#interims > MAX_INTERIMS) throw new InvalidAnswer('too many interim answers');
  }

  onData(chunk: Buffer): boolean {
    const goOn = this.#pass(chunk);
    if (this.#capture !== null) this.#capture.add(chunk);
    return goOn;
  }

  #pass(chunk: Buffer): boolean {
    const x = this.#x;
    if (!this.#wroteBody && chunk.length === this.#contentLength && chunk.length <= ONE_WRITE_BYTES) {
      this.#held = chunk;
      this.#wroteBody = true;
      return true;
    }
    this.#wroteBody = true;
    if (x.firstByteMs < 0) x.firstByteMs = x.gate.clock.nowMs();
    if (x.res.write(chunk)) return true;
    x.res.once('drain', this.#resume as () => void);
    return false;
  }

  onComplete(trailers: string[] | Buffer[] | null): void {
    const x = this.#x;
    this.#release();
    this.#reported = true;
    if (this.span !== null) this.span.end(this.#status, '');
    if (x.settled) return;
    if (trailers !== null && trailers.length > 0 && x.res.chunkedEncoding) {
      x.res.addTrailers(downstreamTrailers(trailers));
    }
    finish(x, this.#status, this.#held);
    observed(x, this.#capture);
  }

  onError(error: Error): void {
    // RFC 9110 section 8.6: a 304 may name the length of a body that it does not have; undici misses that body.
    if (this.#status === 304 && !this.#reported && isLengthMismatch(error)) return this.onComplete(null);
    this.#release();
    if (this.#reported) return;
    this.#reported = true;
    const x = this.#x;
    const code = codeOf(error, this.sent, x.deadlinePassed);
    const unwanted = this.#cancelled && x.settled;
    if (this.span !== null) this.span.end(this.#status, unwanted ? CANCELLED_CODE : code);
    if (unwanted) return;
    if (code !== 'bad_request') this.group.note(this.endpoint, false, x.gate.clock.nowMs());
    x.gate.log.debug(
      { requestId: x.requestId, endpoint: this.endpoint.origin, code, cause: error.message },
      'attempt failed',
    );
    this.#onFailed(x, this, code);
  }

  /** Of undici's base class: called once the request's body was sent whole. */
  onRequestSent(): void {
    const x = this.#x;
    if (x.hasBody) x.gate.uploads.remove(x);
    const { firstByteMs } = this.group.upstream.timeouts;
    if (this.#status !== 0 || !needsOwnTimer(x, firstByteMs)) return;
    this.#headTimer = setTimeout(() => this.#abort?.(new SlowHead('no answer in time')), firstByteMs);
  }

  flushHead(): void {
    const x = this.#x;
    if (this.#wroteBody || this.#reported || !this.#headSent || x.settled) return;
    if (x.firstByteMs < 0) x.firstByteMs = x.gate.clock.nowMs();
    x.res.flushHeaders();
  }

  #clearHeadTimer(): void {
    if (this.#headTimer === null) return;
    clearTimeout(this.#headTimer);
    this.#headTimer = null;
  }

  #release(): void {
    this.#clearHeadTimer();
    this.endpoint.pending--;
    this.group.inFlight--;
    if (this.isRetry) this.group.retriesInFlight--;
  }
}

/**
 * undici's own time-out for the head ticks about once a second, too coarse for a
 * short limit, and one that passes while the body is still being sent is not set again.
 */
function needsOwnTimer(x: Exchange, firstByteMs: number): boolean {
  if (firstByteMs <= EXACT_TIMEOUT_MS) return true;
  return x.hasBody && x.gate.clock.nowMs() - x.startMs > firstByteMs / 2;
}

function flushHead(attempt: Attempt): void {
  attempt.flushHead();
}

function isLengthMismatch(error: Error): boolean {
  return (error as NodeJS.ErrnoException).code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH';
}

function codeOf(error: Error, sent: boolean, deadlinePassed: boolean): ErrorCode {
  const { code } = error as NodeJS.ErrnoException;
  if (deadlinePassed || (code !== undefined && TIMEOUTS.has(code))) return 'upstream_timeout';
  if (code === 'UND_ERR_INVALID_ARG' || code === 'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH') return 'bad_request';
  if (!sent) return 'upstream_refused';
  if (
    code === undefined ||
    code === 'UND_ERR_HEADERS_OVERFLOW' ||
    code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH'
  ) {
    return 'upstream_invalid';
  }
  if (
    code.startsWith('HPE_') ||
    code === 'COALMINE_INVALID_ANSWER' ||
    code === 'ERR_INVALID_CHAR' ||
    code === 'ERR_HTTP_TRAILER_INVALID'
  ) {
    return 'upstream_invalid';
  }
  return 'upstream_broke';
}

/** RFC 9110 section 15.2: interim answers are passed on; those without meaning to this client are not. */
function passInterim(x: Exchange, status: number, raw: Buffer[]): void {
  if (x.req.httpVersionMinor === 0 || x.res.headersSent || x.settled) return;
  if (status === 102) return x.res.writeProcessing();
  if (status !== 103) return;
  const { headers } = downstreamHead(raw, status);
  const hints: Record<string, string | string[]> = {};
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (name === 'link') hints.link = [...((hints.link as string[] | undefined) ?? []), value];
    else hints[name] = value;
  }
  try {
    x.res.writeEarlyHints(hints);
  } catch {
    // A hint that is not a valid Link helps nobody; the answer itself follows.
  }
}
