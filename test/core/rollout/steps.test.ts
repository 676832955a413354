import t from 'tap';
import type { RolloutPlan, Step } from '../../../src/core/rollout/plan.ts';
import { analysisOf, bad, broken, good, hookOf, nothing, pause, planOf, Walk, weight } from './walk.ts';

/** The rows of "Argo Rollouts: steps", and what we add to them. */

const TEXTBOOK = [weight(5), pause(300), weight(25), pause(600), weight(50), pause(900), weight(100)];

t.test('the weight in force is that of the last setWeight at or before the current step', async (t) => {
  const walk = new Walk(planOf({ steps: [pause(10), ...TEXTBOOK] }));
  t.equal(walk.weight, 0, 'none yet');
  const seen: [number, number][] = [];
  for (const seconds of [10, 300, 600, 899, 1]) {
    walk.pass(seconds);
    seen.push([walk.nowMs / 1_000, walk.weight]);
  }
  t.strictSame(seen, [
    [10, 5],
    [310, 25],
    [910, 50],
    [1809, 50],
    [1810, 100],
  ]);
  t.equal(walk.status, 'completed');
  t.equal(walk.phase, 'Healthy');
});

t.test('100 when the steps are done, whatever they set; 0 when aborted', async (t) => {
  const done = new Walk(planOf({ steps: [weight(20)] }));
  t.equal(done.status, 'completed');
  t.equal(done.weight, 100);
  const aborted = new Walk(planOf({ steps: [weight(20), pause()] }));
  t.equal(aborted.weight, 20);
  aborted.command('abort', { reason: 'looks odd' });
  t.equal(aborted.weight, 0);
  t.equal(aborted.phase, 'Degraded');
  t.match(aborted.message, 'looks odd');
});

t.test('no steps at all: at once on the canary', async (t) => {
  t.equal(new Walk(planOf()).weight, 100);
});

t.test('pause: {} waits for promote, a timed one for its time from when it began', async (t) => {
  const walk = new Walk(planOf({ steps: [weight(5), pause(), weight(10), pause(60)] }));
  walk.pass(100_000);
  t.equal(walk.step, 1);
  t.equal(walk.phase, 'Paused');
  t.equal(walk.command('promote'), null);
  t.equal(walk.step, 3);
  walk.pass(59);
  t.equal(walk.step, 3);
  walk.pass(1);
  t.equal(walk.status, 'completed');
});

t.test('a user pause also blocks an expired pause', async (t) => {
  const walk = new Walk(planOf({ steps: [weight(5), pause(60), weight(100)] }));
  walk.command('pause');
  walk.pass(600);
  t.equal(walk.step, 1);
  t.equal(walk.message, 'paused by hand');
  walk.command('resume');
  t.equal(walk.status, 'completed', 'the time had passed meanwhile');
});

t.test('promote clears a pause or advances one step, never both', async (t) => {
  const answers = { measure: () => null };
  const steps: Step[] = [
    weight(5),
    { kind: 'analysis', analysis: analysisOf({}) },
    weight(10),
    pause(60),
    weight(20),
    pause(),
  ];
  const walk = new Walk(planOf({ steps }), answers);
  t.equal(walk.step, 1);
  walk.command('pause');
  walk.command('promote');
  t.equal(walk.step, 1, 'the pause by hand was cleared');
  t.equal(walk.state.userPaused, false);
  walk.command('promote');
  t.equal(walk.step, 3, 'past the analysis to the next pause');
  walk.command('promote');
  t.equal(walk.step, 5, 'past the timed pause to the next one');
});

t.test('at an inconclusive step promote clears and advances', async (t) => {
  const steps: Step[] = [
    weight(5),
    { kind: 'analysis', analysis: analysisOf({ inconclusiveLimit: 0 }) },
    weight(10),
    pause(),
  ];
  const walk = new Walk(planOf({ steps, onFailure: 'pause' }), { measure: () => bad });
  t.match(walk.message, /^step 2 analysis: m Failed/);
  t.equal(walk.phase, 'Paused');
  t.equal(walk.weight, 5);
  walk.pass(3_600);
  t.equal(walk.step, 1);
  walk.command('promote');
  t.equal(walk.step, 3);
});

