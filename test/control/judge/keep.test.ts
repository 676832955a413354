import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { newBench, newSide } from '../../../src/control/judge/bench.ts';
import { Collector } from '../../../src/control/judge/collector.ts';
import { Keep } from '../../../src/control/judge/keep.ts';
import { emptyEvidence, type Slice } from '../../../src/core/judge/evidence.ts';
import type { ServiceJudge } from '../../../src/core/judge/service.ts';
import type { Service } from '../../../src/core/model.ts';
import { createEvidenceStore, type EvidenceStore } from '../../support/evidence-store.ts';
import { someSlice } from '../../support/saved-judge.ts';
import { split } from '../../support/split.ts';
import { type JudgeScene, judgeScene, plan, serviceJudge, successRate } from '../judge-scene.ts';
import { iris, memoryLog } from '../support.ts';

const NAME = 'iris-api';
const NONE = { accepted: 0, duplicate: 0, forged: 0, expired: 0, malformed: 0, unknown: 0 };

interface Options {
  readonly services?: readonly Service[];
  readonly judges?: readonly ServiceJudge[];
  readonly startMs?: number;
  readonly rollout?: ReturnType<typeof rolloutOf>;
}

/** A process over what the one before it has left. */
async function processOver(store: EvidenceStore, { services, judges, startMs, rollout }: Options = {}) {
  const scene = judgeScene(services, judges, {
    store,
    ...(startMs === undefined ? {} : { startMs }),
    ...(rollout === undefined ? {} : { rollout: () => rollout }),
  });
  await scene.keep.load((judges ?? [serviceJudge()]).map(({ service }) => service));
  return scene;
}

function rolloutOf(
  number: number,
  changes: { isOver?: boolean; isBlocked?: boolean; beganWallMs?: number } = {},
) {
  const { isOver = false, isBlocked = false, beganWallMs = 1_700_000_000_000 + number } = changes;
  return {
    number,
    underWay: !isOver && !isBlocked,
    nextW: 0.5,
    notBeforeMs: 0,
    beganWallMs,
    isOver,
    isBlocked,
  };
}

/** Saves what is due after so long. */
async function later(scene: JudgeScene, ms = 5_000): Promise<void> {
  scene.now.ms += ms;
  scene.keep.tick();
  for (let i = 0; i < 20; i++) await turn();
}

function visits(scene: JudgeScene, count: number, from = 0) {
  const made = Array.from({ length: count }, (_, i) => scene.visit(`user-${from + i}`));
  scene.second();
  return made;
}

const sumOf = (slices: readonly Slice[] = []) =>
  slices.reduce((sum, { canary, stable }) => sum + canary.requests + stable.requests, 0);
const requestsOf = ({ board }: JudgeScene) => sumOf(board.evidence(NAME)?.slices);
const savedIn = (store: EvidenceStore) => sumOf(store.peek(NAME)?.sides[0]?.evidence.slices);
const told = ({ log }: JudgeScene) => log.lines.map(({ level, message }) => `${level} ${message}`);
const clicksOf = (made: readonly { readonly id: string }[]) =>
  made.map(({ id }) => ({ id, kpi: 'click', value: 1 }));

t.test(
  'it saves every few seconds, only what changed, and at once what a stage has ended with',
  async (t) => {
    const store = createEvidenceStore();
    const scene = await processOver(store);
    scene.second();
    await later(scene);
    t.strictSame(store.saves, [], 'nobody came yet');
    visits(scene, 10);
    await later(scene, 1_000);
    t.strictSame(store.saves, [], 'it is not due');
    await later(scene);
    t.equal(store.saves.length, 1);
    scene.second();
    await later(scene);
    t.equal(store.saves.length, 1, 'nothing but time has passed');
    visits(scene, 10, 10);
    await later(scene);
    t.equal(store.saves.length, 2);
    visits(scene, 10, 20);
    scene.reload([iris(2_500)], [serviceJudge()]);
    await later(scene, 1_000);
    t.equal(store.saves.length, 3, 'another stage has begun');
    t.equal(requestsOf(scene), 30);
    t.equal(savedIn(store), 30);
    t.strictSame(
      told(scene).filter((line) => line.startsWith('warn')),
      [],
    );
  },
);

