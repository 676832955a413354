import fc from 'fast-check';
import t from 'tap';
import { type FeedbackTerms, Ledger, type LedgerLimits, type Taken } from '../../src/kpi/ledger.ts';
import { type Prediction, signPrediction } from '../../src/kpi/token.ts';

const SECRET = 'a secret';
const NOW = 1_790_000_000;
const TERMS: FeedbackTerms = {
  secret: SECRET,
  expiresS: 1_000,
  knows: (service, kpi) => service === 'iris' && (kpi === 'click' || kpi === 'buy'),
  placeOf: ({ terms }) => (terms === 'gone' ? null : `stage ${terms}`),
  resolve: (_service, key) =>
    key === 'nobody' ? null : { version: 'v1', terms: '4', place: 'stage 4', keyHash: key.length },
};
/** Quickly made, and large enough for a property's batches. */
const SMALL = { counted: 100 };
const ledger = (limits: Partial<LedgerLimits> = {}, terms = () => TERMS) => new Ledger(terms, limits);
const idOf = (over: Partial<Prediction> = {}, secret = SECRET) =>
  signPrediction(secret, { service: 'iris', version: 'v2', terms: '4', keyHash: 7, atS: NOW, ...over });
const click = (id: unknown, value: unknown = 1, kpi: unknown = 'click') => ({ id, kpi, value });
const byKey = (key: unknown, value: unknown = 1, kpi: unknown = 'click') => ({
  service: 'iris',
  key,
  kpi,
  value,
});
const brief = ({ adds }: Taken) =>
  adds.map(({ event, first }) => `${event ? 'event' : 'none'}${first ? ' first' : ''}`);

t.test('feedback by id is joined to what served', async (t) => {
  const taken = ledger().take([click(idOf({ atS: NOW - 500 }))], NOW);
  t.strictSame(taken.outcomes, ['accepted']);
  t.strictSame(taken.adds, [
    { service: 'iris', terms: '4', place: 'stage 4', version: 'v2', kpi: 'click', event: true, first: true },
  ]);
});

t.test('each prediction and KPI counts once, within a batch and later', async (t) => {
  const book = ledger();
  const [a, b] = [idOf(), idOf()];
  const taken = book.take([click(a), click(a), click(b), click(a, 3, 'buy')], NOW);
  t.strictSame(taken.outcomes, ['accepted', 'duplicate', 'accepted', 'accepted']);
  t.strictSame(brief(taken), ['event first', 'event', 'event first'], 'two of one user, and another KPI');
  t.strictSame(
    book.take([click(a), click(b), click(a, 1, 'buy')], NOW + 900).outcomes,
    Array(3).fill('duplicate'),
  );
});

t.test('an event counts from above 0; what had none may still have one', async (t) => {
  const book = ledger();
  const id = idOf();
  const values = [0, 0, -1, 0.01, 5, 0];
  const taken = book.take(
    values.map((value) => click(id, value)),
    NOW,
  );
  t.strictSame(taken.outcomes, ['accepted', 'duplicate', 'duplicate', 'accepted', 'duplicate', 'duplicate']);
  t.strictSame(brief(taken), ['none', 'event first']);
});

t.test('first is told by user, place and KPI; without a key each is', async (t) => {
  const book = ledger();
  const firsts = (over: Partial<Prediction>, kpi = 'click') =>
    book.take([click(idOf(over), 1, kpi)], NOW).adds[0]?.first;
  t.equal(firsts({ keyHash: 7 }), true);
  t.equal(firsts({ keyHash: 7 }), false);
  t.equal(firsts({ keyHash: 4_294_967_295 }), true);
  t.equal(firsts({ keyHash: 0 }), true);
  t.equal(firsts({ keyHash: 0 }), false);
  t.equal(firsts({ keyHash: 7, terms: '5' }), true);
  t.equal(firsts({ keyHash: 7 }, 'buy'), true);
  t.equal(firsts({ keyHash: -1 }), true);
  t.equal(firsts({ keyHash: -1 }), true);
});

