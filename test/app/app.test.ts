import { existsSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { startApp } from '../../src/app.ts';
import { type MemoryLog, memoryLog } from '../control/support.ts';
import { makeAuthority } from '../support/certs.ts';
import { startEcho } from '../support/echo.ts';
import { requireTool } from '../support/requireTool.ts';
import { until } from '../support/wait.ts';
import { tempDir, untilReadyz, writeConfig, yaml } from './support.ts';

const NEEDS_OPENSSL = requireTool('openssl', ['version']);

async function start(t: Test, configFile: string, log: MemoryLog = memoryLog()) {
  const app = await startApp({ configFile, env: {}, log });
  t.teardown(() => app.close());
  return app;
}

/** The name of the certificate that a new connection is shown. */
function servedName(url: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: hostname, port: Number(port), rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', reject);
  });
}

t.test('a changed certificate file is taken over without a restart', NEEDS_OPENSSL, async (t) => {
  const authority = makeAuthority(t);
  const dir = tempDir(t);
  const write = (name: string) => {
    const { cert, key } = authority.issue(name, 'IP:127.0.0.1');
    writeFileSync(join(dir, 'server.key'), key);
    writeFileSync(join(dir, 'server.crt'), cert);
  };
  write('first.test');
  const v1 = await startEcho(t, 'one');
  const file = join(dir, 'coalmine.yaml');
  writeFileSync(file, `tls: { cert: server.crt, key: server.key }\n${yaml(v1.url, v1.url)}`);
  const app = await start(t, file);
  t.match(app.gatewayUrl, /^https:/);
  t.equal(await servedName(app.gatewayUrl), 'first.test');

  write('second.test');
  await until(async () => (await servedName(app.gatewayUrl)) === 'second.test', 'the new certificate');

  writeFileSync(join(dir, 'server.crt'), 'nonsense');
  const { reload } = await untilReadyz(app.adminUrl, ({ reload }) => reload.failure !== null, 'the refusal');
  t.match(reload.failure?.issues[0]?.path, 'tls.cert');
  t.equal(await servedName(app.gatewayUrl), 'second.test');

  write('third.test');
  await until(async () => (await servedName(app.gatewayUrl)) === 'third.test', 'the mended certificate');
  await untilReadyz(app.adminUrl, ({ reload }) => reload.failure === null, 'the failure to be over');
});

t.test('a file that was missed is waited for', NEEDS_OPENSSL, async (t) => {
  const authority = makeAuthority(t);
  const v1 = await startEcho(t, 'one');
  const dir = tempDir(t);
  const file = join(dir, 'coalmine.yaml');
  writeFileSync(file, yaml(v1.url, v1.url));
  const app = await start(t, file);
  const withCa = yaml(v1.url, v1.url).replace(
    `v1: { url: ${v1.url} }`,
    `v1: { url: https://127.0.0.1:1, tls: { ca: ca.crt } }`,
  );
  writeFileSync(file, withCa);
  await untilReadyz(app.adminUrl, ({ reload }) => reload.failure !== null, 'the missing file to be told');
  t.notOk(existsSync(join(dir, 'ca.crt')));
  writeFileSync(join(dir, 'ca.crt'), authority.ca);
  const { revision } = await untilReadyz(
    app.adminUrl,
    ({ reload }) => reload.failure === null,
    'the file to be seen',
  );
  t.equal(revision, 2);
});

t.test('a ConfigMap mount: the swap of its symlink is a reload', async (t) => {
  const v1 = await startEcho(t, 'one');
  const v2 = await startEcho(t, 'two');
  const dir = tempDir(t);
  const publish = (name: string, weight: number) => {
    writeFileSync(join(dir, name), yaml(v1.url, v2.url, { weight }));
    symlinkSync(name, join(dir, '..data_tmp'));
    renameSync(join(dir, '..data_tmp'), join(dir, '..data'));
  };
  publish('first.yaml', 0);
  symlinkSync('..data', join(dir, 'coalmine.yaml'));
  const app = await start(t, join(dir, 'coalmine.yaml'));
  publish('second.yaml', 100);
  await untilReadyz(app.adminUrl, ({ revision }) => revision === 2, 'the swap to be seen');
  const response = await fetch(app.gatewayUrl, { headers: { 'x-user-id': 'u42' } });
  await response.arrayBuffer();
  t.equal(response.headers.get('x-coalmine-version'), 'v2');
});

t.test('edits in quick succession end at the last one', async (t) => {
  const v1 = await startEcho(t, 'one');
  const file = writeConfig(t, yaml(v1.url, v1.url, { weight: 0 }));
  const app = await start(t, file);
  const weight = async () => {
    const response = await fetch(`${app.adminUrl}/api/v1/services/iris-api`);
    const { versions } = (await response.json()) as { versions: { weight: number }[] };
    return versions[1]?.weight;
  };
  for (let i = 1; i <= 30; i++) {
    writeFileSync(file, yaml(v1.url, v1.url, { weight: i }));
    void app.reload();
    await new Promise(setImmediate);
  }
  await until(async () => (await weight()) === 30, 'the last content');
  await app.reload();
  t.equal(await weight(), 30, 'and it stays');
});

t.test('close drains once, however often it is called, and leaves nothing behind', async (t) => {
  const v1 = await startEcho(t, 'one');
  const log = memoryLog();
  const app = await start(t, writeConfig(t, yaml(v1.url, v1.url)), log);
  await Promise.all([app.close(), app.close()]);
  await app.close();
  t.equal(log.lines.filter(({ message }) => message === 'drained').length, 1);
  await t.rejects(fetch(app.gatewayUrl));
  await t.rejects(fetch(app.adminUrl));
});

t.test('a start that fails leaves nothing behind', async (t) => {
  const v1 = await startEcho(t, 'one');
  const first = await start(t, writeConfig(t, yaml(v1.url, v1.url)));
  const taken = new URL(first.gatewayUrl).host;
  const spare = new URL((await freeUrl(t)).url).host;
  const text = yaml(v1.url, v1.url)
    .replace('listen: 127.0.0.1:0', `listen: ${taken}`)
    .replace('  listen: 127.0.0.1:0', `  listen: ${spare}`);
  const file = writeConfig(t, text);
  await t.rejects(startApp({ configFile: file, env: {}, log: memoryLog() }), {
    name: 'StartError',
    message: `cannot listen on ${taken}: the address is in use`,
  });
  await t.rejects(fetch(`http://${spare}/healthz`), 'the admin port is closed again');
});

/** An address that was free a moment ago. */
async function freeUrl(t: Test): Promise<{ url: string }> {
  const v1 = await startEcho(t, 'one');
  const app = await startApp({ configFile: writeConfig(t, yaml(v1.url, v1.url)), env: {}, log: memoryLog() });
  const url = app.adminUrl;
  await app.close();
  return { url };
}
