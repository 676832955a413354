import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { bodyOf, headerOf, textOf, valuesOf, type WireMessage } from '../support/http1.ts';
import { answer, type Call, chunk, type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** Kinds of messages, seen byte by byte on both sides. After each the connection must be good for the next. */

async function scene(t: Test, script?: Script) {
  const origin = await startOrigin(t, script);
  const gateway = await serve(t, single(origin.url));
  return { origin, gateway };
}

/** Asks, then asks again on the same connection and expects that to be answered as well. */
async function asked(
  t: Test,
  port: number,
  method: string,
  path = '/',
  version = '1.1',
): Promise<WireMessage> {
  const client = await connectRaw({ port, methods: [method, 'GET'] });
  client.send(
    head(`${method} ${path} HTTP/${version}`, ...(version === '1.0' ? ['Connection: keep-alive'] : [])),
  );
  await client.whole();
  client.send(head('GET /after HTTP/1.1'));
  await client.whole(2);
  t.equal(client.violation, null);
  t.equal(client.answers[1]?.status, 200, client.describe());
  t.equal(client.answers[1]?.complete, true);
  client.socket.destroy();
  return client.answers[0]!;
}

/** `script` for the request in question, a plain answer for what comes after it. */
function first(script: Script): Script {
  return (call: Call) => (call.message.target === '/after' ? call.write(answer(200, 'after')) : script(call));
}

t.test('HEAD: the length of the body that GET would have, and no body', async (t) => {
  const { gateway, origin } = await scene(
    t,
    first((call) => call.write('HTTP/1.1 200 OK\r\nContent-Length: 1234\r\nETag: "x"\r\n\r\n')),
  );
  const reply = await asked(t, gateway.port, 'HEAD');
  t.equal(headerOf(reply, 'content-length'), '1234');
  t.equal(headerOf(reply, 'etag'), '"x"');
  t.equal(reply.bodyBytes, 0);
  t.equal(origin.requests[0]?.message.method, 'HEAD');
  t.strictSame(gateway.counted(), { 'HEAD 200': 1, 'GET 200': 1 });
});

t.test('HEAD: without a length none is made up', async (t) => {
  const { gateway } = await scene(
    t,
    first((call) => call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')),
  );
  const reply = await asked(t, gateway.port, 'HEAD');
  t.equal(headerOf(reply, 'content-length'), undefined);
  t.equal(reply.bodyBytes, 0);
});

t.test('204 has neither body nor length', async (t) => {
  const { gateway } = await scene(
    t,
    first((call) => call.write('HTTP/1.1 204 No Content\r\nX-A: 1\r\n\r\n')),
  );
  const reply = await asked(t, gateway.port, 'GET');
  t.equal(reply.status, 204);
  t.equal(headerOf(reply, 'x-a'), '1');
  t.equal(headerOf(reply, 'content-length'), undefined);
  t.equal(headerOf(reply, 'transfer-encoding'), undefined);
});

t.test('304 keeps its validators and the length of what it stands for', async (t) => {
  const { gateway, origin } = await scene(
    t,
    first((call) => call.write('HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 99\r\n\r\n')),
  );
  const reply = await asked(t, gateway.port, 'GET');
  t.equal(reply.status, 304);
  t.equal(headerOf(reply, 'etag'), '"x"');
  t.equal(headerOf(reply, 'content-length'), '99');
  t.equal(reply.bodyBytes, 0);
  t.strictSame(gateway.counted(), { 'GET 304': 1, 'GET 200': 1 });
  t.equal(origin.requests.length, 2, 'and is not asked for twice');
});

t.test('an empty answer', async (t) => {
  const { gateway } = await scene(
    t,
    first((call) => call.write(answer(200))),
  );
  const reply = await asked(t, gateway.port, 'GET');
  t.equal(headerOf(reply, 'content-length'), '0');
});

t.test('a chunked answer stays chunked, its content unchanged', async (t) => {
  const pieces = ['a', 'bc', 'd'.repeat(5_000), 'HTTP/1.1 200 OK\r\n\r\n', '0\r\n\r\n'];
  const { gateway } = await scene(
    t,
    first((call) =>
      call.write(
        `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${pieces.map(chunk).join('')}0\r\n\r\n`,
      ),
    ),
  );
  const reply = await asked(t, gateway.port, 'GET');
  t.equal(headerOf(reply, 'transfer-encoding'), 'chunked');
  t.equal(textOf(reply), pieces.join(''));
});

t.test('trailers pass, but for those that may be none', async (t) => {
  const { gateway } = await scene(
    t,
    first((call) =>
      call.write(
        'HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n' +
          `${chunk('data')}0\r\nX-Sum: abc\r\nX-Late: 1\r\nSet-Cookie: a=1\r\n\r\n`,
      ),
    ),
  );
  const reply = await asked(t, gateway.port, 'GET');
  t.equal(textOf(reply), 'data');
  t.equal(headerOf(reply, 'trailer'), 'X-Sum');
  t.strictSame(reply.trailers, [
    ['X-Sum', 'abc'],
    ['X-Late', '1'],
  ]);
});

t.test('an answer that ends with its connection is chunked for the client', async (t) => {
  const { gateway } = await scene(
    t,
    first(async (call) => {
      await call.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil ');
      await call.write('the end');
      call.end();
    }),
  );
  const reply = await asked(t, gateway.port, 'GET');
  t.equal(headerOf(reply, 'transfer-encoding'), 'chunked');
  t.equal(textOf(reply), 'until the end');
});

t.test('a client of HTTP/1.0 gets lengths or a closed connection, never chunks', async (t) => {
  const { gateway } = await scene(t, async (call) => {
    if (call.message.target === '/length') return call.write(answer(200, 'known'));
    return call.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk('streamed')}0\r\n\r\n`);
  });
  for (const [path, body] of [
    ['/length', 'known'],
    ['/stream', 'streamed'],
  ] as const) {
    const client = await connectRaw({ port: gateway.port });
    client.send(`GET ${path} HTTP/1.0\r\nHost: h\r\n\r\n`);
    await client.closed();
    t.equal(textOf(client.answers[0]!), body);
    t.equal(headerOf(client.answers[0]!, 'transfer-encoding'), undefined);
    t.equal(client.answers[0]?.complete, true);
  }
});

t.test('status lines and repeated headers pass as they came', async (t) => {
  const { gateway } = await scene(
    t,
    first((call) =>
      call.write(
        'HTTP/1.1 299 Rather Odd\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nWARNING: 1\r\nX-Bytes: \xe9\xff\r\nContent-Length: 2\r\n\r\nhi',
      ),
    ),
  );
  const reply = await asked(t, gateway.port, 'GET');
  t.equal(reply.startLine, 'HTTP/1.1 299 Rather Odd');
  t.strictSame(valuesOf(reply, 'set-cookie'), ['a=1', 'b=2']);
  t.equal(headerOf(reply, 'warning'), '1');
  t.equal(headerOf(reply, 'x-bytes'), '\xe9\xff');
});

t.test('every method passes, known or not', async (t) => {
  const { gateway, origin } = await scene(
    t,
    first((call) => call.write(answer(200, 'ok'))),
  );
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'PURGE', 'M-SEARCH'];
  for (const method of methods) t.equal((await asked(t, gateway.port, method, '/m')).status, 200, method);
  const seen = origin.requests.filter(({ message }) => message.target === '/m');
  t.strictSame(
    seen.map(({ message }) => message.method),
    methods,
  );
  t.strictSame(gateway.counted()['other 200'], 3, 'unknown ones are counted together');
});

t.test('a body goes with any method; its length is the client’s', async (t) => {
  const { gateway, origin } = await scene(t);
  const client = await connectRaw({ port: gateway.port });
  for (const [i, method] of ['GET', 'DELETE', 'OPTIONS', 'POST'].entries()) {
    client.send(`${head(`${method} / HTTP/1.1`, 'Content-Length: 3')}abc`);
    await client.whole(i + 1);
    const { message } = origin.requests[i]!;
    t.equal(bodyOf(message).toString(), 'abc', method);
    t.equal(headerOf(message, 'content-length'), '3');
  }
  t.strictSame(origin.violations(), []);
});

t.test('OPTIONS * is answered by the gateway itself and counted for nobody', async (t) => {
  const { gateway, origin } = await scene(t);
  const reply = await asked(t, gateway.port, 'OPTIONS', '*');
  t.equal(reply.status, 204);
  t.equal(origin.requests.length, 1, 'only what came after it');
  t.strictSame(gateway.counted(), { 'GET 200': 1 });
});

t.test('pipelined requests are answered in their order', async (t) => {
  const { gateway } = await scene(t, async (call) => {
    await call.body();
    await call.write(answer(200, call.message.target));
  });
  const client = await connectRaw({ port: gateway.port });
  client.send([1, 2, 3, 4].map((n) => head(`GET /${n} HTTP/1.1`)).join(''));
  await client.whole(4);
  t.strictSame(client.answers.map(textOf), ['/1', '/2', '/3', '/4']);
});

t.test('an answer that is cut never looks whole to the client, and counts as 502', async (t) => {
  const body = 'x'.repeat(40_000);
  const cuts: Record<string, Script> = {
    'short of its length, ended': async (call) => {
      await call.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`);
      call.end();
    },
    'short of its length, reset': async (call) => {
      await call.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length + 1}\r\n\r\n${body}`);
      call.reset();
    },
    'without its last chunk': async (call) => {
      await call.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(body)}`);
      call.end();
    },
    'a chunk that is none': async (call) => {
      await call.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunk(body)}xyz\r\n`);
    },
  };
  for (const [name, script] of Object.entries(cuts)) {
    const { gateway } = await scene(t, script);
    const client = await connectRaw({ port: gateway.port });
    client.send(head('POST / HTTP/1.1', 'Content-Length: 0'));
    // By a RST, which a reader with data still to read may see as a plain end.
    await client.closed();
    t.equal(client.answers[0]?.status, 200, name);
    t.notOk(
      client.answers.some(({ complete }) => complete),
      name,
    );
    await gateway.quiet();
    t.strictSame(gateway.counted(), { 'POST 502': 1 }, name);
  }
});
