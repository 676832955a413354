import { createServer } from 'node:net';
import t from 'tap';
import { DEMO_DEFAULTS, readDemoOptions } from '../../src/demo/options.ts';
import { choosePort } from '../../src/demo/ports.ts';

t.test('nothing given: the defaults', (t) => {
  t.same(readDemoOptions({}), { ok: true, options: DEMO_DEFAULTS });
  t.end();
});

t.test('everything given', (t) => {
  const raw = { rate: '12.5', users: '3', duration: '90s', fault: 'shifted', port: '0', adminPort: '9999' };
  t.same(readDemoOptions(raw), {
    ok: true,
    options: { ratePerS: 12.5, users: 3, durationMs: 90_000, fault: 'shifted', port: 0, adminPort: 9999 },
  });
  for (const [duration, durationMs] of Object.entries({ '500ms': 500, '2m': 120_000, '1.5h': 5_400_000 })) {
    t.match(readDemoOptions({ duration }), { ok: true, options: { durationMs } });
  }
  t.end();
});

t.test('everything wrong: told all at once', (t) => {
  const read = readDemoOptions({
    rate: '0',
    users: '1.5',
    duration: '10',
    fault: 'toString',
    port: '65536',
    adminPort: '',
  });
  t.match(read, { ok: false });
  const named = read.ok ? [] : read.problems.map((problem) => problem.split(' ')[0]).sort();
  t.same(named, ['--admin-port', '--duration', '--fault', '--port', '--rate', '--users']);
  t.equal(readDemoOptions({ duration: true, rate: true }).ok, false, 'an option without its value');
  t.notOk(readDemoOptions({ duration: '100h' }).ok === false, 'four days are possible');
  t.equal(readDemoOptions({ duration: '10000h' }).ok, false, 'a year is more than a timer holds');
  t.end();
});

t.test('a port: the wanted, else the usual, else any free one', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  t.equal(await choosePort(null, taken, '127.0.0.1'), 0);
  t.equal(await choosePort(taken, 8080, '127.0.0.1'), taken, 'what was asked for is not second-guessed');
  await new Promise((resolve) => holder.close(resolve));
  t.equal(await choosePort(null, taken, '127.0.0.1'), taken);
});
