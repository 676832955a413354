import fc from 'fast-check';
import t from 'tap';
import type { SpanRecord } from '../../src/core/trace/span.ts';
import { encodeSpans, nanosOf } from '../../src/tracing/otlp.ts';
import { decodeOtlp, type Received } from '../support/otlp.ts';
import { clientSpan, serverSpan } from './spans.ts';

function sent(span: SpanRecord): Received {
  const body = encodeSpans([span], { serviceName: 'coalmine', instanceId: 'i-1' });
  return decodeOtlp(body)[0] as Received;
}

t.test('a request', async (t) => {
  const { attributes, resource, ...span } = sent(serverSpan());
  t.strictSame(span, {
    traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
    spanId: '00f067aa0ba902b7',
    flags: 0x101,
    name: 'GET /predict',
    kind: 2,
    startTimeUnixNano: '1764240000000250000',
    endTimeUnixNano: '1764240000007500000',
    status: {},
  });
  t.strictSame(attributes, {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.path': '/predict/one',
    'url.scheme': 'http',
    'http.route': '/predict',
    'user_agent.original': 'curl/8',
    'network.protocol.version': '1.1',
    'server.address': 'api.example.com',
    'server.port': 8080,
    'coalmine.request_id': 'r-1',
    'coalmine.service': 'iris-api',
    'coalmine.version': 'v2',
    'coalmine.stage': 3,
    'coalmine.reason': 'hash',
    'coalmine.bucket': 17,
  });
  t.strictSame(resource, { 'service.name': 'coalmine', 'service.instance.id': 'i-1' });
});

t.test('a request whose trace began elsewhere', async (t) => {
  const span = sent(serverSpan({ parentId: '53995c3f42cd8ad8', traceState: 'a=1,b=2', flags: '03' }));
  t.equal(span.parentSpanId, '53995c3f42cd8ad8');
  t.equal(span.traceState, 'a=1,b=2');
  t.equal(span.flags, 0x303, 'the parent is in another process');
});

t.test('an attempt', async (t) => {
  const { attributes, ...span } = sent(clientSpan({ resend: 1, version: 'v1' }));
  t.match(span, { name: 'GET', kind: 3, parentSpanId: '53995c3f42cd8ad8', flags: 0x101 });
  t.strictSame(attributes, {
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.full': 'http://iris-v2:80/predict/one',
    'network.protocol.version': '1.1',
    'server.address': 'iris-v2',
    'server.port': 80,
    'http.request.resend_count': 1,
    'coalmine.service': 'iris-api',
    'coalmine.version': 'v1',
    'coalmine.stage': 3,
    'coalmine.reason': 'hash',
    'coalmine.bucket': 17,
  });
});

t.test('what belongs to some requests only', async (t) => {
  const shadow = sent(clientSpan({ shadow: true })).attributes;
  t.equal(shadow['coalmine.shadow'], true);
  const ruled = sent(
    serverSpan({
      assigned: { service: 'a', version: 'v1', stage: 0, bucket: -1, reason: 'rule', rule: 'rules[2]' },
    }),
  ).attributes;
  t.equal(ruled['coalmine.rule'], 'rules[2]');
  t.notOk('coalmine.bucket' in ruled, 'none was computed');
  t.equal(sent(serverSpan({ failoverTo: 'v1' })).attributes['coalmine.failover_to'], 'v1');
  const unmatched = sent(serverSpan({ assigned: null, route: '', status: 404, error: 'no_route' }));
  t.equal(unmatched.name, 'GET');
  t.notOk(
    Object.keys(unmatched.attributes).some((key) => key === 'coalmine.service' || key === 'http.route'),
  );
});

t.test('where it was sent', async (t) => {
  const at = (authority: string, secure = false) => {
    const { attributes } = sent(serverSpan({ authority, secure }));
    return [attributes['server.address'], attributes['server.port'], attributes['url.scheme']];
  };
  t.strictSame(at('api'), ['api', 80, 'http']);
  t.strictSame(at('api', true), ['api', 443, 'https']);
  t.strictSame(at('[::1]:81'), ['::1', 81, 'http']);
  t.strictSame(at(''), [undefined, undefined, 'http']);
});

t.test('a method that a client made up makes no name', async (t) => {
  const { name, attributes } = sent(serverSpan({ method: 'PROPFIND' }));
  t.equal(name, 'HTTP /predict');
  t.equal(attributes['http.request.method'], '_OTHER');
  t.equal(attributes['http.request.method_original'], 'PROPFIND');
});

t.test('what counts as an error, and of which type', async (t) => {
  const told = (span: SpanRecord) => {
    const { status, attributes } = sent(span);
    return [status.code ?? 0, attributes['error.type'] ?? null, attributes['coalmine.error'] ?? null];
  };
  const cases: [SpanRecord, [number, string | null, string | null]][] = [
    [serverSpan({ status: 200 }), [0, null, null]],
    [serverSpan({ status: 404 }), [0, null, null]],
    [serverSpan({ status: 413, error: 'body_too_large' }), [0, null, 'body_too_large']],
    [serverSpan({ status: 500 }), [2, '500', null]],
    [serverSpan({ status: 504, error: 'upstream_timeout' }), [2, 'upstream_timeout', 'upstream_timeout']],
    [serverSpan({ status: 200, error: 'upstream_broke' }), [2, 'upstream_broke', 'upstream_broke']],
    [serverSpan({ status: 0, error: 'client_gone' }), [0, null, 'client_gone']],
    [clientSpan({ status: 200 }), [0, null, null]],
    [clientSpan({ status: 404 }), [2, '404', null]],
    [clientSpan({ status: 503 }), [2, '503', null]],
    [clientSpan({ status: 0, error: 'upstream_refused' }), [2, 'upstream_refused', 'upstream_refused']],
    [clientSpan({ status: 0, error: 'cancelled' }), [0, null, 'cancelled']],
  ];
  for (const [span, wanted] of cases)
    t.strictSame(told(span), wanted, `${span.kind} ${span.status} ${span.error}`);
  t.notOk('http.response.status_code' in sent(clientSpan({ status: 0, error: 'cancelled' })).attributes);
});

t.test('a time keeps its order and its digits', async (t) => {
  t.equal(nanosOf(1_764_240_000_000), '1764240000000000000');
  const time = fc.double({ min: 1_700_000_000_000, max: 2_000_000_000_000, noNaN: true });
  const nanos = (ms: number) => BigInt(nanosOf(ms));
  fc.assert(fc.property(time, time, (a, b) => nanos(Math.min(a, b)) <= nanos(Math.max(a, b))));
  fc.assert(fc.property(time, (a) => Math.abs(Number(nanosOf(a)) / 1e6 - a) < 0.001));
});

t.test('whatever a request holds, it is OTLP', async () => {
  const text = fc.string({ unit: 'binary' });
  fc.assert(
    fc.property(text, text, text, text, (path, userAgent, authority, method) => {
      sent(serverSpan({ path, userAgent, authority, method }));
    }),
  );
});
