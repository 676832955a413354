import t from 'tap';
import { join, OpenLoad } from '../support/ledger/openloop.ts';
import { startUpstream } from '../support/ledger/upstream.ts';
import { startOrigin } from '../support/origin.ts';
import { configOf, startProduct } from '../support/process.ts';
import { connectRaw, head } from '../support/raw.ts';
import { sleep, until } from '../support/wait.ts';

/** SIGTERM under load, several times: readiness fails first, nothing in flight is lost, exit 0. */

const ROUNDS = 4;
const PER_SECOND = 200;

t.test('SIGTERM under load', async (t) => {
  const upstream = await startUpstream(t, 'v1', 60);
  for (let round = 1; round <= ROUNDS; round++) {
    await t.test(`round ${round}`, async (t) => {
      const product = await startProduct(
        t,
        configOf(
          { svc: { versions: { v1: { url: upstream.url } } } },
          // Long enough for a busy machine's load balancer to have seen it.
          { drain: { delay: '3s', timeout: '20s' } },
        ),
      );
      const load = new OpenLoad({
        port: product.port,
        perSecond: PER_SECOND,
        order: (n) => ({ method: n % 2 === 0 ? 'GET' : 'POST' }),
      });
      await until(() => load.entries.filter(({ status }) => status === 200).length > 50, 'the load to flow');
      product.child.kill('SIGTERM');
      // As a load balancer does: it sends on until it has seen the readiness fail.
      await until(async () => (await product.ready()).status === 503, 'readiness to fail');
      await sleep(100);
      const entries = await load.stop();
      const joined = join(entries, upstream.sightings());
      t.strictSame(joined.failed, [], `none of ${joined.sent} was lost`);
      t.strictSame(joined.crossed, []);
      const ids = new Set(entries.map(({ id }) => id));
      t.strictSame(
        joined.doubled.filter(({ id }) => ids.has(id)),
        [],
      );
      t.strictSame(await product.exited, { code: 0, signal: null });
    });
  }
});

t.test('what is in flight when the listener closes is finished', async (t) => {
  const origin = await startOrigin(t, () => {});
  const product = await startProduct(
    t,
    configOf({ svc: { versions: { v1: { url: origin.url } } } }, { drain: { delay: '0s', timeout: '20s' } }),
  );
  const client = await connectRaw({ port: product.port });
  client.send(head('GET /held HTTP/1.1'));
  await origin.arrived(1);
  product.child.kill('SIGTERM');
  await until(
    async () => (await connectRaw({ port: product.port }).catch(() => null)) === null,
    'the listener to close',
  );
  origin.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
  const [got] = await client.whole();
  t.equal(got?.status, 200);
  t.equal(got?.complete, true);
  t.strictSame(await product.exited, { code: 0, signal: null });
});

t.test('what outlasts drain.timeout is cut, and the exit is still 0', async (t) => {
  const origin = await startOrigin(t, () => {});
  const product = await startProduct(
    t,
    configOf(
      { svc: { versions: { v1: { url: origin.url } } } },
      { drain: { delay: '0s', timeout: '200ms' } },
    ),
  );
  const client = await connectRaw({ port: product.port });
  client.send(head('GET /held HTTP/1.1'));
  await origin.arrived(1);
  t.strictSame(await product.stop(), { code: 0, signal: null });
  await client.closed();
  t.notOk(client.answers.some(({ complete }) => complete));
});