t.test('the end saves all that was counted, looked at or not', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  scene.second();
  for (let i = 0; i < 40; i++) scene.visit(`user-${i}`);
  await scene.keep.close(1_000);
  const next = await processOver(store, { startMs: 60_000 });
  next.second();
  t.equal(requestsOf(next), 40);
});

t.test('feedback that was counted before does not count again', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  const made = visits(scene, 300);
  const [clicked, late] = [made.slice(0, 200), made.slice(200)];
  t.match(await scene.feedback.take(clicksOf(clicked)), { accepted: 200 });
  await later(scene);
  t.match(await scene.feedback.take(clicksOf(late.slice(0, 50))), { accepted: 50 });
  // Killed: the last fifty are in no record, and so is their bookkeeping.
  const next = await processOver(store, { startMs: 60_000 });
  next.second();
  t.strictSame(await next.feedback.take(clicksOf(made)), { ...NONE, accepted: 100, duplicate: 200 });
  next.second();
  const events = (next.board.evidence(NAME)?.slices ?? []).reduce(
    (sum, { canary, stable }) => sum + (canary.kpis.click?.events ?? 0) + (stable.kpis.click?.events ?? 0),
    0,
  );
  t.equal(events, 300, 'each once');
  t.strictSame(await next.feedback.take(clicksOf(made)), { ...NONE, duplicate: 300 });
});

t.test('a reported “no” may still become a click after the restart', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  const [one] = visits(scene, 1);
  const no = { id: one?.id, kpi: 'click', value: 0 };
  t.match(await scene.feedback.take([no]), { accepted: 1 });
  await scene.keep.close(1_000);
  const next = await processOver(store, { startMs: 60_000 });
  next.second();
  t.strictSame(await next.feedback.take([no]), { ...NONE, duplicate: 1 });
  t.strictSame(await next.feedback.take([{ ...no, value: 1 }]), { ...NONE, accepted: 1 });
});

t.test('feedback that comes before the first look finds the evidence too', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  const made = visits(scene, 20);
  await scene.feedback.take(clicksOf(made));
  await scene.keep.close(1_000);
  const next = await processOver(store, { startMs: 60_000 });
  next.now.ms += 10;
  t.strictSame(await next.feedback.take(clicksOf(made)), { ...NONE, duplicate: 20 }, 'also what is known');
  t.match(await next.feedback.take([{ service: NAME, key: 'somebody', kpi: 'click', value: 1 }]), {
    accepted: 1,
  });
  t.equal(requestsOf(next), 20);
});

t.test('an experiment goes on with its counts, its time and its stopped variants', async (t) => {
  const variants = ['v1', 'v2', 'v3'];
  const judges = [
    serviceJudge({ plan: plan(successRate), experiment: { kpi: 'click', alpha: 0.05, variants } }),
  ];
  const shares = [
    { version: 1, weightBp: 3_000 },
    { version: 2, weightBp: 3_000 },
  ];
  const services = [{ ...iris(3_000), shares }];
  const store = createEvidenceStore();
  const scene = await processOver(store, { services, judges });
  scene.second();
  for (let i = 0; i < 600; i++) scene.visit(`early-${i}`, { failed: false });
  for (let i = 0; i < 900; i++) {
    const key = `user-${i}`;
    if (scene.visit(key).version === 'v3') scene.visit(`${key} again`, { failed: true });
  }
  const failing = async () => {
    for (let i = 0; i < 400; i++) {
      const key = `bad-${i}`;
      const { version } = scene.visit(key);
      if (version === 'v3') for (let j = 0; j < 3; j++) scene.visit(key, { failed: true });
    }
    scene.second();
  };
  for (let i = 0; i < 4 && scene.experiments.experiment(NAME)?.variants[2]?.state !== 'stopped'; i++)
    await failing();
  t.match(scene.experiments.experiment(NAME)?.variants[2], { state: 'stopped', weight: 0 });
  scene.second();
  const made = visits(scene, 500, 10_000);
  await scene.feedback.take(clicksOf(made.slice(0, 200)));
  scene.second();
  scene.now.ms += 600_000;
  scene.second();
  const before = scene.experiments.experiment(NAME);
  await scene.keep.close(1_000);

  const next = await processOver(store, { services, judges, startMs: 10_000_000 });
  next.second();
  const after = next.experiments.experiment(NAME);
  t.equal(after?.variants[2]?.weight, 0, 'the config gives it users again, what failed does not get them');
  for (const [i, name] of ['v1', 'v2'].entries()) {
    const wanted = before?.variants[i];
    t.ok((wanted?.users ?? 0) > 100);
    t.match(after?.variants[i], {
      name,
      users: wanted?.users,
      converted: wanted?.converted,
      events: wanted?.events,
    });
  }
  t.match(after?.variants[2], { state: 'stopped', stopped: before?.variants[2]?.stopped });
  t.equal(after?.began, before?.began);
  t.ok(
    (after?.elapsedMs ?? 0) >= (before?.elapsedMs ?? 0) &&
      (after?.elapsedMs ?? 0) < (before?.elapsedMs ?? 0) + 5_000,
  );
  next.reload([{ ...iris(3_000), shares: [...shares.slice(0, 1), { version: 2, weightBp: 1_000 }] }], judges);
  next.second();
  t.not(next.experiments.experiment(NAME)?.variants[2]?.state, 'stopped', 'a new weight tries it again');
});

