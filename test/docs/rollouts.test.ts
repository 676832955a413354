import t, { type Test } from 'tap';
import { FUNCTION_NAMES } from '../../src/core/analysis/conditions/ast.ts';
import { WORD_SIGNS } from '../../src/core/analysis/conditions/lex.ts';
import { BINARY, UNARY } from '../../src/core/analysis/conditions/operators.ts';
import { MAX_HISTORY } from '../../src/core/rollout/draft.ts';
import { NOTIFY_KINDS, WEBHOOK_TYPES } from '../../src/core/rollout/plan.ts';
import { HISTORY_KINDS } from '../../src/core/rollout/state.ts';
import { keysAt } from './keys.ts';
import { pageText, proseOf, tableUnder } from './pages.ts';

/** The tables of docs/rollouts.md and docs/analysis.md list all there is, and nothing else. */

const rollouts = pageText('docs/rollouts.md');
const analysis = pageText('docs/analysis.md');

/** Words in backticks in a table's first column. */
function firstColumn(page: string, heading: string): string[] {
  return tableUnder(page, heading).flatMap(([cell = '']) => codesIn(cell));
}

/** A bar that would end the cell stands behind a backslash. */
function codesIn(text: string): string[] {
  return [...text.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll('\\|', '|'));
}

function same(t: Test, told: readonly string[], real: readonly string[]): void {
  t.strictSame([...told].sort(), [...real].sort());
}

t.test('every state', async (t) => {
  const states = ['idle', 'starting', 'stepping', 'completed', 'aborted', 'undone', 'blocked'];
  same(t, firstColumn(rollouts, '## States and phases'), states);
});

t.test('every step', async (t) => {
  const told = firstColumn(rollouts, '## Steps').map((code) => code.split(':')[0] ?? '');
  same(t, [...new Set(told)], keysAt('services.*.rollout.steps.*'));
});

t.test('every command', async (t) => {
  const told = firstColumn(rollouts, '## What a person may tell it');
  const verbs = ['start', 'promote', 'promote --full', 'pause', 'resume', 'abort', 'retry', 'undo'];
  same(t, told, [...verbs, 'set-weight']);
});

t.test('every type of hook', async (t) => {
  same(t, firstColumn(rollouts, '## Hooks'), ['requires', ...WEBHOOK_TYPES]);
});

t.test('every kind of notification', async (t) => {
  same(t, firstColumn(rollouts, '## Notifications'), NOTIFY_KINDS);
});

t.test('every kind of entry in the history', async (t) => {
  same(t, firstColumn(rollouts, '## History'), HISTORY_KINDS);
  t.match(rollouts, `The last ${MAX_HISTORY} entries`);
});

t.test('every key is told of', async (t) => {
  const told = (text: string) => new Set(codesIn(text).flatMap((code) => code.match(/\w+/g) ?? []));
  const ofRollouts = told(proseOf({ name: '', text: rollouts }));
  const ofAnalysis = told(proseOf({ name: '', text: analysis }));
  for (const key of keysAt('services.*.rollout')) t.ok(ofRollouts.has(key), key);
  for (const key of keysAt('analysisTemplates.*')) t.ok(ofAnalysis.has(key), key);
  for (const key of keysAt('analysisTemplates.*.metrics.*')) t.ok(ofAnalysis.has(key), key);
  for (const provider of keysAt('analysisTemplates.*.metrics.*.provider')) {
    t.ok(analysis.includes(`\n### ${provider}\n`), provider);
    for (const key of keysAt(`analysisTemplates.*.metrics.*.provider.${provider}`)) {
      t.ok(ofAnalysis.has(key), `${provider}.${key}`);
    }
  }
});

t.test('every function and operator of conditions', async (t) => {
  const [operators = [], ...functions] = tableUnder(analysis, '## Conditions');
  same(
    t,
    functions.flatMap(([, names = '']) => codesIn(names)),
    FUNCTION_NAMES,
  );
  const rest = ['?:', '? :', '?.', '.', '[i]', '[a:b]'];
  const real = new Set([...Object.keys(BINARY), ...Object.keys(UNARY), ...WORD_SIGNS, ...rest]);
  same(t, codesIn(operators[1] ?? ''), [...real]);
});
