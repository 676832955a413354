import fc from 'fast-check';
import t from 'tap';
import { applyRollout } from '../../../src/core/rollout/apply.ts';
import { comingFromStart, comingSteps } from '../../../src/core/rollout/coming.ts';
import type { RolloutPlan, Step } from '../../../src/core/rollout/plan.ts';
import type { RolloutState } from '../../../src/core/rollout/state.ts';
import { initialState } from '../../../src/core/rollout/transition.ts';
import { type DescribedRequest, explain } from '../../../src/core/split/explain.ts';
import { bucketOfKey } from '../../../src/core/split/hash.ts';
import { service, split, version } from '../../support/split.ts';
import { noPatterns, pause, planOf, Walk, weight } from './walk.ts';

const SERVICE = service(
  [version('v1', 'http://a:1'), version('v2', 'http://b:1'), version('v3', 'http://c:1')],
  {
    name: 'svc',
    shares: [{ version: 1, weightBp: 0 }],
    rules: [
      { id: 'rules[0]', when: { kind: 'region', oneOf: ['test'] }, then: { kind: 'use', version: 1 } },
      {
        id: 'rules[1]',
        when: { kind: 'region', oneOf: ['lab'] },
        then: { kind: 'split', shares: [{ version: 1, weightBp: 9_000 }] },
      },
    ],
  },
);

const region = (name: string | null): Step => ({
  kind: 'setScope',
  label: name ?? 'everyone',
  when: name === null ? null : { kind: 'region', oneOf: [name] },
});
const route = (on: boolean): Step => ({
  kind: 'setHeaderRoute',
  name: 'testers',
  when: on ? { kind: 'header', name: 'x-test', match: { kind: 'present' } } : null,
});
const experiment: Step = {
  kind: 'experiment',
  durationMs: 30_000,
  templates: [{ name: 'third', version: 'v3', weightBp: 3_000 }],
  analyses: [],
};

/** A key with a bucket in these bounds. */
function keyIn(from: number, to: number): string {
  for (let i = 0; ; i++) {
    const bucket = bucketOfKey('svc', `u${i}`);
    if (bucket >= from && bucket < to) return `u${i}`;
  }
}
const EARLY = keyIn(0, 500);
const MIDDLE = keyIn(2_000, 2_400);
const LATE = keyIn(9_000, 10_000);

function asks(changes: Partial<DescribedRequest> = {}): DescribedRequest {
  return {
    key: null,
    headers: new Map(),
    cookies: new Map(),
    query: new Map(),
    method: 'GET',
    path: null,
    ip: null,
    region: null,
    ...changes,
  };
}

function begun(plan: RolloutPlan): RolloutState {
  const { canaryDefinition, stepsDefinition } = plan;
  return { ...initialState(plan), number: 1, canaryDefinition, stepsDefinition };
}

function stateAt(plan: RolloutPlan, index: number, changes: Partial<RolloutState> = {}): RolloutState {
  const progress = { kind: 'stepping', index, enteredAtMs: 0, runs: [], stuck: null } as const;
  return { ...begun(plan), progress, ...changes };
}

/** `step text: version`, in a line each. */
function told(plan: RolloutPlan, state: RolloutState, request: DescribedRequest): string[] {
  const question = { split: split([SERVICE]), service: SERVICE, plan, state, request, compile: noPatterns };
  return comingSteps(question).map(({ step, text, version }) => `${step} ${text}: ${version}`);
}

t.test('each weight ahead, for users early and late on the ramp', async (t) => {
  const plan = planOf({ steps: [weight(5), pause(60), weight(25), pause(60), weight(100)] });
  const table: readonly (readonly [index: number, key: string, coming: readonly string[]])[] = [
    [1, EARLY, ['2 setWeight 25: v2', '4 setWeight 100: v2']],
    [1, MIDDLE, ['2 setWeight 25: v2', '4 setWeight 100: v2']],
    [1, LATE, ['2 setWeight 25: v1', '4 setWeight 100: v2']],
    [3, LATE, ['4 setWeight 100: v2']],
    [4, LATE, []],
    [-1, MIDDLE, ['0 setWeight 5: v1', '2 setWeight 25: v2', '4 setWeight 100: v2']],
  ];
  for (const [index, key, coming] of table) {
    t.strictSame(told(plan, stateAt(plan, index), asks({ key })), coming, `${key} in step ${index}`);
  }
});

t.test('why, and at what weight', async (t) => {
  const plan = planOf({ steps: [weight(5), weight(12.5)] });
  const question = { split: split([SERVICE]), service: SERVICE, plan, compile: noPatterns };
  const [next, last] = comingSteps({ ...question, state: stateAt(plan, 0), request: asks({ key: MIDDLE }) });
  t.match(next, { step: 1, weight: 12.5, version: 'v1', because: /has bucket 2\d{3} in 1250\.\.9999/ });
  t.match(last, { step: 2, text: 'promotion', weight: 100, version: 'v2' });
});

t.test('steps that change nobody are left out', async (t) => {
  const plan = planOf({
    steps: [
      weight(5),
      pause(),
      { kind: 'setMirror', percentBp: 5_000 },
      { kind: 'setCanaryScale' },
      weight(5),
      weight(50),
    ],
  });
  t.strictSame(told(plan, stateAt(plan, 0), asks({ key: LATE })), ['5 setWeight 50: v1', '6 promotion: v2']);
});

