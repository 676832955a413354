import { STATUS_CODES } from 'node:http';
import { TLSSocket } from 'node:tls';
import { methodIndex, SCALAR } from '../core/tally.ts';
import { countScalar, endRequest } from '../tally/recorder.ts';
import { logAccess } from './access-log.ts';
import { ignoredUpgrade } from './downstream.ts';
import { CLIENT_GONE, ERRORS, type ErrorCode, errorBody } from './errors.ts';
import type { Exchange } from './exchange.ts';
import type { DownstreamHead, FlatHeaders } from './headers.ts';
import { countFirst } from './judging.ts';
import { addPredictionId } from './prediction-id.ts';

/** An unread body up to this size is read and thrown away, so that the connection can be kept. */
const DISCARD_BYTES = 64 * 1024;
/** How long a connection is still read from after an early answer, so that the answer is not lost to a reset (RFC 9112 section 9.6). */
const LINGER_MS = 2_000;
const RETRY_AFTER_S = '1';
/** RFC 9112 section 4, without the obsolete bytes that Node refuses to send. */
const REASON = /^[\t\x20-\x7e]*$/;

/** The version that answers: the assigned one, or stable where it answers for a failed canary. */
function answeringVersion(x: Exchange): string {
  const { runtime, assignment } = x;
  if (runtime === null || assignment === null) return '';
  const index = x.failure === null ? assignment.version : runtime.service.stable;
  return runtime.service.versions[index]?.name ?? '';
}

function assignedVersion(x: Exchange): string {
  const { runtime, assignment } = x;
  if (runtime === null || assignment === null) return '';
  return runtime.service.versions[assignment.version]?.name ?? '';
}

/** Whether the client may still be sending a body that nobody will read. */
function bodyUnread(x: Exchange): boolean {
  return x.hasBody && !x.req.complete;
}

/** Adds the gateway's own headers and sends the head; throws where Node finds the upstream's invalid. */
export function sendHead(x: Exchange, status: number, reason: string, head: DownstreamHead): void {
  const { headers } = head;
  addOwnHeaders(x, headers);
  addPredictionId(x, status, headers);
  if (x.gate.draining || bodyUnread(x) || ignoredUpgrade(x.req)) announceClose(x, headers);
  x.res.writeHead(status, REASON.test(reason) ? reason : (STATUS_CODES[status] ?? ''), headers);
}

function announceClose(x: Exchange, headers: FlatHeaders): void {
  x.peer.connection.over = true;
  headers.push('connection', 'close');
}

function addOwnHeaders(x: Exchange, headers: FlatHeaders): void {
  headers.push('x-request-id', x.requestId);
  const { runtime } = x;
  if (runtime === null || x.assignment === null) return;
  if (runtime.service.exposeVersion) {
    headers.push('x-coalmine-version', answeringVersion(x));
    if (x.failure !== null) headers.push('x-coalmine-failover', assignedVersion(x));
  }
  if (x.newId !== '' && runtime.issuer !== null) {
    headers.push('set-cookie', runtime.issuer.setCookie(x.newId, x.secure));
  }
}

/** Ends an answer whose head and body were handed over, and counts it. */
export function finish(x: Exchange, status: number, lastChunk: Buffer | null): void {
  if (bodyUnread(x)) {
    if (lastChunk !== null) x.res.write(lastChunk);
    lingerThenEnd(x);
  } else if (lastChunk === null) {
    x.res.end();
  } else {
    // As text it joins the head in one string.
    x.res.end(lastChunk.toString('latin1'), 'latin1');
  }
  const now = x.gate.clock.nowMs();
  if (x.firstByteMs < 0) x.firstByteMs = now;
  settle(x, status, now);
}

/** Answers by the gateway itself. Safe in any state: after the head went out it breaks the connection off. */
export function refuse(x: Exchange, code: ErrorCode): void {
  if (x.settled) return;
  if (x.res.headersSent) return breakOff(x, code);
  x.refusal = code;
  if (x.tally === null) x.gate.countRefused(code);
  const { status } = ERRORS[code];
  const name = x.runtime?.service.name ?? '';
  const body = errorBody(code, name, assignedVersion(x), x.requestId);
  const headers: FlatHeaders = [
    'content-type',
    'application/json; charset=utf-8',
    'content-length',
    String(Buffer.byteLength(body)),
  ];
  addOwnHeaders(x, headers);
  if (status === 503) headers.push('retry-after', RETRY_AFTER_S);
  if (code === 'websocket_version') headers.push('upgrade', 'websocket', 'sec-websocket-version', '13');
  const close = mustClose(x, code);
  if (close) announceClose(x, headers);
  x.firstByteMs = x.gate.clock.nowMs();
  settle(x, status);
  x.res.writeHead(status, STATUS_CODES[status] ?? '', headers);
  if (close && bodyUnread(x)) {
    x.res.write(body);
    lingerThenEnd(x);
  } else {
    x.res.end(body);
  }
}

function mustClose(x: Exchange, code: ErrorCode): boolean {
  if (x.gate.draining || x.req.httpVersionMinor === 0 || ignoredUpgrade(x.req)) return true;
  // The rest of a body that stopped arriving is not waited for (RFC 9110 section 15.5.9).
  if (code === 'body_timeout') return true;
  // What follows a request that was framed doubtfully cannot be told to be a request.
  if (code === 'bad_framing' || code === 'coding_unsupported' || code === 'version_unsupported') return true;
  if (!bodyUnread(x)) return false;
  // Without its 100 the client may leave the body out, and its next request would be taken for it.
  if (x.expectsContinue) return true;
  const length = x.req.headers['content-length'];
  return length === undefined || Number(length) > DISCARD_BYTES;
}

/** Breaks the client's connection off, so that a cut answer is never taken for a whole one. */
export function breakOff(x: Exchange, code: ErrorCode): void {
  x.refusal = code;
  settle(x, ERRORS[code].status);
  const { socket } = x.req;
  if (socket instanceof TLSSocket) socket.destroy();
  else socket.resetAndDestroy();
}

/** Counts and logs a request once, however it ended. */
export function settle(x: Exchange, status: number, now = x.gate.clock.nowMs()): void {
  if (x.settled) return;
  x.settled = true;
  if (x.totalTimer !== null) clearTimeout(x.totalTimer);
  if (x.hasBody) x.gate.uploads.remove(x);
  const counted = x.failure === null ? status : ERRORS[x.failure].status;
  if (x.tally !== null) {
    const ttfbMs = x.firstByteMs < 0 ? -1 : x.firstByteMs - x.startMs;
    endRequest(x.tally, methodIndex(x.method), counted, now - x.startMs, ttfbMs);
    const judge = x.runtime === null ? null : x.runtime.judge;
    if (judge !== null) countFirst(x, judge, counted, now);
  }
  if (x.trace !== null) x.trace.end(x, status, now);
  const { accessLogShare } = x.table.split;
  if (accessLogShare > 0 && x.gate.random() < accessLogShare) logAccess(x, status, now);
}

/** The client's connection is gone before its answer was: nobody waits for the upstream any more. */
export function abandon(x: Exchange): void {
  if (x.settled) return;
  if (x.tally !== null) countScalar(x.tally, SCALAR.clientGone);
  settle(x, CLIENT_GONE);
  x.attempt?.cancel();
}

function lingerThenEnd(x: Exchange): void {
  const { req, res } = x;
  const end = () => {
    clearTimeout(timer);
    req.off('end', end);
    res.end();
  };
  const timer = setTimeout(end, LINGER_MS);
  timer.unref();
  req.once('end', end);
  res.once('close', () => clearTimeout(timer));
  req.resume();
}
