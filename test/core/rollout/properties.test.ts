import fc from 'fast-check';
import t from 'tap';
import type { Outcome } from '../../../src/core/analysis/state.ts';
import { applyRollout } from '../../../src/core/rollout/apply.ts';
import type { RolloutPlan, Step } from '../../../src/core/rollout/plan.ts';
import type { Command, RolloutState } from '../../../src/core/rollout/state.ts';
import { transition } from '../../../src/core/rollout/transition.ts';
import { service, version } from '../../support/split.ts';
import {
  analysisOf,
  bad,
  broken,
  good,
  hookOf,
  noPatterns,
  nothing,
  pause,
  planOf,
  Walk,
  weight,
} from './walk.ts';

/** What holds after any sequence of commands, answers, waits, restarts and config changes. */

const region = (name: string): Step => ({
  kind: 'setScope',
  label: name,
  when: { kind: 'region', oneOf: [name] },
});

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 0, max: 100 }).map(weight),
  fc.constantFrom(pause(), pause(1), pause(90)),
  fc.constantFrom<Step>(
    { kind: 'analysis', analysis: analysisOf({ count: 3 }) },
    { kind: 'analysis', analysis: analysisOf({ intervalMs: null }) },
    region('eu'),
    region('us'),
    { kind: 'setScope', label: 'everyone', when: null },
    { kind: 'setMirror', percentBp: 5_000 },
    { kind: 'setCanaryScale' },
    {
      kind: 'experiment',
      durationMs: 30_000,
      templates: [{ name: 'other', version: 'v3', weightBp: 3_000 }],
      analyses: [{ name: 'a', analysis: analysisOf({ count: 2 }), requiredForCompletion: true }],
    },
    {
      kind: 'setHeaderRoute',
      name: 'testers',
      when: { kind: 'header', name: 'x', match: { kind: 'present' } },
    },
    { kind: 'setHeaderRoute', name: 'testers', when: null },
  ),
);

const plan: fc.Arbitrary<RolloutPlan> = fc
  .record({
    steps: fc.array(step, { maxLength: 8 }),
    background: fc.constantFrom(null, { analysis: analysisOf({ failureLimit: 1 }), startingStep: 1 }),
    start: fc.constantFrom('auto' as const, 'manual' as const),
    onFailure: fc.constantFrom('abort' as const, 'pause' as const),
    onInconclusive: fc.constantFrom('abort' as const, 'pause' as const),
    progressDeadlineAbort: fc.boolean(),
    webhooks: fc.subarray([
      hookOf({ name: 'confirm' }),
      hookOf({ name: 'pre', type: 'pre-rollout', failureLimit: 2 }),
      hookOf({ name: 'more', type: 'confirm-traffic-increase' }),
      hookOf({ name: 'all', type: 'confirm-promotion' }),
      hookOf({ name: 'panic', type: 'rollback' }),
    ]),
  })
  .map((options) => planOf({ ...options, managedRoutes: ['testers'], progressDeadlineMs: 120_000 }));

const command: fc.Arbitrary<Command> = fc.oneof(
  fc.constantFrom<Command>(
    { kind: 'start' },
    { kind: 'promote', full: false },
    { kind: 'promote', full: true },
    { kind: 'pause' },
    { kind: 'resume' },
    { kind: 'abort', reason: '' },
    { kind: 'retry' },
    { kind: 'undo' },
  ),
  fc.integer({ min: 0, max: 10_000 }).map((weightBp): Command => ({ kind: 'setWeight', weightBp })),
);

type Move =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'pass'; readonly seconds: number }
  | { readonly kind: 'restart' }
  | { readonly kind: 'define'; readonly definition: string };

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 3, arbitrary: command.map((one): Move => ({ kind: 'command', command: one })) },
  {
    weight: 4,
    arbitrary: fc.constantFrom(1, 10, 60, 300).map((seconds): Move => ({ kind: 'pass', seconds })),
  },
  { weight: 1, arbitrary: fc.constant<Move>({ kind: 'restart' }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('two', 'three').map((definition): Move => ({ kind: 'define', definition })),
  },
);

const outcome = fc.constantFrom<Outcome | null>(good, good, good, bad, broken, nothing, null);
const yes = fc.constantFrom<boolean | null>(true, true, false, null);

const SERVICE = service([version('v1', 'http://a'), version('v2', 'http://b'), version('v3', 'http://c')], {
  rules: [
    {
      id: 'rules[0]',
      when: { kind: 'region', oneOf: ['eu'] },
      then: { kind: 'split', shares: [{ version: 1, weightBp: 2_000 }] },
    },
  ],
});

/** Walks through the moves; answers come from lists that begin anew at their ends. */
function walkOf(
  rolloutPlan: RolloutPlan,
  outcomes: readonly (Outcome | null)[],
  answers: readonly (boolean | null)[],
): Walk {
  let asked = 0;
  let called = 0;
  return new Walk(rolloutPlan, {
    measure: () => outcomes[asked++ % outcomes.length] as Outcome | null,
    hook: () => answers[called++ % answers.length] as boolean | null,
  });
}

function make(walk: Walk, one: Move): void {
  switch (one.kind) {
    case 'command':
      return walk.send({ kind: 'command', command: one.command, actor: 'test' });
    case 'pass':
      return walk.pass(one.seconds);
    case 'restart':
      return walk.send({ kind: 'restored' });
    case 'define':
      return walk.replan({ ...walk.plan, canaryDefinition: one.definition });
  }
}

const scene = {
  plan,
  moves: fc.array(move, { maxLength: 25 }),
  outcomes: fc.array(outcome, { minLength: 1, maxLength: 6 }),
  answers: fc.array(yes, { minLength: 1, maxLength: 4 }),
};

