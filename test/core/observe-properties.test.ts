import fc from 'fast-check';
import t from 'tap';
import { comparePair } from '../../src/core/observe/compare.ts';
import { extract, extractStream } from '../../src/core/observe/extract.ts';
import type { ObserveSpec } from '../../src/core/observe/spec.ts';
import { MAX_CLASS_CHARS } from '../../src/core/observe/values.ts';
import { pairs, spec } from './observe-support.ts';

/** JSON made of the words that the formats look for, so that wrong shapes are nearly right. */
const WORDS = [
  'outputs',
  'name',
  'datatype',
  'shape',
  'data',
  'predictions',
  'class',
  'classes',
  'class_ids',
  'probabilities',
  'score',
  'choices',
  'finish_reason',
  'usage',
  'completion_tokens',
  'error',
  'index',
  '__proto__',
  'length',
];
const { tree } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'medium', withCrossShrink: true },
    fc.constantFrom<unknown>(
      0,
      1,
      2,
      0.25,
      0.75,
      -1,
      1e308,
      Infinity,
      'a',
      'FP32',
      'INT64',
      'BYTES',
      '',
      true,
      null,
    ),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...WORDS), tie('tree'), { maxKeys: 5 }),
  ),
}));
const json = fc.oneof(tree, fc.jsonValue());
const pointer = fc.option(fc.array(fc.constantFrom('*', '0', '1', ...WORDS), { maxLength: 4 }));
const anySpec: fc.Arbitrary<ObserveSpec> = fc
  .record({
    format: fc.constantFrom('json' as const, 'v2' as const, 'tensorflow' as const, 'openai' as const),
    class: pointer,
    confidence: pointer,
    score: pointer,
    labels: fc.constantFrom([], ['no', 'yes'], ['x'.repeat(100)]),
    by: fc.constantFrom('class' as const, 'score' as const, 'json' as const),
  })
  .map(({ by, ...over }) => spec({ ...over, pairs: pairs({ by, ignore: [['a'], ['*', 'data']] }) }));

t.test('any JSON under any spec: no error, and nothing out of bounds', async () => {
  fc.assert(
    fc.property(anySpec, json, (spec, json) => {
      const before = JSON.stringify(json);
      const items = extract(spec, json, { ttfbMs: 1, durationMs: 2 });
      return (
        JSON.stringify(json) === before &&
        items.length <= 3_000 &&
        (items.length === 0 || items.some((one) => Object.values(one).some((value) => value !== null))) &&
        items.every(
          ({ class: name, confidence, score }) =>
            (name === null || (name.length > 0 && name.length <= MAX_CLASS_CHARS)) &&
            (confidence === null || (confidence >= 0 && confidence <= 1)) &&
            (score === null || Number.isFinite(score)),
        )
      );
    }),
    { numRuns: 2_000 },
  );
});

t.test('an answer agrees with itself or says nothing to compare', async () => {
  fc.assert(
    fc.property(anySpec, json, (spec, json) => comparePair(spec, json, json) !== 'disagree'),
    { numRuns: 1_000 },
  );
});

t.test('two answers: no error', async () => {
  fc.assert(
    fc.property(anySpec, json, json, (spec, a, b) =>
      ['agree', 'disagree', 'incomparable'].includes(comparePair(spec, a, b)),
    ),
    { numRuns: 1_000 },
  );
});

t.test('any text as a stream: no error', async () => {
  const line = fc.oneof(
    json.map((value) => `data: ${JSON.stringify(value)}`),
    fc.constantFrom('', 'data', 'data:', 'data: [DONE]', ':', '\r', 'event: error'),
    fc.string(),
  );
  fc.assert(
    fc.property(anySpec, fc.array(line), (spec, lines) => {
      const items = extractStream(spec, lines.join('\n'));
      return items.every(({ class: name }) => name === null || name.length <= MAX_CLASS_CHARS);
    }),
  );
});

t.test('a batch says what its items say one by one', async () => {
  const item = fc.record({
    label: fc.constantFrom('a', 'b', null),
    p: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
  });
  const one = spec({ class: ['label'], confidence: ['p'] });
  const batch = spec({ class: ['items', '*', 'label'], confidence: ['items', '*', 'p'] });
  const nothing = { class: null, confidence: null, score: null };
  fc.assert(
    fc.property(fc.array(item), (items) => {
      const singly = items.map((item) => extract(one, item)[0] ?? nothing);
      const together = extract(batch, { items });
      return (
        JSON.stringify(together) === JSON.stringify(singly) ||
        (together.length === 0 && singly.every((item) => item.class === null && item.confidence === null))
      );
    }),
  );
});
