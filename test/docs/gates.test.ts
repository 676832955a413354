import t, { type Test } from 'tap';
import { DEFAULTS } from '../../src/config/defaults.ts';
import { GATE_NAMES } from '../../src/config/schema/gates.ts';
import { HOLD_RAMP_M, toleratedRate } from '../../src/core/judge/advance.ts';
import { PRECEDENCE } from '../../src/core/judge/combine.ts';
import { MAX_CLASS_CHARS } from '../../src/core/observe/values.ts';
import { keysAt } from './keys.ts';
import { pageText, proseOf, tableUnder } from './pages.ts';

/** docs/gates.md tells of every gate, state, format and key, and of the figures that are in force. */

const gates = pageText('docs/gates.md');

function firstColumn(heading: string): string[] {
  return tableUnder(gates, heading).map(([cell = '']) => /`(\w+)/.exec(cell)?.[1] ?? cell);
}

function same(t: Test, told: readonly string[], real: readonly string[]): void {
  t.strictSame([...told].sort(), [...real].sort());
}

t.test('every gate, and one with a name of its own', async (t) => {
  same(t, firstColumn('## The six gates'), [...GATE_NAMES, 'ctr']);
});

t.test('every state, the first to decide named first', async (t) => {
  same(t, firstColumn('## States'), PRECEDENCE);
  const [first, ...others] = PRECEDENCE.map((state) => `\`${state}\``);
  t.match(gates, `${first} goes before ${others.join(', that before ')}.`);
});

t.test('every format', async (t) => {
  same(t, firstColumn('## Reading predictions'), ['json', 'v2', 'tensorflow', 'openai']);
});

t.test('every key', async (t) => {
  const shown = [...gates.matchAll(/\w+/g)].map(([word]) => word);
  const told = new Set(shown);
  for (const path of ['services.*.gates', 'services.*.predictions', 'services.*.shadow']) {
    for (const key of keysAt(path)) t.ok(told.has(key), key);
  }
  for (const key of keysAt('services.*.predictions.sample')) t.ok(told.has(key), key);
  for (const name of GATE_NAMES)
    for (const key of keysAt(`services.*.gates.${name}`)) t.ok(told.has(key), key);
});

t.test('the defaults', async (t) => {
  const { alpha, beta, minSamples } = DEFAULTS.gates;
  const told = tableUnder(gates, '## A whole one').map((row) => [row[0]?.replaceAll('`', ''), row[1]]);
  t.strictSame(
    told,
    Object.entries({ alpha, beta, minSamples }).map(([key, value]) => [key, String(value)]),
  );
  const { atLeast, onTimeout } = DEFAULTS.evidencePause;
  t.match(gates, `| \`atLeast\` | ${atLeast} |`);
  t.match(gates, `| \`onTimeout\` | \`${onTimeout}\` |`);
  for (const value of Object.values(DEFAULTS.predictions.sample)) t.match(gates, `| ${value} |`);
});

t.test('what the next weight asks for', async (t) => {
  const rates = [0.01, 0.05, 0.25, 1].map(toleratedRate);
  t.strictSame(rates, [1, 0.05, 0.02, 0.01]);
  const told = tableUnder(gates, '## Pauses until evidence').map(
    ([, excluded = '']) => /(\d+) %/.exec(excluded)?.[1],
  );
  t.strictSame(told, [undefined, '5', '2', '1']);
  t.match(proseOf({ name: '', text: gates }), `From ${HOLD_RAMP_M} on the ramp is held`);
  t.match(gates, `cut at ${MAX_CLASS_CHARS} characters`);
});
