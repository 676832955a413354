import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf } from '../support/http1.ts';
import { startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/**
 * CVE-2026-33805: `Connection: X-Forwarded-For` took off the header that the
 * proxy itself had added. What a client nominates goes first, ours come after.
 */

const ADDED = [
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-request-id',
  'traceparent',
  'via',
];

for (const trustProxy of [[], ['127.0.0.0/8']]) {
  t.test(`nominated by the client, added all the same (trusting ${trustProxy.length} ranges)`, async (t) => {
    const origin = await startOrigin(t);
    const gateway = await serve(t, { ...single(origin.url), trustProxy });
    const plain = await exchange(gateway.port, head('GET /x HTTP/1.1'));
    t.equal(plain.answers[0]?.status, 200);
    const usual = ADDED.filter((name) => headerOf(origin.requests[0]!.message, name) !== undefined);
    for (const name of ['x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id']) {
      t.ok(usual.includes(name), `${name} is sent up`);
    }
    for (const nominated of [ADDED.join(', '), ...ADDED]) {
      for (const own of [[], ['X-Forwarded-For: 6.6.6.6']]) {
        origin.forget();
        const client = await exchange(
          gateway.port,
          head('GET /x HTTP/1.1', `Connection: keep-alive, ${nominated}`, ...own),
        );
        t.equal(client.answers[0]?.status, 200);
        const { message } = origin.requests[0]!;
        for (const name of usual) t.ok(headerOf(message, name), `${name}, nominated: ${nominated}`);
        t.match(headerOf(message, 'x-forwarded-for'), /127\.0\.0\.1$/, 'the real peer');
        // A trusted proxy's own list may stay: taking it off is what the attack is after.
        if (trustProxy.length === 0) t.equal(headerOf(message, 'x-forwarded-for'), '127.0.0.1');
      }
    }
  });
}
