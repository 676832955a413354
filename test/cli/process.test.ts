import t from 'tap';
import { runMain, spawnMain, writeConfig, yaml } from '../app/support.ts';
import { fakeRollouts, iris, rolloutView } from '../control/support.ts';
import { startServer } from './support.ts';

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

t.test('Ctrl-C ends a watch as wanted', async (t) => {
  const { url } = await startServer(t, [iris(500)], {}, fakeRollouts(rolloutView()));
  const run = spawnMain(t, ['get', 'iris-api', '-w', '--server', url]);
  await run.until(() => run.out().includes('Paused, step 2/3'), 'the first line');
  run.child.kill('SIGINT');
  const { code, err } = await run.ended;
  t.equal(code, 0);
  t.equal(err, '');
});
