import type tls from 'node:tls';
import t from 'tap';
import { makeAuthority } from '../support/certs.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { configOf, reloaded, startProduct } from '../support/process.ts';
import { connectRaw, exchange, head } from '../support/raw.ts';
import { requireTool } from '../support/requireTool.ts';
import { until } from '../support/wait.ts';

/** TLS in and out, and certificates that change under way. */

t.test('TLS', requireTool('openssl', ['version']), async (t) => {
  const authority = makeAuthority(t);
  const { ca } = authority;
  const first = authority.issue('first', 'DNS:gateway.test');
  const second = authority.issue('second', 'DNS:gateway.test');
  const upstreamPair = authority.issue('model.test', 'DNS:model.test');
  const client = authority.issue('the gateway');
  const origin = await startOrigin(t, undefined, {
    tls: { ...upstreamPair, ca, requestCert: true, rejectUnauthorized: true },
  });
  const config = configOf(
    {
      svc: {
        versions: { v1: { url: origin.url } },
        upstream: { tls: { ca: 'ca.pem', cert: 'client.pem', key: 'client.key', serverName: 'model.test' } },
        sticky: { issueCookie: { secret: 'a secret of the tests alone' } },
      },
    },
    { tls: { cert: 'server.pem', key: 'server.key' } },
  );
  const files = {
    'ca.pem': ca,
    'client.pem': client.cert,
    'client.key': client.key,
    'server.pem': first.cert,
    'server.key': first.key,
  };
  const product = await startProduct(t, config, { files });
  const target = { port: product.port, tls: { ca, servername: 'gateway.test' } };
  const shown = async () => {
    const { socket } = await connectRaw(target);
    const { subject } = (socket as tls.TLSSocket).getPeerCertificate();
    socket.destroy();
    return subject?.CN;
  };

  await t.test('a request passes through both', async (t) => {
    const got = (await exchange(target, head('GET /x HTTP/1.1', 'Connection: close'))).answers[0]!;
    t.equal(got.status, 200);
    t.equal(textOf(got), 'served /x');
    t.match(headerOf(got, 'set-cookie'), /; Secure/, 'the cookie is for TLS only');
    const { message, connection } = origin.requests[0]!;
    t.equal(headerOf(message, 'x-forwarded-proto'), 'https');
    t.equal((connection.socket as tls.TLSSocket).getPeerCertificate().subject?.CN, 'the gateway');
  });

  await t.test('old protocols and plain HTTP are refused', async (t) => {
    await t.rejects(
      connectRaw({ ...target, tls: { ...target.tls, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' } }),
    );
    const plain = await connectRaw({ port: product.port });
    plain.send(head('GET /x HTTP/1.1'));
    await plain.closed();
    t.notOk(plain.answers.some(({ status }) => status < 400));
  });

  await t.test('an answer that is cut is seen to be cut', async (t) => {
    origin.script = async (call) => {
      await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
      call.reset();
    };
    const client = await connectRaw(target);
    client.send(head('GET /cut HTTP/1.1'));
    await client.closed();
    t.notOk(client.answers.some(({ complete, status }) => complete && status === 200));
    origin.script = (call) => call.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  });

  await t.test('a new certificate is taken over; open connections live on', async (t) => {
    t.equal(await shown(), 'first');
    const open = await connectRaw(target);
    open.send(head('GET /1 HTTP/1.1'));
    await open.whole(1);
    product.file('server.key', second.key);
    product.file('server.pem', second.cert);
    await until(async () => (await shown()) === 'second', 'the new certificate');
    open.send(head('GET /2 HTTP/1.1'));
    t.equal((await open.whole(2))[1]?.status, 200);
    open.socket.destroy();
  });

  await t.test('a broken certificate changes nothing, and is told', async (t) => {
    const { reload } = (await product.ready()).body;
    product.file('server.pem', 'no certificate at all');
    await reloaded(product, reload?.ok ?? 0, (reload?.failed ?? 0) + 1);
    t.equal(await shown(), 'second');
    product.file('server.pem', second.cert);
    await reloaded(product, (reload?.ok ?? 0) + 1, 0);
  });
  t.strictSame(origin.violations(), []);
  t.strictSame(await product.stop(), { code: 0, signal: null });
});
