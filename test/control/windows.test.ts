import fc from 'fast-check';
import t from 'tap';
import { Rows } from '../../src/control/sources/rows.ts';
import { createWindows, type Lifetime } from '../../src/control/windows.ts';
import { countsBetween } from '../../src/core/analysis/tally-read.ts';
import type { Service } from '../../src/core/model.ts';
import { SCALAR, type Tally } from '../../src/core/tally.ts';
import { Recorder } from '../../src/tally/recorder.ts';
import { split } from '../support/split.ts';
import { EDGES, request, serviceOf } from '../tally/support.ts';

const HOUR_MS = 3_600_000;

interface World {
  nowMs: number;
  readonly recorder: Recorder;
  readonly clock: { nowMs(): number; wallMs(): number };
  use(...services: Service[]): void;
  tally(service: string, version: string): Tally;
  /** Requests to v2 of `svc`, a millisecond after each other. */
  send(count: number, status?: number, durationMs?: number): void;
}

function world(): World {
  const recorder = new Recorder();
  const open = new Map<string, Tally>();
  const made: World = {
    nowMs: 5_000,
    recorder,
    clock: { nowMs: () => made.nowMs, wallMs: () => 0 },
    use(...services) {
      for (const each of services) {
        for (const tally of recorder.open(each)) open.set(`${tally.service}/${tally.version}`, tally);
      }
      recorder.retain(split(services));
    },
    tally: (service, version) => open.get(`${service}/${version}`) as Tally,
    send(count, status = 200, durationMs = 5) {
      for (let i = 0; i < count; i++) request(made.tally('svc', 'v2'), { status, durationMs });
    },
  };
  made.use(serviceOf('svc', ['v1', 'v2']));
  return made;
}

function windowsOf(
  { recorder, clock }: World,
  timeScale = 1,
  services: (() => readonly string[]) | null = null,
) {
  return createWindows(() => recorder.lifetimeTotals(), clock, timeScale, services);
}

t.test('counts what came since the window began, by status and duration', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  w.send(50, 500);
  windows.look();
  t.equal(windows.counts('svc', 'v2', 10_000), null, 'one look tells nothing of the time before it');
  for (let second = 0; second < 60; second++) {
    w.send(2, 200, 5);
    w.send(1, 503, 50);
    w.nowMs += 1_000;
    windows.look();
  }
  const counts = windows.counts('svc', 'v2', 10_000);
  t.same(counts, {
    requests: 30,
    errors: 10,
    durationsByBucket: Float64Array.from([0, 20, 10, 0, 0]),
    edgesMs: Float64Array.from(EDGES),
    spanMs: 10_000,
  });
  t.match(
    windows.counts('svc', 'v1', 10_000),
    { requests: 0, spanMs: 10_000 },
    'an idle version is known to be idle',
  );
  t.equal(windows.counts('svc', 'v9', 10_000), null);
  t.equal(windows.counts('none', 'v2', 10_000), null);
});

t.test('a window longer than what is remembered says how long it truly was', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  windows.look();
  for (let second = 0; second < 7; second++) {
    w.send(1);
    w.nowMs += 1_000;
    windows.look();
  }
  t.match(windows.counts('svc', 'v2', HOUR_MS), { requests: 7, spanMs: 7_000 });
  t.match(windows.counts('svc', 'v2', Number.POSITIVE_INFINITY), { requests: 7, spanMs: 7_000 });
});

t.test('nothing from before the time that is named counts', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  windows.look();
  w.send(100, 500);
  w.nowMs += 1_000;
  windows.look();
  w.nowMs += 400;
  const beganMs = w.nowMs;
  for (let i = 0; i < 5; i++) {
    w.nowMs += 1_000;
    w.send(1);
    windows.look();
    const counts = windows.counts('svc', 'v2', HOUR_MS, w.nowMs - beganMs);
    // The look before the run and the one after it have the run's first moments between them: left out.
    if (i === 0) t.equal(counts, null);
    else t.match(counts, { requests: i, errors: 0, spanMs: i * 1_000 });
  }
  w.send(100, 500);
  t.equal(windows.counts('svc', 'v2', HOUR_MS, 0), null, 'a run that begins now has seen nothing');
});

