import t from 'tap';
import { CrowdStats } from '../../src/demo/crowd-stats.ts';
import { readMirrorCounts } from '../../src/demo/mirror-counts.ts';
import { Notices } from '../../src/demo/notices.ts';
import { createScreen } from '../../src/demo/screen.ts';
import { drawLine, drawTables, type Picture } from '../../src/demo/view.ts';

const ROLES = new Map([
  ['v1', 'stable'],
  ['v2', 'canary'],
]);
const ANSWER = { prediction: 'setosa', confidence: 0.9, right: true } as const;

function picture(): Picture {
  const stats = new CrowdStats();
  for (let i = 0; i < 9; i++) {
    stats.record({ version: 'v1', status: 200, durationMs: 2, answer: ANSWER }, 62_000);
  }
  stats.record({ version: 'v2', status: 500, durationMs: 250, answer: null }, 62_000);
  return {
    elapsedMs: 62_000,
    reports: stats.report(62_000),
    heldBack: 0,
    roles: ROLES,
    mirror: { to: 'v2', ok: 4, failed: 1, dropped: 2 },
    rollout: null,
  };
}

/** What moves the cursor or erases; nothing of it takes a column. */
const CONTROLS = new RegExp(`${String.fromCharCode(27)}\\[[?0-9]*[A-Za-z]`, 'g');

function screenOn(isTTY: boolean, env: Record<string, string> = {}, columns = 80, rows = 24) {
  const written: string[] = [];
  const screen = createScreen({ isTTY, columns, rows, write: (text) => written.push(text) }, env);
  return {
    screen,
    /** What has been written since the last look. */
    look: () => written.splice(0).join(''),
  };
}

t.test('tables: a row a version, shares, classes, times; aligned and within 80 columns', (t) => {
  const lines = drawTables(picture()).map((line) => line.text);
  const rows = lines.filter((line) => /^ {2}v[12]/.test(line)).map((line) => line.trim().split(/\s{2,}/));
  t.match(rows[0], ['v1 stable', '9', '90.0 %', '9', '0', '0', '0', /^2\.\d ms$/, /^2\.\d ms$/]);
  t.match(rows[1], ['v2 canary', '1', '10.0 %', '0', '0', '1', '0', /^2\d\d ms$/, /^2\d\d ms$/]);
  t.same(rows[2], ['v1 stable', '100 %', '0 %', '0 %', '90.0 %', '100.0 %']);
  t.equal(rows.length, 3, 'v2 has answered nothing, so it has no row of answers');
  t.ok(lines.every((line) => line.length < 80));
  t.match(lines.join('\n'), /01:02 · mirrored to v2: 4 ok, 1 failed, 2 dropped/);
  t.same(
    drawTables(picture())
      .filter((line) => line.tone === 'bad')
      .map((line) => line.text.slice(2, 4)),
    ['v2'],
  );
  t.end();
});

t.test('one line says the same', (t) => {
  const line = drawLine(picture());
  t.match(line, /^01:02 {2}v1: 9 \(90\.0 %\), 5xx 0, p50 2\.\d ms, .* {2}\| {2}v2: 1 \(10\.0 %\), 5xx 1,/);
  t.equal(drawLine({ ...picture(), reports: [] }), '01:02  no answers yet');
  t.end();
});

t.test('a terminal is drawn over in place, and gets its cursor back', (t) => {
  const { screen, look } = screenOn(true);
  screen.say('before');
  t.equal(look(), 'before\x1b[K\n\x1b[0J');
  screen.show(picture());
  const height = drawTables(picture()).length;
  const over = `\x1b[${height}A\r`;
  t.ok(look().startsWith('\x1b[?25l'), 'the cursor is hidden');
  screen.show(picture());
  const again = look();
  t.ok(again.startsWith(over), 'goes up by what was drawn');
  t.equal(again.indexOf('\x1b[0J'), again.length - 4, 'what is below is cleared when all is drawn over');
  screen.say('a notice');
  const noticed = look();
  t.ok(noticed.startsWith(`${over}a notice\x1b[K\n`), 'a notice takes the place of the picture');
  t.equal(noticed.split('\n').length, height + 2, 'which follows below it');
  screen.end(picture());
  t.ok(look().endsWith('\x1b[?25h'));
  t.end();
});

t.test('colours on a terminal only, and not when NO_COLOR says so', (t) => {
  const red = '\x1b[31m';
  const drawn = (isTTY: boolean, env: Record<string, string>) => {
    const { screen, look } = screenOn(isTTY, env);
    screen.show(picture());
    screen.end(picture());
    return look();
  };
  t.ok(drawn(true, {}).includes(red));
  t.notOk(drawn(true, { NO_COLOR: '1' }).includes(red));
  t.notOk(drawn(false, {}).includes('\x1b'), 'no control sequence at all in a pipe');
  t.end();
});

t.test('no line of a narrow terminal wraps', (t) => {
  const { screen, look } = screenOn(true, { NO_COLOR: '1' }, 40);
  screen.show(picture());
  const longest = Math.max(
    ...look()
      .replaceAll(CONTROLS, '')
      .split('\n')
      .map((line) => line.length),
  );
  t.equal(longest, 39);
  t.end();
});

t.test('a low terminal gets what fits, and is told of the rest', (t) => {
  const { screen, look } = screenOn(true, { NO_COLOR: '1' }, 80, 10);
  screen.show(picture());
  const lines = look().replaceAll(CONTROLS, '').split('\n');
  t.equal(lines.length, 10, 'nine lines, and the cursor below them');
  t.equal(lines[8], `  ${drawTables(picture()).length - 8} more lines in a higher window`);
  t.end();
});

t.test('equal notices are told once in a while only', (t) => {
  const said: string[] = [];
  let nowMs = 0;
  const notices = new Notices(
    (text) => said.push(text),
    () => nowMs,
  );
  const log = notices.log();
  for (let i = 0; i < 50; i++) log.error({ err: new Error('refused') }, 'upstream failed');
  log.warn({}, 'other');
  log.info({}, 'nothing for the screen');
  t.same(said, ['  ! gateway: upstream failed: refused', '  ! gateway: other']);
  nowMs = 6000;
  log.error({ err: new Error('refused') }, 'upstream failed');
  t.equal(said.length, 3);
  t.end();
});

t.test('mirror counts come from the metrics page', (t) => {
  const page = [
    '# TYPE coalmine_mirror_requests_total counter',
    'coalmine_mirror_requests_total{app="iris-api",version="v2",outcome="ok"} 40',
    'coalmine_mirror_requests_total{app="iris-api",version="v2",outcome="timeout"} 1',
    'coalmine_mirror_requests_total{app="iris-api",version="v2",outcome="error"} 2',
    'coalmine_mirror_requests_total{app="iris-api",version="v2",outcome="dropped_full"} 3',
    'coalmine_mirror_requests_total{app="iris-api",version="v2",outcome="dropped_bytes"} 4',
    'http_requests_total{app="iris-api",version="v2",method="POST",status="200"} 99',
  ].join('\n');
  t.same(readMirrorCounts(page), { to: 'v2', ok: 40, failed: 3, dropped: 7 });
  t.equal(readMirrorCounts('nothing 1'), null);
  t.end();
});
