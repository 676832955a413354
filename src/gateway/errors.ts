import { STATUS_CODES } from 'node:http';

/** Which side a failure belongs to: the client, the gateway itself, or the model service. */
export type Side = 'downstream' | 'gateway' | 'upstream';

interface ErrorKind {
  readonly status: number;
  readonly side: Side;
  /** Safe for strangers: no address, no path, nothing of the configuration. */
  readonly message: string;
}

/**
 * Every answer that the gateway gives by itself. The key is the stable code in
 * the JSON body's `error`; addresses and causes go to the log only.
 */
export const ERRORS = {
  bad_target: { status: 400, side: 'downstream', message: 'the request target is not valid' },
  bad_host: { status: 400, side: 'downstream', message: 'exactly one valid Host is needed' },
  bad_framing: { status: 400, side: 'downstream', message: 'the request is framed ambiguously' },
  bad_request: { status: 400, side: 'downstream', message: 'the request is not valid HTTP' },
  method_not_allowed: { status: 405, side: 'downstream', message: 'this method is not forwarded' },
  no_route: { status: 404, side: 'downstream', message: 'no service matches this host and path' },
  body_timeout: { status: 408, side: 'downstream', message: 'the request body stopped arriving' },
  body_too_large: {
    status: 413,
    side: 'downstream',
    message: 'the request body is over the service’s limit',
  },
  bad_expectation: { status: 417, side: 'downstream', message: 'only Expect: 100-continue is supported' },
  websocket_version: { status: 426, side: 'downstream', message: 'WebSocket version 13 is needed' },
  headers_too_large: { status: 431, side: 'downstream', message: 'the request headers are over the limit' },
  coding_unsupported: {
    status: 501,
    side: 'downstream',
    message: 'no transfer coding but chunked is supported',
  },
  version_unsupported: { status: 505, side: 'downstream', message: 'HTTP/1.1 or HTTP/1.0 is needed' },
  loop_detected: { status: 508, side: 'gateway', message: 'the request has passed this gateway before' },
  gateway_error: { status: 500, side: 'gateway', message: 'the gateway failed; see its log' },
  upstream_refused: { status: 502, side: 'upstream', message: 'the model service could not be reached' },
  upstream_broke: { status: 502, side: 'upstream', message: 'the model service broke off its answer' },
  upstream_invalid: {
    status: 502,
    side: 'upstream',
    message: 'the model service’s answer is not valid HTTP',
  },
  upstream_full: { status: 503, side: 'upstream', message: 'the model service is at its limit of requests' },
  upstream_timeout: { status: 504, side: 'upstream', message: 'the model service did not answer in time' },
} as const satisfies Record<string, ErrorKind>;

export type ErrorCode = keyof typeof ERRORS;

/** The status that is counted for a client that did not wait for its answer (nginx's 499). */
export const CLIENT_GONE = 499;

export function errorBody(code: ErrorCode, service: string, version: string, requestId: string): string {
  return `${JSON.stringify({
    error: code,
    message: ERRORS[code].message,
    service: service === '' ? null : service,
    version: version === '' ? null : version,
    requestId,
  })}\n`;
}

/** A whole answer for a connection on which no request could be parsed; always closes it. */
export function rawErrorAnswer(code: ErrorCode): string {
  const { status } = ERRORS[code];
  const body = errorBody(code, '', '', '');
  return (
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`
  );
}
