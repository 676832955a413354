import t from 'tap';
import { Feed } from '../../../src/control/live/feed.ts';
import type { LiveEvent, OverviewView } from '../../../src/control/live-views.ts';
import type { HistoryEntry } from '../../../src/core/rollout/state.ts';
import { initialState } from '../../../src/core/rollout/transition.ts';
import { planOf } from '../../core/rollout/walk.ts';
import { experimentView, rolloutView } from '../support.ts';

const entry = (cause: string, wallMs = 0): HistoryEntry => ({
  wallMs,
  number: 1,
  kind: 'step',
  actor: 'coalmine',
  cause,
  step: 0,
  weight: 5,
  evidence: [],
});

/** A rollout of `iris-api` that a test changes, and how often each snapshot was made. */
function world() {
  const made = { overview: 0, rollout: 0, point: 0, experiment: 0 };
  const now = {
    mark: { state: initialState(planOf()), blocked: null as string | null, storeProblem: null },
    experiment: true,
  };
  const feed = new Feed({
    overview() {
      made.overview++;
      return {
        atMs: 0,
        revision: made.overview,
        phase: 'ready',
        reloadFailure: null,
        services: [],
      } as OverviewView;
    },
    mark: (service) => (service === 'iris-api' ? now.mark : null),
    rollout(service) {
      made.rollout++;
      return service === 'iris-api' ? rolloutView({ number: now.mark.state.number }) : null;
    },
    point(service) {
      made.point++;
      return { service, atMs: 0, versions: [], pairs: { agree: null, disagree: null } };
    },
    experiment() {
      made.experiment++;
      return now.experiment ? experimentView() : null;
    },
  });
  const listen = (service: string | null) => {
    const heard: LiveEvent[] = [];
    const stop = feed.subscribe(service, (event) => heard.push(event));
    return {
      heard,
      stop,
      /** Kinds since the last call. */
      kinds: () => heard.splice(0).map(({ kind }) => kind),
    };
  };
  return {
    made,
    now,
    feed,
    listen,
    change(patch: Partial<(typeof now)['mark']['state']>) {
      now.mark = { ...now.mark, state: { ...now.mark.state, ...patch } };
    },
  };
}

t.test('while nobody listens nothing is made', async (t) => {
  const { feed, made, listen, change } = world();
  feed.tellAll();
  feed.checkRollouts();
  const { stop } = listen('iris-api');
  stop();
  const before = { ...made };
  feed.tellAll();
  change({ number: 7 });
  feed.checkRollouts();
  t.strictSame(made, before);
});

t.test('the overview comes first, and then each second', async (t) => {
  const { feed, listen } = world();
  const { kinds } = listen(null);
  t.strictSame(kinds(), ['overview']);
  feed.tellAll();
  feed.tellAll();
  t.strictSame(kinds(), ['overview', 'overview']);
  feed.checkRollouts();
  t.strictSame(kinds(), [], 'nothing of a service that was not asked for');
});

t.test('with a service: how it stands at once, and all of it each second', async (t) => {
  const { feed, listen, now } = world();
  const { kinds } = listen('iris-api');
  t.strictSame(kinds(), ['overview', 'rollout', 'experiment']);
  feed.tellAll();
  t.strictSame(kinds(), ['overview', 'rollout', 'point', 'experiment']);
  now.experiment = false;
  feed.tellAll();
  t.strictSame(kinds(), ['overview', 'rollout', 'point']);
  const other = listen('another');
  t.strictSame(other.kinds(), ['overview'], 'without a rollout or an experiment there is nothing to tell');
  feed.tellAll();
  t.strictSame(other.kinds(), ['overview', 'point']);
});

t.test('each event is made once, however many listen, and is the same object for all', async (t) => {
  const { feed, listen, made } = world();
  const listeners = [listen('iris-api'), listen('iris-api'), listen(null)];
  for (const { kinds } of listeners) kinds();
  const before = { ...made };
  feed.tellAll();
  t.strictSame(made, {
    overview: before.overview + 1,
    rollout: before.rollout + 1,
    point: before.point + 1,
    experiment: before.experiment + 1,
  });
  t.equal(listeners[0]?.heard[1], listeners[1]?.heard[1]);
  t.equal(listeners[0]?.heard[0], listeners[2]?.heard[0]);
});

t.test('a change is told at once, and its history with it, to those who were there', async (t) => {
  const { feed, listen, change } = world();
  const old = entry('before');
  change({ history: [old] });
  const first = listen('iris-api');
  first.kinds();
  feed.checkRollouts();
  t.strictSame(first.kinds(), [], 'nothing changed');
  change({ number: 4, history: [old, entry('one'), entry('two')] });
  feed.checkRollouts();
  t.match(first.heard, [
    { kind: 'rollout', rollout: { number: 4 } },
    { kind: 'history', service: 'iris-api', entries: [{ cause: 'one' }, { cause: 'two' }] },
  ]);
  first.kinds();
  const late = listen('iris-api');
  t.strictSame(late.kinds(), ['overview', 'rollout', 'experiment'], 'the past is read elsewhere');
  feed.tellAll();
  t.notOk(first.kinds().includes('history'));
  t.notOk(late.kinds().includes('history'));
});

t.test('what happened before somebody came is told to those who were there alone', async (t) => {
  const { listen, change } = world();
  const first = listen('iris-api');
  first.kinds();
  change({ history: [entry('one')] });
  const late = listen('iris-api');
  t.strictSame(first.kinds(), ['rollout', 'history']);
  t.strictSame(late.kinds(), ['overview', 'rollout', 'experiment']);
});

t.test('the clock that is saved is no change; being blocked is one', async (t) => {
  const { feed, listen, change, now } = world();
  const { kinds } = listen('iris-api');
  kinds();
  change({ clockMs: 99 });
  feed.checkRollouts();
  t.strictSame(kinds(), []);
  now.mark = { ...now.mark, blocked: 'damaged' };
  feed.checkRollouts();
  t.strictSame(kinds(), ['rollout']);
});

t.test('a history that fell out of its bounds is told by time, none twice', async (t) => {
  const { feed, listen, change } = world();
  change({ history: [entry('a', 1), entry('b', 2)] });
  const { heard } = listen('iris-api');
  heard.splice(0);
  change({ history: [entry('b', 2), entry('c', 3), entry('d', 4)] });
  feed.checkRollouts();
  t.match(heard[1], { kind: 'history', entries: [{ cause: 'c' }, { cause: 'd' }] });
});

t.test('a listener may leave while it is told', async (t) => {
  const { feed, listen } = world();
  const stops: (() => void)[] = [];
  let heard = 0;
  stops.push(
    feed.subscribe(null, () => {
      heard++;
      stops[0]?.();
    }),
  );
  const other = listen(null);
  other.kinds();
  feed.tellAll();
  feed.tellAll();
  t.equal(heard, 2, 'the first event, and the one at which it left');
  t.strictSame(other.kinds(), ['overview', 'overview']);
});
