import { once } from 'node:events';
import t from 'tap';
import type { FaultMode } from '../../src/demo/faults.ts';
import { loaderOptions, startModelProcess } from '../../src/demo/model-process.ts';

t.test('a model in a process of its own answers, and is gone after close', async (t) => {
  const deaths: string[] = [];
  const model = await startModelProcess({
    version: 'v2',
    fault: 'errors',
    onDeath: (how) => deaths.push(how),
    onComplaint: (line) => t.fail(line),
  });
  const health = await fetch(`${model.url}/healthz`);
  t.same(await health.json(), { status: 'ok', modelVersion: 'v2' });
  t.match(await (await fetch(`${model.url}/faults`)).json(), { mode: 'errors' });
  process.kill(model.pid, 'SIGINT');
  t.equal((await fetch(`${model.url}/healthz`)).status, 200, 'Ctrl-C is left to the parent');
  await model.close();
  t.throws(() => process.kill(model.pid, 0), { code: 'ESRCH' });
  t.same(deaths, [], 'an end that was asked for is no death');
  await model.close();
});

t.test('one that dies is reported with how it ended', async (t) => {
  const died = new EventTarget();
  let how = '';
  const model = await startModelProcess({
    version: 'v1',
    fault: 'good',
    onDeath: (text) => {
      how = text;
      died.dispatchEvent(new Event('death'));
    },
    onComplaint: (line) => t.fail(line),
  });
  const death = once(died, 'death');
  process.kill(model.pid, 'SIGKILL');
  await death;
  t.equal(how, 'it was ended by SIGKILL');
  await model.close();
});

t.test('one that cannot start is told about, with its own words', async (t) => {
  const lines: string[] = [];
  const started = startModelProcess({
    version: 'v1',
    fault: 'nonsense' as FaultMode,
    onDeath: () => t.fail('it was never alive'),
    onComplaint: (line) => lines.push(line),
  });
  await t.rejects(started, { message: /model service v1 did not start: it ended with exit code 2/ });
  t.match(lines.join('\n'), /--fault must be one of good, slow, errors/);
});

t.test('a child gets the loaders of its parent, never its script or its debugger', (t) => {
  t.same(loaderOptions(['--import', 'tsx', '--inspect=9229', '-r', './a.cjs', '--import=b', '-e', 'run()']), [
    '--import',
    'tsx',
    '-r',
    './a.cjs',
    '--import=b',
  ]);
  t.same(loaderOptions(['-e', 'start()', '--eval=start()', '-p', 'x=1', '--test']), []);
  t.end();
});
