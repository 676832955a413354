import https from 'node:https';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Dispatcher } from 'undici';
import { ConnectionPool } from '../../../src/gateway/upstreams/pool.ts';
import { makeAuthority } from '../../support/certs.ts';
import { answer, type Call, startOrigin } from '../../support/origin.ts';
import { until } from '../../support/wait.ts';

function poolOf(t: Test, url: string, connections: number, connectionTtlMs = 60_000): ConnectionPool {
  const pool = new ConnectionPool(url, {
    connections,
    connectionTtlMs,
    client: { pipelining: 1, keepAliveTimeout: 30_000 },
  });
  t.teardown(() => pool.destroy());
  return pool;
}

/** Sends and resolves with the status, or with the code of what went wrong. */
function send(pool: ConnectionPool, path: string, abortAtOnce = false): Promise<number | string> {
  return new Promise((resolve) => {
    let status = 0;
    const handler: Dispatcher.DispatchHandler = {
      onConnect: (abort) => {
        if (abortAtOnce) abort(Object.assign(new Error('given up'), { code: 'GIVEN_UP' }));
      },
      onHeaders: (code) => {
        status = code;
        return true;
      },
      onData: () => true,
      onComplete: () => resolve(status),
      onError: (error) => resolve((error as NodeJS.ErrnoException).code ?? error.message),
    };
    pool.dispatch({ path, method: 'GET' }, handler);
  });
}

t.test('the connection used last is used first; no more are opened than needed', async (t) => {
  const origin = await startOrigin(t, (call) => call.write(answer(200, 'ok')));
  const pool = poolOf(t, origin.url, 8);
  for (let i = 0; i < 5; i++) t.equal(await send(pool, `/${i}`), 200);
  // The next one may be sent in the very moment in which the answer ends, before its connection is free.
  t.ok(origin.connections.length <= 2);
});

t.test('beyond its connections requests wait their turn', async (t) => {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) => held.push(call));
  const pool = poolOf(t, origin.url, 2);
  const all = Array.from({ length: 6 }, (_, i) => send(pool, `/${i}`));
  for (let i = 0; i < 6; i++) {
    await until(() => held.length > i, `request ${i}`);
    await held[i]?.write(answer(200, 'ok'));
  }
  t.strictSame(await Promise.all(all), [200, 200, 200, 200, 200, 200]);
  t.strictSame(
    origin.requests.map(({ message }) => message.target),
    ['/0', '/1', '/2', '/3', '/4', '/5'],
  );
  t.equal(origin.connections.length, 2);
});

t.test('a request given up before it is sent leaves its place to the next', async (t) => {
  const origin = await startOrigin(t, (call) => call.write(answer(200, 'ok')));
  const pool = poolOf(t, origin.url, 1);
  const all = Array.from({ length: 20 }, (_, i) => send(pool, `/${i}`, i % 2 === 0));
  const ends = await Promise.all(all);
  t.strictSame(
    ends,
    ends.map((_, i) => (i % 2 === 0 ? 'GIVEN_UP' : 200)),
  );
  t.equal(origin.requests.length, 10, 'nothing of them was sent');
});

t.test('an old connection is replaced when it is next needed', async (t) => {
  const origin = await startOrigin(t, (call) => call.write(answer(200, 'ok')));
  const pool = poolOf(t, origin.url, 1, -1);
  for (let i = 0; i < 3; i++) t.equal(await send(pool, `/${i}`), 200);
  t.equal(origin.connections.length, 3, 'each older than allowed at once');
  await until(() => origin.open().length <= 1, 'the old ones to be closed');
});

t.test(
  'where nobody listens every request is told, and the pool serves again when somebody does',
  async (t) => {
    const origin = await startOrigin(t, (call) => call.write(answer(200, 'ok')));
    const gone = poolOf(t, 'http://127.0.0.1:1', 2);
    const ends = await Promise.all(Array.from({ length: 7 }, (_, i) => send(gone, `/${i}`)));
    t.strictSame(new Set(ends), new Set(['ECONNREFUSED']));
    t.strictSame(await send(gone, '/again'), 'ECONNREFUSED', 'it tries anew each time');
    t.equal(await send(poolOf(t, origin.url, 2), '/'), 200);
  },
);

