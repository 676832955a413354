import { once } from 'node:events';
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import type { ErrorBody, RolloutBody } from '../../src/admin/contract.ts';
import { runMain } from '../app/support.ts';
import { configOf, type Product, startProduct } from '../support/process.ts';
import { stateFile, storedState, tempFolder } from '../support/rollout-files.ts';
import { api, ask, historyOf, KEYS, rolloutOf, startModel } from '../support/rollout-fleet.ts';
import { until } from '../support/wait.ts';

/** The state folder when it is damaged, unusable, left in the middle of a pause, or shared. */

// Many processes start here, one after the other.
t.setTimeout(240_000);

const HOST = 'svc';

async function configFor(t: Test, steps: readonly object[], more: object = {}): Promise<object> {
  const [v1, v2] = await Promise.all([startModel(t), startModel(t)]);
  const service = {
    match: { host: HOST },
    versions: { v1: { url: v1.url }, v2: { url: v2.url } },
    stable: 'v1',
    canary: 'v2',
    sticky: { by: ['header:x-user-id'] },
    rollout: { steps },
  };
  return configOf({ svc: service }, more);
}

const STEPS = [{ setWeight: 50 }, { pause: {} }];

async function versionsServing(product: Product): Promise<string[]> {
  const asked = await Promise.all(KEYS.map((key) => ask(product.port, HOST, key)));
  return [...new Set(asked.map(({ status, version }) => (status === 200 ? version : String(status))))].sort();
}

function atStep(product: Product, step: number): Promise<void> {
  const isThere = async () => (await rolloutOf(product.adminUrl, 'svc')).step === step;
  return until(isThere, `step ${step}`, 20_000);
}

async function kill(product: Product): Promise<void> {
  product.child.kill('SIGKILL');
  await once(product.child, 'exit');
}

t.test('a state file that was cut short', async (t) => {
  const folder = tempFolder(t);
  const config = await configFor(t, STEPS);
  const first = await startProduct(t, config, { folder });
  await atStep(first, 1);
  t.strictSame(await versionsServing(first), ['v1', 'v2']);
  await kill(first);
  const file = stateFile(folder, 'svc');
  const whole = readFileSync(file);
  truncateSync(file, Math.floor(whole.length / 2));
  const cut = readFileSync(file);

  const second = await startProduct(t, config, { folder });
  t.strictSame(await versionsServing(second), ['v1'], 'stable serves all');
  t.match(await second.logged('rollout state cannot be used'), { msg: /svc\.json.*cut short/ });
  t.match(await rolloutOf(second.adminUrl, 'svc'), { status: 'blocked', phase: 'Degraded', weight: 0 });
  const get = await runMain(t, ['get', 'svc', '--server', second.adminUrl]);
  t.equal(get.code, 0);
  t.match(get.out, /svc\.json/);
  t.match(get.out, /cut short/);
  const status = await runMain(t, ['status', 'svc', '--timeout', '1s', '--server', second.adminUrl]);
  t.equal(status.code, 1);
  for (const verb of ['start', 'promote', 'abort', 'retry']) {
    const { status, body } = await api<ErrorBody>(second.adminUrl, `/rollouts/svc/${verb}`, {});
    t.match({ status, body }, { status: 409, body: { error: 'blocked', message: /cut short/ } }, verb);
  }
  t.equal((await second.ready()).status, 200, 'it is fit to serve');
  t.strictSame(await versionsServing(second), ['v1']);
  t.strictSame(await second.stop(), { code: 0, signal: null });
  t.ok(readFileSync(file).equals(cut), 'the file is as it was');

  writeFileSync(file, whole);
  const third = await startProduct(t, config, { folder });
  t.strictSame(await versionsServing(third), ['v1', 'v2'], 'mended, it goes on');
  t.match(await rolloutOf(third.adminUrl, 'svc'), { status: 'stepping', number: 1, step: 1 });
  t.strictSame(await third.stop(), { code: 0, signal: null });
});

t.test('a state folder that cannot be written to: no rollout begins before it can', async (t) => {
  const folder = tempFolder(t);
  const place = path.join(folder, 'place');
  const writable = path.join(folder, 'writable');
  mkdirSync(writable);
  // Not even root may write there.
  symlinkSync('/sys', place);
  const dir = path.join(place, 'coalmine-state');
  const product = await startProduct(t, await configFor(t, STEPS, { state: { dir } }));
  const told = await product.logged('rollout state cannot be saved');
  t.match(told, { level: 'error', msg: /coalmine-state.*may not be written to/ });
  t.strictSame(await versionsServing(product), ['v1']);
  t.match(await rolloutOf(product.adminUrl, 'svc'), { weight: 0, message: /cannot be saved/ });
  const start = await api<ErrorBody>(product.adminUrl, '/rollouts/svc/start', {});
  t.match(start, { status: 503, body: { error: 'store_failed', message: /may not be written to/ } });
  t.strictSame(await versionsServing(product), ['v1']);

  rmSync(place);
  symlinkSync(writable, place);
  await atStep(product, 1);
  t.strictSame(await versionsServing(product), ['v1', 'v2'], 'it begins by itself when the folder is mended');
  t.equal((await historyOf(product.adminUrl, 'svc')).filter(({ kind }) => kind === 'started').length, 1);
  t.strictSame(await product.stop(), { code: 0, signal: null });
});

