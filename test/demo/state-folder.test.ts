import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeStateFolder } from '../../src/demo/state-folder.ts';

t.test('each run has a folder of its own, and removes it with all that is in it', async (t) => {
  const [a, b] = [await makeStateFolder(), await makeStateFolder()];
  t.not(a.path, b.path);
  const listening = process.listenerCount('exit');
  writeFileSync(join(a.path, 'iris-api.json'), '{}');
  await a.close();
  t.notOk(existsSync(a.path));
  t.ok(existsSync(b.path));
  await b.close();
  t.notOk(existsSync(b.path));
  t.equal(process.listenerCount('exit'), listening - 2, 'nothing is left to do at the end');
});

t.test('it goes also when somebody does not wait for the end', (t) => {
  const module = JSON.stringify(new URL('../../src/demo/state-folder.ts', import.meta.url).href);
  const script = `const { makeStateFolder } = await import(${module});
    const { path } = await makeStateFolder();
    process.stdout.write(path);
    (await import('node:fs')).writeFileSync(path + '/state.json', '{}');
    process.exit(130);`;
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', script],
    { encoding: 'utf8' },
  );
  t.equal(status, 130);
  t.match(stdout, /coalmine-demo-/);
  t.notOk(existsSync(stdout));
  t.end();
});
