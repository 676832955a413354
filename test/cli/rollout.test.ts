import http from 'node:http';
import type { AddressInfo } from 'node:net';
import t from 'tap';
import { ROLLOUT_VERBS } from '../../src/admin/contract.ts';
import type { RolloutView } from '../../src/control/api.ts';
import { fakeRollouts, historyView, iris, rolloutView } from '../control/support.ts';
import { refusedUrl } from '../support/origin.ts';
import { cli as runCli, startCli, startServer } from './support.ts';

type Test = Parameters<typeof startServer>[0];

async function setup(t: Test, changes: Partial<RolloutView> = {}, access = {}) {
  const rollouts = fakeRollouts(rolloutView(changes));
  const server = await startServer(t, [iris(500)], access, rollouts);
  const cli = (args: readonly string[], env = {}) => runCli(args, { COALMINE_ADMIN: server.url, ...env });
  const become = (next: Partial<RolloutView>) => rollouts.views.set('iris-api', rolloutView(next));
  return { ...server, cli, become };
}

t.test('get shows the service and its rollout', async (t) => {
  const { cli, rollouts } = await setup(t, { versions: [] });
  const { code, out } = await cli(['get', 'iris-api']);
  t.equal(code, 0);
  t.match(out, /^service +iris-api\n[\s\S]*\n\nRollout: {3}iris-api 3, began[\s\S]*▶ {2}2 {2}pause 5m/);
  t.notOk(out.includes('\x1b'), 'no colours');
  const json = JSON.parse((await cli(['get', 'iris-api', '-o', 'json'])).out);
  t.match(json, { name: 'iris-api', rollout: { number: 3, phase: 'Paused' } });
  rollouts.views.clear();
  t.notMatch((await cli(['get', 'iris-api'])).out, /Rollout/);
  t.equal(JSON.parse((await cli(['get', 'iris-api', '-o', 'json'])).out).rollout, null);
});

t.test('each verb is sent with who asks, and tells what is now the case', async (t) => {
  const { cli, rollouts } = await setup(t);
  for (const verb of ROLLOUT_VERBS) {
    const { code, out } = await cli([verb, 'iris-api'], { USER: 'ann', LOGNAME: 'bob' });
    t.equal(code, 0, verb);
    t.equal(out, 'iris-api: Paused, step 2/3, weight 5 %: step 2 pauses for 5m\n');
    t.match(
      rollouts.asked.splice(0),
      [{ name: 'iris-api', command: { kind: verb }, actor: 'cli:ann' }],
      verb,
    );
    const json = await cli([verb, 'iris-api', '-o', 'json'], { LOGNAME: 'bob' });
    t.strictSame(JSON.parse(json.out), rolloutView());
    t.match(rollouts.asked.splice(0), [{ actor: 'cli:bob' }]);
  }
  await cli(['pause', 'iris-api'], { USER: 'x'.repeat(300) });
  await cli(['pause', 'iris-api']);
  t.strictSame(
    rollouts.asked.map(({ actor }) => actor),
    [`cli:${'x'.repeat(96)}`, 'cli:unknown'],
  );
});

t.test('promote --full and abort --reason', async (t) => {
  const { cli, rollouts } = await setup(t);
  await cli(['promote', 'iris-api', '--full']);
  await cli(['promote', 'iris-api']);
  await cli(['abort', 'iris-api', '--reason', 'wrong answers']);
  await cli(['abort', 'iris-api']);
  t.strictSame(
    rollouts.asked.map(({ command }) => command),
    [
      { kind: 'promote', full: true },
      { kind: 'promote', full: false },
      { kind: 'abort', reason: 'wrong answers' },
      { kind: 'abort', reason: '' },
    ],
  );
});

t.test('set-weight under a rollout', async (t) => {
  const { cli, rollouts, become } = await setup(t);
  const { code, out } = await cli(['set-weight', 'iris-api', '20'], { USER: 'ann' });
  t.equal(code, 0);
  t.match(out, /^iris-api: v2 5 % -> 20 % \(stage 0\)\n.*until the next step of the rollout/);
  t.strictSame(rollouts.asked, [
    { name: 'iris-api', command: { kind: 'setWeight', weightBp: 2000 }, actor: 'cli:ann' },
  ]);
  become({ status: 'aborted', phase: 'Degraded' });
  t.match(await cli(['set-weight', 'iris-api', '20']), {
    code: 1,
    out: '',
    err: /it was aborted; "coalmine retry iris-api" begins it again/,
  });
});

t.test('a no is exit code 1 with what was said', async (t) => {
  const { cli, rollouts } = await setup(t);
  for (const code of ['refused', 'blocked', 'store_failed'] as const) {
    rollouts.answer = { ok: false, code, message: 'because of this' };
    t.match(
      await cli(['promote', 'iris-api']),
      { code: 1, out: '', err: 'coalmine: because of this\n' },
      code,
    );
  }
  for (const command of [...ROLLOUT_VERBS, 'status', 'history']) {
    t.match(await cli([command, 'nobody']), { code: 1, out: '', err: /there is no service nobody/ }, command);
    const away = { COALMINE_ADMIN: await refusedUrl() };
    t.match(await cli([command, 'iris-api'], away), { code: 1, out: '', err: /cannot reach/ }, command);
  }
});

