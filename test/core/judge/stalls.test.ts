import t from 'tap';
import { armOf, type Slice } from '../../../src/core/judge/evidence.ts';
import { judge } from '../../../src/core/judge/judge.ts';
import { contextOf, evidenceOf, P99, planOf, sliceOf } from './stream.ts';

/** Slow answers in bursts: a process stalls, and everything it was asked is late at once. */

interface Slow {
  readonly requests: number;
  readonly slow: number;
  /** How many of them in how many bursts; none: one by one. */
  readonly bursts?: readonly [events: number, bursts: number, wide: number];
}

function arm({ requests, slow, bursts }: Slow) {
  const counts = (name: string) =>
    bursts === undefined ? {} : { [name]: { events: bursts[0], bursts: bursts[1], wide: bursts[2] } };
  return armOf({
    requests,
    keys: requests,
    latency: [0, requests - slow, 0, slow],
    firstSlow: { p99: slow, 'p99/frozen': slow },
    slowBursts: { ...counts('p99'), ...counts('p99/frozen') },
  });
}

function verdict(minutes: readonly { canary: Slow; stable: Slow; w?: number }[]) {
  const slices: Slice[] = minutes.map(({ canary, stable, w = 0.05 }, index) =>
    sliceOf(arm(canary), arm(stable), { index, w, stage: 0 }),
  );
  return judge(planOf(P99), evidenceOf(...slices), contextOf());
}

const CALM = { canary: { requests: 300, slow: 0 }, stable: { requests: 5_700, slow: 6 } };

t.test('one stall of the canary’s is no proof, as many slow answers one by one are', async (t) => {
  const canary = { requests: 300, slow: 25 };
  t.equal(verdict([CALM, { ...CALM, canary }]).state, 'FAIL');
  const stall = verdict([CALM, { ...CALM, canary: { ...canary, bursts: [25, 1, 1] } }]);
  t.equal(stall.state, 'CONTINUE');
  t.match(
    stall.gates[0]?.text,
    /canary was slow on 25 of 600 .*; 25 of canary's came in a burst, which counts as one;/,
  );
  const two = verdict([{ ...CALM, canary: { ...canary, slow: 50, bursts: [50, 2, 2] } }]);
  t.match(two.gates[0]?.text, /50 of canary's came in 2 bursts, which count as so many;/);
});

t.test('a canary that stalls again and again is taken back', async (t) => {
  const stalls = (n: number, of: { canary?: object; stable?: Slow } = {}) =>
    verdict(
      Array.from({ length: n }, () => ({
        canary: { requests: 300, slow: 25, bursts: [25, 1, 1] as const },
        stable: of.stable ?? CALM.stable,
      })),
    );
  t.equal(stalls(3).state, 'CONTINUE');
  t.equal(stalls(15).state, 'FAIL');
  const alike = { requests: 5_700, slow: 481, bursts: [475, 1, 1] as const };
  t.equal(stalls(60, { stable: alike }).state, 'CONTINUE', 'not where stable does, of one process each');
  const many = { requests: 5_700, slow: 481, bursts: [475, 19, 0] as const };
  t.equal(stalls(60, { stable: many }).state, 'CONTINUE', 'nor of nineteen');
});

t.test('slow answers one by one are proof in whatever bursts stable has', async (t) => {
  const bad = { requests: 300, slow: 15 };
  const stable = { requests: 5_700, slow: 481, bursts: [475, 1, 1] as const };
  t.equal(
    verdict([
      { canary: { requests: 300, slow: 0 }, stable },
      { ...CALM, canary: bad },
    ]).state,
    'FAIL',
  );
  t.equal(verdict([{ canary: bad, stable }]).state, 'CONTINUE', 'but in the same minute stable’s all count');
});

t.test('alone, a burst is one event', async (t) => {
  const alone = (bursts?: Slow['bursts']) =>
    judge(
      planOf(P99),
      evidenceOf(
        sliceOf(arm({ requests: 2_000, slow: 60, ...(bursts && { bursts }) }), armOf({}), { w: 1, stage: 0 }),
      ),
      contextOf(),
    ).state;
  t.equal(alone(), 'FAIL');
  t.equal(alone([60, 1, 1]), 'CONTINUE');
});
