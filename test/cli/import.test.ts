import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { cli } from './support.ts';

const file = (name: string) => fileURLToPath(new URL(`../fixtures/textbook/${name}.yaml`, import.meta.url));
const FILES = ['ingress', 'rollout', 'analysis'].map(file);

t.test('the textbook manifests in, a config that validates out', async (t) => {
  const { code, out, err } = await cli(['import', ...FILES]);
  t.equal(code, 0);
  const config = `${t.testdir()}/coalmine.yaml`;
  writeFileSync(config, out);
  t.match(await cli(['validate', config]), { code: 0, out: /: ok \(1 service, 2 versions/ });
  const lines = err.split('\n').slice(0, -1);
  t.ok(lines.length > 10);
  for (const line of lines) t.match(line, /^\S+\.yaml:\d+ \S.*: .+/);
  t.match(err, `${file('rollout')}:10 spec.replicas: not carried over: `);
});

t.test('what cannot be imported: nothing on stdout, the reasons on stderr, 1', async (t) => {
  const [ingress = '', , analysis = ''] = FILES;
  t.match(await cli(['import', analysis]), { code: 1, out: /^$/, err: /no Ingress and no Rollout/ });
  t.match(await cli(['import', ingress, '/nonexistent.yaml']), {
    code: 1,
    out: /^$/,
    err: /^\/nonexistent\.yaml:1 cannot be read: there is no such file\n$/,
  });
  const folder = t.testdir({ 'latin.yaml': Buffer.from([0x61, 0xe9]), 'large.yaml': 'a'.repeat(1_048_577) });
  t.match(await cli(['import', `${folder}/latin.yaml`]), { code: 1, err: /it is not UTF-8 text/ });
  t.match(await cli(['import', `${folder}/large.yaml`]), { code: 1, err: /larger than 1 MiB/ });
  t.match(await cli(['import', folder]), { code: 1, err: /it is a folder/ });
});

t.test('wrong usage', async (t) => {
  t.match(await cli(['import']), { code: 2, err: /missing required argument 'files'/ });
  t.match(await cli(['import', '-', '-']), { code: 2, err: /stdin \(-\) can be read only once/ });
  t.match(await cli(['import', '--frobnicate', 'x']), { code: 2 });
});

t.test('from stdin', async (t) => {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', main, 'import', '-'], {
    input: FILES.map((name) => readFileSync(name, 'utf8')).join('---\n'),
    encoding: 'utf8',
    timeout: 60_000,
  });
  t.equal(status, 0);
  t.match(stdout, /^services:$/m);
  t.match(stderr, /^stdin:\d+ spec\.replicas: not carried over: /m);
});
