import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf, valuesOf } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/**
 * Plain stack: the upstream's hop-by-hop headers reached the client (`Connection:
 * close` killed its connection), and the client's reached the upstream.
 */

t.test('an upstream’s connection headers stay on its own connection', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.write(
      answer(
        200,
        'ok',
        'Connection: close, X-Nominated',
        'X-Nominated: secret',
        'Keep-Alive: timeout=1, max=1',
        'Proxy-Connection: close',
        'Upgrade: h2c',
        'X-Kept: yes',
        'Set-Cookie: a=1',
        'Set-Cookie: b=2',
      ),
    );
    call.end();
  });
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  for (let i = 1; i <= 3; i++) {
    client.send(head('GET /x HTTP/1.1'));
    const got = (await client.whole(i))[i - 1]!;
    t.equal(got.status, 200);
    t.equal(textOf(got), 'ok');
    for (const name of ['x-nominated', 'proxy-connection', 'upgrade'])
      t.strictSame(valuesOf(got, name), [], name);
    t.notMatch(headerOf(got, 'connection') ?? '', /close|nominated/i);
    t.notMatch(headerOf(got, 'keep-alive') ?? '', /max=1|timeout=1\b/);
    t.equal(headerOf(got, 'x-kept'), 'yes');
    t.strictSame(valuesOf(got, 'set-cookie'), ['a=1', 'b=2'], 'end-to-end headers keep their lines');
  }
  t.equal(client.closedBy, 'open', 'the client keeps its connection');
  client.socket.destroy();
});

t.test('a client’s connection headers and proxy credentials do not reach the upstream', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const hop = [
    'Keep-Alive: timeout=9',
    'Proxy-Authorization: Basic c2VjcmV0',
    'Proxy-Connection: keep-alive',
    'TE: trailers, gzip',
    'HTTP2-Settings: AAMAAABkAAQAAP__',
    'Upgrade: h2c',
    'X-Nominated: secret',
    'X-Also: secret',
  ];
  const client = await exchange(
    gateway.port,
    head(
      'GET /x HTTP/1.1',
      'Connection: keep-alive, Upgrade, HTTP2-Settings, X-Nominated',
      'Connection: x-also',
      ...hop,
      'X-Kept: yes',
      'Authorization: Bearer kept',
    ),
  );
  t.equal(client.answers[0]?.status, 200);
  const { message } = origin.requests[0]!;
  for (const line of hop) {
    const name = line.slice(0, line.indexOf(':'));
    t.strictSame(valuesOf(message, name), [], name);
  }
  t.notMatch(headerOf(message, 'connection') ?? '', /upgrade|nominated|also|settings/i);
  t.equal(headerOf(message, 'x-kept'), 'yes');
  t.equal(headerOf(message, 'authorization'), 'Bearer kept');
});

t.test('nominating an end-to-end header takes it off, but never the framing or the Host', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = await exchange(
    gateway.port,
    `${head('POST /x HTTP/1.1', 'Connection: close, Host, Content-Length, Content-Type', 'Content-Type: a/b', 'Content-Length: 5')}hello`,
  );
  const [got] = client.answers;
  t.ok(got?.status === 200 || got?.status === 400, `status ${got?.status}`);
  t.strictSame(origin.violations(), []);
  if (got?.status === 200) {
    const { message } = origin.requests[0]!;
    t.equal(textOf(message), 'hello');
    t.equal(valuesOf(message, 'host').length, 1);
  }
});

t.test('trailers pass, hop-by-hop ones among them do not', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.body();
    await call.write(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n2\r\nok\r\n0\r\nX-Sum: 7\r\n\r\n',
    );
  });
  const gateway = await serve(t, single(origin.url));
  const client = await exchange(
    gateway.port,
    `${head('POST /x HTTP/1.1', 'Transfer-Encoding: chunked', 'Trailer: X-Up')}2\r\nhi\r\n0\r\nX-Up: 8\r\n\r\n`,
  );
  const [got] = client.answers;
  t.equal(got?.status, 200);
  t.strictSame(
    got?.trailers.map(([name, value]) => [name.toLowerCase(), value]),
    [['x-sum', '7']],
  );
  const { message } = origin.requests[0]!;
  t.equal(textOf(message), 'hi');
  for (const [name] of message.trailers) t.equal(name.toLowerCase(), 'x-up');
});
