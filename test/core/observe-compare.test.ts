import fc from 'fast-check';
import t from 'tap';
import { compareObserved, comparePair } from '../../src/core/observe/compare.ts';
import { equalJson, MAX_DEPTH, MAX_NODES } from '../../src/core/observe/equal.ts';
import { REDACTED, redact } from '../../src/core/observe/redact.ts';
import { at, pairs, seen, spec } from './observe-support.ts';

const items = (...labels: readonly unknown[]) => ({
  items: labels.map((label) => ({ label, score: label })),
});
const BY_CLASS = spec({ class: at('/items/*/label'), pairs: pairs({ by: 'class' }) });
const byScore = (tolerance: number) =>
  spec({ score: at('/items/*/score'), pairs: pairs({ by: 'score', tolerance }) });
const byJson = (...ignore: readonly string[]) =>
  spec({ pairs: pairs({ by: 'json', ignore: ignore.map(at) }) });

t.test('by class, item by item', async (t) => {
  const compare = (a: unknown, b: unknown) => comparePair(BY_CLASS, a, b);
  t.equal(compare(items('a', 'b'), items('a', 'b')), 'agree');
  t.equal(compare(items('a', 'b'), items('b', 'a')), 'disagree');
  t.equal(compare(items('a', 'b'), items('a')), 'disagree', 'a shadow that leaves items out');
  t.equal(compare(items('a'), items('a', 'b')), 'disagree', 'or adds some');
  t.equal(compare(items('a'), { message: 'sorry' }), 'disagree', 'or says something else');
  t.equal(compare({ message: 'sorry' }, items('a')), 'incomparable', 'there is nothing to agree with');
  t.equal(compare(items(), items()), 'incomparable');
  t.equal(
    compare(items('a', null, 'c'), items('a', 'b', 'c')),
    'agree',
    'what the client was not told is open',
  );
  t.equal(compare(items('a', null, 'c'), items('a', 'c', null)), 'disagree', 'items keep their places');
  t.equal(comparePair(spec({ class: [] }), 'a', 'a'), 'incomparable', 'nobody wants to know');
});

t.test('by score, within the tolerance', async (t) => {
  const compare = (tolerance: number, a: unknown, b: unknown) =>
    comparePair(byScore(tolerance), items(a), items(b));
  t.equal(compare(0.01, 0.93, 0.92), 'agree', '0.93 - 0.92 is above 0.01 in binary');
  t.equal(compare(0.01, 0.93, 0.9199), 'disagree');
  t.equal(compare(0, 0.5, 0.5), 'agree');
  t.equal(compare(0, 0.5, 0.5001), 'disagree');
  t.equal(compare(10, -5, 5), 'agree');
  t.equal(compare(1, 1, 'much'), 'disagree');
  t.equal(compare(1, 'much', 1), 'incomparable');
});

t.test('answers that have been read already', async (t) => {
  t.equal(compareObserved(pairs(), [seen({ class: 'a' })], [seen({ class: 'a' })]), 'agree');
  t.equal(
    compareObserved(pairs({ by: 'json' }), [seen({ class: 'a' })], [seen({ class: 'a' })]),
    'incomparable',
  );
});

t.test('by JSON, but for what is ignored', async (t) => {
  const a = {
    id: 1,
    items: [
      { at: 1, x: 'a' },
      { at: 2, x: 'b' },
    ],
    meta: { took: 5, model: 'm' },
  };
  const b = { meta: { model: 'm', took: 9 }, items: [{ x: 'a', at: 7 }, { x: 'b' }], id: 1 };
  t.equal(comparePair(byJson('/items/*/at', '/meta/took'), a, b), 'agree', 'members in any order');
  t.equal(comparePair(byJson('/items/*/at'), a, b), 'disagree');
  t.equal(comparePair(byJson('/items/0/at', '/meta'), a, b), 'disagree', 'of one item only');
  t.equal(comparePair(byJson('/items', '/meta'), a, b), 'agree');
  t.equal(comparePair(byJson('/items/*'), { items: [1] }, { items: [1, 2, 3] }), 'agree', 'all items');
  t.equal(comparePair(byJson('/items/1'), { items: [1] }, { items: [1, 2, 3] }), 'disagree');
  t.equal(comparePair(byJson(''), 1, 2), 'agree', 'the whole answer');
  t.equal(comparePair(byJson('/x'), { x: 1 }, {}), 'agree', 'there in one only');
  t.equal(comparePair(byJson('/x'), { x: 1, y: 1 }, {}), 'disagree');
});

