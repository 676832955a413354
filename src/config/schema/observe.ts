import Type from 'typebox';
import { DEFAULTS } from '../defaults.ts';
import { count, type KeyOptions, section, share, size, text, word } from './build.ts';

/** How the model's answers are read, and how a shadow's are compared with them. */

const base = DEFAULTS.predictions;

/** A JSON Pointer or the name of an output, as the format wants it; the check tells them apart. */
const field = (options: KeyOptions) =>
  Type.String({ maxLength: 512, ...options, 'x-type': 'a JSON Pointer; for `v2` an output’s name' });

const sampleSchema = section(
  {
    share: share(0, 1, {
      description: 'Share of the answers that are read, by a hash of the request’s id.',
      default: base.sample.share,
    }),
    perSecond: count(1, 100_000, {
      description: 'Answers read in a second at most, by each process.',
      default: base.sample.perSecond,
    }),
    maxBody: size(
      { min: '1KiB', max: '64MiB' },
      {
        description: 'Larger answers, as sent or decompressed, are not read, and counted.',
        default: base.sample.maxBody,
      },
    ),
    cpu: share(0.001, 1, {
      description: 'Share of one core that reading may take; beyond it samples are shed, never requests.',
      default: base.sample.cpu,
    }),
  },
  { description: 'How many answers are read, and at what cost. Clients never wait for it.' },
);

export const predictionsSchema = section(
  {
    format: word(['json', 'v2', 'tensorflow', 'openai'], {
      description:
        'What the answers look like. `json`: any JSON, read by the pointers. `v2`: Open Inference Protocol, read by the outputs’ names and types. `tensorflow`: TensorFlow Serving’s `predictions`. `openai`: completions, also streamed: the finish reason is the class, the completion’s tokens are the score; pointers reach `/tokensPerSecond`, `/ttfbMs`, `/durationMs`, `/completionTokens` and `/promptTokens`, too. The last three need no pointers.',
      default: base.format,
    }),
    class: field({
      description:
        'Where the predicted class stands, such as `/prediction`; `/items/*/label` for every item of a list, `""` for the whole answer.',
      'x-default': 'what the format says by itself, or none',
    }),
    confidence: field({
      description: 'Where the model’s confidence stands, from 0 to 1.',
      'x-default': 'what the format says by itself, or none',
    }),
    score: field({
      description: 'Where a continuous score stands.',
      'x-default': 'what the format says by itself, or none',
    }),
    scoreRange: Type.Unsafe<readonly [number, number]>({
      type: 'array',
      items: { type: 'number', minimum: -1e12, maximum: 1e12, description: 'A bound.' },
      minItems: 2,
      maxItems: 2,
      description: 'Where scores lie; those outside count as the nearest bound.',
      'x-default': `\`[${base.scoreRange.join(', ')}]\`; for \`openai\` \`[${base.tokenRange.join(', ')}]\``,
      'x-type': 'a list of two numbers',
      'x-hint': 'write the least and the greatest score, such as [0, 1]',
    }),
    labels: Type.Array(text('label', 'a name', { description: 'A class.' }), {
      description: 'Names of the classes, where answers give their positions, from 0.',
      default: [],
      maxItems: 1_000,
      uniqueItems: true,
      'x-type': 'a list of names',
      'x-hint': 'write a list such as [setosa, versicolor, virginica]',
    }),
    sample: sampleSchema,
  },
  {
    description:
      'Reads the model’s answers: their classes, confidence or scores, for the metrics and the gates. The short form has the pointers only: `{ class: /prediction, confidence: /confidence }`.',
    'x-default': 'none',
    'x-hint': 'write { class: /prediction, confidence: /confidence }',
  },
);

const pointers = (description: string) =>
  Type.Array(
    Type.String({
      description: 'A JSON Pointer.',
      minLength: 1,
      maxLength: 512,
      'x-form': { kind: 'pointer' },
      'x-type': 'a JSON Pointer',
    }),
    {
      description,
      default: [],
      maxItems: 100,
      uniqueItems: true,
      'x-type': 'a list of JSON Pointers',
      'x-hint': 'write a list such as [/timestamp, /items/*/id]',
    },
  );

export const shadowSchema = section(
  {
    compare: word(['class', 'score', 'json'], {
      description:
        '`class`: the classes are equal. `score`: the scores differ by at most `tolerance`. `json`: the answers are equal but for what `ignore` names.',
      'x-default': '`class` where `predictions` reads one, else `score`, else `json`',
    }),
    tolerance: Type.Number({
      description: 'Greatest difference between two scores that agree.',
      default: DEFAULTS.shadow.tolerance,
      minimum: 0,
      maximum: 1e12,
      'x-type': 'a number (0 or more)',
    }),
    ignore: pointers('For `compare: json`: parts that may differ.'),
    keep: count(0, 1_000, {
      description: 'Disagreeing pairs of answers kept in memory for reading, the latest ones.',
      default: DEFAULTS.shadow.keep,
    }),
    redact: pointers('Parts that are blotted out in the pairs that are kept.'),
  },
  {
    description:
      'How a mirrored request’s two answers are compared. Needs a mirror. Without this section answers are compared where `predictions` says how to read them.',
    'x-default': 'none',
    'x-hint': 'write { compare: class }',
  },
);
