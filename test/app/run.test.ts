import { writeFileSync } from 'node:fs';
import net from 'node:net';
import t from 'tap';
import { startEcho } from '../support/echo.ts';
import { startOrigin } from '../support/origin.ts';
import { within } from '../support/wait.ts';
import { runMain, startRun, untilReadyz, writeConfig, yaml } from './support.ts';

t.test('run serves, reloads on an edit, keeps what it has on a broken one, and ends with 0', async (t) => {
  const [v1, v2] = [await startEcho(t, 'one'), await startEcho(t, 'two')];
  const file = writeConfig(t, yaml(v1.url, v2.url, { weight: 0 }));
  const run = await startRun(t, file);
  const version = async () => {
    const response = await fetch(`${run.gatewayUrl}/predict`, { headers: { 'x-user-id': 'u42' } });
    await response.arrayBuffer();
    return [response.status, response.headers.get('x-coalmine-version')];
  };
  t.strictSame(await version(), [200, 'v1']);

  writeFileSync(file, yaml(v1.url, v2.url, { weight: 100 }));
  const after = await untilReadyz(run.adminUrl, ({ revision }) => revision > 1, 'the edit taken over');
  t.match(after, { status: 'ready', reload: { ok: 1, failed: 0, failure: null } });
  t.strictSame(await version(), [200, 'v2']);

  writeFileSync(file, yaml(v1.url, v2.url, { weight: 101 }));
  const broken = await untilReadyz(run.adminUrl, ({ reload }) => reload.failed > 0, 'the broken edit seen');
  t.match(broken, {
    status: 'ready',
    reload: { failure: { issues: [{ path: 'services.iris-api.weight' }] } },
  });
  t.equal(broken.revision, after.revision);
  t.strictSame(await version(), [200, 'v2'], 'the running config is kept');
  const logged = () => run.logLines().find(({ level }) => level === 'error');
  await run.until(() => logged() !== undefined, 'the error line');
  t.match(logged()?.msg, /coalmine\.yaml:14:13 services\.iris-api\.weight: /);

  const lines = (await (await fetch(`${run.adminUrl}/metrics`)).text()).split('\n');
  for (const line of [
    'coalmine_config_reloads_total 2',
    'coalmine_config_reload_failures_total 1',
    'http_requests_total{app="iris-api",version="v2",method="GET",status="200"} 2',
  ]) {
    t.ok(lines.includes(line), line);
  }

  writeFileSync(file, yaml(v1.url, v2.url, { weight: 100 }));
  const mended = await untilReadyz(run.adminUrl, ({ reload }) => reload.failure === null, 'the mended file');
  t.equal(mended.revision, after.revision, 'it is what runs already');

  run.child.kill('SIGTERM');
  t.equal((await run.ended).code, 0);
});

t.test('a setting that needs a restart is named', async (t) => {
  const v1 = await startEcho(t, 'one');
  const file = writeConfig(t, yaml(v1.url, v1.url));
  const run = await startRun(t, file);
  writeFileSync(file, `${yaml(v1.url, v1.url)}limits: { maxHeaders: 7 }\n`);
  const detail = await untilReadyz(run.adminUrl, ({ reload }) => reload.ok > 0, 'the edit taken over');
  t.strictSame(detail.reload.restartNeeded, ['limits.maxHeaders']);
  const warning = () => run.logLines().find(({ level }) => level === 'warn');
  await run.until(() => warning() !== undefined, 'the warning');
  t.match(warning(), { keys: ['limits.maxHeaders'], msg: /needs a restart/ });
});

t.test('whoever reads the log may leave', async (t) => {
  const v1 = await startEcho(t, 'one');
  const file = writeConfig(t, yaml(v1.url, v1.url));
  const run = await startRun(t, file);
  run.child.stderr?.destroy();
  writeFileSync(file, yaml(v1.url, v1.url, { weight: 7 }));
  await untilReadyz(run.adminUrl, ({ reload }) => reload.ok > 0, 'a reload, which is logged');
  t.equal((await fetch(`${run.gatewayUrl}/predict`)).status, 200);
  run.child.kill('SIGTERM');
  t.equal((await run.ended).code, 0);
});

t.test('SIGHUP ends nothing', async (t) => {
  const v1 = await startEcho(t, 'one');
  const run = await startRun(t, writeConfig(t, yaml(v1.url, v1.url)));
  run.child.kill('SIGHUP');
  t.equal((await fetch(`${run.gatewayUrl}/predict`)).status, 200);
  run.child.kill('SIGTERM');
  const { code, err } = await run.ended;
  t.equal(code, 0);
  t.match(err, /"msg":"drained"}\n$/, 'the log is complete');
});

