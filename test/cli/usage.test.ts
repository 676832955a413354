import t from 'tap';
import { ROLLOUT_VERBS } from '../../src/admin/contract.ts';
import { cli } from './support.ts';

const COMMANDS = [
  'run',
  'demo',
  'validate',
  'explain',
  'list',
  'get',
  'status',
  ...ROLLOUT_VERBS,
  'set-weight',
  'history',
  'import',
  'simulate',
  'schema',
];

t.test('--help everywhere, exit code 0', async (t) => {
  const all = await cli(['--help']);
  t.equal(all.code, 0);
  t.match(all.out, /Exit codes: 0 done, 1 the answer is no, 2 wrong usage/);
  for (const command of COMMANDS) {
    t.match(all.out, new RegExp(`^ {2}${command}\\b`, 'm'), command);
    const { code, out, err } = await cli([command, '--help']);
    t.equal(code, 0, command);
    t.match(out, `Usage: coalmine ${command}`);
    t.equal(err, '');
  }
  t.equal((await cli(['help', 'explain'])).code, 0);
});

t.test('--version', async (t) => {
  const { code, out } = await cli(['--version']);
  t.equal(code, 0);
  t.equal(out, '1.2.3\n');
});

t.test('wrong usage is exit code 2, on stderr, with the way to the help', async (t) => {
  const table = [
    [],
    ['frobnicate'],
    ['--frobnicate'],
    ['run'],
    ['run', '--config'],
    ['run', '--config', 'x', 'more'],
    ['run', '--config', 'x', '--time-scale', '0'],
    ['run', '--config', 'x', '--time-scale', 'fast'],
    ['validate'],
    ['explain'],
    ['explain', 'a', 'b'],
    ['explain', 'a', '--config', 'x', '--server', 'http://127.0.0.1:1'],
    ['explain', 'a', '--config', 'x', '--ip', 'nonsense'],
    ['list', '-o', 'xml'],
    ['list', '--server', 'nonsense'],
    ['list', '--server', 'ftp://127.0.0.1'],
    ['list', '--token-file', '/nonexistent/token'],
    ['get'],
    ['set-weight', 'a'],
    ['set-weight', 'a', 'much'],
    ['set-weight', 'a', '101'],
    ['set-weight', 'a', '1.234'],
    ['set-weight', 'a', '-5'],
    ['schema', 'extra'],
    ...ROLLOUT_VERBS.flatMap((verb) => [[verb], [verb, 'a', 'b'], [verb, 'a', '--frobnicate']]),
    ['start', 'a', '--full'],
    ['promote', 'a', '--reason', 'x'],
    ['status'],
    ['status', 'a', '--timeout'],
    ['status', 'a', '--timeout', 'soon'],
    ['status', 'a', '--timeout', '10'],
    ['status', 'a', '--timeout', '-5s'],
    ['status', 'a', '--timeout', '25d'],
    ['history'],
    ['history', 'a', '--limit', '0'],
    ['history', 'a', '--limit', 'x'],
    ['get', 'a', '-w', '-o', 'xml'],
  ];
  for (const args of table) {
    const { code, out, err } = await cli(args);
    t.equal(code, 2, args.join(' '));
    t.equal(out, '', args.join(' '));
    t.not(err, '', args.join(' '));
  }
  t.match((await cli(['valdate', 'x'])).err, /Did you mean validate\?/);
  t.match((await cli(['get'])).err, /--help/);
});

t.test('the long commands get their options, and their exit code is the process’s', async (t) => {
  t.match(await cli(['run', '--config', 'a.yaml']), { code: 0, started: [{ configFile: 'a.yaml' }] });
  t.strictSame((await cli(['run', '-c', 'a.yaml', '--time-scale', '60'])).started, [
    { configFile: 'a.yaml', timeScale: 60 },
  ]);
  t.match(await cli(['demo', '--rate', '5', '--admin-port', '0']), {
    code: 0,
    started: [{ rate: '5', adminPort: '0' }],
  });
});
