import t from 'tap';
import { startOrigin } from '../support/origin.ts';
import { configOf, startProduct } from '../support/process.ts';
import { connectRaw, head } from '../support/raw.ts';
import { until } from '../support/wait.ts';

/** An error that nobody caught: it is logged, readiness fails, what is in flight finishes, the exit says so. */

const faults = {
  'an exception': "process.on('SIGUSR2', () => { throw new Error('planted') })",
  'a rejection': "process.on('SIGUSR2', () => { Promise.reject(new Error('planted')) })",
};

for (const [name, code] of Object.entries(faults)) {
  t.test(`${name} that nobody caught`, async (t) => {
    const origin = await startOrigin(t, () => {});
    const product = await startProduct(
      t,
      configOf(
        { svc: { versions: { v1: { url: origin.url } } } },
        { drain: { delay: '2s', timeout: '20s' } },
      ),
      { nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(code)}`] },
    );
    const client = await connectRaw({ port: product.port });
    client.send(head('GET /held HTTP/1.1'));
    await origin.arrived(1);
    product.child.kill('SIGUSR2');
    const line = await product.logged('uncaught error');
    t.match(JSON.stringify(line), /planted/);
    await until(async () => (await product.ready()).status === 503, 'readiness to fail');
    origin.connections[0]?.socket.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nlate');
    const [got] = await client.whole();
    t.equal(got?.status, 200, 'the request in flight is finished');
    const { code: exitCode, signal } = await product.exited;
    t.equal(signal, null);
    t.not(exitCode, 0);
  });
}
