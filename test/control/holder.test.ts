import t from 'tap';
import type { Config } from '../../src/config/load.ts';
import { createHolder } from '../../src/control/holder.ts';
import type { Split } from '../../src/core/model.ts';
import { split } from '../support/split.ts';
import { config } from './support.ts';

const at = (revision: number): Split => split([], { revision });

t.test('a swap hands the Split to every sink in order, then keeps it', async (t) => {
  const holder = createHolder(at(1), config());
  const seen: string[] = [];
  holder.subscribe((next) => seen.push(`a${next.revision}, holding ${holder.split().revision}`));
  const stop = holder.subscribe((next) => seen.push(`b${next.revision}`));
  holder.swap(at(2));
  t.equal(holder.split().revision, 2);
  stop();
  holder.swap(at(3));
  t.strictSame(seen, ['a2, holding 1', 'b2', 'a3, holding 2']);
});

t.test('a sink that throws refuses: those before it get the old one back, nothing is kept', async (t) => {
  const before: Config = config();
  const holder = createHolder(at(1), before);
  const seen: string[] = [];
  holder.subscribe((next) => seen.push(`a${next.revision}`));
  holder.subscribe((next) => {
    if (next.revision === 2) throw new Error('cannot compile');
    seen.push(`b${next.revision}`);
  });
  holder.subscribe((next) => seen.push(`c${next.revision}`));
  t.throws(() => holder.swap(at(2), config()), { message: 'cannot compile' });
  t.strictSame(seen, ['a2', 'a1']);
  t.equal(holder.split().revision, 1);
  t.equal(holder.config(), before);
  holder.swap(at(3));
  t.strictSame(seen, ['a2', 'a1', 'a3', 'b3', 'c3']);
});

t.test('revisions rise', async (t) => {
  const holder = createHolder(at(5), config());
  t.throws(() => holder.swap(at(5)), { message: 'revision 5 does not follow 5' });
  t.throws(() => holder.swap(at(4)));
});

t.test('the config stays where a swap brings none', async (t) => {
  const first = config();
  const second = config();
  const holder = createHolder(at(1), first);
  holder.swap(at(2));
  t.equal(holder.config(), first);
  holder.swap(at(3), second);
  t.equal(holder.config(), second);
});
