import t, { type Test } from 'tap';
import type { VerdictBody } from '../../src/admin/contract.ts';
import { configOf, type Product, startProduct } from '../support/process.ts';
import { until } from '../support/wait.ts';
import { startModel, visit } from './busy-gateway.ts';

/** A real gateway with users, and a controller beside it that asks for its verdict. */

async function setup(t: Test, keys: object) {
  const [v1, v2] = [await startModel(t), await startModel(t)];
  const versions = { v1: { url: v1 }, v2: { url: v2, revision: '2.1.0' } };
  const service = { versions, stable: 'v1', canary: 'v2', sticky: { by: ['header:x-user-id'] }, ...keys };
  const config = (changes: object = {}) =>
    configOf(
      { 'iris-api': { ...service, ...changes } },
      { drain: { delay: '0s' }, state: { dir: './state' } },
    );
  const product = await startProduct(t, config());
  let n = 0;
  const users = setInterval(() => void visit(product, n++).catch(() => undefined), 5);
  t.teardown(() => clearInterval(users));
  return { product, config, versions, ...asking(product) };
}

function asking({ adminUrl }: Product) {
  const url = `${adminUrl}/api/v1/rollouts/iris-api`;
  return {
    verdict: async (query = '') => (await (await fetch(`${url}/verdict${query}`)).json()) as VerdictBody,
    gate: async (ask: string) => (await fetch(`${url}/gate?ask=${ask}`, { method: 'POST' })).status,
    tell: async (verb: string, body: object = {}) => {
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${url}/${verb}`, { method: 'POST', headers, body: JSON.stringify(body) });
      return ((await answer.json()) as { readonly status: string }).status;
    },
  };
}

const GATES = { minSamples: 20, successRate: { atLeast: 0.9 } };

t.test('a rollout that another controller begins and ends, twice', async (t) => {
  const steps = [{ setWeight: 50 }, { pause: { until: 'evidence', atLeast: '1s' } }, { pause: {} }];
  const { verdict, gate, tell } = await setup(t, { gates: GATES, rollout: { start: 'manual', steps } });
  t.match(await verdict(), { result: 'none', number: 0, status: 'idle', canary: 'v2', revision: '2.1.0' });
  for (const round of [1, 2]) {
    t.equal(await gate('rollback'), 409, 'nothing is to be taken back');
    t.match(await tell('start', { restart: true, actor: 'argo' }), /^(starting|stepping)$/);
    t.match(await verdict(), { result: /^(none|continue)$/, number: round }, 'not what the last one came to');
    t.equal(await gate('promote'), 409);
    await until(async () => (await gate('promote')) === 200, 'every gate to pass', 60_000);
    t.match(await verdict('?revision=2.1.0'), { result: 'pass', stepsLeft: 0, status: 'stepping' });
    t.match(await verdict('?revision=2.2.0'), { result: 'none' });
    t.equal(await tell('undo', { actor: 'argo' }), 'undone');
    t.match(await verdict(), { result: 'fail', status: 'undone' });
  }
  await tell('start');
  t.match(await tell('start', { restart: true }), /^(starting|stepping)$/, 'overtaken by another release');
  t.equal((await verdict()).number, 4);
});

t.test('gates whose verdict somebody else acts on, without a rollout', async (t) => {
  const { verdict, gate, product, config, versions } = await setup(t, {
    weight: 50,
    gates: { onFailure: 'report', ...GATES },
  });
  await until(async () => (await verdict()).result === 'pass', 'every gate to pass', 60_000);
  t.match(await verdict(), { number: null, status: null, stepsLeft: null, gates: [{ state: 'PASS' }] });
  t.strictSame([await gate('advance'), await gate('promote'), await gate('rollback')], [200, 200, 409]);
  product.configure(config({ versions: { ...versions, v2: { ...versions.v2, revision: '2.2.0' } } }));
  await until(async () => (await verdict()).revision === '2.2.0', 'the reload');
  const samples = async () => (await verdict('?revision=2.2.0')).gates[0]?.samples.have ?? 0;
  const before = await samples();
  await until(async () => (await samples()) > before, 'evidence on the new revision', 30_000);
  await until(async () => (await verdict('?revision=2.2.0')).result === 'pass', 'it passes as well', 60_000);
  t.match(await verdict('?revision=2.1.0'), { result: 'none' });
});
