import fc from 'fast-check';
import t from 'tap';
import { Recent, readRecent } from '../../src/kpi/recent.ts';

const entry = fc.record({ slot: fc.maxSafeNat().map((n) => n % 2 ** 47), event: fc.boolean() });

t.test('what was written is read, the latest ones, oldest first', async (t) => {
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 40 }), fc.integer({ min: 1, max: 12 }), (entries, max) => {
      const recent = new Recent(max);
      for (const { slot, event } of entries) recent.add(slot, event);
      t.strictSame(
        readRecent(recent.text()),
        entries.slice(-max).map(({ slot, event }) => ({ slot, event })),
      );
    }),
  );
});

t.test('a text that is cut, or none of ours, does no harm', async (t) => {
  const recent = new Recent();
  recent.add(1, true);
  recent.add(2 ** 47 - 1, false);
  const text = recent.text();
  t.strictSame(readRecent(text.slice(0, 13)), [{ slot: 1, event: true }]);
  fc.assert(fc.property(fc.string(), (any) => t.ok(readRecent(any).length <= any.length)));
});