t.test('each kind of refusal is told and counted', async (t) => {
  const batch = [
    click(idOf({}, 'another secret')),
    click(idOf({ atS: NOW - 1_001 })),
    click('no id'),
    click(idOf(), 1, 'unheard'),
    click(idOf({ service: 'other' })),
    byKey('ann', 1, 'unheard'),
    byKey('nobody'),
    click(idOf({ terms: 'gone' })),
    click(idOf()),
  ];
  const { outcomes, counts, adds } = ledger().take(batch, NOW);
  t.strictSame(outcomes, [
    'forged',
    'expired',
    'malformed',
    'unknown_kpi',
    'unknown_kpi',
    'unknown_kpi',
    'unresolved',
    'unresolved',
    'accepted',
  ]);
  t.strictSame(counts, {
    accepted: 1,
    duplicate: 0,
    forged: 1,
    expired: 1,
    malformed: 1,
    unknown_kpi: 3,
    unresolved: 2,
  });
  t.equal(adds.length, 1);
});

t.test('refused feedback does not use up the right one', async (t) => {
  let known = false;
  const book = ledger({}, () => ({ ...TERMS, knows: () => known }));
  const id = idOf();
  t.strictSame(book.take([click(id)], NOW).outcomes, ['unknown_kpi']);
  known = true;
  t.strictSame(book.take([click(id)], NOW).outcomes, ['accepted'], 'the terms are asked for anew');
});

t.test('what is compared nowhere now may be later', async (t) => {
  let place: string | null = null;
  const book = ledger({}, () => ({ ...TERMS, placeOf: () => place }));
  const id = idOf();
  t.strictSame(book.take([click(id)], NOW).outcomes, ['unresolved']);
  place = 'stage 1';
  t.strictSame(book.take([click(id), click(id)], NOW).outcomes, ['accepted', 'duplicate']);
});

t.test('what is not feedback is malformed', async (t) => {
  const id = idOf();
  const batch = [
    null,
    undefined,
    1,
    'click',
    [],
    {},
    { id },
    click(id, '1'),
    click(id, Number.NaN),
    click(id, Number.POSITIVE_INFINITY),
    click(id, null),
    click(id, 1, ''),
    click(id, 1, 7),
    click(id, 1, 'k'.repeat(257)),
    click(7),
    click({}),
    { ...byKey('k'), id },
    byKey(''),
    byKey(7),
    byKey('k'.repeat(5_000)),
    { key: 'k', kpi: 'click', value: 1 },
    { service: 'iris', kpi: 'click', value: 1 },
    { __proto__: click(id), value: 1 },
  ];
  const { outcomes, adds } = ledger().take(batch, NOW);
  // The last one inherits its id and KPI: JSON does not.
  t.strictSame(outcomes.slice(0, -1), Array(batch.length - 1).fill('malformed'));
  t.equal(adds.length, outcomes.filter((outcome) => outcome === 'accepted').length);
});

t.test('feedback by key counts once for a user, place and KPI', async (t) => {
  const book = ledger();
  const taken = book.take(
    [byKey('ann', 0), byKey('ann'), byKey('ann'), byKey('ann', 1, 'buy'), byKey('berta')],
    NOW,
  );
  t.strictSame(taken.outcomes, ['accepted', 'accepted', 'duplicate', 'accepted', 'accepted']);
  t.strictSame(brief(taken), ['none', 'event first', 'event first', 'event first']);
  t.strictSame(taken.adds[1], {
    service: 'iris',
    terms: '4',
    place: 'stage 4',
    version: 'v1',
    kpi: 'click',
    event: true,
    first: true,
  });
  const user = { keyHash: 'ann'.length };
  t.strictSame(brief(book.take([click(idOf(user))], NOW)), ['event'], 'the same user as by id');
  book.take([click(idOf({ keyHash: 9 }))], NOW);
  t.strictSame(book.take([byKey('anneliese')], NOW).outcomes, ['duplicate'], 'and the other way round');
});

