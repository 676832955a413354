import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

t.test('coalmine demo: the real gateway between the crowd and both models', async (t) => {
  const child = spawn(
    process.execPath,
    [
      '--import',
      'tsx',
      'src/main.ts',
      'demo',
      '--duration',
      '4s',
      '--rate',
      '100',
      '--port',
      '0',
      '--admin-port',
      '0',
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.teardown(() => child.kill('SIGKILL'));
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  t.same(await once(child, 'close'), [0, null]);
  t.equal(err, '');
  t.notMatch(out, / {2}! /, 'the gateway has nothing to complain about, config/demo.yaml neither');
  const cells = (version: string) =>
    new RegExp(`^ {2}${version} \\w+ +(\\d+) +[\\d.]+ % +(\\d+) +(\\d+) +(\\d+) +(\\d+) `, 'm')
      .exec(out)!
      .slice(1);
  const [v1, v2] = [cells('v1').map(Number), cells('v2').map(Number)];
  t.same(v1.slice(1), [v1[0], 0, 0, 0], 'every request to v1 got a 2xx');
  t.same(v2.slice(1), [v2[0], 0, 0, 0], 'and to v2');
  // 5 % of 500 users, each weighing as much as chance has it visit; no pause is over yet.
  const share = v2[0]! / (v1[0]! + v2[0]!);
  t.ok(share > 0.01 && share < 0.12, `v2 got ${share}`);
  const mirrored = /mirrored to v2: (\d+) ok, (\d+) failed/.exec(out)!.slice(1).map(Number);
  t.ok(mirrored[0]! > 0, `${mirrored[0]} copies`);
  t.equal(mirrored[1], 0);
});