t.test('promote --full skips steps and analyses; one that was aborted it does not revive', async (t) => {
  const walk = new Walk(planOf({ steps: TEXTBOOK }));
  walk.command('promote', { full: true });
  t.strictSame(walk.state.progress, { kind: 'completed', status: 'FastPromoted' });
  const other = new Walk(planOf({ steps: TEXTBOOK }));
  other.command('abort');
  t.match(other.command('promote', { full: true }), 'retry begins it again');
  t.equal(other.weight, 0);
});

t.test('retry clears the abort and begins at the first step', async (t) => {
  const walk = new Walk(planOf({ steps: TEXTBOOK }));
  walk.pass(400);
  walk.command('abort');
  t.equal(walk.command('retry'), null);
  t.equal(walk.weight, 5);
  t.equal(walk.step, 1);
  t.equal(walk.state.number, 2, 'with evidence of its own');
  t.match(walk.command('retry'), 'only an aborted rollout');
});

t.test('undo takes everyone back to stable, from every state that has anyone elsewhere', async (t) => {
  for (const before of ['stepping', 'completed', 'aborted'] as const) {
    const walk = new Walk(planOf({ steps: TEXTBOOK }));
    if (before === 'completed') walk.pass(3_600);
    if (before === 'aborted') walk.command('abort');
    t.equal(walk.status, before);
    t.equal(walk.command('undo'), null);
    t.equal(walk.weight, 0);
    t.equal(walk.phase, 'Healthy');
    t.match(walk.command('undo'), 'on stable already');
    t.equal(walk.command('start'), null, 'and it can be left');
    t.equal(walk.weight, 5);
  }
});

t.test('inline analysis: Successful goes on, Failed and Error abort, Inconclusive pauses', async (t) => {
  const steps: Step[] = [
    weight(5),
    { kind: 'analysis', analysis: analysisOf({ intervalMs: null }) },
    weight(100),
  ];
  t.equal(new Walk(planOf({ steps }), { measure: () => good }).status, 'completed');
  const failed = new Walk(planOf({ steps }), { measure: () => bad });
  t.equal(failed.status, 'aborted');
  t.match(failed.message, /^step 2 analysis: m Failed/);
  const erring = new Walk(planOf({ steps }), { measure: () => broken });
  t.equal(erring.status, 'stepping', 'one error is retried');
  erring.pass(39);
  t.equal(erring.status, 'stepping');
  erring.pass(1);
  t.equal(erring.status, 'aborted', 'the fifth error in a row, 40 s after the first');
  t.match(erring.message, 'Error');
});

t.test('no data holds: no pause ends, no analysis finishes, and nothing is aborted', async (t) => {
  let outcome = nothing;
  const background = { analysis: analysisOf({}), startingStep: 0 };
  const walk = new Walk(planOf({ steps: TEXTBOOK, background }), { measure: () => outcome });
  walk.pass(599);
  t.equal(walk.step, 1);
  t.equal(walk.phase, 'Progressing');
  t.match(walk.message, 'held: ');
  walk.pass(3_600);
  t.equal(walk.step, 1);
  t.match(walk.message, 'no progress for 10m: ');
  t.strictSame(
    walk.told.filter((kind) => kind === 'held'),
    ['held'],
    'told once',
  );
  outcome = good;
  walk.pass(10);
  t.equal(walk.weight, 25, 'the pause was over long since');
  t.ok(walk.told.includes('released'));
});

t.test('background analysis runs from startingStep on and ends with the rollout', async (t) => {
  let asked = 0;
  const measure = () => {
    asked++;
    return good;
  };
  const background = { analysis: analysisOf({}), startingStep: 2 };
  const walk = new Walk(planOf({ steps: TEXTBOOK, background }), { measure });
  walk.pass(299);
  t.equal(asked, 0);
  walk.pass(2);
  t.equal(asked, 1);
  walk.pass(3_600);
  const before = asked;
  t.equal(walk.status, 'completed');
  walk.pass(3_600);
  t.equal(asked, before);
});

