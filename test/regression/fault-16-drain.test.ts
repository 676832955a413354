import t, { type Test } from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf, textOf } from '../support/http1.ts';
import { answer, type Call, polite, startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';
import { until } from '../support/wait.ts';

/** Plain stack: while draining, answers still said keep-alive. */

async function scene(t: Test) {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) =>
    call.message.target === '/held' ? held.push(call) : polite(call),
  );
  const gateway = await serve(t, single(origin.url));
  return { origin, gateway, held };
}

t.test('after beginDrain every answer closes its connection', async (t) => {
  const { origin, gateway, held } = await scene(t);
  const idle = await connectRaw({ port: gateway.port });
  const busy = await connectRaw({ port: gateway.port });
  idle.send(head('GET /x HTTP/1.1'));
  await idle.whole();
  t.notMatch(headerOf(idle.answers[0]!, 'connection') ?? '', /close/i);
  busy.send(head('GET /held HTTP/1.1'));
  await origin.until(() => held.length === 1, 'the held request');

  gateway.gateway.beginDrain();
  idle.send(head('GET /y HTTP/1.1'));
  await held[0]?.write(answer(200, 'late'));
  for (const [client, index] of [
    [idle, 1],
    [busy, 0],
  ] as const) {
    t.equal(await client.closed(), 'end');
    t.equal(client.answers[index]?.status, 200);
    t.equal(client.answers[index]?.complete, true);
    t.match(headerOf(client.answers[index]!, 'connection'), /close/i);
  }
  const fresh = await connectRaw({ port: gateway.port });
  fresh.send(head('GET /nowhere HTTP/1.1', 'Host: bad host'));
  await fresh.closed();
  t.equal(fresh.answers[0]?.status, 400, 'errors too');
  t.match(headerOf(fresh.answers[0]!, 'connection'), /close/i);
});

t.test('close waits for what is in flight and cuts nothing of it', async (t) => {
  const { origin, gateway, held } = await scene(t);
  const busy = await connectRaw({ port: gateway.port });
  const idle = await connectRaw({ port: gateway.port });
  idle.send(head('GET /x HTTP/1.1'));
  await idle.whole();
  busy.send(head('GET /held HTTP/1.1'));
  await origin.until(() => held.length === 1, 'the held request');
  gateway.gateway.beginDrain();
  const closing = gateway.gateway.close(30_000);
  await until(
    async () => (await connectRaw({ port: gateway.port }).catch(() => null)) === null,
    'no new connections',
  );
  // A request that was on its way when the listener closed is served, not cut.
  idle.send(head('GET /y HTTP/1.1'));
  await idle.closed();
  if (idle.answers.length > 1) {
    t.equal(textOf(idle.answers[1]!), 'served /y');
    t.match(headerOf(idle.answers[1]!, 'connection'), /close/i);
  }
  await held[0]?.write(answer(200, 'late'));
  t.equal(await closing, 0);
  await busy.closed();
  t.equal(textOf(busy.answers[0]!), 'late');
  t.equal(busy.answers[0]?.complete, true);
});

t.test('what outlasts the grace is cut, counted, and never looks whole', async (t) => {
  const { origin, gateway, held } = await scene(t);
  const busy = await connectRaw({ port: gateway.port });
  busy.send(head('GET /held HTTP/1.1'));
  await origin.until(() => held.length === 1, 'the held request');
  await held[0]?.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n');
  await busy.until(() => busy.answers[0]?.bodyBytes === 2, 'the first bytes');
  gateway.gateway.beginDrain();
  t.equal(await gateway.gateway.close(50), 1);
  await busy.closed();
  t.equal(busy.answers[0]?.complete, false);
  await origin.until(() => origin.open().length === 0, 'the upstream connection to be closed');
});
