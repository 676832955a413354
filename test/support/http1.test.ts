import http from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { headerOf, MessageReader, textOf, type WireMessage } from './http1.ts';
import { answer, chunk, startOrigin } from './origin.ts';
import { connectRaw, exchange, head } from './raw.ts';

/** The tests' own reader must be trusted before anything is judged by it. */

function read(kind: 'request' | 'answer', text: string, ended = false) {
  const messages: WireMessage[] = [];
  const reader = new MessageReader({ kind, onHead: (message) => messages.push(message) });
  // Byte by byte: no case may depend on how the bytes were cut.
  for (const byte of Buffer.from(text, 'latin1')) reader.push(Buffer.from([byte]));
  if (ended) reader.finish();
  return { messages, reader };
}

t.test('reads sound messages, however they are cut', async (t) => {
  const cases: [kind: 'request' | 'answer', text: string, bodies: string[], ended?: boolean][] = [
    ['request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', ['']],
    ['request', 'POST /x HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\n\r\nabc', ['abc']],
    [
      'request',
      'POST / HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
      ['abc', ''],
    ],
    ['answer', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi', ['hi']],
    ['answer', 'HTTP/1.1 200 \r\n\r\nuntil the end', ['until the end'], true],
    ['answer', 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n', ['', '']],
  ];
  for (const [kind, text, bodies, ended] of cases) {
    const { messages, reader } = read(kind, text, ended);
    t.equal(reader.violation, null, text);
    t.same(messages.map(textOf), bodies, text);
    t.ok(messages.every(({ complete }) => complete));
    t.equal(reader.leftOver, 0);
  }
});

t.test('refuses whatever two parsers could read in two ways', async (t) => {
  const post = 'POST / HTTP/1.1\r\nHost: a\r\n';
  const cases: [kind: 'request' | 'answer', text: string][] = [
    ['request', `${post}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['request', `${post}Content-Length: 1\r\nContent-Length: 1\r\n\r\na`],
    ['request', `${post}Content-Length: +1\r\n\r\na`],
    ['request', `${post}Content-Length: 1, 1\r\n\r\na`],
    ['request', `${post}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['request', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`],
    ['request', `${post}Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n0\r\n\r\n`],
    ['request', `${post}Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n`],
    ['request', `${post}Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n`],
    ['request', `${post}A: b\r\n c\r\n\r\n`],
    ['request', `${post}A: b\u0000\r\n\r\n`],
    ['request', `${post}A: b\nC: d\r\n\r\n`],
    ['request', `${post}A: b\rC: d\r\n\r\n`],
    ['request', 'GET / HTTP/1.1\r\n\r\n'],
    ['request', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['request', 'GET / HTTP/1.1\r\nHost: a@b\r\n\r\n'],
    ['request', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['request', 'GET / HTTP/1.0\r\nHost: a\r\n\r\n'],
    ['answer', 'HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n'],
    ['answer', 'HTTP/2 200 OK\r\n\r\n'],
    ['answer', 'HTTP/1.1 99 OK\r\n\r\n'],
  ];
  for (const [kind, text] of cases) t.not(read(kind, text).reader.violation, null, JSON.stringify(text));
});

t.test('a cut message is never complete', async (t) => {
  const whole = [
    'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('hello')}0\r\n\r\n`,
  ];
  for (const text of whole) {
    for (let length = 0; length < text.length; length++) {
      const { messages } = read('answer', text.slice(0, length), true);
      t.notOk(
        messages.some(({ complete }) => complete),
        `${length} bytes of ${text.length}`,
      );
    }
  }
});

t.test('the raw client reads what node:http sends', async (t) => {
  const server = http.createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url === '/chunked') {
        response.write('one ');
        response.end('two');
      } else response.end(request.url);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const client = await connectRaw({ port, methods: ['HEAD', 'GET', 'GET'] });
  client.send(head('HEAD /a HTTP/1.1') + head('GET /chunked HTTP/1.1'));
  await client.sendPieces(head('GET /c HTTP/1.1', 'Connection: close').match(/.{1,7}/gs) ?? [], 1);
  const answers = await client.whole(3);
  t.same(answers.map(textOf), ['', 'one two', '/c']);
  t.equal(await client.closed(), 'end');
  const bad = await exchange(port, 'NONSENSE\r\n\r\n');
  t.equal(bad.answers[0]?.status, 400);
});

t.test('the origin serves node:http clients and records what they sent', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    if (call.message.target === '/reset') return call.reset();
    const body = await call.body();
    return call.write(answer(200, `got ${body.length}`, 'X-A: b'));
  });
  const sent = await fetch(`${origin.url}/x`, { method: 'POST', body: 'abc' });
  t.equal(await sent.text(), 'got 3');
  t.equal(sent.headers.get('x-a'), 'b');
  await t.rejects(fetch(`${origin.url}/reset`));
  t.same(
    origin.requests.map(({ message }) => message.target),
    ['/x', '/reset'],
  );
  t.equal(headerOf(origin.requests[0]?.message as WireMessage, 'content-length'), '3');
  t.same(origin.violations(), []);
  const hostile = await exchange(origin.port, 'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n', 1, 50).catch(
    () => null,
  );
  t.equal(hostile, null);
  t.match(origin.violations(), ['#2: bare LF in a head']);
});