t.test('a question after a long silence looks for itself', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  windows.look();
  w.send(4);
  w.nowMs += 30_000;
  t.match(windows.counts('svc', 'v2', 60_000), { requests: 4, spanMs: 30_000 });
});

t.test('looks are no closer than a step, whoever asks for them', async (t) => {
  for (const [timeScale, stepMs] of [
    [1, 1_000],
    [5, 200],
    [1_000, 100],
  ] as const) {
    const w = world();
    let sums = 0;
    const lifetime = () => {
      sums++;
      return w.recorder.lifetimeTotals();
    };
    const windows = createWindows(lifetime, w.clock, timeScale);
    for (let i = 0; i <= 1_000; i++) {
      windows.look();
      windows.counts('svc', 'v2', 1_000);
      w.nowMs += stepMs / 100;
    }
    t.ok(sums >= 10 && sums <= 12, `${sums} looks in ten steps of ${stepMs} ms`);
  }
});

t.test("windows are measured in the rollout's time", async (t) => {
  const w = world();
  const windows = windowsOf(w, 10);
  windows.look();
  for (let i = 0; i < 100; i++) {
    w.nowMs += 100;
    w.send(1);
    windows.look();
  }
  t.match(windows.counts('svc', 'v2', 60_000), { requests: 60, spanMs: 6_000 }, 'a minute is six seconds');
});

t.test('a version that appears is counted from its first request', async (t) => {
  const w = world();
  const windows = windowsOf(w, 1, () => ['svc', 'later']);
  windows.look();
  w.use(serviceOf('svc', ['v1', 'v2', 'v3']), serviceOf('later', ['v1']));
  for (let i = 0; i < 3; i++) request(w.tally('svc', 'v3'));
  for (let i = 0; i < 2; i++) request(w.tally('later', 'v1'));
  w.nowMs += 1_000;
  windows.look();
  t.match(windows.counts('svc', 'v3', 60_000), { requests: 3, spanMs: 1_000 });
  t.match(windows.counts('later', 'v1', 60_000), { requests: 2, spanMs: 1_000 });
});

t.test('a version that was gone and comes back begins anew', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  windows.look();
  w.send(20);
  w.nowMs += 1_000;
  windows.look();
  w.use(serviceOf('svc', ['v1']));
  w.nowMs += 1_000;
  windows.look();
  t.equal(windows.counts('svc', 'v2', 60_000), null);
  w.use(serviceOf('svc', ['v1', 'v2']));
  w.send(30);
  w.nowMs += 1_000;
  windows.look();
  t.match(windows.counts('svc', 'v2', 60_000), { requests: 30, spanMs: 1_000 });
});

t.test('so does one that was gone and back between two looks', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  w.send(5);
  windows.look();
  w.send(20);
  w.nowMs += 1_000;
  windows.look();
  w.use(serviceOf('svc', ['v1']));
  w.use(serviceOf('svc', ['v1', 'v2']));
  w.send(3, 500);
  w.nowMs += 1_000;
  windows.look();
  t.match(windows.counts('svc', 'v2', 60_000), { requests: 3, errors: 3, spanMs: 1_000 });
});

t.test('other latency edges begin anew, and the requests of that moment are not lost', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  w.send(40);
  windows.look();
  w.send(20, 500);
  w.nowMs += 1_000;
  windows.look();
  w.use(serviceOf('svc', ['v1', 'v2'], { latencyEdgesMs: [7, 70] }));
  w.send(3, 200, 5);
  w.send(2, 503, 50);
  w.nowMs += 1_000;
  windows.look();
  t.same(windows.counts('svc', 'v2', 60_000), {
    requests: 5,
    errors: 2,
    durationsByBucket: Float64Array.from([3, 2, 0]),
    edgesMs: Float64Array.from([7, 70]),
    spanMs: 1_000,
  });
});

