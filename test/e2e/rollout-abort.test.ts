import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import type { RolloutBody } from '../../src/admin/contract.ts';
import { configOf, startProduct } from '../support/process.ts';
import { storedState, tempFolder } from '../support/rollout-files.ts';
import { type Asked, api, historyOf, rolloutOf, startModel, Users } from '../support/rollout-fleet.ts';
import { until } from '../support/wait.ts';

/** Taking the canary back: once it is said that it was, nobody new reaches it. */

// Each of these tests waits for thousands of requests.
t.setTimeout(240_000);

const HOST = 'svc.example';
const PER_SECOND = 250;

const template = {
  verdict: {
    metrics: [
      {
        name: 'success-rate',
        interval: '1s',
        successCondition: 'result >= 0.9',
        failureLimit: 0,
        minSamples: 5,
        provider: { coalmine: { measure: 'successRate', window: '10s' } },
      },
    ],
  },
};

function config(v1: string, v2: string, rollout: object): object {
  const service = {
    match: { host: HOST },
    versions: { v1: { url: v1 }, v2: { url: v2 } },
    stable: 'v1',
    canary: 'v2',
    sticky: { by: ['header:x-user-id'] },
    rollout: { steps: [{ setWeight: 60 }, { pause: {} }], ...rollout },
  };
  return configOf({ svc: service }, { analysisTemplates: template });
}

const byV2 = (asked: readonly Asked[], sinceWallMs = 0) =>
  asked.filter(({ version, startedWallMs }) => version === 'v2' && startedWallMs > sinceWallMs);

/** Resolves when the canary serves. */
const served = (users: Users, since: number) =>
  until(() => byV2(users.asked.slice(since)).length >= 10, 'the canary to serve', 30_000);

/** Resolves when so many more requests were sent and answered after this moment. */
async function answeredAfter(users: Users, wallMs: number, count: number): Promise<void> {
  const after = () => users.asked.filter(({ startedWallMs }) => startedWallMs > wallMs).length;
  await until(() => after() >= count, `${count} requests after the abort`, 30_000);
}

t.test('after the answer to an abort no new request reaches the canary', async (t) => {
  const [v1, v2] = await Promise.all([startModel(t), startModel(t)]);
  const product = await startProduct(t, config(v1.url, v2.url, {}));
  const users = new Users(t, () => product.port, [HOST], PER_SECOND);
  const figures: string[] = [];
  for (let round = 1; round <= 5; round++) {
    await served(users, users.asked.length);
    const askedWallMs = Date.now();
    const abort = await api<RolloutBody>(product.adminUrl, '/rollouts/svc/abort', { reason: `no. ${round}` });
    const answeredWallMs = Date.now();
    t.match(abort, { status: 200, body: { phase: 'Degraded', status: 'aborted', weight: 0 } });
    t.equal(storedState(product.folder, 'svc').state.progress.kind, 'aborted', 'on disk before it is said');
    await answeredAfter(users, answeredWallMs, 100);
    t.strictSame(byV2(users.asked, answeredWallMs), [], 'none of those sent later');
    const last = Math.max(askedWallMs, ...byV2(users.asked, askedWallMs).map((one) => one.startedWallMs));
    figures.push(`answer ${answeredWallMs - askedWallMs}, last to the canary ${last - askedWallMs}`);
    const retry = await api<RolloutBody>(product.adminUrl, '/rollouts/svc/retry', {});
    t.match(retry, { status: 200, body: { status: 'stepping', weight: 60 } });
  }
  t.comment(`ms after the abort was sent: ${figures.join('; ')}`);
  const asked = await users.stop();
  t.ok(
    asked.every(({ status }) => status === 200),
    'none failed',
  );
  t.strictSame(await product.stop(), { code: 0, signal: null });
});

t.test('after the log tells of a verdict no new request reaches the canary', async (t) => {
  const [v1, v2] = await Promise.all([startModel(t), startModel(t)]);
  const background = { analysis: { templates: ['verdict'], startingStep: 0 } };
  const product = await startProduct(t, config(v1.url, v2.url, background), { args: ['--time-scale', '10'] });
  const users = new Users(t, () => product.port, [HOST], PER_SECOND);
  const figures: string[] = [];
  for (let round = 1; round <= 3; round++) {
    await served(users, users.asked.length);
    v2.status = 500;
    const told = () => product.log.filter(({ event }) => event === 'aborted').length;
    await until(() => told() >= round, 'the verdict in the log', 30_000);
    const toldWallMs = Date.now();
    await answeredAfter(users, toldWallMs, 100);
    t.strictSame(byV2(users.asked, toldWallMs), [], 'none of those sent later');
    t.equal((await rolloutOf(product.adminUrl, 'svc')).status, 'aborted');
    const verdict = (await historyOf(product.adminUrl, 'svc')).findLast(({ kind }) => kind === 'analysis');
    t.match(verdict, { cause: /success-rate/ });
    const verdictWallMs = Date.parse(verdict?.at ?? '');
    const last = Math.max(verdictWallMs, ...byV2(users.asked).map((one) => one.startedWallMs));
    figures.push(`told ${toldWallMs - verdictWallMs}, last to the canary ${last - verdictWallMs}`);
    v2.status = 200;
    // What the canary did wrong must be out of the window.
    await answeredAfter(users, Date.now(), 2 * PER_SECOND);
    await api(product.adminUrl, '/rollouts/svc/retry', {});
  }
  t.comment(`ms after the verdict: ${figures.join('; ')}`);
  await users.stop();
  t.strictSame(await product.stop(), { code: 0, signal: null });
});

/** Lets nothing be synced to the disk while a file is there. */
const STUCK_DISK = `
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
const file = await open(process.execPath, 'r');
const proto = Object.getPrototypeOf(file);
await file.close();
const sync = proto.sync;
proto.sync = async function () {
  while (existsSync(process.env.STUCK_WHILE)) await new Promise((resolve) => setTimeout(resolve, 5));
  return sync.call(this);
};
`;

t.test('a disk that hangs does not hold up the way back', async (t) => {
  const [v1, v2] = await Promise.all([startModel(t), startModel(t)]);
  const stuck = path.join(tempFolder(t), 'stuck');
  const product = await startProduct(t, config(v1.url, v2.url, {}), {
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(STUCK_DISK)}`],
    env: { STUCK_WHILE: stuck },
  });
  const users = new Users(t, () => product.port, [HOST], PER_SECOND);
  await served(users, 0);
  // Completed, for then no heartbeat can be on its way to the disk.
  await api(product.adminUrl, '/rollouts/svc/promote', { full: true });
  writeFileSync(stuck, '');
  let answered = false;
  const undo = api<RolloutBody>(product.adminUrl, '/rollouts/svc/undo', {}).finally(() => {
    answered = true;
  });
  const lastAreStable = () => byV2(users.asked.slice(-40)).length === 0;
  // Less than the time after which a save is given up.
  await until(lastAreStable, 'stable to serve all', 4_000);
  t.notOk(answered, 'nobody is told that it is stored');
  t.equal(storedState(product.folder, 'svc').state.progress.kind, 'completed');
  rmSync(stuck);
  t.match(await undo, { status: 200, body: { status: 'undone' } });
  t.equal(storedState(product.folder, 'svc').state.progress.kind, 'undone');
  await users.stop();
  t.strictSame(await product.stop(), { code: 0, signal: null });
});