t.test('evidence of something else is not gone on with, and its place is taken', async (t) => {
  const cases: readonly [string, Options, RegExp][] = [
    ['another rollout', { rollout: rolloutOf(4) }, /it is of rollout 3, and this is 4/],
    [
      'the same number, begun anew',
      { rollout: rolloutOf(3, { beganWallMs: 5 }) },
      /rollout 3, and this is 3 of another/,
    ],
    ['no rollout any more', {}, /who is compared, or with what/],
    [
      'other gates',
      { rollout: rolloutOf(3), judges: [serviceJudge({ plan: plan(successRate) })] },
      /what is asked of the canary/,
    ],
    [
      'other buckets',
      { rollout: rolloutOf(3), services: [iris(5_000, { latencyEdgesMs: [7] })] },
      /what is asked/,
    ],
    [
      'another canary',
      {
        rollout: rolloutOf(3),
        services: [
          {
            ...iris(5_000),
            versions: iris(5_000).versions.map((one) => ({ ...one, definition: `${one.definition}!` })),
          },
        ],
      },
      /the versions have changed/,
    ],
  ];
  for (const [name, options, reason] of cases) {
    const store = createEvidenceStore();
    const scene = await processOver(store, { rollout: rolloutOf(3) });
    scene.second();
    visits(scene, 50);
    await scene.keep.close(1_000);
    const next = await processOver(store, { ...options, startMs: 60_000 });
    next.second();
    t.equal(requestsOf(next), 0, name);
    t.match(told(next), [reason], name);
    visits(next, 20);
    await later(next);
    t.equal(store.peek(NAME)?.sides[0]?.evidence.slices.at(-1)?.stage, 0, `${name}: saved over it`);
    t.equal(requestsOf(next), 20);
  }
});

t.test('without rollouts, who is compared with whom decides', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  visits(scene, 50);
  visits(scene, 50, 50);
  await scene.keep.close(1_000);
  const text = store.texts.get(NAME) ?? '';
  const same = await processOver(store, { services: [iris(2_000)] });
  same.second();
  t.equal(requestsOf(same), 100, 'another weight is a new stage of the same');
  store.texts.set(NAME, text);
  const other = await processOver(store, { judges: [serviceJudge({ revisions: { v2: 'another build' } })] });
  other.second();
  t.equal(requestsOf(other), 0, 'another revision is not');
});

t.test('evidence of a rollout that is over is removed, of a blocked one it is kept', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store, { rollout: rolloutOf(3) });
  scene.second();
  visits(scene, 50);
  await scene.keep.close(1_000);
  const blocked = await processOver(store, { rollout: rolloutOf(0, { isBlocked: true }) });
  blocked.second();
  await later(blocked);
  await blocked.keep.close(1_000);
  t.ok(store.peek(NAME), 'whoever mends the state goes on with it');
  const over = await processOver(store, { rollout: rolloutOf(3, { isOver: true }) });
  over.second();
  await later(over);
  t.equal(store.texts.size, 0);
});

t.test('so is that of a service that is no longer judged', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  await scene.feedback.take(clicksOf(visits(scene, 50)));
  await later(scene);
  t.equal(store.peek(NAME)?.counted.length, 1);
  scene.reload([iris(5_000)], []);
  await later(scene);
  t.equal(store.texts.size, 0);
  t.strictSame(scene.feedback.counted(NAME), []);
});

