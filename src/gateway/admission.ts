import type { IncomingMessage } from 'node:http';
import type { ListenerLimits } from '../core/model.ts';
import { isWebSocket } from './downstream.ts';
import type { ErrorCode } from './errors.ts';
import type { Exchange } from './exchange.ts';
import { hasPassed } from './headers.ts';
import { isAuthority, parseTarget, type Target } from './target.ts';

const WEBSOCKET_VERSION = '13';

/**
 * Request filter: whether a request may be forwarded at all. Refuses what
 * servers read in different ways, so that the route decided here is the one the
 * upstream sees. Fills in the exchange's path, query and authority.
 *
 * Node's strict parser has already refused what is malformed byte by byte.
 */
export function admit(x: Exchange, limits: ListenerLimits, instance: string): ErrorCode | null {
  const { req } = x;
  return (
    admitVersion(req) ??
    (req.rawHeaders.length > limits.maxHeaders * 2 ? 'headers_too_large' : null) ??
    admitFraming(x) ??
    admitTarget(x) ??
    (hasPassed(req.headers.via, instance) ? 'loop_detected' : null) ??
    (isWebSocket(req) ? admitWebSocket(req) : null)
  );
}

function admitVersion(req: IncomingMessage): ErrorCode | null {
  const { httpVersionMajor: major, httpVersionMinor: minor, method } = req;
  if (major !== 1 || minor > 1) return 'version_unsupported';
  // Node reports RTSP/1.0 and ICE/1.0 as HTTP/1.0; neither method was known to HTTP/1.0 (RFC 1945).
  if (minor === 0 && (method === 'OPTIONS' || method === 'SOURCE')) return 'version_unsupported';
  if (minor === 0 && speaksOtherProtocol(req)) return 'version_unsupported';
  return method === 'CONNECT' || method === 'TRACE' ? 'method_not_allowed' : null;
}

/**
 * Whether the request line names another protocol than HTTP: Node's parser takes
 * RTSP and ICE for HTTP/1.0, and only the bytes it is at still tell.
 */
function speaksOtherProtocol(req: IncomingMessage): boolean {
  const { parser } = req.socket as { parser?: { getCurrentBuffer?: () => Buffer | undefined } };
  const bytes = parser?.getCurrentBuffer?.();
  if (bytes === undefined) return false;
  const line = `${req.method} ${req.originalUrl ?? req.url} `;
  return bytes.includes(`${line}RTSP/`, 0, 'latin1') || bytes.includes(`${line}ICE/`, 0, 'latin1');
}

function admitFraming(x: Exchange): ErrorCode | null {
  const { headers, httpVersionMinor } = x.req;
  const coding = headers['transfer-encoding'];
  const length = headers['content-length'];
  if (coding !== undefined) {
    // RFC 9112 section 6.1: Transfer-Encoding with Content-Length, or in HTTP/1.0, is an attack or a fault.
    if (length !== undefined || httpVersionMinor === 0) return 'bad_framing';
    if (coding.toLowerCase() !== 'chunked') return 'coding_unsupported';
  } else if (length !== undefined && !/^[0-9]{1,15}$/.test(length)) {
    return 'bad_framing';
  }
  x.hasBody = coding !== undefined || (length !== undefined && Number(length) > 0);
  const expect = headers.expect;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return 'bad_expectation';
  return null;
}

const ASTERISK: Target = { path: '*', query: '', authority: '' };

function admitTarget(x: Exchange): ErrorCode | null {
  const { req } = x;
  // Of a WebSocket `url` is already normalised, which would hide what was wrong with it.
  const url = req.originalUrl ?? (req.url as string);
  const target = url === '*' && req.method === 'OPTIONS' ? ASTERISK : parseTarget(url);
  if (target === null) return 'bad_target';
  const host = hostHeader(req);
  if (host === null) return 'bad_host';
  if (target.authority !== '' && !isAuthority(target.authority)) return 'bad_host';
  x.path = target.path;
  x.search = target.query;
  x.authority = target.authority === '' ? host : target.authority;
  return null;
}

/** The one Host value; '' for HTTP/1.0 without one; null where it is missing, doubled or no authority. */
function hostHeader(req: IncomingMessage): string | null {
  const raw = req.rawHeaders;
  let host: string | null = null;
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (name.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (host !== null) return null;
    host = raw[i + 1] as string;
  }
  if (host === null) return req.httpVersionMinor === 0 ? '' : null;
  return isAuthority(host) ? host : null;
}

function admitWebSocket(req: IncomingMessage): ErrorCode | null {
  if (req.httpVersionMinor === 0 || req.method !== 'GET') return 'bad_request';
  if (req.headers['sec-websocket-version'] !== WEBSOCKET_VERSION) return 'websocket_version';
  return null;
}
