import fc from 'fast-check';
import t from 'tap';
import { isFinal } from '../../src/core/analysis/metric.ts';
import type { AnalysisPlan, MetricPlan } from '../../src/core/analysis/plan.ts';
import {
  dueMetrics,
  endRun,
  evidenceOf,
  forgetAsked,
  holdReason,
  isOver,
  markAsked,
  nextDueMs,
  recordOutcome,
  startRun,
} from '../../src/core/analysis/run.ts';
import type { RunState } from '../../src/core/analysis/state.ts';
import {
  analysis,
  askDue,
  at,
  compilePattern,
  LETTERS,
  type Letter,
  letterPlan,
  outcome,
} from './analysis-support.ts';

const NAMES = ['a', 'b', 'c', 'd'];

const limits = fc.record({
  intervalMs: fc.constantFrom(null, 1_000, 60_000),
  initialDelayMs: fc.constantFrom(0, 30_000),
  count: fc.constantFrom(null, 0, 1, 3),
  failureLimit: fc.integer({ min: -1, max: 2 }),
  inconclusiveLimit: fc.nat(2),
  consecutiveErrorLimit: fc.nat(2),
  consecutiveSuccessLimit: fc.nat(2),
  dryRun: fc.boolean(),
  retention: fc.integer({ min: 1, max: 3 }),
});

const plans: fc.Arbitrary<AnalysisPlan> = fc
  .tuple(fc.array(limits, { minLength: 1, maxLength: NAMES.length }), fc.constantFrom('hold', 'error'))
  .map(([all, noData]) =>
    analysis(
      all.map((each, i): MetricPlan => letterPlan({ ...each, name: NAMES[i] as string })),
      noData,
    ),
  );

type Move =
  | { readonly kind: 'ask'; readonly afterMs: number }
  | { readonly kind: 'answer' | 'measure'; readonly metric: string; readonly letter: Letter }
  | { readonly kind: 'forget' };

/** `measure` asks for the metric and answers at once; successes are the more frequent, so that runs last. */
const answers: fc.Arbitrary<Move> = fc.record({
  kind: fc.constantFrom('answer', 'measure'),
  metric: fc.constantFrom(...NAMES),
  letter: fc.constantFrom('S', 'S', 'N', ...LETTERS),
});
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask'), afterMs: fc.nat(60_000) }) },
    { weight: 6, arbitrary: answers },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget') }) },
  ),
  { maxLength: 60 },
);

interface Step {
  readonly before: RunState;
  readonly after: RunState;
  readonly move: Move;
}

/** Plays the moves; a snapshot of every step. */
function play(plan: AnalysisPlan, list: readonly Move[], between = (run: RunState) => run): Step[] {
  let run = startRun(plan, 1, 'background', 0);
  let nowMs = 0;
  return list.map((move) => {
    const before = between(run);
    if (move.kind === 'ask') nowMs += move.afterMs;
    run = moved(plan, before, move, nowMs);
    return { before, after: run, move };
  });
}

function moved(plan: AnalysisPlan, run: RunState, move: Move, nowMs: number): RunState {
  switch (move.kind) {
    case 'ask':
      return askDue(plan, run, nowMs);
    case 'answer':
      return recordOutcome(plan, run, move.metric, outcome(move.letter), at(nowMs), compilePattern);
    case 'measure':
      return moved(plan, markAsked(run, [move.metric]), { ...move, kind: 'answer' }, nowMs);
    case 'forget':
      return forgetAsked(run);
  }
}

const last = (plan: AnalysisPlan, steps: readonly Step[]) =>
  steps.at(-1)?.after ?? startRun(plan, 1, 'background', 0);

t.test('counts add up to the outcomes that were waited for', async () => {
  fc.assert(
    fc.property(plans, moves, (plan, list) => {
      const taken = new Map<string, number>();
      const steps = play(plan, list);
      for (const { before, after, move } of steps) {
        if (!('metric' in move) || before === after) continue;
        taken.set(move.metric, (taken.get(move.metric) ?? 0) + 1);
      }
      return last(plan, steps).metrics.every((metric, i) => {
        const { successful, failed, inconclusive, error, noData, measurements } = metric;
        const total = taken.get(metric.name) ?? 0;
        return (
          successful + failed + inconclusive + error + noData === total &&
          measurements.length === Math.min(total, plan.metrics[i]?.retention ?? 0)
        );
      });
    }),
  );
});

