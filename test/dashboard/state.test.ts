import t from 'tap';
import type { TimelinePoint } from '../../src/admin/contract.ts';
import { freshness } from '../../src/dashboard/state/freshness.ts';
import {
  type Action,
  emptyFocus,
  initialState,
  leftMs,
  type State,
} from '../../src/dashboard/state/model.ts';
import { reduce } from '../../src/dashboard/state/reduce.ts';
import { latest, smoothed, total } from '../../src/dashboard/state/series.ts';
import { createStore } from '../../src/dashboard/state/store.ts';
import {
  experiment,
  history,
  NOW_MS,
  overview,
  rollout,
  service,
  timeline,
} from '../support/dashboard/scenes.ts';

function after(...actions: Action[]): State {
  return actions.reduce(reduce, initialState(NOW_MS));
}

const open: Action = { kind: 'opened', service: 'iris-api', nowMs: NOW_MS };
const live = (event: Extract<Action, { kind: 'live' }>['event'], nowMs = NOW_MS): Action => ({
  kind: 'live',
  event,
  nowMs,
});

t.test('events find their place', async (t) => {
  const entries = history();
  const state = after(
    open,
    { kind: 'linked', nowMs: NOW_MS },
    live({ kind: 'overview', overview: overview([service()]) }),
    live({ kind: 'rollout', rollout: rollout() }, NOW_MS + 5),
    live({ kind: 'history', service: 'iris-api', entries }),
    live({ kind: 'experiment', experiment: experiment({ service: 'iris-api' }) }),
  );
  t.equal(state.overview?.services[0]?.name, 'iris-api');
  t.equal(state.focus?.rollout?.weight, 25);
  t.equal(state.focus?.rolloutAtMs, NOW_MS + 5);
  t.strictSame(state.focus?.history, entries);
  t.equal(state.focus?.experiment?.kpi, 'conversion');
});

t.test('what is about another service changes nothing', async (t) => {
  const before = after(open);
  for (const event of [
    { kind: 'rollout', rollout: rollout({ service: 'other' }) },
    { kind: 'history', service: 'other', entries: history() },
    { kind: 'experiment', experiment: experiment() },
    { kind: 'point', point: point('other', 0) },
  ] as const) {
    t.equal(reduce(before, live(event)).focus, before.focus, event.kind);
  }
  const late = reduce(before, {
    kind: 'loaded',
    service: 'other',
    loaded: { rollout: rollout() },
    nowMs: NOW_MS,
  });
  t.equal(late.focus, before.focus, 'nor does a late answer');
});

t.test('another page forgets, the same page does not', async (t) => {
  const state = after(open, live({ kind: 'rollout', rollout: rollout() }));
  t.equal(reduce(state, open), state);
  const list = reduce(state, { kind: 'opened', service: null, nowMs: NOW_MS });
  t.equal(list.focus, null);
  t.equal(reduce(list, open).focus?.rollout, null);
});

t.test('history is told once, in order, whoever brings it', async (t) => {
  const all = history();
  const state = after(
    open,
    live({ kind: 'history', service: 'iris-api', entries: all.slice(3) }),
    { kind: 'loaded', service: 'iris-api', loaded: { history: all }, nowMs: NOW_MS },
    live({ kind: 'history', service: 'iris-api', entries: all.slice(2, 4) }),
  );
  t.strictSame(state.focus?.history, all);
});

function point(of: string, afterS: number, more: Partial<TimelinePoint> = {}): TimelinePoint {
  const version = { weight: 50, ratePerS: 40, errorShare: 0, p50Ms: 3, p99Ms: 9, confidence: 0.9 };
  return {
    service: of,
    atMs: NOW_MS + afterS * 1000,
    versions: [
      { name: 'v1', ...version, classes: { setosa: 20 } },
      { name: 'v2', ...version, classes: { setosa: 19, moss: 1 } },
    ],
    pairs: { agree: 3, disagree: 1 },
    ...more,
  };
}

function withTimeline(seconds: number): State {
  return after(open, {
    kind: 'loaded',
    service: 'iris-api',
    loaded: { timeline: { range: '15m', view: timeline(seconds) } },
    nowMs: NOW_MS,
  });
}

t.test('a timeline grows at its end, and stays a rectangle', async (t) => {
  const grown = reduce(withTimeline(10), live({ kind: 'point', point: point('iris-api', 1) })).focus
    ?.timeline['15m'];
  t.equal(grown?.atMs.length, 11);
  t.equal(grown?.atMs.at(-1), NOW_MS + 1000);
  for (const { name, weight, ratePerS, confidence, classes } of grown?.versions ?? []) {
    t.strictSame(
      [weight, ratePerS, confidence].map((column) => column.length),
      [11, 11, 11],
      name,
    );
    t.strictSame(
      classes.map(({ counts }) => counts.length),
      classes.map(() => 11),
      `${name}: its classes`,
    );
  }
  const moss = grown?.versions[1]?.classes.find(({ name }) => name === 'moss');
  t.strictSame(moss?.counts.slice(-2), [null, 1], 'a class that was never seen before');
  t.equal(grown?.versions[1]?.classes.find(({ name }) => name === 'virginica')?.counts.at(-1), 0);
  t.equal(grown?.pairs.disagree.at(-1), 1);
});

