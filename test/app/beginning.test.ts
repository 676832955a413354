import t from 'tap';
import { beginningOf } from '../../src/beginning.ts';

async function* bodyOf(chunks: readonly string[], seen: { ended: boolean }, fails = false) {
  try {
    for (const chunk of chunks) yield Buffer.from(chunk);
    if (fails) throw new Error('the other side closed');
  } finally {
    seen.ended = true;
  }
}

t.test('what an answer begins with, and no more', async (t) => {
  const cases: readonly [string, readonly string[], string][] = [
    ['nothing', [], ''],
    ['all of a short one', ['{"a":', '1}'], '{"a":1}'],
    ['just as much as is read', ['12345678'], '12345678'],
    ['a long one in small pieces', ['1234', '5678', '9'], '12345678'],
    ['a long one in one piece', ['1234567890'], '12345678'],
    ['a character that is cut', ['1234567ä'], '1234567\ufffd'],
  ];
  for (const [name, chunks, wanted] of cases) {
    const seen = { ended: false };
    t.equal(await beginningOf(bodyOf(chunks, seen), 8), wanted, name);
    t.ok(seen.ended, `${name}: the rest is let go`);
  }
});

t.test('a body that breaks off is what came of it', async (t) => {
  t.equal(await beginningOf(bodyOf(['12', '34'], { ended: false }, true), 8), '1234');
});

t.test('an endless one is left after so much', async (t) => {
  let asked = 0;
  async function* endless() {
    for (;;) {
      asked++;
      yield Buffer.from('1234');
    }
  }
  t.equal(await beginningOf(endless(), 8), '12341234');
  t.equal(asked, 2);
});
