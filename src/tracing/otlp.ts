import {
  CANCELLED_CODE,
  CLIENT_GONE_CODE,
  type ClientSpan,
  type ServerSpan,
  type SpanRecord,
} from '../core/trace/span.ts';

/**
 * Spans as OTLP/HTTP wants them in JSON: the protobuf messages of
 * opentelemetry-proto 1.x in their JSON form, where ids are hex and 64-bit
 * numbers are texts. Names are those of OpenTelemetry's stable HTTP conventions;
 * what is ours begins with `coalmine.`.
 */

interface KeyValue {
  readonly key: string;
  readonly value:
    | { readonly stringValue: string }
    | { readonly intValue: string }
    | { readonly boolValue: boolean };
}

/** Who sends. */
export interface Resource {
  readonly serviceName: string;
  /** Differs between processes that are told apart by nothing else. */
  readonly instanceId: string;
}

const SERVER = 2;
const CLIENT = 3;
const STATUS_ERROR = 2;
/** SpanFlags: the low byte is `traceparent`'s; whether the parent is of another process is known, and is so. */
const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
/** RFC 9110 and RFC 5789; any other method could be a client's invention. */
const KNOWN_METHODS = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'PATCH',
  'CONNECT',
  'TRACE',
]);

/** The body of one request: an ExportTraceServiceRequest. */
export function encodeSpans(spans: readonly SpanRecord[], { serviceName, instanceId }: Resource): string {
  const attributes = new Attributes()
    .text('service.name', serviceName)
    .text('service.instance.id', instanceId);
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributes.list },
        scopeSpans: [{ scope: { name: 'coalmine' }, spans: spans.map(encodeSpan) }],
      },
    ],
  });
}

function encodeSpan(span: SpanRecord): object {
  const isServer = span.kind === 'server';
  const remote = isServer && span.parentId !== '' ? IS_REMOTE : 0;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentId === '' ? null : { parentSpanId: span.parentId }),
    ...(span.traceState === '' ? null : { traceState: span.traceState }),
    flags: Number.parseInt(span.flags, 16) | HAS_IS_REMOTE | remote,
    name: nameOf(span),
    kind: isServer ? SERVER : CLIENT,
    startTimeUnixNano: nanosOf(span.startWallMs),
    endTimeUnixNano: nanosOf(Math.max(span.startWallMs, span.endWallMs)),
    attributes: attributesOf(span).list,
    status: isError(span) ? { code: STATUS_ERROR } : {},
  };
}

function nameOf(span: SpanRecord): string {
  const method = KNOWN_METHODS.has(span.method) ? span.method : 'HTTP';
  return span.kind === 'server' && span.route !== '' ? `${method} ${span.route}` : method;
}

/** A 4xx is the server's answer to a wrong request and no fault of its own; to a client it is a failure. */
function isError(span: SpanRecord): boolean {
  const { kind, status, error } = span;
  if (kind === 'client') return error === CANCELLED_CODE ? false : status >= 400 || error !== '';
  if (error === CLIENT_GONE_CODE) return false;
  return status >= 500 || (error !== '' && status < 400);
}

function attributesOf(span: SpanRecord): Attributes {
  const known = KNOWN_METHODS.has(span.method);
  const out = new Attributes()
    .text('http.request.method', known ? span.method : '_OTHER')
    .text('http.request.method_original', known ? '' : span.method);
  if (span.status > 0) out.number('http.response.status_code', span.status);
  if (isError(span)) out.text('error.type', span.error === '' ? String(span.status) : span.error);
  out.text('coalmine.error', span.error);
  if (span.kind === 'server') addServer(out, span);
  else addClient(out, span);
  return out;
}

function addServer(out: Attributes, span: ServerSpan): void {
  out
    .text('url.path', span.path)
    .text('url.scheme', span.secure ? 'https' : 'http')
    .text('http.route', span.route)
    .text('user_agent.original', span.userAgent)
    .text('network.protocol.version', span.httpVersion)
    .text('coalmine.request_id', span.requestId);
  addAddress(out, span.authority, span.secure);
  addAssigned(out, span, span.assigned?.version ?? '');
  out.text('coalmine.failover_to', span.failoverTo);
}

function addClient(out: Attributes, span: ClientSpan): void {
  // The conventions want the whole URL; its query is left out, as everywhere.
  out.text('url.full', span.origin + span.path).text('network.protocol.version', '1.1');
  addAddress(out, span.origin.slice(span.origin.indexOf('://') + 3), span.secure);
  if (span.resend > 0) out.number('http.request.resend_count', span.resend);
  addAssigned(out, span, span.version);
  if (span.shadow) out.flag('coalmine.shadow');
}

/** `version`: the one that this span is about. */
function addAssigned(out: Attributes, { assigned }: SpanRecord, version: string): void {
  if (assigned === null) return;
  out
    .text('coalmine.service', assigned.service)
    .text('coalmine.version', version)
    .number('coalmine.stage', assigned.stage)
    .text('coalmine.reason', assigned.reason)
    .text('coalmine.rule', assigned.rule);
  if (assigned.bucket >= 0) out.number('coalmine.bucket', assigned.bucket);
}

const AUTHORITY = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/;

function addAddress(out: Attributes, authority: string, secure: boolean): void {
  const parts = AUTHORITY.exec(authority);
  if (parts === null || authority === '') return;
  const [, host = '', port] = parts;
  out.text('server.address', host.startsWith('[') ? host.slice(1, -1) : host);
  out.number('server.port', port === undefined ? (secure ? 443 : 80) : Number(port));
}

/** What is empty is not told. */
class Attributes {
  readonly list: KeyValue[] = [];

  text(key: string, value: string): this {
    if (value !== '') this.list.push({ key, value: { stringValue: value } });
    return this;
  }

  number(key: string, value: number): this {
    this.list.push({ key, value: { intValue: String(value) } });
    return this;
  }

  flag(key: string): this {
    this.list.push({ key, value: { boolValue: true } });
    return this;
  }
}

/** Nanoseconds since the epoch: more digits than a number holds. */
export function nanosOf(wallMs: number): string {
  const whole = Math.floor(wallMs);
  const nanos = Math.floor((wallMs - whole) * 1e6);
  return `${whole}${String(nanos).padStart(6, '0')}`;
}