t.test('a broken connection costs its own request only', async (t) => {
  const origin = await startOrigin(t, (call) =>
    call.message.target === '/break' ? call.reset() : call.write(answer(200, 'ok')),
  );
  const pool = poolOf(t, origin.url, 1);
  const ends = await Promise.all(['/a', '/break', '/b', '/c'].map((path) => send(pool, path)));
  t.strictSame([ends[0], ends[2], ends[3]], [200, 200, 200]);
  t.not(ends[1], 200);
});

t.test('a request that undici will not send takes no connection with it', async (t) => {
  const origin = await startOrigin(t, (call) => call.write(answer(200, 'ok')));
  const pool = poolOf(t, origin.url, 1);
  for (let i = 0; i < 3; i++) t.equal(await send(pool, 'no path'), 'UND_ERR_INVALID_ARG');
  t.equal(await send(pool, '/'), 200);
});

t.test('a certificate of another name fails each request, and none waits for ever', async (t) => {
  const authority = makeAuthority(t);
  const server = https.createServer({ ...authority.issue('other.test') });
  t.teardown(() => server.close());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const pool = new ConnectionPool(`https://127.0.0.1:${port}`, {
    connections: 1,
    connectionTtlMs: 60_000,
    client: { pipelining: 1, connect: { ca: authority.ca } },
  });
  t.teardown(() => pool.destroy());
  const ends = await Promise.all(['/a', '/b', '/c'].map((path) => send(pool, path)));
  t.strictSame(ends, Array(3).fill('ERR_TLS_CERT_ALTNAME_INVALID'));
  t.equal(await send(pool, '/d'), 'ERR_TLS_CERT_ALTNAME_INVALID');
});

t.test('a request given up on an idle connection does not make two of it', async (t) => {
  const held: Call[] = [];
  const origin = await startOrigin(t, (call) =>
    call.message.target === '/slow' ? held.push(call) : call.write(answer(200, 'ok')),
  );
  const pool = poolOf(t, origin.url, 2);
  t.equal(await send(pool, '/warm'), 200);
  t.equal(await send(pool, '/given-up', true), 'GIVEN_UP');
  await new Promise(setImmediate);
  const slow = send(pool, '/slow');
  t.equal(await send(pool, '/quick'), 200, 'it does not wait behind the slow one');
  await held[0]?.write(answer(200, 'ok'));
  t.equal(await slow, 200);
});

t.test('destroyed, it refuses what comes later', async (t) => {
  const origin = await startOrigin(t, (call) => call.write(answer(200, 'ok')));
  const pool = poolOf(t, origin.url, 1);
  await pool.destroy();
  t.equal(await send(pool, '/'), 'UND_ERR_DESTROYED');
  t.equal(origin.connections.length, 0);
});

t.test('destroyed, it refuses what waits', async (t) => {
  const origin = await startOrigin(t, () => {});
  const pool = poolOf(t, origin.url, 1);
  const all = ['/a', '/b', '/c'].map((path) => send(pool, path));
  await origin.arrived(1);
  await pool.destroy();
  t.ok(pool.destroyed);
  for (const end of await Promise.all(all)) t.not(end, 200);
});

t.test('whatever comes of requests, each is told once and none is lost', async (t) => {
  const origin = await startOrigin(t, (call) => {
    const { target } = call.message;
    return target.startsWith('/break') ? call.reset() : call.write(answer(200, target));
  });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom('ok', 'break', 'abort'), { maxLength: 24 }),
      async (connections, kinds) => {
        const pool = poolOf(t, origin.url, connections);
        const ends = await Promise.all(kinds.map((kind, i) => send(pool, `/${kind}/${i}`, kind === 'abort')));
        await pool.destroy();
        return ends.every((end, i) =>
          kinds[i] === 'ok' ? end === 200 : kinds[i] === 'abort' ? end === 'GIVEN_UP' : end !== 200,
        );
      },
    ),
    { numRuns: 60 },
  );
});
