import { setImmediate as turn } from 'node:timers/promises';
import t from 'tap';
import { carryStages } from '../../src/config/diff.ts';
import type { ExperimentView, VariantView } from '../../src/control/api.ts';
import { sharesWith, withShares } from '../../src/control/weights.ts';
import type { Service } from '../../src/core/model.ts';
import { bucketOfKey } from '../../src/core/split/hash.ts';
import { version } from '../support/split.ts';
import { type JudgeScene, judgeScene, plan, serviceJudge, successRate } from './judge-scene.ts';
import { iris } from './support.ts';

/** Users of a version click with its probability; who does is decided by a hash, so every run is the same. */
async function visits(
  scene: JudgeScene,
  count: number,
  rates: Record<string, number>,
  from = 0,
  isHere: (key: string) => boolean = () => true,
): Promise<void> {
  const clicks: object[] = [];
  for (let i = from; i < from + count; i++) {
    const key = `user-${i}`;
    if (!isHere(key)) continue;
    const { id, version } = scene.visit(key);
    if (bucketOfKey('clicks', key) < (rates[version] ?? 0) * 10_000)
      clicks.push({ id, kpi: 'click', value: 1 });
  }
  scene.second();
  for (let i = 0; i < clicks.length; i += 1_000) await scene.feedback.take(clicks.slice(i, i + 1_000));
  scene.second();
}

function viewOf(scene: JudgeScene): ExperimentView {
  const view = scene.experiments.experiment('iris-api');
  if (view === null) throw new Error('there is no experiment');
  return view;
}

function variantOf(scene: JudgeScene, name: string): VariantView {
  const variant = viewOf(scene).variants.find((one) => one.name === name);
  if (variant === undefined) throw new Error(`there is no variant ${name}`);
  return variant;
}

function messages(scene: JudgeScene): string[] {
  return scene.log.lines.map(({ level, message }) => `${level} ${message}`);
}

function setWeight(scene: JudgeScene, name: string, weightBp: number): void {
  const before = scene.holder.split();
  const wanted = sharesWith(scene.service(), name, weightBp);
  if (!wanted.ok) throw new Error(wanted.problem.message);
  scene.holder.swap(carryStages(before, withShares(before, 'iris-api', wanted.shares)));
}

t.test('from the beginning to a winner', async (t) => {
  const scene = judgeScene();
  t.equal(scene.experiments.experiment('iris-api'), null, 'not looked at yet');
  for (let i = 0; i < 10; i++) scene.visit(`early-${i}`);
  scene.second();
  t.match(viewOf(scene), {
    kpi: 'click',
    alpha: 0.05,
    began: '2026-01-02T03:04:06.000Z',
    state: 'continue',
    winner: null,
    remainingMs: null,
  });
  const rates = { v1: 0.2, v2: 0.3 };
  await visits(scene, 500, rates);
  const early = viewOf(scene);
  t.equal(early.state, 'continue');
  t.ok((early.remainingMs ?? 0) > 0, 'it says how long that will take');
  t.equal(early.elapsedMs, 2_000);
  const [v1, v2] = early.variants;
  t.equal((v1?.users ?? 0) + (v2?.users ?? 0), 510, 'both are counted from the first user on');
  t.match(v1, { name: 'v1', weight: 50, state: 'control', ratio: null, guardrails: null });
  t.ok((v2?.converted ?? 0) > 0 && v2?.converted === v2?.events);
  t.equal(v2?.conversion?.value, (v2?.converted ?? 0) / (v2?.users ?? 1));

  await visits(scene, 3_000, rates, 500);
  t.match(viewOf(scene), { state: 'winner', winner: 'v2', remainingMs: 0, problems: [] });
  t.match(variantOf(scene, 'v2'), { state: 'better', weight: 50 }, 'nothing follows from it');
  scene.second();
  t.strictSame(
    messages(scene).filter((message) => message.startsWith('info experiment: winner')).length,
    1,
    'told once',
  );
  t.equal(scene.service().stage, 0);
});

t.test('users who are not dealt as the weights say', async (t) => {
  const scene = judgeScene();
  scene.second();
  const lost = (key: string) => bucketOfKey('iris-api', key) >= 5_000 || bucketOfKey('lost', key) < 7_000;
  await visits(scene, 3_000, { v1: 0.2, v2: 0.3 }, 0, lost);
  t.match(viewOf(scene), { state: 'error', winner: null, text: /sample ratio mismatch/ });
  t.ok((viewOf(scene).sampleRatio?.evidence ?? 0) > 1_000);
  t.ok(messages(scene).some((message) => /^warn experiment: Held: sample ratio/.test(message)));
});