t.test('memory is bounded: old predictions are forgotten, the latest are not', async (t) => {
  const book = ledger({ counted: 10 });
  const ids = Array.from({ length: 11 }, () => idOf());
  book.take(
    ids.map((id) => click(id)),
    NOW,
  );
  t.strictSame(book.take([click(ids[10])], NOW).outcomes, ['duplicate']);
  t.strictSame(book.take([click(ids[0])], NOW).outcomes, ['accepted']);
});

t.test('beyond the bound of users nobody is first any more, and that is told', async (t) => {
  const book = ledger({ keys: 3 });
  const clicks = (from: number, to: number, over: Partial<Prediction> = {}) =>
    brief(
      book.take(
        Array.from({ length: to - from }, (_, i) => click(idOf({ keyHash: from + i, ...over }))),
        NOW,
      ),
    );
  t.strictSame(clicks(1, 4), Array(3).fill('event first'));
  t.strictSame(book.capped(), [], 'full, but nobody was turned away');
  t.strictSame(clicks(4, 6), ['event', 'event']);
  t.strictSame(clicks(4, 6, { version: 'v1' }), ['event', 'event'], 'of the other version neither');
  t.strictSame(book.capped(), [{ service: 'iris', place: 'stage 4', kpi: 'click' }]);
});

t.test('a stage whose users were forgotten counts none as first again', async (t) => {
  const book = ledger({ books: 2 });
  const first = (stage: number, keyHash: number) =>
    book.take([click(idOf({ terms: String(stage), keyHash }))], NOW).adds[0]?.first;
  t.equal(first(1, 7), true);
  t.equal(first(2, 7), true);
  t.equal(first(3, 7), true);
  t.equal(first(1, 7), false, 'as it should be');
  t.equal(first(1, 8), false, 'nobody can tell');
  t.strictSame(book.capped(), [{ service: 'iris', place: 'stage 1', kpi: 'click' }]);
  t.equal(first(2, 8), true, 'the closed one took no room from the others');
});

t.test('any batch in any parts and any order of repeats gives the same counts', async () => {
  const ids = Array.from({ length: 6 }, (_, i) =>
    idOf({ keyHash: 10 + (i % 3), version: i % 3 === 0 ? 'v1' : 'v2' }),
  );
  const item = fc.record({
    id: fc.constantFrom(...ids),
    kpi: fc.constantFrom('click', 'buy'),
    value: fc.constantFrom(0, 1),
  });
  const totals = (adds: Taken['adds']) => {
    const sums: Record<string, number> = {};
    for (const { version, kpi, event, first } of adds) {
      for (const name of [event ? 'events' : '', first ? 'firsts' : '']) {
        if (name !== '') sums[`${version} ${kpi} ${name}`] = (sums[`${version} ${kpi} ${name}`] ?? 0) + 1;
      }
    }
    return JSON.stringify(Object.entries(sums).sort());
  };
  fc.assert(
    fc.property(fc.array(item, { maxLength: 40 }), fc.nat(), (batch, at) => {
      const cut = batch.length === 0 ? 0 : at % batch.length;
      const [whole, parts, again] = [ledger(SMALL), ledger(SMALL), ledger(SMALL)];
      const once = totals(whole.take(batch, NOW).adds);
      const split = [...parts.take(batch.slice(0, cut), NOW).adds, ...parts.take(batch.slice(cut), NOW).adds];
      const turned = [...again.take([...batch].reverse(), NOW).adds, ...again.take(batch, NOW).adds];
      return once === totals(split) && once === totals(turned);
    }),
  );
});

t.test('any batch: no error, and every item has one outcome', async () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(fc.anything(), fc.record({ id: fc.anything(), kpi: fc.anything(), value: fc.anything() })),
      ),
      (batch) => {
        const { outcomes, counts } = ledger({ counted: 10 }).take(batch, NOW);
        const sum = Object.values(counts).reduce((a, b) => a + b, 0);
        return outcomes.length === batch.length && sum === batch.length;
      },
    ),
  );
});
