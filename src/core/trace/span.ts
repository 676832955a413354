/**
 * What the gateway notes of a request that is traced: plain facts, in the terms
 * of the gateway. What they are called in a trace is the exporter's business.
 *
 * Times are milliseconds since the epoch, with fractions; ids are lower-case hex.
 */
interface SpanFacts {
  /** 32 digits. */
  readonly traceId: string;
  /** 16 digits. */
  readonly spanId: string;
  /** 16 digits, or '' for the first span of a trace. */
  readonly parentId: string;
  /** Two digits, as `traceparent` carries them. */
  readonly flags: string;
  /** As it came with the request, or ''. */
  readonly traceState: string;
  readonly startWallMs: number;
  readonly endWallMs: number;
  readonly method: string;
  /** Without the query, where people put secrets; '' where the target was no valid one. */
  readonly path: string;
  readonly secure: boolean;
  /** A code of ours for what went wrong or was cut short, or ''. A status may tell more. */
  readonly error: string;
  /** Of the answer whose head was sent or received; 0 where there was none. */
  readonly status: number;
  /** Null where no service matches. */
  readonly assigned: AssignedFacts | null;
}

/** How a request came to its version. */
export interface AssignedFacts {
  readonly service: string;
  readonly version: string;
  readonly stage: number;
  /** 0..9999, or -1 where none was computed. */
  readonly bucket: number;
  /** One of ASSIGN_REASONS. */
  readonly reason: string;
  /** Id of the rule that decided, or ''. */
  readonly rule: string;
}

/** A request as its client sees it. */
export interface ServerSpan extends SpanFacts {
  readonly kind: 'server';
  /** Host with port, as the client addressed it; '' where it named none. */
  readonly authority: string;
  /** The path prefix of the service that matched, or ''. */
  readonly route: string;
  readonly userAgent: string;
  /** `1.1` or `1.0`. */
  readonly httpVersion: string;
  readonly requestId: string;
  /** The version that answered for the assigned one (`failover: stable`), or ''. */
  readonly failoverTo: string;
}

/** One try at one endpoint. */
export interface ClientSpan extends SpanFacts {
  readonly kind: 'client';
  /** Scheme, host and port of the endpoint. */
  readonly origin: string;
  /** 0 for the first try of a request. */
  readonly resend: number;
  /** A copy for the shadow; nobody gets its answer. */
  readonly shadow: boolean;
  /** The version that was tried, which need not be the assigned one. */
  readonly version: string;
}

export type SpanRecord = ServerSpan | ClientSpan;

/** The server span's code for a client that did not wait for its answer. */
export const CLIENT_GONE_CODE = 'client_gone';
/** A client span's code for an answer that nobody waited for any more. */
export const CANCELLED_CODE = 'cancelled';

/** What became of spans; together they are all that were recorded. */
export const SPAN_OUTCOMES = ['exported', 'rejected', 'failed', 'dropped_full', 'dropped_closed'] as const;
export type SpanOutcome = (typeof SPAN_OUTCOMES)[number];

/** Where traces go, and of how many requests. */
export interface TracingSettings {
  /** URL of an OTLP/HTTP receiver, with its path. */
  readonly endpoint: string;
  /** Of the requests that begin a trace here, 0..1. */
  readonly share: number;
  /** Requests that are traced in a second at most, whoever asks for it. */
  readonly perSecond: number;
  readonly serviceName: string;
  readonly headers: readonly { readonly name: string; readonly value: string }[];
  /** For one attempt at delivering. */
  readonly timeoutMs: number;
}