t.test('a variant that a gate fails gets no more users', async (t) => {
  const scene = judgeScene([iris(5_000)], [serviceJudge({ plan: plan(successRate) })]);
  scene.second();
  for (let i = 0; i < 400; i++) scene.visit(`user-${i}`, { failed: false });
  scene.second();
  t.match(variantOf(scene, 'v2'), { weight: 50, guardrails: { state: 'CONTINUE' }, stopped: null });
  for (let i = 400; i < 600; i++) {
    const key = `user-${i}`;
    scene.visit(key, { failed: bucketOfKey('iris-api', key) < 5_000 });
  }
  scene.second();
  t.strictSame(scene.service().shares, [{ version: 1, weightBp: 0 }]);
  t.equal(scene.service().stage, 1);
  t.match(variantOf(scene, 'v2'), {
    weight: 0,
    state: 'stopped',
    text: /^a guardrail stopped it: .*v2 failed/,
    stopped: { at: '2026-01-02T03:04:08.000Z', because: /v2 failed/ },
  });
  t.equal(scene.log.lines.filter(({ level }) => level === 'warn').length, 1);
  t.match(
    messages(scene).find((message) => message.startsWith('warn')),
    /v2 gets no more users: .*v2 failed/,
  );
  scene.second();
  t.match(viewOf(scene), { state: 'idle', winner: null, text: /nothing is compared/ });

  await t.test('what the config does not change goes on so', async (t) => {
    scene.reload([iris(5_000)], [serviceJudge({ plan: plan(successRate) })]);
    scene.second();
    t.match(variantOf(scene, 'v2'), { weight: 0, state: 'stopped' });
  });

  await t.test('a person who gives it users again begins anew', async (t) => {
    setWeight(scene, 'v2', 2_000);
    for (let i = 600; i < 800; i++) scene.visit(`user-${i}`);
    scene.second();
    scene.second();
    t.match(variantOf(scene, 'v2'), { weight: 20, state: 'continue', guardrails: { state: 'CONTINUE' } });
    t.equal(variantOf(scene, 'v2').stopped, null);
    const { users, variants } = { users: 0, ...viewOf(scene) };
    t.equal(
      variants.reduce((sum, one) => sum + one.users, users),
      200,
      'those since then',
    );
    for (let i = 800; i < 1_200; i++) {
      const key = `user-${i}`;
      scene.visit(key, { failed: bucketOfKey('iris-api', key) < 2_000 });
    }
    scene.second();
    t.match(variantOf(scene, 'v2'), { weight: 0, state: 'stopped' });
  });
});

t.test('a variant is not stopped for what another model did under its name', async (t) => {
  const judges = [serviceJudge({ plan: plan(successRate) })];
  const scene = judgeScene([iris(5_000)], judges);
  scene.second();
  for (let i = 0; i < 400; i++) {
    const key = `user-${i}`;
    scene.visit(key, { failed: bucketOfKey('iris-api', key) < 5_000 });
  }
  scene.second();
  t.match(variantOf(scene, 'v2'), { weight: 0, state: 'stopped' });
  const mended = iris(4_000);
  const versions = mended.versions.with(1, version('v2', 'http://127.0.0.1:2'));
  scene.reload([{ ...mended, versions }], judges);
  // Services are looked at in turns: an experiment may be before its guardrails are.
  scene.now.ms += 1_000;
  scene.experiments.tick();
  t.match(variantOf(scene, 'v2'), { weight: 40, stopped: null, requests: 0 });
  scene.second();
  t.match(variantOf(scene, 'v2'), { weight: 40, stopped: null });
});

const three = (): Service =>
  iris(0, {
    shares: [
      { version: 1, weightBp: 3_000 },
      { version: 2, weightBp: 3_000 },
    ],
  });

t.test('three variants, one of which goes', async (t) => {
  const experiment = { kpi: 'click', alpha: 0.05, variants: ['v1', 'v2', 'v3'] };
  const scene = judgeScene([three()], [serviceJudge({ experiment, plan: plan(successRate) })]);
  scene.second();
  const rates = { v1: 0.2, v2: 0.2, v3: 0.3 };
  await visits(scene, 500, rates);
  t.strictSame(
    viewOf(scene).variants.map(({ name, weight, state, users }) => [name, weight, state, users > 100]),
    [
      ['v1', 40, 'control', true],
      ['v2', 30, 'continue', true],
      ['v3', 30, 'continue', true],
    ],
  );
  for (let i = 500; i < 700; i++) {
    const key = `user-${i}`;
    scene.visit(key, { failed: bucketOfKey('iris-api', key) < 3_000 });
  }
  scene.second();
  t.strictSame(scene.service().shares, [
    { version: 1, weightBp: 0 },
    { version: 2, weightBp: 3_000 },
  ]);
  t.match(variantOf(scene, 'v2'), { state: 'stopped' });
  t.match(variantOf(scene, 'v3'), { stopped: null, weight: 30, guardrails: { state: 'CONTINUE' } });
  await visits(scene, 4_000, rates, 2_000);
  t.match(viewOf(scene), { state: 'winner', winner: 'v3' });
  t.match(variantOf(scene, 'v2'), { state: 'stopped', weight: 0 });
});

