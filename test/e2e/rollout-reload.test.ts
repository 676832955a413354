import t from 'tap';
import type { RolloutBody } from '../../src/admin/contract.ts';
import { configOf, reloaded, startProduct } from '../support/process.ts';
import { freePort, storedState, tempFolder } from '../support/rollout-files.ts';
import { api, ask, firstAnswers, historyOf, KEYS, rolloutOf, startModel } from '../support/rollout-fleet.ts';
import { unexplained } from '../support/rollout-kill.ts';
import { until } from '../support/wait.ts';

/** Which edits of the config begin a rollout, and which leave the one under way alone. */

t.test('reloads', async (t) => {
  const [v1, v2] = await Promise.all([startModel(t), startModel(t)]);
  const versions = { v1: { url: v1.url }, v2: { url: v2.url, revision: '1' } };
  const steps = [{ setWeight: 25 }, { pause: {} }, { setWeight: 100 }];
  const walked = {
    match: { host: 'walked' },
    versions,
    stable: 'v1',
    canary: 'v2',
    sticky: { by: ['header:x-user-id'] },
    rollout: { steps },
  };
  const other = { match: { host: 'other' }, versions: { v1: { url: v1.url } } };
  const product = await startProduct(t, configOf({ walked, other }));
  let good = 0;
  const reload = async (services: object, more: object = {}) => {
    product.configure(configOf(services, more));
    await reloaded(product, ++good, 0);
    return rolloutOf(product.adminUrl, 'walked');
  };
  const kinds = async () => (await historyOf(product.adminUrl, 'walked')).map(({ kind }) => kind);
  const shareOfV2 = async () => {
    const asked = await Promise.all(KEYS.map((key) => ask(product.port, 'walked', key)));
    return asked.filter(({ version }) => version === 'v2').length / KEYS.length;
  };

  await until(
    async () => (await rolloutOf(product.adminUrl, 'walked')).step === 1,
    'the first pause',
    20_000,
  );
  const begun = await rolloutOf(product.adminUrl, 'walked');
  t.match(begun, { number: 1, step: 1, weight: 25, status: 'stepping' });
  const share = await shareOfV2();
  t.ok(share > 0 && share < 0.6, `${share} of the keys`);
  t.strictSame(await kinds(), ['started', 'step', 'paused']);
  const { revision } = storedState(product.folder, 'walked');

  // The file's text differs, what it says does not: nothing is taken over, so nothing is counted.
  product.configure(`# a comment\n${JSON.stringify(configOf({ walked, other }))}`);
  product.child.kill('SIGHUP');
  const elsewhere = await reload({ walked, other: { ...other, match: { host: 'other.example' } } });
  t.match(elsewhere, { number: 1, step: 1, weight: 25, began: begun.began });
  t.strictSame(await kinds(), ['started', 'step', 'paused'], 'another service and a comment');
  t.ok(storedState(product.folder, 'walked').revision >= revision);

  const timeouts = { ...walked, upstream: { timeouts: { firstByte: '21s' } } };
  t.match(
    await reload({ walked: timeouts, other }),
    { number: 1, step: 1 },
    'what is no part of the version',
  );

  const second = { ...walked, versions: { ...versions, v2: { url: v2.url, revision: '2' } } };
  t.match(await reload({ walked: second, other }), { number: 2, step: 1, weight: 25 });
  t.strictSame((await kinds()).slice(3), ['superseded', 'started', 'step', 'paused'], 'a new revision');
  await api(product.adminUrl, '/rollouts/walked/promote', {});
  t.match(await rolloutOf(product.adminUrl, 'walked'), { number: 2, status: 'completed' });
  t.equal(await shareOfV2(), 1);

  const third = { ...walked, versions: { ...versions, v2: { url: v2.url, revision: '3' } } };
  t.match(
    await reload({ walked: third, other }),
    { number: 3, step: 1, weight: 25 },
    'after a completed one',
  );
  t.equal(await shareOfV2(), share, 'the same users as ever');
  t.match(await api<RolloutBody>(product.adminUrl, '/rollouts/walked/abort', {}), { status: 200 });

  const again = await reload({ walked: third, other: { ...other, match: { host: 'again.example' } } });
  t.match(again, { number: 3, status: 'aborted', weight: 0 }, 'a reload does not undo an abort');
  t.equal(await shareOfV2(), 0);

  const steps4 = [{ setWeight: 50 }, { pause: {} }];
  t.match(
    await reload({ walked: { ...third, rollout: { steps: steps4 } }, other }),
    { number: 3, status: 'aborted' },
    'nor do other steps',
  );
  await api(product.adminUrl, '/rollouts/walked/retry', {});
  t.match(await rolloutOf(product.adminUrl, 'walked'), { number: 4, step: 1, weight: 50 });
  const steps5 = [{ setWeight: 60 }, { pause: {} }];
  t.match(await reload({ walked: { ...third, rollout: { steps: steps5 } }, other }), {
    number: 5,
    weight: 60,
  });
  t.equal((await kinds()).filter((kind) => kind === 'restarted').length, 1, 'other steps under way');

  const { walked: _, ...without } = { walked, other };
  product.configure(configOf(without));
  await reloaded(product, ++good, 0);
  t.equal((await api(product.adminUrl, '/rollouts/walked')).status, 404);
  t.match(
    await reload({ walked: { ...third, rollout: { steps: steps5 } }, other }),
    { number: 5, step: 1, weight: 60 },
    'a service that was taken out and put back goes on',
  );
  await until(async () => (await shareOfV2()) > 0, 'the canary to serve again');
  t.strictSame(await product.stop(), { code: 0, signal: null });
});