t.test('SIGTERM in a pause: no step while it drains, and the next process goes on', async (t) => {
  const folder = tempFolder(t);
  const steps = [{ setWeight: 50 }, { pause: { duration: '20s' } }, { setWeight: 75 }, { pause: {} }];
  // The pause would end in the middle of the drain: 2 s of it are left, and 5 s are to come.
  const config = await configFor(t, steps, { drain: { delay: '5s', timeout: '10s' } });
  const options = { folder, args: ['--time-scale', '5'] };
  const first = await startProduct(t, config, options);
  await atStep(first, 1);
  await until(
    async () => ((await rolloutOf(first.adminUrl, 'svc')).nextInMs ?? Number.NaN) < 2_000,
    'the pause to be half over',
  );
  first.child.kill('SIGTERM');
  await until(async () => (await first.ready()).status === 503, 'readiness to fail');
  const command = await api<ErrorBody>(first.adminUrl, '/rollouts/svc/promote', {});
  t.match(command, { status: 409, body: { message: /shutting down/ } });
  const atTerm = storedState(folder, 'svc');
  t.match(atTerm.state.progress, { kind: 'stepping', index: 1 });
  t.strictSame(await first.exited, { code: 0, signal: null });
  const afterDrain = storedState(folder, 'svc');
  const timeless = ({ state }: typeof atTerm) => ({ ...state, clockMs: 0 });
  t.strictSame(timeless(afterDrain), timeless(atTerm), 'nothing but the clock was stored while it drained');
  t.ok(afterDrain.state.clockMs >= atTerm.state.clockMs);

  const second = await startProduct(t, config, options);
  const { progress, clockMs } = afterDrain.state;
  const leftMs = progress.kind === 'stepping' ? progress.enteredAtMs + 20_000 - clockMs : Number.NaN;
  t.comment(`left of the pause, on the rollout's clock: ${Math.round(leftMs)} ms`);
  t.ok(leftMs > 0 && leftMs <= 20_000);
  await atStep(second, 3);
  const entries = (await historyOf(second.adminUrl, 'svc')).map(({ kind, step }) => `${kind} ${step}`);
  t.strictSame(entries, ['started null', 'step 0', 'paused 1', 'step 2', 'paused 3']);
  t.strictSame(await second.stop(), { code: 0, signal: null });
});

t.test('two gateways on one state folder', async (t) => {
  const folder = tempFolder(t);
  const dir = path.join(folder, 'shared');
  const config = await configFor(t, STEPS, { state: { dir } });
  const one = await startProduct(t, config);
  await atStep(one, 1);
  t.strictSame(await versionsServing(one), ['v1', 'v2']);
  const two = await startProduct(t, config);
  const views = () => Promise.all([one, two].map(({ adminUrl }) => rolloutOf(adminUrl, 'svc')));
  const blocked = (all: readonly RolloutBody[]) => all.filter(({ status }) => status === 'blocked').length;
  await until(async () => blocked(await views()) > 0, 'one of them to notice');
  const seen = await views();
  const [loser, winner] = seen[0]?.status === 'blocked' ? [one, two] : [two, one];
  t.comment(loser === one ? 'the first one lost' : 'the second one lost');
  t.match(await rolloutOf(loser.adminUrl, 'svc'), {
    status: 'blocked',
    phase: 'Degraded',
    weight: 0,
    message: /saved by another/,
  });
  t.match(await loser.logged('rollout stopped'), { msg: /stable serves everyone.*saved by another/ });
  t.strictSame(await versionsServing(loser), ['v1'], 'the loser lets go of the canary');
  t.match(await api<ErrorBody>(loser.adminUrl, '/rollouts/svc/abort', {}), {
    status: 409,
    body: { error: 'blocked', message: /saved by another/ },
  });
  t.strictSame(await versionsServing(winner), ['v1', 'v2'], 'the winner goes on');
  const promote = await api<RolloutBody>(winner.adminUrl, '/rollouts/svc/promote', {});
  t.match(promote, { status: 200, body: { status: 'completed' } });
  t.strictSame(await versionsServing(winner), ['v2']);
  t.strictSame(await versionsServing(loser), ['v1']);
  t.equal(blocked(await views()), 1);
  t.strictSame(await loser.stop(), { code: 0, signal: null });
  t.strictSame(await winner.stop(), { code: 0, signal: null });
});
