import t from 'tap';
import { extract, extractStream } from '../../src/core/observe/extract.ts';
import { parse } from '../../src/gateway/observe/parse.ts';
import { at, seen, spec } from './observe-support.ts';

/** What the servers' own documents show as answers; the documents are named beside them. */

const V2 = spec({ format: 'v2' });
const TF = spec({ format: 'tensorflow' });
const OPENAI = spec({ format: 'openai' });
const said = (text: string | Buffer, type = 'application/json') =>
  parse({ kind: 'bytes', bytes: Buffer.from(text), unpacked: false }, type);
const json = (text: string): unknown => {
  const parsed = said(text);
  return parsed.kind === 'json' ? parsed.value : parsed.kind;
};

t.test('v2: the response of the protocol’s REST document', async (t) => {
  // kserve/open-inference-protocol, specification/protocol/inference_rest.md, "Inference Request Examples".
  const answer = {
    id: '42',
    outputs: [{ name: 'output0', shape: [3, 2], datatype: 'FP32', data: [1.0, 1.1, 2.0, 2.1, 3.0, 3.1] }],
  };
  t.strictSame(
    extract(V2, json(JSON.stringify(answer))),
    Array(3).fill(seen({ class: '1' })),
    'three items of two',
  );
});

t.test('v2: an answer with binary tensors is not read, whatever its bytes', async (t) => {
  // triton-inference-server/server, docs/protocol/extension_binary_data.md: JSON, then the data, and the length of the
  // JSON in Inference-Header-Content-Length.
  const head = JSON.stringify({
    outputs: [{ name: 'output0', shape: [3, 2], datatype: 'FP32', parameters: { binary_data_size: 24 } }],
  });
  const numbers = Buffer.from(Float32Array.from([0.1, 0.9, 0.2, 0.8, 0.3, 0.7]).buffer);
  t.strictSame(said(Buffer.concat([Buffer.from(head), numbers]), 'application/octet-stream'), {
    kind: 'nonsense',
  });
  // Spaces pass for the end of a JSON text; the output still has no data.
  const blank = said(Buffer.concat([Buffer.from(head), Buffer.alloc(24, 0x20)]), 'application/octet-stream');
  t.equal(blank.kind, 'json');
  t.strictSame(blank.kind === 'json' ? extract(V2, blank.value) : null, []);
});

t.test('v2: Triton’s classifications', async (t) => {
  // triton-inference-server/server, docs/protocol/extension_classification.md.
  const answer = (shape: readonly number[], ...data: readonly string[]) => ({
    outputs: [{ name: 'output0', shape, datatype: 'BYTES', data }],
  });
  t.strictSame(extract(V2, answer([1, 2], '3.3:1:index_1_label', '2.4:3:index_3_label')), [
    seen({ class: 'index_1_label' }),
  ]);
  t.strictSame(extract(V2, answer([2, 2], '3.300000:1', '2.400000:3', '0.5:0', '0.25:2')), [
    seen({ class: '1' }),
    seen({ class: '0' }),
  ]);
  t.strictSame(extract({ ...V2, labels: ['apple', 'pickle'] }, answer([1], '0.75:1')), [
    seen({ class: 'pickle' }),
  ]);
  t.strictSame(
    extract(V2, answer([2], '12:30', 'a:1')),
    [seen({ class: '12:30' }), seen({ class: 'a:1' })],
    'classes of their own',
  );
});

t.test('tensorflow: predictions by row and by column, and the two older calls', async (t) => {
  // tensorflow/serving, tensorflow_serving/g3doc/api_rest.md: "Example", "Response format".
  t.strictSame(
    extract(TF, json('{"predictions": [3.5, 4.0, 5.5]}')),
    [3.5, 4, 5.5].map((score) => seen({ score })),
  );
  t.strictSame(
    extract(TF, json('{"results": [3.5, 4.0]}')),
    [seen({ score: 3.5 }), seen({ score: 4 })],
    'regress',
  );
  t.strictSame(
    extract(TF, {
      result: [
        [
          ['cat', 0.2],
          ['dog', 0.8],
        ],
        [
          ['', 0.9],
          ['', 0.1],
        ],
      ],
    }),
    [seen({ class: 'dog', confidence: 0.8 }), seen({ class: '0', confidence: 0.9 })],
    'classify; labels may be empty',
  );
  const columns = {
    outputs: {
      classes: ['a', 'b'],
      probabilities: [
        [0.7, 0.3],
        [0.4, 0.6],
      ],
      signal: [1, 2],
    },
  };
  t.strictSame(extract(TF, columns), [
    seen({ class: 'a', confidence: 0.7 }),
    seen({ class: 'b', confidence: 0.6 }),
  ]);
  t.strictSame(
    extract(TF, {
      outputs: [
        [0.1, 0.9],
        [0.8, 0.2],
      ],
    }),
    [seen({ class: '1', confidence: 0.9 }), seen({ class: '0', confidence: 0.8 })],
    'one tensor alone has no name',
  );
  t.strictSame(
    extract(TF, { outputs: { score: [1, 2, 3], label: ['a'] } }),
    [seen({ class: 'a', score: 1 }), seen({ score: 2 }), seen({ score: 3 })],
    'columns need not be of one length',
  );
  for (const odd of [
    { outputs: {} },
    { outputs: { a: 1 } },
    { results: [[['a', 'b']]] },
    { results: [[['a', 1], 7]] },
    { results: [[]] },
  ]) {
    t.strictSame(extract(TF, odd), [], JSON.stringify(odd));
  }
  // "JSON conformance": it writes NaN and Infinity, which JSON does not know.
  t.equal(said('{"predictions": [NaN, 4.0]}').kind, 'nonsense', 'not read, and counted as such');
  t.strictSame(extract(TF, json('{"error": "Servable not found for request: Latest(half)"}')), []);
});

