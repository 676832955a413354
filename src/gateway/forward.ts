import { SCALAR } from '../core/tally.ts';
import { countScalar } from '../tally/recorder.ts';
import { breakOff, refuse } from './answer.ts';
import { Attempt } from './attempt.ts';
import type { ErrorCode } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { ServiceRuntime } from './table.ts';
import type { Endpoint } from './upstreams/endpoint.ts';
import type { EndpointGroup } from './upstreams/group.ts';

/** RFC 9110 section 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * Upstream phase: sends the exchange to its version. Every way that this ends,
 * now or later, goes through `finish`, `refuse` or `breakOff`.
 */
export function forward(x: Exchange): void {
  const runtime = x.runtime as ServiceRuntime;
  const version = (x.assignment as NonNullable<Exchange['assignment']>).version;
  const group = runtime.groups[version] as EndpointGroup;
  const { totalMs } = group.upstream.timeouts;
  if (totalMs !== null) x.totalTimer = setTimeout(onDeadline, totalMs, x);
  const endpoint = group.pick(x.startMs, null);
  if (endpoint === null) failed(x, null, 'upstream_full');
  else launch(x, group, endpoint, false, false);
}

function launch(
  x: Exchange,
  group: EndpointGroup,
  endpoint: Endpoint,
  isRetry: boolean,
  fresh: boolean,
): void {
  const attempt = new Attempt(x, group, endpoint, isRetry, failed);
  x.attempt = attempt;
  x.attempts++;
  const pool = fresh ? endpoint.fresh() : endpoint.pool;
  const { path, search, method, req, hasBody, body } = x;
  let headers = x.upstreamHeaders;
  if (x.trace !== null) {
    attempt.span = x.trace.attempt(x, endpoint.origin);
    headers = attempt.span.headers(headers);
  }
  pool.dispatch(
    {
      path: search === '' ? path : path + search,
      method: method as 'GET',
      headers,
      body: body ?? (hasBody ? req : null),
      ...(endpoint.servername === null ? null : { servername: endpoint.servername }),
    },
    attempt,
  );
}

/** An attempt ended without an answer: try again where that is safe, let stable answer where that is asked for, or say so. */
function failed(x: Exchange, attempt: Attempt | null, code: ErrorCode): void {
  if (x.settled) return;
  if (code === 'upstream_timeout' && x.tally !== null && x.failure === null)
    countScalar(x.tally, SCALAR.timeouts);
  if (x.res.headersSent) return breakOff(x, code);
  const replayable = attempt === null || !attempt.sent || (IDEMPOTENT.has(x.method) && canSendAgain(x));
  if (replayable && !x.deadlinePassed && code !== 'bad_request') {
    if (attempt !== null && retry(x, attempt, code)) return;
    if (failOver(x, code)) return;
  }
  refuse(x, code);
}

/** A body that was streamed is gone. */
function canSendAgain({ hasBody, body }: Exchange): boolean {
  return !hasBody || body !== null;
}

function retry(x: Exchange, attempt: Attempt, code: ErrorCode): boolean {
  const { group, endpoint, sent } = attempt;
  // A model that took too long once is not helped by the same work a second time.
  if (sent && code === 'upstream_timeout') return false;
  if (x.attempts > group.upstream.retry.retries || !group.mayRetry(sent)) return false;
  const other = group.pick(x.gate.clock.nowMs(), endpoint);
  // Alone, an endpoint is tried again only where a kept-alive connection may have been at fault.
  if (other === null && (!sent || code !== 'upstream_broke')) return false;
  if (x.tally !== null) countScalar(x.tally, SCALAR.retries);
  noteFirstFailure(x);
  launch(x, group, other ?? endpoint, true, other === null);
  return true;
}

/** `failover: stable`: stable answers, and the failure stays the canary's. */
function failOver(x: Exchange, code: ErrorCode): boolean {
  const runtime = x.runtime as ServiceRuntime;
  const { service } = runtime;
  if (service.failover !== 'stable' || x.failure !== null) return false;
  if (x.assignment?.version === service.stable) return false;
  const group = runtime.groups[service.stable] as EndpointGroup;
  const endpoint = group.pick(x.gate.clock.nowMs(), null);
  if (endpoint === null) return false;
  x.failure = code;
  noteFirstFailure(x);
  if (x.tally !== null) countScalar(x.tally, SCALAR.failovers);
  launch(x, group, endpoint, false, false);
  return true;
}

/** Whatever another attempt makes of it, this is what the version is judged by. */
function noteFirstFailure(x: Exchange): void {
  if (x.firstFailureMs < 0) x.firstFailureMs = x.gate.clock.nowMs();
}

function onDeadline(x: Exchange): void {
  x.deadlinePassed = true;
  const { attempt } = x;
  attempt?.cancel();
  // While it waits for a connection undici cannot be told; the client need not wait with it.
  if (!x.settled && attempt?.sent !== true) failed(x, null, 'upstream_timeout');
}
