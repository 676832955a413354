import t from 'tap';
import { selectServices } from '../../../src/control/timeline/select.ts';
import { Timelines } from '../../../src/control/timeline/timelines.ts';
import { PAIR } from '../../../src/core/arms.ts';
import type { Service, Split } from '../../../src/core/model.ts';
import type { Tally } from '../../../src/core/tally.ts';
import { ArmBook, countObservations, countPair, type OpenArms } from '../../../src/tally/arms.ts';
import { ArmsLifetime } from '../../../src/tally/arms-lifetime.ts';
import { Recorder } from '../../../src/tally/recorder.ts';
import { split } from '../../support/split.ts';
import { judgedOf, request, serviceOf } from '../../tally/support.ts';

/** The counters of a gateway on a clock that a test moves. */
function world(...services: Service[]) {
  const now = { ms: 10_000, wallOffsetMs: 1_700_000_000_000 };
  const recorder = new Recorder();
  const book = new ArmBook();
  const answers = new ArmsLifetime(book);
  const tallies = new Map<string, Tally>();
  const arms = new Map<string, OpenArms>();
  let current: Split = split([]);
  const use = (...next: Service[]) => {
    for (const service of next) {
      for (const tally of recorder.open(service)) tallies.set(`${tally.service}/${tally.version}`, tally);
      const open = book.open(service);
      if (open !== null) arms.set(service.name, open);
    }
    current = split(next);
    recorder.retain(current);
    book.retain(current);
    answers.retain(current);
  };
  use(...services);
  const timelines = new Timelines({
    totals: recorder,
    answers,
    clock: { nowMs: () => now.ms, wallMs: () => now.wallOffsetMs + now.ms },
    split: () => current,
    watched: () => [],
  });
  const view = (tier: '1s' | '15s' = '1s', name = 'svc') => {
    const service = current.services.find((one) => one.name === name);
    if (service === undefined) throw new Error(`no ${name}`);
    return timelines.view(service, tier);
  };
  return {
    now,
    view,
    use,
    timelines,
    arms: (name = 'svc') => arms.get(name) as OpenArms,
    send(count: number, version = 'v2', { status = 200, service = 'svc' } = {}) {
      for (let i = 0; i < count; i++) request(tallies.get(`${service}/${version}`) as Tally, { status });
    },
    /** Seconds pass, each with a look. */
    pass(seconds = 1) {
      for (let i = 0; i < seconds; i++) {
        now.ms += 1_000;
        timelines.tick();
      }
    },
    rates(version = 'v2', tier: '1s' | '15s' = '1s', name = 'svc') {
      return view(tier, name).versions.find((one) => one.name === version)?.ratePerS;
    },
  };
}

const svc = (changes: Parameters<typeof serviceOf>[2] = {}, versions = ['v1', 'v2']) =>
  serviceOf('svc', versions, { shares: [{ version: 1, weightBp: 2_500 }], ...changes });

t.test('what is counted in a second is in the step that ends with it', async (t) => {
  const { send, pass, view, rates } = world(svc());
  send(3);
  pass();
  send(2, 'v2', { status: 503 });
  send(1, 'v1');
  pass();
  t.strictSame(rates(), [3, 2]);
  t.strictSame(rates('v1'), [0, 1]);
  const { atMs, versions, kept, stepMs } = view();
  t.strictSame(atMs, [1_700_000_011_000, 1_700_000_012_000]);
  t.strictSame(versions[1]?.errorShare, [0, 1]);
  t.strictSame(
    versions.map(({ weight }) => weight),
    [
      [75, 75],
      [25, 25],
    ],
  );
  t.strictSame({ kept, stepMs }, { kept: true, stepMs: 1_000 });
});

t.test('what was counted before it was made is in no step', async (t) => {
  const recorder = new Recorder();
  const [tally] = recorder.open(svc()) as [Tally];
  recorder.retain(split([svc()]));
  request(tally);
  const now = { ms: 0 };
  const timelines = new Timelines({
    totals: recorder,
    answers: { answers: () => new Map(), pairs: () => [] },
    clock: { nowMs: () => now.ms, wallMs: () => now.ms },
    split: () => split([svc()]),
    watched: () => [],
  });
  now.ms = 1_000;
  timelines.tick();
  t.strictSame(timelines.view(svc(), '1s').versions[0]?.ratePerS, [0]);
});

