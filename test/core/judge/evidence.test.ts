import fc from 'fast-check';
import t from 'tap';
import { type Arm, addEvidence, armOf, EMPTY_ARM, emptyEvidence } from '../../../src/core/judge/evidence.ts';
import { judge, judgeWith } from '../../../src/core/judge/judge.ts';
import { ALL_GATES, collect, contextOf, evidenceOf, failing, happenings, planOf, sliceOf } from './stream.ts';

const plan = planOf(...ALL_GATES);
const context = contextOf({ nextW: 0.5 });
const seen = happenings(3, 1500);
const whole = collect(seen);

t.test('any split of the stream into parts gives the same verdict', async (t) => {
  const verdict = judge(plan, whole, context);
  t.ok(
    verdict.gates.every((gate) => gate.samples.have > 0 || gate.kind === 'agreement'),
    'gates have counts',
  );
  fc.assert(
    fc.property(fc.array(fc.nat(4), { minLength: 1500, maxLength: 1500 }), fc.boolean(), (owner, back) => {
      const parts = [0, 1, 2, 3, 4].map((part) => collect(seen.filter((_, i) => owner[i] === part)));
      const sum = (back ? parts.reverse() : parts).reduce(addEvidence, emptyEvidence());
      t.strictSame(judge(plan, sum, context), verdict);
    }),
    { numRuns: 12 },
  );
});

t.test('a memo changes nothing, whatever changed between the looks', async (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ slice: fc.nat(8), errors: fc.nat(3), cut: fc.nat(9) }), { maxLength: 12 }),
      (looks) => {
        let memo = null;
        let slices = whole.slices;
        for (const { slice, errors, cut } of looks) {
          slices = slices.map((old, i) =>
            i === slice ? { ...old, canary: { ...old.canary, errors: old.canary.errors + errors } } : old,
          );
          const now = { ...whole, slices: slices.slice(0, cut) };
          const look = judgeWith(plan, now, context, memo);
          memo = look.memo;
          t.strictSame(look.verdict, judge(plan, now, context));
        }
      },
    ),
    { numRuns: 25 },
  );
});

t.test('what a verdict says stays what it was, however late it is read', async (t) => {
  const early = { ...whole, slices: whole.slices.slice(0, 2) };
  const first = judgeWith(plan, early, context, null);
  const second = judgeWith(plan, whole, context, first.memo);
  t.strictSame(first.verdict.gates, judge(plan, early, context).gates);
  t.equal(first.verdict.text, judge(plan, early, context).text);
  t.strictSame(second.verdict, judge(plan, whole, context));
});

t.test('a memo that was used already is no use again, and does no harm', async (t) => {
  const { memo } = judgeWith(plan, whole, context, null);
  for (const slices of [whole.slices.slice(0, 3), whole.slices, []]) {
    const now = { ...whole, slices };
    t.strictSame(judgeWith(plan, now, context, memo).verdict, judge(plan, now, context));
  }
});

t.test('classes that a slice turns out not to have are forgotten with it', async (t) => {
  const some = (n: number, counts: Partial<Arm>) => armOf({ requests: n, keys: n, ...counts });
  const base = sliceOf(some(60, { classes: { a: 60 } }), some(60, { classes: { a: 60 } }));
  const open = (classes: Record<string, number>, scores: number[]) =>
    evidenceOf(
      base,
      sliceOf(some(9, { classes, scores }), some(9, { classes: { a: 9 }, scores }), { index: 1 }),
    );
  let { memo } = judgeWith(plan, evidenceOf(base), context, null);
  for (const now of [
    open({ b: 5, c: 4 }, [1, 0]),
    open({ c: 9 }, []),
    open({ ['__proto__']: 9 }, [0, 0, 3]),
  ]) {
    const look = judgeWith(plan, now, context, memo);
    memo = look.memo;
    t.strictSame(look.verdict, judge(plan, now, context));
  }
});

t.test('a memo of another plan is no use, and does no harm', async (t) => {
  const { memo } = judgeWith(planOf(ALL_GATES[0]!), whole, context, null);
  t.strictSame(judgeWith(plan, whole, context, memo).verdict, judge(plan, whole, context));
});

t.test('adding changes neither part, and adds every count', async (t) => {
  const a = armOf({
    requests: 2,
    latency: [1, 1],
    classes: { cat: 1, ['__proto__']: 3 },
    kpis: { click: { events: 4, firsts: 1 } },
  });
  const b = armOf({
    requests: 3,
    latency: [0, 1, 2],
    classes: { cat: 2, dog: 1 },
    kpis: { click: { events: 1, firsts: 1 } },
    confidence: [1],
  });
  const left = Object.freeze(evidenceOf(Object.freeze(sliceOf(Object.freeze(a), EMPTY_ARM))));
  const sum = addEvidence(left, evidenceOf(sliceOf(b, failing(1, 9), { spanMs: 30_000 })));
  t.match(sum.slices, [
    {
      spanMs: 60_000,
      canary: {
        requests: 5,
        latency: [1, 2, 2],
        classes: { cat: 3, dog: 1 },
        kpis: { click: { events: 5, firsts: 2 } },
        confidence: [1],
      },
      stable: { requests: 9, errors: 1 },
    },
  ]);
  t.ok(Object.hasOwn(sum.slices[0]!.canary.classes, '__proto__'), 'a class may have any name');
  t.strictSame(left.slices[0]?.canary.latency, [1, 1]);
});

t.test('a slice only one part has stays the same object, in its place', async (t) => {
  const first = sliceOf(failing(0, 5), EMPTY_ARM, { stage: 1, index: 0 });
  const second = sliceOf(failing(0, 5), EMPTY_ARM, { stage: 2, index: 1 });
  const sum = addEvidence(evidenceOf(second), evidenceOf(first));
  t.equal(sum.slices[0], first);
  t.equal(sum.slices[1], second);
});

t.test('events beside the slices add up by share, in either order', async (t) => {
  const late = (w: number, canary: number, stable: number) => ({
    ...emptyEvidence(),
    late: [
      {
        w,
        canary: { click: { events: canary, firsts: canary } },
        stable: { click: { events: stable, firsts: stable } },
      },
    ],
  });
  const parts = [late(0.25, 1, 2), late(0.05, 3, 4), late(0.25, 5, 6)];
  const sum = parts.reduce(addEvidence, emptyEvidence());
  t.strictSame(sum.late, [late(0.05, 3, 4).late[0], late(0.25, 6, 8).late[0]]);
  t.strictSame(parts.reverse().reduce(addEvidence, emptyEvidence()), sum);
  t.strictSame(
    judge(plan, emptyEvidence(), context).advance,
    judge(plan, sum, context).advance,
    'nobody is exposed',
  );
});

t.test('parts that cannot be added say so, and hold', async (t) => {
  const other = addEvidence(
    evidenceOf(sliceOf(EMPTY_ARM, EMPTY_ARM)),
    evidenceOf(sliceOf(EMPTY_ARM, EMPTY_ARM, { w: 0.1 })),
  );
  t.match(other.problems, [/different shares/]);
  t.equal(judge(plan, other, context).state, 'ERROR');
  t.match(addEvidence(emptyEvidence([1, 2]), emptyEvidence([1, 3])).problems, [/different latency buckets/]);
  t.strictSame(
    addEvidence(emptyEvidence([1, 3]), emptyEvidence([1, 2])),
    addEvidence(emptyEvidence([1, 2]), emptyEvidence([1, 3])),
    'in either order',
  );
  t.strictSame(addEvidence(emptyEvidence(), emptyEvidence([1, 2])).problems, []);
});
