import t from 'tap';
import { Live, type LiveDeps } from '../../../src/control/live/live.ts';
import type { LiveEvent, OverviewView } from '../../../src/control/live-views.ts';
import type { ReloadState } from '../../../src/control/reload.ts';
import type { EndpointHealth } from '../../../src/control/views.ts';
import type { Service } from '../../../src/core/model.ts';
import { initialState } from '../../../src/core/rollout/transition.ts';
import type { Tally } from '../../../src/core/tally.ts';
import { ArmBook } from '../../../src/tally/arms.ts';
import { ArmsLifetime } from '../../../src/tally/arms-lifetime.ts';
import { Recorder } from '../../../src/tally/recorder.ts';
import { noPatterns, pause, planOf, weight } from '../../core/rollout/walk.ts';
import { mirror, split } from '../../support/split.ts';
import { until } from '../../support/wait.ts';
import { request } from '../../tally/support.ts';
import { judgeScene, serviceJudge } from '../judge-scene.ts';
import { iris, memoryLog, rolloutView } from '../support.ts';

/** The live view over a real board, counters and clock that a test moves. */
function world(services: readonly Service[] = [iris(5_000)], changes: Partial<LiveDeps> = {}) {
  const scene = judgeScene(services, [serviceJudge()]);
  const recorder = new Recorder();
  const tallies = new Map<string, Tally>();
  const log = memoryLog();
  const reload = { ok: 0, failed: 0, failure: null as ReloadState['failure'], restartNeeded: [] };
  const health: EndpointHealth[] = [];
  const live = new Live({
    recorder,
    answers: new ArmsLifetime(new ArmBook()),
    rollouts: { rollout: () => null, shown: () => null },
    board: scene.board,
    experiments: scene.experiments,
    holder: scene.holder,
    clock: { nowMs: () => scene.now.ms, wallMs: () => 1_700_000_000_000 + scene.now.ms },
    timeScale: 1,
    compilePattern: noPatterns,
    log,
    phase: () => 'ready',
    reloadState: () => reload,
    endpoints: () => health,
    ...changes,
  });
  for (const service of services) {
    for (const tally of recorder.open(service)) tallies.set(`${tally.service}/${tally.version}`, tally);
  }
  recorder.retain(split(services));
  const second = () => {
    scene.second();
    live.tick();
  };
  const overview = (): OverviewView => {
    const heard: LiveEvent[] = [];
    live.watch(null, (event) => heard.push(event))();
    const [first] = heard;
    if (first?.kind !== 'overview') throw new Error('no overview came first');
    return first.overview;
  };
  return {
    scene,
    live,
    log,
    reload,
    health,
    second,
    overview,
    tally: (name: string) => tallies.get(name) as Tally,
  };
}

t.test('the overview of a service without a rollout', async (t) => {
  const { second, overview, tally, health } = world([iris(525, { mirror: mirror(2), path: '/predict' })]);
  for (let i = 0; i < 12; i++) {
    request(tally('iris-api/v1'));
    request(tally('iris-api/v2'), { status: i % 2 === 0 ? 200 : 500 });
    second();
  }
  const [v2] = overview().services[0]?.versions.slice(1) ?? [];
  t.match(v2, { name: 'v2', role: 'canary', weight: 5.25, ratePerS: 1, errorShare: 0.5 });
  const endpoint = { service: 'iris-api', version: 'v2', endpoint: 'http://127.0.0.1:1', pending: 0 };
  health.push({ ...endpoint, healthy: false, ejectedUntilMs: null });
  t.match(overview(), {
    phase: 'ready',
    revision: 1,
    reloadFailure: null,
    services: [
      {
        name: 'iris-api',
        match: { host: null, path: '/predict' },
        mirror: 'v3',
        weightSetByHand: false,
        rollout: null,
        versions: [
          { name: 'v1', role: 'stable', endpoints: { healthy: 1, total: 1 } },
          { name: 'v2', endpoints: { healthy: 0, total: 1 } },
          { name: 'v3', role: 'shadow', ratePerS: 0, errorShare: null, p99Ms: null },
        ],
      },
    ],
  });
});

t.test('why a reload was refused', async (t) => {
  const { overview, reload } = world();
  reload.failure = { atMs: 7, message: 'the running config is kept', issues: [] };
  t.strictSame(overview().reloadFailure, { atMs: 7, message: 'the running config is kept' });
  const issue = { file: 'a.yaml', line: 3, column: 5, path: 'services', message: 'is odd', fix: '' };
  reload.failure = { ...reload.failure, issues: Array.from({ length: 7 }, () => issue) };
  t.strictSame(overview().reloadFailure?.message.split('\n'), [
    ...Array.from({ length: 5 }, () => 'a.yaml:3:5 services: is odd'),
    'and 2 more: see the log',
  ]);
});