t.test('a run that is over never changes, and nor does a metric', async () => {
  fc.assert(
    fc.property(plans, moves, (plan, list) =>
      play(plan, list).every(({ before, after }) => {
        const metricsKept = before.metrics.every(
          (metric, i) => !isFinal(metric.phase) || after.metrics[i] === metric,
        );
        return metricsKept && (!isOver(before) || (after === before && endRun(after, 'x') === after));
      }),
    ),
  );
});

t.test('a run that is not over can always go on, and one that is asks for nothing', async () => {
  fc.assert(
    fc.property(plans, moves, (plan, list) =>
      play(plan, list).every(({ after: run }) => {
        const askable = run.metrics.some(({ inFlight }) => inFlight) || nextDueMs(run) !== null;
        if (isOver(run)) return !askable && dueMetrics(plan, run, 1e12).length === 0;
        return askable && isOver(endRun(run, 'ended')) && endRun(run, 'ended').phase === 'Successful';
      }),
    ),
  );
});

t.test('the phase of a run is that of its worst metric', async () => {
  const order = ['Successful', 'Inconclusive', 'Error', 'Failed'];
  fc.assert(
    fc.property(plans, moves, (plan, list) => {
      const run = last(plan, play(plan, list));
      if (!isOver(run)) return run.metrics.some(({ phase }) => !isFinal(phase));
      const acting = run.metrics.filter((_, i) => plan.metrics[i]?.dryRun === false);
      const worst = Math.max(0, ...acting.map(({ phase }) => order.indexOf(phase)));
      return run.phase === order[worst];
    }),
  );
});

t.test('the order in which metrics are written does not matter', async () => {
  fc.assert(
    fc.property(plans, moves, (plan, list) => {
      const mirrored = { ...plan, metrics: plan.metrics.toReversed() };
      const one = last(plan, play(plan, list));
      const other = last(mirrored, play(mirrored, list));
      const reversed = { ...other, metrics: other.metrics.toReversed(), message: one.message };
      return JSON.stringify(reversed) === JSON.stringify(one);
    }),
  );
});

t.test('the order in which answers of one moment come in does not matter', async () => {
  const permuted = fc.tuple(
    fc.array(fc.constantFrom(...LETTERS), { minLength: NAMES.length, maxLength: NAMES.length }),
    fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
    fc.shuffledSubarray([0, 1, 2, 3], { minLength: 4 }),
  );
  fc.assert(
    fc.property(plans, permuted, (plan, [letters, one, other]) => {
      const phase = (order: readonly number[]) => {
        const list = order.map(
          (i): Move => ({ kind: 'answer', metric: NAMES[i] as string, letter: letters[i] as Letter }),
        );
        return last(plan, play(plan, [{ kind: 'ask', afterMs: 30_000 }, ...list])).phase;
      };
      return phase(one) === phase(other);
    }),
  );
});

t.test('a run goes on from its JSON as from itself', async () => {
  fc.assert(
    fc.property(plans, moves, (plan, list) => {
      const straight = last(plan, play(plan, list));
      const stored = last(
        plan,
        play(plan, list, (run) => JSON.parse(JSON.stringify(run)) as RunState),
      );
      return JSON.stringify(stored) === JSON.stringify(straight);
    }),
  );
});

t.test('an outcome that was not asked for is the same object', async () => {
  fc.assert(
    fc.property(plans, moves, fc.constantFrom(...NAMES, 'unknown'), (plan, list, name) => {
      const run = forgetAsked(last(plan, play(plan, list)));
      return recordOutcome(plan, run, name, outcome('F'), at(0), compilePattern) === run;
    }),
  );
});

t.test('a run says what it waits for, and only while it goes on', async () => {
  fc.assert(
    fc.property(plans, moves, (plan, list) => {
      const run = last(plan, play(plan, list));
      const asked = markAsked(
        run,
        plan.metrics.map(({ name }) => name),
      );
      const waits = asked.metrics.some(
        ({ phase, measurements }, i) =>
          plan.metrics[i]?.dryRun === false && !isFinal(phase) && measurements.length === 0,
      );
      const reason = holdReason(plan, asked);
      if (isOver(run)) return reason === null;
      return (!waits || reason !== null) && evidenceOf(run).length === run.metrics.length;
    }),
  );
});
