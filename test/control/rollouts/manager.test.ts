import t from 'tap';
import { StoreConflict } from '../../../src/ports.ts';
import { analysisOf, bad, good, hookOf, nothing, pause, weight } from '../../core/rollout/walk.ts';
import { config, iris } from '../support.ts';
import { createMemoryStore, irisPlan, ManualClock, scene } from './scene.ts';

const STEPS = [weight(5), pause(60), weight(50), pause(60), weight(100)];

t.test('a rollout walks by itself, and every step is stored before it is in force', async (t) => {
  const store = createMemoryStore();
  const stored: (number | undefined)[] = [];
  const s = await scene(t, {
    store,
    plans: [irisPlan({ steps: STEPS })],
    onSwap: () => stored.push(store.peek('iris-api')?.history.at(-1)?.weight),
  });
  t.equal(s.splits[0]?.services[0]?.shares[0]?.weightBp, 0, 'not before it is stored');
  t.equal(s.weight(), 5);
  await s.pass(59);
  t.equal(s.weight(), 5);
  await s.pass(1);
  t.equal(s.weight(), 50);
  await s.pass(60);
  t.equal(s.weight(), 100);
  t.equal(s.status(), 'completed');
  t.strictSame(stored, [5, 50, 100]);
  t.strictSame(
    s.splits.map(({ services }) => services[0]?.stage),
    [0, 1, 2, 3],
    'a stage for each weight',
  );
});

t.test('a verdict is in the Split as soon as it is stored', async (t) => {
  let outcome = good;
  const background = { analysis: analysisOf({ intervalMs: 5_000 }), startingStep: 0 };
  const s = await scene(t, { plans: [irisPlan({ steps: STEPS, background })], measure: () => outcome });
  await s.pass(12);
  outcome = bad;
  await s.pass(3);
  t.equal(s.status(), 'aborted');
  t.equal(s.weight(), 0);
  const aborted = s.rollouts.history('iris-api')?.at(-1);
  t.match(aborted, { kind: 'aborted', actor: 'coalmine', weight: 0 });
  t.match(aborted?.evidence.join('\n'), 'm');
});

t.test('a store that fails stops every step, and never an abort', async (t) => {
  const store = createMemoryStore();
  const s = await scene(t, { store, plans: [irisPlan({ steps: STEPS })] });
  store.failSaves(new Error('no space left on the disk'));
  await s.pass(90);
  t.equal(s.weight(), 5);
  t.match(s.rollouts.rollout('iris-api')?.message, 'no space left');
  const promote = await s.rollouts.rolloutCommand('iris-api', { kind: 'promote', full: true }, 'me');
  t.match(promote, { ok: false, code: 'store_failed' });
  t.equal(s.weight(), 5);
  const abort = await s.rollouts.rolloutCommand('iris-api', { kind: 'abort', reason: '' }, 'me');
  t.equal(abort.ok, true);
  t.equal(s.weight(), 0);
  t.equal(store.peek('iris-api')?.progress.kind, 'stepping', 'not stored yet');
  store.failSaves(null);
  await s.pass(2);
  t.equal(store.peek('iris-api')?.progress.kind, 'aborted', 'stored as soon as it could be');
  t.equal(s.log.lines.filter(({ level }) => level === 'error').length, 1, 'told once');
});

