import t from 'tap';
import type { RolloutView } from '../../src/control/api.ts';
import { fakeRollouts, historyView, iris, rolloutView } from '../control/support.ts';
import { refusedUrl } from '../support/origin.ts';
import { type CliOptions, cli, type RunningCli, startCli, startServer } from './support.ts';
import { terminalAfter } from './vt.ts';

type Test = Parameters<typeof startServer>[0];

async function setup(t: Test, args: readonly string[] = [], options: CliOptions = {}) {
  const rollouts = fakeRollouts(rolloutView());
  rollouts.past.set('iris-api', [historyView()]);
  const server = await startServer(t, [iris(500)], {}, rollouts);
  const run = startCli(['get', 'iris-api', '-w', '--server', server.url, ...args], options);
  t.teardown(() => run.interrupt());
  const become = (changes: Partial<RolloutView>) => rollouts.views.set('iris-api', rolloutView(changes));
  return { ...server, run, become };
}

const out = (run: RunningCli, pattern: RegExp) =>
  run.bell.until(
    () => pattern.test(run.text.out),
    () => `${pattern} in ${run.text.out}`,
  );
const err = (run: RunningCli, pattern: RegExp) =>
  run.bell.until(
    () => pattern.test(run.text.err),
    () => `${pattern} in ${run.text.err}`,
  );

const TERMINAL = { columns: 80, rows: 40 };

t.test('on a terminal it is drawn in place', async (t) => {
  const { run, become } = await setup(t, [], { terminal: TERMINAL });
  await out(run, /Paused[\s\S]*History/);
  become({
    phase: 'Degraded',
    status: 'aborted',
    message: 'success-rate failed',
    step: null,
    nextInMs: null,
  });
  await out(run, /Degraded/);
  become({ phase: 'Progressing', nextInMs: null, message: 'on its way' });
  await out(run, /on its way[\s\S]*History/);
  t.notOk(terminalAfter(run.text.out).cursorVisible, 'while it draws there is no cursor');
  run.interrupt();
  const { code, out: all, err: complaints } = await run.ended;
  t.equal(code, 0);
  t.equal(complaints, '');
  const shown = terminalAfter(all);
  t.ok(shown.cursorVisible, 'the cursor is back');
  t.ok(shown.coloured);
  t.strictSame(shown.lines, [
    'Rollout:   iris-api 3, began 2026-01-02 03:04:05Z',
    'Status:    ◌ Progressing',
    'Message:   on its way',
    'Versions:  v1 stable, v2 canary',
    'Weight:    5 %',
    'Step:      2/3',
    '',
    'Steps',
    '  ✔  1  setWeight 5',
    '  ▶  2  pause 5m',
    '  ·  3  setWeight 100',
    '',
    'History',
    '  2026-01-02 03:04:05Z  started  coalmine  v2 is new',
    '',
  ]);
});

t.test('no colours with NO_COLOR', async (t) => {
  const { run } = await setup(t, [], { terminal: TERMINAL, env: { NO_COLOR: '1' } });
  await out(run, /History/);
  run.interrupt();
  t.notOk(terminalAfter((await run.ended).out).coloured);
});

t.test('cut to the window, which may change', async (t) => {
  const terminal = { columns: 30, rows: 40 };
  const { run, become } = await setup(t, [], { terminal });
  become({ message: 'x'.repeat(200) });
  await out(run, /x…/);
  const widest = Math.max(...terminalAfter(run.text.out).lines.map((line) => line.length));
  t.equal(widest, 29);
  terminal.columns = 60;
  terminal.rows = 5;
  await out(run, /more lines; make the window higher/);
  run.interrupt();
  const { lines } = terminalAfter((await run.ended).out);
  t.equal(lines.length, 5, 'four lines and where the cursor stands');
  t.match(lines[3], /^… \d+ more lines; make the window higher$/);
});