t.test('a failing background analysis aborts wherever the steps are', async (t) => {
  let outcome = good;
  const background = { analysis: analysisOf({ failureLimit: 3 }), startingStep: 1 };
  const walk = new Walk(planOf({ steps: TEXTBOOK, background }), { measure: () => outcome });
  walk.pass(605);
  t.equal(walk.weight, 25);
  outcome = bad;
  walk.pass(34);
  t.equal(walk.weight, 25, 'three failures are within the limit');
  walk.pass(10);
  t.equal(walk.status, 'aborted');
  t.equal(walk.weight, 0);
  const last = walk.state.history.at(-1);
  t.equal(last?.kind, 'aborted');
  t.ok((last?.evidence.length ?? 0) > 0, 'with its evidence');
});

t.test('a new definition supersedes the rollout under way and begins anew', async (t) => {
  const plan = planOf({ steps: TEXTBOOK });
  const walk = new Walk(plan);
  walk.pass(400);
  t.equal(walk.weight, 25);
  walk.replan({ ...plan, canaryDefinition: 'three' });
  t.equal(walk.weight, 5);
  t.equal(walk.state.number, 2);
  t.ok(walk.told.includes('superseded'));
});

t.test('changed steps begin the rollout under way again; the same plan leaves it alone', async (t) => {
  const plan = planOf({ steps: TEXTBOOK });
  const walk = new Walk(plan);
  walk.pass(400);
  const before = walk.state;
  walk.replan({ ...plan });
  t.equal(walk.state, before, 'not even written');
  walk.replan({ ...plan, steps: [weight(1), pause()], stepsDefinition: 'other' });
  t.equal(walk.weight, 1);
  t.equal(walk.state.number, 2);
});

t.test('changed steps leave a completed or aborted rollout as it is', async (t) => {
  const plan = planOf({ steps: TEXTBOOK });
  for (const end of ['completed', 'aborted']) {
    const walk = new Walk(plan);
    if (end === 'completed') walk.pass(3_600);
    else walk.command('abort');
    walk.replan({ ...plan, steps: [weight(1), pause()], stepsDefinition: 'other' });
    t.equal(walk.status, end);
  }
});

t.test('a definition within rollbackWindow, or the stable one, skips the steps', async (t) => {
  const plan: RolloutPlan = planOf({ steps: [weight(5), pause(60)], rollbackWindow: 2 });
  const walk = new Walk(plan);
  walk.pass(60);
  for (const canaryDefinition of ['three', 'four']) {
    walk.replan({ ...plan, canaryDefinition });
    t.equal(walk.weight, 5, 'new ones walk');
    walk.pass(60);
  }
  walk.replan({ ...plan, canaryDefinition: 'three' });
  t.strictSame(walk.state.progress, { kind: 'completed', status: 'RolledBack' });
  walk.replan({ ...plan, canaryDefinition: 'two' });
  t.equal(walk.weight, 5, 'too long ago: completed third from last');
  walk.replan({ ...plan, canaryDefinition: plan.stableDefinition });
  t.strictSame(walk.state.progress, { kind: 'completed', status: 'RolledBack' });
});

t.test('start: manual waits for the command', async (t) => {
  const walk = new Walk(planOf({ steps: TEXTBOOK, start: 'manual' }));
  t.equal(walk.status, 'idle');
  t.equal(walk.phase, 'Healthy');
  walk.pass(3_600);
  t.equal(walk.weight, 0);
  t.equal(walk.command('start'), null);
  t.equal(walk.weight, 5);
  t.match(walk.command('start'), 'under way');
});

