import t from 'tap';
import { join, OpenLoad } from '../support/ledger/openloop.ts';
import { startUpstream } from '../support/ledger/upstream.ts';
import { configOf, startProduct } from '../support/process.ts';
import { until } from '../support/wait.ts';

/** kill -9 of one of two endpoints under load: no GET fails, no POST is carried out twice. */

const PER_SECOND = 200;

t.test('kill -9 of an endpoint with a healthy one beside it', async (t) => {
  const stays = await startUpstream(t, 'stays', 2);
  const dies = await startUpstream(t, 'dies', 2);
  const product = await startProduct(
    t,
    configOf({
      svc: {
        versions: {
          v1: {
            urls: [stays.url, dies.url],
            ejection: { consecutiveFailures: 3, base: '500ms', max: '1s' },
          },
        },
      },
    }),
  );
  const load = new OpenLoad({
    port: product.port,
    perSecond: PER_SECOND,
    order: (n) => ({ method: n % 2 === 0 ? 'GET' : 'POST' }),
  });
  const sentSince = async (mark: number, count: number) =>
    until(() => load.entries.length >= mark + count, `${count} more requests to be sent`);
  for (let round = 1; round <= 3; round++) {
    const before = dies.sightings().length;
    await until(() => dies.sightings().length > before + 20, 'the endpoint to serve');
    await dies.kill();
    await sentSince(load.entries.length, PER_SECOND / 2);
    await dies.restart();
  }
  const before = dies.sightings().length;
  await until(() => dies.sightings().length > before + 20, 'the endpoint to be taken back');
  const entries = await load.stop();
  const joined = join(entries, [...stays.sightings(), ...dies.sightings()]);
  t.strictSame(
    joined.failed.filter(({ method }) => method === 'GET'),
    [],
    `no GET of ${joined.sent / 2} failed`,
  );
  t.strictSame(
    joined.doubled.filter(({ method }) => method === 'POST'),
    [],
    'no POST was seen twice',
  );
  t.strictSame(joined.crossed, []);
  t.strictSame(joined.invented, []);
  // Only what was with the endpoint when it died may fail, and it fails as the upstream's fault.
  const failedPosts = joined.failed.filter(({ method }) => method === 'POST');
  t.ok(failedPosts.length <= 30, `${failedPosts.length} POSTs failed in three kills`);
  t.ok(
    failedPosts.every(({ status }) => status === 502 || status === 504),
    JSON.stringify(failedPosts[0]),
  );
  t.strictSame(await product.stop(), { code: 0, signal: null });
});
