import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { type Call, type Script, startOrigin } from '../support/origin.ts';
import { connectRaw, head, type RawClient } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** Plain stack: when the client left before the answer's head, the inference ran on to its end. */

const leave: Record<string, (client: RawClient) => void> = {
  reset: (client) => client.reset(),
  close: (client) => client.socket.destroy(),
};

async function scene(t: Test, script: Script) {
  const origin = await startOrigin(t, script);
  const gateway = await serve(t, single(origin.url));
  const client = await connectRaw({ port: gateway.port });
  return { origin, gateway, client };
}

for (const [name, goAway] of Object.entries(leave)) {
  t.test(`${name} before the head: the upstream request is cancelled`, async (t) => {
    const { origin, gateway, client } = await scene(t, (call) => call.gone());
    client.send(head('GET /slow HTTP/1.1'));
    await origin.arrived(1);
    goAway(client);
    // The upstream would never have answered: only a cancellation ends this.
    await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
    await gateway.quiet();
    t.equal(origin.requests.length, 1, 'not sent again');
    t.strictSame(gateway.counted(), { 'GET 499': 1 });
    t.equal(gateway.scalar('clientGone'), 1);
  });

  t.test(`${name} in the middle of the answer`, async (t) => {
    const { origin, gateway, client } = await scene(t, async (call) => {
      await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
      await call.gone();
    });
    client.send(head('GET /stream HTTP/1.1'));
    await client.until(() => client.answers[0]?.bodyBytes === 2, 'the first bytes');
    goAway(client);
    await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
    await gateway.quiet();
    t.strictSame(gateway.counted(), { 'GET 499': 1 });
  });

  t.test(`${name} in the middle of the request body: the upstream never takes it for whole`, async (t) => {
    for (const framing of ['Content-Length: 100', 'Transfer-Encoding: chunked']) {
      const { origin, gateway, client } = await scene(t, (call) => call.gone());
      client.send(head('POST /upload HTTP/1.1', framing));
      client.send(framing.startsWith('T') ? '5\r\nhello\r\n' : 'hello');
      await origin.until(() => origin.requests[0]?.message.bodyBytes === 5, 'the first bytes of the body');
      goAway(client);
      await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
      await gateway.quiet();
      t.equal(origin.whole().length, 0, framing);
      t.strictSame(gateway.counted(), { 'POST 499': 1 });
    }
  });
}

t.test('one client that leaves takes nobody else with it', async (t) => {
  const held: Call[] = [];
  const { origin, gateway, client } = await scene(t, (call) => held.push(call));
  const stays = await connectRaw({ port: gateway.port });
  client.send(head('GET /leaves HTTP/1.1'));
  stays.send(head('GET /stays HTTP/1.1'));
  await origin.arrived(2);
  client.reset();
  await origin.until(() => origin.open().length === 1, 'one upstream connection to be closed');
  const call = held.find(({ message }) => message.target === '/stays');
  await call?.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
  t.equal((await stays.whole())[0]?.status, 200);
  stays.socket.destroy();
});
