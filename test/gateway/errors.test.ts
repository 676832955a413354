import { STATUS_CODES } from 'node:http';
import t, { type Test } from 'tap';
import { ERRORS, type ErrorCode, errorBody, rawErrorAnswer } from '../../src/gateway/errors.ts';
import { serve, type TestGateway } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, refusedUrl, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { service, split, version } from '../support/split.ts';
import { handshake } from '../support/websocket.ts';

/** Every answer that the gateway gives by itself, provoked over the wire. */

interface Case {
  readonly code: ErrorCode;
  /** '' for a connection on which no request could be read. */
  readonly request: string;
  readonly service?: string;
  /** The connection has to close after it. */
  readonly closes?: boolean;
  /** No request was parsed: there is no id to answer with. */
  readonly unparsed?: boolean;
}

const ID = 'X-Request-Id: r-1';
const CASES: readonly Case[] = [
  { code: 'bad_target', request: head('GET /../x HTTP/1.1', ID) },
  { code: 'bad_host', request: head('GET / HTTP/1.1', 'Host: a', 'Host: b', ID) },
  {
    code: 'bad_framing',
    request: `${head('POST / HTTP/1.0', 'Host: h', 'Transfer-Encoding: chunked', ID)}0\r\n\r\n`,
    closes: true,
  },
  {
    code: 'bad_request',
    request: 'GET / HTTP/1.1\r\nHost: h\r\nbad header\r\n\r\n',
    closes: true,
    unparsed: true,
  },
  { code: 'method_not_allowed', request: head('TRACE / HTTP/1.1', ID) },
  { code: 'no_route', request: head('GET /nowhere HTTP/1.1', ID) },
  {
    code: 'body_timeout',
    request: `${head('POST /ok HTTP/1.1', 'Content-Length: 10', ID)}half`,
    service: 'ok',
    closes: true,
  },
  { code: 'body_too_large', request: head('POST /ok HTTP/1.1', 'Content-Length: 1001', ID), service: 'ok' },
  { code: 'bad_expectation', request: head('POST /ok HTTP/1.1', 'Content-Length: 1', 'Expect: more', ID) },
  {
    code: 'websocket_version',
    request: handshake('/ok', 'Sec-WebSocket-Version: 8', ID),
  },
  {
    code: 'headers_too_large',
    request: head('GET /ok HTTP/1.1', ID, ...Array.from({ length: 60 }, (_, i) => `x-${i}: 1`)),
  },
  {
    code: 'coding_unsupported',
    request: head('POST /ok HTTP/1.1', 'Transfer-Encoding: gzip, chunked', ID),
    closes: true,
  },
  { code: 'version_unsupported', request: head('GET /ok HTTP/2.0', ID), closes: true },
  { code: 'upstream_refused', request: head('GET /refused HTTP/1.1', ID), service: 'refused' },
  { code: 'upstream_broke', request: head('GET /broke HTTP/1.1', ID), service: 'broke' },
  { code: 'upstream_invalid', request: head('GET /invalid HTTP/1.1', ID), service: 'invalid' },
  { code: 'upstream_full', request: head('GET /full HTTP/1.1', ID), service: 'full' },
  { code: 'upstream_timeout', request: head('GET /slow HTTP/1.1', ID), service: 'slow' },
];

/** One service for each way in which an upstream can fail. */
async function scene(t: Test): Promise<TestGateway> {
  const origin = await startOrigin(t, async (call) => {
    const { target } = call.message;
    if (target === '/broke') return call.reset();
    if (target === '/invalid') return call.write('HTTP/9.9 what\r\n\r\n');
    if (target === '/slow' || target === '/full') return undefined;
    await call.body();
    return call.write(answer(200, headerOf(call.message, 'via')));
  });
  const urls = { refused: await refusedUrl() } as Record<string, string>;
  const services = ['ok', 'refused', 'broke', 'invalid', 'full', 'slow'].map((name) => {
    const options = {
      timeouts: { totalMs: name === 'slow' ? 50 : null },
      pool: name === 'full' ? { connections: 1, pending: 0 } : {},
    };
    const url = urls[name] ?? origin.url;
    return service([version('v1', url, options)], { name, path: `/${name}`, maxBodyBytes: 1_000 });
  });
  const gateway = await serve(t, split(services), { limits: { maxHeaders: 50, bodyIdleTimeoutMs: 60 } });
  const holder = await connectRaw({ port: gateway.port });
  t.teardown(() => holder.socket.destroy());
  holder.send(head('GET /full HTTP/1.1'));
  await origin.until(
    () => origin.requests.some(({ message }) => message.target === '/full'),
    'the full pool',
  );
  return gateway;
}