/** As the chat streaming reference shows them: platform.openai.com/docs/api-reference/chat-streaming. */
const chunk = (more: object) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-123', object: 'chat.completion.chunk', created: 1694268190, model: 'gpt-4o-mini', system_fingerprint: 'fp_44709d6fcb', ...more })}\n\n`;
const choice = (delta: object, finish_reason: string | null, index = 0) => ({
  index,
  delta,
  logprobs: null,
  finish_reason,
});

t.test('openai: a chat stream with its usage, tools, several choices', async (t) => {
  const role = chunk({ choices: [choice({ role: 'assistant', content: '' }, null)], usage: null });
  const word = chunk({ choices: [choice({ content: 'Hello' }, null)], usage: null });
  const end = chunk({ choices: [choice({}, 'stop')], usage: null });
  const usage = chunk({
    choices: [],
    usage: {
      prompt_tokens: 19,
      completion_tokens: 10,
      total_tokens: 29,
      completion_tokens_details: { reasoning_tokens: 0 },
    },
  });
  const done = 'data: [DONE]\n\n';
  t.strictSame(extractStream(OPENAI, role + word + end + usage + done), [seen({ class: 'stop', score: 10 })]);
  t.strictSame(extractStream({ ...OPENAI, score: at('/promptTokens') }, role + end + usage + done), [
    seen({ class: 'stop', score: 19 }),
  ]);
  const call = {
    index: 0,
    id: 'call_abc123',
    type: 'function',
    function: { name: 'get_current_weather', arguments: '' },
  };
  const tools =
    chunk({ choices: [choice({ role: 'assistant', content: null, tool_calls: [call] }, null)] }) +
    chunk({
      choices: [
        choice({ tool_calls: [{ index: 0, function: { arguments: '{"location": "Boston' } }] }, null),
      ],
    }) +
    chunk({ choices: [choice({}, 'tool_calls')] });
  t.strictSame(extractStream(OPENAI, tools + done), [seen({ class: 'tool_calls' })]);
  const two =
    chunk({ choices: [choice({}, 'length', 1)] }) + chunk({ choices: [choice({}, 'content_filter', 0)] });
  t.strictSame(extractStream(OPENAI, role + two + usage + done), [
    seen({ class: 'content_filter', score: 5 }),
    seen({ class: 'length', score: 5 }),
  ]);
  // Azure and others send a first chunk about the prompt that has no choices.
  t.strictSame(extractStream(OPENAI, chunk({ choices: [], prompt_filter_results: [] }) + end + done), [
    seen({ class: 'stop' }),
  ]);
});

t.test('openai: failures in a stream, as servers say them', async (t) => {
  const begun = chunk({ choices: [choice({ content: 'Hel' }, null)] });
  for (const failure of [
    // OpenAI, and vLLM from 0.10 on.
    {
      error: {
        message: 'The server had an error while processing your request',
        type: 'server_error',
        param: null,
        code: null,
      },
    },
    // vLLM before (protocol.py, ErrorResponse).
    { object: 'error', message: 'out of memory', type: 'InternalServerError', param: null, code: 500 },
    // text-generation-inference (its router's stream of server-sent events).
    { error: 'Request failed during generation: out of memory', error_type: 'generation' },
  ]) {
    t.strictSame(
      extractStream(OPENAI, `${begun}data: ${JSON.stringify(failure)}\n\n`),
      [seen({ class: 'error' })],
      JSON.stringify(failure),
    );
    t.strictSame(extract(OPENAI, failure), [seen({ class: 'error' })], 'and without a stream');
  }
  t.strictSame(extractStream(OPENAI, 'data: {"error": ""}\n\n'), []);
});
