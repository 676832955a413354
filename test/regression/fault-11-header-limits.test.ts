import t from 'tap';
import { serve } from '../support/gateway.ts';
import { valuesOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** Plain stack: headers beyond 2,000 were dropped in silence. */

/** A request with `count` header lines in all. */
function withHeaders(count: number): string {
  const lines = Array.from({ length: count - 1 }, (_, i) => `x-${i}: ${i}`);
  return head('GET /x HTTP/1.1', ...lines);
}

t.test('header lines: as many as the limit pass, one more gets 431', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url), { limits: { maxHeaders: 50 } });
  const full = await exchange(gateway.port, withHeaders(50));
  t.equal(full.answers[0]?.status, 200);
  const { message } = origin.requests[0]!;
  for (let i = 0; i < 49; i++) t.strictSame(valuesOf(message, `x-${i}`), [String(i)]);
  const over = await exchange(gateway.port, withHeaders(51));
  t.equal(over.answers[0]?.status, 431);
  t.equal(origin.requests.length, 1);
});

t.test('none is dropped in silence, however many come', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url), {
    limits: { maxHeaders: 100, maxHeaderBytes: 256 << 10 },
  });
  for (const count of [1_999, 2_000, 2_001, 2_002, 10_000]) {
    const client = await exchange(gateway.port, withHeaders(count));
    t.equal(client.answers[0]?.status, 431, `${count} lines`);
  }
  t.equal(origin.connections.length, 0);
});

t.test('a limit above 2,000 holds as well', async (t) => {
  const origin = await startOrigin(t, async (call) => {
    await call.body();
    await call.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
  });
  const gateway = await serve(t, single(origin.url), {
    limits: { maxHeaders: 3_000, maxHeaderBytes: 256 << 10 },
  });
  const client = await exchange(gateway.port, withHeaders(2_500));
  t.equal(client.answers[0]?.status, 200);
  t.strictSame(valuesOf(origin.requests[0]!.message, 'x-2498'), ['2498'], 'the last one arrived');
});

t.test('bytes: a head over the limit gets 431, in one piece or many', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url), { limits: { maxHeaderBytes: 8_192 } });
  const heads = {
    'one long value': head('GET /x HTTP/1.1', `x-long: ${'a'.repeat(9_000)}`),
    'one long name': head('GET /x HTTP/1.1', `x-${'a'.repeat(9_000)}: a`),
    'a long target': head(`GET /${'a'.repeat(9_000)} HTTP/1.1`),
    'many short ones': withHeaders(190)
      .replaceAll(': ', `: ${'a'.repeat(50)}`)
      .replace(/Host: a+/, 'Host: '),
  };
  for (const [name, text] of Object.entries(heads)) {
    const client = await exchange(gateway.port, text);
    const status = client.answers[0]?.status;
    t.ok(status === 431 || (status === 414 && name === 'a long target'), `${name}: ${status}`);
  }
  t.equal(origin.connections.length, 0);
  const under = await exchange(gateway.port, head('GET /x HTTP/1.1', `x-long: ${'a'.repeat(7_000)}`));
  t.equal(under.answers[0]?.status, 200);
});
