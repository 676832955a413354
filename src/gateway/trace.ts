import { isSampled, readTraceparent } from '../core/trace/sample.ts';
import { type AssignedFacts, type CANCELLED_CODE, CLIENT_GONE_CODE } from '../core/trace/span.ts';
import type { SpanSink } from '../ports.ts';
import { CLIENT_GONE, type ErrorCode } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { type FlatHeaders, withTraceparent } from './headers.ts';
import { isTraceparent, newSpanId, newTraceId } from './ids.ts';

/** Longer texts of clients are cut; a record must not hold what a request may. */
const MAX_PATH_CHARS = 1_024;
const MAX_AGENT_CHARS = 256;
/** W3C Trace Context, section 3.3.1.1: what at least is to be kept. */
const MAX_STATE_CHARS = 512;
const NEW_FLAGS = '01';

/**
 * What is recorded of a request, or null where it is not. Who sent a valid
 * `traceparent` has decided by its sampled flag; else the trace begins here, and
 * its id decides.
 */
export function beginTrace(x: Exchange, sink: SpanSink): Trace | null {
  const given = x.header('traceparent');
  const parent = given !== undefined && isTraceparent(given) ? readTraceparent(given) : null;
  const traceId = parent === null ? newTraceId() : parent.traceId;
  if (!(parent === null ? isSampled(traceId, sink.share) : parent.sampled)) return null;
  if (!sink.admits(x.startMs)) return null;
  return new Trace(x, sink, traceId, parent?.parentId ?? '', parent?.flags ?? NEW_FLAGS);
}

/** One request that is recorded: the span of the request, and those of its attempts under it. */
export class Trace {
  readonly traceId: string;
  readonly spanId = newSpanId();
  readonly flags: string;
  /** What came with the request of a trace that goes on here. */
  readonly traceState: string;
  readonly sink: SpanSink;
  /** From the monotonic clock to the wall's; one for all spans of a request, so that they keep their order. */
  readonly wallOffsetMs: number;
  readonly #parentId: string;
  #ended = false;

  constructor(x: Exchange, sink: SpanSink, traceId: string, parentId: string, flags: string) {
    const { clock } = x.gate;
    this.sink = sink;
    this.traceId = traceId;
    this.flags = flags;
    this.#parentId = parentId;
    this.traceState = parentId === '' ? '' : (x.header('tracestate') ?? '').slice(0, MAX_STATE_CHARS);
    this.wallOffsetMs = clock.wallMs() - clock.nowMs();
  }

  /** Whether somebody else's span stands above this request's. */
  get continued(): boolean {
    return this.#parentId !== '';
  }

  /** The next attempt at the version that is to answer. */
  attempt(x: Exchange, origin: string): AttemptSpan {
    const { assignment, runtime, failure } = x;
    const version = failure === null ? assignment?.version : runtime?.service.stable;
    return new AttemptSpan(this, x, origin, versionName(x, version), Math.max(0, x.attempts - 1), false);
  }

  /** The copy for a shadow version. */
  shadow(x: Exchange, origin: string, version: number): AttemptSpan {
    return new AttemptSpan(this, x, origin, versionName(x, version), 0, true);
  }

  /** The request is over; `status` as it is counted. Once, however often called. */
  end(x: Exchange, status: number, nowMs: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const { res, req, runtime, failure } = x;
    const gone = status === CLIENT_GONE && x.refusal === null;
    const told = gone ? 0 : status;
    this.sink.add({
      kind: 'server',
      traceId: this.traceId,
      spanId: this.spanId,
      parentId: this.#parentId,
      flags: this.flags,
      traceState: this.traceState,
      startWallMs: x.startMs + this.wallOffsetMs,
      endWallMs: nowMs + this.wallOffsetMs,
      method: x.method,
      path: pathOf(x),
      secure: x.secure,
      error: gone ? CLIENT_GONE_CODE : (x.refusal ?? ''),
      status: res.headersSent ? res.statusCode : told,
      assigned: assignedOf(x),
      authority: x.authority,
      route: runtime?.service.match.path ?? '',
      userAgent: (x.header('user-agent') ?? '').slice(0, MAX_AGENT_CHARS),
      httpVersion: req.httpVersion,
      requestId: x.requestId,
      failoverTo: failure === null ? '' : versionName(x, runtime?.service.stable),
    });
  }
}

/** One attempt that is recorded; its id is what the upstream finds as its parent. */
export class AttemptSpan {
  readonly #trace: Trace;
  readonly #x: Exchange;
  readonly #spanId = newSpanId();
  readonly #origin: string;
  readonly #version: string;
  readonly #resend: number;
  readonly #shadow: boolean;
  readonly #startMs: number;
  #ended = false;

  constructor(trace: Trace, x: Exchange, origin: string, version: string, resend: number, shadow: boolean) {
    this.#trace = trace;
    this.#x = x;
    this.#origin = origin;
    this.#version = version;
    this.#resend = resend;
    this.#shadow = shadow;
    this.#startMs = x.gate.clock.nowMs();
  }

  headers(plain: FlatHeaders): FlatHeaders {
    const { traceId, flags, continued } = this.#trace;
    return withTraceparent(plain, `00-${traceId}-${this.#spanId}-${flags}`, continued);
  }

  /** `status`: of the answer whose head came, or 0. Once, however often called. */
  end(status: number, error: ErrorCode | typeof CANCELLED_CODE | ''): void {
    if (this.#ended) return;
    this.#ended = true;
    const x = this.#x;
    const { traceId, spanId, flags, traceState, wallOffsetMs, sink } = this.#trace;
    sink.add({
      kind: 'client',
      traceId,
      spanId: this.#spanId,
      parentId: spanId,
      flags,
      traceState,
      startWallMs: this.#startMs + wallOffsetMs,
      endWallMs: x.gate.clock.nowMs() + wallOffsetMs,
      method: x.method,
      path: pathOf(x),
      secure: this.#origin.startsWith('https:'),
      error,
      status,
      assigned: assignedOf(x),
      origin: this.#origin,
      resend: this.#resend,
      shadow: this.#shadow,
      version: this.#version,
    });
  }
}

function assignedOf(x: Exchange): AssignedFacts | null {
  const { runtime, assignment } = x;
  if (runtime === null || assignment === null) return null;
  const { service } = runtime;
  return {
    service: service.name,
    version: versionName(x, assignment.version),
    stage: service.stage,
    bucket: assignment.bucket,
    reason: assignment.reason,
    rule: service.rules[assignment.rule]?.id ?? '',
  };
}

function versionName(x: Exchange, version: number | undefined): string {
  return x.runtime?.service.versions[version ?? -1]?.name ?? '';
}

/** What was refused before its target was looked at has no path to tell. */
function pathOf(x: Exchange): string {
  if (x.runtime === null && x.refusal !== null && x.refusal !== 'no_route') return '';
  return x.path.slice(0, MAX_PATH_CHARS);
}