t.test('a version that is new to it has nothing before', async (t) => {
  const base = point('iris-api', 1);
  const versions = [...base.versions, { ...base.versions[0]!, name: 'v3' }];
  const grown = reduce(withTimeline(3), live({ kind: 'point', point: { ...base, versions } })).focus
    ?.timeline['15m'];
  t.strictSame(grown?.versions[2]?.weight, [null, null, null, 50]);
});

t.test('what is not newer changes nothing, and a silence is a gap', async (t) => {
  const before = withTimeline(10);
  const same = reduce(before, live({ kind: 'point', point: point('iris-api', 0) }));
  t.equal(same.focus?.timeline['15m'], before.focus?.timeline['15m']);
  const grown = reduce(before, live({ kind: 'point', point: point('iris-api', 7) })).focus?.timeline['15m'];
  t.equal(grown?.atMs.length, 12);
  t.strictSame(grown?.versions[0]?.weight.slice(-2), [null, 50]);
});

t.test('a timeline is bounded', async (t) => {
  let state = withTimeline(900);
  for (let s = 1; s <= 5; s++) state = reduce(state, live({ kind: 'point', point: point('iris-api', s) }));
  const { atMs, versions } = state.focus?.timeline['15m'] ?? { atMs: [], versions: [] };
  t.equal(atMs.length, 900);
  t.ok(
    versions.every(
      ({ weight, classes }) => weight.length === 900 && classes.every(({ counts }) => counts.length === 900),
    ),
  );
});

t.test('data is stale when it is late or cut off, and says since when', async (t) => {
  const fed = after({ kind: 'linked', nowMs: NOW_MS }, live({ kind: 'overview', overview: overview([]) }));
  t.match(freshness(fed), { stale: false });
  t.match(freshness(reduce(fed, { kind: 'tick', nowMs: NOW_MS + 5_000 })), { stale: false });
  t.match(freshness(reduce(fed, { kind: 'tick', nowMs: NOW_MS + 5_001 })), {
    stale: true,
    sinceMs: NOW_MS,
    retryInMs: null,
  });
  const lost = reduce(fed, { kind: 'lost', why: 'gone', retryInMs: 500, nowMs: NOW_MS + 100 });
  t.strictSame(freshness(lost), { stale: true, sinceMs: NOW_MS, why: 'gone', retryInMs: 500 });
  const back = reduce(lost, { kind: 'linked', nowMs: NOW_MS + 900 });
  t.match(freshness(reduce(back, live({ kind: 'overview', overview: overview([]) }, NOW_MS + 950))), {
    stale: false,
  });
  t.match(freshness(initialState(NOW_MS)), { stale: false, sinceMs: null }, 'nothing yet is not stale');
});

t.test('a token is wanted, refused, taken', async (t) => {
  t.equal(after({ kind: 'denied', hadToken: false }).access, 'wanted');
  t.equal(after({ kind: 'denied', hadToken: true }).access, 'refused');
  t.equal(after({ kind: 'denied', hadToken: true }, { kind: 'admitted' }).access, 'open');
});

t.test('listeners hear of another state only', async (t) => {
  const store = createStore(NOW_MS);
  let heard = 0;
  const stop = store.subscribe(() => {
    heard += 1;
  });
  store.dispatch(open);
  store.dispatch(open);
  stop();
  store.dispatch({ kind: 'tick', nowMs: NOW_MS + 1 });
  t.equal(heard, 1);
});

t.test('columns', async (t) => {
  t.equal(total([null, null]), null);
  t.equal(total([1, null, 2]), 3);
  t.equal(latest([1, 2, null]), 2);
  t.equal(latest([1, null, null, null, null, null]), null, 'too long ago');
  t.strictSame(smoothed([1, 0, null, 1], [1, 3, 0, 1], 2), [1, 0.25, null, 1]);
  t.strictSame(smoothed([0.5, 1], [0, 0], 2), [0.5, 1], 'without a weight it is what it is');
});

t.test('a countdown goes on between events, and never beyond its ends', async (t) => {
  const focus = { ...emptyFocus('iris-api', NOW_MS), rollout: rollout({ nextInMs: 12_000 }) };
  t.strictSame(
    [-500, 0, 700, 20_000].map((afterMs) => leftMs(focus, NOW_MS + afterMs)),
    [12_000, 12_000, 11_300, 0],
  );
  t.equal(leftMs({ ...focus, rollout: rollout({ nextInMs: null }) }, NOW_MS), null);
  t.equal(leftMs({ ...focus, rollout: null }, NOW_MS), null);
});
