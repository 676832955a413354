import { randomBytes } from 'node:crypto';
import t, { type Test } from 'tap';
import type { Provider } from '../../src/core/analysis/plan.ts';
import { answer, refusedUrl, type Script, startOrigin } from '../support/origin.ts';
import { within } from '../support/wait.ts';
import { prometheus, startSource, value, web } from './sources-support.ts';

/** What both HTTP providers do about a peer that misbehaves. */

const KINDS: readonly { name: string; make: (url: string, timeoutMs?: number) => Provider }[] = [
  { name: 'prometheus', make: (url, timeoutMs = 10_000) => prometheus(url, { timeoutMs }) },
  { name: 'web', make: (url, timeoutMs = 10_000) => web(url, { timeoutMs }) },
];

async function faulty(t: Test, script: Script) {
  const origin = await startOrigin(t, script);
  return { origin, ...startSource(t) };
}

for (const { name, make } of KINDS) {
  t.test(`${name}: nobody there is no data`, async (t) => {
    const { ask } = startSource(t);
    const url = await refusedUrl();
    t.match(await ask(make(url)), {
      kind: 'noData',
      reason: new RegExp(`^${name} at ${url} cannot be reached: .*ECONNREFUSED`),
    });
    t.match(await ask(make('http://nowhere.invalid:9090')), {
      kind: 'noData',
      reason: /cannot be reached: /,
    });
  });

  t.test(`${name}: silence, a drip and a stalled body end with the time-out`, async (t) => {
    const scripts: Record<string, Script> = {
      silence: (call) => call.gone(),
      'a slow drip': async (call) => {
        await call.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n');
        await call.pieces(
          Array.from({ length: 100_000 }, () => ' '),
          5,
        );
      },
      'half an answer': async (call) => {
        await call.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":');
        await call.gone();
      },
    };
    for (const [what, script] of Object.entries(scripts)) {
      const { origin, ask } = await faulty(t, script);
      t.same(
        await within(ask(make(origin.url, 150)), what),
        { kind: 'noData', reason: `${name} at ${origin.url} cannot be reached: no answer within 0.15 s` },
        what,
      );
      await origin.until(() => origin.open().length === 0, 'the connection is given up');
    }
  });

  t.test(`${name}: a connection that is lost is no data`, async (t) => {
    const scripts: Record<string, Script> = {
      'a reset': (call) => call.reset(),
      'an end without an answer': (call) => call.end(),
      'a reset in the body': async (call) => {
        await call.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":');
        call.reset();
      },
      'an end in the body': async (call) => {
        await call.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"status":');
        call.end();
      },
    };
    for (const [what, script] of Object.entries(scripts)) {
      const { origin, ask } = await faulty(t, script);
      t.match(await ask(make(origin.url)), { kind: 'noData', reason: /cannot be reached: ./ }, what);
      t.equal(origin.requests.length, 1, `${what}: asked once`);
    }
  });

  t.test(`${name}: what cannot be used is an error`, async (t) => {
    const endless: Script = async (call) => {
      await call.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const piece = `10000\r\n${' '.repeat(0x10000)}\r\n`;
      for (;;) await call.write(piece);
    };
    const rows: [string, Script, RegExp][] = [
      ['garbage', (call) => call.write(randomBytes(512).fill(0x16, 0, 4)), /what it answers is not HTTP/],
      ['an endless answer', endless, /longer than 4194304 bytes/],
      [
        'endless headers',
        (call) => call.write(`HTTP/1.1 200 OK\r\nx: ${'x'.repeat(40_000)}\r\n\r\n`),
        /too long headers/,
      ],
    ];
    for (const [what, script, reason] of rows) {
      const { origin, ask } = await faulty(t, script);
      t.match(await within(ask(make(origin.url)), what), { kind: 'error', reason }, what);
      await origin.until(() => origin.open().length === 0, 'the connection is given up');
    }
  });

  t.test(`${name}: a redirect is not followed`, async (t) => {
    const trap = await startOrigin(t);
    for (const status of [301, 302, 303, 307, 308]) {
      const { origin, ask } = await faulty(t, (call) =>
        call.write(answer(status, 'there', `Location: ${trap.url}/?token=secret`)),
      );
      const outcome = await ask(make(origin.url));
      t.match(outcome, { kind: 'error', reason: `it answered ${status}, a redirect, which is not followed` });
      t.notMatch(outcome, { reason: /secret/ });
    }
    t.equal(trap.connections.length, 0);
  });

  t.test(`${name}: stops when told to, and when closed`, async (t) => {
    const { origin, ask, source } = await faulty(t, (call) => call.gone());
    const stop = new AbortController();
    const stopped = ask(make(origin.url), stop.signal);
    await origin.arrived(1);
    stop.abort();
    t.match(await within(stopped, 'stopped'), { kind: 'noData', reason: /was stopped/ });
    t.match(await ask(make(origin.url), stop.signal), { kind: 'noData', reason: /was stopped/ });
    t.equal(origin.requests.length, 1, 'one that is stopped before it began asks nobody');

    const closed = ask(make(origin.url));
    await origin.arrived(2);
    await source.close();
    t.match(await within(closed, 'closed'), { kind: 'noData', reason: /was stopped/ });
    t.match(await ask(make(origin.url)), { kind: 'noData', reason: /was stopped/ });
    await origin.until(() => origin.open().length === 0, 'no connection is left');
  });

  t.test(`${name}: no secret of an address is told`, async (t) => {
    const { ask } = startSource(t);
    const refused = (await refusedUrl()).replace('//', '//user:hunter2@');
    for (const url of [
      `${refused}/path?key=hunter2`,
      'hunter2 is no address',
      'ftp://user:hunter2@127.0.0.1/',
      'http://user:%hunter2@127.0.0.1:1/',
    ]) {
      const outcome = await ask(make(url));
      t.not(outcome.kind, 'value');
      t.notMatch(JSON.stringify(outcome), /hunter2/, url);
    }
  });

  t.test(`${name}: headers that cannot be sent are an error, and not shown`, async (t) => {
    const { ask } = startSource(t);
    for (const [key, text] of [
      ['x-key', 'hunter2\r\nx: y'],
      ['not a name', 'hunter2'],
      ['transfer-encoding', 'hunter2'],
    ] as const) {
      const outcome = await ask({
        ...make('http://127.0.0.1:1'),
        headers: [{ name: key, value: text }],
      } as Provider);
      t.match(outcome, { kind: 'error', reason: /cannot be sent/ }, key);
      t.notMatch(JSON.stringify(outcome), /hunter2/);
    }
  });
}

t.test('connections are not kept: the next measurement cannot meet a dead one', async (t) => {
  const { origin, ask } = await faulty(t, (call) => call.write(answer(200, '1')));
  for (let i = 0; i < 3; i++) t.same(await ask(web(origin.url)), value(1));
  t.equal(origin.connections.length, 3);
  await origin.until(() => origin.open().length === 0, 'all are closed');
});
