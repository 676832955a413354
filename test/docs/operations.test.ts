import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { ERRORS, type ErrorCode } from '../../src/gateway/errors.ts';
import { METRICS } from '../../src/tally/names.ts';
import { requireTool } from '../support/requireTool.ts';
import { blocksOf, PAGES, pageText, ROOT, tableUnder } from './pages.ts';

/** docs/operations.md is read when something is wrong: what it lists must be all there is. */

const operations = pageText('docs/operations.md');

t.test('every error code has its row', async (t) => {
  const sides = { downstream: 'client', gateway: 'gateway', upstream: 'version' } as const;
  const told = tableUnder(operations, '## Error codes').map(([code, status, side]) => [code, status, side]);
  const real = (Object.keys(ERRORS) as ErrorCode[]).map((code) => {
    const { status, side } = ERRORS[code];
    return [`\`${code}\``, String(status), sides[side]];
  });
  t.strictSame(told.toSorted(byFirst), real.toSorted(byFirst));
});

function byFirst(a: readonly (string | undefined)[], b: readonly (string | undefined)[]): number {
  return (a[0] ?? '') < (b[0] ?? '') ? -1 : 1;
}

t.test('every log line has its row', async (t) => {
  const table = tableUnder(operations, '## Log lines')
    .map(([, message]) => message)
    .join('\n');
  const messages = sourceFiles().flatMap((file) => messagesIn(readFileSync(file, 'utf8')));
  t.ok(messages.length > 10, `${messages.length} messages`);
  for (const message of messages) t.ok(table.includes(message), message);
});

/** The demo tells its troubles on its own screen. */
function sourceFiles(): string[] {
  const folder = path.join(ROOT, 'src');
  return (readdirSync(folder, { recursive: true }) as string[])
    .filter((name) => name.endsWith('.ts') && !name.startsWith('demo'))
    .map((name) => path.join(folder, name));
}

const LOG_CALL =
  /(?<!Math\.)(?:\b(?:log|Log)|#log)(?:\.(?:debug|info|warn|error)|\[[^\]]*\])?\(([\s\S]*?)\);/g;

/** The fixed part of what is logged: the longest text among the arguments of each call. */
function messagesIn(source: string): string[] {
  return [...source.matchAll(LOG_CALL)].flatMap(([, args = '']) => {
    const texts = [...args.matchAll(/'([^'\n]*)'|`([^`]*)`/g)]
      .flatMap(([, plain, template]) => (plain ?? template ?? '').split(/\$\{[^}]*\}/))
      .map((text) => text.trim().replace(/:$/, ''))
      .filter((text) => text !== '' && !text.includes('\\'));
    // Of two whole sentences that a condition chooses between, both must be told.
    return args.includes('?') ? texts : texts.toSorted((a, b) => b.length - a.length).slice(0, 1);
  });
}

t.test('the defaults that are named are the defaults', async (t) => {
  const known: Record<string, unknown> = { ...DEFAULTS, ...DEFAULTS.upstream };
  for (const [keys = '', defaults = ''] of tableUnder(operations, '## Limits')) {
    const values = keys.split(', ').map((key) => {
      const names = key.replaceAll('`', '').split('.');
      return names.reduce<unknown>((at, name) => (at as Record<string, unknown>)?.[name], known);
    });
    t.equal(defaults, values.join(', '), keys);
  }
});

t.test('the pages name no metric that is not there', async (t) => {
  const real = Object.values(METRICS).flatMap(({ name, kind }) =>
    kind === 'histogram' ? [name, `${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
  );
  for (const { name, text } of PAGES) {
    for (const [told] of text.matchAll(/\b(?:http_requests?_|coalmine_(?!id\b))\w*/g)) {
      // `coalmine_mirror_*` stands for all of them.
      const there = told.endsWith('_') ? real.some((one) => one.startsWith(told)) : real.includes(told);
      if (!there) t.fail(`${name}: ${told}`);
    }
  }
  t.ok(operations.includes('coalmine_failovers_total'), 'and some are named');
});

t.test('Prometheus takes the alerts', requireTool('promtool'), async (t) => {
  const blocks = blocksOf({ name: 'docs/operations.md', text: operations });
  const rules = blocks.filter(({ language, text }) => language === 'yaml' && text.startsWith('groups:'));
  t.equal(rules.length, 1);
  const file = path.join(t.testdir(), 'rules.yaml');
  writeFileSync(file, rules[0]?.text ?? '');
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
  t.equal(status, 0, stdout + stderr);
});
