import fc from 'fast-check';
import t from 'tap';
import { extract, extractStream } from '../../src/core/observe/extract.ts';
import { at, seen, spec } from './observe-support.ts';

const OPENAI = spec({ format: 'openai', labels: ['not', 'used'] });
const CHAT = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  model: 'llama',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 9, completion_tokens: 40, total_tokens: 49 },
};
const TIMING = { ttfbMs: 120, durationMs: 2_000 };

t.test('a completion: its finish reason and its tokens', async (t) => {
  t.strictSame(extract(OPENAI, CHAT), [seen({ class: 'stop', score: 40 })]);
  t.strictSame(extract(OPENAI, { choices: [{ text: 'Hi', finish_reason: 'length' }] }), [
    seen({ class: 'length' }),
  ]);
  t.strictSame(
    extract(OPENAI, { ...CHAT, choices: [{ finish_reason: 'stop' }, { finish_reason: 'tool_calls' }] }),
    [seen({ class: 'stop', score: 20 }), seen({ class: 'tool_calls', score: 20 })],
    'usage is of all choices together',
  );
  t.strictSame(extract(OPENAI, { error: { message: 'overloaded' } }), [seen({ class: 'error' })]);
  for (const json of [
    { choices: [] },
    { choices: 'a' },
    { object: 'list', data: [] },
    { choices: [null, {}] },
    [],
  ]) {
    t.strictSame(extract(OPENAI, json), [], JSON.stringify(json));
  }
  for (const tokens of [-1, '4', null, JSON.parse('1e999')]) {
    t.strictSame(extract(OPENAI, { ...CHAT, usage: { completion_tokens: tokens } }), [
      seen({ class: 'stop' }),
    ]);
  }
});

t.test('what was measured is read like a member', async (t) => {
  const score = (pointer: string, timing: typeof TIMING | null = TIMING) =>
    extract({ ...OPENAI, score: at(pointer) }, CHAT, timing)[0]?.score;
  t.equal(score('/tokensPerSecond'), 20);
  t.equal(score('/ttfbMs'), 120);
  t.equal(score('/durationMs'), 2_000);
  t.equal(score('/completionTokens'), 40);
  t.equal(score('/promptTokens'), 9);
  t.equal(score('/usage/total_tokens'), 49, 'and so are its own');
  t.equal(score('/tokensPerSecond', null), null);
  t.equal(score('/tokensPerSecond', { ttfbMs: 0, durationMs: 0 }), null, 'nothing is divided by nothing');
  t.equal(
    extract({ ...OPENAI, score: at('/ttfbMs') }, { ...CHAT, ttfbMs: 7 }, TIMING)[0]?.score,
    7,
    'its own go first',
  );
  t.strictSame(extract({ ...OPENAI, class: at('/model') }, CHAT), [seen({ class: 'llama', score: 40 })]);
});

const chunk = (choices: readonly unknown[], more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', model: 'llama', choices, usage: null, ...more })}\n\n`;
const said = (content: string, index = 0) => ({ index, delta: { content }, finish_reason: null });
const finished = (finish_reason: string, index = 0) => ({ index, delta: {}, finish_reason });
const USAGE = chunk([], { usage: { prompt_tokens: 9, completion_tokens: 40 } });
const DONE = 'data: [DONE]\n\n';
const STREAM = chunk([said('')]) + chunk([said('Hi')]) + chunk([finished('stop')]) + USAGE + DONE;

t.test('a stream says what the whole answer would have said', async (t) => {
  t.strictSame(extractStream(OPENAI, STREAM), extract(OPENAI, CHAT));
  t.strictSame(extractStream({ ...OPENAI, score: at('/tokensPerSecond') }, STREAM, TIMING), [
    seen({ class: 'stop', score: 20 }),
  ]);
  for (const [name, text] of [
    ['CRLF', STREAM.replaceAll('\n', '\r\n')],
    ['CR', STREAM.replaceAll('\n', '\r')],
    ['no space', STREAM.replaceAll('data: ', 'data:')],
    ['comments and other fields', `: keep-alive\n\nevent: message\nid: 1\n${STREAM}`],
  ] as const) {
    t.strictSame(extractStream(OPENAI, text), extract(OPENAI, CHAT), name);
  }
  const split = JSON.stringify(CHAT, null, 1).replaceAll('\n', '\ndata: ');
  t.strictSame(extractStream(OPENAI, `data: ${split}\n\n`), extract(OPENAI, CHAT), 'data of several lines');
});

t.test('several choices in a stream', async (t) => {
  const text = chunk([said('a', 1)]) + chunk([finished('length', 1)]) + chunk([finished('stop', 0)]) + USAGE;
  t.strictSame(extractStream(OPENAI, text), [
    seen({ class: 'stop', score: 20 }),
    seen({ class: 'length', score: 20 }),
  ]);
});

t.test('tokens are not guessed from the number of chunks', async (t) => {
  t.strictSame(extractStream(OPENAI, chunk([said('a')]) + chunk([finished('stop')]) + DONE), [
    seen({ class: 'stop' }),
  ]);
});

t.test('a failure half-way is a class of its own', async (t) => {
  const failure = 'data: {"error": {"message": "out of memory"}}\n\n';
  t.strictSame(extractStream(OPENAI, chunk([said('Hi')]) + failure), [seen({ class: 'error' })]);
  t.strictSame(extractStream(OPENAI, chunk([finished('stop')]) + failure), [seen({ class: 'stop' })]);
});

t.test('a stream cut off anywhere: no error, and nothing that the whole did not say', async () => {
  fc.assert(
    fc.property(fc.nat({ max: STREAM.length }), (length) => {
      const got = extractStream(OPENAI, STREAM.slice(0, length));
      return (
        got.length <= 1 &&
        got.every((one) => one.class === 'stop' && (one.score === null || one.score === 40))
      );
    }),
  );
});

t.test('hostile streams', async (t) => {
  for (const text of [
    '',
    'data:',
    'data: null\n\ndata: 1\n\ndata: []\n\n',
    '\n'.repeat(1_000),
    DONE,
    '{"a":1}',
  ]) {
    t.strictSame(extractStream(OPENAI, text), [], JSON.stringify(text.slice(0, 40)));
  }
  for (const index of [-1, 1e9, 0.5, '0', null, {}]) {
    t.strictSame(
      extractStream(OPENAI, chunk([{ index, finish_reason: 'stop' }])),
      [],
      `index ${JSON.stringify(index)}`,
    );
  }
  const many = Array.from({ length: 5_000 }, (_, index) => finished('stop', index));
  t.equal(extractStream(OPENAI, chunk(many)).length, 128);
  const hostile = 'data: {"__proto__": {"choices": [{"finish_reason": "x"}]}, "constructor": 1}\n\n';
  t.strictSame(extractStream(OPENAI, hostile), []);
  t.strictSame(extractStream(spec({ class: at('/choices/0/finish_reason') }), STREAM), [], 'of openai alone');
});
