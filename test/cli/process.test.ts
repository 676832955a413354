import t from 'tap';
import { runMain, spawnMain, writeConfig, yaml } from '../app/support.ts';

t.test('exit codes of the real process', async (t) => {
  const sound = writeConfig(t, yaml('http://127.0.0.1:1', 'http://127.0.0.1:2'));
  const broken = writeConfig(t, yaml('http://127.0.0.1:1', 'http://127.0.0.1:2', { weight: 101 }));
  const [done, no, usage, version] = await Promise.all([
    runMain(t, ['validate', sound]),
    runMain(t, ['validate', broken]),
    runMain(t, ['validate', '--frobnicate']),
    runMain(t, ['--version']),
  ]);
  t.strictSame([done.code, no.code, usage.code, version.code], [0, 1, 2, 0]);
  t.match(no.out, /coalmine\.yaml:14:13 services\.iris-api\.weight: /);
  t.match(usage.err, /unknown option '--frobnicate'/);
  t.match(version.out, /^\d+\.\d+\.\d+\n$/);
});

t.test('a reader that leaves early is no error', async (t) => {
  const run = spawnMain(t, ['schema']);
  run.child.stdout?.destroy();
  const { code, err } = await run.ended;
  t.equal(code, 0);
  t.equal(err, '');
});
