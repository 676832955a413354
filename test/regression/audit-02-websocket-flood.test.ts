import net from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { serve } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';
import { single } from '../support/split.ts';
import { within } from '../support/wait.ts';
import { frame, handshake, opening } from '../support/websocket.ts';

/** What a client sent before its upstream had answered the handshake was kept without end. */

const PIECE_BYTES = 1 << 20;
/** More than the buffers of one connection on loopback can take. */
const FLOOD_BYTES = 64 << 20;

t.test('nothing is read from a client before its upstream is there; then all of it is', async (t) => {
  let answer = () => {};
  const mayAnswer = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const origin = await startOrigin(
    t,
    async (call) => {
      await mayAnswer;
      const key = call.message.headers.find(([name]) => name.toLowerCase() === 'sec-websocket-key');
      await call.write(opening(key?.[1] ?? ''));
    },
    { discardBody: true },
  );
  let atUpstream = 0;
  origin.greet = ({ socket }) => socket.on('data', (bytes: Buffer) => (atUpstream += bytes.length));
  const gateway = await serve(t, single(origin.url));
  const client = net.connect(gateway.port, '127.0.0.1');
  t.teardown(() => client.destroy());
  client.write(handshake('/x'));
  await new Promise((resolve) => client.once('data', resolve));
  await origin.arrived(1);

  const message = frame(2, Buffer.alloc(PIECE_BYTES), { masked: true });
  let taken = 0;
  for (let sent = 0; sent < FLOOD_BYTES; sent += PIECE_BYTES) {
    client.write(message, () => {
      taken += PIECE_BYTES;
    });
  }
  // Full when the kernel has taken nothing for a while; there is no event for nothing.
  for (let before = -1; taken !== before; ) {
    before = taken;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  t.ok(taken < FLOOD_BYTES / 2, `the client is held back, after ${taken >> 20} MiB`);

  answer();
  await origin.until(() => atUpstream >= FLOOD_BYTES, 'the upstream to get everything', 30_000);
  t.ok(taken >= FLOOD_BYTES);
});

t.test(
  'a client whose upstream cannot be reached gets its close frame in spite of what it sent',
  async (t) => {
    const origin = await startOrigin(t, (call) => call.reset());
    const gateway = await serve(t, single(origin.url));
    const socket = new WebSocket(gateway.url.replace('http', 'ws'));
    t.teardown(() => socket.terminate());
    socket.on('error', () => {});
    socket.on('open', () => socket.send('early'));
    const code = await within(new Promise((resolve) => socket.on('close', resolve)), 'the close');
    t.equal(code, 1011);
    await gateway.quiet();
    t.strictSame(gateway.counted(), { 'GET 502': 1 });
  },
);