t.test('15 minutes of seconds and a day of quarters, no more', async (t) => {
  const { send, pass, view, rates } = world(svc());
  for (let i = 0; i < 90_000; i++) {
    send(1);
    pass();
  }
  t.equal(view().atMs.length, 900);
  t.equal(view('15s').atMs.length, 5_760);
  t.equal(view('15s').stepMs, 15_000);
  t.ok(rates()?.every((rate) => rate === 1));
  t.ok(rates('v2', '15s')?.every((rate) => rate === 1));
  const { atMs } = view('15s');
  t.equal((atMs.at(-1) ?? 0) - (atMs[0] ?? 0), 5_759 * 15_000);
  pass(7);
  t.equal(view('15s').atMs.at(-1), atMs.at(-1), 'a step under way is not told yet');
  pass(8);
  t.equal(view('15s').atMs.at(-1), (atMs.at(-1) ?? 0) + 15_000);
});

t.test('a process that stood still leaves a gap, and what came in then is in no step', async (t) => {
  const { now, send, pass, rates, view, timelines } = world(svc());
  send(1);
  pass();
  send(100);
  now.ms += 4_000;
  timelines.tick();
  send(2);
  pass();
  t.strictSame(rates(), [1, null, null, null, null, 2]);
  t.strictSame(view().versions[1]?.weight, [25, null, null, null, null, 25]);
});

t.test('a gap longer than the ring leaves nothing of what was before', async (t) => {
  const { now, send, pass, rates, timelines } = world(svc());
  send(1);
  pass(3);
  now.ms += 3_600_000;
  timelines.tick();
  send(5);
  pass();
  t.equal(rates()?.length, 900);
  t.strictSame(rates()?.slice(-2), [null, 5]);
  t.ok(
    rates()
      ?.slice(0, -1)
      .every((rate) => rate === null),
  );
});

t.test('a machine that slept: the wall clock says how long, and nothing is told of it', async (t) => {
  const { now, send, pass, rates, view } = world(svc());
  send(1);
  pass(2);
  now.wallOffsetMs += 60_000;
  pass();
  send(4);
  pass();
  t.equal(rates()?.length, 64);
  t.strictSame(rates()?.slice(0, 3), [1, 0, null]);
  t.strictSame(rates()?.slice(-2), [null, 4]);
  const { atMs } = view();
  t.ok(atMs.every((at, i) => i === 0 || at - (atMs[i - 1] ?? 0) === 1_000));
});

t.test('a wall clock that is set back: time still runs forward', async (t) => {
  const { now, pass, view } = world(svc());
  pass(3);
  now.wallOffsetMs -= 3_600_000;
  pass(2);
  const { atMs } = view();
  t.equal(atMs.length, 5);
  t.equal(atMs.at(-1), now.wallOffsetMs + now.ms);
  t.ok(atMs.every((at, i) => i === 0 || at - (atMs[i - 1] ?? 0) === 1_000));
});

t.test('a version that a reload brings in, takes out and brings back', async (t) => {
  const { send, pass, rates, use, view } = world(svc());
  send(5);
  pass();
  use(svc({}, ['v1', 'v3']));
  send(2, 'v3');
  pass();
  use(svc());
  send(1);
  pass();
  t.strictSame(rates('v2'), [5, null, 1], 'its counters began anew');
  t.strictSame(rates('v3'), [null, 2, null]);
  t.strictSame(
    view().versions.map(({ name }) => name),
    ['v1', 'v2', 'v3'],
  );
});

t.test('a service that comes and goes', async (t) => {
  const other = serviceOf('other', ['a']);
  const { send, pass, rates, use } = world(svc());
  pass(2);
  use(svc(), other);
  send(3, 'a', { service: 'other' });
  pass();
  t.strictSame(rates('a', '1s', 'other'), [3], 'its columns begin when it does');
  use(svc());
  pass(2);
  use(svc(), other);
  send(4, 'a', { service: 'other' });
  pass();
  t.strictSame(rates('a', '1s', 'other'), [3, null, null, 4]);
});

