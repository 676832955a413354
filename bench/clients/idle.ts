/**
 * Opens many connections, sends one request on each, then leaves them idle.
 * argv: {port, connections}. IPC: tells {open, failed} when all are idle and again
 * on 'count'; 'end' ends it.
 */
import { connect, type Socket } from 'node:net';
import { MessageReader } from '../lib/message.ts';
import { requestBytes, userId } from '../lib/request.ts';

/** Connections opened at one time, below any listen backlog. */
const AT_ONCE = 100;

const { port, connections } = JSON.parse(process.argv[2] ?? '{}') as { port: number; connections: number };
const sockets: Socket[] = [];
let closed = 0;

/** Resolves once the connection has had its answer; false when it got none. */
function openOne(index: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const reader = new MessageReader((head) => resolve(head.startsWith('HTTP/1.1 200')));
    socket.on('connect', () => socket.write(requestBytes('bench.local', userId(index))));
    socket.on('data', (bytes) => reader.feed(bytes));
    socket.on('error', () => resolve(false));
    socket.on('close', () => {
      closed++;
      resolve(false);
    });
    sockets.push(socket);
  });
}

let failed = 0;
for (let i = 0; i < connections; i += AT_ONCE) {
  const size = Math.min(AT_ONCE, connections - i);
  const answers = await Promise.all(Array.from({ length: size }, (_, j) => openOne(i + j)));
  failed += answers.filter((answered) => !answered).length;
}
process.send?.({ open: connections - closed, failed });
process.on('message', (message) => {
  if (message === 'count') process.send?.({ open: connections - closed, failed });
  else end();
});
process.on('disconnect', end);

function end(): void {
  // Resets leave no TIME_WAIT behind, so the next subject finds its ports free.
  for (const socket of sockets) socket.resetAndDestroy();
  process.exit();
}
