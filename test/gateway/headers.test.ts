import t from 'tap';
import {
  downstreamHead,
  downstreamTrailers,
  hasPassed,
  shadowHeaders,
  type UpstreamHeaderFacts,
  upstreamHeaders,
} from '../../src/gateway/headers.ts';
import { type Line, requestWith, valuesIn } from './request.ts';

const INSTANCE = 'coalmine-0123456789ab';
const CLIENT = { address: '198.51.100.7', trusted: false };
const PROXY = { address: '10.0.0.1', trusted: true };

function upward(lines: readonly Line[], facts: Partial<UpstreamHeaderFacts> = {}): string[] {
  return upstreamHeaders({
    req: requestWith(lines),
    peer: CLIENT,
    authority: 'api.test:8080',
    secure: false,
    requestId: 'r-1',
    instance: INSTANCE,
    ...facts,
  });
}

const HOP_BY_HOP: readonly Line[] = [
  ['Connection', 'keep-alive'],
  ['Keep-Alive', 'timeout=5'],
  ['Proxy-Connection', 'keep-alive'],
  ['Proxy-Authorization', 'Basic eDp5'],
  ['Proxy-Authenticate', 'Basic'],
  ['TE', 'trailers'],
  ['Transfer-Encoding', 'chunked'],
  ['Upgrade', 'h2c'],
  ['HTTP2-Settings', 'AAMAAABkAAQAAP__'],
];

t.test('hop-by-hop headers go no further, up or down', async (t) => {
  const up = upward([...HOP_BY_HOP, ['Trailer', 'x-sum'], ['Expect', '100-continue'], ['X-Kept', 'yes']]);
  const down = downstreamHead([...HOP_BY_HOP, ['X-Kept', 'yes'] as const].flat());
  for (const [name] of HOP_BY_HOP) {
    t.strictSame(valuesIn(up, name.toLowerCase()), [], `${name} up`);
    t.strictSame(valuesIn(down.headers, name.toLowerCase()), [], `${name} down`);
  }
  t.strictSame([...valuesIn(up, 'trailer'), ...valuesIn(up, 'expect')], [], 'answered for by the gateway');
  t.strictSame(valuesIn(up, 'x-kept'), ['yes']);
  t.strictSame(valuesIn(down.headers, 'x-kept'), ['yes']);
});

t.test('what Connection nominates goes no further, however it is spelt', async (t) => {
  const nominating: readonly Line[] = [
    ['Connection', 'close, X-One ,x-TWO,, '],
    ['connection', 'x-three'],
  ];
  const nominated: readonly Line[] = [
    ['x-one', '1'],
    ['X-Two', '2'],
    ['X-THREE', '3'],
    ['x-four', '4'],
  ];
  // Before and after the header that nominates them.
  for (const lines of [
    [...nominating, ...nominated],
    [...nominated, ...nominating],
  ]) {
    const up = upward(lines);
    const down = downstreamHead(lines.flat()).headers;
    for (const flat of [up, down]) {
      t.strictSame(
        [...valuesIn(flat, 'x-one'), ...valuesIn(flat, 'x-two'), ...valuesIn(flat, 'x-three')],
        [],
      );
      t.strictSame(valuesIn(flat, 'x-four'), ['4']);
    }
  }
});

t.test('nothing that frames the message, and nothing of ours, can be nominated away', async (t) => {
  const ours =
    'x-forwarded-for, x-forwarded-host, x-forwarded-proto, forwarded, via, x-request-id, traceparent';
  const up = upward([
    ['Connection', `content-length, host, content-type, ${ours}`],
    ['Content-Length', '5'],
    ['Content-Type', 'application/json'],
  ]);
  t.strictSame(valuesIn(up, 'content-length'), ['5']);
  t.strictSame(valuesIn(up, 'content-type'), ['application/json']);
  t.strictSame(valuesIn(up, 'host'), ['api.test:8080']);
  for (const name of ours.split(', ')) t.equal(valuesIn(up, name).length, 1, name);
  const down = downstreamHead(['Connection', 'content-length', 'Content-Length', '7']);
  t.strictSame(valuesIn(down.headers, 'content-length'), ['7']);
  t.equal(down.contentLength, 7);
});