async function check(t: Test, gateway: TestGateway, one: Case): Promise<void> {
  const { code, request, closes = false, unparsed = false } = one;
  const client = await connectRaw({ port: gateway.port });
  const before = new Map(gateway.recorder.refused());
  client.send(request);
  const [message] = await client.whole();
  const { status } = ERRORS[code];
  const counted = [...gateway.recorder.refused()].filter(([reason, count]) => count !== before.get(reason));
  const want = one.service === undefined ? [[code, (before.get(code) ?? 0) + 1]] : [];
  t.strictSame(counted, want, 'counted as refused where no version counts it');
  t.equal(message?.startLine, `HTTP/1.1 ${status} ${STATUS_CODES[status]}`, client.describe());
  t.match(headerOf(message!, 'content-type'), /^application\/json/);
  t.equal(headerOf(message!, 'content-length'), String(message?.bodyBytes));
  t.strictSame(JSON.parse(textOf(message!)), {
    error: code,
    message: ERRORS[code].message,
    service: one.service ?? null,
    version: one.service === undefined ? null : 'v1',
    requestId: unparsed ? '' : 'r-1',
  });
  if (!unparsed) t.equal(headerOf(message!, 'x-request-id'), 'r-1');
  t.equal(headerOf(message!, 'retry-after'), status === 503 ? '1' : undefined);
  if (closes) {
    t.match(headerOf(message!, 'connection'), /^close$/i);
    await client.closed();
  }
  client.socket.destroy();
}

t.test('what can be refused is told as 0 from the start', async (t) => {
  const gateway = await scene(t);
  const sides = (code: string) => ERRORS[code as keyof typeof ERRORS].side;
  t.ok(gateway.recorder.refused().size > 10);
  for (const [code, count] of gateway.recorder.refused()) {
    t.equal(count, 0, code);
    t.not(sides(code), 'upstream');
  }
});

t.test('each has its status, its JSON, and tells nothing that is nobody’s business', async (t) => {
  const gateway = await scene(t);
  for (const one of CASES) await t.test(one.code, (t) => check(t, gateway, one));
  await t.test('loop_detected', async (t) => {
    const via = textOf(await gateway.get('/ok'));
    await check(t, gateway, { code: 'loop_detected', request: head('GET /ok HTTP/1.1', `Via: ${via}`, ID) });
  });
  t.strictSame(
    gateway.logged.filter(({ level }) => level === 'error'),
    [],
  );
});

t.test('a fault of our own is answered and logged, and is over with the request', async (t) => {
  const origin = await startOrigin(t);
  let broken = true;
  const random = () => {
    if (broken) throw new Error('no luck at all');
    return 0.5;
  };
  const gateway = await serve(t, split([service([version('v1', origin.url)], { name: 'ok' })]), { random });
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /a HTTP/1.1', ID));
  await client.whole();
  t.equal(client.answers[0]?.status, 500);
  t.match(JSON.parse(textOf(client.answers[0]!)), {
    error: 'gateway_error',
    service: 'ok',
    requestId: 'r-1',
  });
  const [entry] = gateway.logged;
  t.equal(entry?.level, 'error');
  t.match(entry?.fields, { requestId: 'r-1', err: { message: 'no luck at all' } });
  broken = false;
  client.send(head('GET /b HTTP/1.1'));
  await client.whole(2);
  t.equal(client.answers[1]?.status, 200);
  client.socket.destroy();
  t.equal(await gateway.gateway.close(60_000), 0, 'nothing is left under way');
});

t.test('every code is provoked', async (t) => {
  const apart = ['loop_detected', 'gateway_error'];
  t.strictSame(Object.keys(ERRORS).sort(), [...apart, ...CASES.map(({ code }) => code)].sort());
});

t.test('the body names what is known, and null for the rest', async (t) => {
  t.strictSame(JSON.parse(errorBody('upstream_full', 'iris', 'v2', 'r"1')), {
    error: 'upstream_full',
    message: ERRORS.upstream_full.message,
    service: 'iris',
    version: 'v2',
    requestId: 'r"1',
  });
  t.match(JSON.parse(errorBody('no_route', '', '', '')), { service: null, version: null });
});

t.test('an answer without a request is whole and closes', async (t) => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const [top, body] = rawErrorAnswer(code).split('\r\n\r\n') as [string, string];
    t.match(top, new RegExp(`^HTTP/1\\.1 ${ERRORS[code].status} [A-Z].*\\r\\n`));
    t.match(top, /\r\nconnection: close/);
    t.match(top, new RegExp(`\\r\\ncontent-length: ${Buffer.byteLength(body)}\\b`));
    t.equal((JSON.parse(body) as { error: string }).error, code);
  }
});
