import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { handshake } from '../support/websocket.ts';

/** Plain stack: HTTP/2.0, RTSP/1.0 and version-less lines were served; a WebSocket over HTTP/1.0 was upgraded. */

t.test('other protocols and versions are refused, and their connection closed', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const lines = [
    'GET /x HTTP/2.0',
    'GET /x HTTP/2',
    'GET /x HTTP/3.0',
    'GET /x HTTP/1.2',
    'GET /x HTTP/0.9',
    'GET /x HTTP/11',
    'GET /x HTTP/1.10',
    'GET /x HTTP/01.1',
    'GET /x HTTP/1',
    'GET /x http/1.1',
    'GET /x RTSP/1.0',
    'SOURCE /x ICE/1.0',
    'GET /x',
    'GET',
    '/x HTTP/1.1',
    'PRI * HTTP/2.0',
  ];
  for (const line of lines) {
    const client = await connectRaw({ port: gateway.port });
    client.send(head(line));
    await client.closed();
    const statuses = client.answers.map(({ status }) => status);
    t.ok(
      statuses.every((status) => status === 400 || status === 505),
      `${line}: ${statuses}`,
    );
  }
  t.equal(origin.connections.length, 0);
});

t.test('HTTP/1.0 and HTTP/1.1 are served', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const old = await connectRaw({ port: gateway.port });
  old.send(head('GET /x HTTP/1.0'));
  await old.closed();
  t.equal(old.answers[0]?.status, 200);
  t.equal(old.answers[0]?.complete, true);
  t.equal(headerOf(old.answers[0]!, 'transfer-encoding'), undefined, 'HTTP/1.0 knows no chunks');
  t.equal((await gateway.get('/x')).status, 200);
  t.strictSame(origin.violations(), [], 'upstream it is HTTP/1.1 always');
});

t.test('a WebSocket over HTTP/1.0 is not upgraded', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  client.send(handshake('/x').replace('HTTP/1.1', 'HTTP/1.0'));
  await client.closed();
  t.ok([400, 426].includes(client.answers[0]?.status ?? 0), client.describe());
  t.notOk(origin.requests.some(({ message }) => headerOf(message, 'upgrade') !== undefined));
});
