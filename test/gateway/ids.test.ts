import t from 'tap';
import { isTraceparent, newInstanceId, newTraceparent, requestIdOf } from '../../src/gateway/ids.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

t.test('a request id is taken over where it is safe to write anywhere', async (t) => {
  for (const id of ['a', 'r-1', 'A.b_c:d/e+f=g@h', '0'.repeat(128)]) t.equal(requestIdOf(id), id);
});

t.test('any other request id is replaced by one of its own', async (t) => {
  const bad = [
    undefined,
    '',
    ' ',
    'a b',
    'a, b',
    '0'.repeat(129),
    'a"b',
    'a\nb',
    '<x>',
    'é',
    'a{b}',
    'a;b',
    "a'b",
  ];
  const made = bad.map((id) => requestIdOf(id));
  for (const id of made) t.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.equal(new Set(made).size, bad.length, 'each different');
});

t.test('a traceparent is valid as W3C Trace Context says', async (t) => {
  const valid = [
    `00-${TRACE}-${SPAN}-00`,
    `00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-ff`,
    `01-${TRACE}-${SPAN}-01`,
    `cc-${TRACE}-${SPAN}-01-what-the-future-brings`,
  ];
  for (const text of valid) t.ok(isTraceparent(text), text);
  const invalid = [
    '',
    TRACE,
    `00-${TRACE}-${SPAN}`,
    `00-${TRACE}-${SPAN}-01-more`,
    `ff-${TRACE}-${SPAN}-01`,
    `0-${TRACE}-${SPAN}-01`,
    `00-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE}-${'0'.repeat(16)}-01`,
    `01-${'0'.repeat(32)}-${SPAN}-01`,
    `00-${TRACE.toUpperCase()}-${SPAN}-01`,
    `00-${TRACE.slice(1)}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}0-01`,
    `00-${TRACE}-${SPAN}-1`,
    `00-${TRACE}-${SPAN}-0g`,
    `01-${TRACE}-${SPAN}-01x`,
    ` 00-${TRACE}-${SPAN}-01`,
    `00-${TRACE}-${SPAN}-01 `,
  ];
  for (const text of invalid) t.notOk(isTraceparent(text), text);
});

t.test('a traceparent that is made is valid, not sampled, and never made twice', async (t) => {
  // More than one pool of randomness, so that its refill is among them.
  const made = Array.from({ length: 1_000 }, newTraceparent);
  t.ok(made.every((text) => isTraceparent(text) && text.endsWith('-00')));
  t.equal(new Set(made.map((text) => text.split('-')[1])).size, 1_000, 'trace ids');
  t.equal(new Set(made.map((text) => text.split('-')[2])).size, 1_000, 'span ids');
});

t.test('an instance has a name of its own, fit for Via', async (t) => {
  t.match(newInstanceId(), /^coalmine-[0-9a-f]{12}$/);
  t.not(newInstanceId(), newInstanceId());
});
