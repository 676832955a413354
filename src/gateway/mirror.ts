import type { Dispatcher } from 'undici';
import { MIRROR_OUTCOMES, type MirrorOutcome, type Service } from '../core/model.ts';
import { keyOf } from '../core/split/choose.ts';
import { bucketOfKey } from '../core/split/hash.ts';
import { inMirrorShare, mirrorPercentBp } from '../core/split/mirror.ts';
import { beginMirror, dropMirror, endMirror } from '../tally/recorder.ts';
import { type BodyWatcher, watchBody } from './body-tap.ts';
import type { ErrorCode } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { shadowHeaders } from './headers.ts';
import { answerHead, type Capture } from './observe/capture.ts';
import type { Sample } from './observe/sample.ts';
import { observePair } from './observe.ts';
import type { ServiceRuntime, ShadowRuntime } from './table.ts';
import type { AttemptSpan } from './trace.ts';
import type { Endpoint } from './upstreams/endpoint.ts';

const OUTCOME = Object.fromEntries(MIRROR_OUTCOMES.map((name, index) => [name, index])) as Record<
  MirrorOutcome,
  number
>;

/**
 * Mirror phase, after the request is on its way: fire and forget. Whatever goes
 * wrong here is counted by reason and never felt by the client; each eligible
 * request is counted exactly once.
 */
export function mirror(x: Exchange): void {
  const { service, shadow } = x.runtime as ServiceRuntime;
  if (shadow === null || !eligible(x, service, shadow)) return;
  const { spec, budget, tally } = shadow;
  if (budget.inFlight >= spec.maxInFlight) return dropMirror(tally, OUTCOME.dropped_full);
  if (!x.hasBody) {
    budget.inFlight++;
    return send(x, shadow, null, observePair(x, shadow));
  }
  if (Number(x.req.headers['content-length'] ?? 0) > spec.maxBodyBytes) {
    return dropMirror(tally, OUTCOME.dropped_too_large);
  }
  if (x.body !== null) return mirrorWhole(x, shadow, x.body);
  budget.inFlight++;
  const copy = new BodyCopy(x, shadow);
  watchBody(x.req, copy);
  x.res.once('close', () => copy.onGone());
}

function mirrorWhole(x: Exchange, shadow: ShadowRuntime, body: Buffer): void {
  const { spec, budget, tally } = shadow;
  if (budget.bytes + body.length > spec.maxBufferedBytes) return dropMirror(tally, OUTCOME.dropped_bytes);
  budget.inFlight++;
  budget.bytes += body.length;
  // A copy, as in BodyCopy: the body is a slice of the packet that it came in.
  send(x, shadow, Buffer.from(body), observePair(x, shadow));
}

function eligible(x: Exchange, service: Service, { spec, routes }: ShadowRuntime): boolean {
  const assignment = x.assignment as NonNullable<Exchange['assignment']>;
  if (assignment.version === spec.to) return false;
  const percentBp = mirrorPercentBp(spec, routes, x);
  if (percentBp === 0) return false;
  if (spec.by === 'sticky') {
    if (assignment.bucket >= 0 && assignment.key !== '') return inMirrorShare(percentBp, assignment.bucket);
    const key = assignment.key === '' ? keyOf(service.sticky.by, x) : assignment.key;
    if (key !== '') return inMirrorShare(percentBp, bucketOfKey(service.salt, key));
  }
  return inMirrorShare(percentBp, Math.floor(x.gate.random() * 10_000));
}

/** Copies a body while it passes; bounded by request and over all requests. */
class BodyCopy implements BodyWatcher {
  readonly #x: Exchange;
  readonly #shadow: ShadowRuntime;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #over = false;
  readonly #pair: Sample | null;

  constructor(x: Exchange, shadow: ShadowRuntime) {
    this.#x = x;
    this.#shadow = shadow;
    this.#pair = observePair(x, shadow);
  }