t.test('new stages and weights end nothing', async (t) => {
  const { send, pass, rates, use, view } = world(svc());
  send(1);
  pass();
  for (let stage = 1; stage < 12; stage++) {
    use(svc({ stage, shares: [{ version: 1, weightBp: stage * 100 }] }));
    send(stage);
    pass();
  }
  t.strictSame(rates(), [1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  t.strictSame(view().versions[1]?.weight, [25, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
});

t.test('other latency bounds: rates go on, percentiles begin anew', async (t) => {
  const { send, pass, rates, use, view } = world(svc());
  send(4);
  pass();
  use(svc({ latencyEdgesMs: [2, 20] }));
  send(2);
  pass();
  t.strictSame(rates(), [4, 2]);
  t.equal(view().versions[1]?.p50Ms[1], 11);
});

t.test('what answers said', async (t) => {
  const { arms, pass, view, use } = world(svc({ judged: judgedOf() }));
  const say = (name: string, confidence: number) =>
    countObservations(arms(), 1, -1, [{ class: name, confidence, score: null }]);
  pass();
  say('cat', 0.5);
  say('dog', 1);
  countPair(arms(), PAIR.agree);
  pass();
  use(svc({ judged: judgedOf(), stage: 1 }));
  say('cat', 0.25);
  countPair(arms(), PAIR.disagree);
  pass();
  const [, v2] = view().versions;
  t.strictSame(v2?.classes, [
    { name: 'cat', counts: [null, 1, 1] },
    { name: 'dog', counts: [null, 1, 0] },
  ]);
  t.strictSame(
    v2?.confidence.map((mean) => mean && Math.round(mean * 100) / 100),
    [null, 0.75, 0.25],
  );
  t.strictSame(view().pairs, { agree: [null, 1, 0], disagree: [null, 0, 1] });
});

t.test('the last ten seconds, of every service', async (t) => {
  const { send, pass, timelines, now } = world(svc());
  t.equal(timelines.lately('svc', 'v2'), null);
  for (let i = 0; i < 30; i++) {
    send(i < 20 ? 100 : 10, 'v2', { status: i === 25 ? 500 : 200 });
    pass();
  }
  const gain = timelines.lately('svc', 'v2');
  t.equal(gain?.ratePerS, 10);
  t.equal(gain?.errorShare, 0.1);
  now.ms += 10_000;
  timelines.tick();
  t.equal(
    timelines.lately('svc', 'v2')?.ratePerS.toFixed(3),
    (90 / 19).toFixed(3),
    'by the time that passed',
  );
  t.equal(timelines.lately('svc', 'nobody'), null);
});

t.test('what was sent lately to a version that has left is forgotten', async (t) => {
  const { send, pass, use, timelines } = world(svc());
  send(5);
  pass(3);
  use(svc({}, ['v1', 'v3']));
  pass();
  t.equal(timelines.lately('svc', 'v2'), null);
  use(svc());
  send(2);
  pass();
  t.equal(timelines.lately('svc', 'v2'), null, 'one look at it says nothing yet');
  send(4);
  pass();
  t.equal(timelines.lately('svc', 'v2')?.ratePerS, 4);
  t.equal(timelines.lately('svc', 'v1')?.ratePerS, 0);
});

t.test('the newest point', async (t) => {
  const { send, pass, timelines } = world(svc());
  t.equal(timelines.point(svc()), null);
  send(2);
  pass();
  t.match(timelines.point(svc()), {
    service: 'svc',
    atMs: 1_700_000_011_000,
    versions: [
      { name: 'v1', ratePerS: 0 },
      { name: 'v2', ratePerS: 2, weight: 25 },
    ],
    pairs: { agree: null, disagree: null },
  });
});

t.test('histories are kept of what is watched first, and of no more than there is room for', async (t) => {
  const many = Array.from({ length: 150 }, (_, i) => serviceOf(`s${i}`, ['v1']));
  const kept = selectServices(many, new Set(['s149', 's120']));
  t.equal(kept.size, 100);
  t.strictSame([...kept].slice(0, 3), ['s120', 's149', 's0']);
  const wide = Array.from({ length: 4 }, (_, i) =>
    serviceOf(
      `w${i}`,
      Array.from({ length: i === 3 ? 20 : 90 }, (_, v) => `v${v}`),
    ),
  );
  t.strictSame([...selectServices(wide, new Set())], ['w0', 'w1', 'w3']);
});

t.test('a service without a history says so', async (t) => {
  const many = Array.from({ length: 101 }, (_, i) => serviceOf(`s${i}`, ['v1']));
  const { pass, view, timelines } = world(...many);
  pass(2);
  t.equal(view('1s', 's99').kept, true);
  t.strictSame(view('1s', 's100'), {
    service: 's100',
    kept: false,
    stepMs: 1_000,
    atMs: [],
    versions: [],
    pairs: { agree: [], disagree: [] },
  });
  t.equal(timelines.point(many[100] as Service), null);
  t.ok(timelines.lately('s100', 'v1'), 'but what it was sent lately is known');
});

t.test('versions that have left take no more room than is there for them', async (t) => {
  const { pass, use, view } = world(svc());
  for (let i = 0; i < 80; i++) {
    use(svc({}, ['v1', `n${i}`]));
    pass();
  }
  const names = view().versions.map(({ name }) => name);
  t.ok(names.length < 65, `${names.length} are kept`);
  t.strictSame(names.slice(0, 2), ['v1', 'n79']);
  t.notOk(names.includes('n0'), 'the oldest went first');
  t.ok(names.includes('n78'));
});