t.test('scopes: each group when its turn comes, and those before it keep what they have', async (t) => {
  const plan = planOf({ steps: [region('eu'), weight(50), region(null), weight(10)] });
  const eu = asks({ key: MIDDLE, region: 'eu' });
  t.strictSame(told(plan, stateAt(plan, 0), eu), [
    '1 setWeight 50: v2',
    '3 setWeight 10: v2',
    '4 promotion: v2',
  ]);
  const elsewhere = asks({ key: MIDDLE, region: 'us' });
  t.strictSame(told(plan, stateAt(plan, 0), elsewhere), [
    '1 setWeight 50: v1',
    '3 setWeight 10: v1',
    '4 promotion: v2',
  ]);
});

t.test('header routes come and go', async (t) => {
  const plan = planOf({
    steps: [weight(0), route(true), pause(1), route(false)],
    managedRoutes: ['testers'],
  });
  const request = asks({ key: LATE, headers: new Map([['x-test', '1']]) });
  t.strictSame(told(plan, stateAt(plan, 0), request), [
    '1 setHeaderRoute testers: v2',
    '3 setHeaderRoute testers (removed): v1',
    '4 promotion: v2',
  ]);
});

t.test('an experiment takes its share while it lasts', async (t) => {
  const plan = planOf({ steps: [weight(5), experiment, pause(1)] });
  t.strictSame(told(plan, stateAt(plan, 0), asks({ key: MIDDLE })), [
    '1 experiment third 30: v3',
    '2 pause 1s: v1',
    '3 promotion: v2',
  ]);
});

t.test('rules of the config', async (t) => {
  const plan = planOf({ steps: [weight(5), weight(50)] });
  t.strictSame(
    told(plan, stateAt(plan, 0), asks({ key: LATE, region: 'test' })),
    ['1 setWeight 50: v2', '2 promotion: v2'],
    'one that forces a version does so throughout',
  );
  const lab = asks({ key: keyIn(9_100, 10_000), region: 'lab' });
  t.strictSame(told(plan, stateAt(plan, 0), lab), ['1 setWeight 50: v1', '2 promotion: v2']);
});

t.test('a weight set by hand holds until a step sets one', async (t) => {
  const plan = planOf({ steps: [weight(5), pause(1), route(true), weight(10)], managedRoutes: ['testers'] });
  const state = stateAt(plan, 1, { weightOverrideBp: 3_000 });
  t.strictSame(told(plan, state, asks({ key: MIDDLE })), [
    '2 setHeaderRoute testers: v2',
    '3 setWeight 10: v1',
    '4 promotion: v2',
  ]);
});

t.test('without a key it is left to chance', async (t) => {
  const plan = planOf({ steps: [weight(5), weight(50), weight(100)] });
  const question = {
    split: split([SERVICE]),
    service: SERVICE,
    plan,
    state: stateAt(plan, 0),
    compile: noPatterns,
  };
  t.match(comingSteps({ ...question, request: asks() }), [
    { version: null, because: /50 % v2, 50 % v1/ },
    { version: null, weight: 100 },
  ]);
});

t.test('nothing is coming where no steps run', async (t) => {
  const plan = planOf({ steps: [weight(5), weight(50)] });
  for (const progress of [
    { kind: 'idle' },
    { kind: 'aborted', cause: 'so' },
    { kind: 'undone' },
    { kind: 'completed', status: 'Promoted' },
  ] as const) {
    t.strictSame(told(plan, { ...begun(plan), progress }, asks({ key: EARLY })), [], progress.kind);
  }
  const starting = { ...begun(plan), progress: { kind: 'starting' } as const };
  t.equal(told(plan, starting, asks({ key: EARLY })).length, 3, 'before the first step all are ahead');
  const question = { split: split([SERVICE]), service: SERVICE, plan, request: asks(), compile: noPatterns };
  t.equal(comingFromStart(question).length, 3);
});

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 0, max: 100 }).map(weight),
  fc.constantFrom<Step>(
    pause(1),
    region('eu'),
    region('us'),
    region(null),
    route(true),
    route(false),
    experiment,
    {
      kind: 'setMirror',
      percentBp: 100,
    },
  ),
);

t.test('what is told is what then happens', async () => {
  const request = fc.record({
    key: fc.constantFrom(EARLY, MIDDLE, LATE),
    region: fc.constantFrom(null, 'eu', 'us', 'lab'),
    headers: fc.constantFrom(new Map(), new Map([['x-test', '1']])),
  });
  fc.assert(
    fc.property(fc.array(anyStep, { minLength: 1, maxLength: 8 }), request, (steps, described) => {
      const plan = planOf({ steps: [pause(1), ...steps], managedRoutes: ['testers'] });
      const walk = new Walk(plan);
      const asked = {
        split: split([SERVICE]),
        service: SERVICE,
        plan,
        request: asks(described),
        compile: noPatterns,
      };
      const now = () => {
        const served = applyRollout(SERVICE, plan, walk.state);
        return explain(split([SERVICE]), served, asks(described), noPatterns).version;
      };
      const first = now();
      const coming = comingSteps({ ...asked, state: walk.state });
      for (let second = 0; second < 300; second++) {
        const step = walk.step ?? plan.steps.length;
        const told = coming.findLast((one) => one.step <= step);
        if ((told === undefined ? first : told.version) !== now()) return false;
        walk.pass(1);
      }
      return walk.status === 'completed';
    }),
  );
});
