import t from 'tap';
import { serve } from '../support/gateway.ts';
import { headerOf } from '../support/http1.ts';
import { answer, startOrigin } from '../support/origin.ts';
import { exchange, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** Plain stack: a GET answered 503 was sent ten times more, and Retry-After was read as milliseconds. */

for (const status of [429, 500, 502, 503, 504]) {
  t.test(`one request answered ${status} is one hit at the upstream`, async (t) => {
    const origin = await startOrigin(t, async (call) => {
      await call.body();
      await call.write(answer(status, 'busy', 'Retry-After: 1'));
    });
    const gateway = await serve(t, single(origin.url));
    for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS']) {
      origin.forget();
      const length = method === 'POST' || method === 'PUT' ? ['Content-Length: 0'] : [];
      const client = await exchange(
        { port: gateway.port, methods: [method] },
        head(`${method} /x HTTP/1.1`, ...length),
        1,
        30_000,
      );
      t.equal(client.answers[0]?.status, status, `${method} gets the upstream's own answer`);
      t.equal(headerOf(client.answers[0]!, 'retry-after'), '1', 'Retry-After is passed on');
      t.equal(origin.requests.length, 1, `${method}: one hit`);
    }
    t.equal(gateway.scalar('retries'), 0);
  });
}