t.test(
  'a gateway that goes away leaves its last picture, marked; one that comes back is shown',
  async (t) => {
    const { run, close, url, rollouts } = await setup(t, [], { terminal: TERMINAL });
    await out(run, /Paused[\s\S]*History/);
    await close();
    await out(run, /Out of date since \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ/);
    const lost = terminalAfter(run.text.out).lines;
    t.match(lost[0], /^! Out of date since/);
    t.match(lost[1], /cannot reach the gateway's admin port at http:/);
    t.match(lost.slice(2).join('\n'), /Status: {4}‖ Paused/, 'the last picture stays');
    const port = Number(new URL(url).port);
    rollouts.views.set('iris-api', rolloutView({ phase: 'Progressing', message: 'here again' }));
    await startServer(t, [iris(500)], { port }, rollouts);
    await out(run, /here again[\s\S]*History/);
    run.interrupt();
    t.match(terminalAfter((await run.ended).out).lines[0], /^Rollout: {3}iris-api 3/);
  },
);

t.test('in a pipe a line for each change', async (t) => {
  const { run, become } = await setup(t);
  await out(run, /Paused/);
  become({ nextInMs: 1 });
  become({ phase: 'Progressing', step: 2, weight: 100, message: 'setting the weight', hold: 'no data' });
  await out(run, /held/);
  become({ phase: 'Healthy', status: 'completed', step: null, weight: 100, message: 'a\x1b[2Jb\nc' });
  await out(run, /Healthy/);
  run.interrupt();
  const { code, out: all } = await run.ended;
  t.equal(code, 0);
  const time = '\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\dZ';
  const texts = [
    'Paused, step 2/3, weight 5 %: step 2 pauses for 5m',
    'Progressing, step 3/3, weight 100 %: setting the weight; held: no data',
    'Healthy \\(completed\\), weight 100 %: a \\[2Jb c',
  ];
  t.match(all, new RegExp(`^${texts.map((one) => `${time} {2}${one}\\n`).join('')}$`));
});

t.test('in a pipe it says once that the gateway is away, and that it is back', async (t) => {
  const { run, close, url, rollouts } = await setup(t);
  await out(run, /Paused/);
  await close();
  await err(run, /cannot reach .*; asking again\n/);
  await startServer(t, [iris(500)], { port: Number(new URL(url).port) }, rollouts);
  await err(run, /the gateway answers again\n/);
  run.interrupt();
  const ended = await run.ended;
  t.equal(ended.err.split('\n').length, 3, ended.err);
  t.equal(ended.out.split('\n').length, 2, 'nothing had changed');
});

t.test('-o json: a view a line, on a terminal as well', async (t) => {
  const { run, become } = await setup(t, ['-o', 'json'], { terminal: TERMINAL });
  await out(run, /\n/);
  become({ weight: 7 });
  await out(run, /\n.*\n/);
  run.interrupt();
  const lines = (await run.ended).out.trimEnd().split('\n');
  t.strictSame(
    lines.map((line) => JSON.parse(line)),
    [rolloutView(), rolloutView({ weight: 7 })],
  );
});

t.test('what cannot be watched ends it', async (t) => {
  const { url } = await startServer(t, [iris(500)]);
  t.match(await cli(['get', 'iris-api', '-w', '--server', url]), {
    code: 1,
    out: '',
    err: /iris-api has no rollout; write services\.iris-api\.rollout/,
  });
  t.match(await cli(['get', 'nobody', '--watch', '--server', url]), {
    code: 1,
    err: /there is no service nobody/,
  });
  t.match(await cli(['get', 'iris-api', '-w', '--server', await refusedUrl()]), {
    code: 1,
    err: /cannot reach/,
  });

  const { run, rollouts } = await setup(t, [], { terminal: TERMINAL });
  await out(run, /History/);
  rollouts.views.clear();
  const { code, err: complaint, out: all } = await run.ended;
  t.equal(code, 1, 'a reload took the rollout out of the config');
  t.match(complaint, /has no rollout/);
  t.ok(terminalAfter(all).cursorVisible);
});
