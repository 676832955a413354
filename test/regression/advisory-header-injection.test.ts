import t from 'tap';
import { serve } from '../support/gateway.ts';
import { bodyOf, headerOf, textOf, valuesOf } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** undici CVE-2026-1525, CVE-2026-1527: duplicate Content-Length, and CR LF in what is passed on. */

t.test('two Content-Lengths are refused, equal or not, in any case', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  for (const lines of [
    ['Content-Length: 5', 'Content-Length: 5'],
    ['Content-Length: 5', 'Content-Length: 6'],
    ['content-length: 5', 'CONTENT-LENGTH: 5'],
    ['Content-Length: 5, 5'],
    ['Content-Length: 5', 'X-Between: y', 'Content-Length: 0'],
  ]) {
    const client = await connectRaw({ port: gateway.port });
    client.send(`${head('POST /x HTTP/1.1', ...lines)}hello`);
    await client.closed();
    t.equal(client.answers[0]?.status, 400, lines.join(' | '));
    t.equal(client.answers.length, 1);
  }
  t.equal(origin.requests.length, 0);
});

t.test('an upstream’s two Content-Lengths never reach the client', async (t) => {
  for (const lines of [
    ['Content-Length: 2', 'Content-Length: 2'],
    ['Content-Length: 2', 'Content-Length: 3'],
    ['Content-Length: 2, 2'],
  ]) {
    const origin = await startOrigin(t, (call) =>
      call.write(`HTTP/1.1 200 OK\r\n${lines.join('\r\n')}\r\n\r\nok!`),
    );
    const gateway = await serve(t, single(origin.url));
    const client = await exchange(gateway.port, head('GET /x HTTP/1.1', 'Connection: close'));
    t.equal(client.violation, null, client.describe());
    const [got] = client.answers;
    t.ok(
      got?.status === 502 || (got?.status === 200 && valuesOf(got, 'content-length').length <= 1),
      lines.join(),
    );
  }
});

t.test('escaped line ends stay escaped, in targets and in everything derived from them', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const split = '%0d%0aX-Injected:%20yes%0d%0a%0d%0aGET%20/smuggled%20HTTP/1.1';
  for (const target of [`/${split}`, `/x?${split}`, `/x?a=${split}`, `/%0a`, '/%0D%0A']) {
    const client = await exchange(gateway.port, head(`GET ${target} HTTP/1.1`, `Cookie: uid=${split}`));
    t.ok([200, 400].includes(client.answers[0]?.status ?? 0), target);
    t.equal(client.violation, null);
    for (const got of client.answers) t.equal(headerOf(got, 'x-injected'), undefined);
  }
  t.strictSame(origin.violations(), []);
  for (const { message } of origin.requests) {
    t.equal(headerOf(message, 'x-injected'), undefined);
    t.not(message.target, '/smuggled');
  }
});

t.test('ids of the client that are no ids are replaced, not passed on', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  for (const id of ['a b', '<script>', '"', 'x'.repeat(1_000), '\xff', '']) {
    const client = await exchange(gateway.port, head('GET /x HTTP/1.1', `x-request-id: ${id}`));
    const [got] = client.answers;
    t.equal(got?.status, 200);
    const answered = headerOf(got!, 'x-request-id');
    t.match(answered, /^[\x21-\x7e]{1,128}$/);
    t.not(answered, id);
    t.strictSame(valuesOf(origin.requests.at(-1)!.message, 'x-request-id'), [answered]);
  }
  const kept = await exchange(gateway.port, head('GET /x HTTP/1.1', 'x-request-id: req-42'));
  t.equal(headerOf(kept.answers[0]!, 'x-request-id'), 'req-42');
});

t.test('high bytes in values pass unchanged both ways', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.body();
    await call.write(answer(200, 'ok', 'X-Name: caf\xe9 \xff'));
  });
  const gateway = await serve(t, single(origin.url));
  const client = await exchange(gateway.port, head('GET /x HTTP/1.1', 'X-Name: caf\xe9 \xff'));
  t.equal(headerOf(origin.requests[0]!.message, 'x-name'), 'caf\xe9 \xff');
  t.equal(headerOf(client.answers[0]!, 'x-name'), 'caf\xe9 \xff');
});

t.test('bodies are never looked into, whatever their type says', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const bodies = ['{"__proto__": {"x": 1}', '{', '\u0000\xff', 'a=b&a[__proto__]=1', ''];
  const types = [
    'application/json',
    'application/json;charset=x',
    'application/json ;,',
    'application/JSON; charset=utf-8; charset=utf-16',
    'multipart/form-data',
    'application/x-www-form-urlencoded',
    'text/plain, application/json',
    ';',
    'a'.repeat(2_000),
    '',
  ];
  for (const type of types) {
    for (const body of bodies) {
      const request =
        head('POST /x HTTP/1.1', `Content-Type: ${type}`, `Content-Length: ${body.length}`) + body;
      const client = await exchange(gateway.port, request);
      t.equal(client.answers[0]?.status, 200, `${type}: ${body}`);
      t.equal(textOf(client.answers[0]!), 'served /x');
      t.equal(bodyOf(origin.requests.at(-1)!.message).toString('latin1'), body);
      t.equal(headerOf(origin.requests.at(-1)!.message, 'content-type'), type);
    }
  }
  for (const method of ['GET', 'DELETE', 'OPTIONS', 'PATCH', 'PROPFIND']) {
    const client = await exchange(gateway.port, `${head(`${method} /x HTTP/1.1`, 'Content-Length: 3')}{{{`);
    t.equal(client.answers[0]?.status, 200, `${method} with a body`);
    t.equal(textOf(origin.requests.at(-1)!.message), '{{{');
  }
});
