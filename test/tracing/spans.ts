import type { AssignedFacts, ClientSpan, ServerSpan, SpanRecord } from '../../src/core/trace/span.ts';
import type { SpanSink } from '../../src/ports.ts';

/** Records of spans, for those who make them and those who send them. */

export const assigned: AssignedFacts = {
  service: 'iris-api',
  version: 'v2',
  stage: 3,
  bucket: 17,
  reason: 'hash',
  rule: '',
};

const common = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentId: '',
  flags: '01',
  traceState: '',
  startWallMs: 1_764_240_000_000.25,
  endWallMs: 1_764_240_000_007.5,
  method: 'GET',
  path: '/predict/one',
  secure: false,
  error: '',
  status: 200,
  assigned,
};

export function serverSpan(more: Partial<ServerSpan> = {}): ServerSpan {
  return {
    ...common,
    kind: 'server',
    authority: 'api.example.com:8080',
    route: '/predict',
    userAgent: 'curl/8',
    httpVersion: '1.1',
    requestId: 'r-1',
    failoverTo: '',
    ...more,
  };
}

export function clientSpan(more: Partial<ClientSpan> = {}): ClientSpan {
  return {
    ...common,
    kind: 'client',
    parentId: '53995c3f42cd8ad8',
    origin: 'http://iris-v2:80',
    resend: 0,
    shadow: false,
    version: 'v2',
    ...more,
  };
}

/** Keeps what it is given. */
export class MemorySink implements SpanSink {
  share = 1;
  open = true;
  readonly spans: SpanRecord[] = [];

  admits(): boolean {
    return this.open;
  }

  add(span: SpanRecord): void {
    this.spans.push(span);
  }

  servers(): ServerSpan[] {
    return this.spans.filter((span): span is ServerSpan => span.kind === 'server');
  }

  clients(): ClientSpan[] {
    return this.spans.filter((span): span is ClientSpan => span.kind === 'client');
  }
}