t.test('the weight in force is always the one the state says, and the Split follows it', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.record(scene), ({ plan: one, moves, outcomes, answers }) => {
        const walk = walkOf(one, outcomes, answers);
        walk.check = ({ plan: now, state }) => {
          const { shares, rules } = applyRollout(SERVICE, now, state);
          const sum = shares.reduce((total, { weightBp }) => total + weightBp, 0);
          if (sum > 10_000) throw new Error(`shares of ${sum}`);
          const everyone = shares.find((share) => share.version === 1)?.weightBp;
          if (everyone !== expectedEveryoneBp(now, state))
            throw new Error(`${everyone} in ${JSON.stringify(state)}`);
          if (state.progress.kind === 'stepping' || state.progress.kind === 'completed') return;
          const exposed = [{ then: { kind: 'split' as const, shares } }, ...rules].some(
            ({ then }) => then.kind === 'use' || then.shares.some(({ weightBp }) => weightBp > 0),
          );
          if (exposed) throw new Error(`someone is on the canary in ${state.progress.kind}`);
        };
        for (const one of moves) make(walk, one);
      }),
      { numRuns: 400 },
    ),
  );
});

/** Read off the steps anew, in another way than the product does. */
function expectedEveryoneBp({ steps }: RolloutPlan, { progress, weightOverrideBp }: RolloutState): number {
  if (progress.kind === 'completed') return 10_000;
  if (progress.kind !== 'stepping') return 0;
  let inScope = false;
  let bp = 0;
  steps.forEach((one, i) => {
    if (i > progress.index) return;
    if (one.kind === 'setScope') inScope = one.when !== null;
    if (one.kind === 'setWeight' && !inScope) bp = one.weightBp;
  });
  return weightOverrideBp !== null && !inScope ? weightOverrideBp : bp;
}

t.test('no sequence reaches a state that cannot be left', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(fc.record(scene), ({ plan: one, moves, outcomes, answers }) => {
        const walk = walkOf(one, outcomes, answers);
        for (const each of moves) make(walk, each);
        // Back to stable from wherever it is, and from there to the canary.
        if (walk.status === 'starting' || walk.status === 'stepping')
          make(walk, commandOf({ kind: 'abort', reason: '' }));
        if (walk.status === 'completed') make(walk, commandOf({ kind: 'undo' }));
        if (weightOf(walk) !== 0)
          throw new Error(`${walk.weight} % cannot be taken back from ${walk.status}`);
        make(walk, commandOf({ kind: 'start' }));
        if (walk.refusal !== null) throw new Error(`start: ${walk.refusal}`);
        if (walk.status === 'starting' || walk.status === 'stepping')
          make(walk, commandOf({ kind: 'promote', full: true }));
        // A rollback hook or a bad measurement may have been faster; then retry is the way on.
        if (walk.status === 'aborted') return;
        if (weightOf(walk) !== 100) throw new Error(`stuck in ${walk.status}`);
      }),
      { numRuns: 300 },
    ),
  );
});

const commandOf = (one: Command): Move => ({ kind: 'command', command: one });

t.test('a state survives JSON: what follows is the same', async (t) => {
  fc.assert(
    fc.property(fc.record(scene), fc.nat(25), ({ plan: one, moves, outcomes, answers }, at) => {
      const plain = walkOf(one, outcomes, answers);
      const saved = walkOf(one, outcomes, answers);
      moves.forEach((each, i) => {
        if (i === at) saved.state = JSON.parse(JSON.stringify(saved.state));
        make(plain, each);
        make(saved, each);
      });
      t.strictSame(saved.state, plain.state);
    }),
    { numRuns: 100 },
  );
});

t.test('a restart changes neither step nor weight nor what has been measured', async (t) => {
  fc.assert(
    fc.property(fc.record(scene), ({ plan: one, moves, outcomes, answers }) => {
      const walk = walkOf(one, outcomes, answers);
      for (const each of moves) make(walk, each);
      const told = (state: RolloutState) =>
        JSON.stringify([state.progress.kind, state.number, state.userPaused, state.history.length]);
      const before = [told(walk.state), walk.weight, walk.step];
      walk.answers = { measure: () => null, hook: () => null };
      const { state } = transition(walk.plan, walk.state, { kind: 'restored' }, instantOf(walk), noPatterns);
      walk.state = state;
      t.strictSame([told(walk.state), walk.weight, walk.step], before);
    }),
    { numRuns: 200 },
  );
});

t.test('equal arguments give equal results, and are left as they were', async (t) => {
  fc.assert(
    fc.property(fc.record(scene), move, ({ plan: one, moves, outcomes, answers }, last) => {
      const walk = walkOf(one, outcomes, answers);
      for (const each of moves) make(walk, each);
      if (last.kind !== 'command') return;
      const event = { ...last, actor: 'test' };
      const before = JSON.stringify(walk.state);
      const run = () => transition(walk.plan, deepFreeze(walk.state), event, instantOf(walk), noPatterns);
      t.strictSame(run(), run());
      t.equal(JSON.stringify(walk.state), before);
    }),
    { numRuns: 100 },
  );
});

t.test('nothing is asked for when no steps are under way', async (t) => {
  fc.assert(
    fc.property(fc.record(scene), ({ plan: one, moves, outcomes, answers }) => {
      const walk = walkOf(one, outcomes, answers);
      for (const each of moves) make(walk, each);
      if (walk.status === 'starting' || walk.status === 'stepping') return;
      const before = walk.effects.length;
      walk.pass(3_600);
      t.equal(walk.effects.length, before);
    }),
    { numRuns: 100 },
  );
});

/** Read anew each time. */
function weightOf(walk: Walk): number {
  return walk.weight;
}

function instantOf({ nowMs }: Walk) {
  return { nowMs, wallMs: 1_000_000 + nowMs };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
