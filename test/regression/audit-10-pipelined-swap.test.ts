import t from 'tap';
import { serve } from '../support/gateway.ts';
import { startOrigin } from '../support/origin.ts';
import { connectRaw, head } from '../support/raw.ts';
import { single } from '../support/split.ts';

/** After a swap a connection was taken for a new one, and served again behind its `Connection: close`. */

t.test('what is pipelined behind the last answer is not processed, not even after a swap', async (t) => {
  const origin = await startOrigin(t);
  const gateway = await serve(t, single(origin.url, { maxBodyBytes: 10 }));
  const client = await connectRaw({ port: gateway.port });
  client.send(head('POST /first HTTP/1.1', 'Content-Length: 100000'));
  await client.heads();
  t.equal(client.answers[0]?.status, 413);
  gateway.gateway.swap(single(origin.url, { maxBodyBytes: 20, stage: 1 }));
  // The body is read on, so that the answer is not lost to a reset; the request behind it comes along.
  client.send('a'.repeat(100_000) + head('GET /second HTTP/1.1'));
  await client.closed();
  t.equal(client.answers.length, 1);
  t.equal(origin.requests.length, 0);
  t.strictSame(gateway.counted(), { 'POST 413': 1 });
});
