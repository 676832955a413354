import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { ExperimentView, RolloutView } from '../../src/control/api.ts';
import { evidenceCodec } from '../../src/control/store/evidence-codec.ts';
import type { Evidence } from '../../src/core/judge/evidence.ts';
import { startModelProcess } from '../../src/demo/model-process.ts';
import { runMain } from '../app/support.ts';
import { randomFrom } from '../core/judge/stream.ts';
import { configOf, type Product, startProduct } from '../support/process.ts';
import { tempFolder } from '../support/rollout-files.ts';
import { adminUntil, clicksOf, NOTHING_TAKEN, report, Shoppers, type Visit } from '../support/shoppers.ts';
import { until } from '../support/wait.ts';

/** kill -9 in the middle of a pause until evidence: what was counted is still there, once. */

const NAME = 'iris-api';
const SECRET = 'a secret that outlives the process';

// Several processes start here, one after the other.
t.setTimeout(240_000);

async function configFor(t: Test, service: object): Promise<object> {
  const urls: string[] = [];
  for (const version of ['v1', 'v2']) {
    const model = await startModelProcess({
      version,
      fault: 'good',
      onDeath: (how) => t.fail(`${version} ${how}`),
      onComplaint: (line) => t.comment(line),
    });
    t.teardown(() => model.close());
    urls.push(model.url);
  }
  const [v1, v2] = urls;
  const base = {
    versions: { v1: { url: v1 }, v2: { url: v2 } },
    stable: 'v1',
    canary: 'v2',
    sticky: { by: ['header:x-user-id'] },
  };
  return configOf(
    { [NAME]: { ...base, ...service } },
    { drain: { delay: '0s' }, state: { dir: './state' }, kpi: { secret: SECRET } },
  );
}

const ROLLED = {
  predictions: { class: '/predictions/*/class', confidence: '/predictions/*/confidence' },
  gates: { successRate: { atLeast: 0.95 }, ctr: { kpi: 'click', within: '50%' } },
  rollout: {
    steps: [{ setWeight: 50 }, { pause: { until: 'evidence', atLeast: '1s' } }, { setWeight: 100 }],
  },
};

const evidenceFile = (folder: string) => path.join(folder, 'state', 'evidence', `${NAME}.json`);

function keptIn(folder: string): Evidence | null {
  if (!existsSync(evidenceFile(folder))) return null;
  const decoded = evidenceCodec.decode(NAME, readFileSync(evidenceFile(folder)));
  if (decoded.kind === 'damaged') throw new Error(decoded.reason);
  return decoded.state.sides[0]?.evidence ?? null;
}

function sumsOf(evidence: Evidence | null): { readonly requests: number; readonly events: number } {
  const arms = (evidence?.slices ?? []).flatMap(({ canary, stable }) => [canary, stable]);
  return {
    requests: arms.reduce((sum, { requests }) => sum + requests, 0),
    events: arms.reduce((sum, { kpis }) => sum + (kpis.click?.events ?? 0), 0),
  };
}

async function shopping(t: Test, product: Product, seed: number, count: number): Promise<Visit[]> {
  const crowd = new Shoppers(product, { v1: 0.9, v2: 0.9 }, randomFrom(seed));
  const visits = await crowd.visit(count);
  await crowd.close();
  t.ok(visits.every(({ id }) => id !== ''));
  return visits;
}

const gateOf = ({ gates }: RolloutView, gate: string) => gates.find(({ name }) => name === gate);
const rolloutOf = async ({ adminUrl }: Product) =>
  (await (await fetch(`${adminUrl}/api/v1/rollouts/${NAME}`)).json()) as RolloutView;

async function kill(product: Product): Promise<void> {
  product.child.kill('SIGKILL');
  await once(product.child, 'exit');
}

