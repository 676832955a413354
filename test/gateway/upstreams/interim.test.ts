import type { Socket } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { dropContinue } from '../../../src/gateway/upstreams/interim.ts';

const REQUEST = 'POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n';
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi';

/** A socket as undici uses it: it writes to it and reads until there is nothing. */
class FakeSocket {
  readonly written: unknown[] = [];
  readonly arrived: Buffer[] = [];

  write(...args: unknown[]): boolean {
    this.written.push(args[0]);
    return true;
  }

  read(): Buffer | null {
    return this.arrived.shift() ?? null;
  }
}

function wired() {
  const fake = new FakeSocket();
  const socket = fake as unknown as Socket;
  dropContinue(socket);
  /** These pieces arrive one by one; what undici's parser would have read of each. */
  const arrive = (...pieces: readonly (string | Buffer)[]): string => {
    const seen: Buffer[] = [];
    for (const piece of pieces) {
      fake.arrived.push(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) seen.push(chunk as Buffer);
    }
    return Buffer.concat(seen).toString('latin1');
  };
  return { fake, socket, arrive };
}

t.test('an answer without a 100 passes as it is, however it is cut', async (t) => {
  for (let at = 1; at < ANSWER.length; at++) {
    const { socket, arrive } = wired();
    socket.write(REQUEST);
    t.equal(arrive(ANSWER.slice(0, at), ANSWER.slice(at)), ANSWER, `cut at ${at}`);
  }
});

t.test('a 100 is taken out, cut at every byte', async (t) => {
  const whole = CONTINUE + ANSWER;
  for (let at = 1; at < whole.length; at++) {
    const { socket, arrive } = wired();
    socket.write(REQUEST);
    t.equal(arrive(whole.slice(0, at), whole.slice(at)), ANSWER, `cut at ${at}`);
  }
  const { socket, arrive } = wired();
  socket.write(REQUEST);
  t.equal(arrive(...whole), ANSWER, 'byte by byte');
});

t.test('several 100s, with headers of their own, are taken out in any pieces', async () => {
  const one = 'HTTP/1.1 100 Go on\r\nX-Note: HTTP/1.1 100\r\n\r\n';
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 }),
      (count, cuts) => {
        const whole = CONTINUE.repeat(count) + one + ANSWER;
        const at = [...new Set(cuts.filter((cut) => cut > 0 && cut < whole.length))].sort((a, b) => a - b);
        const pieces = [0, ...at].map((start, i) => whole.slice(start, at[i] ?? whole.length));
        const { socket, arrive } = wired();
        socket.write(REQUEST);
        return arrive(...pieces) === ANSWER;
      },
    ),
    { numRuns: 500 },
  );
});

t.test('a body that looks like a 100 is not touched', async (t) => {
  const body = CONTINUE.repeat(3);
  const headed = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n`;
  const { socket, arrive } = wired();
  socket.write(REQUEST);
  t.equal(arrive(headed, body), headed + body, 'head and body apart');
  socket.write(REQUEST);
  t.equal(arrive(headed + body), headed + body, 'in one piece, on the same connection');
  t.equal(arrive(CONTINUE), CONTINUE, 'between answers: undici decides what that is');
});

t.test('each request of a connection has its own 100 taken out', async (t) => {
  const { socket, arrive } = wired();
  for (let i = 0; i < 3; i++) {
    socket.write(REQUEST);
    t.equal(arrive(CONTINUE + ANSWER), ANSWER, `request ${i}`);
  }
});

t.test('nothing that is written but a head makes it look for one', async (t) => {
  const { socket, arrive, fake } = wired();
  socket.write(REQUEST);
  arrive(ANSWER);
  // A body's chunk is a buffer, its size line a string.
  socket.write('5\r\n');
  socket.write(Buffer.from('GET / HTTP/1.1\r\n\r\n'));
  t.equal(arrive(CONTINUE), CONTINUE);
  t.equal(fake.written.length, 3, 'what is written passes');
});

t.test('other interim answers are left to undici', async (t) => {
  for (const status of ['101 Switching', '102 Processing', '103 Early Hints']) {
    const interim = `HTTP/1.1 ${status}\r\nlink: </a>; rel=preload\r\n\r\n`;
    const { socket, arrive } = wired();
    socket.write(REQUEST);
    t.equal(arrive(...interim, ANSWER), interim + ANSWER, status);
  }
});

t.test('a 100 without an end is not held for ever', async (t) => {
  const { socket, arrive } = wired();
  socket.write(REQUEST);
  const endless = `HTTP/1.1 100 Continue\r\nx: ${'a'.repeat(20_000)}`;
  t.equal(
    arrive(endless.slice(0, 9_000), endless.slice(9_000)),
    endless,
    'left to the parser, which refuses it',
  );
});

t.test('a 100 behind other interim answers is taken out, and they are not, cut at every byte', async (t) => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n';
  const working = 'HTTP/1.1 102 Processing\r\n\r\n';
  for (const [whole, left] of [
    [hints + CONTINUE + ANSWER, hints + ANSWER],
    [working + CONTINUE + hints + CONTINUE + ANSWER, working + hints + ANSWER],
    [CONTINUE + working + ANSWER, working + ANSWER],
  ] as const) {
    for (let at = 1; at < whole.length; at++) {
      const { socket, arrive } = wired();
      socket.write(REQUEST);
      t.equal(arrive(whole.slice(0, at), whole.slice(at)), left, `cut at ${at}`);
    }
    const { socket, arrive } = wired();
    socket.write(REQUEST);
    t.equal(arrive(...whole), left, 'byte by byte');
  }
});

t.test('a 101 ends the looking: what follows it is no answer', async (t) => {
  const whole = `HTTP/1.1 101 Switching\r\n\r\n${CONTINUE}`;
  const { socket, arrive } = wired();
  socket.write(REQUEST);
  t.equal(arrive(...whole), whole);
});