t.test(
  'an uncaught error: logged, readiness fails, the request in flight is answered, exit code 1',
  async (t) => {
    const origin = await startOrigin(t);
    let answer = () => {};
    origin.script = async (call) => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      await call.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
    };
    const bomb = "process.on('SIGUSR2', () => { throw new Error('boom') })";
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(bomb)}` };
    const run = await startRun(t, writeConfig(t, yaml(origin.url, origin.url)), env);
    const pending = fetch(`${run.gatewayUrl}/predict`);
    await origin.arrived(1);
    run.child.kill('SIGUSR2');
    await untilReadyz(run.adminUrl, ({ status }) => status === 'draining', 'readiness to fail');
    answer();
    t.equal(await (await pending).text(), 'done');
    t.equal((await run.ended).code, 1);
    t.match(
      run.logLines().find(({ level }) => level === 'error'),
      { err: { message: 'boom', stack: /at / }, msg: /uncaught error/ },
    );
  },
);

t.test('SIGTERM: readiness fails, the request in flight is answered, then exit code 0', async (t) => {
  const origin = await startOrigin(t);
  let answer = () => {};
  origin.script = async (call) => {
    await new Promise<void>((resolve) => {
      answer = resolve;
    });
    await call.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone');
  };
  const file = writeConfig(t, yaml(origin.url, origin.url).replace('delay: 0s', 'delay: 300ms'));
  const run = await startRun(t, file);
  const pending = fetch(`${run.gatewayUrl}/predict`);
  await origin.arrived(1);
  run.child.kill('SIGTERM');
  const readyz = await untilReadyz(run.adminUrl, ({ status }) => status !== 'ready', 'readiness to fail');
  t.equal(readyz.status, 'draining');
  answer();
  const response = await pending;
  t.equal(response.status, 200);
  t.equal(await response.text(), 'done');
  t.equal((await run.ended).code, 0);
});

t.test('a second signal ends at once', async (t) => {
  const origin = await startOrigin(t, async () => {});
  const file = writeConfig(t, yaml(origin.url, origin.url).replace('timeout: 5s', 'timeout: 1h'));
  const run = await startRun(t, file);
  const pending = fetch(`${run.gatewayUrl}/predict`).catch(() => 'cut');
  await origin.arrived(1);
  run.child.kill('SIGTERM');
  await run.until(() => run.err().includes('draining first'), 'the drain to begin');
  run.child.kill('SIGTERM');
  t.equal((await within(run.ended, 'the end')).code, 1);
  t.equal(await pending, 'cut');
});

t.test('what does not finish within drain.timeout is cut, said, and the exit code stays 0', async (t) => {
  const origin = await startOrigin(t, async () => {});
  const file = writeConfig(t, yaml(origin.url, origin.url).replace('timeout: 5s', 'timeout: 100ms'));
  const run = await startRun(t, file);
  const pending = fetch(`${run.gatewayUrl}/predict`).catch(() => 'cut');
  await origin.arrived(1);
  run.child.kill('SIGTERM');
  t.equal((await within(run.ended, 'the end')).code, 0);
  t.equal(await pending, 'cut');
  t.match(
    run.logLines().find(({ level }) => level === 'warn'),
    { cut: 1 },
  );
});

t.test('a config that is not sound: every problem with its place, exit code 1', async (t) => {
  const file = writeConfig(t, yaml('http://127.0.0.1:1', 'ftp://x', { weight: 101 }));
  const { code, out, err } = await runMain(t, ['run', '--config', file]);
  t.equal(code, 1);
  t.equal(out, '');
  t.match(err, /coalmine\.yaml:14:13 services\.iris-api\.weight: /);
  t.match(err, /coalmine\.yaml:11:\d+ services\.iris-api\.versions\.v2\.url: /);
  t.notMatch(err, /\n {4}at /, 'no stack for what the operator mends');
});

t.test('an address in use is named with what to do, exit code 1', async (t) => {
  const taken = net.createServer();
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as net.AddressInfo;
  const text = yaml('http://127.0.0.1:1', 'http://127.0.0.1:1');
  const gateway = await runMain(t, [
    'run',
    '--config',
    writeConfig(t, text.replace('listen: 127.0.0.1:0', `listen: 127.0.0.1:${port}`)),
  ]);
  t.equal(gateway.code, 1);
  t.match(gateway.err, `cannot listen on 127.0.0.1:${port}: the address is in use`);
  t.match(gateway.err, /change listen in the config/);
  const admin = await runMain(t, [
    'run',
    '--config',
    writeConfig(t, text.replace('  listen: 127.0.0.1:0', `  listen: 127.0.0.1:${port}`)),
  ]);
  t.equal(admin.code, 1);
  t.match(admin.err, `cannot listen on 127.0.0.1:${port}`);
  t.match(admin.err, /change admin\.listen in the config/);
});