  onChunk(chunk: Buffer): void {
    if (this.#over) return;
    const { spec, budget } = this.#shadow;
    if (this.#bytes + chunk.length > spec.maxBodyBytes) return this.#drop('dropped_too_large');
    if (budget.bytes + chunk.length > spec.maxBufferedBytes) return this.#drop('dropped_bytes');
    // A copy: the chunk is a slice of a far larger block that would be kept whole.
    this.#chunks.push(Buffer.from(chunk));
    this.#bytes += chunk.length;
    budget.bytes += chunk.length;
  }

  onEnd(): void {
    if (this.#over) return;
    this.#over = true;
    const body = this.#chunks.length === 1 ? (this.#chunks[0] as Buffer) : Buffer.concat(this.#chunks);
    this.#chunks = [];
    send(this.#x, this.#shadow, body, this.#pair);
  }

  /** The client went away, or had its answer, before its body was read whole. */
  onGone(): void {
    if (this.#over) return;
    // undici does not read a body that it finds whole and empty; there is nothing to copy then either.
    const { complete, readableLength } = this.#x.req;
    if (complete && readableLength + this.#bytes === 0) this.onEnd();
    else this.#drop('dropped_aborted');
  }

  #drop(outcome: MirrorOutcome): void {
    const { budget, tally } = this.#shadow;
    this.#over = true;
    this.#chunks = [];
    budget.inFlight--;
    budget.bytes -= this.#bytes;
    dropMirror(tally, OUTCOME[outcome]);
    this.#pair?.endShadow('unsent');
  }
}

/** Sends the copy; its place in the budget is already taken. */
function send(x: Exchange, shadow: ShadowRuntime, body: Buffer | null, pair: Sample | null): void {
  const { spec, group, budget, tally } = shadow;
  const endpoint = group.pick(x.gate.clock.nowMs(), null);
  if (endpoint === null) {
    budget.inFlight--;
    if (body !== null) budget.bytes -= body.length;
    pair?.endShadow('unsent');
    return dropMirror(tally, OUTCOME.dropped_full);
  }
  const span = x.trace === null ? null : x.trace.shadow(x, endpoint.origin, spec.to);
  const headers = span === null ? x.upstreamHeaders : span.headers(x.upstreamHeaders);
  const attempt = new ShadowAttempt(x, shadow, endpoint, body?.length ?? 0, pair, span);
  endpoint.pool.dispatch(
    {
      path: x.path + x.search,
      method: x.method as 'GET',
      headers: shadowHeaders(headers, spec.keepCredentials),
      body,
      ...(endpoint.servername === null ? null : { servername: endpoint.servername }),
    },
    attempt,
  );
}

class AnswerTooLarge extends Error {
  readonly code = 'COALMINE_ANSWER_TOO_LARGE';
}

/**
 * The shadow's answer: its status and time are noted, its content thrown away unless
 * it is compared. It is bounded, for reading it takes the time of clients.
 */
class ShadowAttempt implements Dispatcher.DispatchHandler {
  readonly #shadow: ShadowRuntime;
  readonly #endpoint: Endpoint;
  readonly #bodyBytes: number;
  readonly #startMs: number;
  readonly #nowMs: () => number;
  readonly #timer: NodeJS.Timeout;
  #abort: ((error?: Error) => void) | null = null;
  #status = 0;
  #timedOut = false;
  #leftBytes: number;
  readonly #pair: Sample | null;
  readonly #span: AttemptSpan | null;
  #capture: Capture | null = null;

  constructor(
    x: Exchange,
    shadow: ShadowRuntime,
    endpoint: Endpoint,
    bodyBytes: number,
    pair: Sample | null,
    span: AttemptSpan | null,
  ) {
    const { clock } = x.gate;
    this.#shadow = shadow;
    this.#endpoint = endpoint;
    this.#bodyBytes = bodyBytes;
    this.#nowMs = () => clock.nowMs();
    this.#startMs = clock.nowMs();
    this.#pair = pair;
    this.#span = span;
    this.#leftBytes = Math.max(shadow.spec.maxAnswerBytes, pair?.maxBytes ?? 0);
    pair?.startShadow(this.#startMs);
    this.#timer = setTimeout(() => this.#expire(), shadow.spec.timeoutMs);
    this.#timer.unref();
    endpoint.pending++;
    beginMirror(shadow.tally);
  }

  onConnect(abort: (error?: Error) => void): void {
    this.#abort = abort;
    if (this.#timedOut) abort(new Error('the shadow was too slow'));
  }

  onHeaders(status: number, raw: Buffer[]): boolean {
    this.#status = status;
    if (this.#pair !== null && status >= 200 && status < 300) {
      this.#capture = this.#pair.openShadow(answerHead(raw), this.#nowMs());
    }
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#capture?.add(chunk);
    this.#leftBytes -= chunk.length;
    // Thrown, it closes the connection and comes back as `onError`.
    if (this.#leftBytes < 0) throw new AnswerTooLarge('the shadow answered more than is read');
    return true;
  }

  onComplete(): void {
    this.#end(this.#status < 500 ? 'ok' : 'error', '');
    this.#pair?.endShadow(this.#capture === null ? 'refused' : 'answered');
  }

  onError(error: Error): void {
    const { code } = error as NodeJS.ErrnoException;
    if (error instanceof AnswerTooLarge) {
      this.#end('answer_too_large', '');
      this.#pair?.endShadow(this.#capture === null ? 'refused' : 'answered');
      return;
    }
    const late = this.#timedOut || code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
    const outcome = late || code === 'UND_ERR_CONNECT_TIMEOUT' ? 'timeout' : 'error';
    this.#end(outcome, outcome === 'timeout' ? 'upstream_timeout' : 'upstream_broke');
    this.#pair?.endShadow('silent');
  }

  #expire(): void {
    this.#timedOut = true;
    this.#abort?.(new Error('the shadow was too slow'));
  }

  #end(outcome: MirrorOutcome, error: ErrorCode | ''): void {
    clearTimeout(this.#timer);
    this.#span?.end(this.#status, error);
    const { budget, tally } = this.#shadow;
    this.#endpoint.pending--;
    budget.inFlight--;
    budget.bytes -= this.#bodyBytes;
    endMirror(tally, OUTCOME[outcome], this.#nowMs() - this.#startMs);
  }
}