t.test('a rollout that was killed goes on with its evidence', async (t) => {
  const folder = tempFolder(t);
  const config = await configFor(t, ROLLED);
  const first = await startProduct(t, config, { folder });
  await adminUntil<RolloutView>(
    first,
    `/rollouts/${NAME}`,
    ({ weight, step }) => weight === 50 && step === 1,
  );
  // From the first look at the step on all that comes is counted.
  await adminUntil<RolloutView>(first, `/rollouts/${NAME}`, ({ gates }) => gates.length > 0);
  const visits = await shopping(t, first, 1, 60);
  const clicks = clicksOf(visits);
  t.match(await report(first, clicks), { accepted: clicks.length });
  // Clicks are in the evidence at once, requests from the next look on.
  const isKept = () => {
    const { requests, events } = sumsOf(keptIn(folder));
    return requests === visits.length && events === clicks.length;
  };
  await until(isKept, 'the requests and clicks to be saved', 20_000);
  const before = await rolloutOf(first);
  await kill(first);

  const second = await startProduct(t, config, { folder });
  t.match(await second.logged('evidence of before the restart is gone on with'), { requests: 60 });
  const after = await adminUntil<RolloutView>(second, `/rollouts/${NAME}`, ({ gates }) => gates.length > 0);
  t.match(after, { number: before.number, step: 1, weight: 50, status: 'stepping' });
  for (const gate of ['successRate', 'ctr']) {
    t.equal(gateOf(after, gate)?.samples.have, gateOf(before, gate)?.samples.have, gate);
  }
  t.ok((gateOf(after, 'successRate')?.samples.have ?? 0) > 15);
  const shown = await runMain(t, ['get', NAME, '--server', second.adminUrl]);
  t.match(shown.out, new RegExp(`${gateOf(before, 'successRate')?.samples.have} of \\d+ samples`));
  t.strictSame(
    await report(second, clicks),
    { ...NOTHING_TAKEN, duplicate: clicks.length },
    'once is enough',
  );

  let seed = 2;
  for (let view = after; view.status !== 'completed'; view = await rolloutOf(second)) {
    if (++seed > 60)
      throw new Error(`it does not go on: ${JSON.stringify(view.gates.map(({ text }) => text))}`);
    await report(second, clicksOf(await shopping(t, second, seed, 200)));
  }
  await until(() => !existsSync(evidenceFile(folder)), 'the evidence of what is over to be removed', 20_000);
  t.strictSame(await second.stop(), { code: 0, signal: null });
});

t.test('the end saves what was counted last, and a damaged file costs the evidence alone', async (t) => {
  const folder = tempFolder(t);
  const config = await configFor(t, { weight: 50, experiment: { kpi: 'click', alpha: 0.05 } });
  const first = await startProduct(t, config, { folder });
  const visits = await shopping(t, first, 1, 500);
  const clicks = clicksOf(visits);
  await report(first, clicks);
  t.strictSame(await first.stop(), { code: 0, signal: null });
  t.strictSame(sumsOf(keptIn(folder)), { requests: 500, events: clicks.length });

  const experiment = (product: Product, holds: (view: ExperimentView) => boolean) =>
    adminUntil<ExperimentView>(product, `/experiments/${NAME}`, holds);
  const usersOf = ({ variants = [] }: Partial<ExperimentView>) =>
    variants.reduce((sum, { users }) => sum + users, 0);
  const second = await startProduct(t, config, { folder });
  const view = await experiment(second, (one) => usersOf(one) === 500);
  t.equal(
    view.variants.reduce((sum, { converted }) => sum + converted, 0),
    clicks.length,
  );
  t.strictSame(await report(second, clicks), { ...NOTHING_TAKEN, duplicate: clicks.length });
  await kill(second);

  const cut = readFileSync(evidenceFile(folder)).subarray(0, 3_000);
  writeFileSync(evidenceFile(folder), cut);
  const third = await startProduct(t, config, { folder });
  t.match(await third.logged('evidence of before the restart cannot be used'), {
    level: 'warn',
    msg: /evidence.iris-api\.json was changed, damaged or cut short/,
  });
  await shopping(t, third, 2, 100);
  await experiment(third, (one) => usersOf(one) === 100);
  t.strictSame(await third.stop(), { code: 0, signal: null });
  t.equal(sumsOf(keptIn(folder)).requests, 100);
  t.ok(readFileSync(`${evidenceFile(folder)}.damaged`).equals(cut), 'it is set aside');
});