t.test('the overview of a rollout, and what is ahead of it', async (t) => {
  const plan = planOf({ service: 'iris-api', steps: [weight(5), pause(60), weight(50)] });
  const state = {
    ...initialState(plan),
    number: 3,
    canaryDefinition: plan.canaryDefinition,
    stepsDefinition: plan.stepsDefinition,
    progress: { kind: 'stepping', index: 1, enteredAtMs: 0, runs: [], stuck: null } as const,
  };
  const shown = {
    plan,
    state,
    blocked: null as string | null,
    storeProblem: null,
    at: () => ({ nowMs: 20_000, wallMs: 0 }),
  };
  const rollouts = {
    rollout: () => rolloutView(),
    shown: (name: string) => (name === 'iris-api' ? shown : null),
  };
  const { overview, live } = world([iris(500)], { rollouts });
  t.match(overview().services[0], {
    weightSetByHand: false,
    rollout: {
      number: 3,
      phase: 'Paused',
      status: 'stepping',
      step: 1,
      steps: 3,
      weight: 5,
      nextInMs: 40_000,
      hold: null,
      verdict: null,
    },
  });
  const question = {
    key: 'u',
    headers: new Map<string, string>(),
    cookies: new Map<string, string>(),
    query: new Map<string, string>(),
    method: 'GET',
    path: null,
    ip: null,
    region: null,
  };
  t.strictSame(
    live.coming('iris-api', question).map(({ step, text }) => [step, text]),
    [
      [2, 'setWeight 50'],
      [3, 'promotion'],
    ],
  );
  t.strictSame(live.coming('nobody', question), []);
  shown.blocked = 'damaged';
  t.strictSame(live.coming('iris-api', question), [], 'nothing moves while it is blocked');
  t.match(overview().services[0]?.rollout, {
    status: 'blocked',
    phase: 'Degraded',
    message: 'damaged',
    weight: 0,
  });
});

t.test('an experiment over time', async (t) => {
  const { live, scene, second, overview } = world();
  t.equal(live.experimentTimeline('iris-api'), null);
  for (let i = 0; i < 40; i++) {
    for (let user = 0; user < 20; user++) {
      const { id } = scene.visit(`u${i}-${user}`);
      if (user % 4 === 0) await scene.feedback.take([{ id, kpi: 'click', value: 1 }]);
    }
    second();
  }
  const view = live.experimentTimeline('iris-api');
  if (view === null) throw new Error('nothing is known');
  t.match(view, { service: 'iris-api', kpi: 'click', stepMs: 1_000 });
  t.equal(view.atMs.length, 40);
  const [control, variant] = view.variants;
  t.strictSame([control?.name, variant?.name], ['v1', 'v2']);
  t.strictSame(control?.ratio, { value: [], low: [], high: [] }, 'stable is compared with nothing');
  for (const column of [variant?.conversion, variant?.ratio]) t.equal(column?.value.length, 40);
  const width = (i: number) => (variant?.conversion.high.at(i) ?? 1) - (variant?.conversion.low.at(i) ?? 0);
  t.ok(width(-1) < width(5), 'it narrows');
  t.match(overview().services[0]?.experiment, { state: 'continue' });

  scene.reload([iris(2_000)], [serviceJudge()]);
  second();
  t.equal(live.experimentTimeline('iris-api')?.atMs.length, 1, 'other shares begin other counts');
  scene.reload([iris(2_000)], []);
  second();
  t.equal(live.experimentTimeline('iris-api'), null);
});

t.test('a stream of a real watch: the same second in the point and in the timeline', async (t) => {
  const { live, second, tally } = world();
  const heard: LiveEvent[] = [];
  const stop = live.watch('iris-api', (event) => heard.push(event));
  request(tally('iris-api/v2'));
  second();
  const point = heard.find((event) => event.kind === 'point');
  if (point?.kind !== 'point') throw new Error('no point came');
  t.match(point.point.versions[1], { name: 'v2', ratePerS: 1, weight: 50, classes: {} });
  t.equal(point.point.atMs, live.timeline('iris-api', '1s')?.atMs.at(-1));
  stop();
  const before = heard.length;
  second();
  t.equal(heard.length, before);
  t.equal(live.timeline('nobody', '1s'), null);
});

t.test('a fault of the live view is logged once, and the process goes on', async (t) => {
  let asked = 0;
  const { live, log, scene } = world([iris(500)], {
    endpoints() {
      asked++;
      if (asked > 1) throw new Error('no endpoints');
      return [];
    },
  });
  t.teardown(() => live.stop());
  live.watch(null, () => undefined);
  live.start();
  await until(() => {
    scene.now.ms += 1_000;
    return asked > 4;
  }, 'several looks');
  t.match(log.lines, [{ level: 'error', message: 'the live view failed' }]);
  live.stop();
});