t.test(
  'progressDeadline: missing data and hooks that say no, not steps that may take any time',
  async (t) => {
    const inline: Step[] = [weight(5), { kind: 'analysis', analysis: analysisOf({}) }];
    const limits = { progressDeadlineMs: 60_000 };
    const measure = () => nothing;
    const told = new Walk(planOf({ steps: inline, ...limits }), { measure });
    told.pass(59);
    t.equal(told.phase, 'Progressing');
    told.pass(1);
    t.equal(told.phase, 'Degraded');
    t.equal(told.weight, 5);
    told.pass(3_600);
    t.equal(told.told.filter((kind) => kind === 'deadline').length, 1, 'told once');
    const abort = { ...limits, progressDeadlineAbort: true };
    const aborted = new Walk(planOf({ steps: inline, ...abort }), { measure });
    aborted.pass(60);
    t.equal(aborted.status, 'aborted');
    const refused = new Walk(planOf({ steps: inline, webhooks: [hookOf()], ...abort }), {
      hook: () => false,
    });
    refused.pass(60);
    t.equal(refused.status, 'aborted');
    for (const steps of [[weight(5), pause()], inline]) {
      const fine = new Walk(planOf({ steps, ...abort }));
      fine.pass(3_600);
      t.equal(fine.status, 'stepping');
    }
  },
);

t.test('set-weight by hand holds until the next step that sets one', async (t) => {
  const walk = new Walk(planOf({ steps: TEXTBOOK }));
  t.equal(walk.command('setWeight', { weightBp: 1_200 }), null);
  t.equal(walk.weight, 12);
  walk.pass(299);
  t.equal(walk.weight, 12);
  walk.pass(1);
  t.equal(walk.weight, 25);
  walk.command('abort');
  t.match(walk.command('setWeight', { weightBp: 100 }), 'retry');
  t.equal(walk.weight, 0);
});

t.test('hooks at the start: nobody is on the canary before all of them said yes', async (t) => {
  let yes = false;
  const plan = planOf({
    steps: [weight(5), pause()],
    requires: [hookOf({ name: 'migrated', type: 'requires' })],
    webhooks: [hookOf({ name: 'confirm' }), hookOf({ name: 'load', type: 'pre-rollout', failureLimit: 1 })],
  });
  const walk = new Walk(plan, { hook: (name) => yes || name === 'confirm' });
  t.equal(walk.status, 'starting');
  t.equal(walk.phase, 'Paused');
  t.match(walk.message, 'migrated said no: 403: not yet');
  walk.pass(3_600);
  t.equal(walk.weight, 0);
  t.equal(walk.told.filter((kind) => kind === 'refused').length, 1, 'told once');
  yes = true;
  walk.pass(10);
  t.equal(walk.weight, 5);
});

t.test('a pre-rollout hook that goes on saying no aborts', async (t) => {
  const webhooks = [hookOf({ name: 'load', type: 'pre-rollout', failureLimit: 1 })];
  const walk = new Walk(planOf({ steps: [weight(5), pause()], webhooks }), { hook: () => false });
  t.equal(walk.status, 'starting');
  walk.pass(10);
  t.equal(walk.status, 'aborted');
});

t.test(
  'confirm-traffic-increase stands before each increase, confirm-promotion before the end',
  async (t) => {
    const asked: string[] = [];
    let yes = true;
    const webhooks = [
      hookOf({ name: 'more', type: 'confirm-traffic-increase' }),
      hookOf({ name: 'all', type: 'confirm-promotion' }),
    ];
    const steps = [weight(10), pause(60), weight(5), weight(50), pause(60)];
    const walk = new Walk(planOf({ steps, webhooks }), {
      hook: (name, { weight: at }) => {
        asked.push(`${name} at ${at}`);
        return yes;
      },
    });
    t.strictSame(asked, ['more at 0']);
    walk.pass(60);
    t.strictSame(asked, ['more at 0', 'more at 5'], 'not before the decrease');
    yes = false;
    walk.pass(60);
    t.equal(asked.at(-1), 'all at 50');
    t.equal(walk.weight, 50);
    t.equal(walk.phase, 'Paused');
    yes = true;
    walk.pass(10);
    t.equal(walk.status, 'completed');
  },
);

