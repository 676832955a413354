import t, { type Test } from 'tap';
import type { EstimateView, ExperimentView, RolloutView } from '../../src/control/api.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { startModelProcess } from '../../src/demo/model-process.ts';
import { signPrediction } from '../../src/kpi/token.ts';
import { randomFrom } from '../core/judge/stream.ts';
import { configOf, type Product, series, startProduct } from '../support/process.ts';
import {
  adminUntil,
  clicksOf,
  countClicks,
  NOTHING_TAKEN,
  type Rates,
  report,
  Shoppers,
  type Visit,
} from '../support/shoppers.ts';

/** Clicks of real users on the answers of real model services, reported to a real admin port. */

const SECRET = 'a secret of the replicas of this test';
const NAME = 'iris-api';

async function models(t: Test): Promise<readonly [string, string]> {
  const start = async (version: string) => {
    const model = await startModelProcess({
      version,
      fault: 'good',
      onDeath: (how) => t.fail(`${version} ${how}`),
      onComplaint: (line) => t.comment(line),
    });
    t.teardown(() => model.close());
    return model.url;
  };
  return [await start('v1'), await start('v2')];
}

function configFor([v1, v2]: readonly [string, string], service: object, v2More: object = {}): object {
  const base = {
    versions: { v1: { url: v1 }, v2: { url: v2, ...v2More } },
    stable: 'v1',
    canary: 'v2',
    sticky: { by: ['header:x-user-id'] },
  };
  return configOf(
    { [NAME]: { ...base, ...service } },
    { drain: { delay: '0s' }, state: { dir: './state' }, kpi: { secret: SECRET } },
  );
}

function shoppers(t: Test, product: Product, rates: Rates, comes?: (key: string) => boolean): Shoppers {
  const crowd = new Shoppers(product, rates, randomFrom(5), comes);
  t.teardown(() => crowd.close());
  return crowd;
}

const rolled = (within: string) => ({
  gates: { ctr: { kpi: 'click', within } },
  rollout: {
    start: 'manual',
    steps: [{ setWeight: 50 }, { pause: { until: 'evidence', atLeast: '1s' } }, { setWeight: 100 }],
  },
});

async function start(product: Product): Promise<void> {
  await (await fetch(`${product.adminUrl}/api/v1/rollouts/${NAME}/start`, { method: 'POST' })).text();
  await adminUntil<RolloutView>(product, `/rollouts/${NAME}`, ({ weight }) => weight === 50);
}

const gateOf = ({ gates }: RolloutView) => gates.find(({ name }) => name === 'ctr');
const isOver = ({ status }: RolloutView) => status === 'aborted' || status === 'completed';
const rolloutOf = async ({ adminUrl }: Product) =>
  (await (await fetch(`${adminUrl}/api/v1/rollouts/${NAME}`)).json()) as RolloutView;

/** Lets users come and click until the rollout is over; every visit, and every state that the gate had. */
async function walk(product: Product, crowd: Shoppers, each: number, most: number) {
  const visits: Visit[] = [];
  const states = new Set<string | undefined>();
  for (;;) {
    const some = await crowd.visit(each);
    visits.push(...some);
    const clicks = clicksOf(some.filter(({ id }) => id !== ''));
    const told = await report(product, clicks);
    const view = await rolloutOf(product);
    states.add(gateOf(view)?.state);
    // The last ones may come when nobody is compared any more.
    if (isOver(view) || visits.length >= most) return { visits, states, view };
    if (told.accepted !== clicks.length) throw new Error(`lost clicks: ${JSON.stringify(told)}`);
  }
}

t.test('a canary that is clicked less is taken back by its KPI gate', async (t) => {
  const product = await startProduct(t, configFor(await models(t), rolled('5%')));
  await start(product);
  const { visits } = await walk(product, shoppers(t, product, { v1: 0.4, v2: 0.28 }), 400, 40_000);
  const end = await adminUntil<RolloutView>(product, `/rollouts/${NAME}`, isOver);
  t.equal(end.status, 'aborted', end.message);
  t.match(end.message, /v2 had click from [\d,]+ of [\d,]+ users/);
  t.equal(gateOf(end)?.state, 'FAIL');
  t.comment(`${visits.length} requests; ${end.message}`);
});

