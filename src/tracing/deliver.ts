import { Agent, request } from 'undici';
import { beginningOf } from '../beginning.ts';
import type { TracingSettings } from '../core/trace/span.ts';

/** One POST to the receiver of traces: bounded in time and size, never rejects. */

export type Delivered =
  /** `rejected`: spans that it did not take and that are not to be sent again. */
  | { readonly kind: 'taken'; readonly rejected: number }
  /** It will never take this. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It may take it later; `waitMs`: not before that, or null where it said nothing. */
  | { readonly kind: 'later'; readonly reason: string; readonly waitMs: number | null };

/** OTLP specification 1.x, "OTLP/HTTP Response": every other 4xx and 5xx must not be tried again. */
const RETRYABLE = new Set([429, 502, 503, 504]);
const MAX_ANSWER_BYTES = 64 * 1024;
const CONNECT_TIMEOUT_MS = 5_000;
/** Longer waits that a receiver asks for are cut to this. */
const MAX_WAIT_MS = 5 * 60_000;

/** One connection, for one request at a time. */
export function createTraceAgent(): Agent {
  return new Agent({ connections: 1, pipelining: 1, connect: { timeout: CONNECT_TIMEOUT_MS } });
}

export async function deliver(
  agent: Agent,
  { endpoint, headers, timeoutMs }: TracingSettings,
  body: string,
  cancelled: AbortSignal,
): Promise<Delivered> {
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const answer = await request(endpoint, {
      dispatcher: agent,
      method: 'POST',
      headers: headersOf(headers),
      body,
      signal: AbortSignal.any([late, cancelled]),
      // The deadline above stands over both.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    const text = await beginningOf(answer.body, MAX_ANSWER_BYTES);
    return read(answer.statusCode, answer.headers['retry-after'], text);
  } catch (error) {
    return { kind: 'later', reason: reasonOf(error, late.aborted, timeoutMs), waitMs: null };
  }
}

function headersOf(own: TracingSettings['headers']): Record<string, string> {
  const headers: Record<string, string> = { 'user-agent': 'coalmine' };
  for (const { name, value } of own) headers[name] = value;
  // What the body is, nobody else knows.
  headers['content-type'] = 'application/json';
  return headers;
}

function read(status: number, retryAfter: string | string[] | undefined, text: string): Delivered {
  if (status >= 200 && status < 300) return { kind: 'taken', rejected: rejectedIn(text) };
  const reason = status >= 300 && status < 400 ? `${status}: redirects are not followed` : String(status);
  if (!RETRYABLE.has(status)) return { kind: 'refused', reason };
  return { kind: 'later', reason, waitMs: waitOf(retryAfter) };
}

/** ExportTraceServiceResponse.partial_success.rejected_spans: an int64, so a text or a number. */
function rejectedIn(text: string): number {
  try {
    const answer = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown } } | null;
    const count = Number(answer?.partialSuccess?.rejectedSpans ?? 0);
    return Number.isSafeInteger(count) && count > 0 ? count : 0;
  } catch {
    // An empty answer, or protobuf's: nothing was said that we can read.
    return 0;
  }
}

/** RFC 9110 section 10.2.3: seconds, or a date. */
function waitOf(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string') return null;
  const ms = /^[0-9]{1,9}$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now();
  return Number.isFinite(ms) ? Math.min(Math.max(0, ms), MAX_WAIT_MS) : null;
}

function reasonOf(error: unknown, late: boolean, timeoutMs: number): string {
  if (late) return `no answer within ${timeoutMs} ms`;
  // Messages may hold headers, which may be secret.
  const { code, name } = error as NodeJS.ErrnoException;
  return code ?? name;
}