t.test('the token goes with commands as well', async (t) => {
  const { cli, rollouts } = await setup(t, { phase: 'Healthy' }, { token: 'a-token-of-length' });
  for (const command of [...ROLLOUT_VERBS, 'status', 'history']) {
    t.match(await cli([command, 'iris-api']), { code: 1, err: /set COALMINE_TOKEN/ }, command);
    t.equal((await cli([command, 'iris-api'], { COALMINE_TOKEN: 'a-token-of-length' })).code, 0, command);
  }
  t.equal(rollouts.asked.length, ROLLOUT_VERBS.length);
});

t.test('history', async (t) => {
  const { cli, rollouts } = await setup(t);
  t.match(await cli(['history', 'iris-api']), { code: 0, out: 'nothing has happened yet\n' });
  const past = [
    historyView(),
    historyView({ kind: 'step', step: 0, weight: 5, cause: 'setWeight 5' }),
    historyView({
      kind: 'aborted',
      cause: 'success-rate\x1b[31m failed',
      step: 1,
      evidence: ['success-rate: 0.42, 0.4', 'result[0] >= 0.99: 4 failed, 3 at most'],
    }),
  ];
  rollouts.past.set('iris-api', past);
  const { code, out } = await cli(['history', 'iris-api']);
  t.equal(code, 0);
  t.equal(
    out,
    `\
TIME                  ROLLOUT  STEP  WEIGHT  EVENT    ACTOR     CAUSE
2026-01-02 03:04:05Z        3     -     0 %  started  coalmine  v2 is new
2026-01-02 03:04:05Z        3     1     5 %  step     coalmine  setWeight 5
2026-01-02 03:04:05Z        3     2     0 %  aborted  coalmine  success-rate [31m failed
    success-rate: 0.42, 0.4
    result[0] >= 0.99: 4 failed, 3 at most
`,
  );
  t.strictSame(JSON.parse((await cli(['history', 'iris-api', '-o', 'json'])).out), past);
  t.strictSame(
    JSON.parse((await cli(['history', 'iris-api', '-o', 'json', '--limit', '1'])).out),
    past.slice(2),
  );
});

t.test('status waits for the end and prints what happens', async (t) => {
  const { url, become } = await setup(t);
  const run = startCli(['status', 'iris-api', '--timeout', '10m', '--server', url]);
  await run.bell.until(
    () => run.text.out.includes('Paused'),
    () => run.text.out,
  );
  become({ phase: 'Progressing', step: 2, weight: 100, message: 'setting the weight', hold: 'no data' });
  await run.bell.until(
    () => run.text.out.includes('Progressing'),
    () => run.text.out,
  );
  become({ phase: 'Healthy', status: 'completed', step: null, weight: 100, message: '' });
  t.match(await run.ended, {
    code: 0,
    out:
      'Paused, step 2/3, weight 5 %: step 2 pauses for 5m\n' +
      'Progressing, step 3/3, weight 100 %: setting the weight; held: no data\n' +
      'Healthy (completed), weight 100 %\n',
    err: '',
  });
});

t.test('status ends with 1 when it is degraded', async (t) => {
  const { cli } = await setup(t, { phase: 'Degraded', status: 'aborted', step: null, message: 'by cli:ann' });
  t.match(await cli(['status', 'iris-api']), {
    code: 1,
    out: 'Degraded (aborted), weight 5 %: by cli:ann\n',
  });
  const json = await cli(['status', 'iris-api', '-o', 'json']);
  t.equal(json.code, 1);
  t.match(JSON.parse(json.out), { phase: 'Degraded' });
  t.equal(json.out.split('\n').length, 2, 'a line a view');
});

t.test('status gives up', async (t) => {
  const { cli } = await setup(t);
  const late = await cli(['status', 'iris-api', '--timeout', '1ms']);
  t.match(late, { code: 1, err: 'coalmine: the rollout of iris-api is still Paused after 1ms\n' });
  t.match(late.out, /^Paused, .*\n$/, 'it has looked, and said it once');
});

t.test('status waits for a gateway that goes away', async (t) => {
  const { url, close, rollouts, become } = await setup(t);
  const run = startCli(['status', 'iris-api', '--timeout', '0', '--server', url]);
  await run.bell.until(
    () => run.text.out.includes('Paused'),
    () => run.text.out,
  );
  await close();
  await run.bell.until(
    () => run.text.err.includes('asking again'),
    () => run.text.err,
  );
  become({ phase: 'Healthy' });
  await startServer(t, [iris(500)], { port: Number(new URL(url).port) }, rollouts);
  t.equal((await run.ended).code, 0);
});

t.test('status gives up on a gateway that stays away', async (t) => {
  let asked = 0;
  const server = http.createServer((request, response) => {
    if (asked++ === 0) response.end(JSON.stringify(rolloutView()));
    else request.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, err } = await runCli(['status', 'iris-api', '--timeout', '2s', '--server', url]);
  t.equal(code, 1);
  t.match(err, /asking again\n.*the gateway still does not tell the state of iris-api after 2s\n$/);
  t.equal(err.split('\n').length, 3, 'that it is away is said once');
});