t.test('edges that change and change back between two looks do too', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  windows.look();
  w.send(20);
  w.nowMs += 1_000;
  windows.look();
  w.use(serviceOf('svc', ['v1', 'v2'], { latencyEdgesMs: [7, 70] }));
  w.use(serviceOf('svc', ['v1', 'v2']));
  w.send(4);
  w.nowMs += 1_000;
  windows.look();
  const counts = windows.counts('svc', 'v2', 60_000);
  t.match(counts, { requests: 4, spanMs: 1_000 });
  t.same(counts?.durationsByBucket, Float64Array.from([0, 4, 0, 0, 0]));
});

t.test('only services that are watched are read and remembered', async (t) => {
  const w = world();
  w.use(serviceOf('svc', ['v1', 'v2']), serviceOf('other', ['v1']));
  let watched: string[] = [];
  const asked: (readonly string[])[] = [];
  const lifetime: Lifetime = (services) => {
    asked.push([...(services ?? ['all'])]);
    return w.recorder.lifetimeTotals();
  };
  const windows = createWindows(lifetime, w.clock, 1, () => watched);
  windows.look();
  w.nowMs += 1_000;
  windows.look();
  t.same(asked, [], 'with nobody to watch nothing is added up');

  w.send(10);
  watched = ['svc'];
  w.nowMs += 1_000;
  windows.look();
  w.send(2);
  w.nowMs += 1_000;
  windows.look();
  t.same(asked, [['svc'], ['svc']]);
  t.match(
    windows.counts('svc', 'v2', 60_000),
    { requests: 2, spanMs: 1_000 },
    'what was before is not known',
  );
  t.equal(windows.counts('other', 'v1', 60_000), null);

  watched = [];
  w.nowMs += 1_000;
  windows.look();
  t.equal(windows.counts('svc', 'v2', 60_000), null, 'forgotten');
});

t.test('clients that went away are in no window as requests', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  windows.look();
  w.send(2, 499);
  w.send(1, 101);
  w.send(3);
  w.nowMs += 1_000;
  t.match(windows.counts('svc', 'v2', 60_000), { requests: 3, errors: 0 });
});

t.test('remembers hours, ever more thinly, and then forgets', async (t) => {
  const w = world();
  // Light, because this plays a day and a half.
  const total: Tally = (w.recorder.lifetime() as Tally[]).find(({ version }) => version === 'v2') as Tally;
  const windows = createWindows(() => [{ ...total, ...countsBetween(null, total) }], w.clock, 1);
  for (let second = 0; second < 36 * 3_600; second++) {
    request(total);
    w.nowMs += 1_000;
    windows.look();
  }
  const over = (windowMs: number) => {
    const { requests = 0, spanMs = 0 } = windows.counts('svc', 'v2', windowMs) ?? {};
    t.equal(requests, spanMs / 1_000, `one a second in ${spanMs} ms`);
    return spanMs - windowMs;
  };
  for (const windowMs of [1_000, 45_000, 119_000]) t.equal(over(windowMs), 0);
  for (const minutes of [3, 5, 9.5, 11, 25, 59]) {
    const excess = over(minutes * 60_000);
    t.ok(excess >= 0 && excess <= 0.05 * minutes * 60_000, `${excess} ms more than ${minutes} min`);
  }
  for (const hours of [2, 7, 11.5]) {
    const excess = over(hours * HOUR_MS);
    t.ok(excess >= 0 && excess <= 1_201_000, `${excess} ms more than ${hours} h`);
  }
  t.ok(over(11 * 24 * HOUR_MS) < 0 && over(0) === 0);
  const all = windows.counts('svc', 'v2', Number.POSITIVE_INFINITY)?.spanMs ?? 0;
  t.ok(all >= 11.6 * HOUR_MS && all <= 12 * HOUR_MS, `${all / HOUR_MS} hours are remembered`);
});

t.test('a version that rests keeps its last request in sight', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  windows.look();
  w.nowMs += 1_000;
  w.send(7);
  windows.look();
  for (let second = 0; second < 5_000; second++) {
    w.nowMs += 1_000;
    windows.look();
  }
  t.match(
    windows.counts('svc', 'v2', 4_000_000),
    { requests: 0, spanMs: 4_000_000 },
    'exact, however far back',
  );
  t.match(windows.counts('svc', 'v2', 6_000_000), { requests: 7, spanMs: 5_001_000 });
});