t.test('reloads', async (t) => {
  const scene = judgeScene();
  scene.second();
  await visits(scene, 200, { v1: 0.5, v2: 0.5 });
  const users = () => viewOf(scene).variants.reduce((sum, one) => sum + one.users, 0);
  const converted = () => viewOf(scene).variants.reduce((sum, one) => sum + one.converted, 0);
  const clicks = converted();
  t.equal(users(), 200);
  const reload = (service: Service, judge = serviceJudge(), secret?: string) => {
    scene.reload([service], [judge], secret);
    scene.second();
    scene.second();
  };
  reload(iris(5_000));
  t.equal(users(), 200, 'one that leaves it as it is');
  const { judged } = serviceJudge();
  reload(iris(5_000), serviceJudge({ judged: { ...judged, predictionSecret: 'another one of tests' } }));
  t.equal(users(), 200, 'another secret');
  reload(iris(5_000, { maxBodyBytes: 1_000 }));
  t.equal(scene.service().stage, 1);
  t.strictSame([users(), converted()], [200, clicks], 'another limit is a new stage of the same');
  await visits(scene, 100, { v1: 0.5, v2: 0.5 }, 1_000);
  t.equal(users(), 300);

  const began = viewOf(scene).began;
  reload(iris(2_000, { maxBodyBytes: 1_000 }));
  t.strictSame([users(), converted()], [0, 0], 'with other shares counts cannot be laid beside each other');
  t.not(viewOf(scene).began, began);
  await visits(scene, 100, { v1: 0.5, v2: 0.5 }, 2_000);
  t.equal(users(), 100);
  const [v1, v2, v3] = iris(2_000).versions;
  if (v1 === undefined || v2 === undefined || v3 === undefined) throw new Error('iris has three versions');
  const other = iris(2_000, { maxBodyBytes: 1_000 });
  reload({ ...other, versions: [v1, version('v2', 'http://127.0.0.1:2'), v3] });
  t.equal(users(), 0, 'another model');
  t.equal(scene.board.evidence('iris-api')?.slices.length, 1, 'its gates begin anew as well');
  await visits(scene, 100, { v1: 0.5, v2: 0.5 }, 3_000);
  t.ok(users() > 90);
  scene.reload([], []);
  scene.second();
  t.equal(scene.experiments.experiment('iris-api'), null);
  t.strictSame(scene.experiments.experiments(), []);
});

t.test('a Split that is refused leaves the variant for the next look', async (t) => {
  const scene = judgeScene([iris(5_000)], [serviceJudge({ plan: plan(successRate) })]);
  let refuse = true;
  scene.holder.subscribe(() => {
    if (refuse) throw new Error('not now');
  });
  scene.second();
  for (let i = 0; i < 400; i++) {
    const key = `user-${i}`;
    scene.visit(key, { failed: bucketOfKey('iris-api', key) < 5_000 });
  }
  scene.second();
  t.match(variantOf(scene, 'v2'), { weight: 50, stopped: null, guardrails: { state: 'FAIL' } });
  t.ok(messages(scene).some((message) => message.startsWith('error a failing variant')));
  refuse = false;
  scene.second();
  await turn();
  t.match(variantOf(scene, 'v2'), { weight: 0, state: 'stopped' });
});

t.test('weeks make a few hundred slices', (t) => {
  const scene = judgeScene();
  scene.second();
  for (let hour = 0; hour < 24 * 14; hour++) {
    scene.visit(`user-${hour}`);
    scene.now.ms += 3_599_000;
    scene.second();
  }
  const slices = scene.board.evidence('iris-api')?.slices ?? [];
  t.ok(slices.length > 100 && slices.length < 500, `${slices.length} slices`);
  t.equal(
    slices.reduce((sum, { canary, stable }) => sum + canary.requests + stable.requests, 0),
    24 * 14,
  );
  t.end();
});