t.test('a measurement that could not be stored is not lost', async (t) => {
  const store = createMemoryStore();
  let answer: (outcome: typeof bad) => void = () => undefined;
  const background = { analysis: analysisOf({ failureLimit: 1 }), startingStep: 0 };
  const s = await scene(t, {
    store,
    plans: [irisPlan({ steps: STEPS, background })],
    measure: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  await s.pass(1);
  store.failSaves(new Error('gone'));
  answer(bad);
  await s.pass(1);
  store.failSaves(null);
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  await s.pass(1);
  t.equal(store.peek('iris-api')?.background?.metrics[0]?.failed, 1);
});

t.test('a restart goes on at the same step with the rest of the pause', async (t) => {
  const store = createMemoryStore();
  const first = await scene(t, { store, plans: [irisPlan({ steps: STEPS })] });
  await first.pass(100);
  t.equal(first.weight(), 50);
  await first.rollouts.stop();
  const clock = new ManualClock();
  clock.realMs = 5;
  clock.offsetMs += 86_400_000;
  const second = await scene(t, { store, clock, plans: [irisPlan({ steps: STEPS })] });
  t.equal(second.splits[0]?.services[0]?.shares[0]?.weightBp, 5_000, 'from the first Split');
  t.equal(second.weight(), 50);
  t.equal(second.rollouts.rollout('iris-api')?.step, 3);
  await second.pass(19);
  t.equal(second.weight(), 50);
  await second.pass(4);
  t.equal(second.status(), 'completed', 'a day of absence was no pause');
});

t.test('an abort outlives a restart, and so does what was measured', async (t) => {
  const store = createMemoryStore();
  const background = { analysis: analysisOf({ failureLimit: 2 }), startingStep: 0 };
  const plans = [irisPlan({ steps: STEPS, background })];
  const first = await scene(t, { store, plans, measure: () => bad });
  await first.pass(10);
  t.equal(first.status(), 'stepping');
  await first.rollouts.stop();
  const second = await scene(t, { store, plans, measure: () => bad });
  await second.pass(10);
  t.equal(second.status(), 'aborted', 'the third failure, two of them before the restart');
  await second.rollouts.stop();
  const third = await scene(t, { store, plans });
  t.equal(third.status(), 'aborted');
  t.equal(third.weight(), 0);
});

t.test('a damaged state: stable serves all, nothing is overwritten, and it says why', async (t) => {
  const store = createMemoryStore();
  store.damage('iris-api', 'is cut short; move it away to begin anew');
  const s = await scene(t, { store, plans: [irisPlan({ steps: STEPS })] });
  await s.pass(120);
  t.equal(s.weight(), 0);
  t.match(s.rollouts.rollout('iris-api'), { status: 'blocked', phase: 'Degraded', message: /cut short/ });
  const outcome = await s.rollouts.rolloutCommand('iris-api', { kind: 'start' }, 'me');
  t.match(outcome, { ok: false, code: 'blocked', message: /cut short/ });
  t.strictSame(store.saved, []);
  t.match(s.log.lines.find(({ level }) => level === 'error')?.message, 'stable serves everyone');
});

t.test('a state that the disk gives only later is gone on with', async (t) => {
  const store = createMemoryStore();
  const plans = [irisPlan({ steps: STEPS })];
  const first = await scene(t, { store, plans });
  t.equal(first.weight(), 5);
  await first.rollouts.stop();
  store.failLoads(3);
  const next = await scene(t, { store, plans });
  t.equal(next.weight(), 5);
  t.not(next.status(), 'blocked');
});

t.test('one that it does not give in time is neither used nor saved over', async (t) => {
  const store = createMemoryStore();
  const plans = [irisPlan({ steps: STEPS })];
  const first = await scene(t, { store, plans });
  await first.rollouts.stop();
  const { length } = store.saved;
  store.failLoads(Number.POSITIVE_INFINITY);
  const next = await scene(t, { store, plans });
  await next.pass(120);
  t.equal(next.weight(), 0);
  t.match(next.rollouts.rollout('iris-api'), { status: 'blocked', message: /cannot be read \(EMFILE\)/ });
  t.equal(store.saved.length, length);
});

t.test('another writer of the same state: this one lets go of the canary', async (t) => {
  const store = createMemoryStore();
  const s = await scene(t, { store, plans: [irisPlan({ steps: STEPS })] });
  t.equal(s.weight(), 5);
  store.failSaves(new StoreConflict('revision 9 is stored, not 1', 9));
  await s.pass(3);
  t.equal(s.weight(), 0);
  t.match(s.rollouts.rollout('iris-api'), { status: 'blocked', message: /revision 9/ });
});

t.test('while the process shuts down no step is taken', async (t) => {
  const s = await scene(t, { plans: [irisPlan({ steps: STEPS })] });
  await s.rollouts.stop();
  await s.pass(300);
  t.equal(s.weight(), 5);
  const outcome = await s.rollouts.rolloutCommand('iris-api', { kind: 'promote', full: true }, 'me');
  t.match(outcome, { ok: false, message: /shutting down/ });
  t.equal(s.weight(), 5);
});

t.test('two rollouts never touch each other', async (t) => {
  const services = [iris(0), iris(0, { name: 'other', salt: 'other' })];
  const background = { analysis: analysisOf({ intervalMs: 5_000, name: 'bad' }), startingStep: 0 };
  const s = await scene(t, {
    services,
    plans: [irisPlan({ steps: STEPS, background }), irisPlan({ service: 'other', steps: STEPS })],
    measure: (name) => (name === 'bad' ? bad : good),
  });
  t.equal(s.status(), 'aborted');
  await s.pass(60);
  t.equal(s.weight(), 0);
  t.equal(s.weight('other'), 50);
  const stages = s.holder.split().services.map(({ stage }) => stage);
  t.strictSame(stages, [2, 2]);
});

t.test('a new definition begins a rollout at the reload; anything else leaves it alone', async (t) => {
  const plan = irisPlan({ steps: STEPS });
  const s = await scene(t, { plans: [plan] });
  await s.pass(60);
  t.equal(s.weight(), 50);
  await s.reload(
    config({ services: [iris(900), iris(0, { name: 'more', salt: 'more' })], rollouts: [plan] }),
  );
  t.equal(s.weight(), 50);
  await s.pass(30);
  await s.reload(config({ services: [iris(900)], rollouts: [{ ...plan, canaryDefinition: 'three' }] }));
  t.equal(s.weight(), 5);
  t.equal(s.rollouts.rollout('iris-api')?.number, 2);
  await s.reload(config({ services: [iris(900)], rollouts: [] }));
  t.equal(s.weight(), 9, 'without a rollout the file’s weight counts');
  t.equal(s.rollouts.rollout('iris-api'), null);
});

t.test('a reload that is refused leaves the rollout where it was', async (t) => {
  const store = createMemoryStore();
  const plan = irisPlan({ steps: STEPS });
  let refuse = false;
  const s = await scene(t, {
    store,
    plans: [plan],
    onSwap: () => {
      if (refuse) throw new Error('cannot be compiled');
    },
  });
  await s.pass(60);
  refuse = true;
  const next = config({ services: [iris(900)], rollouts: [{ ...plan, canaryDefinition: 'three' }] });
  await t.rejects(s.reload(next), /cannot be compiled/);
  refuse = false;
  t.equal(s.weight(), 50);
  t.equal(store.peek('iris-api')?.canaryDefinition, 'two', 'on disk too');
  await s.pass(60);
  t.equal(s.status(), 'completed');
});

t.test('commands: done, refused, unknown; all with their actor in the history', async (t) => {
  const s = await scene(t, {
    plans: [irisPlan({ steps: STEPS })],
    services: [iris(0), iris(0, { name: 'plain' })],
  });
  const run = (name: string, kind: 'pause' | 'resume' | 'retry') =>
    s.rollouts.rolloutCommand(name, { kind }, 'cli:ada');
  t.match(await run('iris-api', 'pause'), { ok: true, view: { phase: 'Paused', userPaused: true } });
  t.match(await run('iris-api', 'retry'), { ok: false, code: 'refused' });
  t.match(await run('plain', 'pause'), { ok: false, code: 'no_rollout' });
  t.match(await run('nobody', 'pause'), { ok: false, code: 'unknown_service' });
  t.match(s.rollouts.history('iris-api')?.at(-1), { kind: 'paused', actor: 'cli:ada', at: /^2023-/ });
  t.equal(s.rollouts.history('plain'), null);
});

t.test('providers that are down hold, and say so', async (t) => {
  let outcome = nothing;
  const background = { analysis: analysisOf({ intervalMs: 5_000 }), startingStep: 0 };
  const s = await scene(t, { plans: [irisPlan({ steps: STEPS, background })], measure: () => outcome });
  await s.pass(120);
  t.equal(s.weight(), 5);
  t.match(s.rollouts.rollout('iris-api')?.hold, 'no data');
  outcome = good;
  await s.pass(5);
  t.equal(s.weight(), 50);
});

t.test('hooks get the body that Flagger sends', async (t) => {
  const bodies: object[] = [];
  const webhooks = [
    hookOf({ name: 'confirm', metadata: { env: 'prod' } }),
    hookOf({ name: 'ev', type: 'event' }),
  ];
  await scene(t, {
    plans: [irisPlan({ steps: STEPS, webhooks })],
    hook: (_name, body) => bodies.push(body) > 0,
  });
  t.match(bodies[0], { name: 'iris-api', namespace: '', phase: /ing$/, metadata: {} });
  t.ok(bodies.some((body) => JSON.stringify(body).includes('"env":"prod"')));
  t.ok(bodies.some((body) => JSON.stringify(body).includes('"eventType":"Normal"')));
});

t.test('a process that stood still, and a wall clock that was set, shorten no pause', async (t) => {
  const clock = new ManualClock();
  const s = await scene(t, { clock, plans: [irisPlan({ steps: STEPS })] });
  clock.realMs += 3_600_000;
  clock.offsetMs += 7_200_000;
  await s.pass(50);
  t.equal(s.weight(), 5);
  const told = s.log.lines.map(({ message }) => message).join('\n');
  t.match(told, 'stood still');
  t.match(told, 'wall clock jumped');
  await s.pass(10);
  t.equal(s.weight(), 50);
});
