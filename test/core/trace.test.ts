import fc from 'fast-check';
import t from 'tap';
import { isSampled, readTraceparent } from '../../src/core/trace/sample.ts';

const hex = (digits: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: digits, maxLength: digits });

t.test('nothing is sampled of 0, everything of 1', async (t) => {
  fc.assert(fc.property(hex(32), (id) => !isSampled(id, 0) && isSampled(id, 1)));
  for (const digit of '0f')
    t.strictSame(
      [0, 1].map((share) => isSampled(digit.repeat(32), share)),
      [false, true],
    );
});

t.test('a larger share holds all of a smaller one', async () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      hex(32),
      share,
      share,
      (id, a, b) => !isSampled(id, Math.min(a, b)) || isSampled(id, Math.max(a, b)),
    ),
  );
});

t.test('it is the last 56 bits that decide, as OpenTelemetry has it', async (t) => {
  const id = (random: string) => `${'f'.repeat(18)}${random}`;
  t.equal(isSampled(id('80000000000000'), 0.5), true, 'at the threshold');
  t.equal(isSampled(id('7ffffffffffff0'), 0.5), false, 'below it');
  t.equal(isSampled(id('bffffffffffff0'), 0.25), false);
  t.equal(isSampled(id('c0000000000000'), 0.25), true);
});

t.test('a traceparent is read, of this version and of a later one', async (t) => {
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
  const context = { traceId: trace, parentId: '00f067aa0ba902b7' };
  const read = (rest: string) =>
    readTraceparent(`${rest.slice(0, 2)}-${trace}-00f067aa0ba902b7-${rest.slice(2)}`);
  t.strictSame(read('0001'), { ...context, flags: '01', sampled: true });
  t.strictSame(read('0000'), { ...context, flags: '00', sampled: false });
  t.strictSame(read('0002'), { ...context, flags: '02', sampled: false }, 'random is not sampled');
  t.strictSame(read('cc03-what-comes'), { ...context, flags: '03', sampled: true });
});
