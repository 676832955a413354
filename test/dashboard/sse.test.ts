import fc from 'fast-check';
import t from 'tap';
import { SseParser } from '../../src/dashboard/net/sse.ts';

t.test('events are read as they are written', async (t) => {
  const table: [string, string, { event: string; data: string }[]][] = [
    ['one', 'event: overview\ndata: {"a":1}\n\n', [{ event: 'overview', data: '{"a":1}' }]],
    ['without a name', 'data: x\n\n', [{ event: 'message', data: 'x' }]],
    ['several lines', 'data: a\ndata: b\n\n', [{ event: 'message', data: 'a\nb' }]],
    ['CRLF', 'event: p\r\ndata: x\r\n\r\n', [{ event: 'p', data: 'x' }]],
    ['CR', 'event: p\rdata: x\r\r:', [{ event: 'p', data: 'x' }]],
    ['comments keep awake', ': still here\n\ndata: x\n\n', [{ event: 'message', data: 'x' }]],
    ['a name without data', 'event: p\n\ndata: x\n\n', [{ event: 'message', data: 'x' }]],
    ['one space is no data', 'data:  x\n\n', [{ event: 'message', data: ' x' }]],
    ['no space at all', 'data:x\n\n', [{ event: 'message', data: 'x' }]],
    ['other fields', 'id: 3\nretry: 5\ndata: x\n\n', [{ event: 'message', data: 'x' }]],
    ['not ended yet', 'data: x\n', []],
    ['a mark of byte order', '\uFEFFdata: x\n\n', [{ event: 'message', data: 'x' }]],
  ];
  for (const [name, text, wanted] of table) t.strictSame(new SseParser().push(text), wanted, name);
});

t.test('however the stream is cut, the same comes out of it', async (t) => {
  const text = 'event: a\r\ndata: 1\r\n\r\n: c\n\nevent: b\ndata: 2\ndata: ä\n\ndata: 3\n\n';
  const whole = new SseParser().push(text);
  fc.assert(
    fc.property(fc.array(fc.nat(text.length), { maxLength: 12 }), (cuts) => {
      const parser = new SseParser();
      const edges = [0, ...cuts.sort((a, b) => a - b), text.length];
      const found = edges.flatMap((from, i) => parser.push(text.slice(from, edges[i + 1] ?? text.length)));
      t.strictSame(found, whole);
    }),
    { numRuns: 200 },
  );
});

t.test('a line that never ends is an error, not a memory', async (t) => {
  const parser = new SseParser();
  t.throws(() => {
    for (let i = 0; i < 20; i++) parser.push('x'.repeat(1024 * 1024));
  }, /without an end/);
});