t.test('property: what a window holds is what was counted in it', async () => {
  const action = fc.record({
    afterMs: fc.oneof(fc.integer({ min: 1, max: 3_000 }), fc.integer({ min: 1, max: 400_000 })),
    statuses: fc.array(fc.constantFrom(200, 404, 500, 503), { maxLength: 4 }),
    durationMs: fc.constantFrom(0.5, 5, 5_000),
  });
  fc.assert(
    fc.property(
      fc.array(action, { minLength: 1, maxLength: 120 }),
      fc.constantFrom(1, 60),
      fc.integer({ min: 0, max: 5_000_000 }),
      fc.option(fc.integer({ min: 0, max: 1_000_000 }), { nil: Number.POSITIVE_INFINITY }),
      (actions, timeScale, windowMs, sinceMs) => {
        const w = world();
        const windows = windowsOf(w, timeScale);
        const events: { atMs: number; status: number; durationMs: number }[] = [];
        const firstMs = w.nowMs;
        let lookedMs = w.nowMs;
        windows.look();
        for (const { afterMs, statuses, durationMs } of actions) {
          w.nowMs += afterMs;
          const stepMs = Math.max(100, 1_000 / timeScale);
          // Half a millisecond before the look, so that no event falls on a bound.
          for (const status of statuses) {
            w.send(1, status, durationMs);
            events.push({ atMs: w.nowMs - 0.5, status, durationMs });
          }
          if (w.nowMs - lookedMs >= stepMs * 0.9) lookedMs = w.nowMs;
          windows.look();
        }
        const counts = windows.counts('svc', 'v2', windowMs, sinceMs);
        if (counts === null) {
          // Of two old looks close to each other the later one is forgotten, and the earlier may lie before `sinceMs`.
          return lookedMs === firstMs || windowMs === 0 || w.nowMs - sinceMs >= lookedMs - 2 * 400_000;
        }
        const inside = events.filter(({ atMs }) => atMs > lookedMs - counts.spanMs && atMs < lookedMs);
        const errors = inside.filter(({ status }) => status >= 500).length;
        const slow = inside.filter(({ durationMs }) => durationMs > 1_000).length;
        return (
          counts.requests === inside.length &&
          counts.errors === errors &&
          counts.durationsByBucket.at(-1) === slow &&
          counts.durationsByBucket.reduce((sum, n) => sum + n, 0) === inside.length &&
          lookedMs - counts.spanMs >= Math.max(firstMs, w.nowMs - sinceMs) &&
          (Number.isFinite(sinceMs) ||
            counts.spanMs >= Math.min(windowMs / timeScale, lookedMs - firstMs) - 1e-6)
        );
      },
    ),
    { numRuns: 300 },
  );
});

t.test('rows are bounded, and come out in their order', async (t) => {
  const rows = new Rows(2, 9);
  for (let i = 0; i < 100; i++) {
    if (rows.isFull) rows.shift();
    rows.push(Float64Array.of(i, -i));
    t.equal(rows.length, Math.min(i + 1, 9));
    t.equal(rows.at(0, 0), Math.max(0, i - 8), 'the oldest');
    t.same([...rows.row(rows.length - 1)], [i, -i], 'the newest');
  }
  t.throws(() => rows.push(Float64Array.of(0, 0)), /no room/);
});

t.test('a duration alone is a change', async (t) => {
  const w = world();
  const windows = windowsOf(w);
  windows.look();
  w.nowMs += 1_000;
  w.send(1, 499, 50);
  windows.look();
  w.nowMs += 1_000;
  windows.look();
  t.equal(w.recorder.lifetime()[1]?.scalars[SCALAR.durationSumMs], 50);
  t.same(
    windows.counts('svc', 'v2', 1_000)?.durationsByBucket,
    new Float64Array(5),
    'it was before the window',
  );
  t.same(windows.counts('svc', 'v2', 2_000)?.durationsByBucket, Float64Array.from([0, 0, 1, 0, 0]));
});