t.test('a canary that is clicked as often passes, and is never called worse', async (t) => {
  const product = await startProduct(t, configFor(await models(t), rolled('5%')));
  await start(product);
  const crowd = shoppers(t, product, { v1: 0.9, v2: 0.9 });
  const { visits, states, view } = await walk(product, crowd, 2_000, 120_000);
  t.notOk(states.has('FAIL'));
  t.notOk(states.has('ERROR'), [...states].join());
  t.equal(view.status, 'completed', view.message);
  const evidence = gateOf(view);
  // It has passed, or the rollout would go on; clicks of the last visits may have put it in doubt again.
  t.ok(evidence?.state === 'PASS' || evidence?.state === 'CONTINUE', evidence?.text ?? 'no gate');
  t.comment(`${visits.length} requests; ${evidence?.text}`);
});

t.test('each click counts once, whatever comes with it', async (t) => {
  const product = await startProduct(t, configFor(await models(t), rolled('5%')));
  await start(product);
  const visits = await shoppers(t, product, { v1: 0.5, v2: 0.5 }).visit(4_000);
  t.ok(visits.every(({ id, version }) => id !== '' && ['v1', 'v2'].includes(version)));
  const clicks = clicksOf(visits);
  const [one] = visits as [Visit];
  const clicked = (id: string, kpi = 'click') => ({ id, kpi, value: 1 });
  const old = {
    service: NAME,
    version: 'v1',
    terms: '',
    keyHash: 1,
    atS: Math.floor(Date.now() / 1_000) - 40 * 86_400,
  };
  const forged = visits
    .slice(0, 300)
    .map(({ id }) => clicked(id.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))));
  const mixed = [
    ...clicks,
    ...clicks.slice(0, 700),
    ...forged,
    ...Array.from({ length: 50 }, () => clicked(signPrediction(SECRET, old))),
    ...Array.from({ length: 40 }, () =>
      clicked(signPrediction('another secret, of nobody here', { ...old, atS: 4e9 })),
    ),
    ...visits.slice(0, 30).map(({ id }) => clicked(id, 'purchase')),
    ...Array.from({ length: 20 }, () => ({ id: one.id, kpi: 'click' })),
  ];
  // By key as well: a click of somebody whose id was not kept.
  const byKey = visits.filter((visit) => !visit.clicked).slice(0, 100);
  mixed.push(...byKey.map(({ key }) => ({ service: NAME, key, kpi: 'click', value: 1 })));
  const shuffled = mixed.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  t.strictSame(await report(product, shuffled), {
    accepted: clicks.length + 100,
    duplicate: 700,
    forged: 340,
    expired: 50,
    malformed: 20,
    unknown: 30,
  });
  t.strictSame(
    await report(product, clicks),
    { ...NOTHING_TAKEN, duplicate: clicks.length },
    'all once more',
  );
  const metrics = await product.metrics();
  const wanted = countClicks([...visits, ...byKey.map((visit) => ({ ...visit, clicked: true }))]);
  for (const version of ['v1', 'v2']) {
    t.equal(series(metrics, 'coalmine_kpi_total', { version }), wanted[version], version);
  }
  // As soon as a look has seen all of it.
  const users = (version: string) => visits.filter((visit) => visit.version === version).length;
  const isNear = (estimate: EstimateView | null | undefined, version: string) =>
    Math.abs((estimate?.value ?? 0) - (wanted[version] ?? 0) / users(version)) < 0.02;
  await adminUntil<RolloutView>(product, `/rollouts/${NAME}`, (one) => {
    return isNear(gateOf(one)?.canary, 'v2') && isNear(gateOf(one)?.stable, 'v1');
  });
});