const FORWARDED: readonly Line[] = [
  ['X-Forwarded-For', '1.2.3.4'],
  ['X-Forwarded-For', '5.6.7.8'],
  ['X-Forwarded-Host', 'front.test'],
  ['X-Forwarded-Proto', 'https'],
  ['Forwarded', 'for=1.2.3.4;proto=https'],
];

t.test('what a trusted proxy forwarded is appended to', async (t) => {
  const up = upward(FORWARDED, { peer: PROXY });
  t.strictSame(valuesIn(up, 'x-forwarded-for'), ['1.2.3.4, 5.6.7.8, 10.0.0.1']);
  t.strictSame(valuesIn(up, 'x-forwarded-host'), ['front.test']);
  t.strictSame(valuesIn(up, 'x-forwarded-proto'), ['https']);
  t.strictSame(valuesIn(up, 'forwarded'), [
    'for=1.2.3.4;proto=https, for=10.0.0.1;host="api.test:8080";proto=http',
  ]);
});

t.test('what a stranger claims to have forwarded is replaced', async (t) => {
  const up = upward(FORWARDED, { secure: true });
  t.strictSame(valuesIn(up, 'x-forwarded-for'), ['198.51.100.7']);
  t.strictSame(valuesIn(up, 'x-forwarded-host'), ['api.test:8080']);
  t.strictSame(valuesIn(up, 'x-forwarded-proto'), ['https']);
  t.strictSame(valuesIn(up, 'forwarded'), ['for=198.51.100.7;host="api.test:8080";proto=https']);
});

t.test('a trusted proxy that forwarded nothing gets the first entry', async (t) => {
  const up = upward([['X-Forwarded-For', '']], { peer: PROXY });
  t.strictSame(valuesIn(up, 'x-forwarded-for'), ['10.0.0.1']);
  t.strictSame(valuesIn(up, 'forwarded'), ['for=10.0.0.1;host="api.test:8080";proto=http']);
});

t.test('IPv6 is quoted and bracketed in Forwarded, bare in X-Forwarded-For', async (t) => {
  const up = upward([], { peer: { address: '2001:db8::9', trusted: false }, authority: '[::1]:8080' });
  t.strictSame(valuesIn(up, 'forwarded'), ['for="[2001:db8::9]";host="[::1]:8080";proto=http']);
  t.strictSame(valuesIn(up, 'x-forwarded-for'), ['2001:db8::9']);
});

t.test('Host is the authority that decided the route, once', async (t) => {
  const up = upward([['Host', 'other.test']]);
  t.strictSame(valuesIn(up, 'host'), ['api.test:8080']);
});

t.test('Via gets this gateway appended, with the version it was asked in', async (t) => {
  t.strictSame(valuesIn(upward([]), 'via'), [`1.1 ${INSTANCE}`]);
  t.strictSame(valuesIn(upward([['Via', '1.1 edge']]), 'via'), [`1.1 edge, 1.1 ${INSTANCE}`]);
  const old = upward([], { req: requestWith([['Via', '1.0 a']], '1.0') });
  t.strictSame(valuesIn(old, 'via'), [`1.0 a, 1.0 ${INSTANCE}`]);
});

t.test('a request that passed here is known by its Via', async (t) => {
  t.equal(hasPassed(undefined, INSTANCE), false);
  t.equal(hasPassed('1.1 edge, 1.1 coalmine-ffffffffffff', INSTANCE), false, 'another coalmine is no loop');
  t.equal(hasPassed(`1.1 edge, 1.1 ${INSTANCE}, 1.1 other`, INSTANCE), true);
});

