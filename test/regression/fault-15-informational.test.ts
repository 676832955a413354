import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** Plain stack: an upstream's unsolicited `100` became a 500. */

for (const before of [
  'HTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 100 Continue\r\nX-Odd: yes\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 102 Processing\r\n\r\n',
  'HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
  'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n',
]) {
  for (const apart of [true, false]) {
    t.test(`${JSON.stringify(before)} before the answer, ${apart ? 'apart' : 'in one piece'}`, async (t) => {
      const origin = await startOrigin(t, async (call) => {
        await call.body();
        if (apart) await call.pieces([before, answer(200, 'fine')], 20);
        else await call.write(before + answer(200, 'fine'));
      });
      const gateway = await serve(t, single(origin.url));
      const client = await connectRaw({ port: gateway.port });
      for (let i = 1; i <= 2; i++) {
        client.send(`${head('POST /x HTTP/1.1', 'Content-Length: 2')}hi`);
        const got = (await client.whole(i))[i - 1];
        t.equal(got?.status, 200);
        t.equal(textOf(got!), 'fine');
      }
      t.notOk(
        client.interim.some(({ status }) => status === 100),
        'nobody here asked for a 100',
      );
      t.equal(client.violation, null);
      client.socket.destroy();
    });
  }
}

t.test('103 early hints are passed on, before the answer', async (t) => {
  const hint =
    'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nConnection: X-Gone\r\nX-Gone: 1\r\n\r\n';
  const origin = await startOrigin(t, async (call) => {
    await call.write(hint);
    if (call.message.target === '/wait') await call.gone();
    else await call.write(answer(200, 'fine'));
  });
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('GET /wait HTTP/1.1'));
  await client.until(() => client.interim.length > 0, 'the hint while the answer is still out');
  t.equal(client.interim[0]?.status, 103);
  t.equal(headerOf(client.interim[0]!, 'link'), '</a.css>; rel=preload');
  t.equal(headerOf(client.interim[0]!, 'x-gone'), undefined);
  client.socket.destroy();
  const both = await exchange(gateway.port, head('GET /x HTTP/1.1'));
  t.strictSame(
    [...both.interim, ...both.answers].map(({ status }) => status),
    [103, 200],
  );
});

t.test('an HTTP/1.0 client is sent no 1xx at all', async (t) => {
  const origin = await startOrigin(t, (call) =>
    call.write(`HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${answer(200, 'fine')}`),
  );
  const gateway = await serve(t, single(origin.url));
  const client = await exchange(gateway.port, head('GET /x HTTP/1.0'));
  t.equal(client.interim.length, 0);
  t.equal(client.answers[0]?.status, 200);
});

t.test('an upstream that sends 1xx without end gets no endless patience', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    for (;;) await call.pieces(['HTTP/1.1 102 Processing\r\n\r\n'], 20);
  });
  const gateway = await serve(t, single(origin.url, { upstream: { timeouts: { firstByteMs: 500 } } }));
  const client = await exchange(gateway.port, head('GET /x HTTP/1.1'), 1, 15_000);
  t.ok([502, 504].includes(client.answers[0]?.status ?? 0), client.describe());
  await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
});