t.test('what cannot be read is told, set aside, and begins anew', async (t) => {
  const store = createEvidenceStore();
  store.texts.set(NAME, 'nonsense');
  const scene = await processOver(store);
  t.match(told(scene), [
    /^warn evidence of before the restart cannot be used: memory:iris-api does not hold evidence: its first line/,
  ]);
  t.equal(store.texts.get(NAME), 'nonsense', 'nothing is written before there is something to write');
  visits(scene, 50);
  await later(scene);
  t.equal(store.aside.get(NAME), 'nonsense');
  t.equal(requestsOf(scene), 50);
  t.ok(store.peek(NAME));
});

t.test('what is broken under way is set aside, and saving goes on', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  visits(scene, 10);
  await later(scene);
  store.texts.set(NAME, 'no evidence');
  visits(scene, 10, 10);
  await later(scene);
  t.match(told(scene), [/^warn evidence cannot be saved.* what is there is not to be overwritten/]);
  t.equal(store.texts.get(NAME), 'no evidence');
  await later(scene);
  t.equal(store.aside.get(NAME), 'no evidence');
  t.equal(savedIn(store), 20);
  t.match(told(scene).at(-1), /^info evidence can be saved again/);
});

t.test('what the disk fails to give at first is read a moment later', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  visits(scene, 50);
  await scene.keep.close(1_000);
  store.failLoads(3);
  const next = await processOver(store, { startMs: 60_000 });
  next.second();
  t.equal(requestsOf(next), 50);
  visits(next, 20);
  await later(next);
  t.strictSame([store.aside.size, store.unread.size], [0, 0]);
});

t.test('what cannot be read at the start is not saved over, but set aside as it is', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  visits(scene, 50);
  await scene.keep.close(1_000);
  const text = store.texts.get(NAME);
  store.failLoads(5);
  const next = await processOver(store, { startMs: 60_000 });
  t.match(told(next), [/^warn evidence of before .* set aside: memory:iris-api cannot be read \(EMFILE\)/]);
  next.second();
  t.equal(store.texts.get(NAME), text, 'there is nothing to save yet');
  visits(next, 20);
  await later(next);
  t.equal(store.unread.get(NAME), text, 'all of it');
  t.equal(store.aside.size, 0, 'for nothing is wrong with it');
  t.equal(savedIn(store), 20);
});

t.test('a full disk costs a warning now and then and nothing else', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  visits(scene, 10);
  store.failSaves(new Error('the disk is full (ENOSPC)'));
  for (let i = 1; i <= 12; i++) {
    visits(scene, 10, 10 * i);
    await later(scene, i === 12 ? 600_000 : 5_000);
  }
  t.strictSame(
    told(scene),
    Array(2).fill(
      'warn evidence cannot be saved, a restart would lose what is new: the disk is full (ENOSPC)',
    ),
  );
  t.equal(requestsOf(scene), 130);
  store.failSaves(null);
  await later(scene);
  t.equal(told(scene).at(-1), 'info evidence can be saved again');
  t.match(store.peek(NAME)?.sides[0]?.evidence.slices.length, 2, 'all of it');
});

t.test('a disk that hangs holds up nobody, and not the end either', async (t) => {
  const store = createEvidenceStore();
  const names = ['a', 'b', 'c', 'd', 'e'];
  const services = names.map((name) => iris(5_000, { name }));
  const judges = names.map((service) => serviceJudge({ service }));
  const scene = await processOver(store, { services, judges });
  const release = store.hold();
  for (let i = 0; i < 20; i++) scene.visit(`user-${i}`);
  scene.second();
  scene.second();
  await later(scene);
  await later(scene);
  t.strictSame(store.saves, ['a'], 'users came to one only');
  await later(scene, 10_000);
  t.match(told(scene), [/^warn evidence cannot be saved.*the disk does not answer/]);
  const ended = scene.keep.close(20);
  await ended;
  t.match(told(scene).at(-1), /could not be saved within 20 ms/);
  release();
});