t.test('ids of a process that ended, or of another replica, count where they are reported', async (t) => {
  const upstreams = await models(t);
  const service = { weight: 50, experiment: { kpi: 'click', alpha: 0.05 } };
  const first = await startProduct(t, configFor(upstreams, service));
  const visits = await shoppers(t, first, { v1: 0.3, v2: 0.5 }).visit(3_000);
  const clicks = clicksOf(visits);
  t.strictSame(await report(first, clicks.slice(0, 100)), { ...NOTHING_TAKEN, accepted: 100 });
  await first.stop();

  const wanted = countClicks(visits);
  const experiment = (view: ExperimentView) => view.variants.map(({ name, converted }) => [name, converted]);
  for (const name of ['restarted', 'a replica']) {
    const product = await startProduct(t, configFor(upstreams, service));
    t.strictSame(await report(product, clicks), { ...NOTHING_TAKEN, accepted: clicks.length }, name);
    t.strictSame(await report(product, clicks), { ...NOTHING_TAKEN, duplicate: clicks.length }, 'once');
    const view = await adminUntil<ExperimentView>(
      product,
      `/experiments/${NAME}`,
      ({ state }) => state === 'winner',
    );
    t.equal(view.winner, 'v2', view.text);
    t.strictSame(experiment(view), [
      ['v1', wanted.v1],
      ['v2', wanted.v2],
    ]);
    await product.stop();
  }

  const other = await startProduct(t, configFor(upstreams, { ...service, weight: 20 }));
  t.strictSame(
    await report(other, clicks),
    { ...NOTHING_TAKEN, accepted: clicks.length },
    'at other weights',
  );
  await other.stop();
  const renewed = await startProduct(t, configFor(upstreams, service, { revision: 'second' }));
  t.strictSame(
    await report(renewed, clicks),
    { ...NOTHING_TAKEN, unknown: clicks.length },
    'v2 is another one',
  );
  t.match(
    await renewed.metrics(),
    new RegExp(`coalmine_feedback_refused_total{reason="unknown"} ${clicks.length}`),
  );
});

t.test('an experiment with a better variant names it', async (t) => {
  const upstreams = await models(t);
  const product = await startProduct(
    t,
    configFor(upstreams, { weight: 50, experiment: { kpi: 'click', alpha: 0.05 } }),
  );
  const crowd = shoppers(t, product, { v1: 0.3, v2: 0.36 });
  let requests = 0;
  let view: ExperimentView;
  do {
    const visits = await crowd.visit(2_000);
    requests += visits.length;
    const clicks = clicksOf(visits);
    t.equal((await report(product, clicks)).accepted, clicks.length);
    view = (await (await fetch(`${product.adminUrl}/api/v1/experiments/${NAME}`)).json()) as ExperimentView;
  } while (view.state === 'continue' && requests < 80_000);
  t.match(view, { state: 'winner', winner: 'v2' }, view.text);
  t.comment(`${requests} requests; ${view.text}`);
});

t.test('users who are not dealt as the weights say: an error, and no winner', async (t) => {
  const upstreams = await models(t);
  const product = await startProduct(
    t,
    configFor(upstreams, { weight: 50, experiment: { kpi: 'click', alpha: 0.05 } }),
  );
  // Something in front of the gateway loses every third user of v2, and v2 would win.
  const comes = (key: string) => bucketOfKey(NAME, key) >= 5_000 || bucketOfKey('lost', key) >= 3_333;
  const crowd = shoppers(t, product, { v1: 0.3, v2: 0.6 }, comes);
  const visits = await crowd.visit(6_000);
  await report(product, clicksOf(visits));
  const view = await adminUntil<ExperimentView>(
    product,
    `/experiments/${NAME}`,
    ({ state }) => state === 'error',
  );
  t.equal(view.winner, null);
  t.match(view.text, /sample ratio mismatch|not as the weights|split/i);
  t.comment(view.text);
});