t.test('values that are and are not equal', async (t) => {
  for (const [a, b] of [
    [0, -0],
    [[], []],
    [{}, {}],
    [null, null],
  ]) {
    t.equal(equalJson(a, b, []), 'equal', JSON.stringify([a, b]));
  }
  for (const [a, b] of [
    [1, '1'],
    [null, {}],
    [[], {}],
    [[1], { 0: 1 }],
    [{ a: 1 }, { a: 1, b: null }],
    [{ a: null }, {}],
    [JSON.parse('{"__proto__": {}}'), {}],
    [{}, JSON.parse('{"toString": 1}')],
    [[1, 2], [1]],
    [[null], []],
  ]) {
    t.equal(equalJson(a, b, []), 'different', JSON.stringify([a, b]));
    t.equal(equalJson(b, a, []), 'different', JSON.stringify([b, a]));
    t.equal(equalJson(a, b, [['other']]), 'different', 'also beside something ignored');
  }
});

t.test('comparing is bounded', async (t) => {
  const deep = (depth: number) => {
    let json: unknown = 1;
    for (let i = 0; i < depth; i++) json = [json];
    return json;
  };
  t.equal(comparePair(byJson(), deep(MAX_DEPTH), deep(MAX_DEPTH)), 'agree');
  t.equal(comparePair(byJson(), deep(MAX_DEPTH + 1), deep(MAX_DEPTH + 1)), 'incomparable');
  t.equal(comparePair(byJson(), deep(100_000), deep(100_000)), 'incomparable');
  const wide = (last: number) => [...Array.from({ length: MAX_NODES + 1 }, () => [0]), last];
  t.equal(comparePair(byJson(), wide(1), wide(2)), 'incomparable');
  t.equal(comparePair(byJson(), [1, wide(1)], [2, wide(1)]), 'disagree', 'a difference found in time counts');
});

t.test('comparing any JSON with itself and with others', async () => {
  const json = fc.jsonValue({ maxDepth: 4 });
  fc.assert(
    fc.property(json, json, (a, b) => {
      const copy = JSON.parse(JSON.stringify(a));
      const same = equalJson(a, b, []);
      const text = (value: unknown) => JSON.stringify(sorted(value));
      return (
        equalJson(a, copy, []) === 'equal' &&
        same === equalJson(b, a, []) &&
        (same === 'equal') === (text(a) === text(b))
      );
    }),
  );
});

/** An independent way to tell: equal JSON with sorted members has equal text. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .map(([key, member]) => [key, sorted(member)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .concat([['{}', 0]]);
}

t.test('redacting blots out what is named, in a copy', async (t) => {
  const json = {
    user: { name: 'Ann', age: 3 },
    items: [
      { text: 'a', n: 1 },
      { text: 'b', n: 2 },
    ],
    keep: { x: 1 },
  };
  const before = structuredClone(json);
  t.strictSame(redact(json, [at('/user'), at('/items/*/text')]), {
    user: REDACTED,
    items: [
      { text: REDACTED, n: 1 },
      { text: REDACTED, n: 2 },
    ],
    keep: { x: 1 },
  });
  t.strictSame(json, before, 'what was given stays');
  t.equal(redact(json, []), json);
  t.equal(redact(json, [[]]), REDACTED);
  t.strictSame(redact(json, [at('/nobody/here'), at('/user/name/first')]), json);
  t.strictSame(redact({ users: { a: { mail: 1 } } }, [at('/users/*/mail')]), {
    users: { a: { mail: REDACTED } },
  });
  t.strictSame(redact([[1], [2]], [at('/1/0')]), [[1], [REDACTED]]);
  const hostile = JSON.parse('{"__proto__": {"secret": 1}, "a": 2}');
  t.equal(
    JSON.stringify(redact(hostile, [at('/__proto__/secret')])),
    `{"__proto__":{"secret":"${REDACTED}"},"a":2}`,
  );
});

t.test('redacting leaves no secret behind, however many items there are', async (t) => {
  const many = { items: Array.from({ length: 5_000 }, () => ({ mail: 'secret' })) };
  t.notMatch(JSON.stringify(redact(many, [at('/items/*/mail')])), /secret/);
});