t.test('of many services a few are saved at once, each in its turn', async (t) => {
  const store = createEvidenceStore();
  const names = Array.from({ length: 9 }, (_, i) => `service-${i}`);
  const clock = { ms: 0 };
  const evidence = { ...emptyEvidence(), slices: [someSlice()] };
  const keep = new Keep({
    store,
    board: {
      bench: (name) => ({
        ...newBench(serviceJudge({ service: name })),
        sides: [{ ...newSide('v2'), collector: new Collector(evidence) }],
        epoch: 'v1 against v2',
      }),
      collect: () => undefined,
    },
    experiments: { course: () => null, recall: () => undefined },
    feedback: { counted: () => [], forget: () => undefined, recall: () => undefined },
    services: () => names,
    split: () => split(names.map((name) => iris(5_000, { name }))),
    rollout: () => null,
    clock: { nowMs: () => clock.ms, wallMs: () => clock.ms },
    log: memoryLog(),
  });
  const tick = async (ms: number) => {
    clock.ms += ms;
    keep.tick();
    for (let i = 0; i < 20; i++) await turn();
  };
  await tick(0);
  const release = store.hold();
  for (let i = 0; i < 3; i++) await tick(3_000);
  t.equal(store.saves.length, 2, 'the disk and its threads are others’ too');
  release();
  for (let i = 0; i < 5; i++) await tick(1);
  t.strictSame([...store.saves].sort(), names);
});

/** For so long a request comes to each of these every few seconds, and each saves what is due. */
async function live(scenes: readonly JudgeScene[], seconds: number, stepMs = 5_000): Promise<void> {
  for (let ms = 0; ms < seconds * 1_000; ms += stepMs) {
    for (const scene of scenes) {
      visits(scene, 1, scene.now.ms);
      await later(scene, stepMs - 1_000);
    }
  }
}

const linesOf = (scene: JudgeScene, pattern: RegExp) =>
  told(scene).filter((line) => pattern.test(line)).length;

t.test('of two processes with one folder the second to save leaves it to the first', async (t) => {
  const store = createEvidenceStore();
  const one = await processOver(store);
  const other = await processOver(store);
  for (const scene of [one, other]) visits(scene, 10);
  await live([one, other], 1_800);
  t.strictSame(told(other), [
    'warn evidence is not saved while another process does: revision 1 is stored, not 0; two gateways need two state folders',
  ]);
  t.strictSame(told(one), [], 'the first feels nothing of it');
  t.equal(savedIn(store), requestsOf(one));
  t.equal(requestsOf(other), 370, 'which counts on');
  t.ok(store.saves.length < 360 + 35, 'and tries once a minute');
});

t.test('when the other process has ended, the living one saves again', async (t) => {
  const store = createEvidenceStore();
  const old = await processOver(store);
  visits(old, 10);
  await later(old);
  const next = await processOver(store);
  await live([old, next], 20);
  await old.keep.close(1_000);
  t.equal(linesOf(next, /^warn evidence is not saved while/), 1);
  await live([next], 50);
  t.equal(savedIn(store), requestsOf(old), 'it might still live');
  await live([next], 70);
  t.equal(savedIn(store), requestsOf(next));
  t.match(told(next).at(-1), /^info evidence is saved again: another process had, and has not for 60 s/);
  const saves = store.saves.length;
  await live([next], 60);
  t.equal(store.saves.length, saves + 12, 'as often as ever');
});

t.test('two that live, and are silent in turns, soon leave each other alone', async (t) => {
  const store = createEvidenceStore();
  const scenes = [await processOver(store), await processOver(store)];
  for (let turn = 0; turn < 40; turn++) {
    const [one, other] = turn % 2 === 0 ? scenes : scenes.toReversed();
    await live([one as JudgeScene], 400);
    await later(other as JudgeScene, 400_000);
  }
  for (const scene of scenes) {
    const handed = linesOf(scene, /^info evidence is saved again/);
    t.ok(handed >= 1 && handed <= 4, `${handed} times in forty silences`);
    t.ok(linesOf(scene, /^warn/) <= handed + 1);
  }
});

t.test('a record that somebody removed is written anew', async (t) => {
  const store = createEvidenceStore();
  const scene = await processOver(store);
  visits(scene, 10);
  await later(scene);
  store.texts.clear();
  visits(scene, 10, 10);
  await later(scene);
  await later(scene);
  t.ok(store.peek(NAME));
});
