import fc from 'fast-check';
import t from 'tap';
import { Recents, readCounted } from '../../src/kpi/recent.ts';

const entry = fc.record({ slot: fc.maxSafeNat().map((n) => n % 2 ** 47), event: fc.boolean() });
const entries = fc.array(entry, { maxLength: 60 });

t.test('what was written is read, the latest ones, oldest first', async (t) => {
  fc.assert(
    fc.property(
      entries,
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (all, service, block) => {
        const recents = new Recents({ service, block });
        for (const { slot, event } of all) recents.add('iris', slot, event);
        const read = readCounted(recents.blocks('iris'));
        t.strictSame(
          read,
          all.slice(all.length - read.length).map(({ slot, event }) => ({ slot, event })),
        );
        t.ok(read.length >= Math.min(all.length, service) && read.length < service + block, 'and enough');
        t.strictSame(recents.forgotten(), { service: all.length - read.length, total: 0 });
      },
    ),
  );
});

t.test('all services together are bounded too, and none is lost uncounted', async (t) => {
  const limits = fc.record({
    service: fc.integer({ min: 1, max: 20 }),
    total: fc.integer({ min: 1, max: 30 }),
    block: fc.integer({ min: 1, max: 5 }),
  });
  const adds = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), entry), { maxLength: 120 });
  fc.assert(
    fc.property(adds, limits, (all, given) => {
      const recents = new Recents(given);
      for (const [name, { slot, event }] of all) recents.add(name, slot, event);
      const kept = ['a', 'b', 'c', 'd'].map((name) => readCounted(recents.blocks(name)));
      const sum = kept.reduce((total, one) => total + one.length, 0);
      t.ok(sum <= given.total, `${sum} of ${given.total}`);
      const { service, total } = recents.forgotten();
      t.equal(sum + service + total, all.length);
      for (const [i, name] of ['a', 'b', 'c', 'd'].entries()) {
        const own = all.filter(([one]) => one === name).map(([, { slot, event }]) => ({ slot, event }));
        t.strictSame(kept[i], own.slice(own.length - (kept[i]?.length ?? 0)), `the latest of ${name}`);
      }
    }),
  );
});

t.test('a service with much takes nothing from those with little', async (t) => {
  const recents = new Recents({ total: 1_000, block: 10 });
  for (let i = 0; i < 50; i++) recents.add('small', i, true);
  for (let i = 0; i < 20_000; i++) recents.add('large', i, true);
  t.equal(readCounted(recents.blocks('small')).length, 50);
  t.equal(readCounted(recents.blocks('large')).length, 950);
  recents.forget('large');
  for (let i = 0; i < 950; i++) recents.add('other', i, true);
  t.equal(readCounted(recents.blocks('small')).length, 50, 'what is given up makes room');
});

t.test('what is full does not change any more', async (t) => {
  const recents = new Recents({ block: 3 });
  for (let i = 0; i < 7; i++) recents.add('iris', i, true);
  const before = recents.blocks('iris');
  recents.add('iris', 7, true);
  const after = recents.blocks('iris');
  t.equal(after.length, 3);
  for (const i of [0, 1]) t.equal(after[i], before[i], 'the same object');
  t.not(after[2], before[2]);
});

t.test('a text that is cut, or none of ours, does no harm', async (t) => {
  const recents = new Recents();
  recents.add('iris', 1, true);
  recents.add('iris', 2 ** 47 - 1, false);
  const text = recents
    .blocks('iris')
    .map((block) => block.text)
    .join('');
  t.strictSame(readCounted([{ text: text.slice(0, 13) }]), [{ slot: 1, event: true }]);
  fc.assert(fc.property(fc.string(), (any) => t.ok(readCounted([{ text: any }]).length <= any.length)));
});
