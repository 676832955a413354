import { once } from 'node:events';
import t from 'tap';
import { WebSocket } from 'ws';
import { serve } from '../support/gateway.ts';
import { single } from '../support/split.ts';
import { sleep, until } from '../support/wait.ts';
import { startSocketOrigin } from '../support/websocket.ts';

/** Plain stack: a slow WebSocket reader let 100 MB pile up in memory; there was no back-pressure. */

const PIECE = Buffer.alloc(64 << 10, 'a');
const FLOOD_BYTES = 100 << 20;
/** What the gateway may hold (16 MiB) and what the kernel's four buffers may. */
const HELD_BYTES = 48 << 20;

/** Sends until the peer takes no more for a second, or the flood is over; says how much went. */
async function flood(socket: WebSocket): Promise<number> {
  let sent = 0;
  while (sent < FLOOD_BYTES) {
    const taken = new Promise<boolean>((resolve) => socket.send(PIECE, () => resolve(true)));
    if (!(await Promise.race([taken, sleep(1_000).then(() => false)]))) return sent;
    sent += PIECE.length;
  }
  return sent;
}

t.test('a paused client stops the upstream, and loses nothing', async (t) => {
  let sent = -1;
  const origin = await startSocketOrigin(t, async (socket) => {
    sent = await flood(socket);
    socket.close();
  });
  const gateway = await serve(t, single(origin.url));
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`);
  client.on('error', () => {});
  let received = 0;
  client.on('message', (data: Buffer) => {
    received += data.length;
  });
  await once(client, 'open');
  client.pause();
  await until(() => sent >= 0, 'the flood to be stopped', 60_000);
  t.ok(sent < HELD_BYTES, `${sent >> 20} MiB went to a client that reads nothing`);
  client.resume();
  await once(client, 'close');
  // The piece that was stuck is sent as well, once the client reads again.
  t.ok(received >= sent, 'all of it arrived');
});

t.test('a paused upstream stops the client', async (t) => {
  let received = 0;
  const origin = await startSocketOrigin(t, (socket) => {
    socket.pause();
    socket.on('message', (data: Buffer) => {
      received += data.length;
    });
  });
  const gateway = await serve(t, single(origin.url));
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`);
  client.on('error', () => {});
  await once(client, 'open');
  const sent = await flood(client);
  t.ok(sent < HELD_BYTES, `${sent >> 20} MiB went to an upstream that reads nothing`);
  origin.opened[0]?.socket.resume();
  await until(() => received >= sent, 'all of it to arrive', 60_000);
  client.terminate();
});