t.test('ids: the request id is the exchange’s, the trace goes on where it is one', async (t) => {
  const good = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const up = upward([
    ['X-Request-Id', 'the client’s'],
    ['Traceparent', good],
    ['Tracestate', 'a=b'],
  ]);
  t.strictSame(valuesIn(up, 'x-request-id'), ['r-1']);
  t.strictSame(valuesIn(up, 'traceparent'), [good]);
  t.strictSame(valuesIn(up, 'tracestate'), ['a=b']);
  const made = ['nonsense', `${good}, ${good}`, ''].map((bad) =>
    valuesIn(upward([['traceparent', bad]]), 'traceparent'),
  );
  for (const values of made) t.match(values.join('|'), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  t.equal(new Set(made.flat()).size, 3);
});

t.test('a client cannot pass itself off as a shadow', async (t) => {
  t.strictSame(valuesIn(upward([['X-Coalmine-Shadow', '1']]), 'x-coalmine-shadow'), []);
});

t.test('the other headers pass as they came: order, repetition, bytes', async (t) => {
  const up = upward([
    ['Accept', 'a'],
    ['Cookie', 'a=1'],
    ['X-Many', '1'],
    ['x-many', '2'],
    ['__proto__', 'x'],
    ['constructor', 'y'],
    ['X-Bytes', '\xe9\xff'],
  ]);
  t.strictSame(up.slice(2, 16), [
    ...['accept', 'a', 'cookie', 'a=1', 'x-many', '1', 'x-many', '2'],
    ...['__proto__', 'x', 'constructor', 'y'],
    ...['x-bytes', '\xe9\xff'],
  ]);
});

t.test('a shadow gets no credentials and no length', async (t) => {
  const lines: readonly Line[] = [
    ['Authorization', 'Bearer x'],
    ['Cookie', 'a=1'],
    ['Proxy-Authorization', 'Basic x'],
    ['X-Api-Key', 'k'],
    ['Api-Key', 'k'],
    ['X-Amz-Security-Token', 'k'],
    ['Content-Length', '5'],
    ['Content-Type', 'application/json'],
  ];
  const shadow = shadowHeaders(upward(lines), false);
  for (const [name] of lines.slice(0, 7)) t.strictSame(valuesIn(shadow, name.toLowerCase()), [], name);
  t.strictSame(valuesIn(shadow, 'content-type'), ['application/json']);
  t.strictSame(valuesIn(shadow, 'x-coalmine-shadow'), ['1']);
  t.strictSame(valuesIn(shadow, 'x-request-id'), ['r-1']);

  const kept = shadowHeaders(upward(lines), true);
  for (const name of ['authorization', 'cookie', 'x-api-key']) t.equal(valuesIn(kept, name).length, 1, name);
  t.strictSame(valuesIn(kept, 'proxy-authorization'), [], 'that one was for the proxy alone');
  t.strictSame(valuesIn(kept, 'x-coalmine-shadow'), ['1']);
});

t.test('the upstream’s head: what is the gateway’s to say is taken off', async (t) => {
  const { headers, contentLength } = downstreamHead(
    ['Server', 'm', 'X-Request-Id', 'u', 'x-coalmine-version', 'v9', 'X-Coalmine-Failover', 'v9'].map(
      (text) => Buffer.from(text),
    ),
  );
  t.strictSame(headers, ['Server', 'm']);
  t.equal(contentLength, -1);
});

t.test('the upstream’s values pass byte by byte', async (t) => {
  const bytes = Buffer.from([0xe9, 0x80, 0xff]);
  const { headers } = downstreamHead([
    Buffer.from('X-Bytes'),
    bytes,
    Buffer.from('Set-Cookie'),
    Buffer.from('a=1'),
  ]);
  t.same(Buffer.from(headers[1] as string, 'latin1'), bytes);
  t.strictSame(headers.slice(2), ['Set-Cookie', 'a=1']);
});

t.test('trailers carry nothing that frames, routes or sets', async (t) => {
  const trailers = downstreamTrailers(
    [
      'X-Sum',
      'abc',
      'Content-Length',
      '5',
      'Transfer-Encoding',
      'chunked',
      'Host',
      'h',
      'Set-Cookie',
      'a=1',
    ].map((text) => Buffer.from(text)),
  );
  t.strictSame(trailers, [['X-Sum', 'abc']]);
});
