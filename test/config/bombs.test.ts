import { spawnSync } from 'node:child_process';
import path from 'node:path';
import t, { type Test } from 'tap';
import { parseConfig } from '../../src/config/parse.ts';
import { inspect } from './support.ts';

/**
 * Files made to cost more than they should. No clock is looked at: each would
 * run for seconds, for ever or into the ground if it were not refused early.
 */

const MEGABYTE = 1_000_000;
const fill = (piece: string) => piece.repeat(Math.floor(MEGABYTE / piece.length));

const refusal = (t: Test, text: string): string => {
  const { source, issues } = parseConfig('bomb.yaml', text, {});
  t.equal(source, null);
  t.equal(issues.length, 1);
  return issues[0]?.message ?? '';
};

t.test('nesting is bounded before the library composes it', async (t) => {
  for (const piece of [
    '[',
    '{',
    '{a: ',
    '[[]',
    '- ',
    '? ',
    'a: ',
    '- a: ',
    '[{',
    '[a: ',
    '!!seq [',
    '&a [',
    '- - ? ',
  ]) {
    t.match(refusal(t, fill(piece)), /nests too deeply|unexpected|missing/i, JSON.stringify(piece));
  }
});

t.test('nesting by indentation is bounded too', async (t) => {
  const stairs = Array.from({ length: 1_400 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
  t.match(refusal(t, stairs), /nests too deeply/);
  const dashes = Array.from({ length: 1_400 }, (_, i) => `${' '.repeat(i)}-`).join('\n');
  t.match(refusal(t, dashes), /nests too deeply/);
});

t.test('nesting within these bounds is refused as no key of ours', async (t) => {
  const text = Array.from({ length: 40 }, (_, i) => `${' '.repeat(i)}a:`).join('\n');
  t.match(refusal(t, text), /nests too deeply/);
});

t.test('deep brackets far right or in a comment are not nesting', async (t) => {
  const text = `a: "${'['.repeat(500)}" # ${'['.repeat(500)}\n${' '.repeat(300)}# far right\nb: 1\n`;
  t.strictSame(parseConfig('f.yaml', text, {}).issues, []);
});

t.test('aliases that multiply are refused', async (t) => {
  const laughs = ['a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]'];
  for (let i = 1; i < 10; i++) {
    const nine = Array.from({ length: 9 }, () => `*a${i - 1}`).join(', ');
    laughs.push(`a${i}: &a${i} [${nine}]`);
  }
  t.match(refusal(t, `${laughs.join('\n')}\n`), /aliases are expanded/);
});

t.test('one large anchor used often is refused (quadratic blow-up)', async (t) => {
  const anchor = `a: &a [${'x, '.repeat(5_000)}x]`;
  const uses = Array.from({ length: 5_000 }, (_, i) => `b${i}: *a`).join('\n');
  t.match(refusal(t, `${anchor}\n${uses}\n`), /aliases are expanded/);
});

t.test('too many tokens are refused', async (t) => {
  for (const piece of ['#\n', '!a ', '---\n', '%\n', '\n', '&a ', '*a, ']) {
    const { source, issues } = parseConfig('bomb.yaml', fill(piece), {});
    t.ok(source === null && issues.length > 0 && issues.length <= 25, JSON.stringify(piece));
  }
});

t.test('syntax errors without end are given up after the first', async (t) => {
  t.match(refusal(t, fill('a: ]\n')), /flow-seq-end/);
});

t.test('a hundred thousand keys are compared in one pass', async (t) => {
  const keys = Array.from({ length: 50_000 }, (_, i) => `k${i}: 1`).join('\n');
  const { issues } = inspect(`${keys}\n`);
  t.equal(issues.length, 101);
  t.match(issues.at(-1), { message: /more problems are not shown/, line: 1, fix: 'correct these first' });
});

t.test('a long plain text is only a text', async (t) => {
  const { issues } = inspect(`listen: ${'a'.repeat(MEGABYTE)}\nservices: {}\n`);
  t.match(issues[0], { path: 'listen', message: /address and a port/ });
  t.ok((issues[0]?.message.length ?? 0) < 200);
});

/**
 * In the library's composer a stack that is nearly full meets a regular expression
 * that V8 must still compile, and V8 then ends the process. No exception can be
 * caught, so the only proof is a process that lives on.
 */
t.test('a process that is given such files lives on', async (t) => {
  const script = `
    import { parseConfig } from './src/config/parse.ts';
    for (const piece of ['[', '{', '- ', '{a: ', 'a: ', '? ']) {
      for (const size of [1000, 10000, 100000]) parseConfig('bomb', piece.repeat(size), {});
    }
    console.log('alive');
  `;
  const { stdout, status } = spawnSync(
    process.execPath,
    ['--import=tsx', '--input-type=module', '-e', script],
    {
      cwd: path.resolve(import.meta.dirname, '../..'),
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  t.equal(status, 0);
  t.match(stdout, /alive/);
});