t.test('what changed while nobody ran', async (t) => {
  const folder = tempFolder(t);
  const [v1, v2, v3] = await Promise.all([startModel(t), startModel(t), startModel(t)]);
  const port = await freePort();
  const config = (url: string, weight: number) =>
    configOf(
      {
        svc: {
          match: { host: 'svc' },
          versions: { v1: { url: v1.url }, v2: { url } },
          stable: 'v1',
          canary: 'v2',
          sticky: { by: ['header:x-user-id'] },
          rollout: { steps: [{ setWeight: weight }, { pause: {} }] },
        },
      },
      { listen: `127.0.0.1:${port}` },
    );
  const start = async (url: string, weight: number) => {
    let starting = true;
    const answers = firstAnswers(port, 'svc', () => starting);
    const product = await startProduct(t, config(url, weight), { folder }).finally(() => {
      starting = false;
    });
    const first = await answers;
    const isThere = async () => {
      const view = await rolloutOf(product.adminUrl, 'svc');
      return view.step === 1 && view.weight === weight;
    };
    await until(isThere, 'the pause', 20_000);
    return { product, first };
  };
  const one = await start(v2.url, 20);
  t.strictSame(unexplained('svc', one.first, [0, 20]), []);
  await api(one.product.adminUrl, '/rollouts/svc/promote', { full: true });
  t.match(await rolloutOf(one.product.adminUrl, 'svc'), { status: 'completed', weight: 100 });
  t.strictSame(await one.product.stop(), { code: 0, signal: null });

  const two = await start(v3.url, 20);
  t.strictSame(unexplained('svc', two.first, [0, 20]), [], 'nobody is given a new canary for an old one');
  t.match(await rolloutOf(two.product.adminUrl, 'svc'), { number: 2 });
  t.strictSame(await two.product.stop(), { code: 0, signal: null });

  const three = await start(v3.url, 5);
  t.strictSame(unexplained('svc', three.first, [0, 5]), [], 'nor more of it than its new steps say');
  t.match(await rolloutOf(three.product.adminUrl, 'svc'), { number: 3 });
  t.strictSame(await three.product.stop(), { code: 0, signal: null });
});