t.test('a rollback hook that says yes takes the canary back', async (t) => {
  let yes = false;
  const webhooks = [hookOf({ name: 'panic', type: 'rollback' })];
  const walk = new Walk(planOf({ steps: TEXTBOOK, webhooks }), { hook: () => yes });
  walk.pass(100);
  t.equal(walk.weight, 5);
  yes = true;
  walk.pass(10);
  t.equal(walk.status, 'aborted');
});

t.test('scopes: a weight counts inside its scope, earlier scopes keep theirs', async (t) => {
  const region = (name: string): Step => ({
    kind: 'setScope',
    label: `region ${name}`,
    when: { kind: 'region', oneOf: [name] },
  });
  const everyone: Step = { kind: 'setScope', label: 'everyone', when: null };
  const steps = [
    region('eu'),
    weight(5),
    pause(60),
    weight(100),
    pause(60),
    region('us'),
    pause(60),
    weight(10),
    pause(60),
    everyone,
    weight(1),
    pause(60),
  ];
  const walk = new Walk(planOf({ steps }));
  const scopes = () => walk.settings.scopes.map(({ label, weightBp }) => `${label} ${weightBp / 100}`);
  t.strictSame([walk.settings.everyoneBp, ...scopes()], [0, 'region eu 5']);
  walk.pass(60);
  t.strictSame([walk.settings.everyoneBp, ...scopes()], [0, 'region eu 100']);
  walk.pass(60);
  t.strictSame([walk.weight, ...scopes()], [0, 'region eu 100', 'region us 0'], 'a new scope begins at 0');
  walk.pass(60);
  t.strictSame([walk.weight, ...scopes()], [10, 'region eu 100', 'region us 10']);
  walk.pass(60);
  t.strictSame([walk.settings.everyoneBp, ...scopes()], [100, 'region eu 100', 'region us 10']);
  walk.command('abort');
  t.strictSame(scopes(), []);
});

t.test('promote goes past the hooks that are being asked, not past those of the next step', async (t) => {
  let yes = false;
  const asked: string[] = [];
  const webhooks = [
    hookOf({ name: 'more', type: 'confirm-traffic-increase' }),
    hookOf({ name: 'all', type: 'confirm-promotion' }),
  ];
  const hook = (name: string) => {
    asked.push(name);
    return yes;
  };
  yes = true;
  const walk = new Walk(planOf({ steps: [weight(5), pause(), weight(50), pause()], webhooks }), { hook });
  yes = false;
  walk.command('promote');
  t.equal(walk.weight, 5, 'asked first');
  t.strictSame(asked, ['more', 'more']);
  t.equal(walk.phase, 'Paused');
  walk.command('promote');
  t.equal(walk.weight, 50, 'a person overrules a no');
  walk.command('promote');
  t.equal(walk.status, 'stepping');
  t.equal(asked.at(-1), 'all');
  yes = true;
  walk.pass(10);
  t.equal(walk.status, 'completed');
});

t.test('before anyone is on the canary a silent background analysis holds nothing', async (t) => {
  const background = { analysis: analysisOf({}), startingStep: 0 };
  const steps: Step[] = [{ kind: 'setMirror', percentBp: 10_000 }, pause(60), weight(5), pause(60)];
  const walk = new Walk(planOf({ steps, background }), { measure: () => nothing });
  walk.pass(60);
  t.equal(walk.weight, 5);
  walk.pass(600);
  t.equal(walk.status, 'stepping', 'from then on it does');
  t.equal(walk.weight, 5);
});

t.test('accepting an abort tells nobody a second time', async (t) => {
  const webhooks = [hookOf({ name: 'after', type: 'post-rollout' })];
  const walk = new Walk(planOf({ steps: [weight(5), pause()], webhooks }));
  walk.command('abort');
  const calls = () => walk.effects.filter(({ kind }) => kind === 'call').length;
  t.equal(calls(), 1);
  walk.command('undo');
  t.equal(walk.phase, 'Healthy');
  t.equal(calls(), 1);
  t.equal(walk.told.at(-1), 'accepted');
});
