import { chmodSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { type ConfigIssue, formatIssue, type LoadResult, loadConfig } from '../../src/config/load.ts';
import { makeAuthority } from '../support/certs.ts';
import { requireTool } from '../support/requireTool.ts';

const SOUND = 'services: { a: { versions: { v1: { url: http://a:1 } } } }\n';

/** The result's config; throws with the issues where there are any. */
function soundOf(result: LoadResult) {
  if (!result.ok) throw new Error(result.issues.map(formatIssue).join('\n'));
  return result.config;
}

const issuesOf = (result: LoadResult): readonly ConfigIssue[] => (result.ok ? [] : result.issues);

const NOBODY = 65_534;

t.test('a sound file', async (t) => {
  const folder = t.testdir({ 'coalmine.yaml': SOUND });
  const file = path.join(folder, 'coalmine.yaml');
  const result = await loadConfig(file, {});
  const config = soundOf(result);
  t.strictSame(config.files, [file]);
  t.equal(config.split.services[0]?.name, 'a');
  t.match(result, { warnings: { length: 0 } });
});

t.test('a byte order mark is no part of the file', async (t) => {
  const folder = t.testdir({ 'coalmine.yaml': `\ufefflisten: x\n${SOUND}` });
  const [issue] = issuesOf(await loadConfig(path.join(folder, 'coalmine.yaml'), {}));
  t.match(issue, { line: 1, column: 9, path: 'listen' });
});

t.test('files that cannot be read', async (t) => {
  const folder = t.testdir({
    folder: {},
    'latin1.yaml': Buffer.from([0x61, 0x3a, 0x20, 0xe9, 0x0a]),
    'large.yaml': `#${'x'.repeat(1_048_576)}\n${SOUND}`,
    'full.yaml': `${SOUND}#${'x'.repeat(1_048_576 - SOUND.length - 1)}`,
    file: '',
  });
  symlinkSync('loop.yaml', path.join(folder, 'loop.yaml'));
  const cases: [file: string, message: RegExp][] = [
    ['missing.yaml', /no such file/],
    ['folder', /is a folder/],
    ['file/x.yaml', /is no folder/],
    ['latin1.yaml', /not UTF-8/],
    ['large.yaml', /larger than 1 MiB/],
    ['loop.yaml', /circle/],
    ['a\0b', /./],
  ];
  for (const [name, message] of cases) {
    const file = `${folder}/${name}`;
    const result = await loadConfig(file, {});
    t.match(
      issuesOf(result),
      [{ file, line: 1, column: 1, path: '', message, fix: /check the path/ }],
      JSON.stringify(name),
    );
    t.match(result, { files: [file] }, 'the file is to be watched for its mending');
  }
  t.match(await loadConfig(`${folder}/full.yaml`, {}), { ok: true }, 'a file of exactly the limit is read');
});

t.test('a device without end is given up at the limit', async (t) => {
  t.match(issuesOf(await loadConfig('/dev/zero', {})), [{ message: /larger than/ }]);
});

t.test('a file without permission', async (t) => {
  const folder = t.testdir({ 'coalmine.yaml': SOUND });
  const file = path.join(folder, 'coalmine.yaml');
  chmodSync(file, 0);
  // Root may read everything; as nobody it may not.
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(NOBODY);
  try {
    t.match(issuesOf(await loadConfig(file, {})), [{ message: /permission denied/ }]);
  } finally {
    if (root) process.seteuid?.(0);
  }
});

t.test('the secret that is made where none is given', async (t) => {
  const keys = 'sticky: { issueCookie: {} }';
  const text = `services: { a: { versions: { v1: { url: http://a } }, ${keys} }, b: { match: { path: /b }, versions: { v1: { url: http://a } }, ${keys} } }\n`;
  const folder = t.testdir({ 'coalmine.yaml': text });
  const secrets = async () => {
    const result = await loadConfig(path.join(folder, 'coalmine.yaml'), {});
    if (!result.ok) throw new Error('not loaded');
    t.equal(result.warnings?.length, 2);
    return result.config.split.services.map((one) => one.sticky.issueCookie?.secret);
  };
  const [first, second] = await secrets();
  t.match(first, /^[A-Za-z0-9_-]{43}$/, '256 bits');
  t.equal(first, second);
  t.strictSame(await secrets(), [first, second], 'a reload changes nobody’s id');
});

const TLS = `tls: { cert: tls/tls.crt, key: tls/tls.key }
services:
  a:
    upstream: { tls: { ca: tls/ca.crt } }
    versions:
      v1: { url: https://a }
      v2: { url: https://b, tls: { cert: tls/tls.crt, key: tls/tls.key } }
    stable: v1
`;

t.test('certificates', requireTool('openssl', ['version']), async (t) => {
  const { ca, issue } = makeAuthority(t);
  const { cert, key } = issue('gate.test', 'DNS:gate.test');
  const stranger = issue('other.test');

  const load = async (t: Test, tls: Record<string, string>) => {
    const folder = t.testdir({ 'coalmine.yaml': TLS, tls });
    return { folder, result: await loadConfig(path.join(folder, 'coalmine.yaml'), {}) };
  };

  t.test('are read relative to the config file, and listed', async (t) => {
    const { folder, result } = await load(t, { 'tls.crt': cert, 'tls.key': key, 'ca.crt': ca });
    const config = soundOf(result);
    t.strictSame(config.listener.tls, { cert, key });
    const [v1, v2] = config.split.services[0]?.versions ?? [];
    t.match(v1?.upstream.tls, { ca, cert: null, key: null });
    t.match(v2?.upstream.tls, { ca, cert, key });
    const names = ['coalmine.yaml', 'tls/tls.crt', 'tls/tls.key', 'tls/ca.crt'];
    t.strictSame(
      config.files,
      names.map((name) => path.join(folder, name)),
    );
  });

  t.test('are told when they are missing, all of them, and to be watched', async (t) => {
    const { folder, result } = await load(t, { 'tls.crt': cert });
    const told = issuesOf(result).map((one) => `${one.line}:${one.column} ${one.path} ${one.message}`);
    const reason = 'cannot be read: there is no such file';
    t.strictSame(told, [
      `1:32 tls.key ${reason}`,
      `4:28 services.a.upstream.tls.ca ${reason}`,
      `7:60 services.a.versions.v2.tls.key ${reason}`,
    ]);
    t.match(result, { files: { 2: path.join(folder, 'tls/tls.key') } });
  });

  t.test('must be what they are named as', async (t) => {
    const { result } = await load(t, { 'tls.crt': key, 'tls.key': cert, 'ca.crt': 'hello' });
    const told = issuesOf(result).map((one) => `${one.path} ${one.message}`);
    t.strictSame(told, [
      'tls.cert holds no certificate',
      'tls.key holds no private key that can be used',
      'services.a.upstream.tls.ca holds no certificate',
      'services.a.versions.v2.tls.cert holds no certificate',
      'services.a.versions.v2.tls.key holds no private key that can be used',
    ]);
    for (const one of issuesOf(result)) t.notMatch(formatIssue(one), /BEGIN/);
  });

  t.test('must not be broken', async (t) => {
    const broken = cert.replace(/\n[A-Za-z0-9+/]{8}/, '\nAAAAAAAA');
    const { result } = await load(t, { 'tls.crt': broken, 'tls.key': key, 'ca.crt': `${ca}${broken}` });
    t.match(issuesOf(result), [
      { path: 'tls.cert', message: /broken certificate/ },
      { path: 'services.a.upstream.tls.ca', message: /broken certificate/ },
      { path: 'services.a.versions.v2.tls.cert' },
    ]);
  });

  t.test('must belong to their keys', async (t) => {
    const { result } = await load(t, { 'tls.crt': cert, 'tls.key': stranger.key, 'ca.crt': ca });
    t.match(issuesOf(result), [
      { path: 'tls.key', message: /does not belong to the certificate/ },
      { path: 'services.a.versions.v2.tls.key', message: /does not belong/ },
    ]);
  });

  t.test('may come in a bundle', async (t) => {
    const { result } = await load(t, {
      'tls.crt': `${cert}${ca}`,
      'tls.key': key,
      'ca.crt': `# ours\n${ca}\n${ca}`,
    });
    t.match(result, { ok: true });
  });
});

t.test('a file that was changed is read anew', async (t) => {
  const folder = t.testdir({ 'coalmine.yaml': SOUND });
  const file = path.join(folder, 'coalmine.yaml');
  await loadConfig(file, {});
  writeFileSync(file, SOUND.replace('a:', 'b:'));
  t.match(await loadConfig(file, {}), { ok: true, config: { split: { services: [{ name: 'b' }] } } });
});

t.test('the folder of the state, and a token, are found from the config file', async (t) => {
  const rollout = `services:
  a:
    versions: { v1: { url: http://a }, v2: { url: http://b } }
    stable: v1
    canary: v2
    rollout: { steps: [{ setWeight: 5 }], analysis: { templates: [t] } }
analysisTemplates:
  t: { metrics: [{ name: m, provider: { prometheus: { address: http://p, query: up, bearerTokenFile: secrets/token } } }] }
`;
  const folder = t.testdir({
    'coalmine.yaml': rollout,
    'own.yaml': `state: { dir: ../states }\n${rollout}`,
    secrets: { token: 'T\n' },
  });
  const at = (name: string) => path.join(folder, name);
  const load = async (name: string, env = {}) => soundOf(await loadConfig(at(name), env));

  const plain = await load('coalmine.yaml');
  t.equal(plain.stateDir, at('.coalmine'));
  t.match(plain.rollouts, [
    { background: { analysis: { metrics: [{ provider: { bearerTokenFile: at('secrets/token') } }] } } },
  ]);
  t.strictSame(plain.files, [at('coalmine.yaml'), at('secrets/token')]);
  const env = { COALMINE_STATE_DIR: '/var/lib/coalmine' };
  t.equal((await load('coalmine.yaml', env)).stateDir, '/var/lib/coalmine');
  t.equal(
    (await load('own.yaml', env)).stateDir,
    path.resolve(folder, '../states'),
    'the file goes before it',
  );
  t.equal((await load('coalmine.yaml', { COALMINE_STATE_DIR: '' })).stateDir, at('.coalmine'));
});
